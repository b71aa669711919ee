//! Many seeds, one seed, and what has to be said of them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::many::{Total, quiet, run_many};
use super::mutant::Mutant;
use super::run::run;
use super::scenario::Scenario;
use super::shrink::shrink;

/// So many seeds have to have seen everything.
const ALL_SEEN: u64 = 10_000;
/// What they have to have delivered, and how often each kind of fault has to have come about.
const EVENTS: u64 = 15_000_000;
const EACH_FAULT: u64 = 1_000;
/// Of how many seeds one is run twice, to be held against itself.
const TWICE: u64 = 50;

/// Of how many that broke something the shortest history is looked for.
const SHORTENED: usize = 3;

/// The kinds of faults, each with whatever counts it.
const FAULTS: [&str; 65] = [
    "network left and joined",
    "event dropped",
    "forgotten for replay",
    "lost to a replay",
    "docker exec",
    "HEALTHCHECK run",
    "HEALTHCHECK that takes its time",
    "network shared",
    "port contested",
    "port of the host's network contested",
    "Docker killed",
    "Docker killed, live restore",
    "not told by a silent stream",
    "crash loop",
    "crash loop, a new container each time",
    "storm of events",
    "failing check",
    "Docker away",
    "Docker restarts",
    "Docker restarts, live restore",
    "silent stream",
    "slow inspects",
    "hanging inspects",
    "dead network",
    "process stands still",
    "throttled",
    "busy",
    "500",
    "cut before",
    "cut after",
    "applied late",
    "slow call",
    "no credentials",
    "denied call",
    "registry down",
    "account used up",
    "refused record",
    "denied name",
    "edited by hand",
    "deleted by hand",
    "agent killed",
    "killed at a point",
    "upgrade",
    "drain",
    "power off",
    "disk full",
    "clock steps back",
    "clock steps forward",
    "credential renewed",
    "credential has ended",
    "address changed",
    "said to have ended too early",
    "renamed",
    "zone switched",
    "disk of another host",
    "removed of another name",
    "shut down in order",
    "start in order after another boot",
    "taken while its host was off",
    "address moved under an agent",
    "address followed",
    "no route",
    "route astray",
    "panic",
    "metadata away",
];

/// The steps of a lifecycle that its table names, in the words of the debug log.
const STEPS: [&str; 30] = [
    "idle -> live (seen running)",
    "idle -> perhaps stopping (killed)",
    "idle -> held (seen running)",
    "live -> live (seen again)",
    "live -> live (seen in a newer life)",
    "live -> held (seen in a newer life)",
    "live -> live (registered)",
    "live -> live (verdict up)",
    "live -> live (verdict down)",
    "live -> live (time)",
    "live -> stopping (killed)",
    "live -> paused (seen paused)",
    "paused -> paused (time)",
    "paused -> live (seen again)",
    "live -> idle (died)",
    "live -> idle (seen stopped)",
    "live -> idle (absent)",
    "live -> drained (drain)",
    "held -> live (time)",
    "held -> idle (died)",
    "held -> stopping (killed)",
    "perhaps stopping -> stopping (seen running)",
    "perhaps stopping -> live (seen running)",
    "perhaps stopping -> idle (died)",
    "stopping -> stopping (killed)",
    "stopping -> live (seen to survive)",
    "stopping -> live (seen running)",
    "stopping -> idle (died)",
    "stopping -> drained (drain)",
    "idle -> drained (drain)",
];

/// Runs these seeds, for at most so long; says what they saw, and whether all was well.
pub fn seeds(seeds: Range<u64>, at_least: u64, limit: Option<Duration>) -> bool {
    let (from, began) = (seeds.start, Instant::now());
    let total = run_many(seeds, Mutant::None, limit, 20);
    let took = began.elapsed();
    print_counts(&total, took);
    let mut wrong = Vec::new();
    wrong.extend(total.violations.iter().map(|(seed, violation)| format!("seed {seed}: {violation}")));
    for (seed, violation) in total.violations.iter().take(SHORTENED) {
        tell_shortest(*seed, violation.invariant);
    }
    if total.seeds < at_least && total.violations.is_empty() {
        wrong.push(format!("{} seeds in {took:?}, and {at_least} are asked for", total.seeds));
    }
    if total.seeds >= ALL_SEEN {
        wrong.extend(unseen(&total));
    }
    wrong.extend(unlike(from..from + total.seeds));
    wrong.iter().for_each(|text| println!("wrong: {text}"));
    let hours = total.simulated.as_secs_f64() / 3_600.0;
    println!("seeds {} violations {} simulated-hours {hours:.0}", total.seeds, total.violations.len());
    wrong.is_empty()
}

/// Plays one seed, or what of it is named, and prints its history.
pub fn seed(seed: u64, only: Option<&[usize]>) -> bool {
    quiet();
    let scenario = Scenario::draw(seed);
    let scenario = match only {
        Some(places) => scenario.only(places),
        None => scenario,
    };
    let outcome = run(&scenario, Mutant::None);
    print!("{}", outcome.history);
    match &outcome.violation {
        Some(violation) => println!("violation: {violation}"),
        None => println!("no violation, {} events", outcome.events()),
    }
    outcome.violation.is_none()
}

