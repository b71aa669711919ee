//! The weights that an operator gave by hand, remembered over restarts: a file beside the journal.
//!
//! Owns that file. What is in it is decided by the [cordons](crate::machine::cordon) themselves.
//!
//! It is no part of the journal's database: that one is begun anew where it is damaged, and not synced while it runs,
//! while this one is written a few times a year, may be read by its operator, and is worth an fsync each time. It is
//! replaced as a whole, so that a kill or a power cut leaves what was before or what is now.
//!
//! One that cannot be read gives no cordons, and says so; one of another host or zone, as an image of a disk may bring
//! along, neither. Nothing of it keeps an agent from starting.

mod file;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::SystemTime;

use futures_util::future::BoxFuture;

pub use self::file::CordonFile;
use crate::machine::cordon::Cordon;

/// Why cordons are not kept over a restart, or could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeepError(pub String);

/// Is over when something is kept, or cannot be.
pub type Keeping = BoxFuture<'static, Result<(), KeepError>>;

/// The memory of the cordons in force.
pub trait CordonMemory: fmt::Debug + Send + Sync {
    /// Those that are remembered.
    fn load(&self) -> Vec<Cordon>;

    /// Remembers these in place of those that were: at once in this process, and over a restart once what this returns
    /// is over. Where it is not waited for, it comes to pass all the same.
    fn keep(&self, all: Vec<Cordon>) -> Keeping;

    /// The clock by which they end: of all clocks only the wall's goes on over a restart.
    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }
}
