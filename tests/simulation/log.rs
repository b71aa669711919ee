//! The agents' log, as a run needs it: the steps of lifecycles are counted, and a line can be made to panic.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::draw::LINES;

/// The events at whose lines an actor can be made to panic, each of another actor or another moment of it.
const PANIC_AT: [&str; LINES as usize] =
    ["registering", "withdrawing", "written", "docker_away", "check_failed", "docker_answers"];
/// What the panics say.
pub const TOLD: &str = "told to panic";

/// A handle to the log of one run.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Noted>>);

/// What was noted.
#[derive(Default)]
pub struct Noted {
    /// How often each step of the lifecycle was made.
    pub steps: BTreeMap<String, u64>,
    /// Containers that were said to have ended before every name server had heard of their withdrawal.
    pub early: Vec<String>,
    panics: Vec<(&'static str, u8)>,
    /// Panics that came about since they were last asked for.
    pub panicked: u32,
}

impl Log {
    pub fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever logs this line next panics, so many times.
    pub fn panic_at(&self, line: u8, times: u8) {
        self.noted().panics.push((PANIC_AT[usize::from(line)], times));
    }

    pub fn heal(&self) {
        self.noted().panics.clear();
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("ecssd")
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let panics = {
            let mut noted = self.noted();
            if line.message == "step" {
                *noted.steps.entry(line.edge).or_default() += 1;
                return;
            }
            if line.event == "ended_before_spread" {
                noted.early.push(line.container);
            }
            let at = noted.panics.iter().position(|(event, _)| line.event == *event);
            if let Some(at) = at {
                noted.panicked += 1;
                noted.panics[at].1 -= 1;
                if noted.panics[at].1 == 0 {
                    noted.panics.remove(at);
                }
            }
            at.is_some()
        };
        assert!(!panics, "{TOLD} at {}", line.message);
    }
}

#[derive(Default)]
struct Line {
    message: String,
    event: String,
    container: String,
    edge: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => self.event = value.to_owned(),
            "container" => self.container = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "edge" => self.edge = format!("{value:?}"),
            _ => {}
        }
    }
}
