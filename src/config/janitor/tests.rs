//! What the janitor takes of a command line, a Lambda's variables and its event, and what it refuses.

use clap::Parser;
use serde_json::json;

use super::*;
use crate::config::BadEvent;
use crate::janitor::evidence::Network;

fn cli(arguments: &[&str]) -> Cli {
    Cli::try_parse_from(["ecssd"].iter().chain(arguments)).unwrap()
}

fn shell(arguments: &[&str]) -> Result<Settings, Vec<BadSetting>> {
    Ok(JanitorConfig::of_shell(&cli(arguments))?.settings)
}

fn lambda(variables: &[(&str, &str)], event: serde_json::Value) -> Result<Settings, Vec<BadSetting>> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Ok(JanitorConfig::of_lambda(&cli(&[]), variable, event)?.settings)
}

/// As the scheduler sends it.
fn scheduled() -> serde_json::Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "111122223333", "time": "2026-10-08T16:53:06Z",
        "region": "eu-central-1", "resources": ["arn:aws:events:eu-central-1:111122223333:rule/janitor"],
        "detail": {}
    })
}

#[test]
fn a_shell_plans_and_a_lambda_writes() {
    assert!(!shell(&["--janitor"]).unwrap().options.apply);
    assert!(shell(&["--janitor", "--apply"]).unwrap().options.apply);
    assert!(lambda(&[], scheduled()).unwrap().options.apply);
    assert!(lambda(&[], json!(null)).unwrap().options.apply);
    assert!(!lambda(&[], json!({"dry_run": true})).unwrap().options.apply);
}

#[test]
fn an_event_that_is_not_understood_deletes_nothing() {
    let events = [
        json!({"dryRun": true}),
        json!({"dry-run": true}),
        json!({"dry_run": "true"}),
        json!({"dry_run": 1}),
        json!({"dry_run": null}),
        json!({"DRY_RUN": true}),
        json!({"input": {"dry_run": true}}),
        json!({"source": "aws.events", "dryRun": true}),
        json!({"source": 1, "detail-type": null, "dryRun": true}),
        json!("{\"dry_run\": true}"),
        json!([{"dry_run": true}]),
        json!([]),
        json!(0),
        json!(true),
        json!(""),
    ];
    for event in events {
        let bad = lambda(&[], event.clone()).unwrap_err();
        assert_eq!((bad.len(), bad[0].setting.as_str()), (1, "event"), "{event}: {bad:?}");
    }
    // A custom resource's, even where it claims to be a scheduler's.
    let mut custom = scheduled();
    for (name, value) in [("RequestType", "Create"), ("ResponseURL", "https://example.invalid/")] {
        custom[name] = json!(value);
    }
    let refused = lambda(&[], custom).unwrap_err();
    assert!(refused[0].reason == BadEvent::CustomResource.into(), "{refused:?}");
    let meant = lambda(&[], json!({"dryRun": true})).unwrap_err();
    let expected = BadEvent::Resembling { name: "dryRun".to_owned(), meant: "dry_run" };
    assert_eq!(meant[0].reason, expected.into());
    assert!(meant[0].to_string().ends_with("did you mean \"dry_run\"?"), "{meant:?}");
}

/// What the list of fields holds and what an event is read into must be the same.
#[test]
fn every_field_of_an_event_is_understood() {
    let event = json!({
        "zone": "a.internal", "zone_id": "Z1", "ecs_clusters": ["a"], "regions": ["eu-central-1"],
        "assume_roles": [], "home_networks": ["10.0.0.0/8"], "max_deletes": 3, "check_health": true,
        "check_health_path": "/up", "stop_unhealthy": true, "dry_run": true
    });
    let settings = lambda(&[], event).unwrap();
    assert!(
        !settings.options.apply
            && settings.options.deletes_max == Some(3)
            && settings.options.health.is_some()
    );
    assert_eq!(settings.options.scope.clusters, ["a"]);
    assert_eq!(lambda(&[], json!({"clusters": ["a"]})).unwrap().options.scope.clusters, ["a"]);
}

#[test]
fn a_scheduled_event_says_nothing() {
    assert_eq!(lambda(&[], scheduled()), lambda(&[], json!({})));
}

