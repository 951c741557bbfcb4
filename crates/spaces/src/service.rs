//! The rules of spaces; knows no HTTP.

use crate::model::SpacesSettings;
use ikebana_identity::{Principal, SPACE_TYPE, Space};
use ikebana_store::{
    Class, Commit, DEFAULT_SPACE, FindRequest, Key, Operation, Precondition, Sort, Spaces as In, Store,
    StoreError,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A refusal. The texts are Kibana's.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// The caller may not.
    #[error("Unauthorized to {0}")]
    Unauthorized(String),
    /// The caller sees no space at all.
    #[error("Forbidden")]
    NothingVisible,
    /// No such space.
    #[error("Not Found")]
    NotFound,
    /// The id is taken.
    #[error("A space with the identifier {0} already exists.")]
    Taken(String),
    /// Against a rule.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A checked write body.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WriteSpace {
    pub(crate) id: String,
    name: String,
    description: Option<String>,
    initials: Option<String>,
    color: Option<String>,
    #[serde(rename = "disabledFeatures")]
    disabled_features: Vec<String>,
    #[serde(rename = "imageUrl")]
    image_url: Option<String>,
    solution: Option<String>,
}

/// What a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To see it.
    Any,
    /// To copy objects into it.
    Copy,
    /// To share objects into it.
    Share,
}

/// The spaces.
#[derive(Clone, Debug)]
pub struct Spaces {
    store: Store,
    settings: SpacesSettings,
}

fn too_many() -> SpaceError {
    SpaceError::Refused(
        "Unable to create Space, this exceeds the maximum number of spaces set by the xpack.spaces.maxSpaces \
         setting"
            .to_owned(),
    )
}

fn require_global(principal: &Principal, action: &str) -> Result<(), SpaceError> {
    // The global base privilege `all`; its name in the registry of privileges.
    if principal.may("*", "manage_spaces") {
        return Ok(());
    }
    Err(SpaceError::Unauthorized(format!("{action} spaces")))
}

impl Spaces {
    /// Spaces are kept in `store`.
    pub fn new(store: Store, settings: SpacesSettings) -> Self {
        Self { store, settings }
    }

