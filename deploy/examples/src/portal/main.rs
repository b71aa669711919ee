//! The `portal`: one page that asks `time` and `calc`, wherever they are at the moment.
//!
//! This file owns the routes and the settings. Finding a service is in `finder`, asking it in `errand`,
//! and how that looks in `page`.

#![forbid(unsafe_code)]

mod errand;
mod finder;
mod page;

use std::process::ExitCode;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ecssd_examples::settings::{self, SettingError};
use ecssd_examples::{serve, service};
use hickory_resolver::proto::rr::Name;
use serde::Deserialize;

use errand::Outcome;
use finder::{Finder, FinderError, plain};
use page::{Kind, Turn};

const TIME: Kind = Kind {
    name: "time",
    field: "layout",
    title: "What time is it?",
    label: "In UTC, written as Mon Jan 2 15:04:05 2006 would be",
    examples: &["15:04:05 Jan 2", "Monday, 2 January 2006", "3:04 pm"],
};

const CALC: Kind = Kind {
    name: "calc",
    field: "formula",
    title: "What does it come to?",
    label: "Numbers, + - * / % ^ and parentheses",
    examples: &["(2+2)*3", "-2^2", "0.1+0.2", "7%4/0"],
};

/// The portal: whom it asks, and for what.
#[derive(Clone)]
struct Portal {
    finder: Finder,
    time: Name,
    calc: Name,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Portal::from_env() {
        Ok(portal) => serve::run("portal", 8080, router(portal)).await,
        Err(error) => serve::refuse("portal", &error),
    }
}

fn router(portal: Portal) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/api/time", get(api_time))
        .route("/api/calc", get(api_calc))
        .route("/health", get(service::health))
        .method_not_allowed_fallback(service::method_not_allowed)
        .fallback(async || (StatusCode::NOT_FOUND, "no such page; there are GET / and GET /health\n"))
        .with_state(portal)
}

impl Portal {
    fn from_env() -> Result<Self, FinderError> {
        let zone = settings::text("ZONE").unwrap_or_else(|| "servicediscovery.internal".into());
        let time = service_name("TIME_SERVICE", format!("_time._tcp.{zone}"))?;
        let calc = service_name("CALC_SERVICE", format!("_calc._tcp.{zone}"))?;
        Ok(Self { finder: Finder::from_env()?, time, calc })
    }

    async fn ask_time(&self, layout: &str) -> Outcome {
        errand::run(&self.finder, &self.time, "/time/", layout).await
    }

    async fn ask_calc(&self, formula: &str) -> Outcome {
        errand::run(&self.finder, &self.calc, "/calc/", formula).await
    }
}

fn service_name(setting: &'static str, default: String) -> Result<Name, SettingError> {
    let value = settings::text(setting).unwrap_or(default);
    match Name::from_utf8(&value) {
        Ok(mut name) => {
            // Always the whole name: a search list has no say in where a service is.
            name.set_fqdn(true);
            Ok(name)
        }
        Err(_) => {
            Err(SettingError { name: setting, value, wanted: "a name such as _web._tcp.example.internal" })
        }
    }
}

/// The fields of both forms. In a query a plus is a space, and a plus is `%2B`: so browsers send them.
#[derive(Deserialize)]
struct Form {
    layout: Option<String>,
    formula: Option<String>,
}

async fn show(State(portal): State<Portal>, Query(form): Query<Form>) -> Response {
    let time = match form.layout {
        Some(input) => Some(Turn { outcome: portal.ask_time(&input).await, input }),
        None => None,
    };
    let calc = match form.formula {
        Some(input) => Some(Turn { outcome: portal.ask_calc(&input).await, input }),
        None => None,
    };
    let page = page::render([(&TIME, &plain(&portal.time), time), (&CALC, &plain(&portal.calc), calc)]);
    fresh(Html(page))
}

async fn api_time(State(portal): State<Portal>, Query(form): Query<Form>) -> Response {
    api(portal.ask_time(&form.layout.unwrap_or_default()).await)
}

async fn api_calc(State(portal): State<Portal>, Query(form): Query<Form>) -> Response {
    api(portal.ask_calc(&form.formula.unwrap_or_default()).await)
}

fn api(outcome: Outcome) -> Response {
    fresh((outcome.status(), Json(outcome)))
}

/// An answer that nobody may keep: the next one may come from another container.
fn fresh(response: impl IntoResponse) -> Response {
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}
