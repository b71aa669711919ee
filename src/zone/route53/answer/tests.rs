//! Answers of the API as it writes them, and what they mean here.

use super::*;

fn wrapped(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>1</RequestId></ErrorResponse>"
    )
}

/// How each reason is read is shown where that is done.
fn rejected(reasons: &[&str]) -> ZoneError {
    ZoneError::Rejected(reasons.iter().map(|reason| refusal::read((*reason).to_owned())).collect())
}

#[test]
fn says_what_each_code_means() {
    let denied = "User: arn:aws:sts::1:assumed-role/r/i-1 is not authorized to perform: \
                  route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1";
    let cloud_map = "The resource hostedzone/Z1 can only be managed through AWS Cloud Map";
    let cases = [
        (400, "Throttling", "Rate exceeded", ZoneError::Throttled("Throttling: Rate exceeded".into())),
        (503, "SlowDown", "", ZoneError::Throttled("SlowDown".into())),
        (429, "Whatever", "", ZoneError::Throttled("Whatever".into())),
        (
            400,
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
            ZoneError::Busy(
                "The request was rejected because Route 53 was still processing a prior request.".into(),
            ),
        ),
        (
            400,
            "InvalidChangeBatch",
            "[Tried to x, RRSet with DNS name a., type SRV]",
            rejected(&["Tried to x", "RRSet with DNS name a., type SRV"]),
        ),
        (400, "InvalidChangeBatch", "[]", rejected(&["InvalidChangeBatch: []"])),
        (400, "InvalidInput", "Invalid XML ; ...", ZoneError::Invalid("Invalid XML ; ...".into())),
        (400, "ValidationError", "bad", ZoneError::Invalid("bad".into())),
        (404, "NoSuchHostedZone", "No hosted zone: Z1", ZoneError::NoSuchZone("No hosted zone: Z1".into())),
        (404, "NoSuchChange", "No change: C1", ZoneError::NoSuchChange("No change: C1".into())),
        (403, "AccessDenied", denied, ZoneError::Denied(denied.into())),
        (403, "AccessDeniedException", cloud_map, ZoneError::Denied(cloud_map.into())),
        (500, "InternalFailure", "", ZoneError::Unknown("HTTP 500: InternalFailure".into())),
        (400, "NeverHeardOf", "it", ZoneError::Unknown("HTTP 400: NeverHeardOf: it".into())),
    ];
    for (status, code, message, meaning) in cases {
        assert_eq!(read(status, wrapped(code, message).as_bytes()), meaning, "{code}");
    }
}

#[test]
fn says_why_a_caller_is_not_recognised() {
    let cases = [
        ("ExpiredToken", "The security token included in the request is expired", "renew them"),
        ("InvalidClientTokenId", "The security token included in the request is invalid.", "does not exist"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", "secret key"),
        ("SignatureDoesNotMatch", "Signature expired: 20261124T195538Z is now earlier than", "clocks"),
        ("InvalidSignatureException", "Signature not yet current: 20261124T195538Z is still later", "clocks"),
        ("RequestExpired", "Request has expired", "clocks"),
        ("MissingAuthenticationToken", "Missing Authentication Token", "not signed"),
    ];
    for (code, message, advice) in cases {
        let ZoneError::Unauthenticated(why) = read(403, wrapped(code, message).as_bytes()) else {
            panic!("{code}");
        };
        let text = why.to_string();
        assert!(text.contains(advice) && text.contains(code) && text.contains(message), "{text}");
    }
}

#[test]
fn reads_the_older_form_of_a_refused_batch() {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                <InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\n  <Messages>\n    \
                <Message>Tried to delete resource record set a., type SRV, but it was not found</Message>\n    \
                <Message>Tried to create resource record set &apos;b&apos; but it already exists</Message>\n  \
                </Messages>\n</InvalidChangeBatch>";
    let reasons = [
        "Tried to delete resource record set a., type SRV, but it was not found",
        "Tried to create resource record set 'b' but it already exists",
    ];
    assert_eq!(read(400, body.as_bytes()), rejected(&reasons));
}

#[test]
fn reads_one_reason_for_each_message_of_the_newer_form_too() {
    let body = "<ErrorResponse><Error><Code>InvalidChangeBatch</Code><Messages><Message>one, Tried to</Message>\
                <Message>two</Message></Messages></Error></ErrorResponse>";
    assert_eq!(read(400, body.as_bytes()), rejected(&["one, Tried to", "two"]));
}

#[test]
fn keeps_what_is_not_the_service_s() {
    assert_eq!(
        read(502, b"<html><body>Bad Gateway</body></html>"),
        ZoneError::Unknown("HTTP 502: <html><body>Bad Gateway</body></html>".into())
    );
    assert_eq!(read(429, b""), ZoneError::Throttled("HTTP 429: ".into()));
    for body in [&b"<ErrorResponse><Error><Code>Thrott"[..], b"<ErrorResponse/>", b"\xff\xfe", b"<a>&#0;</a>"]
    {
        assert!(matches!(read(400, body), ZoneError::Unknown(_)), "{body:?}");
    }
    let ZoneError::Unknown(long) = read(500, "x".repeat(10_000).as_bytes()) else { panic!() };
    assert!(long.len() < 600);
}

#[test]
fn a_session_token_in_a_signed_request_is_shown_to_nobody() {
    let message = "The request signature we calculated does not match the signature you provided.\n\nThe Canonical \
                   String for this request should have been\n'GET\nx-amz-security-token:SECRET\n'";
    let error = read(403, wrapped("SignatureDoesNotMatch", message).as_bytes());
    assert!(matches!(error, ZoneError::Unauthenticated(_)));
    let text = error.to_string();
    assert!(text.contains("does not match the signature") && !text.contains("SECRET"), "{text}");
}
