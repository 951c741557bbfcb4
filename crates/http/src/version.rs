//! API versions: Kibana's server source, 8.19 (its versioned router).

use crate::error::ApiError;
use crate::spec::{Access, INTERNAL_VERSION, PUBLIC_VERSION, RouteSpec};
use http::HeaderMap;

/// The header that names the version.
pub(crate) const HEADER: &str = "elastic-api-version";
/// The query parameter that names it elsewhere; routes here do not take it.
const PARAMETER: &str = "apiVersion";

/// The one version of a route.
pub(crate) fn known(access: Access) -> &'static str {
    match access {
        Access::Public => PUBLIC_VERSION,
        Access::Internal => INTERNAL_VERSION,
    }
}

/// Judges the version of a request to a versioned route.
pub(crate) fn check(
    spec: &RouteSpec,
    headers: &HeaderMap,
    query: &serde_json::Value,
) -> Result<(), ApiError> {
    let known = known(spec.access);
    if query.get(PARAMETER).is_some() {
        return Err(ApiError::bad_request(
            "Use of query parameter \"apiVersion\" is not allowed. Please specify the API version using the \
             \"elastic-api-version\" header.",
        ));
    }
    let sent = headers.get(HEADER).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(sent) = sent.filter(|sent| !sent.is_empty()) else { return Ok(()) };
    match spec.access {
        Access::Public if !is_date(&sent) => Err(ApiError::bad_request(format!(
            "Invalid version. Received \"{sent}\", expected a valid date string formatted as YYYY-MM-DD."
        ))),
        Access::Internal if !is_whole_number(&sent) => Err(ApiError::bad_request(format!(
            "Invalid version number. Received \"{sent}\", expected a string containing _only_ a finite, whole \
             number greater than 0."
        ))),
        _ if sent != known => Err(ApiError::bad_request(format!(
            "No version \"{sent}\" available for [{}] [{}]. Available versions are: [{known}]",
            spec.method.lower(),
            spec.path
        ))),
        _ => Ok(()),
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let number = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(&text[..4]), number(&text[5..7]), number(&text[8..]))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_whole_number(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_judged_by_the_calendar() {
        for good in ["2023-10-31", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert!(is_date(good), "{good}");
        }
        for bad in
            ["2023-13-45", "2023-02-29", "1900-02-29", "2023-10-3", "2023/10/31", "1", "", "２023-10-1"]
        {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
