//! Calls as the API gets them, and its answers and failures in this system's terms.

use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use futures_util::FutureExt as _;

use super::testing::{Canned, Reply, refusal};
use super::*;
use crate::record::{Action, RecordSet, RecordType, Routing};
use crate::zone::{ChangeStatus, ListType};

const ACCEPTED: &str = "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id>\
    <Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>\
    </ChangeResourceRecordSetsResponse>";

fn create() -> Change {
    Change {
        action: Action::Create,
        set: RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some("i-1:80".into()),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec!["1 1 32768 ip-10-0-0-1.sd.internal".into()],
        },
    }
}

/// A page of sets, each given by what is within its tags.
fn page(sets: &[&str], next: Option<(&str, &str, Option<&str>)>) -> String {
    let sets: String =
        sets.iter().map(|set| format!("<ResourceRecordSet>{set}</ResourceRecordSet>")).collect();
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |(name, kind, id)| {
            let id = id.map(|id| format!("<NextRecordIdentifier>{id}</NextRecordIdentifier>"));
            format!(
                "<IsTruncated>true</IsTruncated><NextRecordName>{name}</NextRecordName>\
                 <NextRecordType>{kind}</NextRecordType>{}",
                id.unwrap_or_default()
            )
        },
    );
    format!(
        "<ListResourceRecordSetsResponse><ResourceRecordSets>{sets}</ResourceRecordSets>{next}\
         <MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
    )
}

fn value(name: &str, kind: &str, value: &str) -> String {
    format!(
        "<Name>{name}</Name><Type>{kind}</Type><TTL>60</TTL><ResourceRecords><ResourceRecord>\
         <Value>{value}</Value></ResourceRecord></ResourceRecords>"
    )
}

fn names(page: &Page) -> Vec<&str> {
    page.sets.iter().map(|set| &*set.name).collect()
}

#[tokio::test]
async fn sends_a_change_whole_and_once() {
    let canned = Canned::ok([ACCEPTED]);
    let zone = canned.zone();
    assert_eq!((zone.name(), zone.id()), ("sd.internal", "Z1"));
    let mut simple = create();
    simple.set.set_identifier = None;
    simple.set.routing = Routing::Simple;
    simple.set.ttl = 60;
    let mut multivalue = create();
    multivalue.set.routing = Routing::Multivalue;
    let info = zone.change(&[create(), simple, multivalue]).await.unwrap();
    assert_eq!(info, ChangeInfo { id: "C1".into(), status: ChangeStatus::Pending });
    let asked = canned.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].line.starts_with("POST /2013-04-01/hostedzone/Z1/rrset"), "{}", asked[0].line);
    let set = |middle: &str, ttl: &str| {
        format!(
            "<Change><Action>CREATE</Action><ResourceRecordSet><Name>_web._tcp.sd.internal</Name>\
             <Type>SRV</Type>{middle}<TTL>{ttl}</TTL><ResourceRecords><ResourceRecord>\
             <Value>1 1 32768 ip-10-0-0-1.sd.internal</Value></ResourceRecord></ResourceRecords>\
             </ResourceRecordSet></Change>"
        )
    };
    let weighted = set("<SetIdentifier>i-1:80</SetIdentifier><Weight>1</Weight>", "0");
    let multivalue =
        set("<SetIdentifier>i-1:80</SetIdentifier><MultiValueAnswer>true</MultiValueAnswer>", "0");
    let changes = format!("<Changes>{weighted}{}{multivalue}</Changes>", set("", "60"));
    assert!(asked[0].body.contains(&changes), "{}", asked[0].body);
}

#[tokio::test]
async fn asks_for_a_page_by_name_type_and_identifier() {
    let set = format!(
        "{}<SetIdentifier>i-1:80</SetIdentifier><Weight>1</Weight>",
        value("_Web._tcp.sd.internal.", "SRV", "1 1 80 a")
    );
    let body = page(&[&set], Some(("_web._tcp.sd.internal.", "SRV", Some("i-2:80"))));
    let canned = Canned::ok([&*body, &*page(&[], None)]);
    let zone = canned.zone();
    let answer = zone.list(None, 1).await.unwrap();
    let mut expected = create().set;
    (expected.ttl, expected.values) = (60, vec!["1 1 80 a".into()]);
    assert_eq!(answer.sets, [expected]);
    let next = answer.next.unwrap();
    let start = ListStart {
        name: Some("_web._tcp.sd.internal".into()),
        kind: Some(RecordType::Srv.into()),
        set_identifier: Some("i-2:80".into()),
    };
    assert_eq!(next, start);
    assert_eq!(zone.list(Some(&next), 1_000).await.unwrap(), Page::default());
    assert_eq!(
        canned.lines(),
        [
            "GET /2013-04-01/hostedzone/Z1/rrset?maxitems=1",
            "GET /2013-04-01/hostedzone/Z1/rrset?name=_web._tcp.sd.internal&type=SRV&identifier=i-2%3A80\
             &maxitems=300",
        ]
    );
}

