//! Connections that read, beside the writer and beside each other.

use super::open::Options;
use super::writer::outside;
use crate::error::StoreError;
use ikebana_query::{Mapping, Query, Wildcard};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Reads at once. More would only share the same cores.
const READERS: usize = 4;
/// Reads that may wait. The next one is refused.
const WAITING: usize = 2048;

/// A condition that no index answers.
pub(super) enum Leaf {
    /// On the attributes of an object.
    Attributes { query: Query, mapping: Mapping },
    /// On one text. SQLite's own patterns take exponential time on some texts.
    Pattern(Wildcard),
}

/// The conditions of the running statement, by the number under which SQL calls them.
#[derive(Clone, Default)]
pub(super) struct Leaves(Arc<Mutex<Vec<Leaf>>>);

impl Leaves {
    /// Puts the conditions of the next statement in place.
    pub(super) fn set(&self, leaves: Vec<Leaf>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = leaves;
    }

    fn holds(&self, number: usize, attributes: &str) -> Result<bool, serde_json::Error> {
        let document: serde_json::Value = serde_json::from_str(attributes)?;
        let leaves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match leaves.get(number) {
            Some(Leaf::Attributes { query, mapping }) => ikebana_query::matches(query, &document, mapping),
            _ => false,
        })
    }

    fn fits(&self, number: usize, text: &str) -> bool {
        let leaves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(leaves.get(number), Some(Leaf::Pattern(pattern)) if pattern.matches(text))
    }
}

struct Reader {
    connection: Connection,
    leaves: Leaves,
}

/// A pool that opens connections when they are first needed.
pub(super) struct Readers {
    options: Options,
    idle: Arc<Mutex<Vec<Reader>>>,
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            idle: Arc::default(),
            places: Arc::new(Semaphore::new(READERS)),
            waiting: Arc::new(Semaphore::new(READERS + WAITING)),
        }
    }

    /// Runs `work` on a thread where it may block.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Leaves) -> Result<T, StoreError> + Send + 'static,
    {
        let closed = |_| StoreError::Unavailable("the store is closed".into());
        let waiting = self.waiting.clone().try_acquire_owned().map_err(|_| StoreError::Busy)?;
        let place = self.places.clone().acquire_owned().await.map_err(closed)?;
        let (idle, options) = (self.idle.clone(), self.options.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _held = (waiting, place);
            let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let reader = match known {
                Some(reader) => reader,
                None => connect(&options).map_err(|error| outside(&error))?,
            };
            let result = work(&reader.connection, &reader.leaves);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            result
        });
        done.await.unwrap_or_else(|error| Err(StoreError::Damaged(error.to_string().into())))
    }
}

fn connect(options: &Options) -> rusqlite::Result<Reader> {
    let connection = options.connect()?;
    connection.execute_batch("PRAGMA query_only=ON")?;
    let leaves = Leaves::default();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let called = leaves.clone();
    connection.create_scalar_function("holds", 2, flags, move |context| {
        let number = usize::try_from(context.get::<i64>(0)?).unwrap_or(usize::MAX);
        let attributes = context.get_raw(1).as_str()?;
        called.holds(number, attributes).map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })?;
    let called = leaves.clone();
    connection.create_scalar_function("fits", 2, flags, move |context| {
        let number = usize::try_from(context.get::<i64>(0)?).unwrap_or(usize::MAX);
        Ok(context.get_raw(1).as_str_or_null()?.is_some_and(|text| called.fits(number, text)))
    })?;
    Ok(Reader { connection, leaves })
}
