//! The data folder: the store's file, the key that encrypts in it, the server's id.

use aws_lc_rs::digest;
use ikebana_clock::{Random, hex, uuid_v4};
use ikebana_secrets::{Keyring, Secret};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The store's file.
const STORE: &str = "ikebana.db";
/// The key that encrypted attributes are written with, unless one is configured.
const KEY: &str = "encryption.key";
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
    /// [`DataError`].
    pub fn keyring(
        &self,
        configured: Option<&Secret>,
        decryption_only: &[Secret],
        random: Arc<dyn Random>,
    ) -> Result<Keyring, DataError> {
        if self.store().is_file() && !self.key().is_file() {
            let reason =
                "the store is there but the key that its secrets are written with is not; put it back";
            return Err(DataError { path: self.key(), reason: reason.to_owned() });
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
        Keyring::new(writer, &readers, random)
            .map_err(|error| DataError { path: self.key(), reason: error.to_string() })
    }

    /// The text of a small file; made by `make`, readable for the owner only, if it is not there.
    fn kept(&self, name: &str, make: impl FnOnce() -> String) -> Result<String, DataError> {
        let path = self.0.join(name);
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
