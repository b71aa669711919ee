//! What can be wrong with a setting. The texts say what counts instead: they are all that an operator gets to read.

use std::fmt;
use std::net::Ipv4Addr;

use crate::container::convention::{InvalidFullNames, InvalidPattern};
use crate::record::OwnerError;

/// A setting that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct BadSetting {
    /// The flag and its variable.
    pub setting: String,
    /// What is wrong, and what would be right.
    pub reason: Reason,
}

impl BadSetting {
    pub(super) fn new(setting: &str, reason: impl Into<Reason>) -> Self {
        Self { setting: setting.to_owned(), reason: reason.into() }
    }

    /// A flag of the janitor's where no janitor is asked for.
    pub fn without_janitor(setting: &str) -> Self {
        Self::new(setting, Conflict::WithoutJanitor)
    }

    /// A flag where nothing is asked for that it could say something of.
    pub fn alone(setting: &str, conflict: Conflict) -> Self {
        Self::new(setting, conflict)
    }
}

/// All settings that do not hold, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSettings(pub Vec<BadSetting>);

impl std::error::Error for BadSettings {}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, setting) in self.0.iter().enumerate() {
            write!(f, "{}{setting}", if n > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

/// Why a setting does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Its value.
    #[error(transparent)]
    Value(#[from] BadValue),
    /// Another setting beside it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// What a Lambda is told beside its variables.
    #[error(transparent)]
    Event(#[from] BadEvent),
}

/// A value that does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// It has not the form.
    #[error("{given:?} is not {expected}")]
    Form {
        /// The value.
        given: String,
        /// What counts, with an example or a range.
        expected: &'static str,
    },
    /// The command line has it, and it is empty.
    #[error("it is empty: give it a value, or leave it out")]
    Empty,
    /// It is a flag's name, or a word that other programs know, and would be a zone that is waited for for ever.
    #[error("{given:?} is no zone's name without a dot: {meant} (a zone that is called so: {given}.)")]
    NoZone {
        /// The value.
        given: String,
        /// What may have been meant.
        meant: String,
    },
    /// It has the form of an address, but no client can connect to it.
    #[error("{0} is not an address that clients can connect to")]
    NotConnectable(Ipv4Addr),
    /// No mark can be made of it.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// No label can end with it.
    #[error(transparent)]
    FullNames(InvalidFullNames),
    /// It stands for no names.
    #[error(transparent)]
    Names(InvalidPattern),
    /// It is read as the same value of a container is.
    #[error("{0}")]
    Shared(String),
}

/// Settings that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// `--sync` and `--remove`.
    #[error("one makes records, the other takes them out; pass one of them")]
    SyncAndRemove,
    /// `--status` and something else to do.
    #[error("whoever looks does nothing else: pass --status alone")]
    StatusAndMore,
    /// `--doctor` and something else to do.
    #[error("whoever looks does nothing else: pass --doctor alone")]
    DoctorAndMore,
    /// `--cordon` or `--uncordon`, and something else to do.
    #[error("whoever gives a weight by hand does nothing else: pass one of them alone")]
    CordonAndMore,
    /// `--weight` or `--for` alone.
    #[error("it is of --cordon: pass that too")]
    WithoutCordon,
    /// `--watch` alone.
    #[error("it says how --status shows it: pass that too")]
    WatchAlone,
    /// A flag that changes nothing beside the others that were given.
    #[error("it changes nothing {0}")]
    Idle(&'static str),
    /// `--local` and what finds a hosted zone.
    #[error("the zone is in this process: --zone-id and --endpoint-url go without it")]
    LocalAndRoute53,
    /// `--apply` and `--dry-run`.
    #[error("one writes, the other does not; pass one of them")]
    ApplyAndDryRun,
    /// A flag of the janitor's alone.
    #[error("it is the janitor that does it: pass --janitor too")]
    WithoutJanitor,
    /// `--apply` alone.
    #[error("it deletes what a plan shows: pass --janitor too, or --forget HOST")]
    ApplyAlone,
    /// `--force` alone.
    #[error("it is of --forget: pass that too")]
    ForceAlone,
    /// `--forget` and something else to do.
    #[error("whoever forgets hosts does nothing else; pass one of them")]
    ForgetAndMore,
    /// `--forget` of no zone that was named.
    #[error(
        "all that follows --forget is hosts, so name the zone before: ecssd ZONE --forget HOST... (or pass --zone-id)"
    )]
    ForgetWithoutZone,
    /// `--forget` in a Lambda.
    #[error("it takes an operator's word each time: use it from a shell")]
    ForgetInLambda,
    /// `--janitor` and `--local`.
    #[error("the zone in an agent's process is that agent's alone")]
    JanitorOfLocal,
    /// `--janitor` or `--forget`, and `--sync` or `--remove`.
    #[error("they are of one host's own records; not with --janitor or --forget")]
    JanitorAndTask,
    /// `--stop-unhealthy` alone.
    #[error("nothing is asked without --check-health")]
    StopWithoutCheck,
}

/// An event, or a variable of the predecessor's, that a Lambda cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// It is a value of another type.
    #[error("it is neither a JSON object nor null")]
    NoObject,
    /// It came to the wrong function of the zip.
    #[error(
        "it is a custom resource's: that is for the function zone-setup, and the janitor does not answer it"
    )]
    CustomResource,
    /// It has a field that nobody knows, which resembles another one.
    #[error("there is no field {name:?}; did you mean {meant:?}?")]
    Resembling {
        /// The field.
        name: String,
        /// The one that there is.
        meant: &'static str,
    },
    /// It has a field that nobody knows.
    #[error("there is no field {name:?}; there are {fields}")]
    UnknownField {
        /// The field.
        name: String,
        /// Those that there are.
        fields: String,
    },
    /// A field is null.
    #[error("{0:?} is null, which says nothing; leave it out")]
    NullField(&'static str),
    /// A field is of another type.
    #[error("{0}")]
    Type(String),
    /// A variable of the predecessor's has another value than a yes or a no.
    #[error("{name}: {reason}")]
    Variable {
        /// The variable.
        name: String,
        /// What counts.
        reason: BadValue,
    },
}
