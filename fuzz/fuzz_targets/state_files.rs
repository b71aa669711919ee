//! Bytes are what stands in the state directory: the first octet says in which file. Whatever it is, opening it does not
//! panic: a zone that is taken is the same when it is opened again, and a journal that is of no use is said to be none.
//!
//! A zone's log that does not begin with `{` gets the first line of one. A journal's pages bear sums, so its bytes are
//! changes to a real one: two octets say where, of 64 KiB, and the rest is what stands there.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ecssd::journal::{State, Title, try_open};
use ecssd::record::{RecordSet, RecordType, Routing};
use ecssd::serve::dns::ask;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use libfuzzer_sys::fuzz_target;

const HEADER: &[u8] = b"{\"format\":\"ecssd zone log\",\"version\":1,\"zone\":\"sd.internal\"}\n";

fuzz_target!(|data: &[u8]| {
    let Some((file, octets)) = data.split_first() else { return };
    if file % 2 == 0 { zone_log(octets) } else { journal(octets) }
});

fn zone_log(octets: &[u8]) {
    let dir = dir("zone");
    let header = if octets.starts_with(b"{") { &[][..] } else { HEADER };
    fs::write(dir.join("zone.log"), [header, octets].concat()).expect("a file");
    let open = || EmbeddedZone::open(dir, "sd.internal", Options::default());
    let Ok(zone) = open() else { return };
    let first = ask::list(&zone);
    drop(zone);
    let again = open().expect("what was taken once is taken again");
    assert_eq!(ask::list(&again), first);
}

fn journal(octets: &[u8]) {
    let dir = dir("journal");
    let Some((at, change)) = octets.split_at_checked(2) else { return };
    let at = usize::from(u16::from_be_bytes([at[0], at[1]]));
    let mut file = real_journal().to_vec();
    let end = (at + change.len()).min(file.len());
    file[at.min(end)..end].copy_from_slice(&change[..end - at.min(end)]);
    fs::write(dir.join("journal.redb"), file).expect("a file");
    for _ in 0..2 {
        let opened = try_open(dir, &title()).expect("nobody else has its lock");
        let entries = opened.memory.entries().len();
        assert!(opened.memory.whole() || opened.memory.reason().is_some(), "{entries} entries");
    }
}

fn title() -> Title {
    Title { zone_id: "Z1".into(), zone: "sd.internal".into(), owner: "i-0abc".into() }
}

/// A journal of some records, as it stands on a disk.
fn real_journal() -> &'static [u8] {
    static JOURNAL: OnceLock<Vec<u8>> = OnceLock::new();
    JOURNAL.get_or_init(|| {
        let dir = dir("real");
        let mut opened = try_open(dir, &title()).expect("nobody else has its lock");
        let entries: Vec<_> = (0..20)
            .map(|n| RecordSet {
                name: "_web._tcp.sd.internal".into(),
                kind: RecordType::Srv,
                set_identifier: Some(format!("i-0abc:{n:064x}:80")),
                routing: Routing::Weighted(1),
                ttl: 0,
                values: vec![format!("1 1 {} i-0abc.sd.internal", 32_000 + n)],
            })
            .map(|set| (set.key(), Some(State::Written(set))))
            .collect();
        opened.journal.record(&entries);
        opened.journal.complete();
        drop(opened);
        fs::read(dir.join("journal.redb")).expect("a journal")
    })
}

/// A directory of this process, in memory where there is one.
fn dir(name: &str) -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    static MADE: std::sync::Mutex<Vec<&'static Path>> = std::sync::Mutex::new(Vec::new());
    let root = ROOT.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        place.join(format!("ecssd-fuzz-{}", std::process::id()))
    });
    let path = root.join(name);
    let mut made = MADE.lock().expect("nobody panicked");
    if let Some(found) = made.iter().find(|made| **made == path) {
        return found;
    }
    fs::create_dir_all(&path).expect("a directory");
    made.push(Box::leak(path.into_boxed_path()));
    made[made.len() - 1]
}
