//! SQLite on the faulty disk: concurrency, faults, files. Crashes are in `faulty_disk_crash`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ikebana_testkit::faulty_disk::{Disk, Rng, Stats};
use rusqlite::{Connection, Result, ffi};

const PATH: &str = "/data/test.db";

fn extended_code(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map(|error| error.extended_code).unwrap()
}

fn failure<T>(result: Result<T>) -> i32 {
    extended_code(&result.err().unwrap())
}

fn connect(disk: &Disk, settings: &str) -> Result<Connection> {
    let connection = disk.open(PATH)?;
    connection.execute_batch(settings)?;
    Ok(connection)
}

#[test]
fn one_writer_three_readers_and_a_checkpointer() {
    const TRANSFERS: i64 = 400;
    let disk = Disk::new(1);
    let open = || {
        let connection = connect(&disk, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection.execute_batch("PRAGMA wal_autocheckpoint=0;").unwrap();
        connection
    };
    let mut writer = open();
    writer
        .execute_batch("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, fill BLOB)")
        .unwrap();
    for id in 0..50 {
        writer.execute("INSERT INTO account VALUES (?, 100, zeroblob(900))", [id]).unwrap();
    }
    let done = AtomicBool::new(false);
    let (reads, checkpoints) = thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| read_until(&done, &open()))).collect();
        let checkpointer = scope.spawn(|| checkpoint_until(&done, &open()));
        for transfer in 1..=TRANSFERS {
            let tx = writer.transaction().unwrap();
            tx.execute("UPDATE account SET balance = balance - 1 WHERE id = ?", [transfer % 50]).unwrap();
            tx.execute("UPDATE account SET balance = balance + 1 WHERE id = ?", [transfer * 7 % 50]).unwrap();
            tx.execute("INSERT INTO account VALUES (?, 0, randomblob(900))", [transfer + 100]).unwrap();
            tx.commit().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        let reads: Vec<i64> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        (reads, checkpointer.join().unwrap())
    });
    assert!(reads.iter().all(|count| *count > 0), "{reads:?}");
    assert!(checkpoints > 0);
    let checkpoint: (i64, i64, i64) = writer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(checkpoint, (0, 0, 0));
    let sums: (i64, i64, String) = writer
        .query_row(
            "SELECT sum(balance), count(*), (SELECT integrity_check FROM pragma_integrity_check) FROM account",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(sums, (5000, 50 + TRANSFERS, "ok".to_owned()));
    drop(writer);
    assert_eq!(disk.files().keys().collect::<Vec<_>>(), [PATH]);
}

/// Reads until told; gives the number of reads. Every snapshot is consistent and none is older than the one
/// before.
fn read_until(done: &AtomicBool, connection: &Connection) -> i64 {
    let mut reads = 0;
    let mut rows_before = 0;
    while reads == 0 || !done.load(Ordering::SeqCst) {
        let tx = connection.unchecked_transaction().unwrap();
        let sum: i64 = tx.query_row("SELECT sum(balance) FROM account", [], |row| row.get(0)).unwrap();
        let rows: i64 = tx.query_row("SELECT count(*) FROM account", [], |row| row.get(0)).unwrap();
        tx.commit().unwrap();
        assert_eq!(sum, 5000);
        assert!(rows >= rows_before);
        rows_before = rows;
        reads += 1;
        // A checkpoint in a blocking mode waits for a moment without readers on the slot it looks at; readers
        // that always overlap would hold it, and with it the writer, off for ever.
        thread::sleep(Duration::from_millis(1));
    }
    reads
}

/// Checkpoints in every mode until told; gives the number that moved pages.
fn checkpoint_until(done: &AtomicBool, connection: &Connection) -> i64 {
    let mut useful = 0;
    for mode in ["PASSIVE", "FULL", "RESTART", "TRUNCATE"].into_iter().cycle() {
        let (_, moved): (i64, i64) = connection
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| Ok((row.get(0)?, row.get(2)?)))
            .unwrap();
        useful += i64::from(moved > 0);
        if done.load(Ordering::SeqCst) && useful > 0 {
            break;
        }
        thread::yield_now();
    }
    useful
}

