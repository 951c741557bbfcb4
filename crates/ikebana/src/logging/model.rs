//! `logging.*`, checked.

use super::{LoggingError, Pattern};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How much a logger lets pass; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// Errors with the field `fatal`.
    Fatal,
    /// Errors.
    Error,
    /// Warnings.
    Warn,
    /// The default.
    Info,
    /// For looking into something.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// Reads a level's name; `all` is everything.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "off" => Self::Off,
            "fatal" => Self::Fatal,
            "error" => Self::Error,
            "warn" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" | "all" => Self::Trace,
            _ => return None,
        })
    }

    /// The name in a line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        }
    }
}

impl From<&tracing::Level> for Level {
    fn from(level: &tracing::Level) -> Self {
        match *level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

/// One of `logging.loggers`, or `logging.root`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerSettings {
    /// Dotted; what it does not say it has from the name above.
    pub name: String,
    /// What passes.
    pub level: Level,
    /// Where it goes; empty: as above.
    pub appenders: Vec<String>,
}

/// `layout` of an appender.
#[derive(Clone, Debug, PartialEq)]
pub enum LayoutSettings {
    /// ECS.
    Json,
    /// Text.
    Pattern {
        /// `pattern`.
        pattern: Pattern,
        /// `highlight`: colours.
        highlight: bool,
    },
}

/// When and how a file makes room for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// Bytes of a file (`policy.size`).
    pub size: u64,
    /// What is put before the extension, `%i` being a number (`strategy.pattern`).
    pub pattern: String,
    /// Old files at most (`strategy.max`).
    pub max: u32,
}

/// What a rewrite appender does to the fields of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// Dotted names; with a value the field is changed, without it is removed.
    pub properties: Vec<(String, Option<Value>)>,
    /// Where the record goes then.
    pub appenders: Vec<String>,
}

/// One of `logging.appenders`.
#[derive(Clone, Debug, PartialEq)]
pub enum AppenderSettings {
    /// Standard output.
    Console(LayoutSettings),
    /// A file that grows, or rolls.
    File {
        /// `fileName`.
        path: PathBuf,
        /// `layout`.
        layout: LayoutSettings,
        /// `None`: it only grows.
        rolling: Option<Rolling>,
    },
    /// Fields removed or changed on the way to others.
    Rewrite(Rewrite),
}

/// `logging.*`. The appenders `default` and `console` are there unasked.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggingSettings {
    /// `root`.
    pub root: LoggerSettings,
    /// `loggers`.
    pub loggers: Vec<LoggerSettings>,
    /// `appenders`.
    pub appenders: BTreeMap<String, AppenderSettings>,
    /// Whether a terminal is given colours (`NO_COLOR` is not set).
    pub color: bool,
}

/// The appenders that need no configuration: standard output, for whoever reads it.
pub(super) const BUILT_IN: [&str; 2] = ["default", "console"];

impl Default for LoggingSettings {
    fn default() -> Self {
        let root = LoggerSettings {
            name: "root".to_owned(),
            level: Level::Info,
            appenders: vec!["default".to_owned()],
        };
        Self { root, loggers: Vec::new(), appenders: BTreeMap::new(), color: true }
    }
}

impl LoggingSettings {
    /// Whether every appender that is named exists.
    ///
    /// # Errors
    /// [`LoggingError::UnknownAppender`], [`LoggingError::Circle`].
    pub fn check(&self) -> Result<(), LoggingError> {
        for logger in std::iter::once(&self.root).chain(&self.loggers) {
            for appender in &logger.appenders {
                if !self.knows(appender) {
                    let (logger, appender) = (logger.name.clone(), appender.clone());
                    return Err(LoggingError::UnknownAppender { logger, appender });
                }
            }
        }
        let circle = self.appenders.keys().find(|name| !self.ends(name, self.appenders.len()));
        circle.map_or(Ok(()), |name| Err(LoggingError::Circle(name.clone())))
    }

    fn knows(&self, appender: &str) -> bool {
        self.appenders.contains_key(appender) || BUILT_IN.contains(&appender)
    }

    /// Whether following the appender ends within so many steps, at ones that exist.
    fn ends(&self, appender: &str, steps: usize) -> bool {
        match self.appenders.get(appender) {
            Some(AppenderSettings::Rewrite(rewrite)) => {
                steps > 0 && rewrite.appenders.iter().all(|next| self.ends(next, steps - 1))
            }
            _ => self.knows(appender),
        }
    }
}
