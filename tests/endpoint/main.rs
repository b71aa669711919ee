//! The agent's own client, ledger, pacer and journal before a scripted Route 53 that speaks HTTP and XML, on
//! a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod counts;
mod drain;
mod errors;
mod host;
mod kill;
mod poison;
mod property;
mod rules;
