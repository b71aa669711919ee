//! Commands work as they stand.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use ecssd_testing::agent::alone;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::process::output;
use ecssd_testing::wait::{unique, wait_at_most};
use tempfile::TempDir;

use crate::page::{Block, Page, ROOT};

/// Beyond what a page or the demo may take; a hang is a failure too.
const PATIENCE: Duration = Duration::from_secs(1200);

/// What is to become of a block.
#[derive(Debug, PartialEq, Eq)]
enum Fate<'a> {
    Run,
    RunBy(&'a str),
    NotRun,
    NoCommand,
}

impl Block {
    fn fate(&self) -> Fate<'_> {
        let Self { place, info, text } = self;
        match info.split_once(": ") {
            None if info == "sh" => Fate::Run,
            Some(("sh run-by", step)) => Fate::RunBy(step),
            // Taken from the page by that step's tests, language by language.
            Some((
                "haproxy run-by" | "yaml run-by" | "go run-by" | "python run-by",
                "tests/run consumers",
            )) => Fate::NoCommand,
            Some((
                "sh not-run" | "dockerfile not-run" | "go not-run" | "java not-run" | "js not-run",
                reason,
            )) if reason.len() > 3 => Fate::NotRun,
            None if info == "text" => {
                let prompt = text.lines().any(|line| line.starts_with("$ ") || line.starts_with("# "));
                assert!(!prompt, "{place}: commands in a block of text are run by nobody");
                Fate::NoCommand
            }
            None if info == "json" => {
                let read = serde_json::from_str::<serde_json::Value>(text);
                assert!(read.is_ok(), "{place}: {read:?}");
                Fate::NoCommand
            }
            _ => panic!(
                "{place}: {info:?} is none of: sh, LANGUAGE not-run: REASON, sh run-by: tests/run STEP, text, json, \
                 LANGUAGE run-by: tests/run consumers"
            ),
        }
    }
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let pages = Page::all();
    let blocks: Vec<_> = pages.iter().flat_map(|page| &page.blocks).collect();
    for block in &blocks {
        if let Fate::RunBy(step) = block.fate() {
            // Its step, which names the test below.
            assert_eq!(step, "tests/run demo", "{}: that step runs no blocks", block.place);
        }
    }
    let run = fs::read_to_string(Path::new(ROOT).join("tests/run")).unwrap();
    assert!(run.contains("what_the_demo_step_runs"), "tests/run demo does not run them");
    assert!(run.contains("--test consumers -- --ignored"), "tests/run consumers does not run them");
    assert!(blocks.iter().any(|block| block.fate() == Fate::Run));
}

/// All blocks of a page, one after another, in one shell, in an empty directory, as somebody who is told of nothing but
/// the engine: the tests' one stands for the machine's.
#[test]
fn the_blocks_of_each_page_work_as_they_stand() {
    let engine = Engine::given();
    for page in Page::all() {
        let blocks: Vec<_> = page.blocks.iter().filter(|block| block.fate() == Fate::Run).collect();
        if blocks.is_empty() {
            continue;
        }
        let desk = Desk::new(&engine);
        let mut command = alone("bash");
        let path = std::env::var("PATH").unwrap();
        let agent = Path::new(env!("CARGO_BIN_EXE_ecssd")).parent().unwrap().display();
        command.env("PATH", format!("{}:{agent}:{path}", desk.dir.path().join("bin").display()));
        command.env("HOME", desk.dir.path()).current_dir(desk.dir.path().join("home"));
        command.env("ECSSD_STATE_DIR", desk.dir.path().join("state"));
        command.env("ECSSD_DOCKER_SOCKET", &engine.socket);
        // The engine's network may lead nowhere, and so have no default route to take it from.
        command.env("ECSSD_ADDRESS", engine.bridge_address().to_string());
        let (status, said) = shell(command, &blocks);
        assert!(status.success(), "{}: {status}: {said}", page.path.display());
    }
}

/// Those that `tests/run demo` runs, in the checkout itself.
#[test]
#[ignore = "builds what is shipped; tests/run demo runs it"]
fn what_the_demo_step_runs() {
    let pages = Page::all();
    let blocks = pages.iter().flat_map(|page| &page.blocks);
    let blocks: Vec<_> = blocks.filter(|block| matches!(block.fate(), Fate::RunBy(_))).collect();
    assert!(!blocks.is_empty());
    let _down = Demo;
    let mut command = Command::new("bash");
    command.current_dir(ROOT);
    // What cargo tells the tests that it runs, build scripts would take for a reason to build anew.
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    for (name, _) in std::env::vars_os() {
        if told.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let (status, said) = shell(command, &blocks);
    assert!(status.success(), "{status}: {said}");
    let answer =
        |line: &str| line.starts_with("1 1 ") && line.ends_with(" ecssd-demo.servicediscovery.internal.");
    assert!(said.lines().any(answer), "nobody was found: {said}");
}

/// Runs blocks; their end, and all that they said.
fn shell(mut command: Command, blocks: &[&Block]) -> (ExitStatus, String) {
    let script: String =
        blocks.iter().map(|Block { place, text, .. }| format!(": {place}\n{text}")).collect();
    let dir = TempDir::new().unwrap();
    let (written, log) = (dir.path().join("script"), dir.path().join("log"));
    fs::write(&written, script).unwrap();
    let out = File::create(&log).unwrap();
    command.args(["-euo", "pipefail", "-x"]).arg(&written).stdin(Stdio::null());
    command.stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
    let mut group = Group(command.spawn().unwrap());
    let said = || fs::read_to_string(&log).unwrap();
    let status = wait_at_most(PATIENCE, "the end of the blocks", said, || group.0.try_wait().unwrap());
    (status, said())
}

/// A shell, and whatever it has started.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).output();
        let _ = self.0.wait();
    }
}

/// Where the blocks of a page are run, and what is left of them is removed.
struct Desk<'a> {
    dir: TempDir,
    engine: &'a Engine,
    label: String,
}

impl<'a> Desk<'a> {
    fn new(engine: &'a Engine) -> Self {
        let (dir, label) = (TempDir::new().unwrap(), format!("ecssd-docs={}", unique("desk")));
        for name in ["bin", "home"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let docker = dir.path().join("bin/docker");
        fs::write(&docker, stand_in(&engine.socket, &label)).unwrap();
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir, engine, label }
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        let filter = format!("label={}", self.label);
        let left = output(&mut self.engine.command(&["ps", "--all", "--quiet", "--filter", &filter]));
        for container in left.split_whitespace() {
            let _ = self.engine.command(&["rm", "--force", container]).output();
        }
    }
}

/// `docker`, at the tests' engine. That one pulls nothing: its own web server stands for nginx.
fn stand_in(socket: &str, label: &str) -> String {
    format!(
        r#"#!/usr/bin/env bash
arguments=()
for argument; do
    case $argument in
        run) arguments+=(run --label {label}) ;;
        nginx) arguments+=(ecssd-test httpd -f -p 80 -h /www) ;;
        *) arguments+=("$argument") ;;
    esac
done
PATH=${{PATH#*:}} exec docker --host unix://{socket} "${{arguments[@]}}"
"#
    )
}

/// Takes the demo down, however it went.
struct Demo;

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = Command::new("deploy/demo").arg("--down").current_dir(ROOT).status();
    }
}
