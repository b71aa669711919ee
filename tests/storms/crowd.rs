//! Many copies of one service, and how many of them go into an answer of its full name.

use ecssd_testing::agent::Agent;

use crate::engine::Image;
use crate::host::{Host, id, named};

const PAGE: &str = include_str!("../../docs/consumers.md");
/// Names as on EC2, as on that page.
const OPTIONS: [&str; 7] =
    ["sd.internal", "--full-names", "-all", "--hostname", "i-0a1b2c3d4e5f60789", "--address", "127.0.0.1"];
const NAME: &str = "_calc-all._tcp.sd.internal";

/// How many targets an answer has, and whether it says that there are more.
fn answer(agent: &Agent, flags: &[&str]) -> (usize, bool) {
    let text = agent.dig(&[&["+ignore", NAME, "SRV"], flags].concat());
    let targets = text.lines().filter(|line| line.starts_with(NAME) && line.contains("\tSRV\t")).count();
    (targets, text.contains("flags: qr aa tc rd;"))
}

#[test]
fn an_agent_answers_for_as_many_copies_as_the_page_for_consumers_says() {
    let mut host = Host::with(|engine| Agent::start_with(engine, &OPTIONS));
    let (mut started, mut lines) = (0, Vec::new());
    for copies in [8, 9, 20, 100] {
        for number in started + 1..=copies {
            let environment = [named("_calc._tcp"), "SERVICE_80_CHECK=none".to_owned()];
            let image = Image {
                name: "calc",
                environment: &environment,
                ports: &[(80, 20_000 + number)],
                health: None,
            };
            host.engine.run(&id(number), &image);
        }
        started = copies;
        host.wait_for("all of them", |host| answer(&host.agent, &["+tcp"]) == (copies.into(), false));
        let sizes = [&["+noedns"][..], &["+bufsize=1232"], &["+bufsize=4096"], &["+tcp"]];
        let cells = sizes.map(|flags| match answer(&host.agent, flags) {
            (targets, false) => targets.to_string(),
            (targets, true) => format!("{targets}, cut"),
        });
        lines.push(format!("| {copies} | {} |", cells.join(" | ")));
    }
    let table = lines.join("\n");
    println!("{table}");
    assert!(PAGE.contains(&table), "docs/consumers.md does not have:\n{table}");
}
