//! What an agent was told of its containers: from then on it has to know. S7 is judged by it.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::container::Running;
use ecssd::container::event::{Happening, Listed};
use ecssd::moment::Moment;
use ecssd::record::ContainerId;

use crate::engine::Told;
use crate::truth::{BELIEVED, Truth, WEIGHTLESS, WITHDRAWN};
use crate::world::State;

/// What one process was told.
#[derive(Default)]
pub struct Known {
    /// The latest life that it was told has ended, and when it was told.
    pub dead: BTreeMap<ContainerId, (u32, Moment)>,
    /// Those of which it was told that they were asked to stop, themselves or the one whose network they use.
    pub asked: BTreeMap<ContainerId, Asked>,
    /// The latest life that it saw running, and when.
    pub seen: BTreeMap<ContainerId, (u32, Moment)>,
    /// As of when: an engine may answer what was so at the question.
    pub as_of: BTreeMap<ContainerId, Moment>,
    /// The latest life that it saw running, and when it did first.
    pub since: BTreeMap<ContainerId, (u32, Moment)>,
    /// What it saw paused for some time or still does, and was not shown to pass its check since.
    pub paused: BTreeMap<ContainerId, Frozen>,
    /// When it was first shown all that runs.
    pub listed: Option<Moment>,
    /// When that life began, by the wall clock.
    pub began: BTreeMap<ContainerId, i64>,
    /// When the probes that are in flight began, by port.
    pub probing: BTreeMap<u16, Vec<Moment>>,
    /// What probes found, by port.
    pub rows: BTreeMap<u16, super::probes::Row>,
    /// Since when most of its probes are silent.
    pub silent_since: Option<Moment>,
    /// What it registered of crash loops.
    pub loops: super::loops::Loops,
}

/// What an answer takes to be heard, at most.
const TAKES: Duration = Duration::from_millis(100);

/// A pause, as a process saw it.
#[derive(Clone, Copy)]
pub struct Frozen {
    /// When it was first and last seen.
    pub since: Moment,
    pub last: Moment,
    /// How often its HEALTHCHECK had passed by then.
    pub passed: u64,
    /// When it was first seen to run again.
    pub ran: Option<Moment>,
    /// Whether one before, after which it has not passed, was so long that it was withdrawn.
    pub withdrawn: bool,
}

impl Frozen {
    /// Whether it was seen for at least so long.
    pub fn lasted(&self, span: Duration) -> bool {
        self.withdrawn || self.last + TAKES >= self.since + span
    }
}

/// A life was asked to stop.
pub struct Asked {
    pub life: u32,
    pub told: Moment,
    /// How long that is to be believed.
    pub until: Moment,
}

impl Known {
    fn died(&mut self, id: &ContainerId, life: u32, now: Moment) {
        let known = self.dead.entry(id.clone()).or_insert((life, now));
        if known.0 < life {
            *known = (life, now);
        }
    }
}

impl State {
    /// An event reaches an agent.
    pub fn court_hears(&mut self, host: usize, process: u64, told: &Told) {
        // Where the wall clock went back, an end is told before its beginning, and believed only when it is seen.
        if !matches!(told.happening, Happening::Changed | Happening::Rewired) {
            self.tell(host, format_args!("  heard of {}: {:?}", told.id.short(), told.happening));
        }
        if let Happening::Killed(_) = told.happening {
            self.court_hears_of_signal(host, process, told);
        }
        self.court_hears_of_end(host, process, told);
        let known = self.court.known.entry((host, process)).or_default();
        let seen = known.began.get(&told.id).copied().unwrap_or(i64::MIN);
        if told.happening == Happening::Died && told.began.max(seen) < told.wall {
            let now = self.now;
            self.court.known.entry((host, process)).or_default().died(&told.id, told.life, now);
        }
    }

    /// What an engine remembers reaches an agent: of that it has to know what ended and was not started again.
    pub fn court_remembers(&mut self, host: usize, process: u64, past: &[Told]) {
        self.tell(host, format_args!("  hears what is remembered: {} events", past.len()));
        let mut turns: BTreeMap<&ContainerId, &Told> = BTreeMap::new();
        for told in past.iter().filter(|told| matches!(told.happening, Happening::Died | Happening::Started))
        {
            turns.insert(&told.id, told);
        }
        let mut signals: BTreeMap<&ContainerId, &Told> = BTreeMap::new();
        for told in past {
            match told.happening {
                Happening::Killed(_) => _ = signals.insert(&told.id, told),
                Happening::Died | Happening::Started => _ = signals.remove(&told.id),
                Happening::Changed | Happening::Rewired | Happening::Destroyed => {}
            }
        }
        signals.values().for_each(|told| self.court_hears_of_signal(host, process, told));
        let now = self.now;
        let known = self.court.known.entry((host, process)).or_default();
        for told in turns.values().filter(|told| told.happening == Happening::Died) {
            known.died(&told.id, told.life, now);
        }
    }

