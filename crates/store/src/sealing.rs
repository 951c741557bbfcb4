//! Encrypted attributes: sealed on the way to the engine, stripped or opened on the way back.
//!
//! A value is bound to the object's type and id, to its space (class `single` outside the default space
//! only), and to the attributes that the type declares as bound.

use crate::error::StoreError;
use crate::object::{Draft, Key, SavedObject};
use crate::types::{ObjectType, bound_space};
use ikebana_secrets::Keyring;
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn failure(action: &'static str, attribute: &str, key: &Key) -> StoreError {
    StoreError::Encryption {
        action,
        attribute: attribute.to_owned(),
        object_type: key.object_type.into(),
        id: key.id.clone(),
    }
}

/// What every encrypted value of this object is bound to.
fn bound_to(of_type: &ObjectType, key: &Key, attributes: &Map<String, Value>) -> Vec<u8> {
    // Sorted, so that the order in which a client sent the attributes does not matter.
    let mut names: Vec<&&str> = of_type.bound.iter().filter(|name| attributes.contains_key(**name)).collect();
    names.sort();
    let bound: Map<String, Value> =
        names.into_iter().map(|name| ((*name).to_owned(), sorted(&attributes[*name]))).collect();
    json!([bound_space(key), key.object_type, &*key.id, bound]).to_string().into_bytes()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            Value::Object(entries.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Encrypts what the type declares; null and absent attributes stay as they are.
pub(crate) fn seal(keyring: &Keyring, of_type: &ObjectType, draft: &mut Draft) -> Result<(), StoreError> {
    if of_type.encrypted.is_empty() {
        return Ok(());
    }
    let bound = bound_to(of_type, &draft.key, &draft.attributes);
    for name in of_type.encrypted {
        if let Some(value) = draft.attributes.get_mut(*name).filter(|value| !value.is_null()) {
            let plain = value.to_string();
            let sealed = keyring
                .encrypt(plain.as_bytes(), &bound)
                .map_err(|_| failure("encrypt", name, &draft.key))?;
            *value = Value::String(sealed);
        }
    }
    Ok(())
}

/// Decrypts all encrypted attributes.
pub(crate) fn open(
    keyring: &Keyring,
    of_type: &ObjectType,
    object: &SavedObject,
) -> Result<SavedObject, StoreError> {
    let bound = bound_to(of_type, &object.key, &object.attributes);
    let mut opened = object.clone();
    for name in of_type.encrypted {
        if let Some(value) = opened.attributes.get_mut(*name).filter(|value| !value.is_null()) {
            let fault = || failure("decrypt", name, &object.key);
            let plain = keyring.decrypt(value.as_str().ok_or_else(fault)?, &bound).map_err(|error| {
                tracing::error!(object = %object.key, attribute = name, %error, "decryption failed");
                fault()
            })?;
            *value = serde_json::from_slice(&plain).map_err(|_| fault())?;
        }
    }
    Ok(opened)
}

/// Removes all encrypted attributes: what every reader but the owner's own code sees.
pub(crate) fn strip(of_type: &ObjectType, object: Arc<SavedObject>) -> Arc<SavedObject> {
    if !of_type.encrypted.iter().any(|name| object.attributes.contains_key(*name)) {
        return object;
    }
    let mut stripped = SavedObject::clone(&object);
    stripped.attributes.retain(|name, _| !of_type.encrypted.contains(&name.as_str()));
    Arc::new(stripped)
}
