//! `ecssd` registers containers in a private DNS zone while they can serve.
//!
//! # Layout
//!
//! From the inside out; a room uses those above it, and `tests/fences.rs` holds it to that.
//!
//! What is decided, without a clock, a socket or a thread:
//! - [`record`]: what all sides speak of: record sets, changes, and the marks that say whose they are.
//! - [`container`]: what a container is and asks for: the convention, parsed, and what of it can be published.
//! - [`machine`]: what a container wants in DNS, and when: its lifecycle, who holds a port, what an earlier
//!   run left, what is about to stop, all of a host.
//! - [`change`]: how changes reach any zone: in batches, at a pace, and which of them is to blame for a refusal.
//! - [`reconcile`]: from what a zone should hold to the calls that make it so.
//! - [`status`]: what an operator sees of it: what each part knows, as one value.
//! - [`doctor`]: what is wrong with a host, and what to do about it.
//!
//! What is asked and kept:
//! - [`zone`]: what a zone is, and two of them: [`zone::route53`], and [`zone::embedded`], a model of the same.
//! - [`journal`]: what this host wrote, kept over a restart: for a zone that costs a call to read.
//! - [`edge`]: what Docker, ECS, EC2, the host and a target say.
//! - [`serve`]: sockets for others: DNS, and what an operator sees.
//!
//! What runs:
//! - [`actors`]: thin: messages to the pure parts, and what comes out to the world.
//! - [`run`]: an agent from start to exit code; one thing done and over.
//! - [`janitor`]: finds the records that outlived their hosts, and deletes them.
//! - [`zone_setup`]: what a stack wants done to a zone of its own.
//!
//! The door: [`cli`] and [`config`] are the command line with its environment, and the settings that hold.
//!
//! Tools: [`aws`] (what clients of the vendor's APIs are made from), [`clock`], [`moment`] and [`backoff`] (time
//! since the start, a point of it, and waits that grow), [`logs`], [`nearest`] (what a mistyped word was meant to be),
//! [`printable`] (what others say, as it may be shown), [`shell_line`] (a command for an operator to type).
//!
//! # Words
//!
//! Most words are those of Docker, ECS, DNS and Route 53. These are ours:
//!
//! - **offer**: one service of a container that can be published, and where clients reach it.
//! - **claim**: a container's wish for a port of the host; one of several holds the port.
//! - **life**: a container from one start to its end. Proof, signals and weights belong to one life.
//! - **owner**, **mark**: who a record belongs to, and the set identifier that says so.
//! - **barrier**: the first moments of an agent, in which nothing is deleted, because not everything was inspected.
//! - **adoption**: taking over what an earlier run of this host left in the zone.
//! - **departure**: what is known of the host's own end, and what that does to its records.
//! - **desired**, **observed**: the records that should stand in the zone, and those that are known to. What a
//!   container asks for are its **wants**.
//! - **scan**, **lookup**: a read of many records to find what nobody knows of; a read of one that settles a doubt.
//! - **journal**: what this host wrote and heard, on its disk.
//! - **pacer**: when the next call may go. **culprit**: the change that a batch was refused for.
//! - **verdict**: what the janitor, or a row of checks, concludes. **caps**: the most that a run may delete.

pub mod actors;
pub mod aws;
pub mod backoff;
pub mod change;
pub mod cli;
pub mod clock;
pub mod config;
pub mod container;
pub mod doctor;
pub mod edge;
pub mod janitor;
pub mod journal;
pub mod logs;
pub mod machine;
pub mod moment;
pub mod nearest;
pub mod printable;
pub mod private_file;
pub mod reconcile;
pub mod record;
pub mod run;
pub mod serve;
pub mod shell_line;
pub mod status;
pub mod zone;
pub mod zone_setup;
