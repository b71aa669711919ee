//! What the command line asks for: of `tests/fleet/run`, or of `cargo test`, which hands the same words to every test
//! binary.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::account::{LEGACY, LIMITS_2026, Limits};
use super::inventory::Fleet;
use super::judge::fleets;
use super::scenario::Scenario;
use super::strategy::Kind;

/// Says that whoever asks means this binary alone.
const THIS_ALONE: &str = "--this-alone";
/// The name of the short check that runs with all other tests.
const SHORT: &str = "short";

/// What is to be done.
#[derive(Debug)]
pub enum Asked {
    Runs(Box<Runs>),
    /// The short check, with all other tests.
    Short,
    /// To say its name.
    List,
    Nothing,
}

/// What is run, and where it goes.
#[derive(Debug)]
pub struct Runs {
    pub fleets: Vec<Fleet>,
    pub scenarios: Vec<Scenario>,
    pub kinds: Vec<Kind>,
    pub limits: Limits,
    /// Whether the hosts know how many they are.
    pub is_known: bool,
    pub seeds: u64,
    pub json: bool,
    pub html: Option<PathBuf>,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            fleets: fleets().collect(),
            scenarios: Scenario::ALL.to_vec(),
            kinds: Kind::ALL.to_vec(),
            limits: LIMITS_2026,
            is_known: true,
            seeds: 5,
            json: false,
            html: None,
        }
    }
}

/// Reads the command line.
///
/// # Errors
///
/// In words, what cannot be done.
pub fn read(line: impl IntoIterator<Item = String>) -> Result<Asked, String> {
    let line: Vec<_> = line.into_iter().collect();
    if !line.iter().any(|word| word == THIS_ALONE) {
        let mut names = line.iter().filter(|word| !word.starts_with('-')).peekable();
        return Ok(match () {
            () if line.iter().any(|word| word == "--list") => Asked::List,
            () if names.peek().is_none() || names.any(|name| SHORT.contains(name.as_str())) => Asked::Short,
            () => Asked::Nothing,
        });
    }
    let mut runs = Runs::default();
    let mut words = line.into_iter();
    while let Some(flag) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{flag} wants a value"));
        match flag.as_str() {
            THIS_ALONE => {}
            "--seeds" => runs.seeds = parse(&flag, &value()?)?,
            "--fleet" => runs.fleets = vec![fleet(&value()?)?],
            "--scenario" => runs.scenarios = named(&Scenario::ALL, Scenario::name, &value()?)?,
            "--strategy" => runs.kinds = named(&Kind::ALL, Kind::name, &value()?)?,
            "--legacy" => runs.limits = Limits { service: runs.limits.service, ..LEGACY },
            "--service" => runs.limits.service = Duration::from_millis(parse(&flag, &value()?)?),
            "--unknown" => runs.is_known = false,
            "--json" => runs.json = true,
            "--html" => runs.html = Some(value()?.into()),
            other => return Err(format!("{other} is not known")),
        }
    }
    if runs.seeds == 0 { Err("--seeds 0 runs nothing".to_owned()) } else { Ok(Asked::Runs(Box::new(runs))) }
}

fn parse<T: FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{flag} {text} is no number"))
}

fn fleet(text: &str) -> Result<Fleet, String> {
    let wrong = || format!("--fleet {text} is not like 100x100");
    let (hosts, records) = text.split_once('x').ok_or_else(wrong)?;
    let (hosts, records) = (hosts.parse().map_err(|_| wrong())?, records.parse().map_err(|_| wrong())?);
    if hosts == 0 || records == 0 { Err(wrong()) } else { Ok(Fleet { hosts, records }) }
}

fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<Vec<T>, String> {
    let found = all.iter().copied().find(|it| name(*it) == text);
    found.map(|it| vec![it]).ok_or_else(|| format!("{text} is none of those there are"))
}
