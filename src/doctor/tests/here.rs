//! Broken set-ups of what runs here, and of what the zone has beside it.

use super::*;
use crate::zone::route53::FindError;

#[test]
fn what_cannot_be_published() {
    let subject = "containers";
    warns(
        |facts| {
            first(facts).bindings.clear();
            records(facts).pop();
        },
        subject,
        "web1: _web._tcp.sd.internal on port 80 cannot be published",
        "publish the port",
    );
    warns(
        |facts| first(facts).network = Network::Isolated,
        subject,
        "the container has no network",
        "replace it",
    );
    warns(
        |facts| first(facts).network = Network::Shared(id(3)),
        subject,
        "whose network it shares, is not known",
        "start that container, and then this one",
    );
    warns(
        |facts| {
            let later = Some(at(4_000_000_000));
            let owner =
                Container { id: id(3), services: Vec::new(), started_at: later, ..first(facts).clone() };
            first(facts).network = Network::Shared(id(3));
            facts.containers.as_mut().unwrap().push(Found { container: owner, task_address: None });
        },
        subject,
        "was started again since",
        "start this container again too",
    );
    let bad =
        || BadKey { key: "SERVICE_80_WEIGHT".into(), reason: "\"many\" is no number from 0 to 255".into() };
    warns(
        |facts| first(facts).bad_keys.push(bad()),
        subject,
        "web1: SERVICE_80_WEIGHT: \"many\"",
        "correct the key",
    );
    warns(
        |facts| {
            let twin = Container { id: id(2), name: "twin".into(), ..first(facts).clone() };
            facts.containers.as_mut().unwrap().push(Found { container: twin, task_address: None });
        },
        subject,
        "web1, twin claim host port 32001/tcp",
        "a port of its own",
    );
    breaks(
        |facts| facts.containers = Err("Docker answered /containers/json with an error: 500".into()),
        subject,
        "500",
        "Docker's log",
    );
    let task = "arn:aws:ecs:eu-central-1:111122223333:task/demo/1".to_owned();
    warns(
        |facts| {
            first(facts).task_arn = Some(task);
            facts.ecs_agent = Err("Connection refused".into());
        },
        "ECS agent",
        "does not answer: Connection refused",
        "--ecs-introspection",
    );
}

#[test]
fn one_that_cannot_be_looked_at_hides_no_other() {
    let unseen = |facts: &mut Facts| {
        facts.unseen.push(Unseen { id: id(7), reason: "an error: 500".into() });
        records(facts).push(srv(HOST, 7));
    };
    warns(unseen, "containers", "could not be looked at: an error: 500", "docker inspect");
    let mut facts = healthy();
    unseen(&mut facts);
    let report = judge(&facts);
    let says = |subject: &str, words: &str| {
        report.findings.iter().any(|finding| finding.subject == subject && finding.line.contains(words))
    };
    assert!(says("containers", "2 run here; 1 ask for names"), "{report:?}");
    assert!(says("names", "not looked at: those of 1 more containers"), "{report:?}");
    assert!(says("own records", "3, each of a container that runs here"), "{report:?}");
}

#[test]
fn a_service_that_clients_do_not_get_is_a_line_of_its_own() {
    let falls_short = |facts: &mut Facts| {
        facts.services[0].falls_short = Some("its check fails, weight 0: Connection refused".into());
    };
    warns(falls_short, "services", "web1: _web._tcp.sd.internal: its check fails", "the container's own log");
    let cordoned = |facts: &mut Facts| {
        facts.services[0].falls_short = Some("weight 0, by hand (ecssd --cordon)".into());
        facts.services[0].is_cordoned = true;
    };
    warns(cordoned, "services", "web1: _web._tcp.sd.internal: weight 0, by hand", "ecssd --uncordon");
    // Many have one cause, and a line each would hide it.
    let mut facts = healthy();
    falls_short(&mut facts);
    facts.services = vec![facts.services[0].clone(); 12];
    let report = judge(&facts);
    let lines: Vec<_> = report.findings.iter().filter(|found| found.subject == "services").collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[5].line.starts_with("and 7 more"), "{:?}", lines[5]);
    // An agent that does not answer says nothing of them, and nothing of stops.
    for agent in [Agent::Silent("no agent answers".into()), Agent::Hangs("nothing within 5s".into())] {
        facts.agent = agent;
        let findings = judge(&facts).findings;
        assert!(
            findings.iter().all(|found| !["services", "stops"].contains(&found.subject)),
            "{findings:#?}"
        );
    }
}

