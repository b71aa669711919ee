//! The zone's own function: what it does to a zone over HTTP, and that it answers who asks, from the zip's program.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecssd::record::{Action, Change, FleetHint, RecordSet, RecordType};
use ecssd::zone::Zone;
use ecssd::zone_setup::event::{Properties, RequestType};
use ecssd::zone_setup::lambda::run;
use ecssd_testing::http::{Request, serve};
use ecssd_testing::recorded::same_as_recorded;
use ecssd_testing::wait::wait_for;
use serde_json::{Value, json};

use crate::lambda::start;
use crate::route53::Route53;
use crate::scale::program;
use crate::scene::{docker_id, host_record, legacy, record, srv, zone_at};
use ecssd_testing::route53::model::ID;
use ecssd_testing::route53::wire;

const ZONE: &str = "sd.internal";
const HOST: &str = "i-00000000000000001";

fn ours() -> Vec<RecordSet> {
    let (one, two) = (docker_id(1), docker_id(2));
    let of_task = record(
        format!("{}.{ZONE}", &two[..12]),
        RecordType::A,
        format!("{HOST}:{two}"),
        60,
        "10.0.1.7".into(),
    );
    vec![
        host_record(ZONE, HOST, "10.0.0.7"),
        srv(ZONE, "_web._tcp", HOST, &one, 32_001),
        legacy(ZONE, "time", HOST, &one, 32_002),
        of_task,
        FleetHint::new(1).unwrap().record(ZONE),
    ]
}

fn soa(route53: &Route53) -> String {
    route53.zone.snapshot().into_iter().find(|set| set.kind == RecordType::Soa).unwrap().values.remove(0)
}

/// The vendor's new zones have "there is none" remembered for 15 minutes.
async fn as_the_vendor_makes_it(route53: &Route53) {
    let mut set = route53.zone.snapshot().into_iter().find(|set| set.kind == RecordType::Soa).unwrap();
    let kept = soa(route53).rsplit_once(' ').unwrap().0.to_owned();
    (set.ttl, set.values) = (900, vec![format!("{kept} 86400")]);
    route53.zone.change(&[Change { action: Action::Upsert, set }]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lowers_the_soa_of_a_zone_by_the_program_itself_and_sees_it_first() {
    let route53 = Route53::start(ZONE, Duration::ZERO);
    as_the_vendor_makes_it(&route53).await;
    let before = soa(&route53);
    let lowered = format!("{} 5", before.rsplit_once(' ').unwrap().0);
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ecssd"));
        command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.args([ZONE, "--janitor", "--soa-minimum", "5s", "--zone-id", ID]);
        let output = command.args(["--endpoint-url", &route53.url]).args(more).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), said)
    };
    let (code, [plan, errors]) = run(&[]);
    assert_eq!((code, soa(&route53)), (Some(0), before), "{errors}");
    assert_eq!(plan, format!("UPSERT {ZONE}. 900 IN SOA {lowered}\n"));
    assert_eq!((run(&["--apply"]).0, soa(&route53)), (Some(0), lowered.clone()));
    let (code, [again, _]) = run(&["--apply"]);
    assert_eq!((code, soa(&route53)), (Some(0), lowered));
    assert!(again.starts_with("nothing to do"), "{again}");
}

fn records(route53: &Route53) -> usize {
    route53.zone.snapshot().len() - 2
}

