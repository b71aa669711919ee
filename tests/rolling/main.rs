//! What a consumer sees of a host while everything on it is replaced: containers, the agent, the engine.
//!
//! A client asks DNS for every single request, opens a connection, and tries nothing twice ([`load`]). Requests and
//! failures are counted, by cause; nothing is asserted about time but what the agent promises in seconds.
//!
//! # Where things are
//!
//! - **The host** is a network namespace with an engine of its own ([`engine`]). The client comes from outside, over
//!   an interface, and through NAT, as from another host. On a shared engine, containers of others would be
//!   registered too; and beside another engine there would be no NAT but Docker's proxy, which accepts connections
//!   for a container that is gone.
//! - **DNS** is the agent's own, where the agent stays up. Where the agent is replaced its zone is in a Route 53
//!   emulator, and DNS is answered by this process from what the emulator holds ([`secondary`]): with `--local` the
//!   name server would go with the agent, and that would be counted, not what happens to the records.
//!
//! Needs `dockerd`, a Route 53 emulator at `ECSSD_TEST_ROUTE53_ENDPOINT`, and `docker`, `dig`, `ip`, and a static
//! `busybox` on the machine; `tests/run rolling` provides them, and runs this one test at a time, beside nothing that keeps
//! the cores busy: a client would wait for the machine.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod copies;
mod deploys;
mod load;
mod restarts;
mod secondary;
mod storm;
mod worst;
