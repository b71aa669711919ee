//! `--cordon` and `--uncordon`: asks the agent of this host over its socket, and says what came of it.

use std::path::PathBuf;
use std::process::ExitCode;

use hyper::StatusCode;

use crate::machine::cordon::Order;
use crate::serve::status::client::{AskError, order};

/// It is not clear what is meant (`EX_USAGE`).
const UNCLEAR: u8 = 64;
/// The agent does not answer, or cannot do it now or for good (`EX_TEMPFAIL`).
const NOT_NOW: u8 = 75;

/// Asks the agent whose socket is at the first of these places where there is one.
pub async fn give(places: &[PathBuf], asked: &Order) -> ExitCode {
    let answer = match order(places, asked).await {
        Ok(answer) => answer,
        Err(error) => {
            eprintln!("ecssd: {error}");
            if let AskError::Silent(_) = error {
                eprintln!("ecssd: it may come to pass all the same: ecssd --status shows what is in force");
            }
            return ExitCode::from(NOT_NOW);
        }
    };
    let text = String::from_utf8_lossy(&answer.body);
    match answer.status {
        StatusCode::OK => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        status => {
            eprint!("ecssd: {text}");
            let is_unclear = matches!(status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT);
            ExitCode::from(if is_unclear { UNCLEAR } else { NOT_NOW })
        }
    }
}
