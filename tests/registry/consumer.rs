//! A consumer of a service whose zone is in the emulator: 50 times a second it reads the service's records there,
//! takes one of them, finds the address of its target, and asks that for a page.
//!
//! Nothing is tried twice and nothing is remembered, so that whatever is wrong for a moment is counted. Requests
//! begin at their pace whether or not earlier ones have ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ecssd_testing::http::Request;
use ecssd_testing::wait::wait_for;
use ecssd_testing::world::{World, port};

use crate::others::OLD_HOST;

const PERIOD: Duration = Duration::from_millis(20);

pub struct Consumer<'a> {
    world: &'a World,
    service: &'a str,
    begun: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl<'a> Consumer<'a> {
    pub fn new(world: &'a World, service: &'a str) -> Self {
        Self { world, service, begun: AtomicUsize::new(0), failures: Mutex::default() }
    }

    /// Asks while something happens; how often, and why which requests failed.
    pub fn during(self, something: impl FnOnce(&Self)) -> (usize, Vec<String>) {
        // What the vendor's resolver answers for its own names of hosts.
        let host = self.world.engine.bridge_address().to_string();
        let over = AtomicBool::new(false);
        let done = thread::scope(|scope| {
            scope.spawn(|| {
                let (this, host, start) = (&self, host.as_str(), Instant::now());
                while !over.load(Ordering::Relaxed) {
                    let number = this.begun.fetch_add(1, Ordering::Relaxed);
                    scope.spawn(move || {
                        if let Err(why) = this.request(number, host) {
                            this.failures.lock().unwrap().push(format!("request {number}: {why}"));
                        }
                    });
                    thread::sleep((PERIOD * (number as u32 + 1)).saturating_sub(start.elapsed()));
                }
            });
            // However that ends, the asking does.
            let done = catch_unwind(AssertUnwindSafe(|| something(&self)));
            over.store(true, Ordering::Relaxed);
            done
        });
        done.unwrap();
        (self.begun.into_inner(), self.failures.into_inner().unwrap())
    }

    /// Lets it ask so many times more.
    pub fn asks(&self, times: usize) {
        let until = self.begun.load(Ordering::Relaxed) + times;
        wait_for("requests", String::new, || (self.begun.load(Ordering::Relaxed) >= until).then_some(()));
    }

    fn request(&self, number: usize, host: &str) -> Result<(), String> {
        let sets = self.world.zone.sets();
        let name = self.world.zone.full(self.service);
        let ours: Vec<_> = sets.iter().filter(|set| set.name == name).collect();
        // Their weights are equal.
        let set = ours.get(number % ours.len().max(1)).ok_or("no record")?;
        let target = set.values[0].rsplit(' ').next().unwrap();
        let address = match target {
            OLD_HOST => host,
            _ => sets.iter().find(|set| set.name == target).map(|set| &*set.values[0]).ok_or("no address")?,
        };
        page(&format!("{address}:{}", port(set)))
    }
}

fn page(at: &str) -> Result<(), String> {
    let headers = vec![format!("Host: {at}")];
    let request = Request { line: "GET /health HTTP/1.1".to_owned(), headers, body: String::new() };
    match request.pass_on(at) {
        Ok(answer) if answer.starts_with(b"HTTP/1.1 200 ") => Ok(()),
        Ok(answer) => Err(format!("{at}: {}", String::from_utf8_lossy(&answer))),
        Err(error) => Err(format!("{at}: {error}")),
    }
}
