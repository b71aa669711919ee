//! The journal's copy on disk: a redb database in one file.
//!
//! ```text
//! title    what, of which version, whose, since which boot,    text -> text
//!          on which machine
//! entries  key -> state                                        JSON -> JSON
//! signals  container -> life, and when it was sent what        text -> JSON
//! doubts   name under which a call may yet be applied          text -> nothing
//! ```
//!
//! A journal of before there were signals, or doubts, has no such table, and none to tell; whoever knows no such table
//! leaves it alone. So all are of one version.
//!
//! A change is one transaction, and in the file when it returns: a killed process loses nothing. It is
//! synced only at the opening and at the close; see the room's caveat. Each page has a checksum, and all of
//! them are verified at the opening, so what a power cut tore is noticed. The database has been seen to
//! panic on torn files (cberner/redb #1303, #1333), so a panic is an error here.

mod error;
mod row;
mod unsynced;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

pub use self::error::StoreError;
use self::row::{DOUBTS, Row, SIGNALS, json, read, read_doubts, read_signals};
pub(super) use self::unsynced::Unsynced;
use super::{Entry, State, Title};
use crate::machine::past::Signals;
use crate::private_file;
use crate::record::{ContainerId, Key};

const FORMAT: &str = "ecssd journal";
const VERSION: &str = "1";
/// Memory for the database's pages, in bytes. A host of 100 services has 40 kB of entries.
const CACHE_BYTES: usize = 256 << 10;

const TITLE: TableDefinition<'_, &str, &str> = TableDefinition::new("title");
const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

/// The table of the title, by name.
type Cover = BTreeMap<String, String>;

/// An open journal file.
#[derive(Debug)]
pub(super) struct Store {
    /// Taken when it is closed.
    database: Option<Database>,
    synced: Arc<AtomicBool>,
}

/// What an opened file said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What is remembered.
    pub(super) entries: Vec<Entry>,
    /// Under which names a call may yet be applied.
    pub(super) doubts: BTreeSet<String>,
    /// Which containers were asked to stop.
    pub(super) signals: Vec<(ContainerId, Signals)>,
    /// Whether this is all that the zone can hold.
    pub(super) complete: bool,
    /// The boot in which it was opened last.
    pub(super) boot: Option<String>,
    /// Whether it was closed after that.
    pub(super) closed: bool,
    /// The machine on which it was opened last; a journal of before that was noted names none.
    pub(super) machine: Option<String>,
}

impl Store {
    /// A new file at `path`, in place of what is there, with `found` in it.
    pub(super) fn create(path: &Path, title: &Title, found: &Found) -> Result<Self, StoreError> {
        let file = private_file::rewrite(path);
        // Should a power cut lose this file, nothing is left of what it replaced that could mislead.
        let synced = Arc::new(AtomicBool::new(false));
        let store = Self::on(Unsynced { file: file?, synced: synced.clone() }, synced)?;
        store.transact(|transaction| {
            let mut table = transaction.open_table(TITLE)?;
            let boot = found.boot.as_deref().unwrap_or_default();
            for (name, value) in [
                ("format", FORMAT),
                ("version", VERSION),
                ("zone id", &title.zone_id),
                ("zone", &title.zone),
                ("owner", &title.owner),
                ("boot", boot),
                ("complete", flag(found.complete)),
                ("closed", flag(found.closed)),
                ("machine", found.machine.as_deref().unwrap_or_default()),
            ] {
                table.insert(name, value)?;
            }
            let mut table = transaction.open_table(ENTRIES)?;
            for (key, state) in &found.entries {
                table.insert(&json(key)[..], &json(state)[..])?;
            }
            let mut table = transaction.open_table(SIGNALS)?;
            for (container, signals) in &found.signals {
                table.insert(container.to_string().as_str(), &json(&Row::from(signals))[..])?;
            }
            let mut table = transaction.open_table(DOUBTS)?;
            for name in &found.doubts {
                table.insert(name.as_str(), ())?;
            }
            Ok(())
        })?;
        Ok(store)
    }

