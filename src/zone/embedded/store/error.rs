//! Why a log is of no use. Each text says what to do.

use std::io;
use std::path::PathBuf;

use super::VERSION;

/// Why a zone could not be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The zone's name is none.
    #[error("zone name {name:?}: {reason}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The state directory or a file in it cannot be used.
    #[error("{path}: {source}; the state directory must be writable by this process, or pass another one with --state-dir", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the zone open.
    #[error("{path} is locked: another agent serves this zone; stop it, or use another state directory", path = path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The log is another zone's.
    #[error("{path} holds the zone {found:?}, not {wanted:?}; use another state directory, or move the file away to begin with an empty zone", path = path.display())]
    OtherZone {
        /// The log.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// The log is of another version of the format.
    #[error("{path} has format version {found}, this program reads {VERSION}; use the program that wrote it, or move the file away to begin with an empty zone", path = path.display())]
    OtherVersion {
        /// The log.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The log cannot be read.
    #[error("{path}, line {line}: {reason}; restore the file from a backup, or move it away to begin with an empty zone", path = path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a batch is not in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::zone::embedded) enum AppendError {
    /// It could not be written; what was written of it is cut off.
    #[error("{path}: {reason}; the batch was not written", path = path.display())]
    NotWritten {
        /// The log.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// An earlier one could not be cut off.
    #[error("{path}: cannot cut off a torn line: {reason}; restart the agent", path = path.display())]
    Torn {
        /// The log.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}
