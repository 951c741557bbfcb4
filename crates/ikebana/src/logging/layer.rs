//! Decides which events are written, and where.
//!
//! What a place in the code logs is decided once and remembered by `tracing`, so an event that is filtered
//! out costs a load and a comparison.

use super::LoggingError;
use super::appender::{Destination, LogFile, Sink};
use super::layout::Layout;
use super::line::{Fields, Record};
use super::model::{AppenderSettings, BUILT_IN, Level, LoggerSettings, LoggingSettings, Rewrite};
use super::name;
use ikebana_clock::Clock;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The target of all events that libraries write through the `log` facade.
const FROM_LOG: &str = "log";

enum Appender {
    Sink(Sink),
    Rewrite(Rewrite),
}

/// A layer for `tracing_subscriber` that writes as `logging.*` says.
pub struct LogLayer {
    root: LoggerSettings,
    /// Longer names first, so that the first that fits is the nearest.
    loggers: Vec<LoggerSettings>,
    appenders: BTreeMap<String, Appender>,
    highest: Level,
    clock: Arc<dyn Clock>,
    pid: u32,
}

impl LogLayer {
    /// Opens the files; `console` is written to instead of standard output.
    ///
    /// # Errors
    /// [`LoggingError`].
    pub fn new(
        settings: &LoggingSettings,
        terminal: bool,
        clock: Arc<dyn Clock>,
        console: Box<dyn Write + Send>,
    ) -> Result<Self, LoggingError> {
        settings.check()?;
        let console = SharedConsole(Arc::new(std::sync::Mutex::new(console)));
        let human = if terminal { Layout::Human { color: settings.color } } else { Layout::Json };
        let mut appenders = BTreeMap::new();
        for name in BUILT_IN {
            let sink = Sink::new(human.clone(), Destination::Stream(Box::new(console.clone())));
            appenders.insert(name.to_owned(), Appender::Sink(sink));
        }
        for (name, appender) in &settings.appenders {
            appenders.insert(name.clone(), open(appender, &console)?);
        }
        let mut loggers = settings.loggers.clone();
        loggers.sort_by_key(|logger| std::cmp::Reverse(logger.name.len()));
        let highest = loggers.iter().map(|logger| logger.level).fold(settings.root.level, Level::max);
        Ok(Self { root: settings.root.clone(), loggers, appenders, highest, clock, pid: std::process::id() })
    }

    /// What passes. Libraries are heard from `warn` on unless a logger of `logging.loggers` is about them, and
    /// never at `trace`, where they may write headers and bodies.
    fn level_of(&self, logger: &str, foreign: bool) -> Level {
        let named = self.loggers.iter().find(|one| name::is_below(logger, &one.name));
        match (named, foreign) {
            (Some(one), true) => one.level.min(Level::Debug),
            (Some(one), false) => one.level,
            (None, true) => self.root.level.min(Level::Warn),
            (None, false) => self.root.level,
        }
    }

    fn appenders_of(&self, logger: &str) -> &[String] {
        self.loggers
            .iter()
            .find(|one| !one.appenders.is_empty() && name::is_below(logger, &one.name))
            .map_or(&self.root.appenders, |one| &one.appenders)
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            return false;
        }
        let level = Level::from(metadata.level());
        let (target, from_log) = (metadata.target(), metadata.target() == FROM_LOG);
        // What comes through the `log` facade has its target only when it comes.
        let limit = if from_log {
            self.highest
        } else {
            self.level_of(&name::of_target(target), name::is_foreign(target))
        };
        // Whether an error is a fatal one is seen only when it comes.
        limit >= level || (limit == Level::Fatal && level == Level::Error)
    }

    fn append(&self, appender: &str, record: &Record) {
        match self.appenders.get(appender) {
            Some(Appender::Sink(sink)) => sink.write(&sink.layout.line(record, self.pid)),
            Some(Appender::Rewrite(rewrite)) => {
                let rewritten = rewrite.apply(record);
                rewrite.appenders.iter().for_each(|next| self.append(next, &rewritten));
            }
            None => {}
        }
    }
}

impl Rewrite {
    fn apply(&self, record: &Record) -> Record {
        let mut record = record.clone();
        for (path, value) in &self.properties {
            match value {
                Some(value) => record
                    .fields
                    .iter_mut()
                    .filter(|(name, _)| name == path)
                    .for_each(|field| field.1 = value.clone()),
                None => record.fields.retain(|(name, _)| !name::is_below(name, path)),
            }
        }
        record
    }
}

fn open(appender: &AppenderSettings, console: &SharedConsole) -> Result<Appender, LoggingError> {
    let (layout, to) = match appender {
        AppenderSettings::Rewrite(rewrite) => return Ok(Appender::Rewrite(rewrite.clone())),
        AppenderSettings::Console(layout) => (layout, Destination::Stream(Box::new(console.clone()))),
        AppenderSettings::File { path, layout, rolling } => {
            let file = LogFile::open(path, rolling.clone())
                .map_err(|error| LoggingError::File { path: path.clone(), error })?;
            (layout, Destination::File(file))
        }
    };
    Ok(Appender::Sink(Sink::new(Layout::from(layout), to)))
}

/// Several appenders write to the one console.
#[derive(Clone)]
struct SharedConsole(Arc<std::sync::Mutex<Box<dyn Write + Send>>>);

impl Write for SharedConsole {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).flush()
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.highest {
            Level::Off => LevelFilter::OFF,
            Level::Fatal | Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let target = fields.foreign_target.as_deref().unwrap_or(event.metadata().target());
        let foreign = fields.foreign_target.is_some() || name::is_foreign(target);
        let logger = name::of_target(target).into_owned();
        let level = match Level::from(event.metadata().level()) {
            Level::Error if fields.fatal => Level::Fatal,
            level => level,
        };
        if level > self.level_of(&logger, foreign) {
            return;
        }
        let record = Record {
            level,
            logger,
            message: fields.message,
            fields: fields.fields,
            request: ikebana_http::current_request().map(|id| id.to_string()),
            time: self.clock.now(),
            uptime: self.clock.elapsed(),
        };
        for appender in self.appenders_of(&record.logger) {
            self.append(appender, &record);
        }
    }
}
