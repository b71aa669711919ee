//! The zone on disk: a log of accepted batches in the state directory, so that it outlives the agent.
//!
//! ```text
//! zone.log    {"format":"ecssd zone log","version":1,"zone":"sd.internal"}    the first line
//!             [{"action":"CREATE","set":{...}},...]                           one accepted batch a line
//! zone.lock   held while the zone is open
//! ```
//!
//! A batch is written before it is visible, and in one write. A line without its newline was torn by a
//! power cut or a kill: it was never answered, and is dropped with a warning. Anything else that cannot
//! be read is refused, with what to do about it: a zone is never silently emptied.
//!
//! On open, and when the log has outgrown the zone, it is compacted: written anew beside the old one,
//! synced, and renamed over it. Appends are not synced: after a power cut, which is all that could lose
//! them, the containers that they stand for are gone too.

mod error;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

pub(super) use self::error::AppendError;
pub use self::error::OpenError;
use super::contents::Contents;
use super::name::OwnerName;
use crate::private_file;
use crate::record::{Action, Change, RecordSet};

const FORMAT: &str = "ecssd zone log";
const VERSION: u32 = 1;

/// Sets in one line of a compacted log: long enough to be few, short enough to be read one at a time.
const COMPACTED_SETS_PER_LINE: usize = 100;

/// A log is compacted when what was appended is over this many bytes, and over
/// [`APPENDED_FACTOR_MAX`] times the compacted log.
const APPENDED_BYTES_MIN: u64 = 1 << 20;

/// See [`APPENDED_BYTES_MIN`].
const APPENDED_FACTOR_MAX: u64 = 4;

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Header {
    format: String,
    version: u32,
    zone: String,
}

/// The log of an open zone.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    file: Box<dyn LogFile>,
    /// Bytes of whole lines in `file`.
    len: u64,
    /// Bytes after the last compaction.
    compacted_len: u64,
    /// Why nothing can be appended any more, if so.
    broken: Option<AppendError>,
    /// Held until the store is dropped.
    _lock: File,
}

/// What a store needs of its file; a test has one that fills up.
trait LogFile: Write + Send + std::fmt::Debug {
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

impl LogFile for File {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

/// Where a zone is kept in its directory.
const LOG: &str = "zone.log";

/// Whether a zone was left in this directory, or may have been: what cannot be looked at is for [`Store::open`] to refuse.
pub(super) fn may_be_in(dir: &Path) -> bool {
    dir.join(LOG).try_exists().unwrap_or(true)
}

impl Store {
    /// Opens the zone `zone` in `dir`, which is created where it is missing.
    pub(super) fn open(dir: &Path, zone: &OwnerName) -> Result<(Self, Contents), OpenError> {
        private_file::make_dir(dir).map_err(at(dir))?;
        let lock = lock(&dir.join("zone.lock"))?;
        let path = dir.join(LOG);
        let mut contents = match private_file::open(&path, OpenOptions::new().read(true)) {
            Ok(file) => read(&path, file, zone)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::new(zone.clone()),
            Err(error) => return Err(at(&path)(error)),
        };
        if contents.lower_soa() {
            tracing::info!(
                event = "soa_lowered",
                path = %path.display(),
                "the zone was made when its SOA let \"there is none\" be remembered for 900 s: now for 5 s"
            );
        }
        let (file, len) = match write_compacted(&path, &contents) {
            Ok(written) => written,
            // What it holds is served all the same, and what is new is taken once there is room.
            Err(error) => {
                let (file, len) = go_on_with(&path)
                    .map_err(|_| at(&path)(io::Error::new(error.kind(), error.to_string())))?;
                tracing::warn!(event = "zone_log_not_compacted", path = %path.display(), %error, "the zone's log could not be written anew, and grows on");
                (file, len)
            }
        };
        let file = Box::new(file);
        Ok((Self { path, file, len, compacted_len: len, broken: None, _lock: lock }, contents))
    }

    /// Writes one accepted batch.
    ///
    /// # Errors
    ///
    /// The batch is not in the log then: what was written of it is cut off, and where even that fails, the store
    /// takes nothing any more.
    pub(super) fn append(&mut self, batch: &[Change]) -> Result<(), AppendError> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let mut line = serde_json::to_vec(batch).expect("a batch has neither maps nor odd floats");
        line.push(b'\n');
        match self.file.write_all(&line) {
            Ok(()) => {
                self.len += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                if let Err(error) = self.file.truncate(self.len) {
                    self.broken =
                        Some(AppendError::Torn { path: self.path.clone(), reason: error.to_string() });
                }
                Err(AppendError::NotWritten { path: self.path.clone(), reason: error.to_string() })
            }
        }
    }