#[test]
fn what_is_to_be_left_alone_is_named_as_nothing_else_tells_of_it() {
    let mut facts = healthy();
    let mut quiet = container(7, Vec::new());
    quiet.ignored = true;
    facts.containers.as_mut().unwrap().push(Found { container: quiet, task_address: None });
    let report = judge(&facts);
    let line = report.findings.iter().find(|found| found.subject == "containers").unwrap();
    assert_eq!(line.level, Level::Fine);
    assert!(line.line.ends_with("; left alone by SERVICE_IGNORE: web7"), "{line:?}");
}

#[test]
fn names_are_not_fine_where_nobody_looked() {
    let mut facts = healthy();
    facts.containers = Err("late".into());
    let report = judge(&facts);
    let names: Vec<_> = report.findings.iter().filter(|finding| finding.subject == "names").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(names[0].level, Level::Warning);
    assert_eq!(names[0].line, "not looked at: what runs here is not known");
}

#[test]
fn names_that_do_not_go_together() {
    let name = "_web._tcp.sd.internal";
    let replaced = |set: RecordSet| move |facts: &mut Facts| records(facts)[2] = set;
    let simple_srv = simple(name, RecordType::Srv, 0, "1 1 80 x.example");
    breaks(replaced(simple_srv.clone()), "names", "has one that is simple", "another name");
    let full = RecordSet { routing: Routing::Multivalue, ..srv("i-0b", 9) };
    breaks(replaced(full), "names", "has one that is multivalue", "refuses to mix them");
    let placed = RecordSet { set_identifier: Some("eu".into()), ..simple_srv };
    breaks(replaced(placed), "names", "latency, place or failover", "another name");
    breaks(replaced(simple(name, RecordType::Cname, 60, "x.example")), "names", "is a CNAME", "another name");
    let slower = RecordSet { ttl: 300, ..srv("i-0b", 9) };
    warns(
        replaced(slower),
        "names",
        "a TTL of 300 s in the zone, and is asked for with 0 s",
        "SERVICE_<port>_TTL",
    );
    warns(
        |facts| {
            let other = Service { ttl: 30, ..service("_web._tcp", 80, 1) };
            let container = container(2, vec![other]);
            facts.containers.as_mut().unwrap().push(Found { container, task_address: None });
        },
        "names",
        "with TTLs from 0 to 30 s",
        "one TTL",
    );
    breaks(
        |facts| {
            let other = Service { answer: Answer::All, ..service("_web._tcp", 80, 1) };
            let container = container(2, vec![other]);
            facts.containers.as_mut().unwrap().push(Found { container, task_address: None });
        },
        "names",
        "as a weighted and as a full name",
        "another name",
    );
}

#[test]
fn a_name_of_another_host() {
    breaks(
        |facts| {
            let address = Service { answer: Answer::Address, ..service("web2", 80, 1) };
            let container = Container { network: Network::Host, ..container(2, vec![address]) };
            facts.containers.as_mut().unwrap().push(Found { container, task_address: None });
            let address = vec!["10.0.0.8".to_owned()];
            records(facts).push(RecordSet { values: address, ..registrant("web2").host_record() });
        },
        "names",
        "host web2 has its address under web2.sd.internal",
        "another name",
    );
}

#[test]
fn a_name_without_room() {
    let copies = |count: u64| {
        move |facts: &mut Facts| records(facts).extend((0..count).map(|n| srv("i-0b", 1_000 + n)))
    };
    warns(copies(80), "names", "has 81 of at most 100 SRV records", "two names");
    breaks(copies(99), "names", "has 100 of at most 100 SRV records: no copy can be added", "the janitor");
}

#[test]
fn records_that_nobody_wants() {
    warns(
        |facts| records(facts).push(srv(HOST, 77)),
        "own records",
        "1 lead to containers that do not run here: _web._tcp.sd.internal SRV",
        "the agent takes them out",
    );
    let mut facts = healthy();
    facts.agent = Agent::Silent("no agent answers".into());
    records(&mut facts).extend((70..80).map(|n| srv(HOST, n)));
    let report = judge(&facts);
    let own = report.findings.iter().find(|finding| finding.subject == "own records").unwrap();
    assert!(own.line.contains("10 lead to") && own.line.ends_with("and 7 more"), "{own:?}");
    // Not --remove: what runs here keeps its records.
    let remedy = own.remedy.as_ref().unwrap();
    assert!(remedy.ends_with("or, once: ecssd sd.internal --hostname web1 --sync"), "{own:?}");
}

