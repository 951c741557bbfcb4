//! `/internal/spaces/_active_space`

use crate::support::{As as _, create_space, default_space, error, plain_space, server_with_bob};

#[tokio::test]
async fn the_space_of_the_path() {
    let server = server_with_bob().await;
    create_space(&server, "a").await;
    let path = "/internal/spaces/_active_space";
    assert_eq!(server.get(path).await.whole(), (200, default_space()));
    assert_eq!(server.get(&format!("/s/a{path}")).await.whole(), (200, plain_space("a", "a")));
    let ghost = server.get(&format!("/s/ghost{path}")).await;
    assert_eq!(ghost.whole(), error(404, "Saved object [space/ghost] not found"));
}

#[tokio::test]
async fn somebody_without_privileges() {
    let server = server_with_bob().await;
    for (path, space) in [("", "default"), ("/s/ghost", "ghost")] {
        let path = format!("{path}/internal/spaces/_active_space");
        let reply = server.request("GET", &path).user("bob").send().await;
        assert_eq!(reply.whole(), error(403, &format!("Unauthorized to get {space} space")));
    }
}
