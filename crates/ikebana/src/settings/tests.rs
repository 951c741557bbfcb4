//! Whole settings, from files, command line and environment.

mod examples;
mod faults;
mod sources;
mod tls;

use super::{Loaded, Settings, SettingsError, Sources};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// Files, arguments and environment of one start.
struct Start {
    folder: TempDir,
    sources: Sources,
}

impl Start {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The current folder of the tests is of no concern.
        let env = BTreeMap::from([("KBN_PATH_CONF".to_owned(), folder.path().display().to_string())]);
        Self { folder, sources: Sources { env, ..Sources::default() } }
    }

    fn yaml(text: &str) -> Self {
        Self::new().file("kibana.yml", text)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the folder of `KBN_PATH_CONF`.
    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// A file named by `-c`.
    fn config(mut self, name: &str, text: &str) -> Self {
        self.sources.config_files.push(self.path(name));
        self.file(name, text)
    }

    fn argument(mut self, name: &str, value: &str) -> Self {
        self.sources.overrides.push((name.to_owned(), value.to_owned()));
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, SettingsError> {
        Settings::load(self.sources.clone())
    }

    fn settings(&self) -> Settings {
        self.load().unwrap().settings
    }

    fn fault(&self) -> (u8, String) {
        let error = self.load().unwrap_err();
        (error.exit_code(), error.to_string())
    }
}
