//! `elasticsearch.*`: known, checked where Kibana's texts are known, and without use until a cluster can be.

use super::ssl;
use ikebana_schema::{
    Schema, any, array, boolean, conditional, duration, enumeration, never, number, object, record, string,
    union,
};
use serde_json::json;

pub(super) fn schema() -> Schema {
    object([
        ("sniffOnStart", boolean().default(json!(false))),
        ("sniffInterval", any().optional()),
        ("sniffOnConnectionFault", boolean().default(json!(false))),
        ("hosts", any().optional().check_value(|_| Err(NO_CLUSTER.to_owned()))),
        ("maxSockets", number().optional()),
        ("maxIdleSockets", number().optional()),
        ("maxResponseSize", any().optional()),
        ("idleSocketTimeout", duration().default(json!("60s"))),
        ("compression", boolean().default(json!(false))),
        ("username", string().check(username).optional()),
        ("password", union([string(), number()]).optional()),
        ("serviceAccountToken", service_account_token().optional()),
        ("requestHeadersWhitelist", union([array(string()), string()]).optional()),
        ("publicBaseUrl", any().optional()),
        ("customHeaders", record(string(), any()).default(json!({}))),
        ("shardTimeout", duration().default(json!("30s"))),
        ("requestTimeout", duration().default(json!("30s"))),
        ("pingTimeout", duration().default(json!("30s"))),
        ("logQueries", boolean().default(json!(false))),
        ("ssl", ssl_schema()),
        ("apiVersion", string().optional()),
        (
            "healthCheck",
            object([
                ("delay", duration().default(json!(2500))),
                ("startupDelay", duration().default(json!(500))),
                ("retry", number().default(json!(1))),
            ]),
        ),
        ("ignoreVersionMismatch", boolean().default(json!(false))),
        ("skipStartupConnectionCheck", boolean().default(json!(false))),
        ("apisToRedactInLogs", any().optional()),
        ("dnsCacheTtl", duration().default(json!(0))),
    ])
}

const NO_CLUSTER: &str = "this server keeps its data itself; a cluster is not supported yet. Remove the setting \
                          (or -e, --elasticsearch).";

const ELASTIC: &str = "value of \"elastic\" is forbidden. This is a superuser account that cannot write to system \
    indices that Kibana needs to function. Use a service account token instead. Learn more: \
    https://www.elastic.co/guide/en/elasticsearch/reference/8.0/service-accounts.html";

fn username(text: &str) -> Result<(), String> {
    if text == "elastic" { Err(ELASTIC.to_owned()) } else { Ok(()) }
}

fn service_account_token() -> Schema {
    let refused =
        |_: &str| Err("serviceAccountToken cannot be specified when \"username\" is also set.".to_owned());
    conditional("username", never(), string(), string().check(refused))
}

fn ssl_schema() -> Schema {
    object([
        ("verificationMode", enumeration(["none", "certificate", "full"]).default(json!("full"))),
        ("certificateAuthorities", ssl::authorities()),
        ("certificate", string().optional()),
        ("key", string().optional()),
        ("keyPassphrase", string().optional()),
        ("keystore", ssl::store()),
        ("truststore", ssl::store()),
        ("alwaysPresentCertificate", boolean().default(json!(false))),
    ])
}
