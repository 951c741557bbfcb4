//! Puts the crates together: which types there are, which routes, and who is handed what.

use crate::data::{DataError, DataFolder, LockedFolder, license_signature};
use crate::{API_VERSION, VERSION};
use ikebana_clock::{Clock, Random};
use ikebana_http::{App, AppError, BindError, DocumentFilter, HttpSettings, MetricsRegistry, Route, Server};
use ikebana_identity::{Identity, Limits, Superuser, UserError};
use ikebana_secrets::{Keyring, Secret};
use ikebana_spaces::{SpaceError, Spaces, SpacesSettings};
use ikebana_store::embedded::{Embedded, OpenError, Options, restore_closed};
use ikebana_store::{Engine as _, ObjectType, Registry, Store};
use ikebana_system::{About, System};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the program is told, whatever it was read from.
#[derive(Clone, Debug)]
pub struct Config {
    /// `server.host`.
    pub host: String,
    /// `server.port`; 0 takes a free one.
    pub port: u16,
    /// `path.data`.
    pub data: PathBuf,
    /// `server.uuid`.
    pub uuid: Option<String>,
    /// `server.*`.
    pub http: HttpSettings,
    /// `xpack.spaces.*`.
    pub spaces: SpacesSettings,
    /// `xpack.encryptedSavedObjects.encryptionKey`.
    pub encryption_key: Option<Secret>,
    /// `xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys`.
    pub decryption_only_keys: Vec<Secret>,
    /// `status.allowAnonymous`.
    pub anonymous_status: bool,
    /// `metrics.allowAnonymous`, a setting of this program.
    pub anonymous_metrics: bool,
    /// The superuser's password at the first start; `None`: one is drawn.
    pub password: Option<Secret>,
}

impl Config {
    /// The defaults, on this data folder.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 5601,
            data: data.into(),
            uuid: None,
            http: HttpSettings { version: API_VERSION.to_owned(), ..HttpSettings::default() },
            spaces: SpacesSettings::default(),
            encryption_key: None,
            decryption_only_keys: Vec::new(),
            anonymous_status: false,
            anonymous_metrics: false,
            password: None,
        }
    }
}

