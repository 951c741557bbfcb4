//! `pid.file`: says which process the server is.

use crate::settings::PidFile;
use anyhow::Context as _;
use std::io::Write as _;
use std::path::PathBuf;

/// The file; it goes when the server stops.
pub(crate) struct PidFileHeld(PathBuf);

impl PidFileHeld {
    /// Writes it. With `pid.exclusive` a file that is there already stops the start.
    pub(crate) fn write(settings: &PidFile) -> anyhow::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(settings.exclusive).create(true).truncate(true);
        let told = || format!("pid file [{}]", settings.path.display());
        let mut file = options.open(&settings.path).with_context(told)?;
        write!(file, "{}", std::process::id()).with_context(told)?;
        Ok(Self(settings.path.clone()))
    }
}

impl Drop for PidFileHeld {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
