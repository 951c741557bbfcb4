//! Which known key an unknown one is nearest to.

use super::error::Hint;
use super::{sections, unused};

/// The nearest known key, if one is near enough to have been meant.
pub(super) fn nearest(key: &str) -> Option<Hint> {
    let far = key.len() / 3 + 1;
    let known = sections::known_keys().into_iter().chain(unused::keys().map(str::to_owned));
    let (distance, nearest) = known.map(|known| (distance(key, &known), known)).min()?;
    (distance <= far).then(|| Hint { key: key.to_owned(), nearest })
}

/// Letters to insert, remove or change, whatever their case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (line, right) in b.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, left) in a.iter().enumerate() {
            let changed = diagonal + usize::from(*left != right);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("kitten", "sitting", 3), ("", "abc", 3), ("Port", "port", 0), ("sever.port", "server.port", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn only_near_keys_are_hinted_at() {
        let nearest = |key| nearest(key).map(|hint| hint.nearest);
        assert_eq!(nearest("sever.port").as_deref(), Some("server.port"));
        assert_eq!(nearest("xpack.spaces.maxspace").as_deref(), Some("xpack.spaces.maxSpaces"));
        assert_eq!(nearest("telemetri.enabled"), None);
        assert_eq!(nearest("quite.something.else.altogether"), None);
    }
}
