//! `ecssd` registers containers in a private DNS zone while they can serve.

pub mod backoff;
pub mod machine;
pub mod zone;
