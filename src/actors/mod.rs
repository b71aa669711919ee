//! The actors: thin, each turns messages into calls of the pure parts and what comes out into I/O.
//!
//! ```text
//! Agent (supervisor)
//!  ├── DockerWatcher   hints: events and lists, numbered          → TaskResolver
//!  ├── TaskResolver    inspects: what a container is and offers   → Registrar
//!  ├── Registrar       decides: one lifecycle per container       → Route53Writer, HealthProbers
//!  ├── HealthProber    one per container: verdicts                → Registrar
//!  ├── HostWatcher     notices: what is about to happen to the host → Registrar
//!  └── Route53Writer   writes: desired against observed, batched  → Registrar (what is known), Agent
//! ```
//!
//! Mail carries hints and values, never the only copy of something: an actor that panics is started
//! again and gets its state from the others, from Docker and from the zone. Mailboxes are unbounded, so
//! pending work lives in maps keyed by container or record.
//!
//! What they say to each other stands in `messages`, and who hears it in `peers`: no actor knows another, but
//! for whoever starts it.

mod agent;
mod contained;
mod dependencies;
mod docker_watcher;
mod health_prober;
mod host_watcher;
mod messages;
mod peers;
mod registrar;
mod route53_writer;
mod showing;
mod task_resolver;
mod wake_timer;

pub use agent::{Exit, Hand, Heart, Running, start};
pub use dependencies::Dependencies;
pub use messages::Ordered;
