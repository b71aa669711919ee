//! Real processes on free ports, and plain HTTP to them.

// Each test file uses some of it.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request, StatusCode};
use ecssd_examples::exchange::exchange;
use ecssd_examples::service::CREDENTIALS;
use http_body_util::Empty;
use serde_json::Value;

pub(crate) const TIME: &str = env!("CARGO_BIN_EXE_time");
pub(crate) const CALC: &str = env!("CARGO_BIN_EXE_calc");
pub(crate) const PORTAL: &str = env!("CARGO_BIN_EXE_portal");

/// A service's process, which ends with the test.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Starts the program as container `c1` on instance `i-1`, and waits until it listens.
    pub(crate) fn start(program: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.env_clear().env("PORT", "0").env("HOSTNAME", "c1").env("INSTANCE_ID", "i-1");
        command.envs(settings.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the process to end, and says how and how soon it did.
    pub(crate) fn end(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        (self.child.wait().unwrap(), start.elapsed())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        self.send(Method::GET, path, Some(CREDENTIALS)).await
    }

    pub(crate) async fn get_json(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.get(path).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        credentials: Option<&str>,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(credentials) = credentials {
            request = request.header(AUTHORIZATION, credentials);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let reply = exchange(self.address, request, Duration::from_secs(10)).await.unwrap();
        (reply.status, String::from_utf8(reply.body.into()).unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
