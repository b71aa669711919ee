//! A process under test: what it says, how it ends, and what it costs, as /proc tells.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::wait::{wait_at_most, wait_for};

/// How long a process may take to end: one that waits for another waits 30 s.
const END_PATIENCE: Duration = Duration::from_secs(75);
/// Clock ticks a second in /proc. Source: proc(5) and sysconf(_SC_CLK_TCK); 100 on every Linux that Rust
/// has a tier 1 target for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Runs a command, which must succeed; what it prints.
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{command:?}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A process, with what it prints and logs; killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    command: Command,
    dir: TempDir,
}

impl Process {
    pub fn start(mut command: Command) -> Self {
        let dir = TempDir::new().unwrap();
        let file = |name| File::options().create(true).append(true).open(dir.path().join(name)).unwrap();
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("log"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, command, dir }
    }

    /// Starts it once more; what it says comes after what it said.
    pub fn start_again(&mut self) {
        assert!(self.has_ended(), "it still runs");
        self.child = self.command.spawn().unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// What it printed, line by line.
    pub fn out(&self) -> Vec<String> {
        let out = fs::read_to_string(self.dir.path().join("out")).unwrap();
        out.lines().map(str::to_owned).collect()
    }

    /// The log's lines, as JSON; one that is still being written is left out.
    pub fn log_lines(&self) -> Vec<Value> {
        let log = self.log();
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        let read = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        whole.lines().map(read).collect()
    }

    /// How many changes of a service's records it says that the zone took.
    pub fn changes(&self, name: &str) -> usize {
        let name = format!("{name}.");
        let of_it = |line: &Value| line["record"].as_str().is_some_and(|record| record.starts_with(&name));
        self.log_lines().iter().filter(|line| line["event"] == "written" && of_it(line)).count()
    }

    /// How often the log says this.
    pub fn said(&self, text: &str) -> usize {
        self.log().matches(text).count()
    }

    /// Waits until the log says this.
    pub fn says(&self, text: &str) {
        self.wait_for(text, || (self.said(text) > 0).then_some(()));
    }

    /// Asks until there is something.
    pub fn wait_for<T>(&self, what: &str, found: impl FnMut() -> Option<T>) -> T {
        wait_for(what, || self.log(), found)
    }

    pub fn signal(&self, signal: &str) {
        output(Command::new("kill").args([&format!("-{signal}"), &self.pid().to_string()]));
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end; the exit code, if no signal ended it.
    pub fn ended(&mut self) -> Option<i32> {
        let (log, child) = (self.dir.path().join("log"), &mut self.child);
        let log = || fs::read_to_string(&log).unwrap();
        wait_at_most(END_PATIENCE, "the end of the process", log, || child.try_wait().unwrap()).code()
    }

    /// SIGTERM, and the exit code.
    pub fn drain(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.ended()
    }

    /// SIGHUP, and the exit code.
    pub fn hand_over(&mut self) -> Option<i32> {
        self.signal("HUP");
        self.ended()
    }

    pub fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it holds, in kB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub rss: u64,
    /// Not backed by a file, and so its own alone.
    pub anonymous: u64,
}

/// What it did in a while.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// Of one core, in percent.
    pub cpu_percent: f64,
    pub wakeups_per_second: f64,
}

/// What it costs.
impl Process {
    pub fn memory(&self) -> Memory {
        let rollup = self.read("smaps_rollup");
        let of = |name| field(&rollup, name).unwrap();
        Memory { rss: of("Rss:"), anonymous: of("Anonymous:") }
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// The highest RSS so far, in kB, unless it has ended.
    pub fn peak_rss(&self) -> Option<u64> {
        field(&self.read("status"), "VmHWM:")
    }

    /// What it does while nobody asks it anything.
    pub fn watch(&self, watched: Duration) -> Idle {
        let (began, cpu, wakeups) = (Instant::now(), self.cpu(), self.wakeups());
        std::thread::sleep(watched);
        let seconds = began.elapsed().as_secs_f64();
        Idle {
            cpu_percent: 100.0 * (self.cpu() - cpu).as_secs_f64() / seconds,
            wakeups_per_second: self.wakeups().saturating_sub(wakeups) as f64 / seconds,
        }
    }

    /// How long its main thread, the only one that works, was on a core so far, and waited for one: what of a
    /// slow answer is the machine's fault.
    pub fn on_core_and_waiting(&self) -> (Duration, Duration) {
        let schedstat = self.read("schedstat");
        let mut nanos =
            schedstat.split_whitespace().map(|nanos| Duration::from_nanos(nanos.parse().unwrap()));
        (nanos.next().unwrap(), nanos.next().unwrap())
    }

    /// What it has used of the cores so far.
    pub fn cpu(&self) -> Duration {
        Duration::from_secs_f64(self.ticks() as f64 / TICKS_PER_SECOND)
    }

    /// User and system time of all its threads, also of those that have ended.
    fn ticks(&self) -> u64 {
        let stat = self.read("stat");
        // The second field is the program's name in parentheses, and may hold blanks.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11..=12].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    fn wakeups(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap().flatten();
        let statuses = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
        statuses.filter_map(|status| field(&status, "voluntary_ctxt_switches:")).sum()
    }

    fn read(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.pid());
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// The number behind a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
