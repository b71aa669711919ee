//! Where the world is asked: each room here turns what it hears into values, and decides nothing of them.
//!
//! [`engine`] asks Docker and the ECS agent, [`check`] a target whether it serves, [`imds`] EC2 of this instance, [`host`]
//! who this host is and what is about to happen to it. Zones are asked in [`crate::zone`].

pub mod check;
pub mod engine;
pub mod host;
pub mod imds;
