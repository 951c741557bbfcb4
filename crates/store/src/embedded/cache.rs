//! Recently read objects, so that a hot one costs no look into the file.

use crate::object::{Key, SavedObject};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 16;
/// Bytes of attributes kept in one shard, about: 8 MiB in all.
const SHARD_BYTES: usize = 512 * 1024;
/// A larger object is not kept: it would push out many small ones.
const LARGEST: usize = 32 * 1024;

#[derive(Default)]
struct Shard {
    objects: HashMap<Key, (Arc<SavedObject>, usize)>,
    bytes: usize,
    /// Counts the writes that touched this shard.
    writes: u64,
    /// What is being written, and whether it was kept before. Nobody knows yet whether a reader of the file
    /// sees it, so until it is known nothing is kept: else one reader's old object would follow another's new.
    busy: HashMap<Key, bool>,
}

/// Objects by key. Whoever fills it says which writes it had seen; what was overtaken is not kept.
pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    /// Odd while something is being written; another number after it.
    generation: AtomicU64,
    hasher: RandomState,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            generation: AtomicU64::new(0),
            hasher: RandomState::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl Cache {
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object, or the mark to hand to [`Cache::fill`] after reading it from the file.
    pub(super) fn get(&self, key: &Key) -> Result<Arc<SavedObject>, u64> {
        let shard = self.shard(key);
        match shard.objects.get(key) {
            Some((object, _)) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Ok(object.clone())
            }
            None => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                Err(shard.writes)
            }
        }
    }

    /// Keeps what was read from the file, unless a write came between.
    pub(super) fn fill(&self, object: &Arc<SavedObject>, mark: u64) {
        let mut shard = self.shard(&object.key);
        if shard.writes == mark && !shard.busy.contains_key(&object.key) {
            shard.keep(object.clone());
        }
    }

    /// Which moment the cache shows; `None` while it is between two.
    pub(super) fn moment(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::SeqCst)).filter(|generation| generation % 2 == 0)
    }

    /// Before a commit takes effect in the file. [`Cache::end`] or [`Cache::give_up`] follow.
    pub(super) fn begin<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for key in keys {
            let mut shard = self.shard(key);
            let was_kept = shard.forget(key);
            *shard.busy.entry(key.clone()).or_default() |= was_kept;
        }
    }

    /// It did not take effect.
    pub(super) fn give_up<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        for key in keys {
            self.shard(key).busy.remove(key);
        }
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// It took effect: the objects as they are now, `None` if removed; the last write of each comes first.
    pub(super) fn end<'a>(&self, writes: impl Iterator<Item = (&'a Key, &'a Option<Arc<SavedObject>>)>) {
        for (key, object) in writes {
            self.written(key, object.as_ref());
        }
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    fn written(&self, key: &Key, object: Option<&Arc<SavedObject>>) {
        let mut shard = self.shard(key);
        let Some(was_kept) = shard.busy.remove(key) else { return };
        shard.writes += 1;
        // What was not asked for is not kept: an import would push out everything else.
        if let Some(object) = object.filter(|_| was_kept) {
            shard.keep(object.clone());
        }
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let writes = shard.writes + 1;
            *shard = Shard { writes, ..Shard::default() };
        }
    }
}

impl Shard {
    fn keep(&mut self, object: Arc<SavedObject>) {
        let size = size(&object);
        if size > LARGEST {
            return;
        }
        while self.bytes + size > SHARD_BYTES {
            // The order of a hash map is as good as random, and random eviction needs no bookkeeping on
            // reads.
            let Some(victim) = self.objects.keys().next().cloned() else { break };
            self.forget(&victim);
        }
        self.forget(&object.key.clone());
        self.bytes += size;
        self.objects.insert(object.key.clone(), (object, size));
    }

    fn forget(&mut self, key: &Key) -> bool {
        match self.objects.remove(key) {
            Some((_, size)) => {
                self.bytes -= size;
                true
            }
            None => false,
        }
    }
}

/// About how much memory the object takes.
fn size(object: &SavedObject) -> usize {
    fn of(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::String(text) => 32 + text.len(),
            serde_json::Value::Array(list) => 32 + list.iter().map(of).sum::<usize>(),
            serde_json::Value::Object(map) => map.iter().map(|(key, value)| 64 + key.len() + of(value)).sum(),
            _ => 32,
        }
    }
    512 + object.attributes.iter().map(|(key, value)| 64 + key.len() + of(value)).sum::<usize>()
        + object.references.len() * 160
}
