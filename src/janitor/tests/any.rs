//! Any world, any news, any failed page: what must hold does, and what must go goes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestRng, TestRunner};

use super::checks::{Known, absent_of, check, is_target, is_wanted, known, many_hosts_dead, services};
use super::mutants::MUTANTS;
use super::story::{Story, judged, stories};
use super::world::{Tag, World};
use crate::janitor::{Inspection, Verdict};
use crate::moment::at;
use crate::record::{Key, RecordSet};

const CASES: u32 = 20_000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn deletes_what_is_dead_and_nothing_else() {
    let counts: RefCell<BTreeMap<Verdict, usize>> = RefCell::default();
    let tally = RefCell::new([0_usize; 3]);
    let told = TestRunner::new(config(CASES)).run(&stories(), |story| {
        let run = story.run(judged);
        let due = check(&run).map_err(TestCaseError::fail)?;
        let [due_and_done, registered, deletes] = &mut *tally.borrow_mut();
        *due_and_done += usize::from(due);
        *registered += run.registered_meanwhile;
        *deletes += run.report.deletes().count();
        for (verdict, count) in run.report.counts() {
            *counts.borrow_mut().entry(verdict).or_default() += count;
        }
        Ok(())
    });
    told.unwrap_or_else(|failure| panic!("{failure}"));
    let [due_and_done, registered, deletes] = tally.into_inner();
    for (verdict, count) in counts.into_inner() {
        println!("{count:>8} {verdict}");
    }
    println!("{CASES} cases, a delete due and done in {due_and_done}; {deletes} deletes");
    println!("{registered} containers registered between a list and its snapshot");
    assert!(due_and_done * 100 >= CASES as usize * 30, "too few worlds have something to do");
    assert!(registered > 2_000);
}

#[test]
fn everything_that_is_provably_dead_goes_in_the_end() {
    let gone = RefCell::new((0, 0));
    let told = TestRunner::new(config(1_500)).run(&stories(), |story| {
        let mut world = story.world();
        let dead = |world: &World| world.zone.keys().filter(|key| !world.is_alive(key)).count();
        let before = dead(&world);
        let runs = (0..60).find(|_| {
            let inspections = [world.inspect(0), world.inspect(100)];
            let report = judged(&inspections, at(102));
            report.deletes().for_each(|set| world.delete(set));
            report.deletes().count() == 0
        });
        prop_assert!(runs.is_some(), "never at rest");
        check_rest(&world).map_err(TestCaseError::fail)?;
        let (of, went) = &mut *gone.borrow_mut();
        *of += before;
        *went += before - dead(&world);
        Ok(())
    });
    told.unwrap_or_else(|failure| panic!("{failure}"));
    let (of, went) = gone.into_inner();
    println!("{went} of {of} dead records went; each of the rest is spared by a rule");
    assert!(went * 3 > of, "the rules spare too much");
}

/// What is dead and still there is spared by a rule.
fn check_rest(world: &World) -> Result<(), String> {
    let inspections = [world.inspect(0), world.inspect(100)];
    let many = many_hosts_dead(world, &inspections);
    let services = services(world, &inspections);
    for (key, set) in &world.zone {
        let spared = match known(world, &inspections, set) {
            Known::Not => true,
            Known::Absent if many => true,
            _ if !is_target(set) => is_in_use(world, set),
            known => {
                let targets = &services[&*key.name];
                let last =
                    targets.len() == 1 && world.zone.keys().filter(|k| k.name == key.name).count() == 1;
                let wanted = is_wanted(&inspections[1], &key.name);
                let alone = known == Known::Absent && absent_of(targets) * 2 > targets.len();
                alone || (last && (wanted || known == Known::Absent))
            }
        };
        if !spared && world.tags[key] != Tag::Nobody {
            return Err(format!("still there: {set}"));
        }
    }
    Ok(())
}

