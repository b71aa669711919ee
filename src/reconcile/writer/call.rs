//! The calls that a writer makes, as values; and the one place where they are made.

use crate::moment::Moment;
use crate::reconcile::ledger::Lookup;
use crate::record::Change;
use crate::zone::{ChangeInfo, ListStart, PAGE_ITEMS_MAX, Page, Zone, ZoneError};

/// A call to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Apply these.
    Change(Vec<Change>),
    /// List one record set.
    LookUp(Lookup),
    /// List a page.
    Read(Option<ListStart>),
    /// Ask how far the change of this id has got.
    Status(String),
}

/// The answer to a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a [`Call::Change`].
    Changed(Result<ChangeInfo, ZoneError>),
    /// To a [`Call::LookUp`] or a [`Call::Read`].
    Listed(Result<Page, ZoneError>),
    /// To a [`Call::Status`].
    Status(Result<ChangeInfo, ZoneError>),
}

impl Answer {
    /// Whether it says that there is no such zone any more.
    pub fn says_no_zone(&self) -> bool {
        let error = match self {
            Self::Changed(answer) | Self::Status(answer) => answer.as_ref().err(),
            Self::Listed(answer) => answer.as_ref().err(),
        };
        matches!(error, Some(ZoneError::NoSuchZone(_)))
    }
}

/// What a writer does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call, and bring its answer.
    Call(Call),
    /// Ask again then, unless something else happens.
    At(Moment),
    /// Nothing, until something happens.
    Nothing,
}

impl Next {
    /// What comes first of the two.
    pub(super) fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (call @ Self::Call(_), _) | (_, call @ Self::Call(_)) => call,
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
            (Self::Nothing, next) | (next, Self::Nothing) => next,
        }
    }
}

impl Call {
    /// What it changes.
    pub(super) fn changes(&self) -> &[Change] {
        match self {
            Self::Change(batch) => batch,
            Self::LookUp(_) | Self::Read(_) | Self::Status(_) => &[],
        }
    }

    /// Makes this call.
    pub async fn make(&self, zone: &dyn Zone) -> Answer {
        match self {
            Self::Change(batch) => Answer::Changed(zone.change(batch).await),
            Self::LookUp(lookup) => Answer::Listed(zone.list(Some(&start_of(lookup)), 1).await),
            Self::Read(start) => Answer::Listed(zone.list(start.as_ref(), PAGE_ITEMS_MAX).await),
            Self::Status(id) => Answer::Status(zone.change_status(id).await),
        }
    }

    /// The answer to this call when nothing came back.
    pub fn unanswered(&self, reason: String) -> Answer {
        match self {
            Self::Change(_) => Answer::Changed(Err(ZoneError::Unknown(reason))),
            Self::LookUp(_) | Self::Read(_) => Answer::Listed(Err(ZoneError::Unknown(reason))),
            Self::Status(_) => Answer::Status(Err(ZoneError::Unknown(reason))),
        }
    }
}

fn start_of(lookup: &Lookup) -> ListStart {
    match lookup {
        Lookup::Set(key) => ListStart::from(key.clone()),
        Lookup::GroupTtl(name, kind) => {
            ListStart { name: Some(name.clone()), kind: Some((*kind).into()), set_identifier: None }
        }
    }
}
