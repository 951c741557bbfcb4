//! Size, content type and parsing of bodies: the behaviour of hapi, Kibana's framework.

use crate::support::{Custom, error, plain_space};
use crate::support::{bare, read_one};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use ikebana_http::{Answer, Authorization, Body, Method, RouteSpec};
use ikebana_testkit::server::{Request, TestServer};
use serde_json::{Value, json};
use std::io::Write as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const A: &str = r#"{"id":"a","name":"A"}"#;

fn post(server: &TestServer) -> Request {
    server.request("POST", "/api/spaces/space").superuser().xsrf()
}

fn created() -> (u16, Value) {
    (200, plain_space("a", "A"))
}

fn too_large(limit: u64) -> (u16, Value) {
    error(413, &format!("Payload content length greater than maximum allowed: {limit}"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

#[tokio::test]
async fn malformed_json() {
    let server = TestServer::start().await;
    for body in ["{", "{\"id\":}", "{'id':'a'}", "nul", "{} {}", "\u{feff}{}", "{\"id\":\"\u{1}\"}"] {
        let reply = post(&server).header("content-type", "application/json").body(body).send().await;
        assert_eq!(reply.whole(), error(400, "Invalid request payload JSON format"), "{body}");
    }
}

#[tokio::test]
async fn a_proto_key_counts_as_malformed() {
    let server = TestServer::start().await;
    for body in [r#"{"__proto__":{}}"#, r#"{"id":"a","x":[{"__proto__":1}]}"#] {
        let reply = post(&server).header("content-type", "application/json").body(body).send().await;
        assert_eq!(reply.whole(), error(400, "Invalid request payload JSON format"), "{body}");
    }
}

#[tokio::test]
async fn a_constructor_key_is_an_unknown_key_unverified() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "A", "constructor": {"prototype": {}}});
    let text = "[request body.constructor]: definition for this key is missing";
    assert_eq!(server.post("/api/spaces/space", &body).await.whole(), error(400, text));
}

#[tokio::test]
async fn without_a_content_type_json_is_assumed() {
    let server = TestServer::start().await;
    assert_eq!(post(&server).body(A).send().await.whole(), created());
}

#[tokio::test]
async fn content_types_that_are_read_as_json() {
    for mime in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.elastic+json; compatible-with=8",
        "text/plain",
        "text/plain;charset=UTF-8",
    ] {
        let server = TestServer::start().await;
        let reply = post(&server).header("content-type", mime).body(A).send().await;
        assert_eq!(reply.whole(), created(), "{mime}");
    }
}

