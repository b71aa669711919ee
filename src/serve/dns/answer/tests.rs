//! What a small zone answers.

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
    let soa =
        "sd.internal. 5 IN SOA ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5";
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
    let zone =
        zone([a("*.apps", &["10.0.0.7"]), a("here.apps", &["10.0.0.8"]), a("x.deep.apps", &["10.0.0.9"])])
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
