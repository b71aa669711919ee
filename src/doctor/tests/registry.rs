//! Broken set-ups of Route 53: the clock, the zone, permissions.

use super::*;
use crate::zone::ZoneError;
use crate::zone::route53::FindError;

fn seen(private: bool) -> Seen {
    Seen { id: "Z9".into(), name: "sd.internal".into(), private, ..Seen::default() }
}

/// Nothing is found, so nothing else is asked.
fn without_zone(error: FindError) -> impl FnOnce(&mut Facts) {
    move |facts| {
        let route53 = route53(facts);
        (route53.zone, route53.calls, route53.records) = (Err(error), Vec::new(), None);
    }
}

#[test]
fn the_clock() {
    let clock = |ahead| move |facts: &mut Facts| route53(facts).clock = ahead;
    warns(clock(Ok(-90)), "clock", "90 s behind the API's", "NTP");
    breaks(clock(Ok(400)), "clock", "400 s ahead of the API's, so no signature holds", "NTP");
    warns(clock(Err("no answer within 5 s".into())), "clock", "no answer within 5 s", "reaches Route 53");
}

#[test]
fn the_zone_is_not_found() {
    let name = || "sd.internal".to_owned();
    let absent = FindError::Absent { name: name() };
    breaks(without_zone(absent), "zone", "there is no hosted zone sd.internal", "make a private one");
    let public = FindError::OnlyPublic { name: name(), seen: vec![seen(false)] };
    breaks(without_zone(public), "zone", "is public: Z9", "make a private one");
    let elsewhere = FindError::Elsewhere { name: name(), vpc: "vpc-1".into(), seen: vec![seen(true)] };
    breaks(without_zone(elsewhere), "zone", "this host's vpc-1 does not see", "Route 53 Profile");
    let several = FindError::Several { name: name(), seen: vec![seen(true), seen(true)] };
    breaks(without_zone(several), "zone", "there are several", "--zone-id");
    let absent = FindError::AbsentId { id: "Z9".into() };
    breaks(without_zone(absent), "zone", "of the id Z9", "another --zone-id");
    let of_cloud_map = Seen { owner: Some("servicediscovery.amazonaws.com".into()), ..seen(true) };
    let owned = FindError::Owned { seen: Box::new(of_cloud_map) };
    breaks(without_zone(owned), "zone", "made by servicediscovery.amazonaws.com", "pass another ZONE");
}

#[test]
fn the_zone_cannot_be_looked_for() {
    let unanswered = |error| FindError::Unanswered { action: "route53:ListHostedZonesByName", error };
    let denied = unanswered(ZoneError::Denied("not you".into()));
    breaks(
        without_zone(denied),
        "zone",
        "access denied",
        "allow this host's role route53:ListHostedZonesByName",
    );
    let nobody = unanswered(ZoneError::Unauthenticated("no credentials".into()));
    breaks(without_zone(nobody), "zone", "not authenticated", "a role");
    let lost = unanswered(ZoneError::Unknown("no route".into()));
    breaks(without_zone(lost), "zone", "no route", "--endpoint-url");
}

/// No record says that the zone is seen, nor that it is not.
fn without_name(facts: &mut Facts) {
    facts.resolved = Err("no records".into());
    drop(records(facts).remove(1));
}

/// A Profile shows nowhere in the API.
#[test]
fn a_zone_in_which_this_host_is_found_is_seen() {
    for here in [Some(false), None] {
        let mut facts = healthy();
        route53(&mut facts).zone.as_mut().unwrap().here = here;
        assert_eq!(judge(&facts).worst(), Level::Fine);
    }
}

#[test]
fn the_zone_is_seen_by_others() {
    warns(
        |facts| {
            let zone = route53(facts).zone.as_mut().unwrap();
            (zone.vpcs, zone.here) = (vec!["vpc-9".into()], Some(false));
            without_name(facts);
        },
        "zone",
        "only others see it: vpc-9; a Route 53 Profile would not show here",
        "associate this host's VPC",
    );
    warns(
        |facts| {
            let zone = route53(facts).zone.as_mut().unwrap();
            (zone.vpcs, zone.here) = (Vec::new(), None);
            without_name(facts);
        },
        "zone",
        "whether this host sees it is not known",
        "route53:GetHostedZone",
    );
}

#[test]
fn how_long_there_is_none_and_how_full_it_is() {
    warns(
        |facts| records(facts)[0].values = vec!["ns. host. 1 7200 900 1209600 86400".into()],
        "negative TTL",
        "remembered for 900 s",
        "ecssd sd.internal --janitor --soa-minimum 5s --apply",
    );
    warns(|facts| drop(records(facts).remove(0)), "negative TTL", "SOA was not found", "by hand");
    let fill = |count: usize| {
        move |facts: &mut Facts| {
            let sets = (0..count).map(|n| simple(&format!("n{n}.sd.internal"), RecordType::Txt, 60, "\"x\""));
            records(facts).extend(sets);
        }
    };
    warns(fill(8_500), "zone's room", "8503 of 10000", "quota");
    breaks(fill(10_000), "zone's room", "no record can be added", "quota");
}

#[test]
fn names_that_another_zone_answers_for() {
    let delegated = |to: &'static str| {
        move |facts: &mut Facts| {
            let name = first(facts).services[0].name.as_str().to_owned();
            let at = name.strip_prefix(to).unwrap().to_owned();
            records(facts).push(simple(&at, RecordType::Ns, 60, "ns.example.com"));
        }
    };
    let remedy = "a name outside of that";
    warns(delegated("_web."), "names", "lies under what the zone delegates", remedy);
    warns(delegated(""), "names", "lies under what the zone delegates", remedy);
    let within = |zone: &'static str| {
        move |facts: &mut Facts| route53(facts).zone.as_mut().unwrap().within = vec![zone.to_owned()]
    };
    warns(within("_tcp.sd.internal"), "names", "in another private zone, _tcp.sd.internal", remedy);
    let mut facts = healthy();
    within("prod.sd.internal")(&mut facts);
    records(&mut facts).push(simple("sd.internal", RecordType::Ns, 60, "ns-0.awsdns-00.com"));
    records(&mut facts).push(simple("prod.sd.internal", RecordType::Ns, 60, "ns.example.com"));
    assert_eq!(judge(&facts).worst(), Level::Fine);
}

#[test]
fn permissions() {
    let call = |vital, error: ZoneError| {
        move |facts: &mut Facts| {
            let call = &mut route53(facts).calls[1];
            (call.vital, call.answer) = (vital, Err(error));
        }
    };
    let denied = || ZoneError::Denied("no identity-based policy allows it".into());
    let (subject, action) = ("permissions", "route53:ChangeResourceRecordSets, for writing: access denied");
    breaks(call(true, denied()), subject, action, "deploy/policies/agent.json");
    warns(call(false, denied()), subject, action, "deploy/policies/agent.json");
    let nobody = ZoneError::Unauthenticated("expired token".into());
    breaks(call(false, nobody), subject, "expired token", "a role");
    let busy = ZoneError::Throttled("Rate exceeded".into());
    warns(call(true, busy), subject, "throttled", "--rate");
    breaks(call(true, ZoneError::Unknown("no answer".into())), subject, "no answer", "ask again");
}
