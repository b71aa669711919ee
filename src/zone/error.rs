//! Why a zone did not do what it was asked, and what that means for whoever asked.

use std::fmt;

use super::refusal::Refusal;

/// Why a zone did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// A rate bucket of the account is empty; nothing was applied.
    #[error("throttled: {0}")]
    Throttled(String),
    /// An earlier change of the zone is in flight; nothing was applied.
    #[error("busy: {0}")]
    Busy(String),
    /// `InvalidChangeBatch`: nothing was applied. One refusal for each change that was wrong.
    #[error("batch refused: [{}]", texts(.0))]
    Rejected(Vec<Refusal>),
    /// `InvalidInput` or `ValidationError`: the request itself is malformed; nothing was applied.
    #[error("invalid input: {0}")]
    Invalid(String),
    /// The caller may not do this; the text names the action where the registry does.
    #[error("access denied: {0}")]
    Denied(String),
    /// Credentials are absent, expired or wrongly timed; the text says which.
    #[error("not authenticated: {0}")]
    Unauthenticated(Unauthenticated),
    /// There is no such hosted zone.
    #[error("no such hosted zone: {0}")]
    NoSuchZone(String),
    /// There is no change of that id.
    #[error("no such change: {0}")]
    NoSuchChange(String),
    /// No answer, or one that says nothing: the batch may or may not have been applied.
    #[error("unknown outcome: {0}")]
    Unknown(String),
}

/// Why a caller was not recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unauthenticated {
    /// What is wrong, and what to do.
    pub reason: String,
    /// What became of each source of credentials that was tried, where none had any.
    pub tried: Option<String>,
}

impl From<String> for Unauthenticated {
    fn from(reason: String) -> Self {
        Self { reason, tried: None }
    }
}

impl From<&str> for Unauthenticated {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        self.tried.as_ref().map_or(Ok(()), |tried| write!(f, " ({tried})"))
    }
}

/// What a failure means for whoever made the call. Nothing but [`Meaning::Unheard`] has changed the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The registry is well, and wants to be asked later: wait, then the same call.
    Later,
    /// The registry does not serve this caller as it is: the same call after a longer wait. Somebody has to
    /// mend credentials, or the zone.
    Unserved,
    /// The registry is well, and will not have this call: do not repeat it soon. A batch is taken apart until
    /// what is to blame is found; anything else is given up, or waits.
    Refused,
    /// The call may have done what it asked: find out, or ask again in a way that is right in both cases.
    Unheard,
}

impl ZoneError {
    /// What this means for whoever made the call.
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Throttled(_) | Self::Busy(_) => Meaning::Later,
            Self::Unauthenticated(_) | Self::NoSuchZone(_) => Meaning::Unserved,
            Self::Rejected(_) | Self::Invalid(_) | Self::Denied(_) | Self::NoSuchChange(_) => {
                Meaning::Refused
            }
            Self::Unknown(_) => Meaning::Unheard,
        }
    }

    /// Its text, without what became of each source of credentials.
    pub fn brief(&self) -> String {
        match self {
            Self::Unauthenticated(Unauthenticated { reason, .. }) => {
                Self::Unauthenticated(reason.as_str().into()).to_string()
            }
            error => error.to_string(),
        }
    }

    /// What was wrong with a refused batch, as far as the registry says; nothing of any other failure.
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Rejected(refusals) => refusals,
            _ => &[],
        }
    }

    /// The kind of failure, for logs and counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Busy(_) => "busy",
            Self::Rejected(_) => "rejected",
            Self::Invalid(_) => "invalid",
            Self::Denied(_) => "denied",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::NoSuchZone(_) => "no such zone",
            Self::NoSuchChange(_) => "no such change",
            Self::Unknown(_) => "unknown",
        }
    }
}

fn texts(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| refusal.text.as_str()).collect::<Vec<_>>().join(", ")
}
