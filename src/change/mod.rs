//! How changes reach any zone, whoever sends them: the agent, a removal, the janitor.
//!
//! [`batch`] packs them into calls, [`pacing`] says when the next call may go, [`culprit`] which change of a refused
//! batch is to blame. What to change is for others to know; nothing here calls a zone.

pub mod batch;
pub mod culprit;
pub mod pacing;
