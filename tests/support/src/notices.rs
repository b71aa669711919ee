//! Sources of notices that say what they are told to say.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ecssd::container::Timestamp;
use ecssd::edge::host::AddressUnknown;
use ecssd::edge::host::notices::Sources;
use ecssd::machine::departure::{AskError, Said, Source};
use tokio::time::Instant;

/// Sources that say what they are told to say; a clone is another handle to the same ones.
#[derive(Clone)]
pub struct ScriptedNotices(Arc<Mutex<Script>>);

struct Script {
    answers: BTreeMap<Source, Result<Said, AskError>>,
    silent: Vec<Source>,
    /// Where clients reach the host, where that may change.
    address: Option<Option<Ipv4Addr>>,
    asked: BTreeMap<Source, usize>,
    began: Instant,
}

pub const POLLED: [Source; 4] = [Source::Spot, Source::Scaling, Source::Rebalance, Source::Cluster];

impl Default for ScriptedNotices {
    fn default() -> Self {
        let script = Script {
            answers: BTreeMap::new(),
            silent: Vec::new(),
            address: None,
            asked: BTreeMap::new(),
            began: Instant::now(),
        };
        Self(Arc::new(Mutex::new(script)))
    }
}

impl ScriptedNotices {
    /// What a source says from now on.
    pub fn set(&self, source: Source, answer: Result<Said, AskError>) {
        self.0.lock().unwrap().answers.insert(source, answer);
    }

    /// A spot interruption in so many seconds.
    pub fn interrupt_in(&self, seconds: u64) {
        let at = self.wall_clock() + Duration::from_secs(seconds);
        let nanos = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        let at = Some(Timestamp::from_unix_nanos(nanos.try_into().unwrap()));
        self.set(Source::Spot, Ok(Said::HostEnds { what: "spot interruption".into(), at }));
    }

    /// The container instance drains, and these tasks with it.
    pub fn drain_tasks(&self, tasks: &[&str]) {
        let tasks = tasks.iter().map(|&task| task.to_owned()).collect();
        self.set(Source::Cluster, Ok(Said::TasksEnd { what: "DRAINING".into(), tasks }));
    }

    pub fn call_off(&self, source: Source) {
        self.set(source, Ok(Said::Nothing));
    }

    pub fn set_away(&self, source: Source) {
        self.set(source, Err(AskError::Away("away".into())));
    }

    /// A source that never answers any more.
    pub fn silence(&self, source: Source) {
        self.0.lock().unwrap().silent.push(source);
    }

    /// Where clients reach the host from now on; before the agent starts, too, where that is to change.
    pub fn set_address(&self, address: Option<Ipv4Addr>) {
        self.0.lock().unwrap().address = Some(address);
    }

    /// How often a source was asked.
    pub fn asked(&self, source: Source) -> usize {
        self.0.lock().unwrap().asked.get(&source).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Sources for ScriptedNotices {
    fn polled(&self) -> Vec<Source> {
        POLLED.to_vec()
    }

    async fn ask(&self, source: Source) -> Result<Said, AskError> {
        let (answer, silent) = {
            let mut script = self.0.lock().unwrap();
            *script.asked.entry(source).or_default() += 1;
            (script.answers.get(&source).cloned(), script.silent.contains(&source))
        };
        if silent {
            std::future::pending::<()>().await;
        }
        answer.unwrap_or(Ok(Said::Nothing))
    }

    fn wall_clock(&self) -> SystemTime {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        began + self.0.lock().unwrap().began.elapsed()
    }

    fn address(&self) -> Option<Result<Ipv4Addr, AddressUnknown>> {
        let address = self.0.lock().unwrap().address?;
        Some(address.ok_or(AddressUnknown))
    }
}
