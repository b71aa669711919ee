//! The agent's process in a storm: a flood of events, a crash loop, a thousand containers at once, a hundred copies of one service; and under siege by
//! checks that hang and clients of its DNS.
//!
//! The engine is one that is told what to say ([`engine`]): no real one could be made to storm so, nor says what it
//! was asked. All else is as in the world: the program, its sockets, checks, zone and DNS. What is asserted are
//! counts and bounds; times are printed (`--nocapture`).

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod all_at_once;
mod besiegers;
mod crash_loop;
mod crowd;
mod flood;
mod ratios;
mod siege;
mod thousand;

use ecssd_testing::storm::{engine, host, targets};
