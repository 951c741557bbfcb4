//! Which check answers first (Kibana's server source, 8.19; unverified: the order among client version, internal
//! routes and privileges). Every request here has two faults; the earlier step must answer.

use crate::support::{As as _, Custom, bare, error};
use ikebana_http::{Answer, ApiError, Authorization, Body, Method, Route, RouteSpec};
use ikebana_schema::{boolean, integer, object, string};
use ikebana_testkit::server::Request;
use serde_json::{Value, json};

/// Steps in the order in which they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    BasePath,
    Route,
    Credentials,
    Payload,
    Xsrf,
    ClientVersion,
    Internal,
    Privilege,
    Version,
    Params,
    Query,
    Body,
    Handler,
}

const STEPS: [Step; 13] = [
    Step::BasePath,
    Step::Route,
    Step::Credentials,
    Step::Payload,
    Step::Xsrf,
    Step::ClientVersion,
    Step::Internal,
    Step::Privilege,
    Step::Version,
    Step::Params,
    Step::Query,
    Step::Body,
    Step::Handler,
];

impl Step {
    /// What the caller sees when this step answers.
    fn answer(self) -> (u16, Value) {
        match self {
            Self::BasePath | Self::Route => bare(404),
            Self::Credentials => bare(401),
            Self::Payload => error(400, "Invalid request payload JSON format"),
            Self::Xsrf => error(400, "Request must contain a kbn-xsrf header."),
            Self::ClientVersion => {
                let text = "Browser client is out of date, please refresh the page (\"kbn-version\" header was \
                            \"0.0.1\" but should be \"8.19.0\")";
                let (status, mut body) = error(400, text);
                body["attributes"] = json!({"expected": "8.19.0", "got": "0.0.1"});
                (status, body)
            }
            Self::Internal => error(
                400,
                "uri [/internal/order/1] with method [post] exists but is not available with the current \
                 configuration",
            ),
            Self::Privilege => error(
                403,
                "API [POST /internal/order/1] is unauthorized for user, this action is granted by the Kibana \
                 privileges [order_all]",
            ),
            Self::Version => error(
                400,
                "No version \"7\" available for [post] [/internal/order/{id}]. Available versions are: [1]",
            ),
            Self::Params => {
                error(400, "[request params.id]: expected value of type [number] but got [string]")
            }
            Self::Query => {
                error(400, "[request query.flag]: expected value of type [boolean] but got [string]")
            }
            Self::Body => error(400, "[request body.name]: expected value of type [string] but got [number]"),
            Self::Handler => error(409, "from the handler"),
        }
    }
}

fn route() -> Route {
    RouteSpec::new(Method::Post, "/internal/order/{id}", Authorization::Privileges(&["order_all"]))
        .params(object([("id", integer())]))
        .query(object([("flag", boolean().optional())]))
        .body(Body::Json(object([("name", string())])))
        .handle(|call| async move {
            if call.body["name"] == "taken" {
                return Err(ApiError::conflict("from the handler"));
            }
            Ok(Answer::json(&call.body))
        })
}

/// A request with exactly these faults.
fn request(server: &Custom, faults: &[Step]) -> Request {
    let wrong = |step| faults.contains(&step);
    let base = if wrong(Step::BasePath) { "" } else { "/base" };
    let name = if wrong(Step::Route) { "ordre" } else { "order" };
    let query = if wrong(Step::Query) { "?flag=maybe" } else { "" };
    // The texts of these two name the path as called, so it stays the same where they are to answer.
    let id = if wrong(Step::Params) { "x" } else { "1" };
    let mut request = server.request("POST", &format!("{base}/internal/{name}/{id}{query}"));
    if wrong(Step::Privilege) {
        request = request.user("bob");
    } else if !wrong(Step::Credentials) {
        request = request.superuser();
    }
    if wrong(Step::ClientVersion) {
        request = request.header("kbn-version", "0.0.1");
    }
    if !wrong(Step::Xsrf) {
        request = request.xsrf();
    }
    if !wrong(Step::Internal) {
        request = request.header("x-elastic-internal-origin", "test");
    }
    if wrong(Step::Version) {
        request = request.header("elastic-api-version", "7");
    }
    let body = match (wrong(Step::Payload), wrong(Step::Body), wrong(Step::Handler)) {
        (true, ..) => "{\"name\":",
        (_, true, _) => "{\"name\":1}",
        (.., true) => "{\"name\":\"taken\"}",
        _ => "{\"name\":\"fine\"}",
    };
    request.header("content-type", "application/json").body(body)
}

