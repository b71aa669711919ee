//! What the tests share: engines, registries and clocks that do as they are told, clients that ask past the
//! agent's own code, and agents as processes.
//!
//! A package of its own, so that it is compiled once and every test says what it uses. What one test alone
//! needs stands with that test.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(missing_docs, missing_debug_implementations, reason = "nobody uses it but the tests beside it")]

pub mod actors;
pub mod agent;
pub mod cordons;
pub mod disk;
pub mod dns;
pub mod docker;
pub mod ecs;
pub mod gusher;
pub mod http;
pub mod log;
pub mod notices;
pub mod page;
pub mod percentile;
pub mod plot;
pub mod process;
pub mod recorded;
pub mod rehearsal;
pub mod resolver;
pub mod route53;
pub mod said;
pub mod spec;
pub mod storm;
pub mod wait;
pub mod world;
