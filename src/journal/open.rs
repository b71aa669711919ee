//! Opens the journal: the lock, whose journal it is, and how far it may be trusted.
//!
//! ```text
//! journal.redb    the journal
//! journal.lock    held while an agent runs; of another file, since the journal itself may be replaced
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aside::{self, Aside};
use super::store::{Found, Store, StoreError};
use super::{Entry, FileJournal, Journal, MemoryJournal, Title};
use crate::machine::past::Signals;
use crate::private_file;
use crate::record::ContainerId;

/// How often a held lock is tried again.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// Another agent uses this state directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} is locked: another agent uses this state directory; waited {waited} s for it to end. Stop it, or give this one another --state-dir",
    path = path.display(),
    waited = waited.as_secs()
)]
pub struct Locked {
    /// The lock file.
    pub path: PathBuf,
    /// How long it was waited for.
    pub waited: Duration,
}

/// An opened journal.
#[derive(Debug)]
pub struct Opened {
    /// To be written from now on.
    pub journal: Box<dyn Journal>,
    /// What it remembers, and how far that goes.
    pub memory: Memory,
    /// Whether no agent ever used this state directory before.
    pub is_first: bool,
    /// Journals of another owner or zone that name what may still stand.
    pub asides: Vec<Aside>,
}

/// What is remembered of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// All that the zone can hold of this host; unsure where the machine was down, or had another name,
    /// since. No list is needed.
    Kept(Vec<Entry>),
    /// Some of it, for this reason; all unsure. One list finds the rest.
    Partial(Vec<Entry>, Doubt),
    /// There was no journal. One list is needed, unless the host is too new to have written anything.
    Fresh,
    /// There was one that is of no use here, for this reason, and was set aside if it is another's; a new one was begun.
    /// One list is needed.
    Discarded(StoreError),
    /// None can be kept, for this reason. One list is needed, and at each start.
    Without(StoreError),
}

/// Why a memory may lack something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// No list has made it whole.
    #[error("the zone was not listed yet")]
    NotListed,
    /// A power cut or a crash of the kernel may have taken its end.
    #[error("the machine went down before it was on disk")]
    CutOff,
}

impl Memory {
    /// Whether this is all that the zone can hold of this host.
    pub fn whole(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// What is remembered, for [`Ledger::restore`](crate::reconcile::ledger::Ledger::restore).
    pub fn entries(&self) -> &[Entry] {
        match self {
            Self::Kept(entries) | Self::Partial(entries, _) => entries,
            Self::Fresh | Self::Discarded(_) | Self::Without(_) => &[],
        }
    }

    /// Why it is not whole, for the log.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Kept(_) => None,
            Self::Fresh => Some("there is none yet".to_owned()),
            Self::Partial(_, doubt) => Some(doubt.to_string()),
            Self::Discarded(reason) | Self::Without(reason) => Some(reason.to_string()),
        }
    }
}

/// As [`try_open`], but a lock that another agent holds is waited for, `wait` long: at an upgrade the old
/// agent is on its way out.
///
/// # Errors
/// When the other agent is still there then.
pub async fn open(dir: &Path, title: &Title, wait: Duration) -> Result<Opened, Locked> {
    let until = tokio::time::Instant::now() + wait;
    let mut said = false;
    loop {
        match try_open(dir, title) {
            Err(Locked { path, .. }) if tokio::time::Instant::now() >= until => {
                return Err(Locked { path, waited: wait });
            }
            Err(Locked { path, .. }) => {
                if !said {
                    tracing::info!(event = "agent_waits", path = %path.display(), "another agent runs: waiting for it to hand over");
                    said = true;
                }
                tokio::time::sleep(LOCK_POLL).await;
            }
            opened => return opened,
        }
    }
}

/// Opens the journal of `title` in `dir`, which is created where it is missing. Never waits.
///
/// # Errors
/// When another agent has the directory's lock. Whatever else is wrong is told by [`Memory`], and gone on
/// without.
pub fn try_open(dir: &Path, title: &Title) -> Result<Opened, Locked> {
    // Where the kernel does not say it, two starts are never of one boot.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    try_open_at(dir, title, boot.trim())
}

/// Makes the directory of a journal, its owner's alone, before there is one. Where it cannot be made, opening says why.
pub fn make_dir(dir: &Path) {
    let _ = private_file::make_dir(dir);
}

/// As [`try_open`], in this boot of the machine.
pub(super) fn try_open_at(dir: &Path, title: &Title, boot: &str) -> Result<Opened, Locked> {
    let path = dir.join("journal.redb");
    make_dir(dir);
    if private_file::is_open_to_others(dir) {
        tracing::warn!(event = "state_dir_open", path = %dir.display(), "others may write to the state directory, and what is read there is believed: chmod go-w it");
    }
    let lock = Lock::take(&path);
    if let Err(Fault::Held(path)) = lock {
        return Err(Locked { path, waited: Duration::ZERO });
    }
    let mut journal = FileJournal {
        title: title.clone(),
        boot: boot.to_owned(),
        machine: machine_id(),
        path,
        store: None,
        lock: None,
        memory: MemoryJournal::default(),
        complete: false,
        trouble: None,
    };
    let is_first = lock.as_ref().is_ok_and(|lock| lock.is_new);
    let memory = match lock {
        Ok(lock) => {
            journal.lock = Some(lock);
            recall(&mut journal)
        }
        Err(fault) => {
            let reason = StoreError::from(fault);
            journal.give_up(reason.clone());
            Memory::Without(reason)
        }
    };
    let asides = match &journal.lock {
        Some(_) => aside::beside(&journal.path, title),
        None => Vec::new(),
    };
    Ok(Opened { journal: Box::new(journal), memory, is_first, asides })
}

