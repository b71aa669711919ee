//! What a zone answers to one question: which records, in which section, with which code.
//!
//! Pure, and of DNS only what a private zone needs: positive answers with in-zone CNAMEs followed, the
//! addresses of SRV targets as additionals, NXDOMAIN told from NODATA, wildcards as in RFC 4592. Messages,
//! sizes and EDNS are [`super::message`]; which of a group's sets answers is [`super::pick`].

use fastrand::Rng;
use hickory_server::proto::op::{Query, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, HINFO, NS, SOA, SRV, TXT};
use hickory_server::proto::rr::{DNSClass, Name, RData, Record, RecordType as QueryType};

use super::pick::answers_of;
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

fn kind_of(asked: QueryType) -> Option<RecordType> {
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

fn rdata(kind: RecordType, value: Value) -> Option<RData> {
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

fn wire_name(name: &OwnerName) -> Option<Name> {
    Name::from_labels(name.labels()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, RecordSet};
    use crate::zone::Zone;
    use crate::zone::embedded::testing::{a, change, cname, srv};
    use crate::zone::embedded::{EmbeddedZone, Options};

    async fn zone(sets: impl IntoIterator<Item = RecordSet>) -> EmbeddedZone {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let batch: Vec<_> = sets.into_iter().map(change).collect();
        if !batch.is_empty() {
            zone.change(&batch).await.unwrap();
        }
        zone
    }

    fn ask(zone: &EmbeddedZone, name: &str, kind: QueryType) -> Answer {
        let query = Query::query(Name::from_ascii(name).unwrap(), kind);
        zone.view(|contents| answer(contents, &query, &mut Rng::with_seed(1)))
    }

    fn shown(records: &[Record]) -> Vec<String> {
        records.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn an_srv_answer_brings_the_address_of_its_target() {
        let zone = zone([srv("_web._tcp", "a", 1), a("i-a", &["10.0.0.7"])]).await;
        let answer = ask(&zone, "_web._tcp.sd.internal.", QueryType::SRV);
        assert_eq!((answer.code, answer.authoritative), (ResponseCode::NoError, true));
        assert_eq!(shown(&answer.answers), ["_web._tcp.sd.internal. 0 IN SRV 1 1 80 i-a.sd.internal."]);
        assert_eq!(shown(&answer.additionals), ["i-a.sd.internal. 0 IN A 10.0.0.7"]);
        assert_eq!(answer.authorities, []);
    }

    #[tokio::test]
    async fn answers_in_the_case_of_the_question() {
        let zone = zone([a("web", &["10.0.0.7"])]).await;
        let answer = ask(&zone, "WeB.sd.INTERNAL.", QueryType::A);
        assert_eq!(answer.answers[0].name.to_string(), "WeB.sd.INTERNAL.");
    }

    #[tokio::test]
    async fn tells_no_name_from_no_data() {
        let zone = zone([srv("_web._tcp", "a", 1)]).await;
        let soa = "sd.internal. 5 IN SOA ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5";
        for (name, kind, code) in [
            ("none.sd.internal.", QueryType::SRV, ResponseCode::NXDomain),
            ("x._web._tcp.sd.internal.", QueryType::SRV, ResponseCode::NXDomain),
            ("_web._tcp.sd.internal.", QueryType::A, ResponseCode::NoError),
            ("_web._tcp.sd.internal.", QueryType::MX, ResponseCode::NoError),
            ("_tcp.sd.internal.", QueryType::SRV, ResponseCode::NoError),
            ("sd.internal.", QueryType::A, ResponseCode::NoError),
        ] {
            let answer = ask(&zone, name, kind);
            assert_eq!((answer.code, answer.authoritative), (code, true), "{name}");
            assert_eq!(answer.answers, []);
            assert_eq!(shown(&answer.authorities), [soa], "{name}");
        }
    }

    #[tokio::test]
    async fn the_lower_of_the_soas_ttl_and_minimum_bounds_negative_answers() {
        let zone = zone([]).await;
        let mut soa = zone.snapshot().remove(1);
        for (ttl, minimum, negative) in [(900, 5, 5), (60, 86_400, 60)] {
            soa.ttl = ttl;
            soa.values = vec![format!("ns. hostmaster. 1 7200 900 1209600 {minimum}")];
            let change = crate::record::Change { action: Action::Upsert, set: soa.clone() };
            zone.change(&[change]).await.unwrap();
            assert_eq!(ask(&zone, "none.sd.internal.", QueryType::A).authorities[0].ttl, negative);
            assert_eq!(i64::from(ask(&zone, "sd.internal.", QueryType::SOA).answers[0].ttl), ttl);
        }
    }

    #[tokio::test]
    async fn refuses_what_is_not_the_zones() {
        let zone = zone([]).await;
        let refused = Answer { code: ResponseCode::Refused, ..Answer::default() };
        assert_eq!(ask(&zone, "example.com.", QueryType::A), refused);
        assert_eq!(ask(&zone, "internal.", QueryType::A), refused);
        assert_eq!(ask(&zone, ".", QueryType::NS), refused);
        assert_eq!(ask(&zone, "sd.internal.", QueryType::AXFR), refused);
        let mut chaos = Query::query(Name::from_ascii("sd.internal.").unwrap(), QueryType::TXT);
        chaos.set_query_class(DNSClass::CH);
        assert_eq!(zone.view(|contents| answer(contents, &chaos, &mut Rng::with_seed(1))), refused);
    }

    #[tokio::test]
    async fn answers_for_the_apex_and_every_type() {
        let mut txt = a("t", &[]);
        (txt.kind, txt.values) = (RecordType::Txt, vec![r#""v=1" "a b""#.to_owned()]);
        let mut aaaa = a("six", &["fd00::7"]);
        aaaa.kind = RecordType::Aaaa;
        let zone = zone([txt, aaaa]).await;
        assert_eq!(ask(&zone, "sd.internal.", QueryType::SOA).answers.len(), 1);
        assert_eq!(ask(&zone, "sd.internal.", QueryType::NS).answers.len(), 4);
        assert_eq!(
            shown(&ask(&zone, "six.sd.internal.", QueryType::AAAA).answers),
            ["six.sd.internal. 0 IN AAAA fd00::7"]
        );
        let answer = ask(&zone, "t.sd.internal.", QueryType::TXT);
        let RData::TXT(txt) = &answer.answers[0].data else { panic!("{answer:?}") };
        assert_eq!(txt.txt_data.len(), 2);
    }

    #[tokio::test]
    async fn follows_aliases_within_the_zone() {
        let sets = [
            cname("one", "two.sd.internal"),
            cname("two", "web.sd.internal"),
            a("web", &["10.0.0.7"]),
            cname("out", "example.com"),
            cname("lost", "none.sd.internal"),
            cname("loop", "loop.sd.internal"),
        ];
        let zone = zone(sets).await;
        let answer = ask(&zone, "one.sd.internal.", QueryType::A);
        assert_eq!(
            shown(&answer.answers),
            [
                "one.sd.internal. 0 IN CNAME two.sd.internal.",
                "two.sd.internal. 0 IN CNAME web.sd.internal.",
                "web.sd.internal. 0 IN A 10.0.0.7"
            ]
        );
        assert_eq!(ask(&zone, "one.sd.internal.", QueryType::CNAME).answers.len(), 1);
        assert_eq!(ask(&zone, "out.sd.internal.", QueryType::A).answers.len(), 1);
        let lost = ask(&zone, "lost.sd.internal.", QueryType::A);
        assert_eq!((lost.code, lost.answers.len(), lost.authorities.len()), (ResponseCode::NXDomain, 1, 1));
        let none = ask(&zone, "one.sd.internal.", QueryType::AAAA);
        assert_eq!((none.code, none.answers.len(), none.authorities.len()), (ResponseCode::NoError, 2, 1));
        assert_eq!(ask(&zone, "loop.sd.internal.", QueryType::A).answers.len(), CNAME_HOPS_MAX + 1);
    }

    #[tokio::test]
    async fn a_wildcard_answers_only_for_names_that_are_not_there() {
        let zone = zone([
            a("*.apps", &["10.0.0.7"]),
            a("here.apps", &["10.0.0.8"]),
            a("x.deep.apps", &["10.0.0.9"]),
        ])
        .await;
        let wild = ask(&zone, "any.apps.sd.internal.", QueryType::A);
        assert_eq!(shown(&wild.answers), ["any.apps.sd.internal. 0 IN A 10.0.0.7"]);
        assert_eq!(ask(&zone, "a.b.apps.sd.internal.", QueryType::A).answers.len(), 1);
        assert_eq!(ask(&zone, "any.apps.sd.internal.", QueryType::SRV).code, ResponseCode::NoError);
        assert_eq!(ask(&zone, "here.apps.sd.internal.", QueryType::SRV).answers, []);
        assert_eq!(ask(&zone, "deep.apps.sd.internal.", QueryType::A).answers, []);
        assert_eq!(ask(&zone, "y.deep.apps.sd.internal.", QueryType::A).code, ResponseCode::NXDomain);
    }

    #[tokio::test]
    async fn gives_little_to_who_asks_for_everything() {
        let zone = zone([a("web", &["10.0.0.7"])]).await;
        let any = ask(&zone, "web.sd.internal.", QueryType::ANY);
        assert!(matches!(any.answers.as_slice(), [Record { data: RData::HINFO(_), .. }]), "{any:?}");
        assert_eq!(ask(&zone, "none.sd.internal.", QueryType::ANY).code, ResponseCode::NXDomain);
    }
}