#[tokio::test]
async fn a_form_is_an_object_of_its_fields() {
    let server = TestServer::start().await;
    let form = |body: &str| {
        post(&server).header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    assert_eq!(form("id=a&name=A").await.whole(), created());
    assert_eq!(form("id=b&name=B+%26+C").await.whole(), (200, plain_space("b", "B & C")));
    let text = "[request body.x]: definition for this key is missing";
    assert_eq!(form("id=a&name=A&x=1").await.whole(), error(400, text));
    let text = "[request body.id]: expected value of type [string] but got [undefined]";
    assert_eq!(form("").await.whole(), error(400, text));
    let text = "[request body.id]: expected value of type [string] but got [Array]";
    assert_eq!(form("id=a&id=b&name=A").await.whole(), error(400, text));
}

#[tokio::test]
async fn text_that_is_no_json_object() {
    let server = TestServer::start().await;
    let text = |body: &str| post(&server).header("content-type", "text/plain").body(body).send();
    let no_json = error(400, "[request body]: could not parse object value from json input");
    assert_eq!(text("hello").await.whole(), no_json);
    assert_eq!(text("").await.whole(), no_json);
    let array = error(400, "[request body]: expected a plain object value, but found [Array] instead.");
    assert_eq!(text("[1]").await.whole(), array);
}

#[tokio::test]
async fn other_content_types_are_unsupported() {
    let server = TestServer::start().await;
    for mime in ["application/xml", "image/png", "application/ndjson", "multipart/form-data; boundary=x"] {
        let reply = post(&server).header("content-type", mime).body(A).send().await;
        assert_eq!(reply.whole(), bare(415), "{mime}");
    }
}

#[tokio::test]
async fn content_types_that_are_none() {
    let server = TestServer::start().await;
    let with = |mime: &str| post(&server).header("content-type", mime).body(A).send();
    for mime in ["json", "application/", "/json", "application json", "*"] {
        assert_eq!(with(mime).await.whole(), error(400, "Invalid content-type header"), "{mime}");
    }
    let twice = "application/json; charset=utf-8; charset=utf-8";
    let text = "Invalid content-type header: duplicate parameter";
    assert_eq!(with(twice).await.whole(), error(400, text));
    let text = "Invalid content-type header: multipart missing boundary";
    assert_eq!(with("multipart/form-data").await.whole(), error(400, text));
}

#[tokio::test]
async fn no_body_at_all_is_null() {
    let server = TestServer::start().await;
    let text = "[request body]: expected a plain object value, but found [null] instead.";
    assert_eq!(post(&server).send().await.whole(), error(400, text));
    let empty = post(&server).header("content-type", "application/json").body("");
    assert_eq!(empty.send().await.whole(), error(400, text));
    let null = post(&server).header("content-type", "application/json").body("null");
    assert_eq!(null.send().await.whole(), error(400, text));
}

#[tokio::test]
async fn a_declared_length_beyond_the_limit_is_refused_unread() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = "POST /api/spaces/space HTTP/1.1\r\nhost: x\r\nauthorization: Basic ZWxhc3RpYzpjaGFuZ2VtZQ==\r\n\
                content-type: image/png\r\ncontent-length: 1048577\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("a head sent");
    // Not a byte of the body is sent, nor is the content type looked at.
    assert_eq!(read_one(&mut stream).await.whole(), too_large(1_048_576));
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let server = TestServer::start_with(|config| config.http.max_payload = 64).await;
    let fits = format!("{A:<64}");
    assert_eq!(post(&server).body(fits.clone()).send().await.whole(), created());
    assert_eq!(post(&server).body(format!("{fits} ")).send().await.whole(), too_large(64));
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_off_at_the_limit() {
    let server = TestServer::start_with(|config| config.http.max_payload = 64).await;
    let (head, tail) = A.as_bytes().split_at(10);
    assert_eq!(post(&server).chunked(&[head, tail]).send().await.whole(), created());
    let piece = [b' '; 40];
    assert_eq!(post(&server).chunked(&[&piece, &piece]).send().await.whole(), too_large(64));
}

#[tokio::test]
async fn compressed_bodies_are_read() {
    let server = TestServer::start().await;
    let send =
        |encoding: &str, body: Vec<u8>| post(&server).header("content-encoding", encoding).body(body).send();
    let space = |id: &str| json!({"id": id, "name": "A"}).to_string();
    assert_eq!(send("gzip", gzip(space("a").as_bytes())).await.whole(), created());
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(space("b").as_bytes()).expect("deflate");
    let deflated = zlib.finish().expect("deflate");
    assert_eq!(send("deflate", deflated).await.whole(), (200, plain_space("b", "A")));
    assert_eq!(send("identity", space("c").into()).await.whole(), (200, plain_space("c", "A")));
    assert_eq!(send("gzip", A.into()).await.whole(), error(400, "Invalid compressed payload"));
    let mut cut = gzip(A.as_bytes());
    cut.truncate(cut.len() - 12);
    assert_eq!(send("gzip", cut).await.whole(), error(400, "Invalid compressed payload"));
}

#[tokio::test]
async fn a_small_body_cannot_become_a_large_one() {
    let server = TestServer::start().await;
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let reply = post(&server).header("content-encoding", "gzip").body(bomb).send().await;
    assert_eq!(reply.whole(), too_large(1_048_576));
}

#[tokio::test]
async fn a_route_may_have_a_limit_of_its_own() {
    let route = |path, body| {
        RouteSpec::new(Method::Post, path, Authorization::Open("a test"))
            .body(body)
            .max_bytes(8)
            .handle(|call| async move { Ok(Answer::json(&json!({"stream": call.stream.is_some()}))) })
    };
    let server = Custom::with_routes(vec![
        route("/api/json", Body::Json(ikebana_schema::any())),
        route("/api/stream", Body::Stream),
        route("/api/multipart", Body::Multipart),
    ])
    .await;
    let send = |path: &str, mime: &str, body: &str| {
        let request = server.request("POST", path).superuser().xsrf();
        request.header("content-type", mime).body(body).send()
    };
    assert_eq!(send("/api/json", "application/json", "[1,2,3]").await.status, 200);
    for path in ["/api/json", "/api/stream", "/api/multipart"] {
        assert_eq!(send(path, "application/json", "[1,2,3,4]").await.whole(), too_large(8), "{path}");
    }
    assert_eq!(send("/api/stream", "image/png", "12345678").await.whole(), (200, json!({"stream": true})));
}

#[tokio::test]
async fn a_multipart_route_takes_nothing_else() {
    let route = RouteSpec::new(Method::Post, "/api/import", Authorization::Open("a test"))
        .body(Body::Multipart)
        .handle(|_| async { Ok(Answer::json(&json!({}))) });
    let server = Custom::with_routes(vec![route]).await;
    let send = |mime: &str| {
        server
            .request("POST", "/api/import")
            .superuser()
            .xsrf()
            .header("content-type", mime)
            .body("{}")
            .send()
    };
    assert_eq!(send("application/json").await.whole(), bare(415));
    assert_eq!(send("multipart/form-data; boundary=x").await.whole(), (200, json!({})));
    let text = "Invalid content-type header: multipart missing boundary";
    assert_eq!(send("multipart/form-data").await.whole(), error(400, text));
}

#[tokio::test]
async fn a_route_without_body_ignores_what_is_sent() {
    let server = TestServer::start().await;
    let delete = || server.request("DELETE", "/api/spaces/space/none").superuser().xsrf();
    let with = |mime: &str| delete().header("content-type", mime).body("{broken").send();
    assert_eq!(with("application/json").await.whole(), bare(404));
    assert_eq!(with("image/png").await.whole(), bare(404));
    assert_eq!(with("nonsense").await.whole(), error(400, "Invalid content-type header"));
    let large = delete().header("content-length", "1048577").send().await;
    assert_eq!(large.whole(), too_large(1_048_576));
}

#[tokio::test]
async fn the_body_of_a_get_is_never_read() {
    let server = TestServer::start().await;
    let get = server.request("GET", "/api/spaces/space/default").superuser();
    let reply = get.header("content-type", "nonsense").body("{broken").send().await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_connection_serves_on_after_a_body_that_was_refused() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let request = |body: &str| {
        format!(
            "POST /api/spaces/space HTTP/1.1\r\nhost: x\r\nauthorization: Basic ZWxhc3RpYzpjaGFuZ2VtZQ==\r\n\
             kbn-xsrf: 1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    stream.write_all(request("{").as_bytes()).await.expect("a request");
    assert_eq!(read_one(&mut stream).await.whole(), error(400, "Invalid request payload JSON format"));
    stream.write_all(request(A).as_bytes()).await.expect("a request");
    assert_eq!(read_one(&mut stream).await.whole(), created());
}
