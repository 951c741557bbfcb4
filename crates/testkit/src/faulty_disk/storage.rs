//! Files and directory entries: what is durable, what is pending, and what a crash leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::rng::Rng;

/// The unit in which a write may be torn.
pub const SECTOR_BYTES: usize = 512;

/// The largest file; growing beyond fails with `SQLITE_FULL`.
pub const MAX_FILE_BYTES: usize = 1 << 30;

/// Identifies one file, whatever its name.
pub(super) type FileId = u64;

/// What the first sync of a new file makes durable besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntrySync {
    /// The entry of the file itself.
    Own,
    /// All entries of its directory.
    Directory,
}

#[derive(Debug)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate { length: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Torn,
    Dropped,
}

#[derive(Debug, Default)]
struct File {
    current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    // The path and what is left to sync; None for files without a name.
    path: Option<String>,
    unsynced_entry: Option<EntrySync>,
}

/// All files of a disk.
#[derive(Debug, Default)]
pub(super) struct Storage {
    files: BTreeMap<FileId, File>,
    names: BTreeMap<String, FileId>,
    durable_names: BTreeMap<String, FileId>,
    // Entries made (Some) and removed (None) since they were last durable, oldest first.
    pending_names: Vec<(String, Option<FileId>)>,
    next_file: FileId,
}

impl Storage {
    /// The file of that name.
    pub(super) fn find(&self, path: &str) -> Option<FileId> {
        self.names.get(path).copied()
    }

    /// Makes an empty file with a new entry.
    pub(super) fn create(&mut self, path: &str, entry: EntrySync) -> FileId {
        let id =
            self.insert(File { path: Some(path.to_owned()), unsynced_entry: Some(entry), ..File::default() });
        self.names.insert(path.to_owned(), id);
        self.pending_names.push((path.to_owned(), Some(id)));
        id
    }

    /// Makes an empty file without a name; its changes are not recorded.
    pub(super) fn create_unnamed(&mut self) -> FileId {
        self.insert(File::default())
    }

