//! From an `Authorization` header to a caller, and the users behind it.

use crate::basic::{credentials, rejected};
use crate::password;
use crate::principal::Principal;
use crate::throttle::Throttle;
use crate::users::{NewUser, SUPERUSER, StoredUser, USER_TYPE, User, UserError, check_password};
use aws_lc_rs::hmac;
use base64::Engine as _;
use ikebana_clock::Random;
use ikebana_secrets::Secret;
use ikebana_store::{Commit, FindRequest, Key, Operation, SavedObject, Sort, Store, StoreError, Version};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How often a user that others make and delete meanwhile is tried again.
const PUT_TRIES: usize = 8;

/// Verified credentials remembered at once.
const REMEMBERED: usize = 10_000;

/// How much work credentials may make.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Passwords hashed at once: each takes 7 MiB and a core.
    pub hashing: usize,
    /// Requests that may wait for a hash. The next one is refused.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hashing: 2, waiting: 256 }
    }
}

/// What a start found or made of the superuser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Superuser {
    /// An earlier start made it; its password is what it was.
    Kept,
    /// Made with the password that was given.
    Given,
    /// Made with this password, which nobody else knows.
    Drawn(Secret),
}

/// Why a caller was not recognised.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// A scheme that nobody here answers for; counts as no credentials.
    #[error("unsupported authentication scheme")]
    UnsupportedScheme,
    /// Wrong credentials; the text is Elasticsearch's.
    #[error("{0}")]
    Rejected(String),
    /// Too many wrong ones in a row from this address for this user.
    #[error("too many failed attempts")]
    Throttled(Duration),
    /// More passwords wait to be hashed than is taken on.
    #[error("too many authentications are waiting")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Verified {
    key: Key,
    version: Version,
    principal: Arc<Principal>,
}

/// Knows the users. Cheap to share behind an `Arc`.
pub struct Identity {
    store: Store,
    random: Arc<dyn Random>,
    /// Under a key of this process, so that a copy of the memory holds no passwords.
    remember_key: hmac::Key,
    remembered: Mutex<HashMap<[u8; 32], Arc<Verified>>>,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    throttle: Throttle,
    /// A hash to verify against when there is no such user, so that the time taken does not tell.
    decoy: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Users are kept in `store`.
    pub fn new(store: Store, random: Arc<dyn Random>, limits: Limits) -> Self {
        let mut key = [0u8; 32];
        random.fill(&mut key);
        let mut decoy = [0u8; 48];
        random.fill(&mut decoy);
        let encode = base64::engine::general_purpose::STANDARD_NO_PAD;
        Self {
            throttle: Throttle::new(store.clock().clone()),
            store,
            random,
            remember_key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            remembered: Mutex::default(),
            hashing: Arc::new(Semaphore::new(limits.hashing)),
            waiting: Semaphore::new(limits.hashing + limits.waiting),
            decoy: format!(
                "$argon2id$v=19$m=7168,t=5,p=1${}${}",
                encode.encode(&decoy[..16]),
                encode.encode(&decoy[16..])
            ),
        }
    }

    /// The caller behind the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`AuthenticationError`].
    pub async fn authenticate(
        &self,
        authorization: &str,
        peer: IpAddr,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let mark = self.mark(authorization);
        if let Some(principal) = self.recall(&mark).await? {
            return Ok(principal);
        }
        let (username, password) = credentials(authorization)?;
        if let Some(wait) = self.throttle.wait(&username, peer) {
            return Err(AuthenticationError::Throttled(wait));
        }
        let key = self.key(&username)?;
        let object = self.object(&key).await?;
        let stored = object.as_deref().map(StoredUser::read).transpose()?;
        let hash = stored.as_ref().map_or_else(|| self.decoy.clone(), |user| user.password_hash.clone());
        let turn = self.turn().await.map_err(|_| AuthenticationError::Busy)?;
        // Many requests with the same credentials come at once when a client starts: while this one
        // waited, another may have done the work.
        if let Some(principal) = self.recall(&mark).await? {
            return Ok(principal);
        }
        // The others that waited may have been guesses too.
        if let Some(wait) = self.throttle.wait(&username, peer) {
            return Err(AuthenticationError::Throttled(wait));
        }
        let right = self
            .verify(turn, password, hash)
            .await
            .map_err(|error| StoreError::Damaged(error.to_string().into()))?;
        match (right, object, stored) {
            (true, Some(object), Some(user)) if user.enabled => {
                self.throttle.succeeded(&username, peer);
                let principal = Arc::new(user.principal(&username));
                self.remember(mark, Verified { key, version: object.version, principal: principal.clone() });
                Ok(principal)
            }
            _ => {
                self.throttle.failed(&username, peer);
                Err(rejected(&format!(
                    "unable to authenticate user [{username}] for REST request [/_security/_authenticate]"
                )))
            }
        }
    }

