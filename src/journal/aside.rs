//! Journals of another owner or zone in the same state directory: a host was renamed, a zone switched, a disk copied.
//!
//! What they name may still stand, and nobody else knows of it. So they are set aside, not thrown away, and come back
//! to whoever bears their title again: the agent, or the command that removes what they name. Whether that is to be
//! removed is for [`crate::machine::former`]: on a copied disk it is a live host's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::store::{Found, Store, StoreError};
use super::{Entry, Title};
use crate::machine::past::Signals;
use crate::record::{ContainerId, Key};

/// How many are read, at most.
const READ_MAX: usize = 16;

/// A journal that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Whose it is.
    pub title: Title,
    /// The keys that may hold something of theirs.
    pub keys: Vec<Key>,
    /// The machine that wrote it last; `None` where that was not noted.
    pub machine: Option<String>,
    /// Where it is.
    pub path: PathBuf,
}

impl Aside {
    /// Removes it: what it names is gone.
    ///
    /// # Errors
    /// Where the file system does not let it go.
    pub fn forget(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Sets the journal at `path` aside, which is this one's; where it names nothing, it is removed.
pub(super) fn set_aside(path: &Path, title: &Title) -> Result<(), StoreError> {
    let names_nothing =
        read(path, title).is_some_and(|found| found.entries.is_empty() && found.doubts.is_empty());
    match names_nothing {
        true => fs::remove_file(path)?,
        false => fs::rename(path, place(path, title))?,
    }
    Ok(())
}

/// Which containers the journal at `path`, which is this one's, says were asked to stop.
pub(super) fn signals(path: &Path, title: &Title) -> Vec<(ContainerId, Signals)> {
    read(path, title).map(|found| found.signals).unwrap_or_default()
}

/// Takes back to `path` what was set aside of this title. Whether there was anything.
pub(super) fn take_back(path: &Path, title: &Title) -> bool {
    fs::rename(place(path, title), path).is_ok()
}

/// What stands beside the journal at `path`, of others than this title.
pub(super) fn beside(path: &Path, title: &Title) -> Vec<Aside> {
    let of = |path: &Path| -> Option<Aside> {
        let title = whose(path, title).filter(|other| other != title)?;
        let found = read(path, &title)?;
        let keys: Vec<Key> = found.entries.into_iter().map(|(key, _): Entry| key).collect();
        let path = path.to_owned();
        (!keys.is_empty()).then_some(Aside { title, keys, machine: found.machine, path })
    };
    let (paths, unread) = paths(path).unwrap_or_default();
    if unread > 0 {
        tracing::warn!(event = "journals_not_read", unread, path = %path.display(), "so many journals of other hosts or zones beside this one are not read: remove those whose records are gone");
    }
    paths.iter().filter_map(|path| of(path)).collect()
}

/// Those that are read, and how many more there are.
pub(super) fn paths(path: &Path) -> io::Result<(Vec<PathBuf>, usize)> {
    let Some(dir) = path.parent() else { return Ok(Default::default()) };
    let mut paths = Vec::new();
    for file in fs::read_dir(dir)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with("journal-") && name.ends_with(".redb") && file.file_type()?.is_file() {
            paths.push(file.path());
        }
    }
    paths.sort();
    let unread = paths.len().saturating_sub(READ_MAX);
    paths.truncate(READ_MAX);
    Ok((paths, unread))
}

/// Whose the journal at this path is, as it says itself to somebody else.
fn whose(path: &Path, reader: &Title) -> Option<Title> {
    match Store::open(path, reader) {
        Err(StoreError::Other { found, .. }) => Some(*found),
        Ok(Some(_)) => Some(reader.clone()),
        _ => None,
    }
}

fn read(path: &Path, title: &Title) -> Option<Found> {
    Store::open(path, title).ok().flatten().map(|(_, found)| found)
}

/// Where a journal of this title is set aside.
fn place(path: &Path, title: &Title) -> PathBuf {
    let plain = |text: &str| text.replace(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)), "_");
    let Title { zone_id, zone, owner } = title;
    path.with_file_name(format!("journal-{}-{}-{}.redb", plain(owner), plain(zone), plain(zone_id)))
}
