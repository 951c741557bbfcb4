//! The headers of every answer: `server.securityResponseHeaders.*`, then `server.customResponseHeaders`, then
//! the content security policies.

use ikebana_http::default_headers;
use serde_json::Value;

const POLICY: &str = "content-security-policy";
const POLICY_REPORT_ONLY: &str = "content-security-policy-report-only";
/// Set last, so that custom headers cannot replace them.
const LAST: [&str; 3] = [POLICY, POLICY_REPORT_ONLY, "kbn-name"];

/// In the order in which they are sent.
pub(super) fn of(security: &Value, custom: &Value) -> Vec<(String, String)> {
    let policies = default_headers().into_iter().filter(|(name, _)| LAST.contains(&name.as_str()));
    let custom = custom_headers(custom);
    let is_replaced = |name: &str| custom.iter().any(|(replaced, _)| replaced == name);
    let mut headers: Vec<(String, String)> =
        security_headers(security).into_iter().filter(|(name, _)| !is_replaced(name)).collect();
    headers.extend(custom.clone());
    headers.extend(policies.map(|(name, value)| {
        let framed = name == POLICY && security["disableEmbedding"] == true;
        (name, if framed { format!("{value}; frame-ancestors 'self'") } else { value })
    }));
    headers
}

fn security_headers(security: &Value) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = [
        ("strict-transport-security", "strictTransportSecurity"),
        ("x-content-type-options", "xContentTypeOptions"),
        ("referrer-policy", "referrerPolicy"),
        ("permissions-policy", "permissionsPolicy"),
        ("permissions-policy-report-only", "permissionsPolicyReportOnly"),
        ("cross-origin-opener-policy", "crossOriginOpenerPolicy"),
    ]
    .into_iter()
    .filter_map(|(name, key)| Some((name.to_owned(), security[key].as_str()?.to_owned())))
    .collect();
    if security["disableEmbedding"] == true {
        headers.push(("x-frame-options".to_owned(), "SAMEORIGIN".to_owned()));
    }
    headers
}

/// A list is as many headers of the name.
fn custom_headers(custom: &Value) -> Vec<(String, String)> {
    let entries = custom.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !LAST.contains(&name.as_str()))
        .flat_map(|(name, value)| match value {
            Value::Array(values) => values.iter().map(|value| (name.clone(), header_text(value))).collect(),
            value => vec![(name, header_text(value))],
        })
        .collect()
}

fn header_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The section as it is once checked.
    fn defaults() -> Value {
        json!({
            "strictTransportSecurity": null,
            "xContentTypeOptions": "nosniff",
            "referrerPolicy": "strict-origin-when-cross-origin",
            "permissionsPolicy":
                "camera=(), display-capture=(), fullscreen=(self), geolocation=(), microphone=(), web-share=()",
            "disableEmbedding": false,
            "crossOriginOpenerPolicy": "same-origin",
        })
    }

    #[test]
    fn the_defaults_are_those_of_the_http_side() {
        assert_eq!(of(&defaults(), &json!({})), default_headers());
    }

    #[test]
    fn every_security_header_can_be_changed_or_removed() {
        let mut security = defaults();
        security["strictTransportSecurity"] = json!("max-age=31536000");
        security["xContentTypeOptions"] = Value::Null;
        security["referrerPolicy"] = json!("no-referrer");
        security["permissionsPolicy"] = Value::Null;
        security["permissionsPolicyReportOnly"] = json!("camera=()");
        security["disableEmbedding"] = json!(true);
        security["crossOriginOpenerPolicy"] = Value::Null;
        let policies: Vec<String> =
            default_headers().into_iter().filter(|h| LAST.contains(&h.0.as_str())).map(|h| h.1).collect();
        let expected = [
            ("strict-transport-security", "max-age=31536000"),
            ("referrer-policy", "no-referrer"),
            ("permissions-policy-report-only", "camera=()"),
            ("x-frame-options", "SAMEORIGIN"),
            (POLICY, &format!("{}; frame-ancestors 'self'", policies[0])),
            (POLICY_REPORT_ONLY, &policies[1]),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(of(&security, &json!({})), expected);
    }

    #[test]
    fn custom_headers_replace_security_headers_but_neither_policies_nor_the_name() {
        let custom = json!({
            "Referrer-Policy": "origin",
            "x-list": ["a", 1],
            "x-flag": true,
            "Content-Security-Policy": "none",
            "kbn-name": "mine",
        });
        let mut expected = default_headers();
        expected.remove(1);
        for (at, (name, value)) in
            [("referrer-policy", "origin"), ("x-list", "a"), ("x-list", "1"), ("x-flag", "true")]
                .into_iter()
                .enumerate()
        {
            expected.insert(3 + at, (name.to_owned(), value.to_owned()));
        }
        assert_eq!(of(&defaults(), &custom), expected);
    }
}
