//! Log lines: one per decision, human on a terminal, JSON otherwise. A panic is a log line too. How they reach
//! standard error, and what becomes of those that nobody reads, is `writer`'s.

mod writer;

pub use self::writer::{LINE_OCTETS_MAX, dropped};
use std::fmt;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::printable::printable;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Keeps the log going. Dropped, it waits a moment for the lines that are still to be written.
#[derive(Debug)]
#[must_use = "the last lines are written when it is dropped"]
pub struct Logging(#[expect(dead_code, reason = "held for what it does when it is dropped")] writer::Thread);

/// Sets up logging to standard error for the whole process.
pub fn init(format: Format, level: LevelFilter) -> Logging {
    // Libraries speak only of what they fail in: their warnings are of what comes in, a packet or an answer, and
    // repeat it. What is wrong with that is counted, or said by who asked, once and in a sentence.
    let filter = Targets::new().with_default(LevelFilter::ERROR.min(level)).with_target("ecssd", level);
    let human = match format {
        Format::Auto => std::io::stderr().is_terminal(),
        Format::Human => true,
        Format::Json => false,
    };
    let words = if human {
        writer::Words { dropped: dropped_human, too_long: too_long_human }
    } else {
        writer::Words { dropped: dropped_json, too_long: too_long_json }
    };
    let (queue, thread) = writer::start(std::io::stderr(), words);
    let lines = tracing_subscriber::fmt::layer().with_writer(move || queue.line());
    let fields =
        debug_fn(|line: &mut Writer<'_>, of: &Field, value: &dyn fmt::Debug| field(line, of.name(), value));
    let lines = if human {
        lines.with_ansi(false).with_target(false).fmt_fields(fields.delimited(" ")).boxed()
    } else {
        lines.json().flatten_event(true).with_target(false).boxed()
    };
    // A second call in one process, as tests make, keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    std::panic::set_hook(Box::new(log_panic));
    Logging(thread)
}

/// A field of a line for people: a value with blanks is quoted, so that it is seen where it ends. What would steer a
/// terminal is escaped.
fn field(line: &mut impl fmt::Write, name: &str, value: &dyn fmt::Debug) -> fmt::Result {
    let mut text = String::new();
    for character in format!("{value:?}").chars() {
        if character.is_control() { text.extend(character.escape_default()) } else { text.push(character) }
    }
    match name {
        "message" => line.write_str(&text),
        _ if text.contains(' ') && !text.starts_with('"') => write!(line, "{name}={text:?}"),
        _ => write!(line, "{name}={text}"),
    }
}

fn dropped_human(lines: usize) -> String {
    format!(" WARN {lines} log lines were dropped here: whoever reads this log is too slow\n")
}

fn dropped_json(lines: usize) -> String {
    let message = "log lines were dropped here: whoever reads this log is too slow";
    format!("{{\"level\":\"WARN\",\"message\":\"{message}\",\"lines\":{lines}}}\n")
}

fn too_long_human() -> String {
    " WARN a log line was too long, and is left out here\n".to_owned()
}

fn too_long_json() -> String {
    let message = "a log line was too long, and is left out here";
    format!("{{\"level\":\"WARN\",\"message\":\"{message}\"}}\n")
}

/// The panic hook: a panic becomes a log line, whatever the format of the log.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let reason = panic.payload_as_str().unwrap_or("no message");
    let reason = printable(reason);
    tracing::error!(event = "panic", at, reason, "panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_blanks_is_quoted_for_people() {
        let said = |name: &str, value: &dyn fmt::Debug| {
            let mut line = String::new();
            field(&mut line, name, value).map(|()| line)
        };
        assert_eq!(said("message", &format_args!("web is in DNS")).as_deref(), Ok("web is in DNS"));
        assert_eq!(
            said("reason", &format_args!("its check passes")).as_deref(),
            Ok("reason=\"its check passes\"")
        );
        assert_eq!(said("reason", &"its check passes").as_deref(), Ok("reason=\"its check passes\""));
        assert_eq!(said("port", &80).as_deref(), Ok("port=80"));
        assert_eq!(said("host", &format_args!("web1")).as_deref(), Ok("host=web1"));
        assert_eq!(said("message", &format_args!("\u{1b}[2J")).as_deref(), Ok("\\u{1b}[2J"));
    }
}
