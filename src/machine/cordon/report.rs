//! What came of an order, for whoever gave it.

use std::collections::BTreeSet;
use std::fmt;

use super::{Cordon, Scope};
use crate::record::ContainerId;

/// What came of an order that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was done.
    pub done: Done,
    /// Which records have another weight for it.
    pub changes: Vec<Change>,
    /// The names of which no copy on this host is left with a weight.
    pub last: BTreeSet<String>,
    /// The other cordons in force for the same, or for what it covers.
    pub others: Vec<Cordon>,
    /// Whether it is a service that no container of this host has.
    pub is_to_come: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// This is in force.
    Cordoned(Cordon),
    /// This was, and is no more.
    Uncordoned(Cordon),
    /// There was none for this.
    NotCordoned(String),
}

/// Another weight of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record's name.
    pub record: String,
    /// Whose it is.
    pub container: ContainerId,
    /// What that is called; empty where it is not known.
    pub name: String,
    /// Its weight before.
    pub from: i64,
    /// Its weight from now on.
    pub to: i64,
}

/// Why an order was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is called so.
    #[error(
        "no container and no service of this host is called {0:?}; ecssd --status names them. A service that is still to \
         come begins with an underscore: _web._tcp"
    )]
    Unknown(String),
    /// Several are.
    #[error("{text:?} may be any of these, so say it in full:{}", lines(.matches))]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// What it may be.
        matches: Vec<String>,
    },
    /// It begins as a service does, and is none that a container can have.
    #[error("{0:?} is no service: one has _tcp or _udp behind its name, such as _web._tcp")]
    NoService(String),
    /// It is a full name.
    #[error(
        "{0} answers with all its targets and has no weights; name the service that has them, or a container"
    )]
    FullName(String),
    /// It lies in another zone.
    #[error("{name:?} is no name in the zone {zone}")]
    Elsewhere {
        /// The name.
        name: String,
        /// This agent's zone.
        zone: String,
    },
    /// There are too many.
    #[error("{} cordons are in force, and no more can be: end some with --uncordon", super::CORDONS_MAX)]
    Full,
    /// The agent ends.
    #[error("the agent withdraws its records: what it is asked now would change nothing")]
    Draining,
}

fn lines(matches: &[String]) -> String {
    matches.iter().map(|one| format!("\n  {one}")).collect()
}

/// A line each: what was done, what changes, and what to think of.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.done {
            Done::Cordoned(cordon) => {
                write!(f, "cordoned {cordon}: weight {}", cordon.weight)?;
                match cordon.until {
                    Some(until) => writeln!(f, " until {until}")?,
                    None => writeln!(f, " until ecssd --uncordon {}", cordon.what())?,
                }
            }
            Done::Uncordoned(cordon) => writeln!(f, "uncordoned {cordon}")?,
            Done::NotCordoned(what) => writeln!(f, "{what} is not cordoned")?,
        }
        for Change { record, container, name, from, to } in &self.changes {
            let name = if name.is_empty() { String::new() } else { format!("{name} ") };
            writeln!(f, "  {record} of {name}({}): weight {from} -> {to}", container.short())?;
        }
        if self.changes.is_empty() && !matches!(self.done, Done::NotCordoned(_)) {
            let said = if self.is_to_come {
                "no container here has it: it holds for what comes"
            } else {
                "no record changes now"
            };
            writeln!(f, "  {said}")?;
        }
        for name in &self.last {
            writeln!(
                f,
                "  {name}: no other copy of it is on this host; where all copies have weight 0, all of them are answered"
            )?;
        }
        for other in &self.others {
            let counts = if self.yields_to(other) { " and counts there" } else { "" };
            let (weight, what) = (other.weight, other.what());
            writeln!(
                f,
                "  still cordoned{counts}: {other}, weight {weight}; ecssd --uncordon {what} ends that"
            )?;
        }
        Ok(())
    }
}

impl Report {
    /// Whether another cordon counts where both hold.
    fn yields_to(&self, other: &Cordon) -> bool {
        matches!(&self.done, Done::Cordoned(cordon) if other.scope < cordon.scope)
    }
}

impl Cordon {
    /// As it is said to `--uncordon`.
    pub fn what(&self) -> &str {
        match &self.scope {
            Scope::Container(id) => id.short(),
            Scope::Service(name) => name,
            Scope::All => "all",
        }
    }
}
