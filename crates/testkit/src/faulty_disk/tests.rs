//! The parts without SQLite: storage and lock tables against naive models.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::locks::{Busy, FileLocks, Level, SHM_SLOTS, ShmLocks};
use super::rng::Rng;
use super::storage::{EntrySync, SECTOR_BYTES, Storage};

#[test]
fn the_generator_is_splitmix64() {
    // The first outputs for seed 1234567, as published with the algorithm's reference code.
    let mut rng = Rng::new(1_234_567);
    let drawn = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
    assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}

#[derive(Clone, Debug)]
enum Step {
    Write { offset: usize, fill: u8, length: usize },
    Truncate(usize),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3000usize, 1..=255u8, 0..1500usize)
            .prop_map(|(offset, fill, length)| Step::Write { offset, fill, length }),
        1 => (0..4000usize).prop_map(Step::Truncate),
        1 => Just(Step::Sync),
    ]
}

/// Per byte, every value a crash may leave there.
#[derive(Default)]
struct Model {
    current: Vec<u8>,
    possible: Vec<BTreeSet<u8>>,
    lengths: BTreeSet<usize>,
    synced: bool,
}

impl Model {
    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Write { offset, fill, length } if length > 0 => {
                let end = offset + length;
                self.current.resize(self.current.len().max(end), 0);
                self.current[offset..end].fill(fill);
                self.widen();
            }
            Step::Write { .. } => {}
            Step::Truncate(length) => {
                self.current.resize(length, 0);
                self.widen();
            }
            Step::Sync => {
                self.possible = self.current.iter().map(|byte| BTreeSet::from([*byte])).collect();
                self.lengths.clear();
                self.synced = true;
            }
        }
    }

    fn widen(&mut self) {
        self.lengths.insert(self.current.len());
        self.possible.resize_with(self.possible.len().max(self.current.len()), BTreeSet::new);
        for (index, values) in self.possible.iter_mut().enumerate() {
            values.insert(0);
            values.extend(self.current.get(index));
        }
    }
}

fn run(storage: &mut Storage, steps: &[Step]) -> Model {
    let file = storage.create("/d/f", EntrySync::Own);
    let mut model = Model::default();
    for step in steps {
        match *step {
            Step::Write { offset, fill, length } => storage.write(file, offset, &vec![fill; length]),
            Step::Truncate(length) => storage.truncate(file, length),
            Step::Sync => storage.sync(file),
        }
        model.apply(step);
    }
    model
}