#[test]
fn the_predecessors_names_are_understood() {
    let variables = [
        ("ecs_clusters", "one, two"),
        ("check_health", "True"),
        ("check_health_path", "/alive"),
        ("zone", "old.internal"),
    ];
    let settings = lambda(&variables, json!({})).unwrap();
    assert_eq!(settings.options.scope.clusters, ["one", "two"]);
    assert_eq!(settings.options.health, Some(Health { path: "/alive".into(), stop: false }));
    assert_eq!(settings.zone, "old.internal");
    // An empty list is all; an event counts more.
    let event = json!({"ecs_clusters": [], "check_health": false, "zone": "new.internal"});
    let settings = lambda(&variables, event).unwrap();
    assert_eq!((settings.options.scope.clusters.len(), settings.options.health), (0, None));
    assert_eq!(settings.zone, "new.internal");
    let settings = lambda(&[("ecs_clusters", "[\"a\", \"b\"]")], json!({})).unwrap();
    assert_eq!(settings.options.scope.clusters, ["a", "b"]);
}

#[test]
fn every_bad_setting_is_reported() {
    let bad = shell(&[
        "--janitor",
        "--apply",
        "--dry-run",
        "--local",
        "--sync",
        "--stop-unhealthy",
        "--clusters",
        "a b,ok",
        "--regions",
        "here",
        "--assume-roles",
        "arn:aws:iam::1:role/x",
        "--home-networks",
        "10.0.0.0",
        "--max-deletes",
        "few",
        "--check-health-path",
        "health",
        "--rate",
        "0",
    ])
    .unwrap_err();
    let text: Vec<String> = bad.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 11, "{text:#?}");
    for event in [json!({"ecs_clusters": "one"}), json!({"check_health": "yes"}), json!({"max_deletes": -1})]
    {
        assert_eq!(lambda(&[], event).unwrap_err().len(), 1);
    }
    for word in ["perhaps", "never", "y"] {
        assert!(lambda(&[("check_health", word)], json!({})).is_err(), "{word}");
    }
}

#[test]
fn what_is_given_holds() {
    let settings = shell(&[
        "--janitor",
        "--clusters",
        "arn:aws:ecs:eu-central-1:111122223333:cluster/web,",
        "--regions",
        "eu-central-1,us-east-1",
        "--assume-roles",
        "arn:aws-cn:iam::111122223333:role/a/janitor",
        "--home-networks",
        "10.0.0.0/16",
        "--max-deletes",
        "7",
        "--limits",
        "legacy",
        "--rate",
        "1",
    ])
    .unwrap();
    assert_eq!((settings.regions.len(), settings.assume_roles.len()), (2, 1));
    assert_eq!((settings.options.scope.clusters.len(), settings.options.deletes_max), (1, Some(7)));
    assert_eq!(settings.options.scope.home[0], Network { address: [10, 0, 0, 0].into(), prefix: 16 });
    assert_eq!(settings.options.pace.requests, Rate { per_second: 1.0, burst: 2.0 });
}

#[test]
fn hosts_to_forget_are_named_by_their_marks_each_once() {
    let forget = |arguments: &[&str]| JanitorConfig::of_shell(&cli(arguments)).unwrap().forget;
    let named = forget(&["sd.internal", "--forget", "web1,WEB2", "i-0a", "web1", "--force"]).unwrap();
    let names: Vec<_> = named.hosts.iter().map(ToString::to_string).collect();
    assert_eq!((names, named.force), (vec!["web1".to_owned(), "web2".to_owned(), "i-0a".to_owned()], true));
    assert_eq!(forget(&["--janitor", "--forget", ""]), None);
}

#[test]
fn a_zone_behind_the_hosts_to_forget_is_not_taken_for_a_host_of_the_default_zone() {
    let refused = |arguments: &[&str]| JanitorConfig::of_shell(&cli(arguments)).unwrap_err();
    for arguments in
        [&["--forget", "web3", "sd.internal", "--apply"][..], &["--zone-id", " ", "--forget", "web3"]]
    {
        let bad = refused(arguments);
        assert_eq!(bad.len(), 1, "{bad:?}");
        let text = bad[0].to_string();
        assert!(text.contains("name the zone before: ecssd ZONE --forget HOST..."), "{text}");
    }
    for arguments in [&["sd.internal", "--forget", "web3"][..], &["--zone-id", "Z1", "--forget", "web3"]] {
        assert!(JanitorConfig::of_shell(&cli(arguments)).is_ok(), "{arguments:?}");
    }
}
