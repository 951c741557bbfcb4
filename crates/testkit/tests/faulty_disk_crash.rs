//! SQLite on the faulty disk: what survives a loss of power.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]

use std::collections::BTreeSet;

use ikebana_testkit::faulty_disk::{Disk, Rng};
use rusqlite::{Connection, Result, ffi, params};

const PATH: &str = "/data/test.db";
const ROUNDS: u64 = 200;
const ROWS: i64 = 3;

fn extended_code(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map(|error| error.extended_code).unwrap()
}

fn connect(disk: &Disk, settings: &str) -> Result<Connection> {
    let connection = disk.open(PATH)?;
    connection.execute_batch(settings)?;
    Ok(connection)
}

/// The body of a row: sizes from a few bytes to several pages, recognisable content.
fn body(transaction: i64, row: i64) -> Vec<u8> {
    let mut rng = Rng::new((transaction * ROWS + row) as u64);
    let most = if rng.coin() { 100 } else { 6000 };
    let mut bytes = vec![0; 1 + rng.below(most) as usize];
    rng.fill(&mut bytes);
    bytes
}

fn create(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE log (txn INTEGER, row INTEGER, body BLOB, PRIMARY KEY (txn, row));
         CREATE INDEX by_row ON log (row, txn);",
    )
}

fn commit(connection: &mut Connection, transaction: i64) -> Result<()> {
    let tx = connection.transaction()?;
    for row in 0..ROWS {
        tx.execute("INSERT INTO log VALUES (?, ?, ?)", params![transaction, row, body(transaction, row)])?;
    }
    tx.commit()
}

/// What a run did until power was lost.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    created: bool,
    acknowledged: BTreeSet<i64>,
    last_tried: i64,
}

/// One writer until power is lost; transactions that fail before are given up.
fn write_until_cut(disk: &Disk, settings: &str) -> Run {
    let mut run = Run::default();
    let Ok(mut connection) = connect(disk, settings) else { return run };
    run.created = create(&connection).is_ok();
    while !disk.is_cut() {
        run.last_tried += 1;
        if commit(&mut connection, run.last_tried).is_ok() {
            run.acknowledged.insert(run.last_tried);
        }
    }
    run
}

/// The transactions found, None without a table; each verified to be whole and unchanged. Or what is wrong.
fn recover(disk: &Disk, settings: &str) -> Result<Option<BTreeSet<i64>>, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let connection = connect(disk, settings).map_err(text)?;
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(text)?;
    if check != "ok" {
        return Err(check);
    }
    if !connection.table_exists(None, "log").map_err(text)? {
        return Ok(None);
    }
    let mut statement =
        connection.prepare("SELECT txn, row, body FROM log ORDER BY txn, row").map_err(text)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(text)?;
    let found = rows.collect::<Result<Vec<(i64, i64, Vec<u8>)>>>().map_err(text)?;
    let transactions: BTreeSet<i64> = found.iter().map(|(txn, ..)| *txn).collect();
    let whole = transactions.iter().flat_map(|txn| (0..ROWS).map(|row| (*txn, row, body(*txn, row))));
    if found == whole.collect::<Vec<_>>() {
        Ok(Some(transactions))
    } else {
        Err("a partial transaction".to_owned())
    }
}

/// Everything acknowledged is there. Of the rest at most one transaction, begun after the last acknowledged
/// one: a commit that was under way, or one refused late and not yet overwritten.
fn complete(found: Option<&BTreeSet<i64>>, run: &Run) -> bool {
    let Some(found) = found else { return !run.created };
    let last = run.acknowledged.last().copied().unwrap_or_default();
    let extra: Vec<i64> = found.difference(&run.acknowledged).copied().collect();
    found.is_superset(&run.acknowledged) && extra.len() <= 1 && extra.iter().all(|txn| *txn > last)
}

/// A random cut, then a crash, and sometimes a second one during the recovery of the first.
fn crashed(disk: &Disk, settings: &str, rng: &mut Rng) -> Disk {
    let image = disk.crash_image(rng);
    if rng.coin() {
        return image;
    }
    image.cut_after(rng.below(15));
    drop(connect(&image, settings).and_then(|connection| commit_nothing(&connection)));
    image.crash_image(rng)
}

fn commit_nothing(connection: &Connection) -> Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK; PRAGMA wal_checkpoint(TRUNCATE);")
}

fn each_round(settings: &str, mut judge: impl FnMut(u64, &Run, Result<Option<BTreeSet<i64>>, String>)) {
    for seed in 0..ROUNDS {
        let mut rng = Rng::new(seed);
        let disk = Disk::new(seed);
        disk.cut_after(rng.below(600));
        let run = write_until_cut(&disk, settings);
        judge(seed, &run, recover(&crashed(&disk, settings, &mut rng), settings));
    }
}

