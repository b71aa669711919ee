//! The agent on a real Docker engine, with its zone in a Route 53 emulator that others wrote.
//!
//! Needs an engine at `ECSSD_TEST_DOCKER_SOCKET`, an emulator at `ECSSD_TEST_ROUTE53_ENDPOINT`, and `docker`
//! and a static `busybox` on the machine; `tests/run` provides them. Every test has a zone of its own, a
//! front that counts what is asked of it, and a window on the engine through which its agents see its own
//! containers alone.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod agents_of_one_host;
mod beside;
mod consumer;
mod counting;
mod doctor;
mod faults_of_life;
mod faults_of_records;
mod finding;
mod mending;
mod others;
mod registering;
mod renaming;
mod restarting;
mod spreading;
mod tasks;
