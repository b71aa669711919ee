//! What a monitor reads.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::moment::at;
use crate::reconcile::writer::{Answer, Call, Calls, Spread, Stops};
use crate::record::testing::registrant;
use crate::record::{Action, Change};
use crate::status::schema::{Container, Step};
use crate::status::{Outcome, Part, assemble};
use crate::zone::{ChangeInfo, ChangeStatus, ZoneError};

fn calls() -> Calls {
    let mut calls = Calls::default();
    let call = Call::Change(vec![Change { action: Action::Create, set: registrant("i-0a").host_record() }]);
    for answer in [
        Err(ZoneError::Throttled("Rate exceeded".into())),
        Ok(ChangeInfo { id: "C1".into(), status: ChangeStatus::InSync }),
    ] {
        calls.begin(&call, at(1));
        calls.end(&call, &Answer::Changed(answer), Moment::after(Duration::from_millis(1_200)));
    }
    calls
}

fn seen() -> Seen {
    let writer = Snapshot {
        taken_at: Moment::START,
        rows: Vec::new(),
        in_flight: Default::default(),
        is_told: true,
        is_whole: true,
        next_at: None,
        calls: calls(),
        in_sync_after: Spread::default(),
        stops: Stops::default(),
    };
    Seen {
        now: Moment::after(Duration::from_secs(11)),
        time: Some(crate::container::Timestamp::from_unix_nanos(100_000_000_000)),
        writer: Some(Arc::new(writer)),
        readiness: vec![
            (Part::Docker, Some("a \"quoted\"\nreason".to_owned()), Duration::ZERO),
            (Part::Zone, None, Duration::ZERO),
        ],
        checked: [(Outcome::Passed, 7), (Outcome::TimedOut, 2)].into(),
        asked: [(("SRV", "NOERROR"), 3)].into(),
        log_lines_dropped: 5,
        discovered: Discovered {
            answers: [("stale", 4)].into(),
            lists: [("unknown", 2)].into(),
            names: 1,
            age: Duration::from_secs(90),
        },
        ..Seen::default()
    }
}

fn service(states: [StepState; 4]) -> Service {
    let names = ["started", "checked", "port", "registered"];
    let life = names.into_iter().zip(states).map(|(step, state)| Step { step, state, why: None }).collect();
    Service {
        name: "_web._tcp.sd.internal".into(),
        port: 80,
        protocol: "tcp".into(),
        at: "host port 32768".into(),
        weight: 1,
        cordoned: None,
        check: "TCP connect".into(),
        checked: None,
        life,
        record: None,
    }
}

fn container(number: usize) -> Container {
    Container {
        id: format!("{number:012x}"),
        name: format!("c{number}"),
        state: "live".into(),
        by: None,
        since_ago: None,
        why: None,
        task: None,
        waits_for: None,
        troubles: Vec::new(),
        services: vec![service([StepState::Done; 4])],
        records: Vec::new(),
    }
}

