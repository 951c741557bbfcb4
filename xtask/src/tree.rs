//! Where things are, and rules about the files of the project.

use anyhow::{Context as _, bail};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a source file outside tests and benches may have.
const LONGEST_FILE: usize = 500;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// What cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A folder of our own, kept from run to run.
pub(crate) fn kept(name: &str) -> anyhow::Result<PathBuf> {
    let folder = target().join("xtask").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// A folder of our own, empty.
pub(crate) fn empty(name: &str) -> anyhow::Result<PathBuf> {
    let folder = target().join("xtask").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    kept(name)
}

/// No file is longer than a person reads at once.
pub(crate) fn file_lengths() -> anyhow::Result<()> {
    let root = root();
    let mut long = Vec::new();
    for file in sources(&root, "rs")? {
        let relative = file.strip_prefix(&root).unwrap_or(&file);
        let is_test = relative.components().any(|part| {
            ["tests", "benches"].iter().any(|name| part.as_os_str() == *name)
                || part.as_os_str() == "tests.rs"
        });
        let lines = fs::read_to_string(&file)?.lines().count();
        if lines > LONGEST_FILE && !is_test {
            long.push(format!("{} has {lines} lines", relative.display()));
        }
    }
    if !long.is_empty() {
        bail!("longer than {LONGEST_FILE} lines:\n  {}", long.join("\n  "));
    }
    Ok(())
}

/// Where `cargo test` notes the snapshots that it compares with, if it is told to by
/// `INSTA_SNAPSHOT_REFERENCES_FILE`.
pub(crate) fn snapshot_references() -> PathBuf {
    target().join("snapshots.txt")
}

/// Every snapshot is compared with by some test; `false` if the tests were not run so that this is known.
pub(crate) fn snapshots() -> anyhow::Result<bool> {
    let Ok(noted) = fs::read_to_string(snapshot_references()) else { return Ok(false) };
    let used: HashSet<PathBuf> =
        noted.lines().filter_map(|line| Path::new(line).canonicalize().ok()).collect();
    let mut unused = Vec::new();
    for file in sources(&root(), "snap")? {
        if !used.contains(&file.canonicalize()?) {
            unused.push(file.display().to_string());
        }
    }
    if !unused.is_empty() {
        bail!("no test compares with these snapshots:\n  {}", unused.join("\n  "));
    }
    Ok(true)
}

/// All files of the project with this ending.
fn sources(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kind.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(sources(&path, ending)?);
        } else if kind.is_file() && path.extension().is_some_and(|one| one == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