/// Whether something points to this address, or its host has other records.
fn is_in_use(world: &World, set: &RecordSet) -> bool {
    let name = |machine: usize| world.host_name(machine);
    world.zone.values().any(|other| {
        let points = other.values[0].split(' ').next_back() == Some(&set.name);
        points
            || match (world.tags[&set.key()], world.tags[&other.key()]) {
                (Tag::Machine(machine), Tag::Job(job)) => name(world.jobs[job].machine) == name(machine),
                _ => false,
            }
    })
}

/// What is dead for certain in each service, of how many targets of ours, and of how many of anybody's.
fn certain(world: &World, inspections: &[Inspection; 2]) -> BTreeMap<String, [usize; 3]> {
    let count = |(name, targets): (&str, Vec<(Key, Known)>)| {
        let dead = targets.iter().filter(|(_, known)| *known == Known::Positive).count();
        let all = inspections[1].list.what.iter().filter(|set| set.name == name && is_target(set));
        (name.to_owned(), [dead, targets.len(), all.count()])
    };
    services(world, inspections).into_iter().map(count).collect()
}

/// Of `k` dead of a service with `m` marked targets, a run leaves k - min(k, max(1, m / 2)), and nothing is left
/// after ceil(log2 k) + 3 runs, addresses included: a service that runs elsewhere has k < m targets, so a run
/// leaves at most half of its dead, and an address goes a run after the last record that points to it.
#[test]
fn what_is_certainly_dead_goes_as_fast_as_the_caps_let_it() {
    let tally = RefCell::new([0_usize; 3]);
    let told = TestRunner::new(config(CASES)).run(&stories(), |story| {
        let mut world = story.world();
        let mut inspections = [world.inspect(0), world.inspect(100)];
        let mut before = certain(&world, &inspections);
        let most = before.values().map(|[dead, ..]| *dead).max().unwrap_or_default();
        let runs = usize::try_from(most.max(1).next_power_of_two().ilog2()).unwrap() + 3;
        let [worlds, records, largest] = &mut *tally.borrow_mut();
        *worlds += usize::from(most > 0);
        *largest = (*largest).max(most);
        for _ in 0..runs {
            let report = judged(&inspections, at(102));
            if report.deletes().next().is_none() {
                break;
            }
            for set in report.deletes() {
                prop_assert!(!world.is_alive(&set.key()), "alive: {set}");
                *records += 1;
                world.delete(set);
            }
            inspections = [world.inspect(0), world.inspect(100)];
            let after = certain(&world, &inspections);
            for (name, [dead, marked, all]) in &before {
                let left = after.get(name).map_or(0, |[dead, ..]| *dead);
                let most = dead - dead.min(&(marked / 2).max(1));
                prop_assert!(left <= most || all == dead, "{name}: {left} of {dead} left, not {most}");
            }
            before = after;
        }
        for (name, [dead, _, all]) in certain(&world, &inspections) {
            prop_assert!(dead == 0 || all == dead, "{name}: {dead} left after {runs} runs");
        }
        for set in world.zone.values().filter(|set| !is_target(set)) {
            let left = known(&world, &inspections, set) == Known::Positive && !is_in_use(&world, set);
            prop_assert!(!left, "left after {runs} runs: {set}");
        }
        Ok(())
    });
    told.unwrap_or_else(|failure| panic!("{failure}"));
    let [worlds, records, largest] = tally.into_inner();
    println!(
        "{worlds} of {CASES} worlds with certain deaths, up to {largest} of a service; {records} deletes"
    );
    assert!(worlds * 2 > CASES as usize && largest >= 8, "too few worlds have something to do");
}

#[test]
fn each_safeguard_is_missed_when_it_is_taken_away() {
    let rng = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config(1), rng);
    let stories: Vec<_> = (0..3_000).map(|_| stories().new_tree(&mut runner).unwrap().current()).collect();
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        let wrong =
            |story: &Story| check(&story.run(|inspections, now| mutant.judge(inspections, now))).err();
        match stories.iter().enumerate().find_map(|(n, story)| Some((n, wrong(story)?))) {
            Some((n, invariant)) => println!("{}: case {n}, {invariant}", mutant.name),
            None => survivors.push(mutant.name),
        }
    }
    assert!(survivors.is_empty(), "nobody misses: {survivors:?}");
}
