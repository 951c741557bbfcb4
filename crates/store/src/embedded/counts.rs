//! How many objects a type has: counted once, then kept along by the writer.

use std::collections::HashMap;

/// Numbers of the types that were asked for. They hold for the open transaction.
#[derive(Debug, Default)]
pub(super) struct Counts {
    known: HashMap<i64, u64>,
    changed: bool,
}

impl Counts {
    /// A new member begins, which may be rolled back alone.
    pub(super) fn begin(&mut self) {
        self.changed = false;
    }

    /// The member is rolled back. What it changed is not known one by one, so all is counted anew.
    pub(super) fn roll_back(&mut self) {
        if self.changed {
            self.known.clear();
        }
    }

    /// Forgets everything: the transaction is gone, or the file is another.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    pub(super) fn get(&self, type_id: i64) -> Option<u64> {
        self.known.get(&type_id).copied()
    }

    pub(super) fn learn(&mut self, type_id: i64, count: u64) {
        self.known.insert(type_id, count);
    }

    pub(super) fn added(&mut self, type_id: i64) {
        self.changed = true;
        if let Some(count) = self.known.get_mut(&type_id) {
            *count += 1;
        }
    }

    pub(super) fn removed(&mut self, type_id: i64) {
        self.changed = true;
        if let Some(count) = self.known.get_mut(&type_id) {
            *count = count.saturating_sub(1);
        }
    }
}
