//! Which hosted zone is found, and how long one that is not there is waited for.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::super::testing::{Canned, Reply, refusal};
use super::*;
use crate::zone::Zone;

fn settings(vpc: Option<&str>) -> Settings {
    Settings {
        wanted: Wanted::Name("SD.internal.".into()),
        endpoint_url: None,
        region: Some("eu-central-1".into()),
        vpc: vpc.map(str::to_owned),
    }
}

fn with_id(id: &str, vpc: Option<&str>) -> Settings {
    Settings { wanted: Wanted::Id(id.into()), ..settings(vpc) }
}

fn hosted_zone(id: &str, name: &str, private: bool, more: &str) -> String {
    format!(
        "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}</Name><CallerReference>r</CallerReference>\
         <Config><Comment>of {id}</Comment><PrivateZone>{private}</PrivateZone></Config>\
         <ResourceRecordSetCount>2</ResourceRecordSetCount>{more}</HostedZone>"
    )
}

fn private(id: &str) -> String {
    hosted_zone(id, "sd.internal.", true, "")
}

fn cloud_map(id: &str) -> String {
    let owner = "<LinkedService><ServicePrincipal>servicediscovery.amazonaws.com</ServicePrincipal>\
                 <Description>x</Description></LinkedService>";
    hosted_zone(id, "sd.internal.", true, owner)
}

fn listed(zones: &[String], next: Option<(&str, &str)>) -> Reply {
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |(name, id)| {
            format!(
                "<IsTruncated>true</IsTruncated><NextDNSName>{name}</NextDNSName>\
                 <NextHostedZoneId>{id}</NextHostedZoneId>"
            )
        },
    );
    let body = format!(
        "<ListHostedZonesByNameResponse><HostedZones>{}</HostedZones>{next}<MaxItems>100</MaxItems>\
         </ListHostedZonesByNameResponse>",
        zones.concat()
    );
    Reply::Says(200, body)
}

fn got(zone: &str, vpcs: &[&str]) -> Reply {
    let vpcs: String = vpcs
        .iter()
        .map(|id| format!("<VPC><VPCRegion>eu-central-1</VPCRegion><VPCId>{id}</VPCId></VPC>"))
        .collect();
    Reply::Says(200, format!("<GetHostedZoneResponse>{zone}<VPCs>{vpcs}</VPCs></GetHostedZoneResponse>"))
}

fn seen_by_vpc(ids: &[&str], next: Option<&str>) -> Reply {
    let summaries: String = ids
        .iter()
        .map(|id| {
            format!(
                "<HostedZoneSummary><HostedZoneId>{id}</HostedZoneId><Name>x.</Name><Owner>\
                 <OwningAccount>1</OwningAccount></Owner></HostedZoneSummary>"
            )
        })
        .collect();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    let body = format!(
        "<ListHostedZonesByVPCResponse><HostedZoneSummaries>{summaries}</HostedZoneSummaries>\
         <MaxItems>100</MaxItems>{next}</ListHostedZonesByVPCResponse>"
    );
    Reply::Says(200, body)
}

fn denied() -> Reply {
    refusal(403, "AccessDenied", "not authorized to perform: it")
}

/// What is found, and what was asked for it.
async fn found(settings: &Settings, replies: Vec<Reply>) -> (Result<String, FindError>, Vec<String>) {
    let canned = Canned::new(replies);
    let zone = find_with(canned.client(), settings).await;
    (zone.map(|zone| format!("{} {}", zone.id(), zone.name())), canned.lines())
}

const BY_NAME: &str = "GET /2013-04-01/hostedzonesbyname?dnsname=sd.internal&maxitems=100";

#[tokio::test]
async fn asks_once_for_the_one_private_zone_of_a_name() {
    let zones = [
        hosted_zone("Z9", "sd.internal.", false, ""),
        private("Z1"),
        hosted_zone("Z2", "a.sd.internal.", true, ""),
        hosted_zone("Z3", "zz.internal.", true, ""),
    ];
    let (zone, asked) = found(&settings(None), vec![listed(&zones, Some(("zzz.internal.", "Z4")))]).await;
    assert_eq!(zone.unwrap(), "Z1 sd.internal");
    assert_eq!(asked, [BY_NAME]);
}

