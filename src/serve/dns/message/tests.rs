//! What becomes of packets, sound ones and all others.

use std::net::IpAddr;
use std::sync::LazyLock;

use hickory_server::proto::op::{Message, Query};
use hickory_server::proto::rr::{Name, RData, Record};
use proptest::prelude::*;

use super::{Rng, *};
use crate::zone::Zone;
use crate::zone::embedded::testing::{a, change, srv};
use crate::zone::embedded::{EmbeddedZone, Options};

/// A client somewhere in the Internet.
const FAR: Transport = Transport::Udp(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
/// A client on this host.
const NEAR: Transport = Transport::Udp(IpAddr::V4(Ipv4Addr::LOCALHOST));

static ZONE: LazyLock<EmbeddedZone> = LazyLock::new(zone);

fn zone() -> EmbeddedZone {
    let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
    let addresses =
        |count: usize| (0..count).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect::<Vec<_>>();
    let mut many = a("many", &[]);
    many.values = addresses(60);
    let mut huge = a("huge", &[]);
    huge.values = addresses(400);
    let mut wide = srv("_wide._tcp", "wide", 1);
    wide.values = (0..10).map(|n| format!("1 1 {n} many.sd.internal")).collect();
    let batch = [many, huge, wide, srv("_web._tcp", "a", 1), a("i-a", &["10.0.0.7"])].map(change);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(zone.change(&batch)).unwrap();
    zone
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn with_edns(mut message: Message, payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message
}

fn send(message: &Message, over: Transport) -> (Message, usize) {
    let reply =
        ZONE.view(|zone| answer_packet(zone, &message.to_vec().unwrap(), over, &mut Rng::with_seed(1)));
    let reply = reply.unwrap();
    (Message::from_vec(&reply).unwrap(), reply.len())
}

#[test]
fn sets_the_bits_of_an_authority() {
    let (reply, _) = send(&query("_WEB._tcp.sd.internal.", RecordType::SRV), FAR);
    let bits = reply.metadata;
    assert_eq!((bits.id, bits.message_type, bits.op_code), (7, MessageType::Response, OpCode::Query));
    assert!(bits.authoritative && bits.recursion_desired && !bits.recursion_available && !bits.truncation);
    assert_eq!(reply.queries[0].name().to_string(), "_WEB._tcp.sd.internal.");
    assert_eq!((reply.answers.len(), reply.additionals.len(), reply.edns), (1, 1, None));
    assert!(!send(&query("example.com.", RecordType::A), FAR).0.metadata.authoritative);
}

#[test]
fn sends_what_fits_of_what_is_too_long_and_says_so() {
    let many = query("many.sd.internal.", RecordType::A);
    let huge = query("huge.sd.internal.", RecordType::A);
    let ask = |message: &Message, over| {
        let (reply, octets) = send(message, over);
        (reply.answers.len(), reply.metadata.truncation, octets)
    };
    for (message, over, answers, truncated, octets_max) in [
        (many.clone(), FAR, 29, true, 512),
        (many.clone(), NEAR, 29, true, 512),
        (with_edns(many.clone(), 0), NEAR, 29, true, 512),
        (with_edns(many.clone(), 600), NEAR, 34, true, 600),
        (with_edns(many.clone(), 1_232), FAR, 60, false, 1_232),
        (with_edns(huge.clone(), u16::MAX), FAR, 74, true, 1_232),
        (with_edns(huge.clone(), u16::MAX), NEAR, 186, true, 4_096),
        (many, Transport::Tcp, 60, false, 65_535),
        (huge, Transport::Tcp, 400, false, 65_535),
    ] {
        let (got, flag, octets) = ask(&message, over);
        assert_eq!((got, flag), (answers, truncated), "{over:?}, {octets_max}");
        assert!(octets <= octets_max, "{octets}");
    }
}

#[test]
fn leaves_out_additionals_before_it_truncates() {
    let (reply, len) = send(&query("_wide._tcp.sd.internal.", RecordType::SRV), FAR);
    assert!(!reply.metadata.truncation && len <= 512);
    // The 60 addresses of the one target are a set, and sets are not parted.
    assert_eq!((reply.answers.len(), reply.additionals.len()), (10, 0));
    let (reply, _) = send(&query("_wide._tcp.sd.internal.", RecordType::SRV), Transport::Tcp);
    assert_eq!((reply.answers.len(), reply.additionals.len()), (10, 60));
}

#[test]
fn speaks_edns_to_who_does() {
    let mut message = with_edns(query("_web._tcp.sd.internal.", RecordType::SRV), 1_400);
    message.edns.as_mut().unwrap().set_dnssec_ok(true);
    let edns = send(&message, FAR).0.edns.unwrap();
    assert_eq!((edns.max_payload(), edns.version(), edns.flags().dnssec_ok), (1_232, 0, true));
    message.edns.as_mut().unwrap().set_version(1);
    let (reply, _) = send(&message, FAR);
    // On the wire BADVERS is BADSIG: both are 16.
    assert_eq!((u16::from(reply.metadata.response_code), reply.answers.len()), (16, 0));
}

#[test]
fn answers_what_is_no_question() {
    let mut update = query("sd.internal.", RecordType::SOA);
    for op_code in [OpCode::Status, OpCode::Notify, OpCode::Update, OpCode::Unknown(9)] {
        update.metadata.op_code = op_code;
        let (reply, _) = send(&update, FAR);
        assert_eq!((reply.metadata.response_code, reply.metadata.op_code), (ResponseCode::NotImp, op_code));
    }
    let mut two = query("a.sd.internal.", RecordType::A);
    two.add_query(Query::query(Name::from_ascii("b.sd.internal.").unwrap(), RecordType::A));
    assert_eq!(send(&two, FAR).0.metadata.response_code, ResponseCode::FormErr);
    two.queries.clear();
    assert_eq!(send(&two, FAR).0.metadata.response_code, ResponseCode::FormErr);
}

#[test]
fn answers_rubbish_with_a_format_error_or_not_at_all() {
    let packet = query("web.sd.internal.", RecordType::A).to_vec().unwrap();
    let ask = |packet: &[u8]| ZONE.view(|zone| answer_packet(zone, packet, FAR, &mut Rng::with_seed(1)));
    assert_eq!(ask(&packet[..11]), None);
    let torn = Message::from_vec(&ask(&packet[..20]).unwrap()).unwrap();
    assert_eq!((torn.metadata.id, torn.metadata.response_code), (7, ResponseCode::FormErr));
    let mut reflected = packet;
    reflected[2] |= 0x80;
    assert_eq!(ask(&reflected), None);
}

fn check(packet: &[u8], over: Transport, seed: u64) -> Result<(), TestCaseError> {
    let reply = ZONE.view(|zone| answer_packet(zone, packet, over, &mut Rng::with_seed(seed)));
    let Some(reply) = reply else { return Ok(()) };
    prop_assert!(reply.len() <= usize::from(over.octets_max(Some(u16::MAX))));
    prop_assert_eq!(&reply[..2], &packet[..2]);
    let message = Message::from_vec(&reply);
    prop_assert!(message.is_ok(), "{:?} of {:?}", message, reply);
    let inside = |record: &Record| {
        !matches!(record.data, RData::A(_)) || record.name.to_string().to_lowercase().contains("sd.internal")
    };
    prop_assert!(message.is_ok_and(|message| message.answers.iter().all(inside)));
    Ok(())
}

fn over() -> impl Strategy<Value = Transport> {
    prop::sample::select(vec![FAR, NEAR, Transport::Tcp])
}

proptest! {
    #[test]
    fn any_packet_gets_a_reply_that_can_be_read(packet in prop::collection::vec(any::<u8>(), 0..80), over in over(), seed: u64) {
        check(&packet, over, seed)?;
    }

    #[test]
    fn a_spoiled_query_gets_a_reply_that_can_be_read(
        name in prop::sample::select(vec!["many.sd.internal.", "_wide._tcp.sd.internal.", "sd.internal.", "none.sd.internal."]),
        kind: u16,
        payload in prop::option::of(any::<u16>()),
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        over in over(),
        seed: u64,
    ) {
        let mut message = query(name, RecordType::from(kind % 40));
        if let Some(payload) = payload {
            message = with_edns(message, payload);
        }
        let mut packet = message.to_vec().unwrap();
        for (index, octet) in spoils {
            let index = index.index(packet.len());
            packet[index] = octet;
        }
        check(&packet, over, seed)?;
    }
}
