//! What the command line asks for: of `tests/simulate`, or of `cargo test`, which hands the same words to every test
//! binary.
//!
//! Whatever is not known is refused: a run that was told something else than it does says nothing of what was asked.

use std::num::NonZeroU64;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

/// Says that whoever asks means this binary alone ([`tests/simulate`]): a name is then a check's, and not a filter
/// that may match in some other binary.
const THIS_ALONE: &str = "--this-alone";

/// What the library's harness takes, and what is without meaning here: there is nothing to capture, and the cores are
/// used anyhow. Source: `cargo test -- --help`.
const WITHOUT_MEANING: [&str; 12] = [
    "--bench",
    "--ensure-time",
    "--exclude-should-panic",
    "--force-run-in-process",
    "--include-ignored",
    "--no-capture",
    "--nocapture",
    "--quiet",
    "--report-time",
    "--show-output",
    "--shuffle",
    "--test",
];
/// The same, of those that a value follows.
const WITHOUT_MEANING_VALUED: [&str; 6] =
    ["--color", "--format", "--logfile", "--shuffle-seed", "--test-threads", "-Z"];

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// These seeds, for at most so long, and at least so many of them.
    Seeds { seeds: Range<u64>, at_least: u64, limit: Option<Duration> },
    /// One seed, or of its operations those at these places.
    Seed { seed: u64, only: Option<Vec<usize>> },
    /// These checks.
    Checks(Vec<&'static str>),
    /// To say which checks there are of these.
    List(Vec<&'static str>),
}

/// All that was said.
#[derive(Debug, Default)]
struct Words {
    seeds: Option<NonZeroU64>,
    from: Option<u64>,
    at_least: Option<u64>,
    seconds: Option<u64>,
    seed: Option<u64>,
    only: Option<Vec<usize>>,
    names: Vec<String>,
    skipped: Vec<String>,
    this_alone: bool,
    exact: bool,
    ignored: bool,
    list: bool,
}

/// Reads the command line; `checks` are the names of those there are.
///
/// # Errors
///
/// In words, what cannot be done.
pub fn read(line: impl IntoIterator<Item = String>, checks: &[&'static str]) -> Result<Asked, String> {
    words(line)?.ask(checks)
}

fn words(line: impl IntoIterator<Item = String>) -> Result<Words, String> {
    let (mut said, mut line) = (Words::default(), line.into_iter());
    while let Some(word) = line.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let attached = value.is_some();
        let mut value =
            || value.clone().or_else(|| line.next()).ok_or_else(|| format!("{flag} wants a value"));
        match flag {
            "--seeds" => said.seeds = Some(parse(flag, &value()?)?),
            "--from" => said.from = Some(parse(flag, &value()?)?),
            "--at-least" => said.at_least = Some(parse(flag, &value()?)?),
            "--seconds" => said.seconds = Some(parse(flag, &value()?)?),
            "--seed" => said.seed = Some(parse(flag, &value()?)?),
            "--only" => {
                said.only =
                    Some(value()?.split(',').map(|place| parse(flag, place)).collect::<Result<_, _>>()?);
            }
            "--skip" => said.skipped.push(value()?),
            flag if WITHOUT_MEANING_VALUED.contains(&flag) => drop(value()?),
            flag if attached => return Err(format!("{flag} takes no value, or is not known")),
            THIS_ALONE => said.this_alone = true,
            "--exact" => said.exact = true,
            "--ignored" => said.ignored = true,
            "--list" => said.list = true,
            "-q" => {}
            flag if WITHOUT_MEANING.contains(&flag) => {}
            flag if flag.starts_with('-') => return Err(format!("{flag} is not known")),
            name => said.names.push(name.to_owned()),
        }
    }
    Ok(said)
}

fn parse<T: FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{flag}: {text:?} is no number that can be used"))
}

