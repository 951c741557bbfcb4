//! What a logger is called.

use std::borrow::Cow;

/// The logger of a `tracing` target.
pub(super) fn of_target(target: &str) -> Cow<'_, str> {
    let krate = crate_of(target);
    if let Some(ours) = krate.strip_prefix("ikebana_") {
        return Cow::Owned(format!("ikebana.{ours}"));
    }
    match krate {
        "ikebana" => Cow::Borrowed(krate),
        _ if target.contains("::") => Cow::Owned(target.replace("::", ".")),
        _ => Cow::Borrowed(target),
    }
}

/// Whether the target is a module of a library.
pub(super) fn is_foreign(target: &str) -> bool {
    let krate = crate_of(target);
    target.contains("::") && krate != "ikebana" && !krate.starts_with("ikebana_")
}

fn crate_of(target: &str) -> &str {
    target.split_once("::").map_or(target, |(krate, _)| krate)
}

/// Whether `logger` is `parent` or lies below it.
pub(super) fn is_below(logger: &str, parent: &str) -> bool {
    logger.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_paths_become_loggers() {
        for (target, logger) in [
            ("ikebana_http::walk", "ikebana.http"),
            ("ikebana_security_api", "ikebana.security_api"),
            ("ikebana::serve", "ikebana"),
            ("hyper::proto::h1", "hyper.proto.h1"),
            ("rustls", "rustls"),
            ("http.server.response", "http.server.response"),
        ] {
            assert_eq!(of_target(target), logger);
            assert_eq!(is_foreign(target), target.starts_with("hyper"), "{target}");
        }
    }

    #[test]
    fn loggers_inherit_by_dots() {
        assert!(is_below("http", "http") && is_below("http.server", "http"));
        assert!(!is_below("https", "http") && !is_below("http", "http.server"));
    }
}