async fn server() -> Custom {
    Custom::start(Vec::new(), vec![route()], |settings| {
        settings.base_path = "/base".to_owned();
        settings.rewrite_base_path = true;
        settings.restrict_internal = true;
    })
    .await
}

/// Pairs that one request cannot have: no credentials and too few; no xsrf header and a wrong version
/// header, which satisfies it.
fn impossible(first: Step, second: Step) -> bool {
    matches!((first, second), (Step::Credentials, Step::Privilege) | (Step::Xsrf, Step::ClientVersion))
}

/// The place of privileges among the checks after authentication follows from the order in which they are
/// registered; nobody has seen a test of it.
fn is_unverified(first: Step, second: Step) -> bool {
    second == Step::Privilege && matches!(first, Step::Xsrf | Step::ClientVersion | Step::Internal)
}

async fn check_pairs(server: &Custom, wanted: impl Fn(Step, Step) -> bool) -> usize {
    let mut checked = 0;
    for (at, first) in STEPS.iter().enumerate() {
        for second in &STEPS[at + 1..] {
            if impossible(*first, *second) || !wanted(*first, *second) {
                continue;
            }
            let reply = request(server, &[*first, *second]).send().await;
            let (status, mut body) = reply.whole();
            // Wrong parameters stand in the path that some texts repeat.
            let text = body["message"].as_str().unwrap_or("");
            body["message"] = text.replace("order/x", "order/1").replace("?flag=maybe", "").into();
            assert_eq!((status, body), first.answer(), "{first:?} before {second:?}");
            checked += 1;
        }
    }
    checked
}

#[tokio::test]
async fn every_step_answers_alone() {
    let server = server().await;
    for step in STEPS {
        let reply = request(&server, &[step]).send().await;
        assert_eq!(reply.whole(), step.answer(), "{step:?}");
    }
    let fine = request(&server, &[]).send().await;
    assert_eq!(fine.whole(), (200, json!({"name": "fine"})));
}

#[tokio::test]
async fn of_two_faults_the_earlier_step_answers() {
    let checked = check_pairs(&server().await, |first, second| !is_unverified(first, second)).await;
    assert_eq!(checked, 13 * 12 / 2 - 2 - 3);
}

#[tokio::test]
async fn headers_are_checked_before_privileges_unverified() {
    assert_eq!(check_pairs(&server().await, is_unverified).await, 3);
}

#[tokio::test]
async fn an_area_may_validate_before_it_authorizes() {
    let spec = || {
        RouteSpec::new(Method::Post, "/api/area", Authorization::Privileges(&["area"]))
            .body(Body::Json(object([("name", string())])))
    };
    let works = |_| async { Ok(Answer::json(&json!({}))) };
    let server = Custom::with_routes(vec![spec().validates_first().handle(works)]).await;
    let send = |body: Value| server.request("POST", "/api/area").user("bob").xsrf().json(&body).send();
    let fault = error(400, "[request body.name]: expected value of type [string] but got [undefined]");
    assert_eq!(send(json!({})).await.whole(), fault);
    let refused = "API [POST /api/area] is unauthorized for user, this action is granted by the Kibana privileges \
                   [area]";
    assert_eq!(send(json!({"name": "x"})).await.whole(), error(403, refused));
}

#[tokio::test]
async fn validation_tells_the_first_of_params_query_and_body_and_then_unknown_keys() {
    let server = server().await;
    let all = [Step::Params, Step::Query, Step::Body];
    assert_eq!(request(&server, &all).send().await.whole(), Step::Params.answer());
    assert_eq!(request(&server, &all[1..]).send().await.whole(), Step::Query.answer());
    assert_eq!(request(&server, &all[2..]).send().await.whole(), Step::Body.answer());
}
