//! How the Agent carries out the steps of its [end](crate::machine::agent::Ending).

use ractor::ActorRef;

use super::{AgentState, Exit};
use crate::actors::messages::{AgentMessage, HostWatcherMessage, RegistrarMessage};
use crate::machine::agent::{JUDGEMENT_LIMIT, REPORT_SLACK, Step};
use crate::status::{Ending, Part};

impl AgentState {
    pub(super) fn stop(&mut self, myself: &ActorRef<AgentMessage>) {
        let asks = self.dependencies.notices.is_some();
        let step = self.ending.stop(&self.dependencies.stop, asks, self.dependencies.clock.now());
        self.take(myself, step);
    }

    pub(super) fn on_judged(&mut self, myself: &ActorRef<AgentMessage>, reason: Option<String>) {
        let goes = reason.is_some();
        let step = self.ending.judged(goes, &self.dependencies.stop, self.dependencies.clock.now());
        match (&step, reason) {
            (Some(Step::HandOver), _) => tracing::info!(
                event = "hand_over_decided",
                "nothing says that this host ends: its records stay for the next agent"
            ),
            (Some(_), Some(reason)) => {
                tracing::info!(
                    event = "drain_decided",
                    reason,
                    "this host ends, so its records are withdrawn"
                );
            }
            _ => {}
        }
        self.take(myself, step);
    }

    pub(super) fn drain(&mut self, myself: &ActorRef<AgentMessage>) {
        let step = self.ending.drain(&self.dependencies.stop, self.dependencies.clock.now());
        self.take(myself, step);
    }

    pub(super) fn delay_over(&mut self, myself: &ActorRef<AgentMessage>) {
        let step = self.ending.delay_over(&self.dependencies.stop, self.dependencies.clock.now());
        self.take(myself, step);
    }

    pub(super) fn hand_over(&mut self, myself: &ActorRef<AgentMessage>) {
        let step = self.ending.hand_over();
        self.take(myself, step);
    }

    fn take(&mut self, myself: &ActorRef<AgentMessage>, step: Option<Step>) {
        let (phase, deadline) = (self.ending.phase(), self.ending.deadline());
        self.dependencies.board.ending.show(Ending { phase, deadline });
        match step {
            None => {}
            Some(Step::Judge) => {
                self.peers.host.cast(HostWatcherMessage::Judge);
                myself.send_after(JUDGEMENT_LIMIT, || AgentMessage::JudgementOverdue);
            }
            Some(Step::Delay(delay)) => {
                self.is_unready();
                tracing::info!(
                    event = "drain_delayed",
                    seconds = delay.as_secs_f64(),
                    "every service goes to weight 0 first, and is withdrawn after this delay"
                );
                self.peers.registrar.cast(RegistrarMessage::PrepareDrain);
                myself.send_after(delay, || AgentMessage::DelayOver);
            }
            Some(Step::Withdraw(deadline)) => {
                self.is_unready();
                tracing::info!(event = "drain_started", "withdrawing every service of this host");
                self.peers.registrar.cast(RegistrarMessage::Drain(deadline));
                let overdue = self.dependencies.clock.until(deadline) + REPORT_SLACK;
                myself.send_after(overdue, || AgentMessage::DrainOverdue);
            }
            Some(Step::HandOver) => self.end(myself, Exit::HandedOver),
        }
    }

    fn is_unready(&self) {
        self.dependencies.board.set(Part::Stop, Err("the agent withdraws its records".to_owned()));
    }
}
