//! What came of each mistake, kept in a file, so that those that live can be asked again; and which of them may.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use crate::mutants::Mutant;

/// What came of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Unviable,
    CaughtByTest(String),
    CaughtBySeeds,
    Lives,
}

/// Of all that were asked, by the whole name.
#[derive(Debug)]
pub struct Outcomes {
    file: PathBuf,
    known: BTreeMap<String, Outcome>,
}

impl Outcomes {
    /// None yet.
    pub fn new(file: PathBuf) -> Result<Self, String> {
        fs::write(&file, "").map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Self { file, known: BTreeMap::new() })
    }

    /// Those of a run before, of these mistakes.
    pub fn of_before(file: PathBuf, mutants: &[Mutant]) -> Result<Self, String> {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let all = text.lines().filter_map(|line| {
            let mut parts = line.split('\t');
            let outcome = match (parts.next()?, parts.next()?) {
                ("unviable", _) => Outcome::Unviable,
                ("test", by) => Outcome::CaughtByTest(by.to_owned()),
                ("seeds", _) => Outcome::CaughtBySeeds,
                _ => Outcome::Lives,
            };
            Some((parts.next()?.to_owned(), outcome))
        });
        let mut known: BTreeMap<String, Outcome> = all.collect();
        known.retain(|name, _| mutants.iter().any(|mutant| mutant.name == *name));
        Ok(Self { file, known })
    }

    pub fn of(&self, mutant: &Mutant) -> Option<&Outcome> {
        self.known.get(&mutant.name)
    }

    /// Known, and in the file, at once.
    pub fn add(&mut self, mutant: &Mutant, outcome: Outcome) -> Result<(), String> {
        let (word, by) = match &outcome {
            Outcome::Unviable => ("unviable", ""),
            Outcome::CaughtByTest(by) => ("test", by.as_str()),
            Outcome::CaughtBySeeds => ("seeds", ""),
            Outcome::Lives => ("lives", ""),
        };
        let line = format!("{word}\t{by}\t{}\n", mutant.name);
        self.known.insert(mutant.name.clone(), outcome);
        OpenOptions::new()
            .append(true)
            .open(&self.file)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| format!("{}: {error}", self.file.display()))
    }

    /// How many there are of what.
    pub fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.known.values().filter(|outcome| is(outcome)).count()
    }
}

/// The list of those that may live.
#[derive(Debug)]
pub struct Survivors(Vec<String>);

impl Survivors {
    /// A line is a name without the place, in which `*` is any text, then ` # ` and the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let patterns = lines.map(|line| match line.split_once(" # ") {
            Some((pattern, reason)) if !reason.trim().is_empty() => Ok(pattern.trim().to_owned()),
            _ => Err(format!("no reason is given in: {line}")),
        });
        patterns.collect::<Result<_, _>>().map(Self)
    }

    pub fn lists(&self, mutant: &Mutant) -> bool {
        let name = mutant.plain_name();
        self.0.iter().any(|pattern| matches(pattern, &name))
    }

    /// The lines that are about none of these.
    pub fn about_none_of(&self, living: &[&Mutant]) -> Vec<&str> {
        let about = |pattern: &str| living.iter().any(|mutant| matches(pattern, &mutant.plain_name()));
        self.0.iter().map(String::as_str).filter(|pattern| !about(pattern)).collect()
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            name.char_indices().any(|(at, _)| matches(rest, &name[at..])) || matches(rest, "")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_or_a_pattern_of_names_and_has_a_reason() {
        assert!(matches("a: b", "a: b") && !matches("a: b", "a: bc"));
        assert!(
            matches("a*", "a: b")
                && matches("*b", "a: b")
                && matches("a*b*", "a: b")
                && !matches("a*c", "a: b")
        );
        assert!(Survivors::parse("# what they are\n\na: b # it is the same\n").is_ok());
        assert!(Survivors::parse("a: b\n").is_err() && Survivors::parse("a: b # \n").is_err());
    }
}
