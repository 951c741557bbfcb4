//! The data folder: the store's file, the key that encrypts in it, the server's id.

use aws_lc_rs::digest;
use ikebana_clock::{Random, hex, uuid_v4};
use ikebana_secrets::{Keyring, Secret};
use ikebana_store::embedded::OpenError;
use std::fs::TryLockError;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The store's file.
const STORE: &str = "ikebana.db";
/// The key that encrypted attributes are written with, unless one is configured.
const KEY: &str = "encryption.key";
/// The names of the keys that ever wrote, one a line: they are digests, and no secrets.
const KEY_IDS: &str = "encryption.keys";
/// Held by the process that uses the folder.
const LOCK: &str = "folder.lock";
/// The server's id.
const UUID: &str = "uuid";
/// Where a running server listens to its own machine's commands.
const SOCKET: &str = "control.sock";

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the data folder [{path}] cannot be used: {reason}")]
pub struct DataError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

fn fault(path: &Path) -> impl Fn(std::io::Error) -> DataError + '_ {
    move |error| DataError { path: path.to_owned(), reason: error.to_string() }
}

/// A folder that exists and that only its owner may enter.
#[derive(Clone, Debug)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// Makes it if need be.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        if path.exists() && !path.is_dir() {
            return Err(DataError { path: path.to_owned(), reason: "it is not a folder".to_owned() });
        }
        builder.create(path).map_err(fault(path))?;
        let path = path.canonicalize().map_err(fault(path))?;
        Ok(Self(path))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The store's file.
    pub fn store(&self) -> PathBuf {
        self.0.join(STORE)
    }

    /// The control socket of a running server.
    pub fn socket(&self) -> PathBuf {
        self.0.join(SOCKET)
    }

    /// The file of the generated key.
    pub fn key(&self) -> PathBuf {
        self.0.join(KEY)
    }

    /// The file of the names of the keys that wrote.
    pub fn key_ids(&self) -> PathBuf {
        self.0.join(KEY_IDS)
    }

    /// Takes the folder for this process, so that nothing in it is made twice.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while another process has it.
    pub fn lock(&self) -> Result<LockedFolder, OpenError> {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(self.0.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(LockedFolder { folder: self.clone(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// A folder that no other process uses, until this is dropped.
#[derive(Debug)]
pub struct LockedFolder {
    folder: DataFolder,
    _lock: std::fs::File,
}

impl LockedFolder {
    /// The server's id: the configured one, else one that is made once and kept.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn uuid(&self, configured: Option<&str>, random: &dyn Random) -> Result<String, DataError> {
        match configured {
            Some(uuid) => Ok(uuid.to_owned()),
            None => self.kept(UUID, || uuid_v4(random)),
        }
    }

    /// The keys: the configured ones, and the generated one, which writes if none is configured.
    ///
    /// # Errors
    /// [`DataError`], also if a key that ever wrote in this folder is not among them.
    pub fn keyring(
        &self,
        configured: Option<&Secret>,
        decryption_only: &[Secret],
        random: Arc<dyn Random>,
    ) -> Result<Keyring, DataError> {
        let path = self.folder.key();
        if self.folder.store().is_file() && !path.is_file() {
            let reason =
                "the store is there but the key that its secrets are written with is not; put it back";
            return Err(DataError { path, reason: reason.to_owned() });
        }
        let generated = Secret::from(self.kept(KEY, || {
            let mut key = [0; 32];
            random.fill(&mut key);
            hex(&key)
        })?);
        let mut readers = decryption_only.to_vec();
        let writer = match configured {
            Some(key) => {
                readers.push(generated);
                key
            }
            None => &generated,
        };
        let ring = Keyring::new(writer, &readers, random)
            .map_err(|error| DataError { path, reason: error.to_string() })?;
        self.note_writer(&ring)?;
        Ok(ring)
    }

    /// Keeps the name of the key that writes from now on, if all that wrote before are there to read.
    fn note_writer(&self, ring: &Keyring) -> Result<(), DataError> {
        let path = self.folder.key_ids();
        let known = key_ids(&path).map_err(fault(&path))?;
        if let Some(lost) = known.lines().find(|id| !ring.has(id)) {
            let reason = format!(
                "secrets were written with the key [{lost}], which is not there; put back {KEY}, or name the key \
                 in [xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys]; if nothing needs it any more, \
                 take its line out of this file"
            );
            return Err(DataError { path, reason });
        }
        if known.lines().any(|id| id == ring.primary_id()) {
            return Ok(());
        }
        write_private(&path, format!("{known}{}\n", ring.primary_id()).as_bytes()).map_err(fault(&path))
    }

    /// The text of a small file; made by `make`, readable for the owner only, if it is not there.
    fn kept(&self, name: &str, make: impl FnOnce() -> String) -> Result<String, DataError> {
        let path = self.folder.0.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(text.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(fault(&path)(error)),
        }
        let text = make();
        write_private(&path, text.as_bytes()).map_err(fault(&path))?;
        Ok(text)
    }
}

/// The lines of a file of key names; none if it is not there.
pub(crate) fn key_ids(path: &Path) -> std::io::Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

/// Writes a file that only its owner may read, whole or not at all, and durable.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&partial)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// A stable text in the place of a licence's signature.
pub(crate) fn license_signature(uuid: &str) -> String {
    hex(digest::digest(&digest::SHA256, uuid.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ikebana_clock::SeededRandom;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&temporary.path().join("data")).unwrap();
        (temporary, folder)
    }

    fn names(folder: &DataFolder) -> Vec<String> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn key(letter: &str) -> Secret {
        letter.repeat(32).into()
    }

    #[test]
    fn one_process_has_the_folder() {
        let (_temporary, folder) = folder();
        let held = folder.lock().unwrap();
        assert!(matches!(folder.lock(), Err(OpenError::InUse(path)) if path == folder.path()));
        drop(held);
        assert!(folder.lock().is_ok());
    }

    #[test]
    fn a_key_that_wrote_must_be_there_to_read() {
        let (_temporary, folder) = folder();
        let locked = folder.lock().unwrap();
        let ring = |writer: Option<&Secret>, readers: &[Secret]| {
            let ring = locked.keyring(writer, readers, SeededRandom::new(1));
            ring.map(|_| ()).map_err(|error| (error.path, error.reason))
        };
        assert_eq!(ring(None, &[]), Ok(()));
        assert_eq!(names(&folder), ["encryption.key", "encryption.keys", "folder.lock"]);
        assert_eq!(ring(Some(&key("a")), &[]), Ok(()), "the generated key still reads");
        assert_eq!(ring(Some(&key("b")), &[key("a")]), Ok(()), "rotated");
        assert_eq!(ring(Some(&key("a")), &[key("b")]), Ok(()), "and back");
        let ids = key_ids(&folder.key_ids()).unwrap();
        let ids: Vec<&str> = ids.lines().collect();
        assert_eq!(ids.len(), 3, "{ids:?}");
        let lost = |result: Result<(), (PathBuf, String)>| {
            let (path, reason) = result.unwrap_err();
            assert_eq!(path, folder.key_ids());
            ids.iter().position(|id| reason.contains(id))
        };
        assert_eq!(lost(ring(None, &[])), Some(1), "nothing reads what the first configured key wrote");
        assert_eq!(lost(ring(Some(&key("a")), &[])), Some(2));
        std::fs::write(folder.key(), "0".repeat(64)).unwrap();
        assert_eq!(lost(ring(Some(&key("a")), &[key("b")])), Some(0), "another file in place of the key");
        std::fs::write(folder.key_ids(), ids[1..].join("\n") + "\n").unwrap();
        assert_eq!(ring(Some(&key("a")), &[key("b")]), Ok(()), "its owner says that nothing needs it");
    }

    #[test]
    fn a_lost_key_is_not_replaced() {
        let (_temporary, folder) = folder();
        std::fs::write(folder.store(), "").unwrap();
        let refused = folder.lock().unwrap().keyring(None, &[], SeededRandom::new(1));
        assert_eq!(refused.unwrap_err().path, folder.key());
        assert!(!folder.key().exists());
    }
}