#[tokio::test]
async fn private_zones_within_it_come_along() {
    let zones = [
        private("Z1"),
        hosted_zone("Z2", "prod.sd.internal.", true, ""),
        hosted_zone("Z3", "open.sd.internal.", false, ""),
        hosted_zone("Z4", "asd.internal.", true, ""),
    ];
    let canned = Canned::new(vec![listed(&zones, None)]);
    let (_, seen) = look_with(canned.client(), &settings(None)).await.unwrap();
    assert_eq!((seen.id.as_str(), seen.within), ("Z1", vec!["prod.sd.internal".to_owned()]));
}

#[tokio::test]
async fn reads_on_while_the_name_lasts() {
    let public = |id: &str| hosted_zone(id, "sd.internal.", false, "");
    let first = listed(&[public("Z8"), public("Z9")], Some(("sd.internal.", "Z1")));
    let second = listed(&[private("Z1")], Some(("t.internal.", "Z2")));
    let (zone, asked) = found(&settings(None), vec![first, second]).await;
    assert_eq!(zone.unwrap(), "Z1 sd.internal");
    assert_eq!(
        asked,
        [BY_NAME, "GET /2013-04-01/hostedzonesbyname?dnsname=sd.internal.&hostedzoneid=Z1&maxitems=100"]
    );
}

#[tokio::test]
async fn a_list_of_zones_that_goes_round_is_no_answer() {
    let by_name = || listed(&[private("Z1")], Some(("sd.internal.", "Z1")));
    let (zone, asked) = found(&settings(None), vec![by_name(), by_name()]).await;
    assert_eq!(
        zone.unwrap_err().to_string(),
        "route53:ListHostedZonesByName: unknown outcome: the list goes round, after 2 pages"
    );
    assert_eq!(asked.len(), 2);
    let by_vpc = ["t", "u", "t"].map(|token| seen_by_vpc(&["Z7"], Some(token)));
    let replies = [vec![listed(&[private("Z1")], None), denied()], by_vpc.to_vec()].concat();
    let (zone, asked) = found(&settings(Some("vpc-1")), replies).await;
    assert!(zone.unwrap_err().to_string().contains("ListHostedZonesByVPC: unknown outcome: the list goes"));
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn takes_of_two_private_twins_the_one_that_this_vpc_sees() {
    let replies = || {
        vec![
            listed(&[private("Z1"), private("Z2")], None),
            got(&private("Z1"), &["vpc-1"]),
            got(&private("Z2"), &["vpc-2", "vpc-3"]),
        ]
    };
    let (zone, asked) = found(&settings(Some("vpc-3")), replies()).await;
    assert_eq!(zone.unwrap(), "Z2 sd.internal");
    assert_eq!(asked, [BY_NAME, "GET /2013-04-01/hostedzone/Z1", "GET /2013-04-01/hostedzone/Z2"]);
    let error = found(&settings(None), replies()).await.0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are several private hosted zones sd.internal: Z1 (private, seen by vpc-1, \"of Z1\"), \
         Z2 (private, seen by vpc-2 and vpc-3, \"of Z2\"): pass --zone-id ID"
    );
    let error = found(&settings(Some("vpc-4")), replies()).await.0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "this host's vpc-4 does not see the private hosted zone sd.internal: Z1 (private, seen by vpc-1, \
         \"of Z1\"), Z2 (private, seen by vpc-2 and vpc-3, \"of Z2\"): associate it, or pass another ZONE; \
         where a Route 53 Profile leads to it, which the API does not show, or other VPCs are to see it, pass \
         --zone-id ID"
    );
    // Of one, the id.
    let one = vec![listed(&[private("Z1")], None), got(&private("Z1"), &["vpc-1"])];
    let error = found(&settings(Some("vpc-4")), one).await.0.unwrap_err();
    assert!(error.is_definite() && error.to_string().ends_with("pass --zone-id Z1"), "{error}");
}

