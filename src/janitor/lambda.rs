//! Runs as a Lambda: one event, one run, one report.
//!
//! Quick to start: until the first event is asked for, nothing is read but variables. What an event needs
//! is opened when it comes.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};

use super::clients::{OpenError, open};
use super::run::run;
use super::settings::Settings;
use super::summary::RunSummary;
use crate::clock::Clock;
use crate::moment::Moment;

/// The variable that tells a program that it is one. Source: Lambda developer guide, "Using the Lambda
/// runtime API".
pub const RUNTIME_API_VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

/// Why an event came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EventError<E: std::error::Error> {
    /// What it was told does not hold.
    #[error("{0}")]
    Settings(E),
    /// There was nothing to read with.
    #[error("nothing was read: {0}")]
    Open(OpenError),
}

/// The runtime's answer: its `errorType` is what a state machine or an alarm tells errors apart by.
impl<E: std::error::Error> From<EventError<E>> for Diagnostic {
    fn from(error: EventError<E>) -> Self {
        let error_type = match error {
            EventError::Settings(_) => "SettingsRefused",
            EventError::Open(_) => "NothingRead",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// The runtime API does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the Lambda runtime: {0}")]
pub struct RuntimeError(lambda_runtime::Error);

/// Deals with events until the runtime has had enough. `judge` says what a run is told by an event, or what of
/// it does not hold.
///
/// # Errors
/// When the runtime API does not answer.
pub async fn serve<E: std::error::Error>(
    judge: impl Fn(serde_json::Value) -> Result<Settings, E>,
) -> Result<(), RuntimeError> {
    let handle = service_fn(move |event: LambdaEvent<serde_json::Value>| {
        let deadline = event.context.deadline();
        // The runtime logs what an event fails with.
        let settings = judge(event.payload);
        async move {
            let settings = settings.map_err(EventError::Settings)?;
            deal_with(settings, deadline).await.map_err(EventError::Open)
        }
    });
    lambda_runtime::run(handle).await.map_err(RuntimeError)
}

async fn deal_with(mut settings: Settings, deadline: SystemTime) -> Result<RunSummary, OpenError> {
    let clock = Clock::start();
    settings.options.deadline = time_left(deadline).map(Moment::after);
    let apply = settings.options.apply;
    let (summary, unopened) = match open(&settings, clock, |name| std::env::var(name).ok()).await {
        Ok(clients) => (run(&settings.options, &clients).await.1, None),
        // No failure: Lambda would send the event again at once.
        Err(error @ OpenError::CrowdedOut) => {
            (RunSummary::of_skipped(&settings.zone, apply, &error.to_string()), None)
        }
        Err(error) => (RunSummary::of_unread(&settings.zone, apply, &error.to_string()), Some(error)),
    };
    if let Some(reason) = &summary.standstill {
        tracing::warn!(event = "janitor_standstill", "nothing is deleted: {reason}");
    }
    // The line must stand alone, and be all that it is: a log's own fields would hide it.
    let _ = writeln!(std::io::stdout().lock(), "{}", summary.metrics(SystemTime::now()));
    unopened.map_or(Ok(summary), Err)
}

/// No event comes after its own deadline: one that says so, as emulators do, has none.
fn time_left(deadline: SystemTime) -> Option<Duration> {
    deadline.duration_since(SystemTime::now()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_type_that_can_be_told_apart() {
        let told = Diagnostic::from(EventError::Settings(OpenError::NoRegion));
        assert_eq!(told.error_type, "SettingsRefused");
        let told = Diagnostic::from(EventError::<OpenError>::Open(OpenError::NoRegion));
        assert_eq!(told.error_type, "NothingRead");
        assert!(told.error_message.starts_with("nothing was read: no region is known"), "{told:?}");
    }
}