    /// The signal may be one of those that stop nothing: what was asked to stop, the truth knows.
    fn court_hears_of_signal(&mut self, host: usize, process: u64, told: &Told) {
        let now = self.now;
        let meant = |it: &&Truth| it.id == told.id || it.owner.as_ref() == Some(&told.id);
        // A clock that jumped ahead makes it look older than it is believed.
        let jumped = self.hosts[host].jumped_ahead_at;
        let is_young = |sent: Moment| jumped.is_none_or(|at| at < sent);
        let lives = self.hosts[host].containers.get(&told.id).is_some_and(|it| it.lives == told.life);
        let all = self.hosts[host].containers.values().filter(meant);
        let asked = all.filter(|_| lives).filter_map(|it| {
            let until = it.told_to_stop.filter(|sent| is_young(*sent))? + BELIEVED;
            Some((it.id.clone(), Asked { life: it.lives, told: now, until }))
        });
        let asked: Vec<_> = asked.collect();
        self.court.known.entry((host, process)).or_default().asked.extend(asked);
    }

    /// A look reaches an agent: whether the container runs, and in which life, as of then.
    pub fn court_looks(
        &mut self,
        host: usize,
        process: u64,
        id: &ContainerId,
        seen: Option<(Running, u32)>,
        as_of: Moment,
    ) {
        let now = self.now;
        let it = self.hosts[host].containers.get(id);
        let (began, passed) = it.map_or((0, 0), |it| (it.started_wall, it.passed_runs));
        match seen {
            Some((running, life)) => {
                self.tell(host, format_args!("  a look shows {} {running:?}, life {life}", id.short()));
            }
            None => self.tell(host, format_args!("  a look finds no {}", id.short())),
        }
        let known = self.court.known.entry((host, process)).or_default();
        match seen {
            Some((Running::Stopped, life)) => known.died(id, life, now),
            Some((running, life)) => {
                let short = |frozen: &Frozen| now < frozen.since + WEIGHTLESS && !frozen.withdrawn;
                match running {
                    Running::Paused => {
                        let new = Frozen { since: now, last: now, passed, ran: None, withdrawn: false };
                        let frozen = known.paused.entry(id.clone()).or_insert(new);
                        if frozen.ran.is_some() {
                            *frozen = Frozen { withdrawn: frozen.lasted(WITHDRAWN), ..new };
                        }
                        (frozen.last, frozen.passed) = (now, passed);
                    }
                    _ if known.paused.get(id).is_some_and(short) => drop(known.paused.remove(id)),
                    _ => {
                        if let Some(frozen) = known.paused.get_mut(id) {
                            frozen.ran.get_or_insert(now);
                        }
                    }
                }
                let seen = known.seen.entry(id.clone()).or_default();
                *seen = (life.max(seen.0), now);
                known.as_of.insert(id.clone(), as_of);
                let since = known.since.entry(id.clone()).or_insert((life, now));
                if since.0 < life {
                    *since = (life, now);
                }
                known.began.insert(id.clone(), began);
            }
            None => {
                let life = known.seen.get(id).map(|(life, _)| *life);
                life.into_iter().for_each(|life| known.died(id, life, now));
            }
        }
    }

    /// A list that was asked for then reaches an agent: what it saw before, and does not find, has ended.
    pub fn court_lists(&mut self, host: usize, process: u64, list: &[Listed], asked: Moment) {
        let now = self.now;
        let ids: Vec<_> = list.iter().map(|line| line.id.short()).collect();
        self.tell(host, format_args!("  a list shows {}", ids.join(" ")));
        let known = self.court.known.entry((host, process)).or_default();
        let gone: Vec<_> = (known.seen.iter())
            .filter(|(id, (_, seen))| *seen < asked && !list.iter().any(|line| line.id == **id))
            .map(|(id, (life, _))| (id.clone(), *life))
            .collect();
        gone.iter().for_each(|(id, life)| known.died(id, *life, now));
        self.court_weighs_all(host, process);
    }
}
