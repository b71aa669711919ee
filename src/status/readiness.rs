//! Whether an agent can do its work: each part that cannot, with the reason.

use std::fmt;

/// A part of the agent's work, in the order in which reasons are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// It goes: what there was at the start is written.
    Start,
    /// The container engine answers.
    Docker,
    /// The zone takes calls; credentials are part of it.
    Zone,
    /// Whoever knows what is about to happen to the host answers.
    Notices,
    /// The host's address is the one that its records lead to.
    Address,
    /// Its state directory names nothing that stands and is another's.
    Journal,
    /// It does not end.
    Stop,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Start, Self::Docker, Self::Zone, Self::Notices, Self::Address, Self::Journal, Self::Stop];

    /// What it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Docker => "Docker",
            Self::Zone => "zone",
            Self::Notices => "notices",
            Self::Address => "address",
            Self::Journal => "journal",
            Self::Stop => "stop",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the agent can do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// These parts cannot, and why; never empty.
    NotReady(Vec<(Part, String)>),
}

impl Readiness {
    /// Why a part cannot do its work.
    pub fn reason(&self, part: Part) -> Option<&str> {
        let Self::NotReady(parts) = self else { return None };
        parts.iter().find(|(other, _)| *other == part).map(|(_, reason)| reason.as_str())
    }

    pub(super) fn set(&mut self, part: Part, state: Result<(), String>) {
        let mut parts = match std::mem::replace(self, Self::Ready) {
            Self::Ready => Vec::new(),
            Self::NotReady(parts) => parts,
        };
        parts.retain(|(other, _)| *other != part);
        parts.extend(state.err().map(|reason| (part, reason)));
        parts.sort();
        if !parts.is_empty() {
            *self = Self::NotReady(parts);
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NotReady(parts) = self else { return f.write_str("ready") };
        f.write_str("not ready")?;
        for (place, (part, reason)) in parts.iter().enumerate() {
            write!(f, "{} {part}: {reason}", if place == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}
