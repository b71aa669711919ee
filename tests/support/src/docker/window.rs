//! A window on the Docker engine: an agent behind it sees the containers of one test alone, so that tests
//! can run side by side and still count exactly.
//!
//! The engine does the work: the label that the test's containers carry is put into the filters of what the
//! agent asks. Answers pass as they are.

use std::io::{self, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Request;

pub struct Window {
    dir: TempDir,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    shut: bool,
    connections: usize,
    open: Vec<UnixStream>,
    holds: bool,
    held: usize,
}

impl Window {
    pub fn open(engine: &str, label: &str) -> Self {
        let window = Self { dir: TempDir::new().unwrap(), state: Arc::default() };
        let listener = UnixListener::bind(window.socket()).unwrap();
        let (engine, label, state) = (engine.to_owned(), label.to_owned(), window.state.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                {
                    let mut state = state.0.lock().unwrap();
                    state.connections += 1;
                    if state.shut {
                        continue;
                    }
                    state.open.push(stream.try_clone().unwrap());
                }
                let (engine, label, state) = (engine.clone(), label.clone(), state.clone());
                std::thread::spawn(move || drop(pass(stream, &engine, &label, &state)));
            }
        });
        window
    }

    /// The engine goes away: every connection ends, and so does every new one.
    pub fn shut(&self) {
        let mut state = self.state.0.lock().unwrap();
        state.shut = true;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        state.connections = 0;
    }

    /// It is back.
    pub fn open_again(&self) {
        self.state.0.lock().unwrap().shut = false;
    }

    /// How often it was connected to since it was shut, or opened first.
    pub fn connections(&self) -> usize {
        self.state.0.lock().unwrap().connections
    }

    /// From now on questions about one container wait on their way to the engine; or go on.
    pub fn hold(&self, holds: bool) {
        self.state.0.lock().unwrap().holds = holds;
        self.state.1.notify_all();
    }

    /// How many of them were held.
    pub fn held(&self) -> usize {
        self.state.0.lock().unwrap().held
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("docker.sock")
    }
}

fn pass(agent: UnixStream, engine: &str, label: &str, state: &(Mutex<State>, Condvar)) -> io::Result<()> {
    let mut engine = UnixStream::connect(engine)?;
    let (mut answers, mut back) = (engine.try_clone()?, agent.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut requests = BufReader::new(agent);
    while let Some(request) = Request::read(&mut requests)? {
        if is_inspect(&request.line) {
            let (state, changed) = state;
            let mut state = state.lock().unwrap();
            state.held += usize::from(state.holds);
            let limit = Duration::from_secs(60);
            drop(changed.wait_timeout_while(state, limit, |state| state.holds).unwrap());
        }
        let lines: Vec<String> =
            [narrowed(&request.line, label)].into_iter().chain(request.headers).collect();
        engine.write_all(format!("{}\r\n\r\n{}", lines.join("\r\n"), request.body).as_bytes())?;
    }
    engine.shutdown(Shutdown::Both)
}

fn is_inspect(line: &str) -> bool {
    let path = line.split([' ', '?']).nth(1).unwrap_or_default();
    path.ends_with("/json") && !path.ends_with("/containers/json")
}

/// The request line, with the label among its filters.
fn narrowed(line: &str, label: &str) -> String {
    let (method, rest) = line.split_once(' ').unwrap();
    let (target, version) = rest.rsplit_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.ends_with("/events") && !path.ends_with("/containers/json") {
        return line.to_owned();
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let (filters, others): (Vec<_>, Vec<_>) = pairs.partition(|pair| pair.starts_with("filters="));
    let mut value: Value = match filters.first() {
        Some(pair) => serde_json::from_str(&decode(pair.trim_start_matches("filters="))).unwrap(),
        None => json!({}),
    };
    // An option that is not set is sent as null, too.
    if !value.is_object() {
        value = json!({});
    }
    value["label"] = json!([label]);
    let filters = format!("filters={}", encode(&value.to_string()));
    let query: Vec<&str> = others.into_iter().chain([filters.as_str()]).collect();
    format!("{method} {path}?{} {version}", query.join("&"))
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