#[tokio::test]
async fn does_without_the_permission_to_look_at_a_zone() {
    let one = || vec![listed(&[private("Z1")], None), denied()];
    let (zone, asked) = found(
        &settings(Some("vpc-1")),
        [one(), vec![seen_by_vpc(&["Z7"], Some("t")), seen_by_vpc(&["Z1"], None)]].concat(),
    )
    .await;
    assert_eq!(zone.unwrap(), "Z1 sd.internal");
    assert_eq!(
        asked[2..],
        [
            "GET /2013-04-01/hostedzonesbyvpc?vpcid=vpc-1&vpcregion=eu-central-1&maxitems=100",
            "GET /2013-04-01/hostedzonesbyvpc?vpcid=vpc-1&vpcregion=eu-central-1&maxitems=100&nexttoken=t"
        ]
    );
    let (zone, _) = found(&settings(Some("vpc-1")), [one(), vec![seen_by_vpc(&["Z7"], None)]].concat()).await;
    assert!(matches!(zone, Err(FindError::Elsewhere { .. })));
    // Nothing can be learned of the one zone that there is: it is taken, and that is said.
    let (zone, _) = found(&settings(Some("vpc-1")), [one(), vec![denied()]].concat()).await;
    assert_eq!(zone.unwrap(), "Z1 sd.internal");
    let nowhere = Settings { region: None, ..settings(Some("vpc-1")) };
    assert_eq!(found(&nowhere, one()).await.0.unwrap(), "Z1 sd.internal");
    // Of two, neither.
    let two = vec![listed(&[private("Z1"), private("Z2")], None), denied(), denied(), denied()];
    assert!(matches!(found(&settings(Some("vpc-1")), two).await.0, Err(FindError::Several { .. })));
    // One that is known to be seen outdoes one of which nothing is known.
    let two = vec![
        listed(&[private("Z1"), private("Z2")], None),
        denied(),
        got(&private("Z2"), &["vpc-1"]),
        denied(),
    ];
    assert_eq!(found(&settings(Some("vpc-1")), two).await.0.unwrap(), "Z2 sd.internal");
}

#[tokio::test]
async fn takes_no_zone_where_none_will_do() {
    let other = hosted_zone("Z3", "zz.internal.", true, "");
    let cases = [
        (
            vec![listed(&[other], None)],
            "there is no hosted zone sd.internal in this account: make a private one, or pass another ZONE \
             or --zone-id ID",
        ),
        (
            vec![listed(&[hosted_zone("Z9", "sd.internal.", false, "")], None)],
            "the hosted zone sd.internal is public: Z9 (public, \"of Z9\"): make a private one, or pass \
             another ZONE",
        ),
        (
            vec![listed(&[cloud_map("Z1")], None)],
            "the hosted zone sd.internal belongs to another service, which alone can change it: Z1 (private, \
             made by servicediscovery.amazonaws.com, \"of Z1\"): pass another ZONE or --zone-id ID",
        ),
        (vec![denied()], "route53:ListHostedZonesByName: access denied: not authorized to perform: it"),
    ];
    for (replies, text) in cases {
        assert_eq!(found(&settings(None), replies).await.0.unwrap_err().to_string(), text);
    }
    // Which of the two this host sees cannot be told.
    let twins = vec![
        listed(&[cloud_map("Z1"), private("Z2")], None),
        got(&cloud_map("Z1"), &["vpc-1"]),
        got(&private("Z2"), &["vpc-2"]),
    ];
    assert!(matches!(found(&settings(None), twins.clone()).await.0, Err(FindError::Several { .. })));
    assert!(matches!(found(&settings(Some("vpc-1")), twins.clone()).await.0, Err(FindError::Owned { .. })));
    assert_eq!(found(&settings(Some("vpc-2")), twins).await.0.unwrap(), "Z2 sd.internal");
}

