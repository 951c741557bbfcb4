//! `server.basePath` and `server.rewriteBasePath`: Kibana's server source, 8.19.

use crate::support::{bare, default_space};
use ikebana_testkit::server::TestServer;

async fn server(rewrite: bool) -> TestServer {
    TestServer::start_with(|config| {
        config.http.base_path = "/kbn".to_owned();
        config.http.rewrite_base_path = rewrite;
    })
    .await
}

#[tokio::test]
async fn with_rewrite_the_prefix_must_be_there() {
    let server = server(true).await;
    assert_eq!(server.get("/kbn/api/spaces/space/default").await.whole(), (200, default_space()));
    assert_eq!(server.get("/kbn/s/x/api/spaces/space/default").await.whole(), (200, default_space()));
    assert_eq!(server.get("/kbn").await.status, 200);
    for path in ["/api/status", "/kbnx/api/status", "/", "/s/x/kbn/api/status"] {
        assert_eq!(server.get(path).await.whole(), bare(404), "{path}");
        assert_eq!(
            server.request("GET", path).send().await.whole(),
            bare(404),
            "{path}, without credentials"
        );
    }
}

#[tokio::test]
async fn without_rewrite_a_proxy_takes_it_off() {
    let server = server(false).await;
    assert_eq!(server.get("/api/spaces/space/default").await.whole(), (200, default_space()));
    assert_eq!(server.get("/kbn/api/status").await.whole(), bare(404));
}

#[tokio::test]
async fn links_repeat_it_either_way() {
    for (rewrite, prefix) in [(true, "/kbn"), (false, "")] {
        let server = server(rewrite).await;
        let login = server.request("GET", &format!("{prefix}/s/x/app?a=b")).send().await;
        assert_eq!(login.header("location"), Some("/kbn/s/x/login?next=%2Fkbn%2Fs%2Fx%2Fapp%3Fa%3Db"));
        let slash = server.get(&format!("{prefix}/api/status/")).await;
        assert_eq!(slash.header("location"), Some("/kbn/api%2Fstatus"));
        let page = server.get(&format!("{prefix}/")).await.text();
        assert!(page.contains("href=\"/kbn/api/status\""), "{page}");
    }
}
