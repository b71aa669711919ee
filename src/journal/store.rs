//! The journal's copy on disk: a redb database in one file.
//!
//! ```text
//! title    what, of which version, whose, since which boot     text -> text
//! entries  key -> state                                        JSON -> JSON
//! signals  container -> life, and when it was sent what        text -> JSON
//! ```
//!
//! A journal of before there were signals has no such table, and none to tell; whoever knows no such table leaves
//! it alone. So both are of one version.
//!
//! A change is one transaction, and in the file when it returns: a killed process loses nothing. It is
//! synced only at the opening and at the close; see the room's caveat. Each page has a checksum, and all of
//! them are verified at the opening, so what a power cut tore is noticed. The database has been seen to
//! panic on torn files (cberner/redb #1303, #1333), so a panic is an error here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

use super::{Entry, State, Title};
use crate::container::Timestamp;
use crate::machine::past::Signals;
use crate::record::{ContainerId, Key};

const FORMAT: &str = "ecssd journal";
const VERSION: &str = "1";
/// Memory for the database's pages, in bytes. A host of 100 services has 40 kB of entries.
const CACHE_BYTES: usize = 256 << 10;

const TITLE: TableDefinition<'_, &str, &str> = TableDefinition::new("title");
const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

const SIGNALS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("signals");

/// Why something could not be read or written.
pub(super) type Reason = String;

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
    /// Which containers were asked to stop.
    pub(super) signals: Vec<(ContainerId, Signals)>,
    /// Whether this is all that the zone can hold.
    pub(super) complete: bool,
    /// The boot in which it was opened last.
    pub(super) boot: Option<String>,
    /// Whether it was closed after that.
    pub(super) closed: bool,
}

impl Store {
    /// A new file at `path`, in place of what is there, with `found` in it.
    pub(super) fn create(path: &Path, title: &Title, found: &Found) -> Result<Self, Reason> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
        // Should a power cut lose this file, nothing is left of what it replaced that could mislead.
        let synced = Arc::new(AtomicBool::new(false));
        let store = Self::on(Unsynced { file: file.map_err(text)?, synced: synced.clone() }, synced)?;
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
            Ok(())
        })?;
        Ok(store)
    }

    /// The file at `path`; `None` where there is none, or one that was never finished. Its run
    /// begins with [`Store::begin`].
    pub(super) fn open(path: &Path, title: &Title) -> Result<Option<(Self, Found)>, Reason> {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(text(error)),
        };
        let synced = Arc::new(AtomicBool::new(true));
        let store = Self::on(Unsynced { file, synced: synced.clone() }, synced)?;
        let found = attempt(|| store.found(title))?;
        Ok(found.map(|found| (store, found)))
    }

    /// The database on this file.
    pub(super) fn on(backend: impl StorageBackend, synced: Arc<AtomicBool>) -> Result<Self, Reason> {
        let database = attempt(|| {
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
            builder.create_with_backend(backend).map_err(text)
        })?;
        Ok(Self { database: Some(database), synced })
    }

    /// Writes what is known of these keys.
    pub(super) fn write(&self, learnt: &[(Key, Option<State>)]) -> Result<(), Reason> {
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

    /// Writes what a container was sent.
    pub(super) fn write_signals(
        &self,
        container: &ContainerId,
        signals: Option<&Signals>,
    ) -> Result<(), Reason> {
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
    pub(super) fn write_complete(&self, complete: bool) -> Result<(), Reason> {
        self.write_title(&[("complete", flag(complete))])
    }

    /// Begins a run in this boot. It is on disk when this returns, so that a power cut cannot hide that
    /// there was a run; what follows is not synced until the end.
    pub(super) fn begin(&self, boot: &str, complete: bool) -> Result<(), Reason> {
        // The database keeps its last two commits, and a power cut can leave it with the older one: neither may
        // say that it was closed.
        for _ in 0..2 {
            self.write_title(&[("boot", boot), ("complete", flag(complete)), ("closed", flag(false))])?;
        }
        self.synced.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Ends a run, on disk; of a file that was only looked at, there is none.
    fn close(&mut self) -> Result<(), Reason> {
        let looked_at = self.synced.swap(true, Ordering::Relaxed);
        if !looked_at {
            self.write_title(&[("closed", flag(true))])?;
        }
        let Some(database) = self.database.take() else { return Ok(()) };
        attempt(|| database.close().map_err(text))
    }

    pub(super) fn write_title(&self, cover: &[(&str, &str)]) -> Result<(), Reason> {
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
    ) -> Result<(), Reason> {
        let Some(database) = &self.database else { return Err("closed".to_owned()) };
        attempt(|| {
            let transaction = database.begin_write().map_err(text)?;
            write(&transaction).map_err(text)?;
            transaction.commit().map_err(text)
        })
    }

    fn found(&self, title: &Title) -> Result<Option<Found>, Reason> {
        let Some(database) = &self.database else { return Ok(None) };
        let transaction = database.begin_read().map_err(text)?;
        let table = match transaction.open_table(TITLE) {
            Ok(table) => table,
            // Killed before the first transaction was through.
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(text(error)),
        };
        let mut cover = Cover::new();
        for row in table.iter().map_err(text)? {
            let (name, value) = row.map_err(text)?;
            cover.insert(name.value().to_owned(), value.value().to_owned());
        }
        check_title(&cover, title)?;
        let mut entries = Vec::new();
        for row in transaction.open_table(ENTRIES).map_err(text)?.iter().map_err(text)? {
            let (key, state) = row.map_err(text)?;
            entries.push((read(key.value())?, read(state.value())?));
        }
        let signals = read_signals(&transaction)?;
        let yes = |name| cover.get(name).is_some_and(|value| value == flag(true));
        let (complete, closed) = (yes("complete"), yes("closed"));
        Ok(Some(Found { entries, signals, complete, closed, boot: cover.remove("boot") }))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::debug!(error, "the journal could not be closed");
        }
    }
}

fn read_signals(transaction: &redb::ReadTransaction) -> Result<Vec<(ContainerId, Signals)>, Reason> {
    let table = match transaction.open_table(SIGNALS) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(text(error)),
    };
    let mut all = Vec::new();
    for row in table.iter().map_err(text)? {
        let (container, row) = row.map_err(text)?;
        let row: Row = read(row.value())?;
        all.push((container.value().parse().map_err(text)?, row.into()));
    }
    Ok(all)
}