#[tokio::test]
async fn takes_a_zone_by_its_id_under_its_own_name() {
    for id in ["Z1", "/hostedzone/Z1", "hostedzone/Z1"] {
        let (zone, asked) = found(&with_id(id, Some("vpc-9")), vec![got(&private("Z1"), &["vpc-1"])]).await;
        assert_eq!(zone.unwrap(), "Z1 sd.internal");
        assert_eq!(asked, ["GET /2013-04-01/hostedzone/Z1"]);
    }
    let cases = [
        (
            got(&hosted_zone("Z1", "sd.internal.", false, ""), &[]),
            "the hosted zone sd.internal of --zone-id is public: Z1 (public, \"of Z1\"): pass a private one",
        ),
        (
            got(&cloud_map("Z1"), &["vpc-1"]),
            "the hosted zone sd.internal belongs to another service, which alone can change it: Z1 (private, \
             seen by vpc-1, made by servicediscovery.amazonaws.com, \"of Z1\"): pass another ZONE or \
             --zone-id ID",
        ),
        (
            refusal(404, "NoSuchHostedZone", "No hosted zone found with ID: Z1"),
            "there is no hosted zone of the id Z1 in this account: pass another --zone-id, or none",
        ),
        (denied(), "route53:GetHostedZone: access denied: not authorized to perform: it"),
    ];
    for (reply, text) in cases {
        assert_eq!(found(&with_id("Z1", None), vec![reply]).await.0.unwrap_err().to_string(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn waits_for_what_comes_later() {
    let began = Instant::now();
    let replies = [
        vec![Reply::Resets, denied(), refusal(400, "Throttling", "Rate exceeded")],
        vec![listed(&[], None); 9],
        vec![listed(&[private("Z1")], None)],
    ];
    let canned = Canned::new(replies.concat());
    let waits = Arc::new(Mutex::new(Vec::new()));
    let wanted = settings(None);
    let Ok(zone) = until_found(
        async || find_with(canned.client(), &wanted).await,
        |error, wait| {
            waits.lock().unwrap().push((error.to_string(), wait));
            Ok::<_, Infallible>(())
        },
    )
    .await;
    assert_eq!((zone.id(), canned.lines().len()), ("Z1", 13));
    let waits = waits.lock().unwrap();
    assert!(waits[1].0.contains("access denied") && waits[11].0.contains("there is no hosted zone"));
    let limits = Duration::from_secs(1)..=Duration::from_secs(30);
    assert!(waits.iter().all(|(_, wait)| limits.contains(wait)), "{waits:?}");
    // The clock of a test counts whole milliseconds.
    let waited: Duration = waits.iter().map(|(_, wait)| *wait).sum();
    assert!(began.elapsed() >= waited && began.elapsed() <= waited + Duration::from_millis(12));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_want_to_wait_ends_with_the_first_definite_word() {
    let canned = Canned::new([refusal(400, "Throttling", "Rate exceeded"), denied(), listed(&[], None)]);
    let wanted = settings(None);
    let found = until_found(
        async || find_with(canned.client(), &wanted).await,
        |error, _| {
            if error.is_definite() { Err(error.clone()) } else { Ok(()) }
        },
    );
    assert_eq!(found.await.unwrap_err(), FindError::Absent { name: "sd.internal".into() });
    assert_eq!(canned.lines().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_is_made_anew_is_another() {
    let replies = [
        listed(&[private("Z1")], None),
        listed(&[], None),
        listed(&[private("Z1"), private("Z2")], None),
        got(&private("Z1"), &[]),
        got(&private("Z2"), &[]),
        listed(&[private("Z2")], None),
    ];
    let (canned, wanted) = (Canned::new(replies), settings(None));
    assert_eq!(until_another(async || find_with(canned.client(), &wanted).await, "Z1").await, "Z2");
}
