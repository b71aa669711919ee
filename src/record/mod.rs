//! What all sides speak of: record sets and the changes to them, and the marks that say whose they are.
//!
//! A [`RecordSet`] has the shape of the Route 53 API, and holds whatever that may say or be told; what it *means*
//! (its mark, where an SRV value leads, how large the fleet is) is read here, by one rule for everybody. This
//! room uses no other. The limits of a registry belong to the registries, what a container wants to the
//! machine, and when to write to the writer.

mod change;
mod container;
mod fleet;
mod key;
mod kind;
mod mark;
mod name;
mod network;
mod owner;
mod registrant;
mod routing;
mod set;
mod srv;
mod target;
#[cfg(test)]
pub(crate) mod testing;

pub use change::{Action, Change};
pub use container::{ContainerId, InvalidContainerId};
pub use fleet::FleetHint;
pub use key::Key;
pub use kind::{RecordType, UnknownRecordType};
pub use mark::{Mark, Subject};
pub use name::{canonical, list_order};
pub use network::{Network, NoNetwork};
pub use owner::{Owner, OwnerError, SET_IDENTIFIER_MAX};
pub use registrant::{ADDRESS_TTL, Registrant};
pub use routing::Routing;
pub use set::RecordSet;
pub use srv::{Srv, SrvError};
pub use target::is_target;
