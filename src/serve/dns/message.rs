//! From a DNS message to its reply: header bits, EDNS, sizes, and what is no question at all.
//!
//! Pure. The records come from [`super::answer`]; sockets are [`super`]'s.

use std::net::{Ipv4Addr, SocketAddr};
use std::slice;

use fastrand::Rng;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{
    Edns, Header, HeaderCounts, MessageType, Metadata, OpCode, Query, ResponseCode,
};
use hickory_server::proto::rr::Record;
use hickory_server::proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder};
use hickory_server::server::Request;
use hickory_server::zone_handler::{MessageResponse, MessageResponseBuilder, Queries};

use super::answer::{Answer, answer};
use crate::zone::embedded::Contents;

/// The largest UDP payload, in octets, that is sent and offered: what passes every path unfragmented.
/// Source: DNS flag day 2020.
pub const UDP_PAYLOAD_MAX: u16 = 1_232;

/// The UDP payload, in octets, of a client that speaks no EDNS. Source: RFC 1035, section 4.2.1.
pub const UDP_PAYLOAD_PLAIN: u16 = 512;

/// How a message came, and its reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram: short answers only, the rest is truncated.
    Udp,
    /// A stream.
    Tcp,
}

/// The reply to one packet; `None` for what gets none: shorter than a header, or a readable reply.
///
/// It never panics, and what it returns can be parsed.
pub fn answer_packet(zone: &Contents, packet: &[u8], over: Transport, random: &mut Rng) -> Option<Vec<u8>> {
    let header = Header::read(&mut BinDecoder::new(packet)).ok()?;
    let protocol = match over {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    };
    // No answer depends on who asks.
    let client = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let Ok(request) = Request::from_bytes(packet.to_vec(), client, protocol) else {
        return encode_format_error(&header.metadata);
    };
    if header.metadata.message_type == MessageType::Response {
        return None;
    }
    Reply::to(&request, zone, random).encode()
}

/// What a message gets that cannot be read beyond its header.
fn encode_format_error(request: &Metadata) -> Option<Vec<u8>> {
    let mut metadata = Metadata::response_from_request(request);
    metadata.response_code = ResponseCode::FormErr;
    Header { metadata, counts: HeaderCounts::default() }.to_bytes().ok()
}

/// A whole reply, not yet on the wire, that fits its transport.
#[derive(Debug)]
struct Reply {
    metadata: Metadata,
    question: Queries,
    edns: Option<Edns>,
    answer: Answer,
}

impl Reply {
    /// The reply to `request`.
    fn to(request: &Request, zone: &Contents, random: &mut Rng) -> Self {
        let query = match request.queries.queries() {
            [query] => Some(query.original()),
            _ => None,
        };
        let answer = match (request.metadata.op_code, query) {
            (OpCode::Query, _) if request.version() > 0 => coded(ResponseCode::BADVERS),
            // RFC 9619: exactly one question.
            (OpCode::Query, Some(query)) => answer(zone, query, random),
            (OpCode::Query, None) => coded(ResponseCode::FormErr),
            _ => coded(ResponseCode::NotImp),
        };
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.response_code = answer.code;
        metadata.authoritative = answer.authoritative;
        let edns = request.edns.as_ref().map(|asked| {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_PAYLOAD_MAX).set_dnssec_ok(asked.flags().dnssec_ok);
            edns
        });
        let mut reply = Self { metadata, question: question(query), edns, answer };
        reply.fit(match request.protocol() {
            Protocol::Udp if request.edns.is_none() => UDP_PAYLOAD_PLAIN,
            Protocol::Udp => request.max_payload().min(UDP_PAYLOAD_MAX),
            _ => u16::MAX,
        });
        reply
    }

    /// Leaves out what does not fit: first the additionals, which a client can ask for itself; then all
    /// records, with the flag that says so. RFC 2181, section 9.
    fn fit(&mut self, octets_max: u16) {
        let fits = |reply: &Self| reply.encode().is_some_and(|bytes| bytes.len() <= usize::from(octets_max));
        if fits(self) {
            return;
        }
        self.answer.additionals.clear();
        if fits(self) {
            return;
        }
        self.metadata.truncation = true;
        self.answer.answers.clear();
        self.answer.authorities.clear();
    }

    fn response(&self) -> MessageResponse<'_, '_, Records<'_>, Records<'_>, Records<'_>, Records<'_>> {
        let Answer { answers, authorities, additionals, .. } = &self.answer;
        let mut builder = MessageResponseBuilder::new(&self.question, None);
        if let Some(edns) = &self.edns {
            builder.edns(edns);
        }
        builder.build(self.metadata, answers, authorities, &[], additionals)
    }

    /// `None` where it cannot be put into 65,535 octets.
    fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::from(UDP_PAYLOAD_PLAIN));
        let sent = self.response().destructive_emit(&mut BinEncoder::new(&mut bytes)).ok()?;
        // hickory cuts off at a record and sets the flag: the whole did not fit.
        (sent.truncation == self.metadata.truncation).then_some(bytes)
    }
}

type Records<'a> = slice::Iter<'a, Record>;

fn coded(code: ResponseCode) -> Answer {
    Answer { code, ..Answer::default() }
}

