//! The agent on a real Docker engine, asked with `dig`.
//!
//! Needs an engine at `ECSSD_TEST_DOCKER_SOCKET`, and `docker`, `dig` and a static `busybox` on the
//! machine; `tests/run` provides them. Every test runs an agent of its own, with its own zone; containers
//! carry names of their own, since all agents see all of them.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod clients;
mod cordon;
mod lives;
mod networks;
mod pausing;
mod ports;
mod proxied;
mod registration;
mod signals;
mod stopping;
mod surviving;
