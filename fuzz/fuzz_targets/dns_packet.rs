//! Bytes are a packet that came in at the DNS front: the first octet says over which transport. Whatever it
//! is, the server does not panic, and what it replies can be read, is a reply to that question, and fits.
#![no_main]

use std::net::Ipv4Addr;
use std::sync::OnceLock;

use ecssd::record::{Action, Change, RecordSet, RecordType, Routing};
use ecssd::serve::dns::{Transport, answer_packet};
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use hickory_server::proto::op::{Message, MessageType};
use libfuzzer_sys::fuzz_target;

/// Clients in the Internet and on this host, and what they get in a datagram at the most.
const FAR: (Ipv4Addr, usize) = (Ipv4Addr::new(192, 0, 2, 7), 1_232);
const NEAR: (Ipv4Addr, usize) = (Ipv4Addr::LOCALHOST, 4_096);

fuzz_target!(|data: &[u8]| {
    let Some((transport, packet)) = data.split_first() else { return };
    let (client, octets_max) = if transport % 3 == 0 { FAR } else { NEAR };
    let over = if transport % 3 == 2 { Transport::Tcp } else { Transport::Udp(client.into()) };
    let mut random = fastrand::Rng::with_seed(u64::from(*transport));
    let Some(reply) = zone().view(|zone| answer_packet(zone, packet, over, &mut random)) else { return };
    let read = Message::from_vec(&reply).expect("a reply can be read");
    assert_eq!(read.metadata.message_type, MessageType::Response);
    assert_eq!(reply[..2], packet[..2], "the id of the question");
    if over != Transport::Tcp {
        assert!(reply.len() <= octets_max, "{} octets over UDP", reply.len());
    }
});

/// A zone with something of each kind: weighted and multivalue groups, their target, a name with many values, an
/// alias, an escape.
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
            let weighted = set("_web._tcp.sd.internal", RecordType::Srv, Some(n), vec![value]);
            let name = "_web-all._tcp.sd.internal".to_owned();
            sets.push(RecordSet { name, routing: Routing::Multivalue, ..weighted.clone() });
            sets.push(weighted);
            let address = format!("10.0.2.{n}");
            sets.push(set("web.sd.internal", RecordType::A, Some(n), vec![address]));
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
