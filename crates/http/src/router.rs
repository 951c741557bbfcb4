//! From method and path to a route. Precedence of literal segments: Kibana's HTTP framework, hapi.

use crate::settings::HttpSettings;
use crate::spec::{Method, Route};
use ikebana_store::DEFAULT_SPACE;
use matchit::Router as Tree;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The table is inconsistent: a bug of the program, found at start.
#[derive(Debug, thiserror::Error)]
#[error("the route [{route}] cannot be registered: {reason}")]
pub struct RouteError {
    /// Method and template.
    pub route: String,
    /// Why.
    pub reason: String,
}

/// All routes.
pub struct Router {
    trees: [Tree<usize>; 5],
    routes: Vec<Arc<Route>>,
}

/// What a path leads to.
pub(crate) enum Found {
    /// A route, its number and its decoded parameters.
    Route(Arc<Route>, usize, Value),
    /// A parameter that is no percent-encoded UTF-8.
    BadParameter,
    /// Nothing.
    Nothing,
}

impl Router {
    /// Registers all routes.
    ///
    /// # Errors
    /// [`RouteError`] when two of them answer the same path.
    pub fn new(routes: Vec<Route>) -> Result<Self, RouteError> {
        let mut trees: [Tree<usize>; 5] = Default::default();
        for (number, route) in routes.iter().enumerate() {
            trees[route.spec.method as usize]
                .insert(route.spec.path, number)
                .map_err(|error| RouteError { route: format!("{route:?}"), reason: error.to_string() })?;
        }
        Ok(Self { trees, routes: routes.into_iter().map(Arc::new).collect() })
    }

    /// All routes, in the order of registration.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    pub(crate) fn find(&self, method: Method, path: &str) -> Found {
        let Ok(matched) = self.trees[method as usize].at(path) else { return Found::Nothing };
        let mut params = Map::new();
        for (name, raw) in matched.params.iter() {
            if raw.is_empty() {
                return Found::Nothing;
            }
            match decode(raw) {
                Some(value) => params.insert(name.to_owned(), Value::String(value)),
                None => return Found::BadParameter,
            };
        }
        Found::Route(self.routes[*matched.value].clone(), *matched.value, Value::Object(params))
    }
}

/// Percent-decoding of a path segment. A `%` without two digits behind it is a fault, as in hapi.
pub(crate) fn decode(raw: &str) -> Option<String> {
    let bytes = raw.as_bytes();
    let whole = bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'%' || bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    if !whole {
        return None;
    }
    percent_decode_str(raw).decode_utf8().ok().map(Cow::into_owned)
}

/// Where a request leads once base path and space are taken off.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The path that routes are looked up by.
    pub(crate) path: Cow<'a, str>,
    /// The space.
    pub(crate) space: Arc<str>,
    /// What was taken off, as links in answers repeat it: `/base/s/space`.
    pub(crate) prefix: String,
}

/// Takes off the base path (only with `rewriteBasePath`) and `/s/{space}`. `None`: the base path is
/// missing where it must be.
pub(crate) fn target<'a>(settings: &HttpSettings, path: &'a str) -> Option<Target<'a>> {
    let mut path = Cow::Borrowed(path);
    if path.contains('%') || path.contains("/.") {
        path = Cow::Owned(normalize(&path));
    }
    if settings.rewrite_base_path && !settings.base_path.is_empty() {
        let rest = path.strip_prefix(settings.base_path.as_str())?;
        if !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        path = Cow::Owned(if rest.is_empty() { "/".to_owned() } else { rest.to_owned() });
    }
    let mut target = Target { path, space: DEFAULT_SPACE.into(), prefix: settings.base_path.clone() };
    if let Some(rest) = target.path.strip_prefix("/s/") {
        let end = rest
            .find(|letter: char| {
                !(letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter))
            })
            .unwrap_or(rest.len());
        if end > 0 && (end == rest.len() || rest[end..].starts_with('/')) {
            let (space, rest) = rest.split_at(end);
            target.space = space.into();
            if space != DEFAULT_SPACE {
                target.prefix.push_str("/s/");
                target.prefix.push_str(space);
            }
            target.path = Cow::Owned(if rest.is_empty() { "/".to_owned() } else { rest.to_owned() });
        }
    }
    Some(target)
}

/// Decodes letters, digits and `-._~`, which mean the same encoded, and resolves `.` and `..`.
fn normalize(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|two| u8::from_str_radix(two, 16).ok());
        match code.map(char::from) {
            Some(letter) if letter.is_ascii_alphanumeric() || "-._~".contains(letter) => {
                text.push(letter);
                rest = &rest[at + 3..];
            }
            _ => {
                text.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    text.push_str(rest);
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(settings: &HttpSettings, path: &str) -> Option<(String, String, String)> {
        let target = target(settings, path)?;
        Some((target.path.into_owned(), target.space.to_string(), target.prefix))
    }

    fn parts(path: &str, space: &str, prefix: &str) -> Option<(String, String, String)> {
        Some((path.to_owned(), space.to_owned(), prefix.to_owned()))
    }

    #[test]
    fn the_space_is_taken_off() {
        let settings = HttpSettings::default();
        assert_eq!(at(&settings, "/api/status"), parts("/api/status", "default", ""));
        assert_eq!(at(&settings, "/s/marketing/api/x"), parts("/api/x", "marketing", "/s/marketing"));
        assert_eq!(at(&settings, "/s/default/api/x"), parts("/api/x", "default", ""));
        assert_eq!(at(&settings, "/s/x"), parts("/", "x", "/s/x"));
        assert_eq!(at(&settings, "/s/UP/api/x"), parts("/s/UP/api/x", "default", ""));
        assert_eq!(at(&settings, "/s//api"), parts("/s//api", "default", ""));
        assert_eq!(at(&settings, "/%61pi/./a/../status"), parts("/api/status", "default", ""));
    }

    #[test]
    fn the_base_path_is_taken_off_where_it_must_be_there() {
        let settings =
            HttpSettings { base_path: "/kbn".to_owned(), rewrite_base_path: true, ..HttpSettings::default() };
        assert_eq!(at(&settings, "/kbn/s/a/api"), parts("/api", "a", "/kbn/s/a"));
        assert_eq!(at(&settings, "/kbn"), parts("/", "default", "/kbn"));
        assert_eq!(at(&settings, "/kbnx/api"), None);
        assert_eq!(at(&settings, "/api"), None);
        let behind_proxy = HttpSettings { base_path: "/kbn".to_owned(), ..HttpSettings::default() };
        assert_eq!(at(&behind_proxy, "/api"), parts("/api", "default", "/kbn"));
    }

    #[test]
    fn parameters_are_decoded_whole_or_not_at_all() {
        assert_eq!(decode("a%2Fb%20c").as_deref(), Some("a/b c"));
        for broken in ["%", "%zz", "%ff", "a%2"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn no_path_breaks_it(path in "/[a-z0-9_%./-]{0,40}") {
            if let Some(target) = target(&HttpSettings::default(), &path) {
                prop_assert!(target.path.starts_with('/'));
            }
        }
    }
}
