//! Docker: a real engine, one of a test's own, a window on one, and one that does as it is told.

pub mod engine;
pub mod network;
pub mod own;
pub mod scripted;
pub mod window;