fn numbers(connection: &Connection) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_>>().unwrap()
}

#[test]
fn faults_surface_with_their_codes_and_pass() {
    let disk = Disk::new(2);
    let connection = connect(&disk, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").unwrap();
    connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").unwrap();
    let insert = |n: i64| connection.execute("INSERT INTO t VALUES (?)", [n]);

    disk.set_full(true);
    assert_eq!(failure(insert(1)), ffi::SQLITE_FULL);
    disk.set_full(false);
    assert_eq!(insert(2), Ok(1));

    disk.fail_writes(true);
    assert_eq!(failure(insert(3)), ffi::SQLITE_IOERR_WRITE);
    disk.fail_writes(false);
    assert_eq!(insert(4), Ok(1));

    disk.fail_sync(2);
    assert_eq!(insert(5), Ok(1));
    assert_eq!(failure(insert(6)), ffi::SQLITE_IOERR_FSYNC);
    assert_eq!(insert(7), Ok(1));

    disk.fail_sync(1);
    disk.fail_sync(0);
    assert_eq!(insert(8), Ok(1));
    assert_eq!(numbers(&connection), [2, 4, 5, 7, 8]);
}

#[test]
fn a_full_disk_still_takes_writes_in_place() {
    let disk = Disk::new(3);
    let connection = connect(&disk, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").unwrap();
    connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);").unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(RESTART); UPDATE t SET n = 2;").unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(RESTART);").unwrap();
    disk.set_full(true);
    connection.execute_batch("UPDATE t SET n = 3; PRAGMA wal_checkpoint(PASSIVE);").unwrap();
    assert_eq!(numbers(&connection), [3]);
}

#[test]
fn each_commit_is_one_sync_and_counted() {
    let disk = Disk::new(4);
    let connection = connect(&disk, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").unwrap();
    connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (0);").unwrap();
    let before = disk.stats();
    for n in 1..=10 {
        connection.execute("INSERT INTO t VALUES (?)", [n]).unwrap();
    }
    let after = disk.stats();
    assert_eq!(after.syncs - before.syncs, 10);
    let writes = after.writes - before.writes;
    assert!(writes >= 20, "header and page for each commit, but {writes} writes");
    let expected = Stats {
        operations: before.operations + 10 + writes,
        writes: before.writes + writes,
        syncs: before.syncs + 10,
        ..before
    };
    assert_eq!(after, expected);
}

#[test]
fn without_power_nothing_works_but_closing() {
    let disk = Disk::new(5);
    let connection = connect(&disk, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").unwrap();
    connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);").unwrap();
    disk.power_cut();
    assert!(disk.is_cut());
    let stats = disk.stats();
    assert_eq!(failure(connection.execute("INSERT INTO t VALUES (2)", [])), ffi::SQLITE_IOERR);
    assert_eq!(failure(connection.query_row("SELECT n FROM t", [], |_| Ok(()))), ffi::SQLITE_IOERR);
    assert_eq!(failure(connect(&disk, "PRAGMA user_version")), ffi::SQLITE_IOERR);
    connection.close().unwrap();
    assert_eq!(disk.stats(), stats);

    let image = disk.crash_image(&mut Rng::new(0));
    assert!(!image.is_cut());
    assert_eq!(numbers(&image.open(PATH).unwrap()), [1]);
}

#[test]
fn connections_lock_each_other_out() {
    let disk = Disk::new(6);
    let open = || {
        let connection = connect(&disk, "PRAGMA journal_mode=DELETE;").unwrap();
        connection.busy_timeout(Duration::ZERO).unwrap();
        connection
    };
    let (first, second) = (open(), open());
    first.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);").unwrap();

    // Two readers and a pending writer; the writer waits for both.
    first.execute_batch("BEGIN").unwrap();
    assert_eq!(numbers(&first), [1]);
    second.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2);").unwrap();
    assert_eq!(failure(first.execute("INSERT INTO t VALUES (3)", [])), ffi::SQLITE_BUSY);
    assert_eq!(failure(second.execute_batch("COMMIT")), ffi::SQLITE_BUSY);
    // A pending writer keeps new readers out, the old one may go on.
    let third = disk.open(PATH).unwrap();
    third.busy_timeout(Duration::ZERO).unwrap();
    assert_eq!(failure(third.query_row("SELECT n FROM t", [], |_| Ok(()))), ffi::SQLITE_BUSY);
    assert_eq!(numbers(&first), [1]);
    first.execute_batch("COMMIT").unwrap();
    second.execute_batch("COMMIT").unwrap();
    assert_eq!(numbers(&third), [1, 2]);
}