/// The question as it is sent back: its case kept, its compression not, which could point into a header
/// that differs in the reply.
fn question(query: Option<&Query>) -> Queries {
    let bytes = query.and_then(|query| query.to_bytes().ok()).unwrap_or_default();
    let count = usize::from(!bytes.is_empty());
    let read = |bytes, count| Queries::read(&mut BinDecoder::new(bytes), count);
    read(&bytes, count).or_else(|_| read(&[], 0)).expect("no question can be read from no bytes")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use hickory_server::proto::op::Message;
    use hickory_server::proto::rr::{Name, RData, RecordType};
    use proptest::prelude::*;

    use super::{Rng, *};
    use crate::zone::Zone;
    use crate::zone::embedded::testing::{a, change, srv};
    use crate::zone::embedded::{EmbeddedZone, Options};

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
        let (reply, _) = send(&query("_WEB._tcp.sd.internal.", RecordType::SRV), Transport::Udp);
        let bits = reply.metadata;
        assert_eq!((bits.id, bits.message_type, bits.op_code), (7, MessageType::Response, OpCode::Query));
        assert!(
            bits.authoritative && bits.recursion_desired && !bits.recursion_available && !bits.truncation
        );
        assert_eq!(reply.queries[0].name().to_string(), "_WEB._tcp.sd.internal.");
        assert_eq!((reply.answers.len(), reply.additionals.len(), reply.edns), (1, 1, None));
        assert!(!send(&query("example.com.", RecordType::A), Transport::Udp).0.metadata.authoritative);
    }

    #[test]
    fn truncates_what_does_not_fit_a_datagram() {
        let many = query("many.sd.internal.", RecordType::A);
        let (plain, len) = send(&many, Transport::Udp);
        assert!(plain.metadata.truncation && plain.answers.is_empty() && len <= 512);
        let (tcp, len) = send(&many, Transport::Tcp);
        assert!(!tcp.metadata.truncation && tcp.answers.len() == 60 && len > 512);
        let (wide, len) = send(&with_edns(many.clone(), 4_096), Transport::Udp);
        assert!(!wide.metadata.truncation && wide.answers.len() == 60 && len <= 1_232);
        let (narrow, _) = send(&with_edns(many.clone(), 600), Transport::Udp);
        assert!(narrow.metadata.truncation && narrow.edns.is_some());
        let (least, _) = send(&with_edns(many, 0), Transport::Udp);
        assert!(least.metadata.truncation);
        let (huge, _) = send(&with_edns(query("huge.sd.internal.", RecordType::A), 65_535), Transport::Udp);
        assert!(huge.metadata.truncation, "over 1,232 octets");
    }

    #[test]
    fn leaves_out_additionals_before_it_truncates() {
        let (reply, len) = send(&query("_wide._tcp.sd.internal.", RecordType::SRV), Transport::Udp);
        assert!(!reply.metadata.truncation && len <= 512);
        assert_eq!((reply.answers.len(), reply.additionals.len()), (10, 0));
        let (reply, _) = send(&query("_wide._tcp.sd.internal.", RecordType::SRV), Transport::Tcp);
        assert_eq!((reply.answers.len(), reply.additionals.len()), (10, 60));
    }

    #[test]
    fn speaks_edns_to_who_does() {
        let mut message = with_edns(query("_web._tcp.sd.internal.", RecordType::SRV), 1_400);
        message.edns.as_mut().unwrap().set_dnssec_ok(true);
        let edns = send(&message, Transport::Udp).0.edns.unwrap();
        assert_eq!((edns.max_payload(), edns.version(), edns.flags().dnssec_ok), (1_232, 0, true));
        message.edns.as_mut().unwrap().set_version(1);
        let (reply, _) = send(&message, Transport::Udp);
        // On the wire BADVERS is BADSIG: both are 16.
        assert_eq!((u16::from(reply.metadata.response_code), reply.answers.len()), (16, 0));
    }

    #[test]
    fn answers_what_is_no_question() {
        let mut update = query("sd.internal.", RecordType::SOA);
        for op_code in [OpCode::Status, OpCode::Notify, OpCode::Update, OpCode::Unknown(9)] {
            update.metadata.op_code = op_code;
            let (reply, _) = send(&update, Transport::Udp);
            assert_eq!(
                (reply.metadata.response_code, reply.metadata.op_code),
                (ResponseCode::NotImp, op_code)
            );
        }
        let mut two = query("a.sd.internal.", RecordType::A);
        two.add_query(Query::query(Name::from_ascii("b.sd.internal.").unwrap(), RecordType::A));
        assert_eq!(send(&two, Transport::Udp).0.metadata.response_code, ResponseCode::FormErr);
        two.queries.clear();
        assert_eq!(send(&two, Transport::Udp).0.metadata.response_code, ResponseCode::FormErr);
    }

    #[test]
    fn answers_rubbish_with_a_format_error_or_not_at_all() {
        let packet = query("web.sd.internal.", RecordType::A).to_vec().unwrap();
        let ask = |packet: &[u8]| {
            ZONE.view(|zone| answer_packet(zone, packet, Transport::Udp, &mut Rng::with_seed(1)))
        };
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
        prop_assert!(over == Transport::Tcp || reply.len() <= usize::from(UDP_PAYLOAD_MAX));
        prop_assert_eq!(&reply[..2], &packet[..2]);
        let message = Message::from_vec(&reply);
        prop_assert!(message.is_ok(), "{:?} of {:?}", message, reply);
        let inside = |record: &Record| {
            !matches!(record.data, RData::A(_))
                || record.name.to_string().to_lowercase().contains("sd.internal")
        };
        prop_assert!(message.is_ok_and(|message| message.answers.iter().all(inside)));
        Ok(())
    }

    fn over() -> impl Strategy<Value = Transport> {
        prop::sample::select(vec![Transport::Udp, Transport::Tcp])
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
}
