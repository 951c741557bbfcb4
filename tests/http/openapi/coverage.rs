//! Every route as a stranger, as a user without roles, and as the superuser. A route without a row fails.

use super::{documented, names};
use crate::support::{As as _, create_user};
use ikebana_testkit::server::{Request, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a stranger, a user without roles and the superuser get.
type Row = (&'static str, &'static str, Option<Value>, [u16; 3]);

/// In the order in which they are called: each acts on what those before left.
fn rows() -> Vec<Row> {
    let space = || Some(json!({"id": "a", "name": "A"}));
    let user = || Some(json!({"username": "eve", "password": "a secret", "roles": []}));
    vec![
        ("GET /", "/", None, [200, 200, 200]),
        ("GET /login", "/login", None, [200, 200, 200]),
        ("GET /metrics", "/metrics", None, [401, 200, 200]),
        ("GET /api/oas", "/api/oas", None, [200, 200, 200]),
        ("GET /api/status", "/api/status", None, [200, 200, 200]),
        ("GET /api/stats", "/api/stats", None, [401, 200, 200]),
        ("GET /internal/security/me", "/internal/security/me", None, [401, 200, 200]),
        ("GET /internal/security/users", "/internal/security/users", None, [401, 403, 200]),
        ("POST /internal/security/users/{username}", "/internal/security/users/eve", user(), [401, 403, 200]),
        ("GET /internal/security/users/{username}", "/internal/security/users/eve", None, [401, 403, 200]),
        (
            "POST /internal/security/users/{username}/password",
            "/internal/security/users/eve/password",
            Some(json!({"newPassword": "another"})),
            [401, 403, 204],
        ),
        (
            "POST /internal/security/users/{username}/_disable",
            "/internal/security/users/eve/_disable",
            None,
            [401, 403, 204],
        ),
        (
            "POST /internal/security/users/{username}/_enable",
            "/internal/security/users/eve/_enable",
            None,
            [401, 403, 204],
        ),
        ("DELETE /internal/security/users/{username}", "/internal/security/users/eve", None, [401, 403, 204]),
        ("POST /api/spaces/space", "/api/spaces/space", space(), [401, 403, 200]),
        ("GET /api/spaces/space", "/api/spaces/space", None, [401, 403, 200]),
        ("GET /api/spaces/space/{id}", "/api/spaces/space/a", None, [401, 403, 200]),
        ("PUT /api/spaces/space/{id}", "/api/spaces/space/a", space(), [401, 403, 200]),
        ("GET /internal/spaces/_active_space", "/s/a/internal/spaces/_active_space", None, [401, 403, 200]),
        (
            "GET /internal/spaces/{spaceId}/content_summary",
            "/internal/spaces/a/content_summary",
            None,
            [401, 403, 200],
        ),
        ("DELETE /api/spaces/space/{id}", "/api/spaces/space/a", None, [401, 403, 204]),
    ]
}

fn request(server: &TestServer, row: &Row) -> Request {
    let method = row.0.split(' ').next().expect("a method");
    let request = server.request(method, row.1).xsrf();
    match &row.2 {
        Some(body) => request.json(body),
        None => request,
    }
}

#[tokio::test]
async fn every_route_as_three_callers() {
    let (server, document) = documented().await;
    let rows = rows();
    let listed: BTreeSet<String> = rows.iter().map(|row| row.0.to_owned()).collect();
    let known: BTreeSet<String> = names(&document).into_iter().collect();
    assert_eq!(listed, known, "each route has a row");
    create_user(&server, "bob").await;
    for row in &rows {
        let statuses = [
            request(&server, row).send().await.status,
            request(&server, row).user("bob").send().await.status,
            request(&server, row).superuser().send().await.status,
        ];
        assert_eq!(statuses, row.3, "{}", row.0);
    }
}
