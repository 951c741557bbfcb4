//! Where lines go. A line that cannot be written is lost: there is no other place to say so.

use super::layout::Layout;
use super::model::Rolling;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// An open destination with its layout. Each line is written whole, by one call.
pub(super) struct Sink {
    pub(super) layout: Layout,
    to: Mutex<Destination>,
}

pub(super) enum Destination {
    Stream(Box<dyn Write + Send>),
    File(LogFile),
}

impl Sink {
    pub(super) fn new(layout: Layout, to: Destination) -> Self {
        Self { layout, to: Mutex::new(to) }
    }

    pub(super) fn write(&self, line: &str) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = match &mut *to {
            Destination::Stream(stream) => stream.write_all(line.as_bytes()).and_then(|()| stream.flush()),
            Destination::File(file) => file.write(line.as_bytes()),
        };
    }
}

/// A file that is appended to.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    rolling: Option<Rolling>,
}

impl LogFile {
    pub(super) fn open(path: &Path, rolling: Option<Rolling>) -> io::Result<Self> {
        let file = append_to(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, rolling })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let full = self.rolling.as_ref().is_some_and(|rolling| self.size >= rolling.size);
        if full {
            // If the files cannot be moved, the line still belongs in the old one.
            let _ = self.roll();
        }
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }

    /// Moves each file one number up, drops the last, and begins anew.
    fn roll(&mut self) -> io::Result<()> {
        let Some(rolling) = &self.rolling else { return Ok(()) };
        let numbered = |number: u32| numbered(&self.path, &rolling.pattern, number);
        for number in (1..rolling.max).rev() {
            let (from, to) = (numbered(number), numbered(number + 1));
            if from.exists() {
                std::fs::rename(from, to)?;
            }
        }
        std::fs::rename(&self.path, numbered(1))?;
        self.file = append_to(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// `kibana.log` with the pattern `-%i` is `kibana-1.log`.
fn numbered(path: &Path, pattern: &str, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let suffix = pattern.replace("%i", &number.to_string());
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}{suffix}{extension}"))
}
