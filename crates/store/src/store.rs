//! The store as the program sees it: an engine, the types, and the keys.

use crate::commit::{Commit, Committed, Operation};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::find::{FindRequest, Page};
use crate::object::{Draft, Key, SavedObject};
use crate::sealing;
use crate::types::{ObjectType, Registry};
use ikebana_clock::{Clock, Random, uuid_v4};
use ikebana_secrets::Keyring;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Tries of one change whose object others change at the same time.
const TRIES: u32 = 16;
/// Changes of objects whose names fall on different lines do not wait for each other.
const LINES: usize = 64;

struct Inner {
    engine: Arc<dyn Engine>,
    registry: Registry,
    keyring: Keyring,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    lines: [Mutex<()>; LINES],
    hasher: RandomState,
}

/// Cheap to clone. Sees everything: who may see what is asked above.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Puts an engine, the types and the keys together.
    pub fn new(
        engine: Arc<dyn Engine>,
        registry: Registry,
        keyring: Keyring,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let lines = std::array::from_fn(|_| Mutex::new(()));
        Self(Arc::new(Inner { engine, registry, keyring, clock, random, lines, hasher: RandomState::new() }))
    }

    /// The engine: for point in time, change feed, backup and numbers.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.0.engine
    }

    /// The clock that times are taken from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// All types.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// A fresh id.
    pub fn new_id(&self) -> String {
        uuid_v4(&*self.0.random)
    }

    /// The type of that name.
    ///
    /// # Errors
    /// [`StoreError::UnknownType`].
    pub fn object_type(&self, name: &str) -> Result<&Arc<ObjectType>, StoreError> {
        self.0.registry.get(name).ok_or_else(|| StoreError::UnknownType(name.to_owned()))
    }

    /// The object, without its encrypted attributes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and what the engine fails with.
    pub async fn get(&self, key: &Key) -> Result<Arc<SavedObject>, StoreError> {
        let of_type = self.object_type(key.object_type)?;
        Ok(sealing::strip(of_type, self.sealed(key).await?))
    }

    /// The object with its encrypted attributes in the clear: only for code that needs the secret.
    ///
    /// # Errors
    /// [`StoreError::Encryption`] if one cannot be read, and as [`Store::get`].
    pub async fn get_decrypted(&self, key: &Key) -> Result<SavedObject, StoreError> {
        let of_type = self.object_type(key.object_type)?;
        sealing::open(&self.0.keyring, of_type, &*self.sealed(key).await?)
    }

    async fn sealed(&self, key: &Key) -> Result<Arc<SavedObject>, StoreError> {
        let found = self.0.engine.get(std::slice::from_ref(key)).await?;
        found.into_iter().next().flatten().ok_or_else(|| StoreError::NotFound(key.clone()))
    }

    /// One page, without encrypted attributes.
    ///
    /// # Errors
    /// [`StoreError::BadQuery`], and what the engine fails with.
    pub async fn find(&self, request: FindRequest) -> Result<Page, StoreError> {
        let mut page = self.0.engine.find(request).await?;
        for object in &mut page.objects {
            let of_type = self.object_type(object.key.object_type)?;
            *object = sealing::strip(of_type, object.clone());
        }
        Ok(page)
    }

    /// Judges and does all of `commit` together.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::NotFound`], [`StoreError::NotUnique`] and
    /// [`StoreError::TooMany`] as its preconditions say; [`StoreError::Busy`], [`StoreError::Full`] and
    /// [`StoreError::Unavailable`] from the engine. Nothing was done then.
    pub async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        for operation in &mut commit.operations {
            if let Operation::Put(draft) = operation {
                let of_type = self.object_type(draft.key.object_type)?.clone();
                sealing::seal(&self.0.keyring, &of_type, draft)?;
            }
        }
        let mut committed = self.0.engine.commit(commit).await?;
        for object in &mut committed.objects {
            let of_type = self.object_type(object.key.object_type)?;
            *object = sealing::strip(of_type, object.clone());
        }
        Ok(committed)
    }

    /// Reads the object, lets `change` make the commit that changes it, and tries again if somebody else
    /// was faster. `change` gets the encrypted attributes in the clear and must put a precondition on the
    /// version that it was shown ([`Commit::replace`] does).
    ///
    /// # Errors
    /// Those of `change`, of [`Store::get_decrypted`] and of [`Store::commit`].
    pub async fn update<E: From<StoreError>>(
        &self,
        key: &Key,
        change: impl Fn(&SavedObject) -> Result<Commit, E>,
    ) -> Result<Committed, E> {
        let line = usize::try_from(self.0.hasher.hash_one(key) % LINES as u64).unwrap_or(0);
        // In line, so that changes of one object by this process do not throw each other back.
        let _turn = self.0.lines[line].lock().await;
        for tried in 1..TRIES {
            let object = self.get_decrypted(key).await?;
            match self.commit(change(&object)?).await {
                Err(StoreError::Conflict(other)) if other == *key => self.step_back(tried).await,
                result => return Ok(result?),
            }
        }
        let object = self.get_decrypted(key).await?;
        Ok(self.commit(change(&object)?).await?)
    }

    /// Waits a random time, longer after more tries: of those that meet at once, the same one would be
    /// first again and again.
    async fn step_back(&self, tried: u32) {
        let mut drawn = [0; 2];
        self.0.random.fill(&mut drawn);
        let longest = 1000 << tried.min(5);
        let micros = u64::from(u16::from_le_bytes(drawn)) % longest;
        tokio::time::sleep(std::time::Duration::from_micros(micros)).await;
    }

    /// A new object with a fresh id, seen from `space`.
    ///
    /// # Errors
    /// [`StoreError::UnknownType`].
    pub fn draft(&self, object_type: &str, space: &str, id: &str) -> Result<Draft, StoreError> {
        let of_type = self.object_type(object_type)?;
        Ok(Draft::new(of_type.key(space, id), of_type.namespaces(space), serde_json::Map::new()))
    }
}
