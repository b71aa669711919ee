//! What is due later: the consequences of what happened, each with the life that it was meant for.

use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::record::ContainerId;

use super::scenario::Spec;
use super::world::State;

/// Something that is due.
#[derive(Clone, Debug)]
pub enum Later {
    /// The process of this life ends by itself.
    Exit {
        host: usize,
        id: ContainerId,
        life: u32,
    },
    /// Its time to stop is over.
    Sigkill {
        host: usize,
        id: ContainerId,
        life: u32,
        /// A stop ends with the engine that waits for it.
        engine: u32,
    },
    /// It is started.
    Start {
        host: usize,
        id: ContainerId,
    },
    /// It is connected to its network again.
    Join {
        host: usize,
        id: ContainerId,
    },
    /// One of several starts and ends of a crash loop.
    Crash {
        host: usize,
        id: ContainerId,
        left: u8,
        gap_ms: u16,
    },
    /// The same of one that brings a new container each time.
    CrashAnew {
        host: usize,
        slot: u8,
        service: u8,
        left: u8,
        gap_ms: u16,
    },
    /// A run of its HEALTHCHECK, by whoever runs it.
    Check {
        host: usize,
        id: ContainerId,
        monitor: u32,
    },
    /// Its check passes again.
    Recover {
        host: usize,
        id: ContainerId,
    },
    /// The registry takes its records again; or its names.
    Pardon(ContainerId),
    Allow(String),
    /// The engine is there again.
    EngineUp {
        host: usize,
    },
    /// It is reached again.
    EngineReached {
        host: usize,
    },
    /// Another credential lies ready.
    Renew {
        host: usize,
        credential: u32,
    },
    /// What leads to a host has had the time to follow it to where it has been since then.
    Follow {
        host: usize,
        since: Moment,
        stood_still: Duration,
    },
    /// The host goes down, once its agent has ended, or was waited for so often.
    ShutDown {
        host: usize,
        seconds: u16,
        waits: u8,
    },
    /// What a process was to put back has had its time.
    Restore {
        host: usize,
        life: u64,
    },
    /// The machine is.
    PowerOn {
        host: usize,
    },
    /// The second look of a run of the janitor.
    JanitorLooksAgain,
}

impl State {
    /// All that is due now.
    pub fn run_due(&mut self) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let what = entry.remove();
            self.run(what);
        }
    }

    fn run(&mut self, what: Later) {
        match what {
            Later::Exit { host, id, life } if self.is_life(host, &id, life) => self.exits(host, &id),
            Later::Sigkill { host, id, life, engine }
                if self.is_life(host, &id, life) && self.hosts[host].engine.generation == engine =>
            {
                self.signals(host, &id, 9);
            }
            Later::Start { host, id } => self.starts(host, &id),
            Later::Join { host, id } => self.joins_network(host, &id),
            Later::Crash { host, id, left, gap_ms } => {
                let alive = self.hosts[host].containers.get(&id).is_some_and(|it| it.alive);
                let wait = Duration::from_millis(gap_ms.into());
                if alive {
                    self.exits(host, &id);
                } else if left > 0 {
                    self.starts(host, &id);
                }
                if left > 0 {
                    self.later(wait, Later::Crash { host, id, left: left - u8::from(!alive), gap_ms });
                }
            }
            Later::CrashAnew { host, slot, service, left, gap_ms } => {
                self.crashes(host, slot, Spec::unchecked(service));
                if let Some(left) = left.checked_sub(1) {
                    let wait = Duration::from_millis(gap_ms.into());
                    self.later(wait, Later::CrashAnew { host, slot, service, left, gap_ms });
                }
            }
            Later::Check { host, id, monitor } => self.checks(host, &id, monitor),
            Later::Recover { host, id } => self.recovers(host, &id),
            Later::Pardon(id) => self.account.poisoned.retain(|it| *it != id),
            Later::Allow(name) => self.account.denied.retain(|it| *it != name),
            Later::EngineUp { host } => self.engine_up(host),
            Later::EngineReached { host } => self.engine_reached(host),
            Later::Renew { host, credential } => {
                let ready = &mut self.hosts[host].credentials.ready;
                *ready = credential.max(*ready);
            }
            Later::Follow { host, since, stood_still } => self.court_follows(host, since, stood_still),
            Later::ShutDown { host, waits, seconds } if self.hosts[host].alive && waits > 0 => {
                self.later(Duration::from_secs(1), Later::ShutDown { host, seconds, waits: waits - 1 });
            }
            Later::ShutDown { host, seconds, .. } => {
                self.goes_down(host, Duration::from_secs(seconds.into()))
            }
            Later::Restore { host, life } => self.court_restores(host, life),
            Later::PowerOn { host } => self.power_on(host),
            Later::JanitorLooksAgain => self.janitor_looks_again(),
            Later::Exit { .. } | Later::Sigkill { .. } => {}
        }
    }

    fn is_life(&self, host: usize, id: &ContainerId, life: u32) -> bool {
        self.hosts[host].containers.get(id).is_some_and(|it| it.alive && it.lives == life)
    }
}
