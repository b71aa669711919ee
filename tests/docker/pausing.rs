//! A container that is paused for a while.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ecssd_testing::agent::Agent;
use ecssd_testing::dns::Steady;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::http::ask;
use ecssd_testing::wait::{service, unique};
use hickory_server::proto::rr::Name;
use tempfile::TempDir;

/// What `docker commit` has to copy while the container is paused.
const OCTETS: u64 = 256 << 20;

#[test]
fn a_commit_of_a_large_container_tells_nobody_that_it_is_not_there() {
    let engine = Engine::given();
    let name = service("committed");
    let web = engine.web(&name, &[]);
    let dir = TempDir::new().unwrap();
    File::create(dir.path().join("large")).unwrap().set_len(OCTETS).unwrap();
    engine.docker(&["cp", &dir.path().join("large").to_string_lossy(), &format!("{}:/large", web.id)]);
    let agent = Agent::start_with(&engine, &["--full-names", "-all"]);
    agent.answers(&name);
    let full = name.replace("._tcp", "-all._tcp");
    agent.answers(&full);
    let clients = [&name, &full]
        .map(|name| Steady::start(agent.dns(), &Name::from_ascii(format!("{}.", agent.full(name))).unwrap()));

    let (over, at) =
        (AtomicBool::new(false), format!("{}:{}", engine.bridge_address(), web.host_port("80/tcp")));
    let requests = thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut requests = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(ask(&at, "GET", "/health", ""), (200, "ok".to_owned()));
                requests += 1;
            }
            requests
        });
        let image = unique("ecssd-test-committed");
        engine.docker(&["commit", &web.id, &image]);
        engine.docker(&["rmi", &image]);
        over.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    let heard = clients.map(Steady::stop);
    println!("docker commit: {requests} requests answered; {heard:?}");
    let of_it = format!("container={}", web.id);
    let (since, until) = (["--since", "10m"], ["--until", "0s"]);
    let filters = ["--filter", &of_it, "--filter", "event=pause"];
    let paused = engine.docker(&[&["events"], &since[..], &until, &filters].concat());
    assert_eq!(paused.lines().count(), 1, "{paused}");
    assert!(requests > 0);
    assert!(heard.iter().all(|heard| heard.there > 0 && heard.not_there == 0), "{heard:?}");
}