    fn mark(&self, authorization: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.remember_key, authorization.as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(tag.as_ref());
        mark
    }

    /// Somebody who showed these credentials before, if the user did not change since.
    async fn recall(&self, mark: &[u8; 32]) -> Result<Option<Arc<Principal>>, StoreError> {
        let known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(mark).cloned();
        let Some(known) = known else { return Ok(None) };
        match self.object(&known.key).await? {
            Some(object) if object.version == known.version => Ok(Some(known.principal.clone())),
            _ => {
                self.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(mark);
                Ok(None)
            }
        }
    }

    fn remember(&self, mark: [u8; 32], verified: Verified) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(mark, Arc::new(verified));
    }

    fn key(&self, username: &str) -> Result<Key, StoreError> {
        Ok(self.store.object_type(USER_TYPE)?.key("", username))
    }

    async fn object(&self, key: &Key) -> Result<Option<Arc<SavedObject>>, StoreError> {
        match self.store.get(key).await {
            Ok(object) => Ok(Some(object)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A place among the few that may hash at once.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, UserError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| UserError::Busy)?;
        self.hashing.clone().acquire_owned().await.map_err(|_| UserError::Busy)
    }

    async fn verify(
        &self,
        turn: OwnedSemaphorePermit,
        password: Secret,
        hash: String,
    ) -> Result<bool, UserError> {
        blocking(turn, move || password::verify(&password, &hash)).await
    }

    async fn hash(&self, password: Secret) -> Result<String, UserError> {
        let random = self.random.clone();
        blocking(self.turn().await?, move || password::hash(&password, &*random)).await
    }

    /// Makes the superuser if there is none: with `given`, else with a password that is drawn and returned.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn ensure_superuser(&self, given: Option<Secret>) -> Result<Superuser, UserError> {
        let key = self.key(SUPERUSER)?;
        if self.object(&key).await?.is_some() {
            return Ok(Superuser::Kept);
        }
        let (password, made) = match given {
            Some(password) => (password, Superuser::Given),
            None => {
                let password = self.draw_password();
                (password.clone(), Superuser::Drawn(password))
            }
        };
        check_password(&password)?;
        let user = StoredUser::superuser(self.hash(password).await?);
        let mut draft = self.store.draft(USER_TYPE, "", SUPERUSER)?;
        draft.attributes = user.attributes();
        self.store.commit(Commit::new().create(draft)).await?;
        Ok(made)
    }

    /// Twenty letters and digits: 119 bits.
    fn draw_password(&self) -> Secret {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(20);
        while text.len() < 20 {
            let mut byte = [0u8];
            self.random.fill(&mut byte);
            // Bytes beyond the largest multiple of 62 would make some letters likelier.
            if byte[0] < 248 {
                text.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
            }
        }
        Secret::from(text)
    }

    /// All users, by name.
    ///
    /// # Errors
    /// [`UserError::Store`].
    pub async fn users(&self) -> Result<Vec<User>, UserError> {
        let sort = vec![Sort { field: "id".to_owned(), descending: false }];
        let page = self.store.find(FindRequest { size: 10_000, sort, ..FindRequest::of(USER_TYPE) }).await?;
        let shown = page.objects.iter().map(|object| Ok(StoredUser::read(object)?.shown(&object.key.id)));
        shown.collect()
    }

    /// One user.
    ///
    /// # Errors
    /// [`UserError::NotFound`].
    pub async fn user(&self, username: &str) -> Result<User, UserError> {
        let not_found = || UserError::NotFound(username.to_owned());
        let object = self.object(&self.key(username)?).await?.ok_or_else(not_found)?;
        Ok(StoredUser::read(&object)?.shown(username))
    }

    /// Makes the user or replaces all of it but an absent password.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn put_user(&self, username: &str, new: NewUser) -> Result<(), UserError> {
        if new.metadata.iter().flatten().any(|(name, _)| name.starts_with('_')) {
            return Err(UserError::ReservedMetadata);
        }
        let hash = match new.password.clone() {
            Some(password) => {
                check_password(&password)?;
                Some(self.hash(password).await?)
            }
            None => None,
        };
        for _ in 0..PUT_TRIES {
            let replaced = self
                .change(username, |user| {
                    if user.is_reserved() {
                        return Err(UserError::Reserved(username.to_owned()));
                    }
                    let password_hash = hash.clone().unwrap_or_else(|| user.password_hash.clone());
                    Ok(stored(&new, password_hash))
                })
                .await;
            let Err(UserError::NotFound(_)) = replaced else { return replaced };
            let mut draft = self.store.draft(USER_TYPE, "", username)?;
            draft.attributes = stored(&new, hash.clone().ok_or(UserError::NoPassword)?).attributes();
            match self.store.commit(Commit::new().create(draft)).await {
                // Somebody else made the user meanwhile: then it is replaced.
                Err(StoreError::Conflict(_)) => {}
                created => return Ok(created.map(|_| ())?),
            }
        }
        Err(UserError::Busy)
    }

    /// Changes the password; `present` is asked for when somebody changes their own.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn change_password(
        &self,
        username: &str,
        present: Option<Secret>,
        new: Secret,
    ) -> Result<(), UserError> {
        if let Some(present) = present {
            let not_found = || UserError::NotFound(username.to_owned());
            let object = self.object(&self.key(username)?).await?.ok_or_else(not_found)?;
            let turn = self.turn().await?;
            if !self.verify(turn, present, StoredUser::read(&object)?.password_hash).await? {
                return Err(UserError::WrongPassword(username.to_owned()));
            }
        }
        check_password(&new)?;
        let hash = self.hash(new).await?;
        self.change(username, |user| Ok(StoredUser { password_hash: hash.clone(), ..user })).await
    }

    /// Lets the user log in, or no more.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn set_enabled(&self, username: &str, enabled: bool) -> Result<(), UserError> {
        self.change(username, |user| Ok(StoredUser { enabled, ..user })).await
    }

    /// Removes the user.
    ///
    /// # Errors
    /// [`UserError::NotFound`], [`UserError::Undeletable`].
    pub async fn delete_user(&self, username: &str) -> Result<(), UserError> {
        let key = self.key(username)?;
        let not_found = || UserError::NotFound(username.to_owned());
        let object = self.object(&key).await?.ok_or_else(not_found)?;
        if StoredUser::read(&object)?.is_reserved() {
            return Err(UserError::Undeletable(username.to_owned()));
        }
        let committed = self.store.commit(Commit::new().then(Operation::Delete(key))).await?;
        if committed.deleted == 0 { Err(not_found()) } else { Ok(()) }
    }

    async fn change(
        &self,
        username: &str,
        change: impl Fn(StoredUser) -> Result<StoredUser, UserError>,
    ) -> Result<(), UserError> {
        let key = self.key(username)?;
        let changed = self
            .store
            .update(&key, |object| {
                let mut draft = object.draft();
                draft.attributes = change(StoredUser::read(object)?)?.attributes();
                Ok::<_, UserError>(Commit::new().replace(draft, object.version))
            })
            .await;
        match changed {
            Ok(_) => Ok(()),
            Err(UserError::Store(StoreError::NotFound(_))) => Err(UserError::NotFound(username.to_owned())),
            Err(error) => Err(error),
        }
    }
}

/// Hashes on a thread where that may take its time.
async fn blocking<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, password::HashError> + Send + 'static,
) -> Result<T, UserError> {
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    Ok(done.await.map_err(|error| UserError::Hash(error.to_string()))??)
}

fn stored(new: &NewUser, password_hash: String) -> StoredUser {
    StoredUser {
        password_hash,
        roles: new.roles.clone(),
        full_name: new.full_name.clone(),
        email: new.email.clone(),
        metadata: new.metadata.clone().unwrap_or_default(),
        enabled: new.enabled,
    }
}
