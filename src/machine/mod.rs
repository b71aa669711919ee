//! The pure part: what a container wants in DNS, and when.
//!
//! Nothing here does I/O, reads a clock or knows an actor. Time, random numbers and facts come in as
//! arguments; decisions go out as values. The behaviour of the whole agent can be read in
//! [`lifecycle`], and tested without a host.

pub mod adoption;
pub mod agent;
pub mod claims;
pub mod cordon;
pub mod crash_loops;
pub mod departure;
pub mod docker_watcher;
pub mod former;
pub mod lifecycle;
pub mod past;
pub mod permits;
pub mod probe;
pub mod publish;
pub mod registrar;
pub mod renamed;
pub mod suspicion;
pub mod task_resolver;
#[cfg(test)]
pub(crate) mod testing;
pub mod whereabouts;
