//! `ecssd` registers containers in a private DNS zone while they can serve.
//!
//! # Layout
//!
//! The door:
//! - [`cli`], [`config`]: the command line and its environment, and the settings that hold.
//! - [`daemon`], [`removal`]: an agent from start to exit code; one thing done and over.
//! - [`logs`]: log lines.
//! - [`nearest`]: what a mistyped word was meant to be.
//!
//! The house:
//! - [`record`]: what all sides speak of: record sets, changes, and the marks that say whose they are.
//! - [`machine`]: the pure part: the convention, the lifecycle of a container, the records it wants.
//! - [`actors`]: thin: messages to the pure parts, and what comes out to the world.
//! - [`zone`]: what a zone is, what a batch is, when the next call may go, and two zones.
//!   - [`zone::writer`]: which call comes next; of [`zone::ledger`], [`zone::batch`], [`zone::culprit`],
//!     [`zone::pacing`]: its knowledge, packing, search for what is to blame, and patience.
//!   - [`zone::journal`]: that knowledge, kept over a restart: for a zone that costs a call to read.
//!   - [`zone::route53`]: a hosted zone of Route 53, and which one it is.
//!   - [`zone::embedded`], [`zone::dns`]: a model of a Route 53 private zone, and its name server.
//! - [`janitor`]: finds the records that outlived their hosts, and deletes them.
//! - [`zone_setup`]: what a stack wants done to a zone of its own.
//!
//! The edges:
//! - [`engine`]: what Docker and the ECS agent say.
//! - [`check`]: asks a target whether it serves.
//! - [`host`]: who this host is, and what is about to happen to it.
//! - [`status`]: what an operator sees.
//! - [`aws`]: what clients of the vendor's APIs are made from.
//! - [`clock`], [`backoff`]: time since the start, and waits that grow.

pub mod actors;
pub mod aws;
pub mod backoff;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod engine;
pub mod host;
pub mod janitor;
pub mod logs;
pub mod machine;
pub mod nearest;
pub mod record;
pub mod removal;
pub mod status;
pub mod zone;
pub mod zone_setup;