const FULL: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=20;";
const NORMAL: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=20;";
const OFF: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=20;";
const ROLLBACK: &str = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;";

#[test]
fn full_sync_keeps_every_acknowledged_commit() {
    let mut acknowledged = 0;
    each_round(FULL, |seed, run, found| {
        let found = found.unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        assert!(complete(found.as_ref(), run), "seed {seed}: {run:?}, found {found:?}");
        acknowledged += run.acknowledged.len();
    });
    assert!(acknowledged > 10 * ROUNDS as usize, "only {acknowledged} commits were put to the test");
}

#[test]
fn a_rollback_journal_keeps_every_acknowledged_commit() {
    each_round(ROLLBACK, |seed, run, found| {
        let found = found.unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        assert!(complete(found.as_ref(), run), "seed {seed}: {run:?}, found {found:?}");
    });
}

#[test]
fn normal_sync_loses_commits_but_stays_consistent() {
    let mut losses = 0;
    each_round(NORMAL, |seed, run, found| {
        let found = found.unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        losses += u64::from(!complete(found.as_ref(), run));
        let found = found.unwrap_or_default();
        assert!(found.iter().copied().eq(1..=found.len() as i64), "seed {seed}: a hole in {found:?}");
    });
    assert!(losses > 0);
}

#[test]
fn no_sync_loses_commits() {
    let mut losses = 0;
    each_round(OFF, |_, run, found| {
        losses += u64::from(!found.is_ok_and(|found| complete(found.as_ref(), run)));
    });
    assert!(losses > 0);
}

/// Commits and now and then a checkpoint, with a sync failing here and there, until the power is lost or, if so
/// asked, a sync has failed. Gives the number of failed syncs.
fn write_with_failing_syncs(disk: &Disk, rng: &mut Rng, stop: bool, run: &mut Run) -> Result<u64> {
    let mut connection = connect(disk, FULL)?;
    connection.execute_batch("PRAGMA wal_autocheckpoint=0")?;
    create(&connection)?;
    run.created = true;
    disk.cut_after(100 + rng.below(300));
    let mut failed = 0;
    while !(disk.is_cut() || stop && failed > 0) {
        disk.fail_sync(1 + rng.below(6));
        run.last_tried += 1;
        let mut outcome = commit(&mut connection, run.last_tried);
        if outcome.is_ok() {
            run.acknowledged.insert(run.last_tried);
            if rng.below(3) == 0 {
                outcome = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
            }
        }
        match outcome {
            Err(error) if extended_code(&error) == ffi::SQLITE_IOERR_FSYNC => failed += 1,
            Err(error) if !disk.is_cut() => return Err(error),
            _ => {}
        }
    }
    Ok(failed)
}

/// Gives the number of failed syncs and of rounds that lost an acknowledged commit or corrupted the database.
fn rounds_with_failing_syncs(lossy: bool, stop: bool) -> (u64, u64) {
    let (mut failed, mut damaged) = (0, 0);
    for seed in 0..ROUNDS {
        let mut rng = Rng::new(seed);
        let disk = Disk::new(seed);
        disk.lose_on_failed_sync(lossy);
        let mut run = Run::default();
        failed += write_with_failing_syncs(&disk, &mut rng, stop, &mut run).unwrap();
        let found = recover(&crashed(&disk, FULL, &mut rng), FULL);
        damaged += u64::from(!found.is_ok_and(|found| complete(found.as_ref(), &run)));
    }
    (failed, damaged)
}

#[test]
fn failed_syncs_lose_only_the_commit_that_was_refused() {
    let (failed, damaged) = rounds_with_failing_syncs(false, false);
    assert!(failed > ROUNDS, "only {failed} failed syncs");
    assert_eq!(damaged, 0);
}

#[test]
fn after_a_lossy_sync_a_writer_must_stop() {
    let (failed, damaged) = rounds_with_failing_syncs(true, true);
    assert!(failed > ROUNDS / 2, "only {failed} failed syncs");
    assert_eq!(damaged, 0);
    let (_, damaged) = rounds_with_failing_syncs(true, false);
    assert!(damaged > 0);
}

#[test]
fn the_same_seeds_give_the_same_fate() {
    let run = |seed| {
        let disk = Disk::new(seed);
        disk.cut_randomly(150, seed);
        let run = write_until_cut(&disk, NORMAL);
        let image = disk.crash_image(&mut Rng::new(seed));
        let again = disk.crash_image(&mut Rng::new(seed));
        assert_eq!(image.files(), again.files());
        let found = recover(&image, NORMAL);
        (run, disk.stats(), image.stats(), found)
    };
    let mut fates = Vec::new();
    for seed in 0..20 {
        let fate = run(seed);
        assert_eq!(fate, run(seed));
        fates.push(fate);
    }
    fates.dedup();
    assert!(fates.len() > 10, "seeds make no difference");
}