proptest! {
    #[test]
    fn reads_see_the_newest_content(steps in prop::collection::vec(step(), 0..20), at in 0..5000usize) {
        let mut storage = Storage::default();
        let model = run(&mut storage, &steps);
        let file = storage.find("/d/f").unwrap();
        let mut buffer = [7; 700];
        let length = storage.read(file, at, &mut buffer);
        let mut expected = model.current.get(at..).unwrap_or_default().to_vec();
        expected.truncate(700);
        prop_assert_eq!(&buffer[..length], &expected[..]);
        prop_assert_eq!(storage.length(file), model.current.len());
        prop_assert_eq!(&storage.contents()["/d/f"], &model.current);
    }

    #[test]
    fn a_crash_leaves_only_what_was_synced_or_written(
        steps in prop::collection::vec(step(), 0..20),
        seed: u64,
    ) {
        let mut storage = Storage::default();
        let model = run(&mut storage, &steps);
        let image = storage.crash(&mut Rng::new(seed)).contents();
        prop_assert_eq!(&image, &storage.crash(&mut Rng::new(seed)).contents());
        let Some(content) = image.get("/d/f") else {
            prop_assert!(!model.synced, "a synced file is gone");
            return Ok(());
        };
        if model.lengths.is_empty() {
            prop_assert_eq!(content, &model.current);
        }
        prop_assert!(content.len() <= model.possible.len());
        for (byte, possible) in content.iter().zip(&model.possible) {
            prop_assert!(possible.contains(byte));
        }
    }

    #[test]
    fn database_locks_follow_the_rules(
        steps in prop::collection::vec((0..4usize, any::<bool>(), 0..4usize), 0..60),
    ) {
        const WANTED: [Level; 4] = [Level::Shared, Level::Shared, Level::Reserved, Level::Exclusive];
        const LOWERED: [Level; 4] = [Level::Shared, Level::None, Level::Shared, Level::None];
        let mut locks = FileLocks::default();
        let mut levels = [Level::None; 4];
        for (who, raise, choice) in steps {
            if raise {
                let expected = naive_lock(&mut levels, who, WANTED[choice]);
                prop_assert_eq!(locks.lock(who as u64, WANTED[choice]), expected);
            } else {
                levels[who] = levels[who].min(LOWERED[choice]);
                locks.unlock(who as u64, LOWERED[choice]);
            }
            prop_assert_eq!([0, 1, 2, 3].map(|handle| locks.level(handle)), levels);
            prop_assert_eq!(locks.reserved(), levels.iter().any(|level| *level >= Level::Reserved));
        }
    }

    #[test]
    fn shared_memory_locks_follow_the_rules(
        steps in prop::collection::vec((0..3usize, 0..3u8, 0..SHM_SLOTS, 1..4usize), 0..80),
    ) {
        let mut locks = ShmLocks::default();
        // Per slot and handle: nothing, shared or exclusive.
        let mut held = [[' '; 3]; SHM_SLOTS];
        for (who, action, first, count) in steps {
            let range = first..(first + count).min(SHM_SLOTS);
            let others = |kinds: &str| {
                held[range.clone()].iter().any(|slot| {
                    slot.iter().enumerate().any(|(handle, kind)| handle != who && kinds.contains(*kind))
                })
            };
            let own = held[range.clone()].iter().any(|slot| slot[who] != ' ');
            match action {
                0 => {
                    locks.unlock(who as u64, range.clone());
                    held[range].iter_mut().for_each(|slot| slot[who] = ' ');
                }
                // A handle never asks for what it holds already, in either mode.
                _ if own => {}
                1 => {
                    let expected = if others("x") { Err(Busy) } else { Ok(()) };
                    prop_assert_eq!(locks.lock_shared(who as u64, range.clone()), expected.map(|()| {
                        held[range].iter_mut().for_each(|slot| slot[who] = 's');
                    }));
                }
                _ => {
                    let expected = if others("xs") { Err(Busy) } else { Ok(()) };
                    prop_assert_eq!(locks.lock_exclusive(who as u64, range.clone()), expected.map(|()| {
                        held[range].iter_mut().for_each(|slot| slot[who] = 'x');
                    }));
                }
            }
        }
    }
}

fn naive_lock(levels: &mut [Level; 4], who: usize, wanted: Level) -> Result<(), Busy> {
    if levels[who] >= wanted {
        return Ok(());
    }
    let others = (0..4).filter(|other| *other != who).map(|other| levels[other]).max().unwrap();
    let granted = match wanted {
        Level::Shared if others < Level::Pending => Level::Shared,
        Level::Reserved if others < Level::Reserved => Level::Reserved,
        Level::Exclusive if others == Level::None => Level::Exclusive,
        Level::Exclusive if others == Level::Shared => Level::Pending,
        _ => levels[who],
    };
    levels[who] = granted;
    if granted == wanted { Ok(()) } else { Err(Busy) }
}

/// What crashes with many seeds leave of the file: None where it does not exist.
fn outcomes(storage: &Storage, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..500).map(|seed| storage.crash(&mut Rng::new(seed)).contents().remove(path)).collect()
}

#[test]
fn an_unsynced_write_is_kept_dropped_or_torn_in_any_way() {
    let mut storage = Storage::default();
    let file = storage.create("/f", EntrySync::Own);
    storage.write(file, 0, &[b'a'; 3 * SECTOR_BYTES]);
    storage.sync(file);
    // Starts within the first sector and ends within the third.
    storage.write(file, 500, &[b'b'; 600]);
    let mut expected = BTreeSet::new();
    for subset in 0..8u8 {
        let mut content = vec![b'a'; 3 * SECTOR_BYTES];
        for (sector, range) in [500..512, 512..1024, 1024..1100].into_iter().enumerate() {
            if subset >> sector & 1 == 1 {
                content[range].fill(b'b');
            }
        }
        expected.insert(Some(content));
    }
    assert_eq!(outcomes(&storage, "/f"), expected);
}

