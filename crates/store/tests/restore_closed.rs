//! Putting a backup in place of a file that nobody has open.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]

use ikebana_clock::{Clock as _, FakeClock, Millis};
use ikebana_store::embedded::{Embedded, Options, restore_closed};
use ikebana_store::{Class, Commit, Draft, Engine as _, FindRequest, ObjectType, Registry};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const START: Millis = Millis(1_700_000_000_000);
const ASIDE: &str = "ikebana.before-restore-2023-11-14T22-13-20-000Z.db";
const NOTE: ObjectType = ObjectType::new("note", Class::Agnostic);

fn registry() -> Registry {
    Registry::new([NOTE])
}

fn open(path: &Path) -> Embedded {
    Embedded::open(Options::at(path), registry(), FakeClock::at(START)).unwrap()
}

async fn put(engine: &Embedded, id: &str) {
    let mut attributes = Map::new();
    attributes.insert("text".to_owned(), json!("x".repeat(3000)));
    let draft = Draft::new(NOTE.key("default", id), Vec::new(), attributes);
    engine.commit(Commit::new().create(draft)).await.unwrap();
}

async fn ids(engine: &Embedded) -> Vec<String> {
    let page = engine.find(FindRequest { size: 1000, ..FindRequest::of("note") }).await.unwrap();
    page.objects.iter().map(|object| object.key.id.to_string()).collect()
}

struct Home(TempDir);

impl Home {
    /// A live file with the note `live`, closed, and beside it a backup with `saved`.
    async fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let other = tempfile::tempdir().unwrap();
        let engine = open(&other.path().join("other.db"));
        for number in 0..50 {
            put(&engine, &format!("saved {number:02}")).await;
        }
        engine.backup(&home.path("backup")).await.unwrap();
        put(&open(&home.live()), "live").await;
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn live(&self) -> PathBuf {
        self.path("ikebana.db")
    }

    fn restore(&self, from: &str) -> Result<Option<PathBuf>, String> {
        let clock = FakeClock::at(START);
        assert_eq!(clock.now(), START);
        restore_closed(&Options::at(self.live()), &self.path(from), &registry(), &*clock)
            .map_err(|error| error.to_string())
    }

    fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    async fn holds_the_backup(&self) {
        let engine = open(&self.live());
        let found = ids(&engine).await;
        assert_eq!((found.len(), &*found[0]), (50, "saved 00"));
        put(&engine, "written later").await;
    }
}

#[tokio::test]
async fn the_former_store_is_kept_aside_whole() {
    let home = Home::new().await;
    assert_eq!(home.restore("backup").unwrap(), Some(home.path(ASIDE)));
    home.holds_the_backup().await;
    assert_eq!(open(&home.live()).wakeups().borrow().primary_term, 2);
    assert_eq!(ids(&open(&home.path(ASIDE))).await, ["live"]);
}

#[tokio::test]
async fn a_store_that_was_killed_keeps_what_its_log_holds() {
    let home = Home::new().await;
    // The log of a process that ended without copying it into the file.
    let (file, log) = {
        let engine = open(&home.live());
        put(&engine, "in the log").await;
        (std::fs::read(home.live()).unwrap(), std::fs::read(home.path("ikebana.db-wal")).unwrap())
    };
    std::fs::write(home.live(), file).unwrap();
    std::fs::write(home.path("ikebana.db-wal"), log).unwrap();
    home.restore("backup").unwrap();
    home.holds_the_backup().await;
    assert_eq!(ids(&open(&home.path(ASIDE))).await, ["live", "in the log"]);
}

#[tokio::test]
async fn what_is_there_may_be_of_a_newer_program_or_no_store_at_all() {
    for newer in [true, false] {
        let home = Home::new().await;
        let mut bytes = std::fs::read(home.live()).unwrap();
        if newer {
            bytes[60..64].copy_from_slice(&[0, 0, 0, 99]);
        } else {
            bytes.fill(7);
        }
        std::fs::write(home.live(), &bytes).unwrap();
        home.restore("backup").unwrap();
        assert_eq!(std::fs::read(home.path(ASIDE)).unwrap(), bytes);
        home.holds_the_backup().await;
        let term = open(&home.live()).wakeups().borrow().primary_term;
        assert!(if newer { term == 2 } else { term > 1_000_000 }, "{term}");
    }
}

#[tokio::test]
async fn an_empty_folder_takes_a_backup() {
    let home = Home::new().await;
    std::fs::remove_file(home.live()).unwrap();
    assert_eq!(home.restore("backup").unwrap(), None);
    home.holds_the_backup().await;
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let home = Home::new().await;
    let mut damaged = std::fs::read(home.path("backup")).unwrap();
    // A page within the table's tree.
    let middle = damaged.len() / 2 / 4096 * 4096;
    damaged[middle..middle + 2000].fill(0xA5);
    std::fs::write(home.path("damaged"), damaged).unwrap();
    std::fs::copy(home.path("backup"), home.path("in use")).unwrap();
    std::fs::write(home.path("in use-wal"), "some commits").unwrap();
    std::fs::write(home.path("other"), "no store").unwrap();
    for (from, text) in [
        ("damaged", "is damaged"),
        ("in use", "belongs to it"),
        ("other", "is not a file of this program"),
        ("missing", "is not a file"),
    ] {
        let before = home.content();
        let refusal = home.restore(from).unwrap_err();
        assert!(refusal.contains(text), "{from}: {refusal}");
        assert!(home.content() == before, "{from}: the folder changed");
    }
    assert_eq!(ids(&open(&home.live())).await, ["live"]);
}

#[tokio::test]
async fn a_store_in_use_is_left_alone() {
    let home = Home::new().await;
    let engine = open(&home.live());
    assert!(home.restore("backup").unwrap_err().contains("in use by another process"));
    assert_eq!(ids(&engine).await, ["live"]);
}
