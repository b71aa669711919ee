//! Sockets for others, who may send what they like: [`dns`] answers from the embedded zone, [`status`] shows what the
//! agent knows, [`targets`] tells Prometheus who serves.
//!
//! Each has a thread of its own, and bounds on all that a client can take: `connections` says which of them stay.

mod connections;
pub mod dns;
pub mod status;
pub mod targets;
mod troubles;
pub mod web;