#[test]
fn writes_may_arrive_out_of_order() {
    let mut storage = Storage::default();
    let file = storage.create("/f", EntrySync::Own);
    storage.write(file, 0, b"..");
    storage.sync(file);
    storage.write(file, 0, b"1");
    storage.write(file, 1, b"2");
    let expected = [&b".."[..], b"1.", b".2", b"12"].map(|content| Some(content.to_vec()));
    assert_eq!(outcomes(&storage, "/f"), BTreeSet::from(expected));
}

#[test]
fn a_lossy_sync_loses_changes_for_good() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let mut storage = Storage::default();
        let file = storage.create("/f", EntrySync::Own);
        storage.write(file, 0, b"old");
        storage.sync(file);
        storage.write(file, 0, b"new");
        storage.lose_pending(file, &mut Rng::new(seed));
        assert_eq!(storage.contents()["/f"], b"new");
        storage.sync(file);
        seen.extend(outcomes(&storage, "/f"));
    }
    assert_eq!(seen, BTreeSet::from([Some(b"old".to_vec()), Some(b"new".to_vec())]));
}

#[test]
fn a_deletion_is_durable_with_its_directory_only() {
    let make = || {
        let mut storage = Storage::default();
        let file = storage.create("/d/f", EntrySync::Own);
        storage.write(file, 0, b"x");
        storage.sync(file);
        assert!(storage.delete("/d/f"));
        assert!(!storage.delete("/d/f"));
        assert_eq!(storage.find("/d/f"), None);
        storage
    };
    let back = Some(b"x".to_vec());

    assert_eq!(outcomes(&make(), "/d/f"), BTreeSet::from([None, back.clone()]));

    let mut storage = make();
    storage.sync_directory_of("/e/other");
    assert_eq!(outcomes(&storage, "/d/f"), BTreeSet::from([None, back.clone()]));
    storage.sync_directory_of("/d/other");
    assert_eq!(outcomes(&storage, "/d/f"), BTreeSet::from([None]));

    let mut storage = make();
    let database = storage.create("/d/database", EntrySync::Own);
    storage.sync(database);
    assert_eq!(outcomes(&storage, "/d/f"), BTreeSet::from([None, back]));

    let mut storage = make();
    let journal = storage.create("/d/journal", EntrySync::Directory);
    storage.sync(journal);
    assert_eq!(outcomes(&storage, "/d/f"), BTreeSet::from([None]));

    let mut storage = make();
    let again = storage.create("/d/f", EntrySync::Own);
    storage.sync(again);
    assert_eq!(outcomes(&storage, "/d/f"), BTreeSet::from([Some(Vec::new())]));
}

#[test]
fn a_new_file_may_be_missing_until_it_is_synced() {
    let mut storage = Storage::default();
    let file = storage.create("/f", EntrySync::Own);
    assert_eq!(outcomes(&storage, "/f"), BTreeSet::from([None, Some(Vec::new())]));
    storage.sync(file);
    assert_eq!(outcomes(&storage, "/f"), BTreeSet::from([Some(Vec::new())]));
}

#[test]
fn files_out_of_reach_are_forgotten() {
    let mut storage = Storage::default();
    let file = storage.create("/f", EntrySync::Own);
    let unnamed = storage.create_unnamed();
    storage.write(file, 0, b"x");
    storage.write(unnamed, 0, b"yy");
    storage.sync(file);
    storage.delete("/f");
    storage.collect(|id| id == unnamed);
    // Not open and not named, but a crash may bring it back.
    assert_eq!((storage.length(file), storage.length(unnamed)), (1, 2));
    storage.sync_directory_of("/f");
    storage.collect(|_| false);
    assert_eq!((storage.length(file), storage.length(unnamed)), (0, 0));
}
