//! Which of the hosted zones that were seen is the one that is wanted, and why none is. Pure.
//!
//! Public and private zones may share a name, and so may private zones of different VPCs; a VPC has at most
//! one of a name. A wrong guess would write where no client looks, or into the public DNS: where there is
//! any doubt, none is chosen, and the error lists what was seen.

use std::borrow::Cow;
use std::fmt;

use crate::zone::ZoneError;

/// A hosted zone that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The id, without `/hostedzone/`.
    pub id: String,
    /// The name, lower case, without the final dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// The service that made it, which alone may change it, such as `servicediscovery.amazonaws.com`.
    pub owner: Option<String>,
    /// What somebody wrote of it.
    pub comment: Option<String>,
    /// The VPCs that see it, as far as they were told.
    pub vpcs: Vec<String>,
    /// Whether this host's VPC is one of them; `None` where that is not known.
    pub here: Option<bool>,
    /// The private zones whose names end in this one's, as far as they were told.
    pub within: Vec<String>,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.id, if self.private { "private" } else { "public" })?;
        if !self.vpcs.is_empty() {
            write!(f, ", seen by {}", self.vpcs.join(" and "))?;
        }
        if let Some(owner) = &self.owner {
            write!(f, ", made by {owner}")?;
        }
        if let Some(comment) = &self.comment {
            write!(f, ", {comment:?}")?;
        }
        f.write_str(")")
    }
}

/// Why no zone was chosen; the text says what was seen, and what to pass instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindError {
    /// There is no zone of that name.
    Absent {
        /// The name that was asked for.
        name: String,
    },
    /// There are zones of that name, of which none is private.
    OnlyPublic {
        /// The name that was asked for.
        name: String,
        /// The zones of that name.
        seen: Vec<Seen>,
    },
    /// There are private zones of that name, of which this host's VPC sees none.
    Elsewhere {
        /// The name that was asked for.
        name: String,
        /// This host's VPC.
        vpc: String,
        /// The private zones of that name.
        seen: Vec<Seen>,
    },
    /// Several private zones of that name come into question.
    Several {
        /// The name that was asked for.
        name: String,
        /// Those that come into question.
        seen: Vec<Seen>,
    },
    /// There is no zone of that id.
    AbsentId {
        /// The id that was asked for.
        id: String,
    },
    /// The zone of that id is public.
    Public {
        /// The zone.
        seen: Box<Seen>,
    },
    /// Another service, most likely Cloud Map, made the zone, and it alone may change it.
    Owned {
        /// The zone.
        seen: Box<Seen>,
    },
    /// The registry did not say.
    Unanswered {
        /// What was asked, as a policy names it.
        action: &'static str,
        /// What came of it.
        error: ZoneError,
    },
}

impl FindError {
    /// What is the case.
    pub fn what(&self) -> String {
        match self {
            Self::Absent { name } => format!("there is no hosted zone {name} in this account"),
            Self::OnlyPublic { name, seen } => format!("the hosted zone {name} is public: {}", list(seen)),
            Self::Elsewhere { name, vpc, seen } => {
                format!("this host's {vpc} does not see the private hosted zone {name}: {}", list(seen))
            }
            Self::Several { name, seen } => {
                format!("there are several private hosted zones {name}: {}", list(seen))
            }
            Self::AbsentId { id } => format!("there is no hosted zone of the id {id} in this account"),
            Self::Public { seen } => format!("the hosted zone {} of --zone-id is public: {seen}", seen.name),
            Self::Owned { seen } => format!(
                "the hosted zone {} belongs to another service, which alone can change it: {seen}",
                seen.name
            ),
            Self::Unanswered { action, error } => format!("{action}: {error}"),
        }
    }

    /// Whether Route 53 said that there is no such zone, or none that will do; it may come later all the same.
    pub fn is_definite(&self) -> bool {
        !matches!(self, Self::Unanswered { .. })
    }

    /// What to pass instead; `None` where that is not to blame.
    pub fn remedy(&self) -> Option<Cow<'static, str>> {
        if let Self::Elsewhere { seen, .. } = self {
            let id = if let [zone] = &seen[..] { &zone.id } else { "ID" };
            return Some(Cow::Owned(format!(
                "associate it, or pass another ZONE; where a Route 53 Profile leads to it, which the API does not show, \
                 or other VPCs are to see it, pass --zone-id {id}"
            )));
        }
        let remedy = match self {
            Self::Absent { .. } => "make a private one, or pass another ZONE or --zone-id ID",
            Self::OnlyPublic { .. } => "make a private one, or pass another ZONE",
            Self::Several { .. } => "pass --zone-id ID",
            Self::AbsentId { .. } => "pass another --zone-id, or none",
            Self::Public { .. } => "pass a private one",
            Self::Owned { .. } => "pass another ZONE or --zone-id ID",
            Self::Elsewhere { .. } | Self::Unanswered { .. } => return None,
        };
        Some(Cow::Borrowed(remedy))
    }
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        self.remedy().map_or(Ok(()), |remedy| write!(f, ": {remedy}"))
    }
}

impl std::error::Error for FindError {}

fn list(seen: &[Seen]) -> String {
    seen.iter().map(Seen::to_string).collect::<Vec<_>>().join(", ")
}

/// The one zone of `seen`, all of which are called `name`, that is private, is seen by this host's `vpc`
/// where that is known, and that nobody else owns.
///
/// # Errors
/// Where there is none, or more than one.
pub fn by_name(name: &str, vpc: Option<&str>, seen: Vec<Seen>) -> Result<Seen, FindError> {
    let name = || name.to_owned();
    if seen.is_empty() {
        return Err(FindError::Absent { name: name() });
    }
    let (private, public): (Vec<_>, Vec<_>) = seen.into_iter().partition(|zone| zone.private);
    if private.is_empty() {
        return Err(FindError::OnlyPublic { name: name(), seen: public });
    }
    let in_question = match vpc {
        Some(vpc) => {
            // A VPC sees no more than one, so a zone of which nothing is known is not it where another is.
            let sure = private.iter().any(|zone| zone.here == Some(true));
            let wanted = |zone: &Seen| zone.here == Some(true) || (!sure && zone.here.is_none());
            if !private.iter().any(wanted) {
                return Err(FindError::Elsewhere { name: name(), vpc: vpc.to_owned(), seen: private });
            }
            private.into_iter().filter(wanted).collect()
        }
        None => private,
    };
    let [zone] = <[Seen; 1]>::try_from(in_question)
        .map_err(|several| FindError::Several { name: name(), seen: several })?;
    unowned(zone)
}

/// The zone that was asked for by its id, if it may be written to.
///
/// # Errors
/// Where it is public, or another service owns it.
pub fn by_id(zone: Seen) -> Result<Seen, FindError> {
    if zone.private { unowned(zone) } else { Err(FindError::Public { seen: Box::new(zone) }) }
}

fn unowned(zone: Seen) -> Result<Seen, FindError> {
    if zone.owner.is_none() { Ok(zone) } else { Err(FindError::Owned { seen: Box::new(zone) }) }
}
