//! The server of targets as its clients meet it, well-meant or not: over real sockets, with what they send spelt out.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;

use ecssd::record::{Action, Change, Owner, RecordSet, RecordType, Registrant, Routing};
use ecssd::serve::targets::{Directory, LISTS_A_SECOND, serve};
use ecssd::serve::web::{Front, HEAD_OCTETS_MAX};
use ecssd::status::{Discovered, Discovery};
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::said::{Said, closed, said};

/// The most connections of the servers here.
const CONNECTIONS_MAX: usize = 4;

/// A server, and what it counts.
struct Served {
    front: Front,
    directory: Directory,
    told: Discovery,
}

impl Served {
    fn unknown() -> Self {
        let told = Discovery::default();
        let directory = Directory::new(told.clone());
        let front = serve((Ipv4Addr::LOCALHOST, 0).into(), directory.clone(), CONNECTIONS_MAX).unwrap();
        while front.address().is_none() {
            thread::yield_now();
        }
        Self { front, directory, told }
    }

    /// With so many copies of `_calc._tcp` in a zone of this process.
    fn here(copies: usize) -> Self {
        let served = Self::unknown();
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let create = |copy| Change { action: Action::Create, set: set(copy) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(zone.change(&(0..copies).map(create).collect::<Vec<_>>())).unwrap();
        served.directory.open_here(&host(), zone);
        served
    }

    fn address(&self) -> SocketAddr {
        self.front.address().unwrap()
    }

    fn say(&self, octets: &[u8]) -> Said {
        said(TcpStream::connect(self.address()).unwrap(), octets)
    }

    fn get(&self, path: &str) -> Said {
        self.say(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }

    fn told(&self) -> Discovered {
        self.told.so_far()
    }
}

fn host() -> Registrant {
    let owner = Owner::new("web1").unwrap();
    Registrant { owner, zone: "sd.internal".to_owned(), address: Ipv4Addr::LOCALHOST }
}

fn set(copy: usize) -> RecordSet {
    RecordSet {
        name: "_calc._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some(format!("i-{copy:08x}:{copy:064x}:80")),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![format!("1 1 {} i-{copy:08x}.sd.internal", 32_768 + copy)],
    }
}

const CALC: &str = "/sd/prometheus?name=_calc._tcp";

#[test]
fn a_hundred_copies_of_a_name_are_all_told_as_prometheus_reads_them() {
    let served = Served::here(100);
    let answer = served.get(CALC);
    assert_eq!(answer.code, 200, "{}", answer.body);
    for header in ["content-type: application/json\r\n", "age: 0\r\n", "cache-control: no-store"] {
        assert!(answer.head.contains(header), "{header}: {}", answer.head);
    }
    let groups: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(groups.as_array().unwrap().len(), 100);
    let seventh = &groups[7];
    assert_eq!(seventh["targets"], serde_json::json!(["i-00000007.sd.internal:32775"]));
    let labels = serde_json::json!({
        "__meta_ecssd_host": "i-00000007",
        "__meta_ecssd_container": format!("{:064x}", 7),
        "__meta_ecssd_weight": "1",
    });
    assert_eq!(seventh["labels"], labels);
    let head = served.say(format!("HEAD {CALC} HTTP/1.1\r\nHost: web1.sd.internal\r\n\r\n").as_bytes());
    assert_eq!((head.code, head.body.as_str()), (200, ""));
}

#[test]
fn what_is_no_name_of_the_zone_is_told_so() {
    let served = Served::here(1);
    let nobody = served.get("/sd/prometheus?name=_none._tcp");
    assert_eq!((nobody.code, nobody.body.as_str()), (200, "[]"));
    let elsewhere = served.get("/sd/prometheus?name=_calc._tcp.other.internal");
    assert_eq!(elsewhere.code, 400);
    assert!(
        elsewhere.body.starts_with("\"_calc._tcp.other.internal\" is not inside the zone sd.internal"),
        "{}",
        elsewhere.body
    );
    for query in
        ["", "?name", "?name=", "?name=%ff", "?name=%00", "?name=a..b", "?name=*", "?name=sd.internal"]
    {
        assert_eq!(served.get(&format!("/sd/prometheus{query}")).code, 400, "{query}");
    }
    let strange = served.get("/sd/prometheus?name=%1b%5b31m%0a");
    assert!(!strange.body.contains('\u{1b}') && strange.body.lines().count() == 1, "{:?}", strange.body);
    for path in
        ["/", "/metrics", "/sd/prometheus/", "/sd/../sd/prometheus?name=_calc._tcp", "//sd/prometheus"]
    {
        assert!(served.get(path).code == 404, "{path}");
    }
}

#[test]
fn what_is_not_known_yet_is_no_empty_name() {
    let served = Served::unknown();
    let early = served.get(CALC);
    assert_eq!(early.code, 503);
    assert!(early.head.contains("retry-after: 5\r\n"), "{}", early.head);
    // Nobody reads it: a question waits for its list, and says then when to ask again.
    served.directory.open_there(&host(), LISTS_A_SECOND);
    let waits = served.get(CALC);
    assert_eq!(waits.code, 503);
    assert!(waits.body.starts_with("_calc._tcp.sd.internal waits to be read"), "{}", waits.body);
    let answers = served.told().answers;
    assert_eq!((answers["not_ready"], answers["unread"]), (1, 1));
}

#[test]
fn whoever_does_not_mean_it_well_is_answered_as_by_the_status_server() {
    let served = Served::here(1);
    for (request, code) in [
        (format!("POST {CALC} HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405),
        (format!("GET {CALC} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"), 413),
        (format!("GET {CALC} HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421),
        (format!("GET {CALC} HTTP/1.1\r\n\r\n"), 400),
        (format!("GET {CALC} HTTP/1.1\r\nHost: WEB1:9154\r\n\r\n"), 200),
        (format!("GET {CALC} HTTP/1.1\r\nHost: [::1]:9154\r\n\r\n"), 200),
    ] {
        assert_eq!(served.say(request.as_bytes()).code, code, "{request}");
    }
    let long =
        format!("GET {CALC} HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(HEAD_OCTETS_MAX));
    assert!([0, 414, 431].contains(&served.say(long.as_bytes()).code));
}

#[test]
fn whoever_opens_many_connections_holds_up_nobody() {
    const MANY: usize = 300;
    let served = Served::here(1);
    let mut idle: Vec<_> = (0..MANY)
        .map(|_| {
            let mut stream = TcpStream::connect(served.address()).unwrap();
            let _ = stream.write_all(format!("GET {CALC} HTTP/1.1\r\nHost: local").as_bytes());
            stream
        })
        .collect();
    assert_eq!(served.get(CALC).code, 200);
    // Each connection beyond the bound closed the oldest, and so did the question.
    let mut gone = 0;
    while gone < MANY - CONNECTIONS_MAX + 1 {
        gone = closed(&mut idle);
        thread::yield_now();
    }
}
