//! How the Agent ends when it is asked to: what SIGTERM means, the delay, and the deadline.

use std::time::Duration;

use ractor::ActorRef;

use super::{AgentState, Exit};
use crate::actors::messages::{AgentMessage, HostWatcherMessage, RegistrarMessage};
use crate::machine::stop::OnTerm;
use crate::status::Part;

/// How long it may take to learn whether the host goes.
const JUDGEMENT_LIMIT: Duration = Duration::from_secs(2);
/// What the writer gets beyond a drain's deadline to name what is left.
const REPORT_SLACK: Duration = Duration::from_millis(500);

impl AgentState {
    pub(super) fn stop(&mut self, myself: &ActorRef<AgentMessage>) {
        match self.surroundings.stop.on_term {
            OnTerm::Drain => self.drain(myself),
            OnTerm::HandOver => self.end(myself, Exit::HandedOver),
            OnTerm::Auto => {
                self.judging = true;
                if self.surroundings.notices.is_none() {
                    return self.on_judged(myself, None);
                }
                self.peers.host.cast(HostWatcherMessage::Judge);
                myself.send_after(JUDGEMENT_LIMIT, || AgentMessage::JudgementOverdue);
            }
        }
    }

    pub(super) fn on_judged(&mut self, myself: &ActorRef<AgentMessage>, reason: Option<String>) {
        if !std::mem::take(&mut self.judging) {
            return;
        }
        match reason {
            Some(reason) => {
                tracing::info!(
                    event = "drain_decided",
                    reason,
                    "this host ends, so its records are withdrawn"
                );
                self.drain(myself);
            }
            None => {
                tracing::info!(
                    event = "hand_over_decided",
                    "nothing says that this host ends: its records stay for the next agent"
                );
                self.end(myself, Exit::HandedOver);
            }
        }
    }

    /// Takes the traffic away first, where that is planned, and then the records.
    pub(super) fn drain(&mut self, myself: &ActorRef<AgentMessage>) {
        if self.parting {
            return;
        }
        self.parting = true;
        tracing::info!(event = "drain_started", "withdrawing every service of this host");
        self.surroundings.board.set(Part::Stop, Err("the agent withdraws its records".to_owned()));
        let delay = self.surroundings.stop.delay;
        if delay.is_zero() {
            return self.withdraw(myself);
        }
        tracing::info!(
            event = "drain_delayed",
            seconds = delay.as_secs_f64(),
            "every service goes to weight 0 first, and is withdrawn after this delay"
        );
        self.peers.registrar.cast(RegistrarMessage::PrepareDrain);
        myself.send_after(delay, || AgentMessage::DelayOver);
    }

    pub(super) fn withdraw(&mut self, myself: &ActorRef<AgentMessage>) {
        let timeout = self.surroundings.stop.timeout;
        let deadline = self.surroundings.clock.now() + timeout;
        self.drain_deadline = Some(deadline);
        self.peers.registrar.cast(RegistrarMessage::Drain(deadline));
        myself.send_after(timeout + REPORT_SLACK, || AgentMessage::DrainOverdue);
    }
}
