//! `--doctor` before a Docker engine and a Route 53 that say what they are told to: what it asks, what it makes of the
//! answers, and its exit code.

use std::io::{BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ecssd_testing::agent::{alone, program};
use ecssd_testing::http::{Request, listen, say, written};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An engine that runs nothing, and what it was asked.
struct Engine {
    dir: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    fn start(version: Value) -> Self {
        let (dir, asked) = (TempDir::new().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let listener = UnixListener::bind(dir.path().join("docker.sock")).unwrap();
        let seen = asked.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut requests = BufReader::new(stream.try_clone().unwrap());
                while let Ok(Some(request)) = Request::read(&mut requests) {
                    seen.lock().unwrap().push(format!("{} {}", request.method(), request.target()));
                    let body = if request.target().ends_with("/version") { &version } else { &json!([]) };
                    let answer = written(&(200, "application/json", body.to_string()));
                    if stream.write_all(&answer).is_err() {
                        break;
                    }
                }
            }
        });
        Self { dir, asked }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("docker.sock")
    }

    /// The exit code, and what it printed.
    fn examine(&self, options: &[&str]) -> (Option<i32>, String) {
        let mut command = alone(program());
        command.args(["--doctor", "--hostname", "web1", "--address", "10.0.0.7", "--status-socket"]);
        command.arg(self.dir.path().join("status.sock")).arg("--docker-socket").arg(self.socket());
        command.arg("--state-dir").arg(self.dir.path().join("state")).args(options);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

fn version(version: &str, part: &str) -> Value {
    json!({ "Version": version, "ApiVersion": "1.47", "Components": [{ "Name": part, "Version": "1" }] })
}

#[test]
fn it_reads_and_writes_nothing_and_asks_docker_what_an_agent_asks() {
    let engine = Engine::start(version("28.0.0", "containerd"));
    let (code, text) = engine.examine(&["--local"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("0 broken, 1 warning, 8 fine\n"), "{text}");
    assert!(text.starts_with("warning  agent            no agent answers at "), "{text}");
    assert!(text.contains("\n                          → start it"), "{text}");
    assert!(text.contains("fine     docker           version 28.0.0 answers\n"), "{text}");
    let asked = engine.asked.lock().unwrap();
    let allowed = |line: &String| {
        line.strip_prefix("GET ").is_some_and(|path| {
            let path = path.split('?').next().unwrap_or_default();
            path.ends_with("/version") || path.ends_with("/containers/json")
        })
    };
    assert!(asked.len() >= 2 && asked.iter().all(allowed), "{asked:?}");
    assert_eq!(std::fs::read_dir(engine.dir.path()).unwrap().count(), 1, "nothing but Docker's socket");
}

#[test]
fn an_engine_that_is_none_or_another_is_named() {
    for (said, level, words) in [
        (version("5.2.0", "Podman Engine"), "warning  docker", "serve on for a while"),
        (version("28.0.0", "rootlesskit"), "warning  TCP checks", "CHECK_HTTP=/path"),
        (version("17.03.2-ce", "runc"), "broken   docker", "bring Docker up to date"),
        (json!("nonsense"), "broken   docker", "see Docker's log"),
    ] {
        let (code, text) = Engine::start(said).examine(&["--local"]);
        assert_eq!(code, Some(if level.starts_with("broken") { 69 } else { 0 }), "{text}");
        assert!(text.contains(level) && text.contains(words), "{level}, {words}: {text}");
    }
    let engine = Engine::start(json!({}));
    std::fs::remove_file(engine.socket()).unwrap();
    drop(UnixListener::bind(engine.socket()).unwrap());
    let (code, text) = engine.examine(&["--local"]);
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains("Connection refused") && text.contains("→ start Docker"), "{text}");
}

#[test]
fn a_wrong_clock_and_absent_credentials_are_told_apart() {
    let engine = Engine::start(version("28.0.0", "containerd"));
    let late = listen(|_, stream| {
        say(
            stream,
            b"HTTP/1.1 403 Forbidden\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
        )
    });
    let (code, text) = engine.examine(&["--endpoint-url", &late]);
    assert_eq!(code, Some(69), "{text}");
    assert!(
        text.contains("broken   zone             route53:ListHostedZonesByName: not authenticated"),
        "{text}"
    );
    assert!(!text.contains("credential provider was not enabled"), "{text}");

    let mut command = alone(program());
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y");
    command.args([
        "--doctor",
        "--json",
        "--endpoint-url",
        &late,
        "--hostname",
        "web1",
        "--address",
        "10.0.0.7",
    ]);
    let output = command.arg("--docker-socket").arg(engine.socket()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let clock = findings.iter().find(|finding| finding["subject"] == "clock").unwrap();
    assert_eq!((output.status.code(), &clock["level"]), (Some(69), &json!("broken")), "{report}");
    assert!(
        clock["line"].as_str().unwrap().ends_with("s ahead of the API's, so no signature holds"),
        "{clock}"
    );
}
