//! `/internal/security/me`

use crate::support::{As as _, bare, server_with_bob};
use serde_json::json;

#[tokio::test]
async fn the_superuser_unverified() {
    let server = server_with_bob().await;
    let reply = server.get("/internal/security/me").await;
    let expected = r#"{"username":"elastic","roles":["superuser"],"full_name":null,"email":null,"metadata":{"_reserved":true},"enabled":true,"authentication_realm":{"name":"reserved","type":"reserved"},"lookup_realm":{"name":"reserved","type":"reserved"},"authentication_type":"realm","authentication_provider":{"type":"http","name":"__http__"},"elastic_cloud_user":false}"#;
    assert_eq!((reply.status, reply.text().as_str()), (200, expected));
}

#[tokio::test]
async fn a_user_without_roles_unverified() {
    let server = server_with_bob().await;
    let expected = json!({
        "username": "bob", "roles": [], "full_name": null, "email": null, "metadata": {}, "enabled": true,
        "authentication_realm": {"name": "default_native", "type": "native"},
        "lookup_realm": {"name": "default_native", "type": "native"},
        "authentication_type": "realm", "authentication_provider": {"type": "http", "name": "__http__"},
        "elastic_cloud_user": false
    });
    for path in ["/internal/security/me", "/s/marketing/internal/security/me"] {
        let reply = server.request("GET", path).user("bob").send().await;
        assert_eq!(reply.whole(), (200, expected.clone()));
    }
}

#[tokio::test]
async fn strangers_are_nobody() {
    let server = server_with_bob().await;
    assert_eq!(server.request("GET", "/internal/security/me").send().await.whole(), bare(401));
}
