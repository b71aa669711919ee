//! The DNS front as its clients see it: real `dig` (bind9-dnsutils) against a served zone, and many
//! queries through a socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use ecssd::record::{Action, Change, RecordSet, RecordType, Routing};
use ecssd::serve::dns::{DnsFront, serve};
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use hickory_server::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name, RecordType as QueryType};
use tokio::net::UdpSocket;

fn set(label: &str, kind: RecordType, values: Vec<String>) -> RecordSet {
    let name = format!("{label}.sd.internal");
    RecordSet { name, kind, set_identifier: None, routing: Routing::Simple, ttl: 0, values }
}

fn weighted(label: &str, host: &str, weight: i64) -> RecordSet {
    let values = vec![format!("1 1 32768 {host}.sd.internal")];
    RecordSet {
        set_identifier: Some(host.to_owned()),
        routing: Routing::Weighted(weight),
        ..set(label, RecordType::Srv, values)
    }
}

/// One of all targets of a service.
fn one_of_all(label: &str, host: &str) -> RecordSet {
    RecordSet { routing: Routing::Multivalue, ..weighted(label, host, 1) }
}

/// An address name's copy of a service.
fn weighted_address(label: &str, last: u8, weight: i64) -> RecordSet {
    RecordSet {
        set_identifier: Some(format!("i-{last}")),
        routing: Routing::Weighted(weight),
        ..address(label, last)
    }
}

fn address(label: &str, last: u8) -> RecordSet {
    set(label, RecordType::A, vec![format!("10.0.0.{last}")])
}

async fn served(sets: Vec<RecordSet>) -> (DnsFront, EmbeddedZone) {
    let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
    let batch: Vec<Change> = sets.into_iter().map(|set| Change { action: Action::Create, set }).collect();
    zone.change(&batch).await.unwrap();
    let front = serve(zone.clone(), &[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))], 8).unwrap();
    (front, zone)
}

