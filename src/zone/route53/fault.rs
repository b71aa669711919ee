//! What a failed call means: an answer is read by [`super::answer`], the absence of one here.

use std::error::Error;
use std::fmt::Write as _;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_route53::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::answer;
use crate::printable::printable;
use crate::zone::{Unauthenticated, ZoneError};

/// What a failed call means.
pub(super) fn zone_error<E: Error + Send + Sync + 'static>(error: SdkError<E, HttpResponse>) -> ZoneError {
    if let Some(response) = error.raw_response() {
        let status = response.status().as_u16();
        // An answer of success that cannot be read says nothing of what was done.
        if status >= 300
            && let Some(body) = response.body().bytes()
        {
            return answer::read(status, body);
        }
        return ZoneError::Unknown(format!("HTTP {status}: {}", said(&error)));
    }
    match credentials_error(&error) {
        Some(cause) => ZoneError::Unauthenticated(without_credentials(cause)),
        None => {
            let text = said(&error);
            // Its own text names no cure.
            let cure = if text.contains("invalid peer certificate") {
                "; this host does not trust the endpoint: are its CA certificates there, and its clock right?"
            } else {
                ""
            };
            ZoneError::Unknown(format!("{text}{cure}"))
        }
    }
}

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    error.downcast_ref().or_else(|| credentials_error(error.source()?))
}

fn without_credentials(cause: &CredentialsError) -> Unauthenticated {
    // The chain of sources lists what became of each on a line of its own.
    let tried = chain(cause).lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let tried = printable(&tried);
    let reason = match cause {
        CredentialsError::CredentialsNotLoaded(_) => {
            "there are no credentials: give this host a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        }
        CredentialsError::ProviderTimedOut(_) => "the source of credentials does not answer",
        _ => "the source of credentials fails",
    };
    Unauthenticated { reason: reason.to_owned(), tried: Some(tried) }
}

/// What an error says, printable.
pub(crate) fn said(error: &(dyn Error + 'static)) -> String {
    printable(&chain(error))
}

/// The error and its causes. Most say only their own part; what one repeats of its cause is said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {own}");
        }
        cause = error.source();
    }
    text
}
