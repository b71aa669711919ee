//! What was logged, as text; and a seam to make whoever logs a line panic at it.

use std::sync::{Arc, Mutex};

use tracing::Metadata;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// What was logged; and a way to make the actor that logs a line panic at it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    panic_at: Option<(String, u32)>,
}

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().lines.clone()
    }

    /// Whoever logs a line with these words panics, so many times.
    pub fn panic_at(&self, words: &str, times: u32) {
        self.0.lock().unwrap().panic_at = Some((words.to_owned(), times));
    }

    /// How many of those panics are still to come.
    pub fn panics_left(&self) -> u32 {
        self.0.lock().unwrap().panic_at.as_ref().map_or(0, |(_, times)| *times)
    }
}

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("ecssd")
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        let panics = {
            let mut lines = self.0.lock().unwrap();
            lines.lines.push(line.0.clone());
            match &mut lines.panic_at {
                Some((words, times))
                    if *times > 0
                    && line.0.contains(words.as_str())
                    // The supervisor quotes the panic that it saw.
                    && !line.0.contains("told to panic") =>
                {
                    *times -= 1;
                    true
                }
                _ => false,
            }
        };
        assert!(!panics, "told to panic at {}", line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write;
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}
