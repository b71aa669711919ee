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

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::name::OwnerName;
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
    #[error("{path}: {source}; the state directory must be writable by this process", path = path.display())]
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
    broken: Option<String>,
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

impl Store {
    /// Opens the zone `zone` in `dir`, which is created where it is missing.
    pub(super) fn open(dir: &Path, zone: &OwnerName) -> Result<(Self, Contents), OpenError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let lock = lock(&dir.join("zone.lock"))?;
        let path = dir.join("zone.log");
        let mut contents = match File::open(&path) {
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
        let (file, len) = write_compacted(&path, &contents).map_err(at(&path))?;
        let file = Box::new(file);
        Ok((Self { path, file, len, compacted_len: len, broken: None, _lock: lock }, contents))
    }

    /// Writes one accepted batch.
    ///
    /// # Errors
    ///
    /// A text for the caller. The batch is not in the log then: what was written of it is cut off, and
    /// where even that fails, the store takes nothing any more.
    pub(super) fn append(&mut self, batch: &[Change]) -> Result<(), String> {
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
                let reason = format!("{}: {error}; the batch was not written", self.path.display());
                if let Err(error) = self.file.truncate(self.len) {
                    let broken = format!(
                        "{}: cannot cut off a torn line: {error}; restart the agent",
                        self.path.display()
                    );
                    self.broken = Some(broken);
                }
                Err(reason)
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
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(at(path))?;
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

/// Writes `contents` as a fresh log over `path`; the file is open for appending, and so long.
fn write_compacted(path: &Path, contents: &Contents) -> io::Result<(File, u64)> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut writer = BufWriter::new(OpenOptions::new().create_new(true).append(true).open(&beside)?);
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::zone::embedded::testing::{a, change, delete, srv, upsert};

    fn zone() -> OwnerName {
        OwnerName::parse("sd.internal").unwrap()
    }

    fn shown(contents: &Contents) -> Vec<RecordSet> {
        contents.sets().cloned().collect()
    }

    fn open(dir: &Path) -> (Store, Contents) {
        Store::open(dir, &zone()).unwrap()
    }

    fn refusal(dir: &Path) -> String {
        Store::open(dir, &zone()).unwrap_err().to_string()
    }

    fn write(dir: &Path, store: &mut Store, contents: &mut Contents, batch: &[Change]) {
        contents.apply(batch).unwrap();
        store.append(batch).unwrap();
        assert_eq!(fs::metadata(dir.join("zone.log")).unwrap().len(), store.len);
    }

    #[test]
    fn remembers_what_was_appended() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, mut contents) = open(dir.path());
        write(
            dir.path(),
            &mut store,
            &mut contents,
            &[change(srv("web", "a", 1)), change(a("h", &["10.0.0.1"]))],
        );
        write(dir.path(), &mut store, &mut contents, &[delete(srv("web", "a", 1))]);
        drop(store);
        let (store, again) = open(dir.path());
        assert_eq!(shown(&again), shown(&contents));
        assert_eq!(store.len, store.compacted_len);
    }

    /// A log as it was left when new zones had the vendor's SOA.
    const OLD_LOG: &str = r#"{"format":"ecssd zone log","version":1,"zone":"sd.internal"}
