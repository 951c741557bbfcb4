//! The program as it is started: what it says where, what it reads, what it refuses.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A started program, killed at the end. What it says goes into files, which are never full.
struct Started {
    child: Child,
    folder: PathBuf,
}

impl Started {
    fn on(folder: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let said = |name: &str| File::create(folder.join(name)).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ikebana"));
        command.args(["serve", "-H", "127.0.0.1", "-p", "0", "--path.data=data"]).current_dir(folder);
        command.env_remove("ELASTIC_PASSWORD").stdin(Stdio::null());
        command.stdout(said("stdout")).stderr(said("stderr"));
        change(&mut command);
        Self { child: command.spawn().expect("a process"), folder: folder.to_owned() }
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).expect("a file")
    }

    /// Waits for the line in the log after which it answers.
    fn running(mut self) -> Self {
        for _ in 0..2000 {
            if self.said("stdout").contains("http server running") {
                return self;
            }
            if let Some(status) = self.child.try_wait().expect("a status") {
                panic!("it ended with {status}: {}", self.said("stderr"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not start: {}", self.said("stderr"));
    }

    /// Waits for the end of one that does not start; what it said to people.
    fn refused(mut self) -> String {
        assert_eq!(self.child.wait().expect("a status").code(), Some(1));
        self.said("stderr")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(text: &str) -> Vec<serde_json::Value> {
    let line =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of the log: {line}"));
    text.lines().map(line).collect()
}

#[test]
fn the_log_is_json_alone_and_the_password_is_shown_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Started::on(folder.path(), |_| {}).running();
    assert!(!log(&program.said("stdout")).is_empty());
    let welcome = program.said("stderr");
    let password = welcome.lines().find_map(|line| line.trim().strip_prefix("password  "));
    let password = password.and_then(|rest| rest.split(' ').next()).expect("a password");
    assert_eq!(password.len(), 20, "{welcome}");
    assert!(!program.said("stdout").contains(password));
}

#[test]
fn a_password_that_comes_too_late_is_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let given = |command: &mut Command| {
        command.env("ELASTIC_PASSWORD", "changeme");
    };
    let warned = |program: &Started| {
        let lines = log(&program.said("stdout"));
        lines
            .iter()
            .filter(|line| line["message"].as_str().unwrap_or("").starts_with("ELASTIC_PASSWORD"))
            .count()
    };
    assert_eq!(warned(&Started::on(folder.path(), given).running()), 0);
    assert_eq!(warned(&Started::on(folder.path(), given).running()), 1);
    assert_eq!(warned(&Started::on(folder.path(), |_| {}).running()), 0);
}

#[cfg(unix)]
#[test]
fn variables_that_are_no_text_are_not_read() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let odd = OsStr::from_bytes(b"\xff");
    drop(
        Started::on(folder.path(), |command| {
            command.env("ODD", odd).env(odd, "odd");
        })
        .running(),
    );
    let refused = Started::on(folder.path(), |command| {
        command.env("ELASTIC_PASSWORD", odd);
    })
    .refused();
    assert!(refused.contains("ELASTIC_PASSWORD is not UTF-8"), "{refused}");
}

#[test]
fn a_backup_takes_the_names_of_keys_along() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Started::on(folder.path(), |_| {}).running());
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_ikebana")).args(arguments).current_dir(folder.path()).output();
        let output = output.expect("a process");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["backup", "copy", "--path.data=data"]);
    run(&["restore", "copy", "--path.data=other"]);
    for name in ["encryption.key", "encryption.keys"] {
        let read = |of: &str| fs::read_to_string(folder.path().join(of).join(name)).expect("a file");
        assert!(!read("data").is_empty());
        assert_eq!([read("copy"), read("other")], [read("data"), read("data")], "{name}");
    }
    drop(
        Started::on(folder.path(), |command| {
            command.arg("--path.data=other");
        })
        .running(),
    );
}