#[test]
fn shared_memory_locks_keep_writers_apart_and_snapshots_alive() {
    let disk = Disk::new(10);
    let open = || connect(&disk, "PRAGMA journal_mode=WAL; PRAGMA busy_timeout=0;").unwrap();
    let (first, second) = (open(), open());
    first.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);").unwrap();

    first.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2);").unwrap();
    assert_eq!(failure(second.execute_batch("BEGIN IMMEDIATE")), ffi::SQLITE_BUSY);
    second.execute_batch("BEGIN").unwrap();
    assert_eq!(numbers(&second), [1]);
    first.execute_batch("COMMIT").unwrap();
    let truncate = || first.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    assert_eq!(truncate(), Ok(1));
    assert_eq!(numbers(&second), [1]);
    second.execute_batch("COMMIT").unwrap();
    assert_eq!(truncate(), Ok(0));
    assert_eq!(numbers(&second), [1, 2]);
}

#[test]
fn the_vfs_goes_with_the_last_handle_and_file() {
    let disk = Disk::new(7);
    let name = disk.vfs_name().to_owned();
    let open = || Connection::open_with_flags_and_vfs(PATH, rusqlite::OpenFlags::default(), name.as_str());
    let connection = open().unwrap();
    let clone = disk.clone();
    drop(disk);
    connection.execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t (n INTEGER PRIMARY KEY);").unwrap();
    assert_eq!(clone.vfs_name(), name);
    drop(clone);
    connection.execute_batch("INSERT INTO t VALUES (1); PRAGMA journal_mode=DELETE; VACUUM;").unwrap();
    assert_eq!(numbers(&open().unwrap()), [1]);
    drop(connection);
    let message = open().err().map(|error| error.to_string());
    assert_eq!(message, Some(format!("no such vfs: {name}")));
}

#[test]
fn temporary_files_work_and_do_not_survive() {
    let disk = Disk::new(8);
    let connection = connect(&disk, "PRAGMA temp_store=FILE; PRAGMA temp.cache_size=5;").unwrap();
    connection
        .execute_batch(
            "CREATE TEMP TABLE t (n INTEGER PRIMARY KEY, fill BLOB);
             WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 500)
             INSERT INTO t SELECT n, randomblob(2000) FROM c;",
        )
        .unwrap();
    let sorted: i64 = connection
        .query_row("SELECT count(*) FROM (SELECT fill FROM t ORDER BY fill LIMIT 400)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sorted, 400);
    assert!(disk.stats().writes > 100);
    let files: Vec<String> = disk.files().into_keys().collect();
    assert_eq!(files, [PATH]);
}

#[test]
fn time_passes_and_relative_paths_are_rooted() {
    let disk = Disk::new(9);
    let connection = disk.open("./some.db").unwrap();
    let recent: bool = connection.query_row("SELECT unixepoch() > 1700000000", [], |row| row.get(0)).unwrap();
    assert!(recent);
    connection.execute_batch("CREATE TABLE t (n)").unwrap();
    assert_eq!(disk.files().into_keys().collect::<Vec<_>>(), ["/some.db"]);
}