fn print_counts(total: &Total, took: Duration) {
    println!("what happened, and how often:");
    total.counts.iter().for_each(|(what, n)| println!("  {n:>12}  {what}"));
    println!("steps of lifecycles:");
    total.steps.iter().for_each(|(step, n)| println!("  {n:>12}  {step}"));
    let hours_a_second = total.simulated.as_secs_f64() / 3_600.0 / took.as_secs_f64();
    println!("{} events; {hours_a_second:.1} simulated hours a second, {took:.0?}", total.events);
}

fn unseen(total: &Total) -> Vec<String> {
    let mut wrong = Vec::new();
    if total.events < EVENTS {
        wrong.push(format!("{} events, and {EVENTS} are asked for", total.events));
    }
    for fault in FAULTS {
        let n = total.counts.get(fault).copied().unwrap_or_default();
        if n < EACH_FAULT {
            wrong.push(format!("{fault} came about {n} times, and {EACH_FAULT} are asked for"));
        }
    }
    let step = |step: &&&str| !total.steps.contains_key(**step);
    wrong.extend(STEPS.iter().filter(step).map(|step| format!("never made: {step}")));
    wrong
}

/// Two runs of a seed have one history.
fn unlike(seeds: Range<u64>) -> Vec<String> {
    let twice: Vec<u64> = seeds.step_by(usize::try_from(TWICE).unwrap_or(1)).take(40).collect();
    let differs = |seed: &&u64| {
        let scenario = Scenario::draw(**seed);
        run(&scenario, Mutant::None).history != run(&scenario, Mutant::None).history
    };
    let unlike: Vec<_> = twice.iter().filter(differs).collect();
    println!("{} seeds were run twice, byte for byte the same: {}", twice.len(), unlike.is_empty());
    unlike.iter().map(|seed| format!("seed {seed} has two histories")).collect()
}

fn tell_shortest(seed: u64, invariant: &str) {
    let scenario = Scenario::draw(seed);
    let kept = shrink(&scenario, Mutant::None, invariant);
    let outcome = run(&scenario.only(&kept), Mutant::None);
    println!("--- seed {seed}: the shortest history that was found");
    print!("{}", outcome.history);
    let places: Vec<_> = kept.iter().map(ToString::to_string).collect();
    println!("replay: tests/simulate --seed {seed} --only {}", places.join(","));
    if let Ok(text) = serde_json::to_string(&scenario.only(&kept)) {
        println!("to keep it: {text}");
    }
}

/// Every planted bug is caught by the invariant that it is meant for, on seeds on which the agent as it is breaks
/// none.
pub fn mutants(seeds: u64) -> bool {
    let mut caught: BTreeMap<String, String> = BTreeMap::new();
    let mut last = 0;
    let mut well = true;
    for (mutant, invariant) in Mutant::ALL {
        if let Some(text) = mutant.shown_by() {
            let scenario: Scenario = serde_json::from_str(text).expect("a scenario, as it was kept");
            let shows = |mutant| run(&scenario, mutant).violation.filter(|it| it.invariant == invariant);
            match (shows(mutant), shows(Mutant::None)) {
                (Some(violation), None) => {
                    caught.insert(format!("{invariant:<4} {mutant:?}"), format!("its history: {violation}"));
                }
                (violation, unmutated) => {
                    well = false;
                    println!("wrong: {mutant:?}: {violation:?}, and the agent as it is: {unmutated:?}");
                }
            }
            continue;
        }
        match first_caught(mutant, invariant, seeds) {
            Some((seed, text)) => {
                last = last.max(seed);
                caught.insert(format!("{invariant:<4} {mutant:?}"), format!("seed {seed}: {text}"));
            }
            None => {
                well = false;
                println!("wrong: {mutant:?} is not caught by {invariant} in {seeds} seeds");
            }
        }
    }
    caught.iter().for_each(|(mutant, how)| println!("{mutant:<28} {how}"));
    let unmutated = run_many(0..last + 1, Mutant::None, None, 1);
    println!(
        "{} mutants caught; the agent as it is, on seeds 0 to {last}: {} violations",
        caught.len(),
        unmutated.violations.len()
    );
    well && unmutated.violations.is_empty()
}

fn first_caught(mutant: Mutant, invariant: &str, seeds: u64) -> Option<(u64, String)> {
    const AT_ONCE: u64 = 40;
    (0..seeds).step_by(AT_ONCE as usize).find_map(|from| {
        let total = run_many(from..(from + AT_ONCE).min(seeds), mutant, None, usize::MAX);
        let mut found: Vec<_> =
            total.violations.into_iter().filter(|(_, it)| it.invariant == invariant).collect();
        found.sort_by_key(|(seed, _)| *seed);
        found.into_iter().next().map(|(seed, violation)| (seed, violation.to_string()))
    })
}
