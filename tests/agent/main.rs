//! A whole agent in one process, on a virtual clock: its actors, a scripted Docker, the embedded zone.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod allowed;
mod batches;
mod cordon;
mod jitter;
mod leaves;
mod moves;
mod names;
mod panics;
mod proxied;
mod restarts;
mod signals;
mod spreading;
mod status;
mod stops;
mod terms;
mod unproven;
mod watching;
