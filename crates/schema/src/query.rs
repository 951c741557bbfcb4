//! Query strings as JSON objects.

use serde_json::{Map, Value, map::Entry};

/// The raw object of a query string, from its decoded pairs in their order: a key given once is a string, a
/// repeated one an array of strings at the place of its first occurrence. The check converts from there.
pub fn query_object<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Value
where
    K: Into<String>,
    V: Into<String>,
{
    let mut object = Map::new();
    for (key, value) in pairs {
        let value = Value::String(value.into());
        match object.entry(key.into()) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(mut place) => match place.get_mut() {
                Value::Array(values) => values.push(value),
                single => *single = Value::Array(vec![single.take(), value]),
            },
        }
    }
    Value::Object(object)
}
