//! The `calc` service: the value of the formula in the path.
//!
//! `GET /calc/(2+2)*3` answers `12`. This file owns the process and its limits; the language of formulas
//! and its arithmetic are in `formula`.

#![forbid(unsafe_code)]

mod formula;
mod number;

use std::process::ExitCode;

use axum::Router;
use ecssd_examples::identity::Identity;
use ecssd_examples::service::Refusal;
use ecssd_examples::{serve, service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve::run("calc", 8081, router(Identity::discover())).await
}

fn router(identity: Identity) -> Router {
    service::router("calc", "(2+2)*3", identity, |formula| {
        formula::evaluate(formula)
            .map(number::show)
            .map_err(|error| Refusal { error: error.to_string(), position: error.position })
    })
}
