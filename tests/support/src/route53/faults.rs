//! What can go wrong with one call: the documented errors in the service's words, and what a network does.

use std::time::Duration;

use super::wire::{Reply, error};

/// The documented errors that say nothing of the batch. Sources: Route 53 API reference, "Common Error
/// Types" and ChangeResourceRecordSets; Signature Version 4, "Troubleshoot".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Throttling,
    PriorRequestNotComplete,
    InvalidInput,
    AccessDenied,
    NoSuchHostedZone,
    ExpiredToken,
    InvalidClientTokenId,
    SignatureDoesNotMatch,
    RequestExpired,
    InternalFailure,
    ServiceUnavailable,
}

impl Says {
    pub const ALL: [Self; 11] = [
        Self::Throttling,
        Self::PriorRequestNotComplete,
        Self::InvalidInput,
        Self::AccessDenied,
        Self::NoSuchHostedZone,
        Self::ExpiredToken,
        Self::InvalidClientTokenId,
        Self::SignatureDoesNotMatch,
        Self::RequestExpired,
        Self::InternalFailure,
        Self::ServiceUnavailable,
    ];

    /// The error as it is sent, where `action` was asked for.
    pub fn reply(self, action: &str) -> Reply {
        match self {
            Self::Throttling => error(400, "Throttling", "Rate exceeded"),
            Self::PriorRequestNotComplete => error(
                400,
                "PriorRequestNotComplete",
                "The request was rejected because Route 53 was still processing a prior request.",
            ),
            Self::InvalidInput => error(400, "InvalidInput", "Invalid XML ; the request is malformed"),
            Self::AccessDenied => error(403, "AccessDenied", &denial(action)),
            Self::NoSuchHostedZone => error(404, "NoSuchHostedZone", "No hosted zone found with ID: Z1"),
            Self::ExpiredToken => {
                error(403, "ExpiredToken", "The security token included in the request is expired")
            }
            Self::InvalidClientTokenId => {
                error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            Self::SignatureDoesNotMatch => error(
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z",
            ),
            Self::RequestExpired => error(400, "RequestExpired", "Request has expired."),
            Self::InternalFailure => error(500, "InternalFailure", "Internal error"),
            Self::ServiceUnavailable => (503, "<html><body>Service Unavailable</body></html>".to_owned()),
        }
    }

    /// Whether the whole of the batch is suspected after it, and one change will be to blame.
    pub fn blames(self) -> bool {
        matches!(self, Self::InvalidInput | Self::AccessDenied)
    }
}

/// The text of a denial: it names the action, and no record.
pub fn denial(action: &str) -> String {
    format!(
        "User: arn:aws:sts::123456789012:assumed-role/host/i-0123456789abcdef0 is not authorized to perform: \
         route53:{action} on resource: arn:aws:route53:::hostedzone/Z1 because no identity-based policy \
         allows the route53:{action} action"
    )
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is served.
    Serve,
    /// It is answered with an error, and nothing is done.
    Say(Says),
    /// The connection breaks before anything is done.
    CutBefore,
    /// It is done, and then the connection breaks.
    CutAfter,
    /// The connection breaks, and it is done just before the next change is.
    LateBeforeNext,
    /// The connection breaks, and it is done just after the next change is.
    LateAfterNext,
    /// It is done, and answered this much later.
    AnswerAfter(Duration),
    /// It is done only this much later, and then answered.
    ServeAfter(Duration),
}
