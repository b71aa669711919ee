//! A host under a storm: an engine that does as it is told, an agent as a process, and targets of its checks.

pub mod engine;
pub mod host;
pub mod targets;

/// How long anything may take before a test gives up on it: a storm, on a busy machine.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);