impl Words {
    fn ask(self, checks: &[&'static str]) -> Result<Asked, String> {
        let needs = [
            ("--from", self.from.is_some(), "--seeds", self.seeds.is_some()),
            ("--at-least", self.at_least.is_some(), "--seeds", self.seeds.is_some()),
            ("--seconds", self.seconds.is_some(), "--seeds", self.seeds.is_some()),
            ("--only", self.only.is_some(), "--seed", self.seed.is_some()),
        ];
        for (flag, given, needed, there) in needs {
            if given && !there {
                return Err(format!("{flag} goes with {needed}"));
            }
        }
        let picked = self.names.len() + self.skipped.len() > 0;
        match (self.seeds, self.seed) {
            (None, None) => self.checks(checks),
            (Some(_), Some(_)) => Err("--seeds and --seed are two things".to_owned()),
            _ if picked => Err("seeds and checks are two things".to_owned()),
            (Some(count), None) => self.seeds(count.get()),
            (None, Some(seed)) => Ok(Asked::Seed { seed, only: self.only }),
        }
    }

    fn seeds(self, count: u64) -> Result<Asked, String> {
        let (from, at_least) = (self.from.unwrap_or_default(), self.at_least.unwrap_or_default());
        let end = from.checked_add(count).ok_or("there are no such seeds: they end at 2^64")?;
        if at_least > count {
            return Err(format!("--at-least: {at_least} of {count} seeds"));
        }
        Ok(Asked::Seeds { seeds: from..end, at_least, limit: self.seconds.map(Duration::from_secs) })
    }

    fn checks(self, checks: &[&'static str]) -> Result<Asked, String> {
        let is = |check: &str, name: &String| {
            if self.exact || self.this_alone { check == name } else { check.contains(name.as_str()) }
        };
        if self.this_alone
            && let Some(name) = self.names.iter().find(|name| !checks.contains(&name.as_str()))
        {
            return Err(format!("there is no check {name}, but: {}", checks.join(", ")));
        }
        let named = |check: &&str| self.names.is_empty() || self.names.iter().any(|name| is(check, name));
        let skipped = |check: &&str| self.skipped.iter().any(|name| is(check, name));
        // None is ignored unless asked for.
        let asked = checks.iter().copied().filter(|check| !self.ignored && named(check) && !skipped(check));
        let asked = asked.collect();
        Ok(if self.list { Asked::List(asked) } else { Asked::Checks(asked) })
    }
}

/// Everything is read as it is meant, and nothing is taken silently.
pub fn arguments() -> bool {
    const CHECKS: [&str; 3] = ["found", "orders", "mutants"];
    let seeds = |seeds, at_least, limit: Option<u64>| {
        Some(Asked::Seeds { seeds, at_least, limit: limit.map(Duration::from_secs) })
    };
    let checks = |names: &[&'static str]| Some(Asked::Checks(names.to_vec()));
    // None is for what must be refused.
    let lines = [
        ("--seeds 10", seeds(0..10, 0, None)),
        ("--seeds=10 --from=5", seeds(5..15, 0, None)),
        ("--from 90 --seeds 10 --at-least 3 --seconds 7", seeds(90..100, 3, Some(7))),
        ("--seed 4", Some(Asked::Seed { seed: 4, only: None })),
        ("--seed 4 --only 1,2", Some(Asked::Seed { seed: 4, only: Some(vec![1, 2]) })),
        ("", checks(&CHECKS)),
        ("--this-alone orders", checks(&["orders"])),
        // What cargo hands to every test binary, and who drives them.
        ("-q --nocapture --test-threads 1 --color never", checks(&CHECKS)),
        ("--test-threads=1 --exact orders", checks(&["orders"])),
        ("order", checks(&["orders"])),
        ("of::another::binary", checks(&[])),
        ("--skip orders --include-ignored", checks(&["found", "mutants"])),
        ("--ignored", checks(&[])),
        ("--list --format terse", Some(Asked::List(CHECKS.to_vec()))),
        ("--list --ignored", Some(Asked::List(vec![]))),
        ("--sedes 10", None),
        ("--seeds", None),
        ("--seeds ten", None),
        ("--seeds 0", None),
        ("--seeds -1", None),
        ("--seeds 10 --at-least 11", None),
        ("--seeds 10 --form 3", None),
        ("--seeds 2 --from 18446744073709551615", None),
        ("--seeds 10 --seed 3", None),
        ("--seeds 10 orders", None),
        ("--from 3", None),
        ("--from 3 --seed 3", None),
        ("--at-least 3", None),
        ("--seconds 3", None),
        ("--only 1", None),
        ("--seed 3 --only 1,,2", None),
        ("--exact=yes", None),
        ("--test-threads", None),
        ("-x", None),
        ("--this-alone order", None),
        ("--this-alone orders nothing", None),
    ];
    let mut well = true;
    for (line, expected) in lines {
        let read = read(line.split_whitespace().map(str::to_owned), &CHECKS);
        if read.clone().ok() != expected {
            well = false;
            println!("wrong: {line:?} is read as {read:?}, and is {expected:?}");
        }
    }
    well
}
