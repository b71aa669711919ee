//! What happens to a fleet, and the least time in which an account can take what has to be written then.
//!
//! ## The ideal
//!
//! T* = max((calls − burst) / rate, (cost − 1,500) / 100, calls × s + 0.0005 × records), and not before all has been told.
//!
//! | term | is |
//! |---|---|
//! | calls | the fewest change calls that it can be written with: one of each host, which writes nobody else's records |
//! | burst, rate | requests that may go at once, and then in a second (50 and 10) |
//! | cost | what all changes count against the account's rate of changes (burst 1,500, then 100/s): CREATE and DELETE 1 each |
//! | s | how long the zone, which takes one batch at a time, serves one (0.15 s), beside 0.0005 s for each of its records |
//!
//! Nobody can be faster, and nobody can be as fast: that takes hosts that know whose turn it is.

use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::record::RecordSet;

use super::account::{Limits, OF_EACH_CHANGE};
use super::inventory::{Fleet, Host};
use super::strategy::Told;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// All hosts start within 2 s, new, and all their containers serve.
    Boot,
    /// All hosts hear within 5 s that they end in two minutes, and withdraw all but their addresses. Where nobody can be
    /// through with that in time, they have twice T*.
    Storm,
    /// Within 10 s all copies on all hosts get a successor each, and 10 s later they are stopped themselves.
    Deploy,
    /// Within a minute each agent is replaced by a new build; one of its containers has been replaced meanwhile.
    Upgrade,
}

/// How long before the end of a host it hears of that, in seconds.
const NOTICE: f64 = 120.0;

/// What a host is told, and when.
pub type Script = Vec<(Duration, usize, Told)>;

impl Scenario {
    pub const ALL: [Self; 4] = [Self::Boot, Self::Storm, Self::Deploy, Self::Upgrade];

    pub fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Storm => "storm",
            Self::Deploy => "deploy",
            Self::Upgrade => "upgrade",
        }
    }

    /// Whether the hosts are new, and nothing stands in the zone.
    pub fn is_new(self) -> bool {
        self == Self::Boot
    }

    /// What of it each host is told, by the time since it began; T* says whether two minutes can be enough for a drain.
    pub fn script(self, hosts: &[Host], began: Moment, ideal: f64, rng: &mut fastrand::Rng) -> Script {
        let s = Duration::from_secs_f64;
        let mut script = Script::new();
        for (n, host) in hosts.iter().enumerate() {
            let at = |within: f64, rng: &mut fastrand::Rng| s(within * rng.f64());
            match self {
                Self::Boot => script.push((at(2.0, rng), n, Told::All(host.containers(0)))),
                Self::Storm => {
                    let deadline = began + s(if ideal < NOTICE { NOTICE } else { 2.0 * ideal });
                    script.push((at(5.0, rng), n, Told::Drain(deadline)));
                }
                Self::Deploy => {
                    let begin = at(10.0, rng);
                    script.extend(
                        host.containers(1)
                            .into_iter()
                            .map(|(id, records)| (begin, n, Told::Want(id, records))),
                    );
                    for (id, _) in host.containers(0) {
                        script.push((begin + s(10.0), n, Told::Want(id.clone(), Vec::new())));
                        script.push((begin + s(20.0), n, Told::Ended(id)));
                    }
                }
                Self::Upgrade => {
                    let mut wants = host.containers(0);
                    wants[0] = host.container(0, 1);
                    let at = at(60.0, rng);
                    script.extend([(at, n, Told::Restarted), (at, n, Told::All(wants))]);
                }
            }
        }
        script
    }

    /// What stands in the zone when it is over.
    pub fn goal(self, hosts: &[Host]) -> Vec<RecordSet> {
        let of = |host: &Host| match self {
            Self::Boot => host.written(0),
            Self::Storm => vec![host.registrant.host_record()],
            Self::Deploy => host.written(1),
            Self::Upgrade => {
                let mut wants = host.written(0);
                wants[0] = host.container(0, 1).1.remove(0);
                wants
            }
        };
        hosts.iter().flat_map(of).collect()
    }

    /// How many changes that takes; each costs 1.
    fn changes(self, Fleet { hosts, records }: Fleet) -> usize {
        hosts
            * match self {
                Self::Boot => records + 1,
                Self::Storm => records,
                Self::Deploy => 2 * records,
                Self::Upgrade => 2,
            }
    }

    /// T*, in seconds.
    pub fn ideal(self, fleet: Fleet, limits: &Limits) -> f64 {
        let (calls, cost) = (fleet.hosts as f64, self.changes(fleet) as f64);
        let by_requests = (calls - limits.requests.burst) / limits.requests.per_second;
        let by_changes = limits.changes.map_or(0.0, |changes| (cost - changes.burst) / changes.per_second);
        let by_turns = calls * limits.service.as_secs_f64() + cost * OF_EACH_CHANGE.as_secs_f64();
        let told = if self == Self::Upgrade { 60.0 } else { 0.0 };
        by_requests.max(by_changes).max(by_turns).max(told)
    }
}