/// Why the program did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The routes or headers.
    #[error(transparent)]
    App(#[from] AppError),
    /// The address or certificates.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The superuser.
    #[error("the superuser could not be made: {0}")]
    Superuser(#[from] UserError),
    /// The default space.
    #[error("the default space could not be made: {0}")]
    DefaultSpace(#[from] SpaceError),
}

/// Time and randomness.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// A program that has its data and its address, and is ready to answer.
pub struct Program {
    /// The data folder in use.
    pub data: DataFolder,
    /// The store, for the commands of the machine's owner.
    pub store: Store,
    /// Whether the superuser was made just now, and how.
    pub superuser: Superuser,
    /// The bound server.
    pub server: Server,
    _folder: LockedFolder,
}

/// All types of objects.
fn object_types() -> Vec<ObjectType> {
    ikebana_identity::object_types()
}

fn routes(system: &Arc<System>, identity: &Arc<Identity>, spaces: &Spaces) -> Vec<Route> {
    [ikebana_system::routes(system), ikebana_security_api::routes(identity), ikebana_spaces::routes(spaces)]
        .concat()
}

struct Parts {
    app: Arc<App>,
    identity: Arc<Identity>,
    spaces: Spaces,
}

fn put_together(config: &Config, store: &Store, uuid: String, outside: &Outside) -> Result<Parts, AppError> {
    let about = About {
        name: config.http.name.clone(),
        number: config.http.version.clone(),
        program: VERSION.to_owned(),
        build_hash: option_env!("IKEBANA_BUILD_HASH")
            .unwrap_or("0000000000000000000000000000000000000000")
            .to_owned(),
        host: config.host.clone(),
        port: config.port,
        base_path: config.http.base_path.clone(),
        anonymous_status: config.anonymous_status,
        anonymous_metrics: config.anonymous_metrics,
        document: config.http.oas_enabled,
        uuid,
    };
    let signature = license_signature(&about.uuid);
    let identity = Arc::new(Identity::new(store.clone(), outside.random.clone(), Limits::default()));
    let spaces = Spaces::new(store.clone(), config.spaces.clone());
    let system = System::new(about, store.clone(), outside.clock.clone());
    let mut registry = MetricsRegistry::with_prefix("ikebana");
    let app = App::new(
        config.http.clone(),
        routes(&system, &identity, &spaces),
        identity.clone(),
        outside.clock.clone(),
        &*outside.random,
        &mut registry,
        &signature,
    )?;
    let app = Arc::new(app);
    system.attach(&app, registry);
    Ok(Parts { app, identity, spaces })
}

impl Program {
    /// Opens the data, makes what the first start makes, takes the address.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StartError> {
        let outside = Outside { clock, random };
        let data = DataFolder::open(&config.data)?;
        // First of all: two starts at once must not each draw a key.
        let folder = data.lock()?;
        let uuid = folder.uuid(config.uuid.as_deref(), &*outside.random)?;
        let keyring = folder.keyring(
            config.encryption_key.as_ref(),
            &config.decryption_only_keys,
            outside.random.clone(),
        )?;
        let store = open_store(Options::at(data.store()), keyring, &outside)?;
        let parts = put_together(&config, &store, uuid, &outside)?;
        // The address first: a start that fails must not have made a password that nobody was shown.
        let server = Server::bind(parts.app, &config.host, config.port).await?;
        parts.spaces.ensure_default().await?;
        let superuser = parts.identity.ensure_superuser(config.password.clone()).await?;
        Ok(Self { data, store, superuser, server, _folder: folder })
    }
}

fn open_store(options: Options, keyring: Keyring, outside: &Outside) -> Result<Store, OpenError> {
    let registry = Registry::new(object_types());
    let engine = Embedded::open(options, registry.clone(), outside.clock.clone())?;
    Ok(Store::new(Arc::new(engine), registry, keyring, outside.clock.clone(), outside.random.clone()))
}

/// Puts a backup in place of the store's file while no server has it. Where the file that was there is kept.
pub(crate) fn restore_offline(
    data: &DataFolder,
    from: &Path,
    outside: &Outside,
) -> Result<Option<PathBuf>, OpenError> {
    restore_closed(&Options::at(data.store()), from, &Registry::new(object_types()), &*outside.clock)
}

/// Copies the store's file while no server has it.
pub(crate) async fn backup_offline(data: &DataFolder, to: &Path, outside: &Outside) -> anyhow::Result<()> {
    let registry = Registry::new(object_types());
    let engine = Embedded::open(Options::at(data.store()), registry, outside.clock.clone())?;
    Ok(engine.backup(to).await?)
}

/// The OpenAPI document of all routes.
///
/// # Errors
/// [`StartError`], for a bug of the route table.
pub fn document(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<serde_json::Value, StartError> {
    let outside = Outside { clock, random };
    let mut config = Config::at("");
    config.http.oas_enabled = true;
    let key = Secret::from("the document needs no secret at all".to_owned());
    let keyring = Keyring::new(&key, &[], outside.random.clone())
        .map_err(|error| DataError { path: PathBuf::new(), reason: error.to_string() })?;
    // Routes hold a store, so they get one that lives in memory.
    let in_memory = Options { vfs: Some("memdb".to_owned()), ..Options::at("/document") };
    let store = open_store(in_memory, keyring, &outside)?;
    let parts = put_together(&config, &store, String::new(), &outside)?;
    let specs = parts.app.routes().iter().map(|route| &route.spec);
    Ok(ikebana_http::document(specs, &DocumentFilter::default(), API_VERSION, "http://localhost:5601"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ikebana_clock::{FakeClock, Millis, SeededRandom};

    #[tokio::test]
    async fn a_start_on_a_folder_in_use_makes_nothing_in_it() {
        let temporary = tempfile::tempdir().unwrap();
        let data = DataFolder::open(temporary.path()).unwrap();
        let _held = data.lock().unwrap();
        let start = Program::start(Config::at(data.path()), FakeClock::at(Millis(0)), SeededRandom::new(1));
        assert!(matches!(start.await, Err(StartError::Open(OpenError::InUse(_)))));
        let names: Vec<_> = std::fs::read_dir(data.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["folder.lock"]);
    }
}
