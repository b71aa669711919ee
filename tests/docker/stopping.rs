//! Services leave DNS before they stop, and the agent takes its records along.

use std::process::{Command, Stdio};

use ecssd_testing::agent::{Agent, Engine, service};

#[test]
fn a_record_is_gone_before_its_process_ends() {
    let engine = Engine::given();
    let mut agent = Agent::start(&engine);
    let name = service("graceful");
    let option = format!("SERVICE_80_NAME={name}");
    // It traps TERM and goes on until it is told that the record is gone: there is no race to win.
    let command =
        "trap 'while ! test -e /gone; do sleep 0.02; done; exit 0' TERM; while :; do sleep 0.1; done";
    let options = ["-p", "80", "-e", &option, "-e", "SERVICE_80_CHECK=none"];
    let graceful = engine.run(&options, &["sh", "-c", command]);
    agent.answers(&name);
    let mut stop = engine.command(&["stop", "-t", "30", &graceful.id]).stdout(Stdio::null()).spawn().unwrap();
    agent.gone(&name);
    assert!(graceful.is_running());
    graceful.exec(&["touch", "/gone"]);
    assert!(stop.wait().unwrap().success());
    assert_eq!(graceful.inspect()["State"]["ExitCode"], 0);
}

#[test]
fn an_image_s_own_stop_signal_is_heeded() {
    let engine = Engine::given();
    let mut agent = Agent::start(&engine);
    let name = service("quit");
    let option = format!("SERVICE_80_NAME={name}");
    let command =
        "trap 'while ! test -e /gone; do sleep 0.02; done; exit 0' QUIT; while :; do sleep 0.1; done";
    let options = ["--stop-signal", "SIGQUIT", "-p", "80", "-e", &option, "-e", "SERVICE_80_CHECK=none"];
    let it = engine.run(&options, &["sh", "-c", command]);
    agent.answers(&name);
    let mut stop = engine.command(&["stop", "-t", "30", &it.id]).stdout(Stdio::null()).spawn().unwrap();
    agent.gone(&name);
    assert!(it.is_running());
    it.exec(&["touch", "/gone"]);
    assert!(stop.wait().unwrap().success());
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
    assert_eq!(agent.ended().code(), Some(0));
    let before = agent.zone();
    assert!(before.iter().any(|set| set.name.contains(&name)));
    // The next one has it from the first answer on, without writing anything of it.
    let mut agent = agent.again();
    agent.answers_with(&name, web.host_port("80/tcp"));
    agent.signal("INT");
    assert_eq!(agent.ended().code(), Some(0));
    assert!(!agent.zone().iter().any(|set| set.name.contains(&name)));
}

/// A small file system that can be filled up, so that no change can be written.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let dir = tempfile::TempDir::new().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(dir.path()).status();
        assert!(mounted.unwrap().success());
        Self(dir)
    }

    fn fill(&self) {
        let _ = std::fs::write(self.0.path().join("filler"), vec![0; 1 << 20]);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0.path()).status();
    }
}

#[test]
fn what_a_drain_could_not_remove_is_named_and_a_second_signal_ends_at_once() {
    let engine = Engine::given();
    let name = service("stuck");
    // So many that their removal does not fit into what is left of the disk's last page.
    let names: Vec<_> = std::iter::once(name.clone()).chain((0..40).map(|_| service("stuck"))).collect();
    let _web = engine.web(&names.join(","), &[]);
    for (seconds, second_signal, code) in [("2s", false, 75), ("600s", true, 143)] {
        let disk = SmallDisk::mount();
        let state = disk.0.path().join("state");
        let state = state.to_str().unwrap();
        let mut agent = Agent::start_with(&engine, &["--drain-timeout", seconds, "--state-dir", state]);
        agent.answers(&name);
        disk.fill();
        agent.signal("TERM");
        agent.wait_for("a failed call", |agent| agent.log().contains("did not take a call").then_some(()));
        if second_signal {
            agent.signal("TERM");
        }
        assert_eq!(agent.ended().code(), Some(code));
        let left = |line: &serde_json::Value| {
            line["message"] == "left behind"
                && line["record"].as_str().is_some_and(|record| record.starts_with(&name))
        };
        assert_eq!(agent.log_lines().iter().any(left), !second_signal);
    }
}
