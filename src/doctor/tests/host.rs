//! Broken set-ups of the host: who it is, its metadata, its agent and directory, its engine.

use super::*;

fn trouble(what: &str, remedy: &str) -> Trouble {
    Trouble { what: what.to_owned(), remedy: remedy.to_owned() }
}

#[test]
fn who_it_is() {
    let unknown = trouble("this host has no route out", "pass the address with --address");
    breaks(|facts| facts.host = Err(unknown), "host", "no route out", "with --address");
    breaks(
        |facts| {
            facts.host.as_mut().unwrap().address = [127, 0, 0, 1].into();
            facts.agent_settings.as_mut().unwrap().address = "127.0.0.1".into();
            facts.resolved = Ok(vec![[127, 0, 0, 1].into()]);
            records(facts)[1].values = vec!["127.0.0.1".into()];
        },
        "host",
        "no client on another host reaches",
        "--address",
    );
    let in_container = |facts: &mut Facts| {
        facts.has_own_network = true;
        facts.metadata = Metadata::Elsewhere;
        // Of a proxy the line of the checks tells.
        facts.daemon.as_mut().unwrap().userland_proxy = false;
    };
    warns(in_container, "host", "those of this container", "--network host");
    let mut facts = healthy();
    in_container(&mut facts);
    facts.address_is_given = true;
    assert_eq!(judge(&facts).worst(), Level::Fine);
}

#[test]
fn the_metadata_service() {
    let fails = |what, remedy| {
        let trouble = trouble(what, remedy);
        move |facts: &mut Facts| facts.metadata = Metadata::Fails(trouble)
    };
    let subject = "metadata";
    breaks(fails("it sends no token", "--http-put-response-hop-limit 2"), subject, "no token", "hop-limit 2");
    breaks(fails("it refuses to answer (403)", "switch it on"), subject, "(403)", "switch it on");
    warns(
        |facts| facts.metadata = Metadata::SwitchedOff(true),
        "metadata",
        "no notice of this host's end",
        "unset AWS_EC2_METADATA_DISABLED",
    );
}

#[test]
fn what_ecs_says_of_it() {
    let drains = |drains| move |facts: &mut Facts| facts.drains = Some(drains);
    warns(drains(Ok(true)), "ECS", "is DRAINING", "ACTIVE again");
    let denied = Unheard::Denied("AccessDeniedException: not you".into());
    warns(drains(Err(denied)), "ECS", "DRAINING is not heard", "agent-ecs.json");
    let away = Unheard::Away("ECS: no route".into());
    warns(drains(Err(away)), "ECS", "no route", "reaches ECS's API");
    let mut facts = healthy();
    facts.drains = None;
    assert!(judge(&facts).findings.iter().all(|finding| finding.subject != "ECS"));
}

#[test]
fn its_own_name() {
    breaks(
        |facts| facts.resolved = Err("no records".into()),
        "own name",
        "this host's resolver does not find it",
        "enableDnsSupport",
    );
    breaks(
        |facts| facts.resolved = Ok(vec![[10, 9, 9, 9].into()]),
        "own name",
        "is 10.9.9.9, and it is 10.0.0.7",
        "/etc/hosts",
    );
    let name = format!("{HOST}.sd.internal");
    breaks(
        |facts| records(facts).push(simple(&name, RecordType::Aaaa, 60, "fd00::1")),
        "own name",
        "is another's too",
        "--hostname",
    );
    warns(
        |facts| records(facts)[1].values = vec!["10.0.0.8".into()],
        "own name",
        "leads to 10.0.0.8 in the zone",
        "SIGHUP",
    );
}

#[test]
fn the_agent_and_where_it_keeps_what_outlives_it() {
    let silent = "no agent answers at /run/ecssd/status.sock: No such file or directory";
    warns(|facts| facts.agent = Agent::Silent(silent.into()), "agent", "no agent answers", "start it");
    let hangs = "the agent does not answer: nothing within 5s";
    breaks(|facts| facts.agent = Agent::Hangs(hangs.into()), "agent", hangs, "systemctl restart ecssd");
    breaks(
        |facts| facts.agent = Agent::NotReady(vec!["zone: access denied".into()]),
        "agent",
        "not ready: zone: access denied",
        "ecssd --status",
    );
    let state = |kind| move |facts: &mut Facts| facts.state.kind = kind;
    let directory = |writable, mode, free| StateKind::Directory { writable, mode, free };
    let subject = "state directory";
    breaks(state(StateKind::Absent { can_be_made: false }), subject, "cannot be made", "--state-dir");
    breaks(state(StateKind::NoDirectory), subject, "is no directory", "move that away");
    breaks(state(StateKind::Unreadable("Permission denied".into())), subject, "Permission denied", "root");
    breaks(state(directory(false, 0o700, 1 << 30)), subject, "cannot be written to", "mount it writable");
    breaks(state(directory(true, 0o700, 0)), subject, "is full", "make room");
    breaks(state(directory(false, 0o700, 1 << 30)), subject, "so each start lists the zone", "mount it");
    let of_local = |facts: &mut Facts| {
        facts.state.kind = StateKind::NoDirectory;
        local(facts);
    };
    breaks(of_local, subject, "the zone is kept there: the agent exits with 69", "--state-dir");
    warns(state(directory(true, 0o700, 1 << 20)), subject, "only 1024 kB left", "make room");
    warns(state(directory(true, 0o777, 1 << 30)), subject, "others may write", "chmod go-w /var/lib/ecssd");
}

#[test]
fn the_engine() {
    let away = |kind, reason: &str| {
        let reason = reason.to_owned();
        move |facts: &mut Facts| {
            facts.engine = Err(Away { kind, reason: reason.clone() });
            facts.containers = Err(reason);
        }
    };
    for (kind, remedy) in [
        (AwayKind::NoSocket, "--docker-socket"),
        (AwayKind::NotAllowed, "the group docker"),
        (AwayKind::NotThere, "start Docker: the socket is there"),
        (AwayKind::Hangs, "Docker hangs"),
        (AwayKind::Broken, "see Docker's log"),
    ] {
        breaks(away(kind, "in any words"), "docker", "in any words", remedy);
    }
    let engine = |version: &str, part: &str| {
        let engine = Engine { version: version.into(), parts: vec![part.into()] };
        move |facts: &mut Facts| facts.engine = Ok(engine)
    };
    warns(engine("5.2.0", "Podman Engine"), "docker", "Podman 5.2.0", "serve on for a while");
    breaks(engine("17.03.2-ce", "runc"), "docker", "older than this agent", "up to date");
    warns(engine("28.3.1", "rootlesskit"), "TCP checks", "rootless", "CHECK_HTTP");
    warns(engine("20.10.7", "runc"), "live-restore", "runs no HEALTHCHECK any more", "23 or later");
    warns(
        |facts| facts.daemon.as_mut().unwrap().iptables = false,
        "TCP checks",
        "iptables off",
        "HEALTHCHECK",
    );
    let in_a_container = |facts: &mut Facts| facts.has_own_network = true;
    warns(in_a_container, "TCP checks", "has the network of a container", "--network host");
}

#[test]
fn what_cannot_be_seen_is_said_to_be() {
    let mut facts = healthy();
    facts.daemon = None;
    let report = judge(&facts);
    let unseen = report.findings.iter().filter(|finding| finding.line.contains("cannot be seen from here"));
    assert_eq!((unseen.count(), report.worst()), (2, Level::Fine));
}
