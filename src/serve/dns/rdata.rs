//! The zone's types and values in the terms of the wire. Pure.

use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, NS, SOA, SRV, TXT};
use hickory_server::proto::rr::{Name, RData, RecordType as QueryType};

use crate::record::RecordType;
use crate::zone::embedded::OwnerName;
use crate::zone::embedded::value::Value;

/// The type that a zone can have of what is asked for.
pub(super) fn kind_of(asked: QueryType) -> Option<RecordType> {
    match asked {
        QueryType::A => Some(RecordType::A),
        QueryType::AAAA => Some(RecordType::Aaaa),
        QueryType::CNAME => Some(RecordType::Cname),
        QueryType::NS => Some(RecordType::Ns),
        QueryType::SOA => Some(RecordType::Soa),
        QueryType::SRV => Some(RecordType::Srv),
        QueryType::TXT => Some(RecordType::Txt),
        _ => None,
    }
}

/// A value of this type; none where it cannot be on the wire.
pub(super) fn rdata(kind: RecordType, value: Value) -> Option<RData> {
    Some(match value {
        Value::A(address) => RData::A(A(address)),
        Value::Aaaa(address) => RData::AAAA(AAAA(address)),
        Value::Name(name) if kind == RecordType::Cname => RData::CNAME(CNAME(wire_name(&name)?)),
        Value::Name(name) => RData::NS(NS(wire_name(&name)?)),
        Value::Txt(strings) => RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect())),
        Value::Srv(srv) => RData::SRV(SRV::new(srv.priority, srv.weight, srv.port, wire_name(&srv.target)?)),
        Value::Soa(soa) => RData::SOA(SOA::new(
            wire_name(&soa.mname)?,
            wire_name(&soa.rname)?,
            soa.serial,
            i32::try_from(soa.refresh).ok()?,
            i32::try_from(soa.retry).ok()?,
            i32::try_from(soa.expire).ok()?,
            soa.minimum,
        )),
    })
}

/// A name.
pub(super) fn wire_name(name: &OwnerName) -> Option<Name> {
    Name::from_labels(name.labels()).ok()
}
