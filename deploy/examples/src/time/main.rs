//! The `time` service: the present time, in UTC, in the layout that the path asks for.
//!
//! `GET /time/15:04%20Jan%202` answers `20:41 Nov 23`. This file owns the clock and the process; the
//! language of layouts is in `layout`, and writing a time in it in `format`.

#![forbid(unsafe_code)]

mod format;
mod layout;

use std::process::ExitCode;

use axum::Router;
use ecssd_examples::identity::Identity;
use ecssd_examples::{serve, service};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve::run("time", 8081, router(Identity::discover(), now)).await
}

fn router(identity: Identity, clock: fn() -> DateTime) -> Router {
    let answer = move |layout: &str| Ok(format::format(layout, clock()));
    service::router("time", "15:04:05%20Jan%202", identity, answer)
}

fn now() -> DateTime {
    TimeZone::UTC.to_datetime(Timestamp::now())
}