#[tokio::test]
async fn a_zone_is_set_up_and_emptied_with_what_its_policy_was_checked_with() {
    let route53 = Route53::start(ZONE, Duration::ZERO);
    as_the_vendor_makes_it(&route53).await;
    let zone = zone_at(&route53.url, ZONE, ID).await;
    let properties = Properties { zone_id: ID.into(), zone_name: ZONE.into(), negative_ttl: 5 };
    // Whoever is busy, or says nothing, is asked again.
    let mut answers = 0;
    route53.rule(move |_, _| {
        answers += 1;
        match answers {
            1 => Some(wire::error(400, "PriorRequestNotComplete", "busy")),
            2 => Some(wire::error(503, "ServiceUnavailable", "away")),
            _ => None,
        }
    });
    assert_eq!(run(&zone, RequestType::Create, &properties).await, Ok(()));
    assert!(soa(&route53).ends_with(" 5"), "{}", soa(&route53));
    let before = route53.counts().1.len();
    assert_eq!(run(&zone, RequestType::Update, &properties).await, Ok(()));
    assert_eq!(route53.counts().1.len(), before, "done once, there is nothing to do");

    let other = record(format!("db.{ZONE}"), RecordType::A, "by-hand".into(), 60, "10.0.0.9".into());
    route53.create([ours(), vec![other.clone()]].concat());
    let refused = run(&zone, RequestType::Delete, &properties).await.unwrap_err();
    assert!(refused.contains("db.sd.internal A by-hand"), "{refused}");
    assert_eq!(records(&route53), ours().len() + 1, "nothing is deleted");

    let emptied = Route53::start(ZONE, Duration::ZERO);
    emptied.create(ours());
    let zone = zone_at(&emptied.url, ZONE, ID).await;
    assert_eq!(run(&zone, RequestType::Delete, &properties).await, Ok(()));
    assert_eq!(records(&emptied), 0);
    same_as_recorded("zone-setup", &[route53.counts().1, emptied.counts().1].concat());

    // What nobody may do by waiting is said at once.
    emptied.rule(|_, _| Some(wire::error(403, "AccessDenied", "not authorized")));
    let asked = emptied.counts().0;
    assert!(run(&zone, RequestType::Create, &properties).await.unwrap_err().contains("not authorized"));
    assert_eq!(emptied.counts().0 - asked, 1);
    emptied.rule(|_, _| Some(wire::error(404, "NoSuchHostedZone", "no zone")));
    assert_eq!(run(&zone, RequestType::Delete, &properties).await, Ok(()), "what is gone is empty");
}

/// A Lambda runtime API with these events, one after another; then none comes any more.
fn runtime_api(events: Vec<Value>) -> String {
    let events = Mutex::new(events.into_iter());
    let url = ecssd_testing::http::listen(move |request, stream| {
        if !request.target().ends_with("/invocation/next") {
            return ecssd_testing::http::say(stream, b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}");
        }
        let Some(event) = events.lock().unwrap().next() else {
            std::thread::sleep(Duration::from_secs(3_600));
            return Ok(false);
        };
        let (body, deadline) = (event.to_string(), u64::MAX / 2_000_000);
        let head = format!(
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        ecssd_testing::http::say(stream, head.as_bytes())
    });
    url.trim_start_matches("http://").to_owned()
}

#[test]
fn who_asks_is_answered_whatever_comes_of_it() {
    let route53 = Route53::start(ZONE, Duration::ZERO);
    let answers: Arc<Mutex<Vec<Request>>> = Arc::default();
    let heard = answers.clone();
    let url = serve(move |request| {
        heard.lock().unwrap().push(request.clone());
        (200, "text/plain", String::new())
    });
    let event = |request: &str, properties: Value| {
        json!({
            "RequestType": request, "ResponseURL": format!("{url}/answer?signature=x"), "StackId": "stack",
            "RequestId": request, "LogicalResourceId": "ZoneSetup", "ResourceProperties": properties,
        })
    };
    let properties = json!({"ZoneId": ID, "ZoneName": ZONE, "NegativeTtl": "7"});
    let events = vec![
        // Nobody is to be answered.
        json!({"dry_run": true}),
        event("Create", json!({"ZoneId": ID})),
        event("Create", properties.clone()),
        event("Delete", properties),
    ];
    let variables = [("_HANDLER", "zone-setup"), ("AWS_ENDPOINT_URL", route53.url.as_str())];
    let _function = start(&program(), &runtime_api(events), &variables, Stdio::null());
    let told = wait_for(
        "three answers",
        || format!("{:?}", answers.lock().unwrap()),
        || {
            let answers = answers.lock().unwrap();
            (answers.len() == 3).then(|| answers.clone())
        },
    );
    let of = |request: &Request| -> Value { serde_json::from_str(&request.body).unwrap() };
    assert_eq!([0, 1, 2].map(|n| of(&told[n])["Status"].clone()), ["FAILED", "SUCCESS", "SUCCESS"]);
    assert!(of(&told[0])["Reason"].as_str().unwrap().contains("the property NegativeTtl is missing"));
    assert_eq!(of(&told[1])["PhysicalResourceId"], format!("{ID}/zone-setup"));
    assert!(told.iter().all(|request| request.line.starts_with("PUT /answer?signature=x ")));
    let typed = |request: &Request| ecssd_testing::http::header(request, "content-type").is_some();
    assert!(!told.iter().any(typed), "the address is signed for no content type");
    assert!(soa(&route53).ends_with(" 7"));
}
