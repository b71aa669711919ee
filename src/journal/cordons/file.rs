//! The file of the cordons, as it is read and replaced.
//!
//! ```text
//! cordons.json    JSON: format, version, whose, and the cordons; times as nanoseconds since 1970
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{CordonMemory, KeepError, Keeping};
use crate::container::Timestamp;
use crate::journal::Title;
use crate::machine::cordon::{Cordon, Scope};
use crate::private_file;

const FORMAT: &str = "ecssd cordons";
const VERSION: u32 = 1;
/// A thousand of them have less than half of it.
const OCTETS_MAX: u64 = 1 << 20;

/// The cordons of an agent, in its state directory.
#[derive(Debug)]
pub struct CordonFile {
    path: PathBuf,
    title: Title,
    /// Whether it is only read.
    read_only: bool,
    memory: Mutex<Memory>,
    written: Arc<Mutex<u64>>,
}

#[derive(Debug)]
struct Memory {
    all: Vec<Cordon>,
    /// Counts what was to be kept, so that nothing older is written over it.
    generation: u64,
}

impl CordonFile {
    /// Those of `title` in this state directory. The caller has its lock, or only reads.
    pub fn open(dir: &Path, title: &Title, read_only: bool) -> Self {
        let path = dir.join("cordons.json");
        let all = match read(&path, title) {
            Ok(all) => all,
            Err(error @ Fault::OfAnother { .. }) => {
                tracing::warn!(event = "cordons_of_another", path = %path.display(), %error, "the weights that were given by hand are of another host or zone, so none is in force here");
                Vec::new()
            }
            Err(Fault::Unread(error)) => {
                tracing::error!(event = "cordons_not_read", path = %path.display(), %error, "the weights that were given by hand are not in force: mend or remove the file, or give them again with --cordon");
                Vec::new()
            }
        };
        Self::with(path, title, read_only, all)
    }

    /// None, whatever is in the file, which is left alone.
    pub fn unread(dir: &Path, title: &Title) -> Self {
        Self::with(dir.join("cordons.json"), title, true, Vec::new())
    }

    fn with(path: PathBuf, title: &Title, read_only: bool, all: Vec<Cordon>) -> Self {
        let memory = Mutex::new(Memory { all, generation: 0 });
        Self { path, title: title.clone(), read_only, memory, written: Arc::default() }
    }
}

/// Why a file gives no cordons.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It is well, and another's.
    #[error("it is of {found}, not of {expected}")]
    OfAnother {
        /// Whose.
        found: Box<Title>,
        /// Who asks.
        expected: Box<Title>,
    },
    /// It cannot be read.
    #[error(transparent)]
    Unread(#[from] KeepError),
}

impl CordonMemory for CordonFile {
    fn load(&self) -> Vec<Cordon> {
        locked(&self.memory).all.clone()
    }

    fn keep(&self, all: Vec<Cordon>) -> Keeping {
        let generation = {
            let mut memory = locked(&self.memory);
            memory.all.clone_from(&all);
            memory.generation += 1;
            memory.generation
        };
        if self.read_only {
            return Box::pin(async { Ok(()) });
        }
        let (path, text, written) = (self.path.clone(), text(&self.title, &all), self.written.clone());
        // An fsync can take seconds while the host pulls an image.
        let writing = tokio::task::spawn_blocking(move || {
            let mut written = locked(&written);
            if *written > generation {
                return Ok(());
            }
            replace(&path, &text).map_err(|error| KeepError(format!("{}: {error}", path.display())))?;
            *written = generation;
            Ok(())
        });
        Box::pin(async { writing.await.unwrap_or_else(|error| Err(KeepError(error.to_string()))) })
    }
}

/// The whole file.
#[derive(serde::Serialize, serde::Deserialize)]
struct Page {
    format: String,
    version: u32,
    #[serde(flatten)]
    title: Title,
    cordons: Vec<Row>,
}

/// One cordon.
#[derive(serde::Serialize, serde::Deserialize)]
struct Row {
    scope: Scope,
    name: String,
    weight: u8,
    since: i64,
    until: Option<i64>,
}

impl From<&Cordon> for Row {
    fn from(Cordon { scope, name, weight, since, until }: &Cordon) -> Self {
        let (scope, name, since) = (scope.clone(), name.clone(), since.unix_nanos());
        Self { scope, name, weight: *weight, since, until: until.map(Timestamp::unix_nanos) }
    }
}

impl From<Row> for Cordon {
    fn from(Row { scope, name, weight, since, until }: Row) -> Self {
        let moment = Timestamp::from_unix_nanos;
        Self { scope, name, weight, since: moment(since), until: until.map(moment) }
    }
}

fn text(title: &Title, all: &[Cordon]) -> Vec<u8> {
    let cordons = all.iter().map(Row::from).collect();
    let page = Page { format: FORMAT.to_owned(), version: VERSION, title: title.clone(), cordons };
    let mut text =
        serde_json::to_vec_pretty(&page).expect("neither names nor numbers are odd keys or floats");
    text.push(b'\n');
    text
}

pub(super) fn read(path: &Path, title: &Title) -> Result<Vec<Cordon>, Fault> {
    let told = |error: io::Error| KeepError(error.to_string());
    let file = match private_file::open(path, File::options().read(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(error).into()),
    };
    let mut text = Vec::new();
    file.take(OCTETS_MAX + 1).read_to_end(&mut text).map_err(told)?;
    if text.len() as u64 > OCTETS_MAX {
        return Err(KeepError(format!("it has more than {OCTETS_MAX} octets")).into());
    }
    let page: Page = serde_json::from_slice(&text).map_err(|error| KeepError(error.to_string()))?;
    match (page.format.as_str(), page.version) {
        (FORMAT, VERSION) if page.title == *title => Ok(page.cordons.into_iter().map(Cordon::from).collect()),
        (FORMAT, VERSION) => {
            Err(Fault::OfAnother { found: page.title.into(), expected: title.clone().into() })
        }
        (format, version) => {
            Err(KeepError(format!("its format is {format:?} {version}, not {FORMAT:?} {VERSION}")).into())
        }
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let mut file = private_file::rewrite(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

// A panic between two steps leaves none of these half written.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
