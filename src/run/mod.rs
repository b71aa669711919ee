//! What a process does from its settings to its exit code.
//!
//! [`daemon`] is an agent that goes on until it is told to stop, [`removal`] one thing done and over, [`former`] a removal
//! of what this host wrote under another name; [`status`] and [`order`] ask an agent that runs, and [`doctor`] all that an
//! agent needs.

pub mod daemon;
pub mod doctor;
pub mod former;
pub mod order;
pub mod removal;
pub mod status;
#[cfg(test)]
mod testing;
