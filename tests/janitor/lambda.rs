//! The zip's `bootstrap` under a Lambda runtime API that others wrote: `cargo lambda watch`, told to start nothing
//! itself. It is at `ECSSD_TEST_CARGO_LAMBDA`; `tests/run` provides it.
//!
//! The wait between the inspections is a true minute here.

use std::collections::BTreeSet;
use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scale;
use crate::scene::{Scene, mark};
use ecssd_testing::http::ask;
use ecssd_testing::route53::hosted::emulator;

const CARGO_LAMBDA: &str = "ECSSD_TEST_CARGO_LAMBDA";
/// How long anything may take before a test gives up on it: nothing here measures time.
const PATIENCE: Duration = Duration::from_secs(120);
const STARTS: usize = 15;

/// Ended when it is over, however that comes.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program as it comes out of its zip.
fn bootstrap(dir: &Path) -> PathBuf {
    let zip = dir.join("janitor.zip");
    let packed = Command::new("deploy/lambda").arg("pack").arg(scale::program()).arg(&zip).output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let listed = Command::new("python3").args(["-m", "zipfile", "-l"]).arg(&zip).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    assert!(names.lines().count() == 2 && names.lines().nth(1).unwrap().starts_with("bootstrap "), "{names}");
    // It keeps who may run what, which Python's own hand would lose.
    let mode = "import sys, zipfile; i = zipfile.ZipFile(sys.argv[1]).getinfo('bootstrap'); print(oct(i.external_attr >> 16))";
    let mode = Command::new("python3").args(["-c", mode]).arg(&zip).output().unwrap();
    assert!(String::from_utf8(mode.stdout).unwrap().trim().ends_with("755"));
    let unpacked = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&zip).arg(dir).status().unwrap();
    assert!(unpacked.success());
    let program = dir.join("bootstrap");
    let chmod = Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    assert!(chmod.success());
    program
}

/// As Lambda starts it, without arguments.
pub fn start(program: &Path, api: &str, variables: &[(&str, &str)], stdout: Stdio) -> Process {
    let mut command = Command::new(program);
    command.env_clear().env("AWS_LAMBDA_RUNTIME_API", api).env("AWS_LAMBDA_FUNCTION_NAME", "_");
    command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128").env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_REGION", "us-east-1").envs(variables.iter().copied());
    Process(command.stdin(Stdio::null()).stdout(stdout).spawn().unwrap())
}

#[test]
fn asks_for_its_first_event_at_once() {
    let dir = TempDir::new().unwrap();
    let program = bootstrap(dir.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = listener.local_addr().unwrap().to_string();
    let mut times: Vec<f64> = (0..STARTS)
        .map(|_| {
            let began = Instant::now();
            let _process = start(&program, &api, &[], Stdio::null());
            let (stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).unwrap();
            assert!(line.starts_with("GET /2018-06-01/runtime/invocation/next "), "{line}");
            began.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("from exec to the first request: {:.1} ms, at best {:.1}", times[STARTS / 2], times[0]);
}

#[test]
fn sweeps_when_it_is_scheduled() {
    let dir = TempDir::new().unwrap();
    let program = bootstrap(dir.path());
    let scene = Scene::new("lambda");
    let host = scene.host("web").0;
    let records = ["RUNNING", "STOPPED"].map(|status| scene.task("web", &host, "_web._tcp", status));
    scene.zone.create(&records);

    let port = free_port();
    let _api = runtime_api(port, dir.path());
    let out = dir.path().join("out");
    let emulator_url = format!("http://{}", emulator());
    let variables = [
        ("ECSSD_ZONE", scene.zone.name.as_str()),
        ("AWS_ENDPOINT_URL", &emulator_url),
        ("AWS_ENDPOINT_URL_ECS", &scene.ecs.url),
        // As the predecessor's users have set it.
        ("ecs_clusters", ""),
        ("check_health", "false"),
    ];
    let api = format!("http://127.0.0.1:{port}/.rt");
    let mut process = start(&program, &api, &variables, File::create(&out).unwrap().into());
    let mut invoke = |event: Value| invoke(port, event, &mut process);

    // One that cannot be says so, and the next is dealt with all the same.
    let (_, answer) = invoke(json!({"ecs_clusters": 7}));
    assert!(answer["errorMessage"].as_str().unwrap().contains("event"), "{answer}");
    let before = scene.marks();
    let (status, summary) = invoke(json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "111122223333", "time": "2026-10-08T16:53:06Z",
        "region": "us-east-1", "resources": ["arn:aws:events:us-east-1:111122223333:rule/janitor"],
        "detail": {}
    }));
    assert_eq!((status, &summary["standstill"]), (200, &Value::Null), "{summary}");
    assert_eq!(summary["verdicts"]["delete"], json!({"ContainerStopped": 1}), "{summary}");
    assert_eq!(scene.marks(), &before - &BTreeSet::from([mark(&records[1])]));
    assert!(summary["seconds"]["total"].as_f64().unwrap() > 60.0);
    let printed = read_to_string(&out).unwrap();
    let metrics = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let metrics: Vec<Value> = metrics.filter(|line| !line["_aws"].is_null()).collect();
    assert_eq!((metrics.len(), &metrics[0]["ChangesMade"]), (1, &json!(2)), "{printed}");
    let peak = scale::peak_memory_kb(&format!("/proc/{}/status", process.0.id())).unwrap();
    println!("{peak} kB at most");
}

/// Sends an event, and waits for what becomes of it.
fn invoke(port: u16, event: Value, process: &mut Process) -> (u16, Value) {
    let target = "/2015-03-31/functions/_/invocations";
    let asked =
        std::thread::spawn(move || ask(&format!("127.0.0.1:{port}"), "POST", target, &event.to_string()));
    let began = Instant::now();
    while !asked.is_finished() {
        assert!(process.0.try_wait().unwrap().is_none(), "it has ended");
        assert!(began.elapsed() < 4 * PATIENCE, "no answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, answer) = asked.join().unwrap();
    (status, serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{status}: {answer}")))
}

/// A port for another program, below those that the kernel gives to whoever asks for any, as other tests do meanwhile.
fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    // Another run of this is likely to begin elsewhere.
    let first = 10_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    (first..20_000).chain(10_000..first).find(is_free).unwrap()
}

/// The API. Told to start nothing itself, it waits for whoever asks it for events.
fn runtime_api(port: u16, dir: &Path) -> Process {
    let program = std::env::var_os(CARGO_LAMBDA).filter(|program| !program.is_empty());
    let program = program.unwrap_or_else(|| {
        panic!("{CARGO_LAMBDA} is not set: this test needs cargo-lambda, run it by tests/run")
    });
    let log = dir.join("api");
    let mut command = Command::new(program);
    command.args([
        "lambda",
        "watch",
        "--only-lambda-apis",
        "--ignore-changes",
        "--invoke-address",
        "127.0.0.1",
    ]);
    command.arg("--invoke-port").arg(port.to_string());
    command.stdout(File::create(&log).unwrap()).stderr(File::options().append(true).open(&log).unwrap());
    let mut process = Process(command.spawn().unwrap());
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let is_there = process.0.try_wait().unwrap().is_none();
        assert!(is_there && began.elapsed() < PATIENCE, "{}", read_to_string(&log).unwrap());
        std::thread::sleep(Duration::from_millis(50));
    }
    process
}
