//! What a zone answers to one question: which records, in which section, with which code.
//!
//! Pure, and of DNS only what a private zone needs: positive answers with in-zone CNAMEs followed, the
//! addresses of SRV targets as additionals, NXDOMAIN told from NODATA, wildcards as in RFC 4592. Messages,
//! sizes and EDNS are [`super::message`]; which of a group's sets answers is [`super::pick`]; how a value looks on the
//! wire, `rdata`.

use fastrand::Rng;
use hickory_server::proto::op::{Query, ResponseCode};
use hickory_server::proto::rr::rdata::{CNAME, HINFO};
use hickory_server::proto::rr::{DNSClass, Name, RData, Record, RecordType as QueryType};

use super::pick::answers_of;
use super::rdata::{kind_of, rdata, wire_name};
use crate::record::RecordType;
use crate::zone::embedded::value::{Value, parse};
use crate::zone::embedded::{Contents, OwnerName};

/// CNAMEs that are followed for one question; more, or a loop, ends the answer there.
const CNAME_HOPS_MAX: usize = 8;

/// The records of a reply and its code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `NoError`, `NXDomain`, or `Refused`.
    pub code: ResponseCode,
    /// Whether the zone speaks for the name.
    pub authoritative: bool,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section: the SOA of a negative answer.
    pub authorities: Vec<Record>,
    /// The additional section, without EDNS.
    pub additionals: Vec<Record>,
}

/// Answers `query` from `zone`. Every call may choose other sets of a group.
pub fn answer(zone: &Contents, query: &Query, random: &mut Rng) -> Answer {
    let refused = Answer { code: ResponseCode::Refused, ..Answer::default() };
    let name = OwnerName::from_labels(query.name().iter());
    let transfer = matches!(query.query_type(), QueryType::AXFR | QueryType::IXFR);
    if query.query_class() != DNSClass::IN || transfer || !name.is_in(zone.zone()) {
        return refused;
    }
    let mut answer = Answer { authoritative: true, ..Answer::default() };
    follow(zone, query, name, random, &mut answer);
    if answer.answers.is_empty() || answer.code == ResponseCode::NXDomain {
        answer.authorities.extend(negative_soa(zone));
    }
    answer.additionals = targets(zone, &answer.answers, random);
    answer
}

/// Fills the answer section from `name` on, through CNAMEs that stay in the zone.
fn follow(zone: &Contents, query: &Query, mut name: OwnerName, random: &mut Rng, answer: &mut Answer) {
    // The owner of the first records is the question's name, as the client spelt it.
    let mut owner = query.name().clone();
    for _ in 0..=CNAME_HOPS_MAX {
        let Some(source) = source_of(zone, &name) else {
            answer.code = ResponseCode::NXDomain;
            return;
        };
        if query.query_type() == QueryType::ANY {
            answer.answers.extend(minimal_any(zone, owner));
            return;
        }
        let records = kind_of(query.query_type()).map(|kind| records(zone, &source, kind, &owner, random));
        if let Some(records) = records.filter(|records| !records.is_empty()) {
            answer.answers.extend(records);
            return;
        }
        let Some(alias) = records_of_cname(zone, &source, &owner, random) else {
            // The name exists, the type does not. Behind an alias that is a negative answer too.
            answer.authorities.extend(negative_soa(zone).filter(|_| !answer.answers.is_empty()));
            return;
        };
        let RData::CNAME(CNAME(target)) = &alias.data else { return };
        owner = target.clone();
        name = OwnerName::from_labels(target.iter());
        answer.answers.push(alias);
        if !name.is_in(zone.zone()) {
            return;
        }
    }
}

fn records_of_cname(zone: &Contents, source: &OwnerName, owner: &Name, random: &mut Rng) -> Option<Record> {
    records(zone, source, RecordType::Cname, owner, random).into_iter().next()
}

/// Whose sets answer for `name`: its own if it exists, else the wildcard at its closest encloser.
fn source_of(zone: &Contents, name: &OwnerName) -> Option<OwnerName> {
    if zone.has_name(name) {
        return Some(name.clone());
    }
    let mut encloser = name.parent()?;
    while !zone.has_name(&encloser) {
        encloser = encloser.parent()?;
    }
    // An encloser above the apex has nothing to say here.
    Some(encloser.wildcard()).filter(|wildcard| encloser.is_in(zone.zone()) && zone.has_name(wildcard))
}

/// What one query gets of the sets of one name and type.
fn records(
    zone: &Contents,
    source: &OwnerName,
    kind: RecordType,
    owner: &Name,
    random: &mut Rng,
) -> Vec<Record> {
    let sets: Vec<_> = zone.sets_of(source, kind).collect();
    let record = |(ttl, text): (i64, &str)| {
        // A value that is none can come only from a log that was edited by hand.
        let data = rdata(kind, parse(kind, text).ok()?)?;
        Some(Record::from_rdata(owner.clone(), u32::try_from(ttl).ok()?, data))
    };
    answers_of(&sets, random).into_iter().filter_map(record).collect()
}

/// The addresses of the SRV targets that are in the zone, each name once.
fn targets(zone: &Contents, answers: &[Record], random: &mut Rng) -> Vec<Record> {
    let mut seen: Vec<OwnerName> = Vec::new();
    let mut additionals = Vec::new();
    for record in answers {
        let RData::SRV(srv) = &record.data else { continue };
        let name = OwnerName::from_labels(srv.target.iter());
        if seen.contains(&name) || !name.is_in(zone.zone()) {
            continue;
        }
        for kind in [RecordType::A, RecordType::Aaaa] {
            additionals.extend(records(zone, &name, kind, &srv.target, random));
        }
        seen.push(name);
    }
    additionals
}

/// The SOA that says how long "there is none" may be kept: min(its TTL, its minimum). RFC 2308, section 3.
fn negative_soa(zone: &Contents) -> Option<Record> {
    let apex = zone.zone();
    let set = zone.sets_of(apex, RecordType::Soa).next()?;
    let Ok(Value::Soa(soa)) = parse(RecordType::Soa, set.values.first()?) else { return None };
    let ttl = u32::try_from(set.ttl).ok()?.min(soa.minimum);
    Some(Record::from_rdata(wire_name(apex)?, ttl, rdata(RecordType::Soa, Value::Soa(soa))?))
}

/// RFC 8482, section 4.2: who asks for everything gets one harmless record.
fn minimal_any(zone: &Contents, owner: Name) -> Option<Record> {
    let hinfo = HINFO::new("RFC8482".to_owned(), String::new());
    Some(Record::from_rdata(owner, negative_soa(zone)?.ttl, RData::HINFO(hinfo)))
}

#[cfg(test)]
mod tests;
