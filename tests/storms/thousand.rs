//! A thousand containers that start at once, and end at once.

use std::time::Instant;

use ecssd_testing::spec;

use crate::engine::Image;
use crate::host::{Host, allow_files, id, named};
use crate::targets::Targets;

const CONTAINERS: usize = 1_000;
/// Each container has a listener, and half of them a connection.
const FILES: usize = 4_096;

#[test]
fn a_thousand_containers_are_asked_in_turn_and_all_of_them_registered_and_withdrawn() {
    allow_files(FILES);
    let (targets, mut host) = (Targets::start(CONTAINERS), Host::start());
    let checks = spec::number("checks-in-flight", "checks");
    let (began, rss, cpu) = (Instant::now(), host.agent.memory().rss, host.agent.cpu());
    for (number, port) in targets.ports.iter().enumerate() {
        let number = number as u16;
        let mut environment = vec![named(&name(number))];
        // The other half is only connected to.
        if number.is_multiple_of(2) {
            // As patient as can be: they wait until all have been looked at.
            let keys = ["CHECK_HTTP=/", "CHECK_INTERVAL=60", "CHECK_TIMEOUT=60"];
            environment.extend(keys.map(|key| format!("SERVICE_80_{key}")));
        }
        host.engine.run(
            &id(number),
            &Image { name: "one-of-many", environment: &environment, ports: &[(80, *port)], health: None },
        );
    }
    host.wait_for("a look at each", |host| host.engine.looked_at() == CONTAINERS);
    host.wait_for("as many checks as there may be", |_| targets.waiting() == checks);
    targets.open();
    (0..CONTAINERS as u16).for_each(|number| host.registered(&name(number)));
    let (seconds, used) = (began.elapsed().as_secs_f64(), (host.agent.cpu() - cpu).as_secs_f64());
    println!(
        "{CONTAINERS} registered in {seconds:.1} s, {used:.2} s of a core; {} kB on top of {rss}; {} checks over HTTP",
        host.agent.memory().rss.saturating_sub(rss),
        targets.answered(),
    );

    let (began, cpu) = (Instant::now(), host.agent.cpu());
    (0..CONTAINERS as u16).for_each(|number| host.engine.die(&id(number)));
    (0..CONTAINERS as u16).for_each(|number| host.gone(&name(number)));
    let (seconds, used) = (began.elapsed().as_secs_f64(), (host.agent.cpu() - cpu).as_secs_f64());
    println!("withdrawn in {seconds:.1} s, {used:.2} s of a core");
    spec::judge("checks-in-flight", targets.peak() as f64, "checks");
    assert_eq!(host.agent.drain(), Some(0));
    assert!(!host.agent.log().contains("silent at once"), "it doubted itself");
}

fn name(number: u16) -> String {
    format!("_one-of-many-{number}._tcp")
}
