//! The log on disk: what it remembers, and what it refuses to read.

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
fn what_cannot_be_written_anew_is_served_as_it_is_and_grows_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, mut contents) = open(dir.path());
    write(dir.path(), &mut store, &mut contents, &[change(srv("web", "a", 1))]);
    drop(store);
    let log = dir.path().join("zone.log");
    let whole = fs::read(&log).unwrap();
    fs::write(&log, [&whole[..], b"[{\"torn"].concat()).unwrap();
    // In the way of the new log.
    fs::create_dir(log.with_extension("new")).unwrap();
    let (mut store, mut again) = open(dir.path());
    assert_eq!(shown(&again), shown(&contents));
    assert_eq!(fs::read(&log).unwrap(), whole, "without what was torn");
    write(dir.path(), &mut store, &mut again, &[change(srv("web", "b", 1))]);
    drop(store);
    assert_eq!(shown(&open(dir.path()).1), shown(&again));
    // Where there is none to go on with, nothing is begun.
    fs::remove_file(&log).unwrap();
    assert!(refusal(dir.path()).contains("must be writable"));
}

#[test]
fn cuts_off_what_a_full_disk_tore() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, mut contents) = open(dir.path());
    fill(&mut store, 200, true);
    let refused = store.append(&[change(srv("web", "a", 1)), change(srv("web", "b", 1))]).unwrap_err();
    let refused = refused.to_string();
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
    assert!(matches!(refused, AppendError::Torn { .. }), "{refused}");
    assert!(refused.to_string().contains("restart the agent"), "{refused}");
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
