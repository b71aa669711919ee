//! What a stack cannot do to its own zone: lower how long resolvers remember that a name is not there, and empty the
//! zone before it is deleted. A custom resource of CloudFormation, in the janitor's zip; a function of its own, for it
//! may what the janitor may not.
//!
//! A new zone's SOA has negative answers remembered for 900 s; a stack can add record sets, and the SOA is there
//! already. A zone with records in it cannot be deleted; what agents leave at the end are marked records, and the
//! janitor's `_fleet`.
//!
//! ## Guarantees
//!
//! - Where a record stands that is not of this system or its predecessor, nothing is deleted, and the answer names it.
//! - Whoever asked is answered, whatever comes of it: a stack waits an hour for an answer that does not come.
//!
//! ## Caveats
//!
//! Records of types that this system does not know are not seen here. They keep the zone from being deleted all the
//! same, and CloudFormation says so.
//!
//! [`event`] understands what it is asked, [`plan`] decides, both pure; [`lambda`] does it, and [`shell`] does its first
//! half for an operator whose zone no stack has made.

pub mod event;
pub mod lambda;
pub mod plan;
pub mod shell;