    /// Compacts the log if it has outgrown the zone. A failure leaves the old log in use.
    pub(super) fn compact_if_due(&mut self, contents: &Contents) {
        let appended = self.len - self.compacted_len;
        if appended < APPENDED_BYTES_MIN.max(self.compacted_len * APPENDED_FACTOR_MAX) {
            return;
        }
        match write_compacted(&self.path, contents) {
            Ok((file, len)) => {
                (self.file, self.len, self.compacted_len) = (Box::new(file), len, len);
                tracing::debug!(path = %self.path.display(), bytes = len, "zone log compacted");
            }
            Err(error) => {
                // Tried again when as much has been appended once more.
                self.compacted_len = self.len;
                tracing::warn!(event = "zone_log_not_compacted", path = %self.path.display(), %error, "the zone's log could not be written anew, and grows on");
            }
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let file = private_file::open(path, OpenOptions::new().create(true).append(true)).map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(at(path)(error)),
    }
}

fn read(path: &Path, file: impl io::Read, zone: &OwnerName) -> Result<Contents, OpenError> {
    let damaged = |line, reason: String| OpenError::Damaged { path: path.to_owned(), line, reason };
    let mut reader = BufReader::new(file);
    let mut contents = Contents::empty(zone.clone());
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        reader.read_until(b'\n', &mut line).map_err(at(path))?;
        let Some(whole) = line.strip_suffix(b"\n") else {
            match (number, line.len()) {
                (1, _) => return Err(damaged(1, "the header is missing or torn".to_owned())),
                (_, 0) => {}
                (_, bytes) => {
                    tracing::warn!(event = "zone_log_torn", path = %path.display(), line = number, bytes, "the zone's log ends in the middle of a change, which was never confirmed: dropped");
                }
            }
            break;
        };
        if number == 1 {
            check_header(path, whole, zone)?;
            continue;
        }
        let batch: Vec<Change> =
            serde_json::from_slice(whole).map_err(|error| damaged(number, error.to_string()))?;
        contents.replay(&batch).map_err(|fault| damaged(number, fault.to_string()))?;
    }
    contents.check_apex().map_err(|fault| damaged(1, fault.to_string()))?;
    Ok(contents)
}

fn check_header(path: &Path, line: &[u8], zone: &OwnerName) -> Result<(), OpenError> {
    let path = path.to_owned();
    let header: Header = match serde_json::from_slice(line) {
        Ok(header) => header,
        Err(error) => return Err(OpenError::Damaged { path, line: 1, reason: error.to_string() }),
    };
    if header.format != FORMAT {
        let reason = format!("the format is {:?}, not {FORMAT:?}", header.format);
        return Err(OpenError::Damaged { path, line: 1, reason });
    }
    if header.version != VERSION {
        return Err(OpenError::OtherVersion { path, found: header.version });
    }
    if header.zone != zone.as_str() {
        return Err(OpenError::OtherZone { path, found: header.zone, wanted: zone.as_str().to_owned() });
    }
    Ok(())
}

/// The log as it is, open for appending, and how long its whole lines are: a torn one is cut off.
fn go_on_with(path: &Path) -> io::Result<(File, u64)> {
    let mut file = private_file::open(path, OpenOptions::new().read(true).append(true))?;
    let mut log = Vec::new();
    io::Read::read_to_end(&mut file, &mut log)?;
    let len = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1) as u64;
    file.set_len(len)?;
    Ok((file, len))
}

/// Writes `contents` as a fresh log over `path`; the file is open for appending, and so long.
fn write_compacted(path: &Path, contents: &Contents) -> io::Result<(File, u64)> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut writer =
        BufWriter::new(private_file::open(&beside, OpenOptions::new().create_new(true).append(true))?);
    let zone = contents.zone().as_str().to_owned();
    serde_json::to_writer(&mut writer, &Header { format: FORMAT.to_owned(), version: VERSION, zone })?;
    writer.write_all(b"\n")?;
    let mut sets = contents.sets().peekable();
    while sets.peek().is_some() {
        let upsert = |set: &RecordSet| Change { action: Action::Upsert, set: set.clone() };
        let line: Vec<Change> = sets.by_ref().take(COMPACTED_SETS_PER_LINE).map(upsert).collect();
        serde_json::to_writer(&mut writer, &line)?;
        writer.write_all(b"\n")?;
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    let len = file.metadata()?.len();
    Ok((file, len))
}

#[cfg(test)]
mod tests;
