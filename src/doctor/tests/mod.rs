//! A healthy host, all of whose lines are fine; and broken set-ups, each with its line and its remedy.

mod here;
mod host;
mod registry;

use std::collections::{BTreeMap, BTreeSet};

use super::facts::*;
use super::{Finding, Level, judge};
use crate::container::convention::{Answer, BadKey, Service};
use crate::container::testing::{at, service};
use crate::container::{Binding, Container, Network, Running, STOP_SIGNAL_DEFAULT};
use crate::record::testing::{id, registrant};
use crate::record::{RecordSet, RecordType, Routing, Subject};
use crate::zone::route53::find::Seen;

const HOST: &str = "i-0123456789abcdef0";
const COMMAND: &str = "ecssd sd.internal";

fn container(n: u64, services: Vec<Service>) -> Container {
    let bindings = services.iter().map(|service| {
        let binding = Binding { address: [0, 0, 0, 0].into(), port: 32_000 + u16::try_from(n).unwrap() };
        ((service.container_port, service.protocol), vec![binding])
    });
    Container {
        id: id(n),
        name: format!("web{n}"),
        started_at: Some(at(1)),
        lived_before: false,
        running: Running::Running,
        health: None,
        health_log: Vec::new(),
        healthcheck_frozen: false,
        stop_signal: STOP_SIGNAL_DEFAULT,
        network: Network::Published,
        bindings: bindings.collect::<BTreeMap<_, _>>(),
        bound_ipv6: BTreeSet::new(),
        unpublished: BTreeSet::new(),
        in_ingress: false,
        services,
        bad_keys: Vec::new(),
        ignored: false,
        task_arn: None,
        family: None,
    }
}

fn srv(owner: &str, n: u64) -> RecordSet {
    RecordSet {
        name: "_web._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some(registrant(owner).mark(Subject::Service(id(n), 80)).to_string()),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![format!("1 1 32001 {owner}.sd.internal")],
    }
}

fn simple(name: &str, kind: RecordType, ttl: i64, value: &str) -> RecordSet {
    RecordSet {
        name: name.into(),
        kind,
        set_identifier: None,
        routing: Routing::Simple,
        ttl,
        values: vec![value.into()],
    }
}

/// A host on EC2 with one container, all of which is well.
fn healthy() -> Facts {
    let call = |action, needed_for| Call { action, needed_for, vital: true, answer: Ok(()) };
    let soa = "ns-0.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5";
    let route53 = Route53 {
        clock: Ok(1),
        zone: Ok(Seen {
            id: "Z1".into(),
            name: "sd.internal".into(),
            private: true,
            vpcs: vec!["vpc-1".into()],
            here: Some(true),
            ..Seen::default()
        }),
        calls: vec![
            call("route53:ListResourceRecordSets", "reading what is there"),
            call("route53:ChangeResourceRecordSets", "writing"),
        ],
        records: Some(vec![
            simple("sd.internal", RecordType::Soa, 900, soa),
            registrant(HOST).host_record(),
            srv(HOST, 1),
        ]),
    };
    let web = container(1, vec![service("_web._tcp", 80, 1)]);
    Facts {
        command: COMMAND.into(),
        host_command: format!("{COMMAND} --hostname web1"),
        host: Ok(registrant(HOST)),
        has_own_network: false,
        address_is_given: false,
        metadata: Metadata::Answers(HOST.into()),
        registry: Registry::Route53(Box::new(route53)),
        resolved: Ok(vec![registrant(HOST).address.into()]),
        engine: Ok(Engine { version: "28.3.1".into(), parts: vec!["containerd".into(), "runc".into()] }),
        daemon: Some(Daemon { live_restore: true, userland_proxy: true, iptables: true }),
        containers: Ok(vec![Found { container: web, task_address: None }]),
        unseen: Vec::new(),
        ecs_agent: Ok(()),
        drains: Some(Ok(false)),
        state: State {
            path: "/var/lib/ecssd".into(),
            kind: StateKind::Directory { writable: true, mode: 0o700, free: 1 << 30 },
        },
        agent: Agent::Ready,
        agent_settings: Some(AgentSettings {
            owner: HOST.into(),
            address: registrant(HOST).address.to_string(),
            zone: "sd.internal".into(),
            zone_id: "Z1".into(),
            registry: "route53".into(),
            dns: Vec::new(),
        }),
        services: vec![Standing {
            container: "web1".into(),
            service: "_web._tcp.sd.internal".into(),
            falls_short: None,
            is_cordoned: false,
        }],
        ended: vec![Ended {
            service: "_web._tcp.sd.internal".into(),
            spread: 4,
            early: 0,
            unknown: 1,
            longest_missing: 0.0,
        }],
    }
}

