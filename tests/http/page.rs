//! `/` and `/login`

use ikebana_testkit::server::TestServer;

#[tokio::test]
async fn the_page_says_what_this_is() {
    let server = TestServer::start().await;
    let page = server.request("GET", "/").send().await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    insta::assert_snapshot!(page.text());
    let login = server.request("GET", "/login?next=%2Fapp").send().await;
    assert_eq!((login.status, login.text()), (200, page.text()));
    let with_wrong = server.request("GET", "/").basic("elastic", "wrong").send().await;
    assert_eq!(with_wrong.status, 200, "nobody is asked for");
    assert_eq!(server.request("GET", "/s/marketing").send().await.text(), page.text());
}

#[tokio::test]
async fn it_names_the_document_where_it_is_served() {
    let server = TestServer::start_with(|config| config.http.oas_enabled = true).await;
    let page = server.get("/").await.text();
    assert!(page.contains("<a href=\"/api/oas\">"), "{page}");
}

#[tokio::test]
async fn nothing_of_the_settings_becomes_markup() {
    let server = TestServer::start_with(|config| config.http.base_path = "/<b>\"x".to_owned()).await;
    let page = server.get("/").await.text();
    assert!(page.contains("href=\"/&lt;b>&quot;x/api/status\""), "{page}");
}