[{"action":"UPSERT","set":{"name":"sd.internal.","kind":"NS","ttl":172800,"values":["ns-1536.awsdns-00.co.uk.","ns-0.awsdns-00.com.","ns-1024.awsdns-00.org.","ns-512.awsdns-00.net."]}},{"action":"UPSERT","set":{"name":"sd.internal.","kind":"SOA","ttl":900,"values":["ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"]}}]
[{"action":"CREATE","set":{"name":"web.sd.internal","kind":"SRV","set_identifier":"a","weight":1,"ttl":0,"values":["1 1 80 i-a.sd.internal"]}}]
"#;

    #[test]
    fn takes_over_a_zone_of_before_with_a_lower_soa() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("zone.log"), OLD_LOG).unwrap();
        let mut expected = Contents::new(zone());
        expected.apply(&[change(srv("web", "a", 1))]).unwrap();
        let (store, contents) = open(dir.path());
        assert_eq!(shown(&contents), shown(&expected));
        drop(store);
        let written = fs::read_to_string(dir.path().join("zone.log")).unwrap();
        assert!(written.contains("1209600 5\"") && !written.contains("86400"), "{written}");
        assert_eq!(shown(&open(dir.path()).1), shown(&expected));
    }

    #[test]
    fn locks_out_a_second_agent() {
        let dir = tempfile::tempdir().unwrap();
        let held = open(dir.path());
        assert!(refusal(dir.path()).contains("another agent serves this zone"));
        drop(held);
        open(dir.path());
    }

    #[test]
    fn refuses_what_it_cannot_read_and_leaves_it_alone() {
        let header = r#"{"format":"ecssd zone log","version":1,"zone":"sd.internal"}"#;
        for (text, part) in [
            (String::new(), "line 1: the header is missing or torn; restore"),
            (header.to_owned(), "line 1: the header is missing or torn; restore"),
            (header.replace("sd.internal", "other.zone") + "\n", "holds the zone \"other.zone\""),
            (header.replace(":1,", ":2,") + "\n", "has format version 2, this program reads 1"),
            (header.replace("ecssd", "other") + "\n", "the format is \"other zone log\""),
            (format!("{header}\n"), "must contain exactly one SOA"),
            (format!("{header}\nnonsense\n[]\n"), "line 2: "),
            (format!("{header}\n[]\n[{{\"action\":\"DROP\"}}]\n"), "line 3: "),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("zone.log");
            fs::write(&path, &text).unwrap();
            let refusal = refusal(dir.path());
            assert!(refusal.contains(part) && refusal.contains("zone.log"), "{text}: {refusal}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn compacts_a_log_that_outgrew_its_zone() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, mut contents) = open(dir.path());
        let batch: Vec<Change> = (0..90).map(|n| upsert(srv("web", &format!("i{n}"), 1))).collect();
        let mut longest = 0;
        for _ in 0..300 {
            write(dir.path(), &mut store, &mut contents, &batch);
            store.compact_if_due(&contents);
            longest = longest.max(store.len);
        }
        assert!(store.len < longest && longest < APPENDED_BYTES_MIN * 2, "{} {longest}", store.len);
        write(dir.path(), &mut store, &mut contents, &[change(a("h", &["10.0.0.1"]))]);
        drop(store);
        assert_eq!(shown(&open(dir.path()).1), shown(&contents));
    }

    /// A file on a disk with `room` bytes left, which fills up in the middle of a write.
    #[derive(Debug)]
    struct Filling {
        file: File,
        room: usize,
        cuttable: bool,
    }

    impl Write for Filling {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = self.file.write(&bytes[..bytes.len().min(self.room)])?;
            self.room -= written;
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LogFile for Filling {
        fn truncate(&mut self, len: u64) -> io::Result<()> {
            if self.cuttable { self.file.set_len(len) } else { Err(io::ErrorKind::StorageFull.into()) }
        }
    }

    fn fill(store: &mut Store, room: usize, cuttable: bool) {
        let file = OpenOptions::new().append(true).open(&store.path).unwrap();
        store.file = Box::new(Filling { file, room, cuttable });
    }

    #[test]
    fn cuts_off_what_a_full_disk_tore() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, mut contents) = open(dir.path());
        fill(&mut store, 200, true);
        let refused = store.append(&[change(srv("web", "a", 1)), change(srv("web", "b", 1))]).unwrap_err();
        assert!(refused.contains("zone.log") && refused.contains("the batch was not written"), "{refused}");
        fill(&mut store, 10_000, true);
        write(dir.path(), &mut store, &mut contents, &[change(a("h", &["10.0.0.1"]))]);
        drop(store);
        assert_eq!(shown(&open(dir.path()).1), shown(&contents));
    }

    #[test]
    fn takes_nothing_more_after_a_line_that_stays_torn() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, contents) = open(dir.path());
        fill(&mut store, 50, false);
        store.append(&[change(srv("web", "a", 1))]).unwrap_err();
        fill(&mut store, 10_000, true);
        let refused = store.append(&[change(srv("web", "b", 1))]).unwrap_err();
        assert!(refused.contains("restart the agent"), "{refused}");
        drop(store);
        assert_eq!(shown(&open(dir.path()).1), shown(&contents));
    }

    fn any_batch() -> impl Strategy<Value = Vec<Change>> {
        let one = (0..3_u8, 0..3_u8, 0..3_i64, 0..3_u8).prop_map(|(name, id, weight, action)| {
            let set = srv(&format!("s{name}"), &format!("i{id}"), weight);
            [change, delete, upsert][usize::from(action)](set)
        });
        prop::collection::vec(one, 1..4)
    }

    /// What the zone must be for every cut of `log`: as it was when the last whole line was written.
    fn check_cuts(log: &[u8], held: &[(u64, Vec<RecordSet>)], cuts: impl Iterator<Item = usize>) {
        for cut in cuts {
            let read = read(Path::new("zone.log"), &log[..cut], &zone());
            match held.iter().rev().find(|(len, _)| *len <= cut as u64) {
                Some((_, expected)) => assert_eq!(shown(&read.unwrap()), *expected, "cut at {cut}"),
                // Cut within what every log begins with: refused, and not taken for an empty zone.
                None => assert!(matches!(read, Err(OpenError::Damaged { .. })), "cut at {cut}"),
            }
        }
    }

    /// Applies the batches; returns the log, and what the zone held once the log was so long.
    fn run(batches: &[Vec<Change>]) -> (Vec<u8>, Vec<(u64, Vec<RecordSet>)>) {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, mut contents) = open(dir.path());
        let mut held = vec![(store.len, shown(&contents))];
        for batch in batches {
            if contents.apply(batch).is_ok() {
                store.append(batch).unwrap();
                held.push((store.len, shown(&contents)));
            }
        }
        (fs::read(dir.path().join("zone.log")).unwrap(), held)
    }

    #[test]
    fn survives_a_cut_at_every_byte() {
        let swap = vec![delete(srv("web", "a", 1)), change(srv("web", "a", 2))];
        let (log, held) = run(&[vec![change(srv("web", "a", 1))], swap, vec![upsert(a("h", &["10.0.0.1"]))]]);
        assert_eq!(held.len(), 4);
        check_cuts(&log, &held, 0..=log.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn replays_to_what_memory_held_wherever_it_was_cut(
            batches in prop::collection::vec(any_batch(), 1..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 4),
        ) {
            let (log, held) = run(&batches);
            let lines = held.iter().map(|(len, _)| *len as usize);
            check_cuts(&log, &held, lines.chain(cuts.iter().map(|cut| cut.index(log.len() + 1))));
        }
    }
}
