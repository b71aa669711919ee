//! What a process costs: memory, processor time and wake-ups, as /proc tells them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Clock ticks a second in /proc. Source: proc(5) and sysconf(_SC_CLK_TCK); 100 on every Linux that Rust
/// has a tier 1 target for.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process.
#[derive(Debug)]
pub struct Process(PathBuf);

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

impl Process {
    pub fn new(pid: u32) -> Self {
        Self(format!("/proc/{pid}").into())
    }

    pub fn memory(&self) -> Memory {
        let rollup = self.read("smaps_rollup");
        Memory { rss: field(&rollup, "Rss:"), anonymous: field(&rollup, "Anonymous:") }
    }

    /// The highest RSS so far, in kB.
    pub fn peak_rss(&self) -> u64 {
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
        let threads = std::fs::read_dir(self.0.join("task")).unwrap().flatten();
        let statuses =
            threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("status")).ok());
        statuses.map(|status| field(&status, "voluntary_ctxt_switches:")).sum()
    }

    fn read(&self, file: &str) -> String {
        let path = self.0.join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The number behind a name at the beginning of a line.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap()
}
