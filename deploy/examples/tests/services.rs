//! `time` and `calc` as processes: their HTTP, their credentials, and how they stop.

// The exemption for tests does not reach their helpers.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use common::{CALC, Service, TIME};
use serde_json::json;

#[tokio::test]
async fn calc_takes_the_formula_raw_or_encoded() {
    let calc = Service::start(CALC, &[]);
    for (path, value) in [
        ("/calc/(2+2)*3", "12"),
        ("/calc/%282%2B2%29%2A3", "12"),
        ("/calc/1+1", "2"),
        ("/calc/1%20+%201", "2"),
        ("/calc/8/4/2", "1"),
        ("/calc/7%254", "3"),
        ("/calc/-2^2", "-4"),
        ("/calc/0.1+0.2", "0.30000000000000004"),
    ] {
        let answer = json!({ "value": value, "containerid": "c1", "instanceid": "i-1" });
        assert_eq!(calc.get_json(path).await, (StatusCode::OK, answer), "{path}");
    }
}

#[tokio::test]
async fn calc_names_the_place_of_a_fault() {
    let calc = Service::start(CALC, &[]);
    for (path, position) in
        [("/calc/", 1), ("/calc/2+*3", 3), ("/calc//2", 1), ("/calc/1/0", 2), ("/calc/1+%ff", 3)]
    {
        let (status, refusal) = calc.get_json(path).await;
        assert_eq!((status, &refusal["position"]), (StatusCode::BAD_REQUEST, &json!(position)), "{path}");
        let error = refusal["error"].as_str().unwrap();
        assert!(error.contains(&format!("position {position}")), "{error}");
    }
    // Nearly the longest path that HTTP libraries carry.
    let (status, _) = calc.get(&format!("/calc/{}", "(".repeat(63 * 1024))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(calc.get("/health").await.0, StatusCode::OK);
}

#[tokio::test]
async fn time_takes_the_whole_rest_of_the_path() {
    let time = Service::start(TIME, &[]);
    for (path, length) in [
        ("/time/15:04%20Jan%202%20", 13..=14),
        ("/time/01/02/2006", 10..=10),
        ("/time/2006-01-02T15:04:05.000Z07:00", 24..=24),
        ("/time/", 0..=0),
        ("/time/..", 2..=2),
    ] {
        let (status, answer) = time.get_json(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(length.contains(&answer["value"].as_str().unwrap().len()), "{path}: {answer}");
    }
    assert_eq!(time.get_json("/time/say+%2B%C3%A9").await.1["value"], "say++é");
}

#[tokio::test]
async fn the_frame_refuses_what_is_not_for_it() {
    let time = Service::start(TIME, &[]);
    let get = |path, credentials| time.send(Method::GET, path, credentials);
    for credentials in [None, Some("Basic"), Some("Basic YWRtaW46"), Some("Bearer YWRtaW46cGFzc3dvcmQ=")] {
        assert_eq!(get("/time/15", credentials).await.0, StatusCode::UNAUTHORIZED, "{credentials:?}");
    }
    assert_eq!(get("/time/15", Some("basic YWRtaW46cGFzc3dvcmQ=")).await.0, StatusCode::OK);
    assert_eq!(get("/health", None).await, (StatusCode::OK, "ok".to_owned()));
    let (status, hint) = get("/nothing", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(hint.contains("GET /time/"), "{hint}");
    for (method, path) in [(Method::POST, "/time/15"), (Method::DELETE, "/health")] {
        assert_eq!(time.send(method, path, None).await.0, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn a_stopping_service_serves_on_for_its_grace() {
    let mut calc = Service::start(CALC, &[("STOP_GRACE", "700ms")]);
    calc.signal("TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(calc.get("/calc/1").await.0, StatusCode::OK);
    let (status, took) = calc.end();
    assert_eq!(status.code(), Some(0));
    assert!((Duration::from_millis(200)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

#[test]
fn an_interrupt_stops_at_once() {
    let mut calc = Service::start(CALC, &[("STOP_GRACE", "60s")]);
    calc.signal("INT");
    let (status, took) = calc.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_wrong_setting_is_refused() {
    let started = std::process::Command::new(CALC).env("PORT", "http").output().unwrap();
    assert!(!started.status.success());
    let said = String::from_utf8(started.stderr).unwrap();
    assert_eq!(said, "calc: PORT=http is not a port number; correct it, or unset it for the default\n");
}