#[tokio::test]
async fn lists_each_set_with_its_policy() {
    let policies = [
        ("", Routing::Simple),
        ("<SetIdentifier>a</SetIdentifier><Weight>0</Weight>", Routing::Weighted(0)),
        ("<SetIdentifier>a</SetIdentifier><MultiValueAnswer>true</MultiValueAnswer>", Routing::Multivalue),
        ("<SetIdentifier>a</SetIdentifier><Region>eu-west-1</Region>", Routing::Simple),
    ];
    let set = |policy: &str| value("web.sd.internal.", "A", "10.0.0.7") + policy;
    let sets = policies.map(|(policy, _)| set(policy));
    let body = page(&sets.each_ref().map(String::as_str), None);
    let answer = Canned::ok([&*body]).zone().list(None, 300).await.unwrap();
    let listed: Vec<_> = answer.sets.iter().map(|set| set.routing).collect();
    assert_eq!(listed, policies.map(|(_, routing)| routing));
}

#[tokio::test]
async fn lists_past_what_it_cannot_hold_and_keeps_an_alias() {
    let alias = "<Name>\\052.sd.internal.</Name><Type>A</Type><AliasTarget><HostedZoneId>Z2</HostedZoneId>\
                 <DNSName>lb.amazonaws.com.</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth>\
                 </AliasTarget>";
    let mx = value("sd.internal.", "MX", "10 mail");
    let news = value("sd.internal.", "BRANDNEW", "?");
    let ns = value("sd.internal.", "NS", "ns-1.");
    let body = page(&[&mx, &ns, &news, alias], None);
    let answer = Canned::ok([&*body]).zone().list(None, 300).await.unwrap();
    assert_eq!(names(&answer), ["sd.internal", "\\052.sd.internal"]);
    assert_eq!((answer.sets[1].kind, &*answer.sets[1].values), (RecordType::A, &[][..]));
}

#[tokio::test]
async fn a_page_is_one_call_also_where_all_of_it_is_what_it_cannot_hold() {
    let (a, mx) = (value("A.", "A", "10.0.0.1"), value("a.", "MX", "10 mail"));
    let first = page(&[&a], Some(("A.", "MX", None)));
    let second = page(&[&mx], Some(("b.", "PTR", Some("x"))));
    let canned = Canned::ok([&*first, &*second, &*page(&[], None)]);
    let (zone, mut start, mut found) = (canned.zone(), None, Vec::new());
    loop {
        let calls = canned.lines().len();
        let answer = zone.list(start.as_ref(), 1).await.unwrap();
        assert_eq!(canned.lines().len(), calls + 1);
        found.extend(answer.sets);
        let Some(next) = answer.next else { break };
        start = Some(next);
    }
    assert_eq!(found.iter().map(|set| &*set.name).collect::<Vec<_>>(), ["a"]);
    assert_eq!(start.unwrap().kind, Some(ListType::from("PTR".to_owned())));
    assert_eq!(
        canned.lines()[1..],
        [
            "GET /2013-04-01/hostedzone/Z1/rrset?name=a&type=MX&maxitems=1",
            "GET /2013-04-01/hostedzone/Z1/rrset?name=b&type=PTR&identifier=x&maxitems=1"
        ]
    );
}

#[tokio::test]
async fn asks_how_far_a_change_is() {
    let insync = ACCEPTED
        .replace("ChangeResourceRecordSetsResponse", "GetChangeResponse")
        .replace("PENDING", "INSYNC");
    let canned = Canned::new([Reply::Says(200, insync), refusal(404, "NoSuchChange", "No change C2")]);
    let zone = canned.zone();
    assert_eq!(zone.change_status("/change/C1").await.unwrap().status, ChangeStatus::InSync);
    assert_eq!(zone.change_status("C2").await, Err(ZoneError::NoSuchChange("No change C2".into())));
    assert_eq!(canned.lines(), ["GET /2013-04-01/change/C1", "GET /2013-04-01/change/C2"]);
}

