//! `/api/spaces/space`

use ikebana_testkit::server::TestServer;
use serde_json::json;

#[tokio::test]
async fn the_documented_example_works_as_it_stands() {
    let server = TestServer::start().await;
    let body = json!({
        "id": "marketing", "name": "Marketing", "color": null, "imageUrl": "", "initials": "MK",
        "description": "This is the Marketing Space", "disabledFeatures": []
    });
    let created = json!({
        "id": "marketing", "name": "Marketing", "description": "This is the Marketing Space",
        "initials": "MK", "imageUrl": "", "disabledFeatures": []
    });
    assert_eq!(server.post("/api/spaces/space", &body).await.whole(), (200, created.clone()));
    assert_eq!(server.get("/api/spaces/space/marketing").await.whole(), (200, created));
}
