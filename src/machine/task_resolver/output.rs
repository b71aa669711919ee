//! What the resolver tells of containers.

use std::collections::BTreeSet;

use super::Trouble;
use crate::machine::lifecycle::{Event, Seq};
use crate::machine::past::Past;
use crate::record::ContainerId;

/// What the resolver tells, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// For the registrar: what a container is called.
    Named(ContainerId, String),
    /// For the registrar: something happened to a container, or was seen of it.
    Event(ContainerId, Event),
    /// For the registrar: what the engine remembers.
    Remembered(Past),
    /// For the registrar: all that runs, asked for at this place.
    Listed(BTreeSet<ContainerId>, Seq),
    /// For the log, once for each container: what of its wishes comes to nothing, and why.
    Warning {
        /// Which container.
        id: ContainerId,
        /// What it is called; empty, where that is not known.
        name: String,
        /// What kind of trouble it is.
        trouble: Trouble,
        /// What is wrong.
        text: String,
    },
}