/// The same with the zone in the agent's process.
fn local(facts: &mut Facts) {
    let dns = vec!["127.0.0.1:5333".to_owned()];
    facts.registry = Registry::Local { place: "/var/lib/ecssd".into(), dns: dns.clone() };
    let settings = facts.agent_settings.as_mut().unwrap();
    (settings.registry, settings.dns) = ("local".into(), dns);
}

fn route53(facts: &mut Facts) -> &mut Route53 {
    let Registry::Route53(route53) = &mut facts.registry else { panic!("it is here") };
    route53
}

fn records(facts: &mut Facts) -> &mut Vec<RecordSet> {
    route53(facts).records.as_mut().unwrap()
}

fn first(facts: &mut Facts) -> &mut Container {
    &mut facts.containers.as_mut().unwrap()[0].container
}

/// Holds what is said of a host that is healthy but for one thing: the one line that is not fine, and its remedy.
#[track_caller]
fn holds(change: impl FnOnce(&mut Facts), level: Level, subject: &str, line: &str, remedy: &str) {
    let mut facts = healthy();
    change(&mut facts);
    let report = judge(&facts);
    // What was not looked at for that reason says so itself.
    let is_cause = |it: &&Finding| {
        it.level != Level::Fine && (it.subject == subject || !it.line.starts_with("not looked at"))
    };
    let found: Vec<_> = report.findings.iter().filter(is_cause).collect();
    let [found] = found[..] else { panic!("not one line is not fine: {found:#?}") };
    assert_eq!((found.level, found.subject), (level, subject), "{found:?}");
    assert!(found.line.contains(line), "{line:?} is not said: {found:?}");
    let said = found.remedy.as_deref().unwrap_or_default();
    assert!(said.contains(remedy), "{remedy:?} is no remedy: {found:?}");
}

#[track_caller]
fn breaks(change: impl FnOnce(&mut Facts), subject: &str, line: &str, remedy: &str) {
    holds(change, Level::Broken, subject, line, remedy);
}

#[track_caller]
fn warns(change: impl FnOnce(&mut Facts), subject: &str, line: &str, remedy: &str) {
    holds(change, Level::Warning, subject, line, remedy);
}

#[test]
fn of_a_healthy_host_all_is_fine_and_every_subject_has_a_line() {
    let report = judge(&healthy());
    let worse: Vec<_> = report.findings.iter().filter(|finding| finding.level != Level::Fine).collect();
    assert!(worse.is_empty() && report.worst() == Level::Fine, "{worse:#?}");
    let subjects: BTreeSet<_> = report.findings.iter().map(|finding| finding.subject).collect();
    assert_eq!(subjects.len(), 21, "{subjects:?}");
    let text = super::text::text(&report);
    assert_eq!(text.lines().count(), report.findings.len() + 1, "{text}");
    assert!(text.ends_with("0 broken, 0 warnings, 21 fine\n"), "{text}");
}

#[test]
fn a_remedy_stands_below_its_line() {
    let mut facts = healthy();
    facts.agent = Agent::Silent("no agent answers at /run/ecssd/status.sock".into());
    let text = super::text::text(&judge(&facts));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("warning  agent            no agent answers at"), "{text}");
    assert!(lines[1].starts_with("                          → start it"), "{text}");
}

#[test]
fn of_a_zone_in_the_agents_process_nothing_is_said_of_route_53() {
    let mut facts = healthy();
    local(&mut facts);
    let report = judge(&facts);
    assert_eq!(report.worst(), Level::Fine);
    let subjects: Vec<_> = report.findings.iter().map(|finding| finding.subject).collect();
    assert!(report.findings.iter().any(|finding| finding.line.ends_with("; DNS at 127.0.0.1:5333")));
    assert!(subjects.contains(&"zone") && !subjects.contains(&"permissions"), "{subjects:?}");
}
