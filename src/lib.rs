//! `ecssd` registers containers in a private DNS zone while they can serve.

pub mod backoff;
pub mod check;
pub mod clock;
pub mod engine;
pub mod host;
pub mod machine;
pub mod zone;
