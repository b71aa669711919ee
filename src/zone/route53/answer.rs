//! What an answer of failure means, from its status and XML.
//!
//! The service uses two forms, and the SDK understands the second not at all:
//!
//! ```xml
//! <ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>
//! <InvalidChangeBatch><Messages><Message>Tried to delete ...</Message></Messages></InvalidChangeBatch>
//! ```
//!
//! Sources: Route 53 API reference, "Common Error Types" and ChangeResourceRecordSets; Signature Version 4,
//! "Troubleshoot"; awslabs/aws-sdk-kotlin issue 1433.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};

use super::{reasons, refusal};
use crate::printable::printable;
use crate::zone::ZoneError;

/// What the answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Answer {
    code: String,
    message: String,
    /// Of a refused batch, one for each change that was wrong.
    messages: Vec<String>,
}

/// What an answer of HTTP `status` with `body` means.
pub fn read(status: u16, body: &[u8]) -> ZoneError {
    let text = String::from_utf8_lossy(body);
    let Some(answer) = parse(&text) else {
        let said = format!("HTTP {status}: {}", brief(&text));
        return if status == 429 { ZoneError::Throttled(said) } else { ZoneError::Unknown(said) };
    };
    meaning(status, answer)
}

fn meaning(status: u16, answer: Answer) -> ZoneError {
    let Answer { code, message, messages } = answer;
    let code = printable(&code);
    let said = if message.is_empty() { code.clone() } else { format!("{code}: {}", brief(&message)) };
    match &*code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequests"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => ZoneError::Throttled(said),
        _ if status == 429 => ZoneError::Throttled(said),
        "PriorRequestNotComplete" => ZoneError::Busy(brief(&message)),
        "InvalidChangeBatch" => {
            let reasons = if messages.is_empty() { reasons::split(&message) } else { messages };
            // A refusal without a reason is one all the same.
            let reasons = if reasons.is_empty() { vec![said] } else { reasons };
            ZoneError::Rejected(reasons.into_iter().map(refusal::read).collect())
        }
        "InvalidInput" | "ValidationError" | "ValidationException" => ZoneError::Invalid(brief(&message)),
        "NoSuchHostedZone" => ZoneError::NoSuchZone(brief(&message)),
        "NoSuchChange" => ZoneError::NoSuchChange(brief(&message)),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            ZoneError::Denied(brief(&message))
        }
        _ => match unauthenticated(&code, &message) {
            Some(advice) => ZoneError::Unauthenticated(format!("{advice} ({said})").into()),
            None => ZoneError::Unknown(format!("HTTP {status}: {said}")),
        },
    }
}

/// The first line of a text. A signature that does not match is answered with the request as it was signed,
/// the session's token in it.
fn brief(text: &str) -> String {
    printable(text.trim().lines().next().unwrap_or_default())
}

/// What to do about a caller that was not recognised; `None` where that was not what was wrong.
fn unauthenticated(code: &str, message: &str) -> Option<&'static str> {
    // One code stands for a wrong key and for a wrong clock, and the text alone tells which.
    let of_time = ["Signature expired", "not yet current"].iter().any(|words| message.contains(words));
    match code {
        "RequestExpired" | "RequestTimeTooSkewed" => Some(CLOCK),
        "SignatureDoesNotMatch" | "InvalidSignatureException" if of_time => Some(CLOCK),
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            Some("the secret key does not belong to the access key: give this host working credentials")
        }
        "ExpiredToken" | "ExpiredTokenException" => {
            Some("the session's credentials have expired: renew them")
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" | "AuthFailure" => {
            Some(
                "the access key does not exist, or not in this partition: give this host working credentials",
            )
        }
        "MissingAuthenticationToken" | "MissingAuthenticationTokenException" | "OptInRequired" => {
            Some("the request was not signed for this service: give this host working credentials")
        }
        _ => None,
    }
}

const CLOCK: &str = "the clocks differ by minutes: set this host's, for instance with chrony";

fn parse(text: &str) -> Option<Answer> {
    let mut document = Document::new(text);
    let mut root = document.root_element().ok()?;
    let mut answer = Answer::default();
    match root.start_el().local().to_owned().as_str() {
        "ErrorResponse" => {
            while let Some(mut tag) = root.next_tag() {
                if tag.start_el().local() == "Error" {
                    read_fields(&mut tag, &mut answer)?;
                }
            }
        }
        // The root itself is the code.
        root_name @ "InvalidChangeBatch" => {
            root_name.clone_into(&mut answer.code);
            read_fields(&mut root, &mut answer)?;
        }
        _ => return None,
    }
    (!answer.code.is_empty()).then_some(answer)
}

fn read_fields(parent: &mut ScopedDecoder<'_, '_>, answer: &mut Answer) -> Option<()> {
    while let Some(mut tag) = parent.next_tag() {
        match tag.start_el().local() {
            "Code" => answer.code = try_data(&mut tag).ok()?.trim().to_owned(),
            "Message" => answer.message = try_data(&mut tag).ok()?.trim().to_owned(),
            "Messages" => {
                while let Some(mut item) = tag.next_tag() {
                    answer.messages.push(try_data(&mut item).ok()?.trim().to_owned());
                }
            }
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