#[test]
fn records_of_others_that_lead_here() {
    let former = || registrant("web1").host_record();
    warns(
        |facts| records(facts).extend([former(), srv("web1", 5)]),
        "others' records",
        "2 of web1 lead to this host's address, 10.0.0.7",
        "ecssd sd.internal --forget web1",
    );
    let predecessor = "ip-10-0-0-7.eu-central-1.compute.internal";
    let legacy = RecordSet {
        set_identifier: Some(format!("{predecessor}:{}", id(5))),
        values: vec![format!("1 1 32001 {predecessor}")],
        ..srv("i-0b", 5)
    };
    warns(
        |facts| records(facts).push(legacy),
        "others' records",
        "1 are the predecessor's",
        "stop the predecessor, which removes its own",
    );
    // Another host's are its own business.
    let mut facts = healthy();
    let other = RecordSet { values: vec!["10.0.0.8".into()], ..registrant("web1").host_record() };
    records(&mut facts).extend([other, srv("web1", 5)]);
    assert_eq!(judge(&facts).worst(), Level::Fine);
}

#[test]
fn containers_that_end_before_that_has_spread() {
    holds(
        |facts| (facts.ended[0].early, facts.ended[0].longest_missing) = (2, 31.4),
        Level::Warning,
        "stops",
        "_web._tcp.sd.internal: 2 of 6 stopped containers ended before every name server had heard of it, and clients were \
         sent to them for up to 31 s",
        "stopTimeout 90",
    );
}

#[test]
fn settings_that_are_not_the_agents() {
    let differs = |change: fn(&mut AgentSettings), line: &str| {
        let change = |facts: &mut Facts| change(facts.agent_settings.as_mut().unwrap());
        warns(change, "settings", line, "/etc/ecssd.env");
    };
    differs(|it| it.zone = "other.internal".into(), "the zone: other.internal there, sd.internal here");
    differs(|it| it.zone_id = "Z9".into(), "its id: Z9 there, Z1 here");
    differs(|it| it.owner = "web9".into(), &format!("this host's name: web9 there, {HOST} here"));
    differs(|it| it.address = "10.9.9.9".into(), "its address: 10.9.9.9 there, 10.0.0.7 here");
    differs(
        |it| (it.registry, it.dns) = ("local".into(), vec!["127.0.0.1:5333".into()]),
        "the registry: local there, route53 here; DNS at: 127.0.0.1:5333 there, nowhere here",
    );
    warns(
        |facts| {
            local(facts);
            facts.agent_settings.as_mut().unwrap().dns = vec!["127.0.0.1:5353".into()];
        },
        "settings",
        "DNS at: 127.0.0.1:5353 there, 127.0.0.1:5333 here",
        "/etc/ecssd.env",
    );
}

#[test]
fn settings_that_cannot_be_compared_are_not() {
    let mut facts = healthy();
    route53(&mut facts).zone = Err(FindError::AbsentId { id: "Z1".into() });
    facts.host.as_mut().unwrap().zone = "servicediscovery.internal".into();
    let report = judge(&facts);
    let settings = report.findings.iter().find(|found| found.subject == "settings").unwrap();
    assert_eq!(settings.level, Level::Fine, "{settings:?}");
    let name = "servicediscovery.internal".to_owned();
    route53(&mut facts).zone = Err(FindError::Absent { name });
    let report = judge(&facts);
    let settings = report.findings.iter().find(|found| found.subject == "settings").unwrap();
    assert!(settings.line.contains("the zone: sd.internal there, servicediscovery"), "{settings:?}");
    let mut facts = healthy();
    local(&mut facts);
    let two = || vec!["127.0.0.1:53".to_owned(), "10.0.0.7:53".to_owned()];
    facts.registry =
        Registry::Local { place: "/var/lib/ecssd".into(), dns: two().into_iter().rev().collect() };
    facts.agent_settings.as_mut().unwrap().dns = two();
    assert_eq!(judge(&facts).worst(), Level::Fine);
}

#[test]
fn settings_of_which_nobody_says_anything_have_no_line() {
    let mut facts = healthy();
    facts.agent_settings = None;
    assert!(judge(&facts).findings.iter().all(|found| found.subject != "settings"));
}
