//! Why the copy on disk is of no use.

use std::io;

use super::{FORMAT, VERSION};
use crate::journal::Title;
use crate::record::InvalidContainerId;

/// Why something could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The state directory, its lock or the file cannot be used.
    #[error("{0}")]
    File(String),
    /// The lock may not be opened, so another may hold it.
    #[error("{0}")]
    LockDenied(String),
    /// The database says so.
    #[error("{0}")]
    Database(String),
    /// The database panicked, as it does on some torn files.
    #[error("the database panicked; see the log above")]
    Panicked,
    /// It is closed.
    #[error("closed")]
    Closed,
    /// It is another program's.
    #[error("its format is {0:?}, not {FORMAT:?}")]
    Format(String),
    /// It is of another version of this one.
    #[error("its format's version is {0}, this program reads {VERSION}")]
    Version(String),
    /// It is of another zone or owner.
    #[error("it is of {found}, not of {expected}")]
    Other {
        /// Whose it is.
        found: Box<Title>,
        /// Whose it should be.
        expected: Box<Title>,
    },
    /// A row is no entry.
    #[error("an entry cannot be read: {0}")]
    Entry(String),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::File(error.to_string())
    }
}

impl From<InvalidContainerId> for StoreError {
    fn from(error: InvalidContainerId) -> Self {
        Self::Entry(error.to_string())
    }
}

macro_rules! of_the_database {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Database(error.to_string())
            }
        }
    )+};
}

of_the_database!(
    Error,
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError,
    SetDurabilityError
);