/// What `dig` prints for `question`, its blanks squeezed.
async fn dig(front: &DnsFront, question: &str) -> String {
    let port = front.addresses()[0].port().to_string();
    let mut command = Command::new("dig");
    // `-r`: no ~/.digrc; one try, so that a lost reply is a failure and not a second query.
    command.args(["-r", "@127.0.0.1", "-p", &port, "+tries=1", "+time=5"]).args(question.split(' '));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.expect("dig, of bind9-dnsutils");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{question}: {text}");
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[tokio::test]
async fn srv_comes_with_the_address_of_its_target() {
    let (front, _zone) = served(vec![weighted("_web._tcp", "i-a", 1), address("i-a", 7)]).await;
    let text = dig(&front, "_web._tcp.sd.internal SRV").await;
    assert_says(
        &text,
        &[
            "status: NOERROR",
            "flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 2",
            "\n_web._tcp.sd.internal. 0 IN SRV 1 1 32768 i-a.sd.internal.\n",
            "\ni-a.sd.internal. 0 IN A 10.0.0.7\n",
            "; EDNS: version: 0, flags:; udp: 1232",
        ],
    );
    let plain = dig(&front, "_web._tcp.sd.internal SRV +noedns").await;
    assert_says(&plain, &["ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1"]);
    assert!(!plain.contains("EDNS"), "{plain}");
}

#[tokio::test]
async fn no_name_and_no_data_differ_and_bring_the_soa() {
    let (front, _zone) = served(vec![weighted("_web._tcp", "i-a", 1)]).await;
    let soa = "\nsd.internal. 5 IN SOA ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5\n";
    let none = dig(&front, "none.sd.internal SRV").await;
    assert_says(&none, &["status: NXDOMAIN", "flags: qr aa rd;", "ANSWER: 0, AUTHORITY: 1", soa]);
    for question in ["_web._tcp.sd.internal A", "_tcp.sd.internal SRV", "sd.internal A"] {
        let empty = dig(&front, question).await;
        assert_says(&empty, &["status: NOERROR", "flags: qr aa rd;", "ANSWER: 0, AUTHORITY: 1", soa]);
    }
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_query() {
    let (front, zone) = served(vec![address("i-a", 7)]).await;
    assert_says(&dig(&front, "i-b.sd.internal A").await, &["status: NXDOMAIN"]);
    zone.change(&[Change { action: Action::Create, set: address("i-b", 8) }]).await.unwrap();
    assert_says(&dig(&front, "i-b.sd.internal A").await, &["i-b.sd.internal. 0 IN A 10.0.0.8"]);
    zone.change(&[Change { action: Action::Delete, set: address("i-b", 8) }]).await.unwrap();
    assert_says(&dig(&front, "i-b.sd.internal A").await, &["status: NXDOMAIN"]);
}

#[tokio::test]
async fn a_long_answer_is_cut_at_a_record_and_whole_over_tcp() {
    let many = (0..100).map(|last| format!("10.0.0.{last}")).collect();
    let (front, _zone) = served(vec![set("many", RecordType::A, many)]).await;
    let cut = dig(&front, "many.sd.internal A +ignore").await;
    assert_says(&cut, &["flags: qr aa tc rd;", "ANSWER: 74"]);
    assert_eq!(cut.matches("many.sd.internal. 0 IN A 10.0.0.").count(), 74);
    // Without +ignore dig tries again over TCP, as every client should.
    let whole = dig(&front, "many.sd.internal A").await;
    assert_says(&whole, &["Truncated, retrying in TCP mode", "flags: qr aa rd;", "ANSWER: 100"]);
    assert_says(&dig(&front, "many.sd.internal A +tcp").await, &["flags: qr aa rd;", "ANSWER: 100", "(TCP)"]);
}

#[tokio::test]
async fn the_clients_buffer_size_is_honoured() {
    let some = (0..100).map(|last| format!("10.0.0.{last}")).collect();
    let (front, _zone) = served(vec![set("some", RecordType::A, some)]).await;
    for (question, answers) in [
        ("some.sd.internal A +ignore +noedns", 29),
        ("some.sd.internal A +ignore +bufsize=512", 29),
        ("some.sd.internal A +ignore +bufsize=800", 47),
        ("some.sd.internal A +ignore +bufsize=1232", 74),
        ("some.sd.internal A +ignore +bufsize=4096", 100),
    ] {
        let text = dig(&front, question).await;
        assert_says(&text, &[&format!("ANSWER: {answers},")]);
        assert_eq!(text.contains("flags: qr aa tc rd;"), answers < 100, "{question}: {text}");
    }
    assert_says(&dig(&front, "some.sd.internal A +edns=1 +noednsneg").await, &["status: BADVERS"]);
}

#[tokio::test]
async fn other_zones_are_refused_and_other_operations_unknown() {
    let (front, _zone) = served(vec![address("i-a", 7)]).await;
    let text = dig(&front, "example.com A").await;
    assert_says(&text, &["status: REFUSED", "flags: qr rd;", "ANSWER: 0, AUTHORITY: 0"]);
    assert_says(&dig(&front, "i-a.sd.internal A +opcode=notify").await, &["status: NOTIMP"]);
    assert_says(&dig(&front, "i-a.sd.internal A +opcode=status").await, &["status: NOTIMP"]);
    assert_says(&dig(&front, "i-a.sd.internal ANY +notcp").await, &["IN HINFO \"RFC8482\" \"\""]);
}

#[tokio::test]
async fn names_are_found_in_any_case_and_sent_back_as_asked() {
    let (front, _zone) = served(vec![weighted("_web._tcp", "i-a", 1), address("i-a", 7)]).await;
    let text = dig(&front, "_WeB._tcP.SD.internaL SRV").await;
    assert_says(
        &text,
        &[";_WeB._tcP.SD.internaL. IN SRV", "\n_WeB._tcP.SD.internaL. 0 IN SRV 1 1 32768 i-a.sd.internal.\n"],
    );
}

#[tokio::test]
async fn the_apex_has_its_soa_and_name_servers() {
    let (front, _zone) = served(vec![address("i-a", 7)]).await;
    assert_says(&dig(&front, "sd.internal SOA").await, &["sd.internal. 5 IN SOA ns-1536.awsdns-00.co.uk."]);
    assert_says(
        &dig(&front, "sd.internal NS").await,
        &["ANSWER: 4", "172800 IN NS ns-1536.awsdns-00.co.uk."],
    );
}

#[tokio::test]
async fn rubbish_is_answered_as_such_and_harms_nobody() {
    let (front, _zone) = served(vec![address("i-a", 7)]).await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(front.addresses()[0]).await.unwrap();
    // Too short for a header, and a reply: neither is answered.
    let reflected = Message::new(1, MessageType::Response, OpCode::Query).to_vec().unwrap();
    socket.send(b"short").await.unwrap();
    socket.send(&reflected).await.unwrap();
    // A header that promises a question, and no question; and noise that promises 65,535.
    let mut torn = reflected;
    (torn[2], torn[5]) = (0, 1);
    for (packet, id) in [(torn, 1), (vec![0xff; 512], 0xffff)] {
        socket.send(&packet).await.unwrap();
        let mut buffer = [0; 512];
        let len = socket.recv(&mut buffer).await.unwrap();
        let reply = Message::from_vec(&buffer[..len]).unwrap();
        assert_eq!((reply.metadata.id, reply.metadata.response_code), (id, ResponseCode::FormErr));
    }
    assert_says(&dig(&front, "i-a.sd.internal A").await, &["i-a.sd.internal. 0 IN A 10.0.0.7"]);
}

/// What `count` queries were answered with: one value each.
async fn shares(front: &DnsFront, count: u16, name: &str, kind: QueryType) -> BTreeMap<String, u32> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(front.addresses()[0]).await.unwrap();
    let name = Name::from_ascii(name).unwrap();
    let mut shares = BTreeMap::new();
    let mut buffer = [0; 1_232];
    for id in 0..count {
        let mut query = Message::new(id, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(name.clone(), kind));
        socket.send(&query.to_vec().unwrap()).await.unwrap();
        let len = socket.recv(&mut buffer).await.unwrap();
        let reply = Message::from_vec(&buffer[..len]).unwrap();
        assert_eq!((reply.metadata.id, reply.answers.len()), (id, 1));
        *shares.entry(reply.answers[0].data.to_string()).or_default() += 1;
    }
    shares
}

/// Asserts that a group of weights 10, 30 and 0 is served as such, and equally once all are 0. The three are named as
/// their answers are.
async fn assert_spread(sets: [RecordSet; 3], name: &str, kind: QueryType, [one, three, off]: [&str; 3]) {
    let (front, zone) = served(sets.to_vec()).await;
    let spread = shares(&front, 2_000, name, kind).await;
    assert_eq!(spread[one] + spread[three], 2_000);
    assert_eq!(spread.get(off), None);
    // Six standard deviations of a fair draw: sqrt(2000 * 0.25 * 0.75) = 19.4.
    assert!(spread[one].abs_diff(500) < 117, "{spread:?}");

    let zero = |set: &RecordSet| {
        let set = RecordSet { routing: Routing::Weighted(0), ..set.clone() };
        Change { action: Action::Upsert, set }
    };
    zone.change(&sets.each_ref().map(zero)).await.unwrap();
    let spread = shares(&front, 2_000, name, kind).await;
    // Six standard deviations again: sqrt(2000 * 1/3 * 2/3) = 21.1.
    assert!(spread.len() == 3 && spread.values().all(|share| share.abs_diff(667) < 127), "{spread:?}");
}

#[tokio::test]
async fn two_thousand_queries_of_a_service_are_spread_by_weight() {
    let sets = [("i-one", 10), ("i-three", 30), ("i-off", 0)];
    let sets = sets.map(|(host, weight)| weighted("_web._tcp", host, weight));
    let answers = ["i-one", "i-three", "i-off"].map(|host| format!("1 1 32768 {host}.sd.internal."));
    let answers = answers.each_ref().map(String::as_str);
    assert_spread(sets, "_web._tcp.sd.internal.", QueryType::SRV, answers).await;
}

#[tokio::test]
async fn two_thousand_queries_of_an_address_name_are_spread_by_weight() {
    let sets = [(1, 10), (3, 30), (0, 0)].map(|(last, weight)| weighted_address("web", last, weight));
    assert_spread(sets, "web.sd.internal.", QueryType::A, ["10.0.0.1", "10.0.0.3", "10.0.0.0"]).await;
}

#[tokio::test]
async fn a_multivalue_name_answers_with_all_its_targets_and_their_addresses() {
    let hosts: Vec<String> = (1..=20).map(|n| format!("i-{n}")).collect();
    let mut sets: Vec<_> = hosts.iter().map(|host| one_of_all("_web-all._tcp", host)).collect();
    sets.extend((1..=20).map(|n| address(&format!("i-{n}"), n)));
    let (front, zone) = served(sets).await;
    let text = dig(&front, "_web-all._tcp.sd.internal SRV +bufsize=4096").await;
    assert_says(&text, &["flags: qr aa rd; QUERY: 1, ANSWER: 20, AUTHORITY: 0, ADDITIONAL: 21"]);
    for (n, host) in (1..).zip(&hosts) {
        let answer = format!("\n_web-all._tcp.sd.internal. 0 IN SRV 1 1 32768 {host}.sd.internal.\n");
        assert_says(&text, &[&answer, &format!("\n{host}.sd.internal. 0 IN A 10.0.0.{n}\n")]);
    }
    zone.change(&[Change { action: Action::Delete, set: one_of_all("_web-all._tcp", "i-7") }]).await.unwrap();
    let text = dig(&front, "_web-all._tcp.sd.internal SRV +bufsize=4096").await;
    assert_says(&text, &["ANSWER: 19,"]);
    assert!(!text.contains("i-7.sd.internal"), "{text}");
}

/// Asks for the name until nobody listens any more, and returns how often it was there, and how often not.
fn ask_until_closed(address: SocketAddr, name: &str, asked: &AtomicU32) -> [u32; 2] {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket.connect(address).unwrap();
    let mut query = Message::new(1, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), QueryType::SRV));
    let (query, mut buffer, mut heard) = (query.to_vec().unwrap(), [0; 512], [0, 0]);
    loop {
        asked.fetch_add(1, Ordering::Relaxed);
        let Ok(length) = socket.send(&query).and_then(|_| socket.recv(&mut buffer)) else { return heard };
        let reply = Message::from_vec(&buffer[..length]).unwrap();
        heard[usize::from(reply.metadata.response_code != ResponseCode::NoError)] += 1;
    }
}

