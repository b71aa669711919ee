//! Whole runs of the janitor, over HTTP: Route 53 and EC2 by an emulator that others wrote, ECS by an endpoint
//! in the vendor's documented shapes.
//!
//! The emulator is at `ECSSD_TEST_ROUTE53_ENDPOINT`; `tests/run` provides it. It knows no container instances,
//! hence an ECS of our own, which also pages, throttles, fails and lets things happen between two calls.
//! Runs have a clock on which the minute between two inspections is over at once; the verdict sees a minute.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod batches;
mod door;
mod ec2;
mod ecs;
mod failing;
mod forget;
mod forgotten;
mod health;
mod lambda;
mod pace;
mod race;
mod scale;
mod scene;
mod setup;
mod sweeps;

use ecssd_testing::route53::served as route53;
