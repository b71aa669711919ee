//! Services leave DNS before they stop, and the agent takes its records along.

use ecssd_testing::agent::Agent;
use ecssd_testing::disk::SmallDisk;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::wait::service;

#[test]
fn a_record_is_gone_before_its_process_ends() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("graceful");
    let option = format!("SERVICE_80_NAME={name}");
    // It goes on until it is told that the record is gone: there is no race to win.
    let graceful = engine.graceful("TERM", &["-e", &option, "-e", "SERVICE_80_CHECK=none"]);
    agent.answers(&name);
    graceful.stop_around(|| agent.gone(&name));
    assert_eq!(graceful.inspect()["State"]["ExitCode"], 0);
}

#[test]
fn an_image_s_own_stop_signal_is_heeded() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("quit");
    let option = format!("SERVICE_80_NAME={name}");
    let it = engine.graceful("QUIT", &["-e", &option, "-e", "SERVICE_80_CHECK=none"]);
    agent.answers(&name);
    it.stop_around(|| agent.gone(&name));
}

#[test]
fn sigterm_withdraws_everything_but_the_host_s_address() {
    let engine = Engine::given();
    let mut agent = Agent::start(&engine);
    let names: Vec<_> = (0..3).map(|_| service("drain")).collect();
    let _webs: Vec<_> = names.iter().map(|name| engine.web(name, &[])).collect();
    names.iter().for_each(|name| drop(agent.answers(name)));
    assert_eq!(agent.drain(), Some(0));
    let left: Vec<_> = agent.zone().iter().map(|set| set.key().name).collect();
    assert_eq!(left, ["web1.servicediscovery.internal"]);
    assert!(agent.log().contains("safe to stop"));
}

#[test]
fn sigint_drains_too_and_sighup_hands_over() {
    let engine = Engine::given();
    let name = service("handover");
    let web = engine.web(&name, &[]);
    let mut agent = Agent::start(&engine);
    agent.answers(&name);
    agent.signal("HUP");
    assert_eq!(agent.ended(), Some(0));
    let before = agent.zone();
    assert!(before.iter().any(|set| set.name.contains(&name)));
    // The next one has it from the first answer on, without writing anything of it.
    let mut agent = agent.again();
    agent.answers_with(&name, web.host_port("80/tcp"));
    agent.signal("INT");
    assert_eq!(agent.ended(), Some(0));
    assert!(!agent.zone().iter().any(|set| set.name.contains(&name)));
}

#[test]
fn what_a_drain_could_not_remove_is_named_and_a_second_signal_ends_at_once() {
    let engine = Engine::given();
    let name = service("stuck");
    // So many that their removal does not fit into what is left of the disk's last page.
    let names: Vec<_> = std::iter::once(name.clone()).chain((0..40).map(|_| service("stuck"))).collect();
    let _web = engine.web(&names.join(","), &[]);
    for (seconds, second_signal, code) in [("2s", false, 75), ("600s", true, 143)] {
        // No change can be written to a disk that is full.
        let disk = SmallDisk::mount("64k").expect("mounting a file system needs root");
        let state = disk.path().join("state");
        let state = state.to_str().unwrap();
        let mut agent = Agent::start_with(&engine, &["--drain-timeout", seconds, "--state-dir", state]);
        agent.answers(&name);
        disk.fill();
        agent.signal("TERM");
        agent.says("zone_failing");
        if second_signal {
            agent.signal("TERM");
        }
        assert_eq!(agent.ended(), Some(code));
        let left = |line: &serde_json::Value| {
            line["event"] == "left_behind"
                && line["record"].as_str().is_some_and(|record| record.starts_with(&name))
        };
        assert_eq!(agent.log_lines().iter().any(left), !second_signal);
    }
}
