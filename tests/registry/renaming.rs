//! A host gets another name, and its state directory stays: what it wrote under the first goes by itself where that is
//! known to be its own, and else stays until somebody removes it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ecssd::record::{Change, RecordSet};
use ecssd_testing::process::Process;
use ecssd_testing::wait::{service, unique, wait_at_most};
use ecssd_testing::world::World;
use serde_json::Value;

/// How long a removal may take: it is to be noticed by nobody else, so that a call of it comes every five seconds.
const REMOVAL: Duration = Duration::from_secs(120);

/// A host of this name has written, and its agent has handed over: what stands of it.
fn written_by(world: &World, former: &str, name: &str, port: u16, state: &Path) -> Vec<RecordSet> {
    let mut agent = world.agent(&["--hostname", former, "--state-dir", state.to_str().unwrap()]);
    agent.says("zone read");
    world.registered(&agent, name, port);
    assert_eq!(agent.hand_over(), Some(0));
    let written = of(&world.zone.sets(), former);
    assert_eq!(written.len(), 2, "its address and its service: {written:?}");
    written
}

fn of(sets: &[RecordSet], owner: &str) -> Vec<RecordSet> {
    let is_its = |set: &&RecordSet| {
        let mark = set.set_identifier.as_deref().unwrap_or_default();
        mark.split(':').next() == Some(owner)
    };
    sets.iter().filter(is_its).cloned().collect()
}

/// Waits until an agent says this of what was written under another name.
fn says(agent: &Process, event: &str) {
    let said = || agent.log_lines().into_iter().find(|line| line["event"] == event);
    wait_at_most(REMOVAL, event, || agent.log(), said);
}

/// Whether anything of this owner was asked for.
fn touches<'a>(mut changes: impl Iterator<Item = &'a Change>, owner: &str) -> bool {
    changes.any(|change| !of(std::slice::from_ref(&change.set), owner).is_empty())
}

#[test]
fn what_a_renamed_host_wrote_before_goes_once_its_new_records_stand_and_each_is_said() {
    let world = World::new("renamed");
    let (name, state) = (service("kept"), world.state());
    let web = world.web(&name, &[]);
    let (former, port) = (unique("web"), web.host_port("80/tcp"));
    // Of another host, whose name begins as the former one does.
    let other = format!("{former}0");
    let strange = written_by(&world, &other, &name, port, &state.with_file_name("other"));
    let own = {
        let mut agent = world.agent(&["--hostname", &former]);
        agent.says("zone read");
        agent.wait_for("both", || (world.zone.named(&name).len() == 2).then_some(()));
        assert_eq!(agent.hand_over(), Some(0));
        of(&world.zone.sets(), &former)
    };
    assert_eq!(own.len(), 2, "{own:?}");
    world.front.forget();
    let mut agent = world.agent(&["--hostname", "present"]);
    says(&agent, "former_removed");
    let sets = world.zone.sets();
    assert_eq!((of(&sets, &former), of(&sets, &other)), (Vec::new(), strange));
    assert_eq!(of(&sets, "present").len(), 2, "{sets:?}");
    for set in &own {
        let (record, mark) = (set.name.as_str(), set.set_identifier.as_deref().unwrap());
        let lines = agent.log_lines();
        let said = lines.iter().filter(|line| {
            line["event"] == "written" && line["record"] == record && line.to_string().contains(mark)
        });
        assert_eq!(said.count(), 1, "{record} {mark}: {}", agent.log());
    }
    // The name is never empty: what the host wants now was written first.
    let batches = world.front.batches();
    let first = |owner: &str| batches.iter().position(|batch| touches(batch.iter(), owner)).unwrap();
    assert!(first("present") < first(&former), "{batches:?}");
    // There is nothing left that the next start would have to ask about.
    assert_eq!(agent.hand_over(), Some(0));
    world.front.forget();
    let agent = world.agent(&["--hostname", "present"]);
    agent.says("the journal knows all of this host");
    let later = service("later");
    let other_web = world.web(&later, &[]);
    world.registered(&agent, &later, other_web.host_port("80/tcp"));
    assert_eq!((world.front.counts().lists, agent.said("former_")), (0, 0));
}

