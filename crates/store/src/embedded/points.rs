//! Kept lists of objects (point in time).

use crate::error::StoreError;
use crate::feed::Mark;
use crate::find::PointInTime;
use ikebana_clock::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lists kept at once; the next one is refused.
const LISTS: usize = 500;
/// Numbers kept in all lists together: 80 MB at most.
const NUMBERS: usize = 10_000_000;

struct Point {
    rows: Arc<[i64]>,
    primary_term: u64,
    keep_alive: Duration,
    expires: Duration,
}

#[derive(Default)]
struct Lists {
    by_id: HashMap<u64, Point>,
    last: u64,
}

/// The lists, with the clock that ends them.
pub(super) struct Points {
    lists: Mutex<Lists>,
    clock: Arc<dyn Clock>,
}

pub(super) fn unknown(id: u64) -> StoreError {
    StoreError::BadQuery(format!("No search context found for id [{id}]"))
}

impl Points {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { lists: Mutex::default(), clock }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed();
        lists.by_id.retain(|_, point| point.expires > now);
        lists
    }

    pub(super) fn keep(
        &self,
        rows: Vec<i64>,
        mark: Mark,
        keep_alive: Duration,
    ) -> Result<PointInTime, StoreError> {
        let mut lists = self.lists();
        let held: usize = lists.by_id.values().map(|point| point.rows.len()).sum();
        if lists.by_id.len() >= LISTS || held + rows.len() > NUMBERS {
            return Err(StoreError::Busy);
        }
        lists.last += 1;
        let (id, total) = (lists.last, rows.len() as u64);
        let expires = self.clock.elapsed().saturating_add(keep_alive);
        let point = Point { rows: rows.into(), primary_term: mark.primary_term, keep_alive, expires };
        lists.by_id.insert(id, point);
        Ok(PointInTime { id, total, seq_no: mark.seq_no })
    }

    /// Numbers `from..from + size`; the list lives on from here.
    pub(super) fn slice(
        &self,
        id: u64,
        primary_term: u64,
        from: usize,
        size: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let mut lists = self.lists();
        let now = self.clock.elapsed();
        let point = lists
            .by_id
            .get_mut(&id)
            // After a restore the numbers mean other objects.
            .filter(|point| point.primary_term == primary_term)
            .ok_or_else(|| unknown(id))?;
        point.expires = now.saturating_add(point.keep_alive);
        Ok(point.rows.iter().skip(from).take(size).copied().collect())
    }

    pub(super) fn close(&self, id: u64) -> bool {
        self.lists().by_id.remove(&id).is_some()
    }
}