    /// Makes the default space if there is none. Later edits of it stay.
    ///
    /// # Errors
    /// The store's.
    pub async fn ensure_default(&self) -> Result<(), SpaceError> {
        let mut space = Space::default_space();
        space.solution.clone_from(&self.settings.default_solution);
        match self.insert(&space, None).await {
            Ok(()) | Err(SpaceError::Taken(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn insert(&self, space: &Space, limit: Option<u64>) -> Result<(), SpaceError> {
        let mut draft = self.store.draft(SPACE_TYPE, DEFAULT_SPACE, &space.id)?;
        draft.attributes = space.attributes();
        let mut commit = Commit::new();
        if let Some(limit) = limit {
            commit = commit.when(Precondition::CountBelow { object_type: SPACE_TYPE.into(), limit });
        }
        match self.store.commit(commit.create(draft)).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict(_)) => Err(SpaceError::Taken(space.id.clone())),
            Err(StoreError::TooMany { .. }) => Err(too_many()),
            Err(error) => Err(error.into()),
        }
    }

    fn check_settings(&self, space: &WriteSpace, action: &str) -> Result<(), SpaceError> {
        if !self.settings.allow_feature_visibility && !space.disabled_features.is_empty() {
            return Err(SpaceError::Refused(format!(
                "Unable to {action} Space, the disabledFeatures array must be empty when \
                 xpack.spaces.allowFeatureVisibility setting is disabled"
            )));
        }
        if !self.settings.allow_solution_visibility && space.solution.is_some() {
            return Err(SpaceError::Refused(format!(
                "Unable to {action} Space, the solution property can not be set when \
                 xpack.spaces.allowSolutionVisibility setting is disabled"
            )));
        }
        Ok(())
    }

    pub(crate) async fn create(&self, principal: &Principal, new: WriteSpace) -> Result<Space, SpaceError> {
        require_global(principal, "create")?;
        if let Err(refusal) = self.check_settings(&new, "create") {
            // The limit is told before the settings; otherwise the commit judges it.
            let full = self.count().await? >= self.settings.max_spaces;
            return Err(if full { too_many() } else { refusal });
        }
        let space = space_of(&new);
        self.insert(&space, Some(self.settings.max_spaces)).await?;
        Ok(space.shown())
    }

    async fn count(&self) -> Result<u64, SpaceError> {
        Ok(self.store.find(FindRequest { size: 0, ..FindRequest::of(SPACE_TYPE) }).await?.total)
    }

    fn key(&self, id: &str) -> Result<Key, SpaceError> {
        Ok(self.store.object_type(SPACE_TYPE)?.key(DEFAULT_SPACE, id))
    }

    pub(crate) async fn get(&self, principal: &Principal, id: &str) -> Result<Space, SpaceError> {
        if !principal.sees_space(id) {
            return Err(SpaceError::Unauthorized(format!("get {id} space")));
        }
        Ok(self.read(id).await?.shown())
    }

    async fn read(&self, id: &str) -> Result<Space, SpaceError> {
        match self.store.get(&self.key(id)?).await {
            Ok(object) => Ok(Space::read(&object)?),
            Err(StoreError::NotFound(_)) => Err(SpaceError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// Spaces that the caller sees and may use for `purpose`, by name.
    pub(crate) async fn list(
        &self,
        principal: &Principal,
        purpose: Purpose,
    ) -> Result<Vec<Space>, SpaceError> {
        let size = usize::try_from(self.settings.max_spaces).unwrap_or(usize::MAX);
        let sort = vec![Sort { field: "attributes.name".to_owned(), descending: false }];
        let page = self.store.find(FindRequest { size, sort, ..FindRequest::of(SPACE_TYPE) }).await?;
        let mut visible = Vec::new();
        for object in &page.objects {
            let space = Space::read(object)?;
            if principal.sees_space(&space.id) && may(principal, &space.id, purpose) {
                visible.push(space.shown());
            }
        }
        if visible.is_empty() && !page.objects.is_empty() {
            return Err(SpaceError::NothingVisible);
        }
        Ok(visible)
    }

    pub(crate) async fn update(
        &self,
        principal: &Principal,
        id: &str,
        change: WriteSpace,
    ) -> Result<Space, SpaceError> {
        require_global(principal, "update")?;
        self.check_settings(&change, "update")?;
        let updated = self
            .store
            .update(&self.key(id)?, |object| {
                let space = merged(Space::read(object)?, &change);
                let mut draft = object.draft();
                draft.attributes = space.attributes();
                Ok::<_, StoreError>(Commit::new().replace(draft, object.version))
            })
            .await;
        match updated {
            Ok(committed) => match committed.objects.first() {
                Some(object) => Ok(Space::read(object)?.shown()),
                None => Err(SpaceError::NotFound),
            },
            Err(StoreError::NotFound(_)) => Err(SpaceError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the space with all that is inside, in one step.
    pub(crate) async fn delete(&self, principal: &Principal, id: &str) -> Result<(), SpaceError> {
        require_global(principal, "delete")?;
        let deleted = self
            .store
            .update(&self.key(id)?, |object| {
                if Space::read(object)?.reserved {
                    let text = format!("The {id} space cannot be deleted because it is reserved.");
                    return Err(SpaceError::Refused(text));
                }
                // Of several who delete it at once, one does.
                Ok(Commit::new()
                    .when(Precondition::Version(object.key.clone(), object.version))
                    .then(Operation::EmptySpace(id.into()))
                    .then(Operation::Delete(object.key.clone())))
            })
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(SpaceError::Store(StoreError::NotFound(_))) => Err(SpaceError::NotFound),
            Err(error) => Err(error),
        }
    }

    /// How many objects of each importable type are in the space, by the name to show.
    pub(crate) async fn content_summary(&self, id: &str) -> Result<Value, SpaceError> {
        self.read(id).await?;
        let mut entries = Vec::new();
        for of_type in self.store.registry().all() {
            if !of_type.importable || of_type.class == Class::Agnostic {
                continue;
            }
            let request = FindRequest {
                spaces: In::Some(vec![Arc::from(id)]),
                size: 0,
                ..FindRequest::of(of_type.name)
            };
            let count = self.store.find(request).await?.total;
            if count > 0 {
                entries.push((display_name(of_type.name), of_type.name, count));
            }
        }
        entries.sort_by_key(|(name, ..)| name.to_lowercase());
        let total: u64 = entries.iter().map(|(.., count)| count).sum();
        let summary: Vec<Value> = entries
            .into_iter()
            .map(|(name, object_type, count)| json!({"count": count, "type": object_type, "displayName": name}))
            .collect();
        Ok(json!({"summary": summary, "total": total}))
    }
}

/// A type without a name of its own is shown with a capital letter.
fn display_name(object_type: &str) -> String {
    let mut letters = object_type.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(crate) fn may(principal: &Principal, space: &str, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Any => principal.sees_space(space),
        Purpose::Copy => principal.may(space, "copySavedObjectsToSpaces"),
        Purpose::Share => principal.may(space, "shareSavedObjectsToSpaces"),
    }
}

fn space_of(new: &WriteSpace) -> Space {
    let new = new.clone();
    Space {
        id: new.id,
        name: new.name,
        description: new.description,
        color: new.color,
        initials: new.initials,
        image_url: new.image_url,
        disabled_features: new.disabled_features,
        solution: new.solution,
        reserved: false,
    }
}

/// An update keeps the texts that it does not name; `disabledFeatures` has a default and so never is
/// unnamed.
fn merged(old: Space, change: &WriteSpace) -> Space {
    let change = change.clone();
    Space {
        name: change.name,
        description: change.description.or(old.description),
        color: change.color.or(old.color),
        initials: change.initials.or(old.initials),
        image_url: change.image_url.or(old.image_url),
        disabled_features: change.disabled_features,
        solution: change.solution.or(old.solution),
        ..old
    }
}
