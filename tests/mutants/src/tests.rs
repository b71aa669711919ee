//! The tests that are asked: how long each takes, and which mistakes it comes past. Only those can be noticed by it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::build::Built;

const SEEDS: &str = "200";
const MEMORY_KIB_MAX: u64 = 8 << 20;
const LOOK_AGAIN: Duration = Duration::from_millis(3);

/// A test, or the simulation.
#[derive(Debug, Deserialize, Serialize)]
pub struct Test {
    /// Of which program.
    pub program: PathBuf,
    /// None is the simulation.
    pub name: Option<String>,
    /// How long it computes, without a mistake. What else goes on does not change that.
    pub takes: Duration,
    /// The mistakes it comes past.
    pub passes: HashSet<usize>,
}

/// What a mistake is to tests.
#[derive(Clone, Copy, Debug)]
pub enum On<'a> {
    /// It is switched on.
    Number(usize),
    /// It is in the program, without a switch.
    Always,
    /// There is none; those that are come past go to this file.
    None { passed: &'a Path },
}

/// All of them, those first that take the least: as it is known of these very programs, or else seen anew.
pub fn all(tree: &Path, built: &Built, out: &Path) -> Result<Vec<Test>, String> {
    let file = out.join("tests");
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let programs = built.tests.iter().chain([&built.simulation]);
    if programs.clone().all(|program| changed(program) < changed(&file)) {
        let text = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let tests: Vec<Test> = serde_json::from_slice(&text).unwrap_or_default();
        if programs.clone().all(|program| tests.iter().any(|test| test.program == *program)) {
            return Ok(tests);
        }
    }
    let tests = seen(tree, built, out)?;
    let text = serde_json::to_string(&tests).map_err(|error| error.to_string())?;
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(tests)
}

/// Each in a process of its own.
fn seen(tree: &Path, built: &Built, out: &Path) -> Result<Vec<Test>, String> {
    let mut tests = Vec::new();
    for program in &built.tests {
        let ignored = names(program, &["--list", "--ignored"])?;
        for name in names(program, &["--list"])? {
            if !ignored.contains(&name) {
                tests.push(Test::new(program, Some(name)));
            }
        }
    }
    tests.push(Test::new(&built.simulation, None));
    let (passed, log) = (out.join("passed"), out.join("log"));
    for test in &mut tests {
        fs::write(&passed, "").map_err(|error| format!("{}: {error}", passed.display()))?;
        let before = computed()?;
        let ended = run(tree, &[test], On::None { passed: &passed }, &log)?;
        if !ended.well {
            return Err(format!("{} fails without any mistake: see {}", test.words(), log.display()));
        }
        test.takes = computed()?.saturating_sub(before);
        let text = fs::read_to_string(&passed).map_err(|error| format!("{}: {error}", passed.display()))?;
        test.passes = text.lines().filter_map(|line| line.parse().ok()).collect();
    }
    tests.sort_by_key(|test| test.takes);
    Ok(tests)
}

/// How long all processes computed that this one has started, and that have ended.
fn computed() -> Result<Duration, String> {
    let text = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    // The 16th and the 17th, in hundredths of a second; the 2nd is a name that may hold anything.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(13).take(2);
    Ok(Duration::from_millis(10 * fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>()))
}

impl Test {
    fn new(program: &Path, name: Option<String>) -> Self {
        // Until it is known: more than any takes.
        Self { program: program.to_owned(), name, takes: Duration::from_secs(600), passes: HashSet::new() }
    }

    /// How people call it.
    pub fn words(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{SEEDS} seeds"))
    }
}

fn names(program: &Path, arguments: &[&str]) -> Result<Vec<String>, String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{} does not start: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// How tests ended.
#[derive(Debug)]
pub struct Ended {
    pub well: bool,
    /// The first that failed, or how the process died.
    pub by: String,
}

/// Runs tests of one program, in one process.
///
/// What never ends is noticed too: by the time that it computes, which other work on the machine does not change, and
/// by a far longer one on the wall, for what only waits.
pub fn run(tree: &Path, tests: &[&Test], on: On<'_>, log: &Path) -> Result<Ended, String> {
    let Some(first) = tests.first() else { return Ok(Ended { well: true, by: String::new() }) };
    let takes: Duration = tests.iter().map(|test| test.takes).sum();
    let say = |error| format!("{}: {error}", log.display());
    let file = File::create(log).map_err(say)?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(r#"ulimit -v "$0"; ulimit -t "$1"; shift; exec "$@""#);
    command.arg(MEMORY_KIB_MAX.to_string()).arg((3 + 10 * takes.as_secs()).to_string()).arg(&first.program);
    match &first.name {
        Some(_) => command
            .args(["--exact", "--test-threads", "1"])
            .args(tests.iter().filter_map(|test| test.name.as_ref())),
        None => command.args(["--this-alone", "--seeds", SEEDS]),
    };
    command.current_dir(tree).env("CARGO_MANIFEST_DIR", tree).env("RUST_BACKTRACE", "0");
    // The same cases each time, none that another mistake has left behind, and none made shorter to be read.
    command.env("PROPTEST_RNG_SEED", "1").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
    command.env("PROPTEST_MAX_SHRINK_ITERS", "0");
    match on {
        On::Number(number) => drop(command.env("ECSSD_MUTANT", number.to_string())),
        On::None { passed } => drop(command.env("ECSSD_MUTANTS_PASSED", passed)),
        On::Always => {}
    }
    let mut child = command
        .stdin(std::process::Stdio::null())
        .stderr(file.try_clone().map_err(say)?)
        .stdout(file)
        .spawn()
        .map_err(|error| format!("{} does not start: {error}", first.program.display()))?;
    let patience = Duration::from_secs(60) + 30 * takes;
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(say)? {
            Some(status) => break Some(status),
            None if started.elapsed() > patience => {
                child.kill().and_then(|()| child.wait()).map_err(say)?;
                break None;
            }
            None => thread::sleep(LOOK_AGAIN),
        }
    };
    let text = String::from_utf8_lossy(&fs::read(log).map_err(say)?).into_owned();
    Ok(Ended { well: status.is_some_and(|status| status.success()), by: who(first, status, &text) })
}

fn who(first: &Test, status: Option<ExitStatus>, text: &str) -> String {
    let failed = text.lines().find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    match (failed, status) {
        (Some(failed), _) => failed.to_owned(),
        (None, Some(status)) => format!("{} and others: {status}", first.words()),
        (None, None) => format!("{} and others: none ends", first.words()),
    }
}