    fn insert(&mut self, file: File) -> FileId {
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, file);
        id
    }

    /// Removes the entry from the view of readers; false when there is none.
    pub(super) fn delete(&mut self, path: &str) -> bool {
        if self.names.remove(path).is_none() {
            return false;
        }
        self.pending_names.push((path.to_owned(), None));
        true
    }

    /// Makes every creation and deletion so far in the directory of `path` durable.
    pub(super) fn sync_directory_of(&mut self, path: &str) {
        let directory = directory_of(path).to_owned();
        self.sync_names(|name| directory_of(name) == directory);
    }

    fn sync_names(&mut self, chosen: impl Fn(&str) -> bool) {
        for (name, entry) in std::mem::take(&mut self.pending_names) {
            if chosen(&name) {
                set_entry(&mut self.durable_names, &name, entry);
            } else {
                self.pending_names.push((name, entry));
            }
        }
    }

    /// The newest length.
    pub(super) fn length(&self, id: FileId) -> usize {
        self.files.get(&id).map_or(0, |file| file.current.len())
    }

    /// Copies the newest content from `offset`; gives the number of bytes there were.
    pub(super) fn read(&self, id: FileId, offset: usize, buffer: &mut [u8]) -> usize {
        let content = self.files.get(&id).and_then(|file| file.current.get(offset..)).unwrap_or_default();
        let length = content.len().min(buffer.len());
        buffer.iter_mut().zip(content).for_each(|(to, from)| *to = *from);
        length
    }

    /// Writes to the volatile view.
    pub(super) fn write(&mut self, id: FileId, offset: usize, data: &[u8]) {
        self.change(id, Change::Write { offset, data: data.to_vec() });
    }

    /// Sets the length in the volatile view.
    pub(super) fn truncate(&mut self, id: FileId, length: usize) {
        self.change(id, Change::Truncate { length });
    }

    fn change(&mut self, id: FileId, change: Change) {
        if let Some(file) = self.files.get_mut(&id) {
            change.apply(&mut file.current);
            if file.path.is_some() {
                file.pending.push(change);
            }
        }
    }

    /// Makes the content durable, and on the first sync of a new file its entry.
    pub(super) fn sync(&mut self, id: FileId) {
        let Some(file) = self.files.get_mut(&id) else { return };
        for change in file.pending.drain(..) {
            change.apply(&mut file.durable);
        }
        let entry = file.unsynced_entry.take();
        let Some(path) = file.path.clone().filter(|path| self.names.get(path) == Some(&id)) else { return };
        match entry {
            Some(EntrySync::Own) => self.sync_names(|name| name == path),
            Some(EntrySync::Directory) => self.sync_directory_of(&path),
            None => {}
        }
    }

    /// A sync that failed: decides now which pending changes are durable; the others are only cached.
    pub(super) fn lose_pending(&mut self, id: FileId, rng: &mut Rng) {
        if let Some(file) = self.files.get_mut(&id) {
            settle(&mut file.durable, &file.pending, rng);
            file.pending.clear();
        }
    }

    /// Forgets files that nobody can reach: not open, not named, not to be found after a crash.
    pub(super) fn collect(&mut self, is_open: impl Fn(FileId) -> bool) {
        let pending = self.pending_names.iter().filter_map(|(_, entry)| entry.as_ref());
        let named: BTreeSet<FileId> =
            self.names.values().chain(self.durable_names.values()).chain(pending).copied().collect();
        self.files.retain(|id, _| named.contains(id) || is_open(*id));
    }

    /// Named files with their newest content.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let content = |id: &FileId| self.files.get(id).map(|file| file.current.clone()).unwrap_or_default();
        self.names.iter().map(|(name, id)| (name.clone(), content(id))).collect()
    }

    /// What a loss of power at this moment leaves, all of it durable.
    pub(super) fn crash(&self, rng: &mut Rng) -> Self {
        let mut names = self.durable_names.clone();
        for ((name, entry), fate) in self.pending_names.iter().zip(fates(self.pending_names.len(), rng)) {
            if fate == Fate::Kept {
                set_entry(&mut names, name, *entry);
            }
        }
        let mut image = Self::default();
        for (name, id) in names {
            let mut content = Vec::new();
            if let Some(file) = self.files.get(&id) {
                content.clone_from(&file.durable);
                settle(&mut content, &file.pending, rng);
            }
            let file = File {
                current: content.clone(),
                durable: content,
                path: Some(name.clone()),
                ..File::default()
            };
            let id = image.insert(file);
            image.names.insert(name.clone(), id);
            image.durable_names.insert(name, id);
        }
        image
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Truncate { length } => content.resize(*length, 0),
            Self::Write { offset, data } => put(content, *offset, data),
        }
    }

    /// Applies some sectors of a write: a prefix, or any subset. A truncation is done or not.
    fn apply_torn(&self, content: &mut Vec<u8>, rng: &mut Rng) {
        let Self::Write { offset, data } = self else {
            if rng.coin() {
                self.apply(content);
            }
            return;
        };
        let pieces = sectors(*offset, data);
        let prefix = rng.coin().then(|| rng.below(pieces.len() as u64 + 1));
        for (index, (at, bytes)) in (0u64..).zip(pieces) {
            let kept = match prefix {
                Some(length) => index < length,
                None => rng.coin(),
            };
            if kept {
                put(content, at, bytes);
            }
        }
    }
}

/// Applies a random part of the changes.
fn settle(content: &mut Vec<u8>, pending: &[Change], rng: &mut Rng) {
    for (change, fate) in pending.iter().zip(fates(pending.len(), rng)) {
        match fate {
            Fate::Kept => change.apply(content),
            Fate::Torn => change.apply_torn(content, rng),
            Fate::Dropped => {}
        }
    }
}

/// The fate of each of `count` changes. How many are kept varies from one crash to the next, from none to all
/// but the last, so that nearly finished and hardly begun work are both met often.
fn fates(count: usize, rng: &mut Rng) -> Vec<Fate> {
    let kept_quarters = rng.below(5);
    let mut fates = Vec::with_capacity(count);
    for index in 0..count {
        let spared = index + 1 < count || rng.coin();
        fates.push(match rng.below(4) < kept_quarters && spared {
            true => Fate::Kept,
            false if rng.coin() => Fate::Torn,
            false => Fate::Dropped,
        });
    }
    fates
}

fn put(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let end = offset.saturating_add(data.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(target) = content.get_mut(offset..end) {
        target.copy_from_slice(data);
    }
}

/// Cuts a write at the sector boundaries of the file.
fn sectors(offset: usize, data: &[u8]) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (offset, data);
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(rest.len().min(SECTOR_BYTES - at % SECTOR_BYTES));
        pieces.push((at, piece));
        at += piece.len();
        rest = tail;
    }
    pieces
}

fn set_entry(names: &mut BTreeMap<String, FileId>, name: &str, entry: Option<FileId>) {
    match entry {
        Some(id) => names.insert(name.to_owned(), id),
        None => names.remove(name),
    };
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
