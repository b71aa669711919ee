//! Builds the tree, once with all mistakes. Which of them do not compile, the compiler says by the place of its errors:
//! those are taken out, until it has none.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::mutants::Mutant;
use crate::plant::{Said, Unplanted};
use crate::tree::Tree;

/// The targets whose tests are asked, besides the library.
const TESTS: [&str; 2] = ["convention", "registrar"];
const SIMULATION: &str = "simulation";

/// Why one is not in the build.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum Left {
    /// It does not compile: nobody can make this mistake.
    Unviable,
    /// It would, but cannot be switched.
    Unswitched,
}

/// What compiles, by the names of mistakes.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Settled {
    /// Those that are not in the build.
    left: BTreeMap<String, Left>,
    /// Those that were to blame for nothing.
    viable: BTreeSet<String>,
}

impl Settled {
    pub fn left(&self, mutant: &Mutant) -> Option<Left> {
        self.left.get(&mutant.name).copied()
    }
}

/// Programs that hold tests.
#[derive(Debug)]
pub struct Built {
    pub tests: Vec<PathBuf>,
    pub simulation: PathBuf,
}

#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Plants all that compile; the others, and why. Of some it may be known from before.
pub fn settle(tree: &mut Tree, mutants: &[Mutant], known: &Settled) -> Result<Settled, String> {
    let numbered = || mutants.iter().enumerate();
    let left = numbered().filter_map(|(number, mutant)| Some((number, known.left(mutant)?)));
    let mut left: BTreeMap<usize, Left> = left.collect();
    // Those that are not to blame for errors in what is around them get a second chance.
    let viable = numbered().filter(|(_, mutant)| known.viable.contains(&mutant.name));
    let mut viable: HashSet<usize> = viable.map(|(number, _)| number).collect();
    for number in take_out(tree, mutants, &mut left, &viable)? {
        tree.plant_plainly(&mutants[number])?;
        if cargo(tree.path(), &["check", "--lib"])?.iter().all(Line::is_no_error) {
            viable.insert(number);
        } else {
            left.insert(number, Left::Unviable);
        }
        tree.plant_switched(&mutants[number])?;
    }
    for number in take_out(tree, mutants, &mut left, &viable)? {
        left.insert(number, Left::Unswitched);
    }
    let name = |number: usize| mutants[number].name.clone();
    Ok(Settled {
        left: left.into_iter().map(|(number, why)| (name(number), why)).collect(),
        viable: viable.into_iter().map(name).collect(),
    })
}

/// Plants all that are not `left`, and takes out those that say what is wrong, and those that only are around it, until
/// nothing is wrong: the latter are returned.
fn take_out(
    tree: &mut Tree,
    mutants: &[Mutant],
    left: &mut BTreeMap<usize, Left>,
    viable: &HashSet<usize>,
) -> Result<BTreeSet<usize>, String> {
    let mut around = BTreeSet::new();
    loop {
        let without = left.keys().chain(&around).copied().collect();
        for (number, why) in tree.plant(mutants, &without, viable)? {
            match why {
                Unplanted::NotRust => drop(left.insert(number, Left::Unviable)),
                Unplanted::NoSwitch => drop(around.insert(number)),
            }
        }
        let before = left.len() + around.len();
        let mut wrong = None;
        for error in cargo(tree.path(), &["check", "--lib"])?.into_iter().filter(|line| !line.is_no_error()) {
            let Some(error) = error.message else { continue };
            for span in error.spans.iter().filter(|span| span.is_primary) {
                match tree.who_says(&span.file_name, &(span.byte_start..span.byte_end)) {
                    Some(Said::By(numbers)) => {
                        left.extend(numbers.into_iter().map(|number| (number, Left::Unviable)))
                    }
                    Some(Said::Around(numbers)) => around.extend(numbers),
                    None => {}
                }
            }
            wrong = Some(error.message);
        }
        println!("{} do not compile, {} are around what does not", left.len(), around.len());
        match wrong {
            None => return Ok(around),
            Some(error) if left.len() + around.len() == before => {
                return Err(format!("the tree does not compile: {error}"));
            }
            Some(_) => {}
        }
    }
}

/// The programs that hold the tests.
pub fn build(tree: &Tree) -> Result<Built, String> {
    let mut arguments = vec!["test", "--no-run", "--lib", "--test", SIMULATION];
    arguments.extend(TESTS.iter().flat_map(|name| ["--test", name]));
    let (mut tests, mut simulation) = (Vec::new(), None);
    for line in cargo(tree.path(), &arguments)? {
        if let Some(message) = line.message.filter(|message| message.level == "error") {
            return Err(format!(
                "the tests do not compile with mistakes in what they test: {}",
                message.message
            ));
        }
        let (Some(target), Some(program)) = (line.target, line.executable) else { continue };
        match target.name.as_str() {
            SIMULATION => simulation = Some(program),
            name if TESTS.contains(&name) || target.kind == ["lib"] => tests.push(program),
            _ => {}
        }
    }
    let simulation = simulation.ok_or("cargo built no simulation")?;
    if tests.len() != TESTS.len() + 1 {
        return Err(format!("cargo built {} programs with tests, of {}", tests.len(), TESTS.len() + 1));
    }
    Ok(Built { tests, simulation })
}

impl Line {
    fn is_no_error(&self) -> bool {
        self.message.as_ref().is_none_or(|message| message.level != "error")
    }
}

fn cargo(tree: &Path, arguments: &[&str]) -> Result<Vec<Line>, String> {
    let output = Command::new("cargo")
        .args(arguments)
        .args(["--package", "ecssd", "--locked", "--message-format", "json", "--quiet"])
        .current_dir(tree)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let lines: Result<Vec<Line>, _> =
        String::from_utf8_lossy(&output.stdout).lines().map(serde_json::from_str).collect();
    let lines = lines.map_err(|error| format!("cargo says what nobody reads: {error}"))?;
    let said = lines.iter().any(|line| line.reason == "compiler-message" && !line.is_no_error());
    if !output.status.success() && !said {
        return Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)));
    }
    Ok(lines)
}
