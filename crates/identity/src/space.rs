//! The model of a space: Kibana's server source, 8.19.

use crate::features::{Feature, Solution};
use ikebana_query::FieldKind;
use ikebana_store::{Class, IndexedField, ObjectType, SavedObject, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The type under which spaces are stored.
pub const SPACE_TYPE: &str = "space";

pub(crate) fn object_type() -> ObjectType {
    ObjectType {
        hidden: true,
        importable: false,
        indexed: &[
            IndexedField { path: "name", kind: FieldKind::Keyword },
            IndexedField { path: "disabledFeatures", kind: FieldKind::Keyword },
        ],
        ..ObjectType::new(SPACE_TYPE, Class::Agnostic)
    }
}

/// A space. Absent texts are left out of every answer, never null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// The id, `^[a-z0-9_-]+$`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name to show.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// One or two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initials: Option<String>,
    /// A `data:image` URL, or empty.
    #[serde(rename = "imageUrl", skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Ids of features that are switched off; not checked against the registry.
    #[serde(rename = "disabledFeatures", default)]
    pub disabled_features: Vec<String>,
    /// `es`, `oblt`, `security` or `classic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// Only the default space.
    #[serde(rename = "_reserved", default, skip_serializing_if = "std::ops::Not::not")]
    pub reserved: bool,
}

impl Space {
    /// The space that the first start makes.
    pub fn default_space() -> Self {
        Self {
            id: ikebana_store::DEFAULT_SPACE.to_owned(),
            name: "Default".to_owned(),
            description: Some("This is your default space!".to_owned()),
            color: Some("#00bfb3".to_owned()),
            initials: None,
            image_url: None,
            disabled_features: Vec::new(),
            solution: None,
            reserved: true,
        }
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn read(object: &SavedObject) -> Result<Self, StoreError> {
        let mut space = Self::deserialize(&object.attributes)
            .map_err(|error| StoreError::Damaged(format!("space [{}]: {error}", object.key.id).into()))?;
        space.id = object.key.id.to_string();
        Ok(space)
    }

    /// The stored form: everything but the id.
    pub fn attributes(&self) -> Map<String, Value> {
        let mut attributes = match json!(self) {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        attributes.remove("id");
        attributes
    }

    /// As it is shown: a solution decides alone what is switched off, and ids that are no longer used
    /// stand for their successors.
    #[must_use]
    pub fn shown(mut self) -> Self {
        self.disabled_features = match self.solution.as_deref().and_then(Solution::parse) {
            Some(solution) => solution.hidden_features().map(str::to_owned).collect(),
            None => self.disabled_features.iter().flat_map(|id| successors(id)).collect(),
        };
        self
    }
}

fn successors(id: &str) -> Vec<String> {
    match Feature::find(id) {
        Some(feature) if !feature.successors.is_empty() => {
            feature.successors.iter().map(|id| (*id).to_owned()).collect()
        }
        _ => vec![id.to_owned()],
    }
}