#[tokio::test]
async fn is_gone_once_a_call_was_told_so() {
    let gone = refusal(404, "NoSuchHostedZone", "No hosted zone found with ID: Z1");
    let zone = Canned::new([refusal(403, "AccessDenied", "no"), gone]).zone();
    zone.list(None, 1).await.unwrap_err();
    assert!(zone.gone().now_or_never().is_none());
    zone.list(None, 1).await.unwrap_err();
    assert!(zone.gone().now_or_never().is_some());
}

#[tokio::test]
async fn gives_each_failure_its_meaning_and_repeats_no_call() {
    let reason = "Tried to create resource record set [name=&apos;a.&apos;, type=&apos;SRV&apos;] but it already exists";
    let old = "<InvalidChangeBatch><Messages><Message>one</Message></Messages></InvalidChangeBatch>";
    let cases = [
        (refusal(400, "Throttling", "Rate exceeded"), "throttled"),
        (refusal(400, "PriorRequestNotComplete", "wait"), "busy"),
        (refusal(400, "InvalidChangeBatch", &format!("[{reason}, {reason}]")), "rejected"),
        (Reply::Says(400, old.into()), "rejected"),
        (refusal(400, "InvalidInput", "Invalid value"), "invalid"),
        (refusal(403, "AccessDenied", "not authorized to perform: x"), "denied"),
        (refusal(403, "ExpiredToken", "expired"), "unauthenticated"),
        (refusal(404, "NoSuchHostedZone", "none"), "no such zone"),
        (refusal(500, "InternalFailure", "oh"), "unknown"),
        (Reply::Says(502, "<html>Bad Gateway</html>".into()), "unknown"),
        (Reply::Says(200, "<html>Sign in to this network</html>".into()), "unknown"),
        (Reply::Says(200, "<ChangeResourceRecordSetsResponse/>".into()), "unknown"),
        (Reply::Resets, "unknown"),
    ];
    for (reply, kind) in cases {
        let canned = Canned::new([reply.clone()]);
        let error = canned.zone().change(&[create()]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{reply:?}: {error}");
        assert_eq!(canned.asked().len(), 1, "{reply:?}");
        if let ZoneError::Rejected(refusals) = error {
            let texts: Vec<_> = refusals.iter().map(ToString::to_string).collect();
            assert!(texts == ["one"] || texts.len() == 2 && texts[0] == texts[1], "{texts:?}");
        }
    }
}

#[tokio::test]
async fn says_that_there_are_no_credentials_and_sends_nothing() {
    #[derive(Debug)]
    struct Broken(fn() -> CredentialsError);
    impl ProvideCredentials for Broken {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err((self.0)()))
        }
    }
    let cases = [
        (CredentialsError::not_loaded_no_source as fn() -> CredentialsError, "give this host a role"),
        (|| CredentialsError::provider_timed_out(Duration::from_secs(1)), "does not answer"),
        (|| CredentialsError::provider_error("no role is attached"), "no role is attached"),
    ];
    for (cause, words) in cases {
        let canned = Canned::default();
        let config = canned.config().credentials_provider(Broken(cause)).build();
        let zone = Route53Zone::new(Client::from_conf(config), "sd.internal".into(), "Z1".into());
        let error = zone.list(None, 1).await.unwrap_err();
        assert!(
            matches!(&error, ZoneError::Unauthenticated(why) if why.to_string().contains(words)),
            "{error}"
        );
        assert_eq!(canned.asked(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn gives_up_in_time_and_sooner_where_there_is_little() {
    let zone = Arc::new(Canned::new(vec![Reply::Waits; 4]).zone());
    let began = Instant::now();
    let error = zone.change(&[create()]).await.unwrap_err();
    assert_eq!(error, ZoneError::Unknown("no answer within 10 s".into()));
    assert_eq!(began.elapsed().as_secs(), 10);
    // One is under way while time runs short; another has less left than that.
    for (left_alone, in_all) in [(1, 4), (9, 10)] {
        let zone = Arc::new(Canned::new([Reply::Waits]).zone());
        let began = Instant::now();
        let call = tokio::spawn({
            let zone = Arc::clone(&zone);
            async move { zone.list(None, 1).await }
        });
        tokio::time::sleep(Duration::from_secs(left_alone)).await;
        zone.drain();
        call.await.unwrap().unwrap_err();
        assert_eq!(began.elapsed().as_secs(), in_all);
    }
    zone.drain();
    let began = Instant::now();
    zone.change_status("C1").await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 3);
}
