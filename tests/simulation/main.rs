//! Whole hosts in one process, on a virtual clock, with faults that a seed draws: the agent as it is, its actors,
//! lifecycle, writer, pacing and journal, before a scripted engine, network, disk and registry.
//!
//! `tests/simulate` runs it by the thousands. First come the faults, and after every step the court looks whether
//! something happened that must not; then they stop, and the zone has to become what the containers are.
//!
//! | | |
//! |---|---|
//! | `scenario`, `draw` | what happens, and how a seed decides it |
//! | `world`, `later`, `host`, `truth`, `disk`, `account` | where it happens |
//! | `agent`, `supervisor`, `log` | the process, and all that it sees and does |
//! | `court` | who judges |
//! | `mutant` | bugs that are planted, to see that they are caught |
//! | `run`, `shrink`, `report` | one run, the shortest that shows the same, and many |

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::large_enum_variant, reason = "a scenario is short")]

mod account;
mod agent;
mod court;
mod disk;
mod draw;
mod host;
mod janitor;
mod later;
mod log;
mod many;
mod mutant;
mod run;
mod scenario;
mod supervisor;
mod truth;
mod world;

#[test]
fn seeds() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SEED") {
        many::quiet();
        let outcome = run::run(&scenario::Scenario::draw(seed), mutant::Mutant::None);
        println!("{}", outcome.history);
        println!("{:?}", outcome.violation.map(|it| it.to_string()));
        return;
    }
    let began = std::time::Instant::now();
    let total = many::run_many(0..number("SEEDS").unwrap_or(20), mutant::Mutant::None, None, 100_000);
    let took = began.elapsed();
    let mut by: std::collections::BTreeMap<&str, Vec<u64>> = Default::default();
    for (seed, violation) in &total.violations {
        by.entry(violation.invariant).or_default().push(*seed);
        println!("seed {seed}: {violation}");
    }
    println!("{by:?}");
    println!("{:?}", total.counts);
    println!("{:#?}", total.steps);
    println!(
        "seeds {} violations {} simulated-hours {:.1} events {} in {took:?}",
        total.seeds,
        total.violations.len(),
        total.simulated.as_secs_f64() / 3600.0,
        total.events
    );
}
