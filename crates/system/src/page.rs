//! `GET /` and `GET /login`: a page for somebody who opens the address in a browser.

use crate::System;
use http::StatusCode;
use ikebana_http::{Access, Answer, ApiError, Authentication, Authorization, Method, RouteSpec};
use std::sync::Arc;

pub(crate) fn specs() -> Vec<RouteSpec> {
    let page = |path, id, summary| {
        RouteSpec::new(Method::Get, path, Authorization::Open("tells nothing but what this is"))
            .document("system", id, summary)
            .authentication(Authentication::None)
            .access(Access::Public)
            .answers_as(200, "A page.", None, "text/html")
    };
    vec![
        page("/", "get-root", "Tell what this server is"),
        page("/login", "get-login", "Tell that there is no login page"),
    ]
}

pub(crate) async fn answer(system: Arc<System>) -> Result<Answer, ApiError> {
    let about = &system.about;
    let base = escape(&about.base_path);
    let document = if about.document {
        format!("<li><a href=\"{base}/api/oas\">{base}/api/oas</a>: the OpenAPI document</li>")
    } else {
        "<li><code>ikebana openapi</code> prints the OpenAPI document</li>".to_owned()
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Ikebana</title>\
         <style>body{{font:1rem/1.5 system-ui;margin:3rem auto;max-width:40rem;padding:0 1rem}}</style></head>\
         <body><h1>Ikebana {program}</h1>\
         <p>This server speaks the Kibana HTTP API of the {number} line. It has no browser application: use it \
         with curl, Terraform, or any client of that API, with HTTP Basic credentials.</p>\
         <ul><li><a href=\"{base}/api/status\">{base}/api/status</a>: how it is</li>{document}\
         <li><a href=\"{base}/metrics\">{base}/metrics</a>: numbers for Prometheus, with credentials</li></ul>\
         <p>Not affiliated with Elastic. Elastic and Kibana are trademarks of their owner.</p></body></html>\n",
        program = escape(&about.program),
        number = escape(&about.number),
    );
    Ok(Answer::bytes(StatusCode::OK, "text/html; charset=utf-8", page))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