/// The id of this machine, where it has one. Source: machine-id(5).
pub fn machine_id() -> Option<String> {
    let id = fs::read_to_string("/etc/machine-id").ok()?.trim().to_owned();
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

fn recall(journal: &mut FileJournal) -> Memory {
    let mut opened = Store::open(&journal.path, &journal.title);
    let (mut reason, mut asked) = (None, None);
    if let Err(other @ StoreError::Other { found, .. }) = &opened {
        reason = Some(other.clone());
        asked = Some(aside::signals(&journal.path, found));
        // What cannot be set aside is written over: nobody's memory is better than another's.
        opened = match aside::set_aside(&journal.path, found) {
            Ok(()) => Ok(None),
            Err(_) => Err(other.clone()),
        };
    }
    let was_aside = matches!(opened, Ok(None)) && aside::take_back(&journal.path, &journal.title);
    if was_aside {
        opened = Store::open(&journal.path, &journal.title);
    }
    let (memory, begun) = match opened {
        Ok(Some((store, found))) => take_over(journal, store, found, was_aside),
        Ok(None) => (reason.map_or(Memory::Fresh, Memory::Discarded), journal.begin()),
        Err(reason) => (Memory::Discarded(reason), journal.begin()),
    };
    match begun {
        Ok(()) => {
            if let Some(asked) = asked {
                keep_signals(journal, asked);
            }
            memory
        }
        Err(reason) => {
            journal.give_up(reason.clone());
            // What was read holds for this start; it is the next one that will have nothing.
            if memory.entries().is_empty() { Memory::Without(reason) } else { memory }
        }
    }
}

/// Who was asked to stop is so whatever the host is called, and whichever zone it registers in: the journal that was
/// here last knows it, and one that was taken back is older.
fn keep_signals(journal: &mut FileJournal, asked: Vec<(ContainerId, Signals)>) {
    let asked: BTreeMap<_, _> = asked.into_iter().collect();
    for (container, _) in journal.signals() {
        if !asked.contains_key(&container) {
            journal.record_signals(&container, None);
        }
    }
    for (container, signals) in &asked {
        journal.record_signals(container, Some(signals));
    }
}

fn take_over(
    journal: &mut FileJournal,
    store: Store,
    found: Found,
    was_aside: bool,
) -> (Memory, Result<(), StoreError>) {
    let (signals, doubts) = (found.signals, found.doubts);
    // After a power cut, or a crash of the kernel, the end of an unclosed journal may be lost.
    let is_earlier = journal.boot.is_empty() || found.boot.as_ref() != Some(&journal.boot);
    let lost = !found.closed && is_earlier;
    let is_whole = found.complete && !lost;
    let doubted = |(key, state): Entry| (key, state.doubted());
    // While the machine was down, or had another name, a janitor may have taken what its agent left: then it holds no
    // more than this.
    let entries = match is_whole && !is_earlier && !was_aside {
        true => found.entries,
        false => found.entries.into_iter().map(doubted).collect(),
    };
    let memory = match is_whole {
        true => Memory::Kept(entries),
        false => Memory::Partial(entries, if lost { Doubt::CutOff } else { Doubt::NotListed }),
    };
    journal.memory = MemoryJournal::new(memory.entries().iter().cloned());
    journal.memory.record_doubts(&doubts);
    // What a power cut took of them, it took the containers with.
    for (container, signals) in &signals {
        journal.memory.record_signals(container, Some(signals));
    }
    journal.complete = memory.whole();
    let begun = store.begin(&journal.boot, journal.machine.as_deref(), journal.complete);
    journal.store = Some(store);
    (memory, begun)
}

/// Why a lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{path} is held by another agent", path = .0.display())]
    Held(PathBuf),
    #[error("{path}: {error}; the state directory must be writable, or pass another one with --state-dir", path = .0.display(), error = .1)]
    Io(PathBuf, std::io::Error),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match &fault {
            Fault::Io(_, error) if error.kind() == ErrorKind::PermissionDenied => {
                Self::LockDenied(fault.to_string())
            }
            _ => Self::File(fault.to_string()),
        }
    }
}

/// The right to the state directory, until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Whether nobody ever took it before.
    is_new: bool,
}

impl Lock {
    /// Whether it is still the one that others find for the journal at `path`.
    pub(super) fn holds(&self, path: &Path) -> bool {
        private_file::is_there(&path.with_extension("lock"), &self.file)
    }

    /// Takes the lock of the journal at `path`.
    pub(super) fn take(path: &Path) -> Result<Self, Fault> {
        let path = path.with_extension("lock");
        let is_new = !path.exists();
        let file = match private_file::open(&path, OpenOptions::new().create(true).append(true)) {
            Ok(file) => file,
            Err(error) => return Err(Fault::Io(path, error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { file, is_new }),
            Err(TryLockError::WouldBlock) => Err(Fault::Held(path)),
            Err(TryLockError::Error(error)) => Err(Fault::Io(path, error)),
        }
    }
}
