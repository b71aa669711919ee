//! What is shown of an agent of which little or nothing is known.

use super::*;
use crate::moment::at;
use crate::record::testing::registrant;

fn facts() -> Facts {
    Facts {
        registrant: registrant("i-0a"),
        zone_id: "Z1".into(),
        registry: "route53",
        dns: Vec::new(),
        dry_run: false,
    }
}

#[test]
fn an_agent_that_shows_nothing_yet_is_shown_all_the_same() {
    let reason = Some("the first look at this host is not over".to_owned());
    let seen = Seen {
        now: Moment::after(Duration::from_millis(1_500)),
        up: Duration::from_millis(1_500),
        readiness: vec![
            (Part::Start, reason.clone(), Duration::from_secs(1)),
            (Part::Docker, None, Duration::ZERO),
        ],
        heard: vec![("Registrar", at(1))],
        ..Seen::default()
    };
    let status = assemble(Some(&facts()), &seen);
    assert!(!status.ready && status.containers.is_empty() && status.records.is_empty());
    let sources: Vec<_> = status.sources.iter().map(|it| (it.name.as_str(), it.reason.clone())).collect();
    assert_eq!(sources, [("start", reason), ("docker", None)]);
    assert_eq!((status.up_for, status.parts[0].heard_ago), (1.5, 0.5));
    assert_eq!((status.departure.leaving.as_str(), status.stop.phase.as_str()), ("nobody", "serving"));
}

#[test]
fn its_json_has_the_names_that_are_documented() {
    let json = serde_json::to_value(assemble(Some(&facts()), &Seen::default())).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "containers",
            "cordons",
            "departure",
            "docker",
            "ended",
            "host",
            "journal",
            "parts",
            "ready",
            "records",
            "schema",
            "sources",
            "stop",
            "time",
            "up_for",
            "version",
            "writer",
            "zone"
        ]
    );
    assert_eq!(json["schema"], SCHEMA);
}
