//! DNS for a zone in the emulator, in a process that no fault of an agent touches: as Route 53's own servers are.
//!
//! It copies the zone without pause, and has the copy answered by the code that answers for the embedded zone: which
//! is not what is looked at here, and draws by weight as Route 53 does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ecssd::record::{Action, Change, RecordSet};
use ecssd::serve::dns;
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::route53::hosted::HostedZone;

/// Between two readings: far less than Route 53 takes to spread a change.
const PAUSE: Duration = Duration::from_millis(5);

pub struct Secondary {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Secondary {
    pub fn of(zone: &HostedZone) -> Self {
        let (zone, stop) = (zone.clone(), Arc::new(AtomicBool::new(false)));
        let (stopped, (tell, told)) = (stop.clone(), std::sync::mpsc::channel());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let copy = EmbeddedZone::in_memory(&zone.name, Options::default()).unwrap();
                let front = dns::serve(copy.clone(), &[(Ipv4Addr::LOCALHOST, 0).into()], 8).unwrap();
                let mut address = Some(front.addresses()[0]);
                while !stopped.load(Ordering::Relaxed) {
                    let (from, now) = (zone.clone(), copy.snapshot());
                    // Reading blocks, and questions are not to wait for it.
                    let sets = tokio::task::spawn_blocking(move || from.sets()).await.unwrap();
                    let changes = difference(&now, &sets);
                    if !changes.is_empty() {
                        copy.change(&changes).await.unwrap();
                    }
                    // It is asked from when on it holds what the zone did.
                    if let Some(address) = address.take() {
                        tell.send(address).unwrap();
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                drop(front);
            });
        });
        Self { address: told.recv().unwrap(), stop, thread: Some(thread) }
    }
}

impl Drop for Secondary {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        // A panic of a test that is under way says more than this one.
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the zone could not be copied");
    }
}

/// What makes a copy that holds `old`, and the zone's own records, hold `new`.
fn difference(old: &[RecordSet], new: &[RecordSet]) -> Vec<Change> {
    let gone = old.iter().filter(|set| set.set_identifier.is_some() && !new.contains(set));
    let come = new.iter().filter(|set| !old.contains(set));
    let change = |action| move |set: &RecordSet| Change { action, set: set.clone() };
    gone.map(change(Action::Delete)).chain(come.map(change(Action::Create))).collect()
}
