//! The clock. A signature holds for five minutes either way, so a clock that is further off signs nothing.

use super::finding::Finding;

const SUBJECT: &str = "clock";
/// Seconds that no one minds.
const FINE: u64 = 30;
/// Source: AWS general reference, "Signature Version 4": requests have to arrive within five minutes.
const SIGNED: u64 = 300;

/// Judges how far this host's clock is ahead of the API's.
pub fn judge(ahead: &Result<i64, String>) -> Finding {
    let remedy = "set it by NTP: on EC2, chrony with 169.254.169.123";
    match ahead {
        Err(reason) => Finding::warning(
            SUBJECT,
            format!("the API's clock was not read: {reason}"),
            "see that this host reaches Route 53's API; the zone's line says more",
        ),
        Ok(ahead) => {
            let direction = if *ahead < 0 { "behind" } else { "ahead of" };
            let line = format!("{} s {direction} the API's", ahead.unsigned_abs());
            match ahead.unsigned_abs() {
                0..=FINE => Finding::fine(SUBJECT, line),
                off if off < SIGNED => Finding::warning(SUBJECT, line, remedy),
                _ => Finding::broken(SUBJECT, format!("{line}, so no signature holds"), remedy),
            }
        }
    }
}