#[tokio::test]
async fn a_drain_closes_the_sockets_before_anybody_hears_that_something_is_gone() {
    for _ in 0..10 {
        let sets = vec![weighted("_web._tcp", "i-a", 1)];
        let (front, zone) = served(sets.clone()).await;
        let address = front.addresses()[0];
        let asked = Arc::new(AtomicU32::new(0));
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let asked = asked.clone();
                thread::spawn(move || ask_until_closed(address, "_web._tcp.sd.internal.", &asked))
            })
            .collect();
        while asked.load(Ordering::Relaxed) < 50 {
            thread::yield_now();
        }
        zone.drain();
        let deletes = sets.into_iter().map(|set| Change { action: Action::Delete, set });
        zone.change(&deletes.collect::<Vec<_>>()).await.unwrap();
        let heard: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        assert!(heard.iter().all(|[_, gone]| *gone == 0), "{heard:?}");
        assert!(heard.iter().any(|[there, _]| *there > 0), "{heard:?}");
    }
}

const CONSUMERS: &str = include_str!("../docs/consumers.md");

/// What each size of message holds of the targets of a service, and whether it says that there are more: by `dig`, with
/// names as they are on EC2.
#[tokio::test]
async fn the_page_for_consumers_says_how_many_targets_go_into_an_answer() {
    let mut lines = Vec::new();
    for copies in [8, 9, 20, 100] {
        let host = |n: usize| format!("i-{:017x}", 0x0a1b_2c3d_4e5f_0000 + n);
        let sets = (0..copies).map(|n| one_of_all("_calc-all._tcp", &host(n))).collect();
        let (front, _zone) = served(sets).await;
        let mut line = format!("| {copies} |");
        for flags in ["+ignore +noedns", "+ignore +bufsize=1232", "+ignore +bufsize=4096", "+tcp"] {
            let text = dig(&front, &format!("_calc-all._tcp.sd.internal SRV {flags}")).await;
            let answers = text.matches("\n_calc-all._tcp.sd.internal. 0 IN SRV ").count();
            assert_says(&text, &["status: NOERROR", &format!("ANSWER: {answers},")]);
            let cut = text.contains("flags: qr aa tc rd;");
            assert_eq!(cut, answers < copies, "{text}");
            line += &format!(" {answers}{} |", if cut { ", cut" } else { "" });
        }
        lines.push(line);
    }
    let table = lines.join("\n");
    println!("{table}");
    assert!(CONSUMERS.contains(&table), "docs/consumers.md does not have:\n{table}");
}
