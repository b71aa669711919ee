//! What a zone takes and refuses.

use super::*;
use crate::zone::embedded::testing::{a, change, delete, srv, upsert};

fn zone() -> Contents {
    Contents::new(OwnerName::parse("sd.internal").unwrap())
}

fn texts(refusals: &[Refusal]) -> Vec<&str> {
    refusals.iter().map(|refusal| refusal.text.as_str()).collect()
}

fn shown(contents: &Contents) -> Vec<String> {
    contents.sets().map(|set| set.to_string()).collect()
}

#[test]
fn begins_with_an_soa_and_name_servers() {
    let sets: Vec<RecordSet> = zone().sets().cloned().collect();
    assert_eq!(sets.iter().map(|set| set.kind).collect::<Vec<_>>(), [RecordType::Ns, RecordType::Soa]);
    assert_eq!(sets[1].name, "sd.internal.");
    assert_eq!(
        sets[1].values,
        ["ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5"]
    );
    assert_eq!(sets[1].ttl, 5);
}

#[test]
fn lowers_the_vendors_soa_and_no_other() {
    let mut contents = zone();
    assert!(!contents.lower_soa());
    let mut soa = contents.sets().nth(1).unwrap().clone();
    for (ttl, minimum, lowered) in [(900, 86_400, true), (900, 60, false), (300, 86_400, false)] {
        soa.ttl = ttl;
        soa.values =
            vec![format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {minimum}", SERVERS[0])];
        contents.apply(&[upsert(soa.clone())]).unwrap();
        assert_eq!(contents.lower_soa(), lowered, "{soa}");
        assert_eq!(shown(&contents) == shown(&zone()), lowered);
    }
}

#[test]
fn applies_all_or_nothing() {
    let mut contents = zone();
    contents.apply(&[change(srv("web", "a", 1))]).unwrap();
    let before = shown(&contents);
    let batch = [
        delete(srv("web", "a", 1)),
        change(srv("web", "b", 1)),
        change(srv("web", "b2", 1)),
        delete(srv("web", "none", 1)),
    ];
    let reasons = contents.apply(&batch).unwrap_err();
    assert_eq!(
        texts(&reasons),
        [
            "Tried to delete resource record set [name='web.sd.internal.', type='SRV', set-identifier='none'] but it was not found"
        ]
    );
    assert_eq!(shown(&contents), before);
}

#[test]
fn names_every_failing_change() {
    let mut contents = zone();
    contents.apply(&[change(srv("web", "a", 1))]).unwrap();
    let mut wrong = srv("web", "c", 1);
    wrong.values = vec!["1 1".to_owned()];
    let mut outside = srv("web", "d", 1);
    outside.name = "web.example.com".to_owned();
    let reasons = contents
        .apply(&[change(srv("web", "a", 1)), change(srv("web", "b", 1)), change(wrong), change(outside)])
        .unwrap_err();
    assert_eq!(
        texts(&reasons),
        [
            "Tried to create resource record set [name='web.sd.internal.', type='SRV', set-identifier='a'] but it already exists",
            "Invalid Resource Record: 'FATAL problem: SRVRRDATANotFourFields (SRV record doesn't have 4 fields) encountered with '1 1''",
            "RRSet with DNS name web.example.com. is not permitted in zone sd.internal.",
        ]
    );
}

#[test]
fn deletes_only_what_is_exactly_so() {
    let mut contents = zone();
    contents.apply(&[change(srv("web", "a", 1))]).unwrap();
    let spoiled: [fn(&mut RecordSet); 4] = [
        |set| set.ttl = 1,
        |set| set.routing = Routing::Weighted(2),
        |set| set.values = vec!["1 1 81 i-a.sd.internal".to_owned()],
        |set| set.values[0].push('.'),
    ];
    for spoil in spoiled {
        let mut set = srv("web", "a", 1);
        spoil(&mut set);
        let reasons = contents.apply(&[delete(set)]).unwrap_err();
        assert_eq!(
            texts(&reasons),
            [
                "Tried to delete resource record set [name='web.sd.internal.', type='SRV', set-identifier='a'] but the values provided do not match the current values"
            ]
        );
    }
    let mut shouted = srv("web", "a", 1);
    shouted.name = "WEB.sd.Internal.".to_owned();
    contents.apply(&[delete(shouted)]).unwrap();
    assert_eq!(contents.len(), 2);
}

#[test]
fn compares_values_in_any_order() {
    let mut contents = zone();
    contents.apply(&[change(a("web", &["10.0.0.1", "10.0.0.2"]))]).unwrap();
    contents.apply(&[delete(a("web", &["10.0.0.2", "10.0.0.1"]))]).unwrap();
}

#[test]
fn swaps_by_delete_then_create_and_refuses_any_other_double() {
    let (old, new) = (srv("web", "a", 1), srv("web", "a", 2));
    let mut contents = zone();
    contents.apply(&[change(old.clone())]).unwrap();
    for batch in [
        vec![change(new.clone()), delete(old.clone())],
        vec![upsert(new.clone()), upsert(new.clone())],
        vec![delete(old.clone()), delete(old.clone())],
        vec![delete(old.clone()), upsert(new.clone())],
        vec![delete(old.clone()), change(new.clone()), delete(new.clone())],
    ] {
        let reasons = contents.apply(&batch).unwrap_err();
        let double =
            "The request contains an invalid set of changes for a resource record set 'SRV web.sd.internal.'";
        assert_eq!(reasons.iter().filter(|reason| reason.text == double).count(), 1, "{reasons:?}");
    }
    contents.apply(&[delete(old), change(new)]).unwrap();
    let weights: Vec<_> = contents.sets().filter_map(|set| set.weight()).collect();
    assert_eq!(weights, [2]);
}

#[test]
fn tells_a_name_from_an_empty_one() {
    let mut contents = zone();
    contents.apply(&[change(srv("_web._tcp", "a", 1))]).unwrap();
    for (text, exists) in [
        ("sd.internal", true),
        ("_web._tcp.sd.internal", true),
        ("_tcp.sd.internal", true),
        ("_tc.sd.internal", false),
        ("_web.sd.internal", false),
        ("x._web._tcp.sd.internal", false),
    ] {
        assert_eq!(contents.has_name(&OwnerName::parse(text).unwrap()), exists, "{text}");
    }
}

#[test]
fn refuses_a_list_start_without_its_name_or_type() {
    let contents = zone();
    let start = |name: Option<&str>, kind, id: Option<&str>| ListStart {
        name: name.map(str::to_owned),
        kind,
        set_identifier: id.map(str::to_owned),
    };
    let srv = || Some(RecordType::Srv.into());
    for refused in [
        start(None, srv(), None),
        start(None, None, Some("a")),
        start(None, srv(), Some("a")),
        start(Some("web.sd.internal"), None, Some("a")),
        start(Some("web.sd.internal"), Some("PTR".to_owned().into()), None),
    ] {
        assert!(contents.list(Some(&refused), 10).is_err(), "{refused:?}");
    }
    assert!(contents.list(Some(&start(Some("web.sd.internal"), srv(), Some("a"))), 10).is_ok());
    assert!(contents.list(None, 0).is_err());
}

#[test]
fn replays_without_asking_and_finds_what_cannot_be() {
    let mut contents = zone();
    let mut odd = srv("web", "a", 1);
    odd.routing = Routing::Weighted(999);
    contents.replay(&[change(odd)]).unwrap();
    assert!(matches!(contents.replay(&[delete(srv("db", "a", 1))]), Err(ReplayFault::Absent(_))));
    assert_eq!(contents.check_apex(), Ok(()));
    let empty = Contents::empty(OwnerName::parse("sd.internal").unwrap());
    assert!(empty.check_apex().is_err());
}