/// The series of a text, each with its value.
fn series(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

#[test]
fn says_what_a_monitor_asks() {
    let seen = seen();
    let text = render(&assemble(None, &seen), &seen);
    let series = series(&text);
    for (name, value) in [
        ("ecssd_ready", 0.0),
        ("ecssd_source_ready{source=\"docker\"}", 0.0),
        ("ecssd_source_ready{source=\"zone\"}", 1.0),
        ("ecssd_checks_total{outcome=\"timed_out\"}", 2.0),
        ("ecssd_zone_calls_total{action=\"ChangeResourceRecordSets\",outcome=\"throttled\"}", 1.0),
        ("ecssd_zone_calls_total{action=\"ChangeResourceRecordSets\",outcome=\"ok\"}", 1.0),
        ("ecssd_zone_changes_total{action=\"CREATE\"}", 1.0),
        ("ecssd_zone_batch_changes_bucket{le=\"1\"}", 1.0),
        ("ecssd_zone_batch_changes_sum", 1.0),
        ("ecssd_log_lines_dropped_total", 5.0),
        ("ecssd_zone_last_success_timestamp_seconds{action=\"ChangeResourceRecordSets\"}", 90.2),
        ("ecssd_zone_call_duration_seconds_count{action=\"ChangeResourceRecordSets\"}", 2.0),
        ("ecssd_zone_call_duration_seconds_bucket{action=\"ChangeResourceRecordSets\",le=\"0.1\"}", 0.0),
        ("ecssd_zone_call_duration_seconds_bucket{action=\"ChangeResourceRecordSets\",le=\"0.25\"}", 2.0),
        ("ecssd_zone_call_duration_seconds_bucket{action=\"ChangeResourceRecordSets\",le=\"+Inf\"}", 2.0),
        ("ecssd_dns_queries_total{type=\"SRV\",rcode=\"NOERROR\"}", 3.0),
        ("ecssd_sd_answers_total{outcome=\"stale\"}", 4.0),
        ("ecssd_sd_lists_total{outcome=\"unknown\"}", 2.0),
        ("ecssd_sd_names", 1.0),
        ("ecssd_sd_answer_age_seconds", 90.0),
        ("ecssd_containers{state=\"live\"}", 0.0),
        ("ecssd_cordons{scope=\"all\"}", 0.0),
    ] {
        assert_eq!(series.get(name), Some(&value), "{name}: {text}");
    }
}

#[test]
fn a_thousand_containers_have_as_many_series_as_one() {
    let seen = seen();
    let of = |count| {
        let containers = (0..count).map(container).collect();
        render(&Status { containers, ..assemble(None, &seen) }, &seen)
    };
    let (one, thousand) = (of(1), of(1_000));
    assert_eq!(series(&one).len(), series(&thousand).len());
    assert!(series(&one).len() < 120, "{}", series(&one).len());
    assert_eq!(series(&thousand)["ecssd_services{state=\"registered\"}"], 1_000.0);
}

#[test]
fn a_thousand_services_that_stop_have_as_many_series_as_twenty_one() {
    let series_of = |services: u32| {
        let mut seen = seen();
        let stops =
            Stops::counted((0..services).map(|n| (format!("_s{n:04}._tcp.sd.internal"), Stopped::default())));
        let writer = Snapshot { stops, ..Snapshot::clone(seen.writer.as_ref().unwrap()) };
        seen.writer = Some(Arc::new(writer));
        series(&render(&assemble(None, &seen), &seen)).len()
    };
    assert_eq!(series_of(1_000), series_of(21));
    // Three outcomes and the worst of each.
    assert_eq!(series_of(21) - series_of(0), 21 * 4);
}

#[test]
fn a_service_counts_where_its_life_stops() {
    use StepState::{Ahead, Done, Failed, Waits, Weak};
    for (states, stage_of) in [
        ([Done, Done, Done, Done], "registered"),
        ([Done, Weak, Done, Weak], "weight_0"),
        ([Waits, Done, Done, Ahead], "held"),
        ([Done, Waits, Done, Ahead], "unproven"),
        ([Done, Done, Waits, Ahead], "port_taken"),
        ([Done, Done, Done, Waits], "unwritten"),
        ([Done, Done, Done, Ahead], "unwritten"),
        ([Done, Weak, Done, Failed], "refused"),
    ] {
        assert_eq!(stage(&service(states)), stage_of, "{states:?}");
        assert!(STAGES.contains(&stage_of));
    }
}

#[test]
fn the_page_about_them_names_each_and_no_other() {
    let page = include_str!("../../../docs/monitoring.md");
    let listed = page.lines().filter_map(|line| line.strip_prefix("| `ecssd_")?.split('`').next());
    let listed: std::collections::BTreeSet<_> = listed.map(|name| format!("ecssd_{name}")).collect();
    let source = include_str!("../metrics.rs");
    let known = source.split('"').filter(|text| text.starts_with("ecssd_"));
    assert_eq!(listed, known.map(str::to_owned).collect());
}
