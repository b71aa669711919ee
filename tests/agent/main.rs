//! A whole agent in one process, on a virtual clock: its actors, a scripted Docker, the embedded zone.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

#[path = "../common/log.rs"]
mod log;
mod panics;
#[path = "../common/scripted.rs"]
mod scripted;
mod stops;
mod world;
