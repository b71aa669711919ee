//! The signals that a daemon understands.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a process that SIGTERM ended.
pub(super) const TERM: u8 = 143;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To withdraw and end; asked twice, to exit with this code.
    Stop(u8),
    /// To end and leave the records to the next agent.
    HandOver,
}

/// Receives signals from when it is made.
#[derive(Debug)]
pub(super) struct Signals {
    term: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.term.recv() => Asked::Stop(TERM),
            _ = self.interrupt.recv() => Asked::Stop(130),
            _ = self.hang_up.recv() => Asked::HandOver,
        }
    }
}