    /// The file at `path`; `None` where there is none, or one that was never finished. Its run
    /// begins with [`Store::begin`].
    pub(super) fn open(path: &Path, title: &Title) -> Result<Option<(Self, Found)>, StoreError> {
        let file = match private_file::open(path, File::options().read(true).write(true)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let synced = Arc::new(AtomicBool::new(true));
        let store = Self::on(Unsynced { file, synced: synced.clone() }, synced)?;
        let found = attempt(|| store.found(title))?;
        Ok(found.map(|found| (store, found)))
    }

    /// The database on this file.
    pub(super) fn on(backend: impl StorageBackend, synced: Arc<AtomicBool>) -> Result<Self, StoreError> {
        let database = attempt(|| {
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
            builder.create_with_backend(backend).map_err(StoreError::from)
        })?;
        Ok(Self { database: Some(database), synced })
    }

    /// Writes what is known of these keys.
    pub(super) fn write(&self, learnt: &[(Key, Option<State>)]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut table = transaction.open_table(ENTRIES)?;
            for (key, state) in learnt {
                let key = json(key);
                match state {
                    Some(state) => table.insert(&key[..], &json(state)[..])?,
                    None => table.remove(&key[..])?,
                };
            }
            Ok(())
        })
    }

    /// Writes under which names a call may yet be applied.
    pub(super) fn write_doubts(&self, names: &BTreeSet<String>) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut table = transaction.open_table(DOUBTS)?;
            table.retain(|name, ()| names.contains(name))?;
            for name in names {
                table.insert(name.as_str(), ())?;
            }
            Ok(())
        })
    }

    /// Writes what a container was sent.
    pub(super) fn write_signals(
        &self,
        container: &ContainerId,
        signals: Option<&Signals>,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut table = transaction.open_table(SIGNALS)?;
            let container = container.to_string();
            match signals {
                Some(signals) => table.insert(container.as_str(), &json(&Row::from(signals))[..])?,
                None => table.remove(container.as_str())?,
            };
            Ok(())
        })
    }

    /// Writes whether this is all that the zone can hold.
    pub(super) fn write_complete(&self, complete: bool) -> Result<(), StoreError> {
        self.write_title(&[("complete", flag(complete))])
    }

    /// Begins a run in this boot. It is on disk when this returns, so that a power cut cannot hide that
    /// there was a run; what follows is not synced until the end.
    pub(super) fn begin(&self, boot: &str, machine: Option<&str>, complete: bool) -> Result<(), StoreError> {
        let machine = machine.unwrap_or_default();
        // The database keeps its last two commits, and a power cut can leave it with the older one: neither may
        // say that it was closed.
        for _ in 0..2 {
            self.write_title(&[
                ("boot", boot),
                ("complete", flag(complete)),
                ("closed", flag(false)),
                ("machine", machine),
            ])?;
        }
        self.synced.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Ends a run, on disk; of a file that was only looked at, there is none.
    fn close(&mut self) -> Result<(), StoreError> {
        let looked_at = self.synced.swap(true, Ordering::Relaxed);
        if !looked_at {
            self.write_title(&[("closed", flag(true))])?;
        }
        let Some(database) = self.database.take() else { return Ok(()) };
        attempt(|| database.close().map_err(StoreError::from))
    }

    pub(super) fn write_title(&self, cover: &[(&str, &str)]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut table = transaction.open_table(TITLE)?;
            for (name, value) in cover {
                table.insert(name, value)?;
            }
            Ok(())
        })
    }

    fn transact(
        &self,
        write: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let Some(database) = &self.database else { return Err(StoreError::Closed) };
        attempt(|| {
            let transaction = database.begin_write()?;
            write(&transaction)?;
            transaction.commit().map_err(StoreError::from)
        })
    }

    fn found(&self, title: &Title) -> Result<Option<Found>, StoreError> {
        let Some(database) = &self.database else { return Ok(None) };
        let transaction = database.begin_read()?;
        let table = match transaction.open_table(TITLE) {
            Ok(table) => table,
            // Killed before the first transaction was through.
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut cover = Cover::new();
        for row in table.iter()? {
            let (name, value) = row?;
            cover.insert(name.value().to_owned(), value.value().to_owned());
        }
        check_title(&cover, title)?;
        let mut entries = Vec::new();
        for row in transaction.open_table(ENTRIES)?.iter()? {
            let (key, state) = row?;
            entries.push((read(key.value())?, read(state.value())?));
        }
        let (doubts, signals) = (read_doubts(&transaction)?, read_signals(&transaction)?);
        let yes = |name| cover.get(name).is_some_and(|value| value == flag(true));
        let (complete, closed) = (yes("complete"), yes("closed"));
        let boot = cover.remove("boot");
        let machine = cover.remove("machine").filter(|id| !id.is_empty());
        Ok(Some(Found { entries, doubts, signals, complete, closed, boot, machine }))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::debug!(%error, "the journal could not be closed");
        }
    }
}

fn check_title(cover: &Cover, title: &Title) -> Result<(), StoreError> {
    let get = |name| cover.get(name).cloned().unwrap_or_default();
    let (format, version) = (get("format"), get("version"));
    if format != FORMAT {
        return Err(StoreError::Format(format));
    }
    if version != VERSION {
        return Err(StoreError::Version(version));
    }
    let found = Title { zone_id: get("zone id"), zone: get("zone"), owner: get("owner") };
    if found == *title {
        Ok(())
    } else {
        Err(StoreError::Other { found: found.into(), expected: title.clone().into() })
    }
}

/// Runs a step of the database, which may panic on a damaged file.
fn attempt<T>(step: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let panicked = |_| Err(StoreError::Panicked);
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(panicked)
}

fn flag(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
