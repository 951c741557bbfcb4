//! The log: one line a record, human on a terminal, ECS JSON otherwise, or as `logging.*` says.
//!
//! The code logs through `tracing`; a target with dots (`http.server.response`) is a logger of Kibana's, a
//! target that is a module path stands for its crate (`ikebana_http::walk` is `ikebana.http`).

mod appender;
mod layer;
mod layout;
mod line;
mod model;
mod name;
mod pattern;

#[cfg(test)]
mod tests;

pub use layer::LogLayer;
pub use model::{AppenderSettings, LayoutSettings, Level, LoggerSettings, LoggingSettings, Rewrite, Rolling};
pub use pattern::Pattern;

use ikebana_clock::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Why nothing can be logged as asked.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// A file cannot be written.
    #[error("the log file [{path}] cannot be opened: {error}")]
    File {
        /// `fileName`.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A logger names an appender that is not configured (Kibana's words).
    #[error("Logger \"{logger}\" contains unsupported appender key \"{appender}\".")]
    UnknownAppender {
        /// The logger.
        logger: String,
        /// What it names.
        appender: String,
    },
    /// A rewrite appender writes to itself, or to one that is not configured.
    #[error("Appender \"{0}\" cannot be resolved: its appenders are unknown or form a circle.")]
    Circle(String),
    /// Something else logs already.
    #[error("the log is set up already")]
    Taken,
}

/// Makes this the log of the process; `terminal` says whether standard output is read by a person.
///
/// # Errors
/// [`LoggingError`].
pub fn init(settings: &LoggingSettings, terminal: bool, clock: Arc<dyn Clock>) -> Result<(), LoggingError> {
    let layer = LogLayer::new(settings, terminal, clock, Box::new(std::io::stdout()))?;
    tracing_subscriber::registry().with(layer).try_init().map_err(|_| LoggingError::Taken)
}
