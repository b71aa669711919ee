//! Bytes are a packet that came in at the DNS front: the first octet says over which transport. Whatever it
//! is, the server does not panic, and what it replies can be read, is a reply to that question, and fits.
#![no_main]

use std::sync::OnceLock;

use ecssd::record::{Action, Change, RecordSet, RecordType, Routing};
use ecssd::zone::Zone;
use ecssd::serve::dns::{Transport, answer_packet};
use ecssd::zone::embedded::{EmbeddedZone, Options};
use hickory_server::proto::op::{Message, MessageType};
use libfuzzer_sys::fuzz_target;

/// What fits a datagram without a word from the client, and at the most. RFC 1035; DNS flag day 2020.
const UDP_MAX: usize = 1_232;

fuzz_target!(|data: &[u8]| {
    let Some((transport, packet)) = data.split_first() else { return };
    let over = if transport % 2 == 0 { Transport::Udp } else { Transport::Tcp };
    let mut random = fastrand::Rng::with_seed(u64::from(*transport));
    let Some(reply) = zone().view(|zone| answer_packet(zone, packet, over, &mut random)) else { return };
    let read = Message::from_vec(&reply).expect("a reply can be read");
    assert_eq!(read.metadata.message_type, MessageType::Response);
    assert_eq!(reply[..2], packet[..2], "the id of the question");
    if over == Transport::Udp {
        assert!(reply.len() <= UDP_MAX, "{} octets over UDP", reply.len());
    }
});

/// A zone with something of each kind: a weighted group, its target, a name with many values, an alias, an
/// escape.
fn zone() -> &'static EmbeddedZone {
    static ZONE: OnceLock<EmbeddedZone> = OnceLock::new();
    ZONE.get_or_init(|| {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).expect("a zone");
        let mut sets = vec![
            set("web1.sd.internal", RecordType::A, None, vec!["10.0.0.7".into()]),
            set("alias.sd.internal", RecordType::Cname, None, vec!["web1.sd.internal".into()]),
            set("txt.sd.internal", RecordType::Txt, None, vec![format!("\"{}\"", "x".repeat(250))]),
            set("a\\052b.sd.internal", RecordType::A, None, vec!["10.0.0.8".into()]),
            set("many.sd.internal", RecordType::A, None, (0..200).map(|n| format!("10.0.1.{n}")).collect()),
        ];
        for n in 0..20 {
            let value = format!("1 1 {} web1.sd.internal", 32_000 + n);
            sets.push(set("_web._tcp.sd.internal", RecordType::Srv, Some(n), vec![value]));
        }
        let batch: Vec<_> = sets.into_iter().map(|set| Change { action: Action::Create, set }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(zone.change(&batch)).expect("a valid batch");
        zone
    })
}

fn set(name: &str, kind: RecordType, weight: Option<i64>, values: Vec<String>) -> RecordSet {
    RecordSet {
        name: name.into(),
        kind,
        set_identifier: weight.map(|weight| weight.to_string()),
        routing: weight.map_or(Routing::Simple, Routing::Weighted),
        ttl: 60,
        values,
    }
}