#[test]
fn a_host_that_keeps_its_first_label_is_nobody_elses() {
    let world = World::new("relabelled");
    let (name, former) = (service("kept"), unique("web"));
    let present = format!("{former}.corp.example");
    let web = world.web(&name, &[]);
    drop(written_by(&world, &former, &name, web.host_port("80/tcp"), &world.state()));
    world.front.forget();
    let agent = world.agent(&["--hostname", &present]);
    says(&agent, "former_removed");
    let sets = world.zone.sets();
    assert_eq!((of(&sets, &former).len(), of(&sets, &present).len()), (0, 2), "{sets:?}");
    assert_eq!(agent.said("host_name_taken"), 0, "{}", agent.log());
    let batches = world.front.batches();
    let first = |owner: &str| batches.iter().position(|batch| touches(batch.iter(), owner)).unwrap();
    assert!(first(&present) < first(&former), "{batches:?}");
}

#[test]
fn what_was_written_to_another_zone_stays_there() {
    let (one, two) = (World::new("former"), World::new("present"));
    let (name, former) = (service("kept"), unique("web"));
    let web = one.web(&name, &[]);
    let state = one.state();
    let own = written_by(&one, &former, &name, web.host_port("80/tcp"), &state);
    one.front.forget();
    for hostname in ["present", &former] {
        let mut agent = two.agent(&["--hostname", hostname, "--state-dir", state.to_str().unwrap()]);
        says(&agent, "former_kept");
        let kept = agent.log_lines().into_iter().find(|line| line["event"] == "former_kept").unwrap();
        assert_eq!(
            (kept["owner"].as_str(), kept["reason"].as_str()),
            (Some(&*former), Some("it is of another zone"))
        );
        // Each record is named once, with the command that removes it.
        let lines = agent.log_lines();
        for set in &own {
            let mark = set.set_identifier.as_deref();
            let is_of_it =
                |line: &&Value| line["event"] == "record_of_another" && line["mark"].as_str() == mark;
            let [line] = &lines.iter().filter(is_of_it).collect::<Vec<_>>()[..] else {
                panic!("{mark:?}: {}", agent.log())
            };
            let message = line["message"].as_str().unwrap_or_default();
            assert!(
                message.contains("--remove") && message.contains(&format!("--hostname {former}")),
                "{line}"
            );
        }
        assert_eq!(agent.hand_over(), Some(0));
        let batches = two.front.batches();
        assert!(hostname == former || !touches(batches.iter().flatten(), &former), "{batches:?}");
    }
    assert_eq!((of(&one.zone.sets(), &former), one.front.seen().len()), (own, 0));
}

/// In a mount namespace of its own the machine has another id. Takes root.
#[test]
fn what_was_written_on_another_machine_stays() {
    let world = World::new("machine");
    let (name, former) = (service("kept"), unique("web"));
    let web = world.web(&name, &[]);
    let own = written_by(&world, &former, &name, web.host_port("80/tcp"), &world.state());
    let id = world.state().with_file_name("machine-id");
    std::fs::write(&id, "0123456789abcdef0123456789abcdef\n").unwrap();
    let agent = world.command(&["--hostname", "present"]);
    let mut within = Command::new("unshare");
    within.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/machine-id && exec \"$@\""]).arg(&id);
    within.arg(agent.get_program()).args(agent.get_args()).env_clear();
    within.envs(agent.get_envs().filter_map(|(name, value)| Some((name, value?))));
    world.front.forget();
    let agent = Process::start(within);
    says(&agent, "former_kept");
    let kept = agent.log_lines().into_iter().find(|line| line["event"] == "former_kept").unwrap();
    assert_eq!(kept["reason"], "it is not known to be of this machine");
    agent.wait_for("its own record", || (of(&world.zone.sets(), "present").len() == 2).then_some(()));
    assert_eq!(of(&world.zone.sets(), &former), own);
    let batches = world.front.batches();
    assert!(!touches(batches.iter().flatten(), &former), "{batches:?}");
}
