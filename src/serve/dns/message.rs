//! From a DNS message to its reply: header bits, EDNS, and what is no question at all.
//!
//! Pure. The records come from [`super::answer`], and are fitted into a message by `reply`; sockets are
//! [`super`]'s.

use std::net::{Ipv4Addr, SocketAddr};

use fastrand::Rng;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::RecordType;
use hickory_server::proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable};
use hickory_server::server::Request;

use super::answer::{Answer, answer};
use super::reply::Reply;
use super::transport::{Transport, UDP_PAYLOAD_ANYWHERE};
use crate::status::QuestionKind as Kind;
use crate::zone::embedded::Contents;

/// The reply to one packet; `None` for what gets none: shorter than a header, or a readable reply.
///
/// It never panics, and what it returns can be parsed.
pub fn answer_packet(zone: &Contents, packet: &[u8], over: Transport, random: &mut Rng) -> Option<Vec<u8>> {
    answer_and_tell(zone, packet, over, random).map(|(reply, _)| reply)
}

/// The same, and what was asked and answered.
pub(super) fn answer_and_tell(
    zone: &Contents,
    packet: &[u8],
    over: Transport,
    random: &mut Rng,
) -> Option<(Vec<u8>, Kind)> {
    let header = Header::read(&mut BinDecoder::new(packet)).ok()?;
    // Neither the records nor how a packet is read depends on who asks, or how.
    let client = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let Ok(request) = Request::from_bytes(packet.to_vec(), client, Protocol::Udp) else {
        return Some((encode_format_error(&header.metadata)?, (OTHER, code_name(ResponseCode::FormErr))));
    };
    if header.metadata.message_type == MessageType::Response {
        return None;
    }
    let offered = request.edns.as_ref().map(Edns::max_payload);
    let reply = reply_to(&request, zone, random);
    let asked = reply.question.as_ref().map_or(OTHER, |question| type_name(question.query_type()));
    let kind = (asked, code_name(reply.metadata.response_code));
    Some((reply.encode_within(over.octets_max(offered))?, kind))
}

/// What is counted together, because clients may ask for anything.
const OTHER: &str = "other";

fn type_name(kind: RecordType) -> &'static str {
    match kind {
        RecordType::A => "A",
        RecordType::AAAA => "AAAA",
        RecordType::SRV => "SRV",
        RecordType::TXT => "TXT",
        RecordType::SOA => "SOA",
        RecordType::NS => "NS",
        RecordType::ANY => "ANY",
        _ => OTHER,
    }
}

fn code_name(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::BADVERS => "BADVERS",
        _ => OTHER,
    }
}

/// What a message gets that cannot be read beyond its header.
fn encode_format_error(request: &Metadata) -> Option<Vec<u8>> {
    let mut metadata = Metadata::response_from_request(request);
    metadata.response_code = ResponseCode::FormErr;
    Header { metadata, counts: HeaderCounts::default() }.to_bytes().ok()
}

fn reply_to(request: &Request, zone: &Contents, random: &mut Rng) -> Reply {
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
        edns.set_max_payload(UDP_PAYLOAD_ANYWHERE).set_dnssec_ok(asked.flags().dnssec_ok);
        edns
    });
    Reply { metadata, question: query.cloned(), edns, answer }
}

fn coded(code: ResponseCode) -> Answer {
    Answer { code, ..Answer::default() }
}

#[cfg(test)]
mod tests;