/// Signals as they stand in the file: moments as nanoseconds since 1970.
#[derive(serde::Serialize, serde::Deserialize)]
struct Row {
    life: i64,
    kills: BTreeMap<u8, i64>,
}

impl From<&Signals> for Row {
    fn from(signals: &Signals) -> Self {
        let kills = signals.kills.iter().map(|(signal, time)| (*signal, time.unix_nanos())).collect();
        Self { life: signals.life.unix_nanos(), kills }
    }
}

impl From<Row> for Signals {
    fn from(row: Row) -> Self {
        let moment = Timestamp::from_unix_nanos;
        let kills = row.kills.into_iter().map(|(signal, time)| (signal, moment(time))).collect();
        Self { life: moment(row.life), kills }
    }
}

fn check_title(cover: &Cover, title: &Title) -> Result<(), Reason> {
    let get = |name| cover.get(name).cloned().unwrap_or_default();
    let (format, version) = (get("format"), get("version"));
    if format != FORMAT {
        return Err(format!("its format is {format:?}, not {FORMAT:?}"));
    }
    if version != VERSION {
        return Err(format!("its format's version is {version}, this program reads {VERSION}"));
    }
    let found = Title { zone_id: get("zone id"), zone: get("zone"), owner: get("owner") };
    if found == *title { Ok(()) } else { Err(format!("it is of {found}, not of {title}")) }
}

/// Runs a step of the database, which may panic on a damaged file.
fn attempt<T>(step: impl FnOnce() -> Result<T, Reason>) -> Result<T, Reason> {
    let panicked = |_| Err("the database panicked; see the log above".to_owned());
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(panicked)
}

fn flag(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("neither record sets nor signals have odd keys or floats")
}

fn read<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, Reason> {
    serde_json::from_slice(json).map_err(|error| format!("an entry cannot be read: {error}"))
}

fn text(error: impl std::fmt::Display) -> Reason {
    error.to_string()
}

/// A file that is not always synced when the database asks for it.
#[derive(Debug)]
pub(super) struct Unsynced {
    pub(super) file: File,
    pub(super) synced: Arc<AtomicBool>,
}

impl StorageBackend for Unsynced {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.synced.load(Ordering::Relaxed) { self.file.sync_data() } else { Ok(()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}
