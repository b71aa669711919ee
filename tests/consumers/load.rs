//! Requests through a proxy, 50 a second, whether or not earlier ones have ended; nothing is tried twice here.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

const PERIOD: Duration = Duration::from_millis(20);
/// A request that hangs has failed: longer than the proxy waits for anything.
const WITHIN: Duration = Duration::from_secs(15);

/// What is done meanwhile, how many requests began then, and how those ended that failed then.
#[derive(Clone, Debug)]
pub struct Phase {
    pub what: &'static str,
    pub asked: usize,
    pub failed: Vec<Failure>,
}

/// A request that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub why: String,
    pub began: OffsetDateTime,
    pub ended: OffsetDateTime,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, asked, failed } = self;
        write!(f, "{what}: {asked} requests, {} failed", failed.len())?;
        let causes: BTreeSet<_> = failed.iter().map(|failure| &failure.why).collect();
        causes.iter().try_for_each(|cause| write!(f, ", {cause:?}"))
    }
}

/// Requests, until it is stopped.
pub struct Load {
    over: Arc<AtomicBool>,
    phases: Arc<Mutex<Vec<Phase>>>,
    asking: JoinHandle<()>,
}

impl Load {
    pub fn on(proxy: &'static str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let phases = Arc::new(Mutex::new(vec![Phase { what: "nothing", asked: 0, failed: Vec::new() }]));
        let asking = thread::spawn({
            let (over, phases) = (over.clone(), phases.clone());
            move || {
                thread::scope(|scope| {
                    while !over.load(Ordering::Relaxed) {
                        let (next, phases) = (Instant::now() + PERIOD, &phases);
                        phases.lock().unwrap().last_mut().unwrap().asked += 1;
                        scope.spawn(move || {
                            let began = OffsetDateTime::now_utc();
                            if let Err(why) = request(proxy) {
                                let failure = Failure { why, began, ended: OffsetDateTime::now_utc() };
                                phases.lock().unwrap().last_mut().unwrap().failed.push(failure);
                            }
                        });
                        thread::sleep(next.saturating_duration_since(Instant::now()));
                    }
                })
            }
        });
        Self { over, phases, asking }
    }

    /// From now on something else is done meanwhile.
    pub fn meanwhile(&self, what: &'static str) {
        self.phases.lock().unwrap().push(Phase { what, asked: 0, failed: Vec::new() });
    }

    /// What became of all requests, by what was done meanwhile.
    pub fn stop(self) -> Vec<Phase> {
        self.over.store(true, Ordering::Relaxed);
        self.asking.join().unwrap();
        let mut sums: Vec<Phase> = Vec::new();
        for phase in self.phases.lock().unwrap().drain(..).filter(|phase| phase.asked > 0) {
            match sums.iter_mut().find(|sum| sum.what == phase.what) {
                Some(sum) => {
                    sum.asked += phase.asked;
                    sum.failed.extend(phase.failed);
                }
                None => sums.push(phase),
            }
        }
        sums
    }
}

fn request(proxy: &str) -> Result<(), String> {
    let answer = || -> io::Result<String> {
        let mut stream = TcpStream::connect(proxy)?;
        stream.set_read_timeout(Some(WITHIN))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: calc\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    match answer() {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nit serves\n") => {
            Ok(())
        }
        Ok(answer) => Err(answer.lines().next().unwrap_or("nothing").to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
