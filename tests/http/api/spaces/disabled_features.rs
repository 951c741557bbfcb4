//! What a space shows as switched off: the solution's rule and ids that were replaced
//! (Kibana's server source, 8.19).

use ikebana_identity::{Category, FEATURES};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

async fn disabled(server: &TestServer, body: &Value) -> Value {
    let created = server.post("/api/spaces/space", body).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let id = body["id"].as_str().expect("an id");
    let got = server.get(&format!("/api/spaces/space/{id}")).await;
    assert_eq!(got.json(), created.json(), "create and get read by the same rules");
    created.json()["disabledFeatures"].clone()
}

#[tokio::test]
async fn oblt_hides_security() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "a", "solution": "oblt", "disabledFeatures": ["canvas", "apm"]});
    let hidden = json!([
        "siemV2",
        "securitySolutionCasesV3",
        "securitySolutionAssistant",
        "securitySolutionAttackDiscovery",
        "securitySolutionTimeline",
        "securitySolutionNotes",
        "securitySolutionSiemMigrations"
    ]);
    assert_eq!(disabled(&server, &body).await, hidden);
}

#[tokio::test]
async fn es_hides_observability_and_security_unverified() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "a", "solution": "es"});
    let shown = disabled(&server, &body).await;
    let mut sorted: Vec<&str> = shown.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    sorted.sort_unstable();
    let hidden = [
        "apm",
        "infrastructure",
        "inventory",
        "logs",
        "observabilityCasesV3",
        "securitySolutionAssistant",
        "securitySolutionAttackDiscovery",
        "securitySolutionCasesV3",
        "securitySolutionNotes",
        "securitySolutionSiemMigrations",
        "securitySolutionTimeline",
        "siemV2",
        "slo",
        "uptime",
    ];
    assert_eq!(sorted, hidden);
}

#[tokio::test]
async fn security_hides_observability_and_search_unverified() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "a", "solution": "security"});
    let hidden = json!([
        "enterpriseSearch",
        "enterpriseSearchApplications",
        "enterpriseSearchAnalytics",
        "searchInferenceEndpoints",
        "searchPlayground",
        "searchSynonyms",
        "apm",
        "infrastructure",
        "inventory",
        "logs",
        "observabilityCasesV3",
        "observabilityAIAssistant",
        "slo",
        "uptime"
    ]);
    assert_eq!(disabled(&server, &body).await, hidden);
}

#[tokio::test]
async fn a_solution_hides_the_stored_list_and_classic_shows_it_again() {
    let server = TestServer::start().await;
    let list = json!(["canvas", "made_up"]);
    let mut body = json!({"id": "a", "name": "a", "solution": "es", "disabledFeatures": list});
    let hidden = disabled(&server, &body).await;
    assert!(!hidden.as_array().expect("a list").contains(&json!("canvas")));
    body["solution"] = json!("classic");
    let updated = server.put("/api/spaces/space/a", &body).await.json();
    assert_eq!((&updated["solution"], &updated["disabledFeatures"]), (&json!("classic"), &list));
    // Without a solution in the body the stored one stays.
    body["solution"] = json!("es");
    server.put("/api/spaces/space/a", &body).await;
    let kept = server.put("/api/spaces/space/a", &json!({"id": "a", "name": "b"})).await.json();
    assert_eq!((&kept["solution"], &kept["disabledFeatures"]), (&json!("es"), &hidden));
    let listed = server.get("/api/spaces/space").await.json();
    assert_eq!(listed[1]["disabledFeatures"], hidden);
}

#[tokio::test]
async fn a_list_without_solution_is_kept_as_it_is() {
    let server = TestServer::start().await;
    for (id, solution) in [("a", None), ("b", Some("classic"))] {
        let list = json!(["b", "a", "b", "", "no such feature", "canvas"]);
        let mut body = json!({"id": id, "name": id, "disabledFeatures": list});
        if let Some(solution) = solution {
            body["solution"] = json!(solution);
        }
        assert_eq!(disabled(&server, &body).await, list);
    }
}

#[tokio::test]
async fn replaced_ids_are_read_as_their_successors() {
    let server = TestServer::start().await;
    let cases = [
        ("discover", json!(["discover_v2"])),
        ("dashboard", json!(["dashboard_v2"])),
        ("visualize", json!(["visualize_v2"])),
        ("maps", json!(["maps_v2"])),
        ("siem", json!(["siemV2", "securitySolutionTimeline", "securitySolutionNotes"])),
    ];
    for (id, successors) in cases {
        let name = id.to_lowercase();
        let body = json!({"id": name, "name": name, "disabledFeatures": [id]});
        assert_eq!(disabled(&server, &body).await, successors, "{id}");
    }
}

#[tokio::test]
async fn successors_are_not_made_unique() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "a", "disabledFeatures": ["discover", "canvas", "discover_v2"]});
    assert_eq!(disabled(&server, &body).await, json!(["discover_v2", "canvas", "discover_v2"]));
}

#[tokio::test]
async fn no_solution_hides_management_or_analytics() {
    let server = TestServer::start().await;
    for solution in ["es", "oblt", "security"] {
        let body = json!({"id": solution, "name": solution, "solution": solution});
        let hidden = disabled(&server, &body).await;
        let hidden = hidden.as_array().expect("a list");
        let spared = |category| matches!(category, Category::Kibana | Category::Management);
        for feature in FEATURES.iter().filter(|feature| spared(feature.category)) {
            assert!(!hidden.contains(&json!(feature.id)), "{solution} hides {}", feature.id);
        }
        for feature in FEATURES.iter().filter(|feature| !feature.successors.is_empty()) {
            assert!(!hidden.contains(&json!(feature.id)), "{} is replaced", feature.id);
        }
    }
}
