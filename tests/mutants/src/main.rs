//! Plants mistakes in the rooms that only decide, all of them in one build, and sees which of them tests notice.
//!
//! | | |
//! |---|---|
//! | `mutants` | which mistakes: the list of cargo-mutants |
//! | `sites`, `plant`, `switch` | how one comes into a text, behind a switch |
//! | `tree`, `build` | a copy of the tree with all of them, and what of it compiles |
//! | `tests`, `ask` | which tests come past one, and what they say of it |
//! | `outcomes` | what came of each, and which may live |

#![allow(unreachable_pub, reason = "a program has no outside")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do"))]

mod ask;
mod build;
mod mutants;
mod outcomes;
mod plant;
mod sites;
mod tests;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use build::Left;
use mutants::Mutant;
use outcomes::{Outcome, Outcomes, Survivors};
use tests::{On, Test};
use tree::Tree;

const CAUGHT_PERCENT_MIN: usize = 90;
const SURVIVORS: &str = "tests/mutants/survivors";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let again =
        arguments.iter().position(|argument| argument == "--again").map(|at| arguments.remove(at)).is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or_else(|| Path::new("."));
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    match judge(root, &root.join(built).join("tests/mutants"), again, &arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether enough of them are noticed, and the others may live.
fn judge(root: &Path, out: &Path, again: bool, parts: &[String]) -> Result<bool, String> {
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let survivors =
        fs::read_to_string(root.join(SURVIVORS)).map_err(|error| format!("{SURVIVORS}: {error}"))?;
    let survivors = Survivors::parse(&survivors)?;
    let mutants = mutants::listed(root)?;
    let file = out.join("outcomes");
    let mut outcomes = if again { Outcomes::of_before(file, &mutants)? } else { Outcomes::new(file)? };
    ask(root, out, &mutants, &survivors, again, parts, &mut outcomes)?;

    let lives = |mutant: &&Mutant| outcomes.of(mutant) == Some(&Outcome::Lives);
    let living: Vec<&Mutant> = mutants.iter().filter(lives).collect();
    let unlisted: Vec<&Mutant> = living.iter().copied().filter(|mutant| !survivors.lists(mutant)).collect();
    let by_tests = outcomes.count(|outcome| matches!(outcome, Outcome::CaughtByTest(_)));
    let by_seeds = outcomes.count(|outcome| *outcome == Outcome::CaughtBySeeds);
    let unviable = outcomes.count(|outcome| *outcome == Outcome::Unviable);
    let (caught, viable) = (by_tests + by_seeds, by_tests + by_seeds + living.len());
    if viable == 0 {
        return Err("none of these mistakes compiles".to_owned());
    }
    println!(
        "figure: {caught} of {viable} mutants caught ({} %): {by_tests} by tests, {by_seeds} by 200 seeds; {} live and \
         may; {unviable} do not compile",
        100 * caught / viable,
        living.len() - unlisted.len()
    );
    unlisted.iter().for_each(|mutant| println!("lives, and is not in {SURVIVORS}: {}", mutant.name));
    if parts.is_empty() {
        survivors
            .about_none_of(&living)
            .iter()
            .for_each(|line| println!("in {SURVIVORS}, but none lives: {line}"));
    }
    Ok(100 * caught >= CAUGHT_PERCENT_MIN * viable && unlisted.is_empty())
}

/// Asks about all whose names contain one of `parts`, and that are not yet known to be noticed.
fn ask(
    root: &Path,
    out: &Path,
    mutants: &[Mutant],
    survivors: &Survivors,
    again: bool,
    parts: &[String],
    outcomes: &mut Outcomes,
) -> Result<(), String> {
    let named = |mutant: &Mutant| parts.is_empty() || parts.iter().any(|part| mutant.name.contains(part));
    let known = |mutant: &Mutant| outcomes.of(mutant).is_some_and(|outcome| *outcome != Outcome::Lives);
    let wanted: Vec<usize> =
        (0..mutants.len()).filter(|&number| named(&mutants[number]) && !known(&mutants[number])).collect();
    let mut tree = Tree::of(root, out.join("tree"), mutants)?;
    let file = out.join("settled");
    let known = if again { fs::read(&file).ok() } else { None };
    let known = known.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let settled = build::settle(&mut tree, mutants, &known)?;
    let text = serde_json::to_string(&settled).map_err(|error| error.to_string())?;
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    let (mut switched, mut plain) = (Vec::new(), Vec::new());
    for number in wanted {
        match settled.left(&mutants[number]) {
            None => switched.push(number),
            Some(Left::Unswitched) => plain.push(number),
            Some(Left::Unviable) => outcomes.add(&mutants[number], Outcome::Unviable)?,
        }
    }
    println!("{} are asked in one build, {} in one of their own", switched.len(), plain.len());
    let tests = tests::all(tree.path(), &build::build(&tree)?, out)?;
    ask::all(tree.path(), out, &tests, mutants, |mutant| survivors.lists(mutant), switched, outcomes)?;
    // Nobody knows which tests come past one that cannot be switched.
    let every: Vec<&Test> = tests.iter().collect();
    for number in plain {
        tree.plant_plainly(&mutants[number])?;
        build::build(&tree)?;
        outcomes.add(&mutants[number], ask::one(tree.path(), &every, On::Always, &out.join("log"))?)?;
        tree.plant_switched(&mutants[number])?;
    }
    Ok(())
}
