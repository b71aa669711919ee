//! S12: whom a prober may ask, and how often at once. And what the probes found, by which S13 is judged.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::edge::check::CheckError;
use ecssd::moment::Moment;

use crate::scenario::SpecCheck;
use crate::world::State;

/// What the probes of one port found last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// Whether the last one was silent; `None` before the first.
    pub silent: Option<bool>,
    /// Whether one ever passed, in which life of its container.
    pub passed: Option<u32>,
    /// Whether the last one passed, and since when two in a row did.
    pub passes: bool,
    pub risen: Option<Moment>,
    /// Failures in a row that were found while most others answered.
    pub believable: u32,
}

impl State {
    /// A probe goes out.
    pub fn court_probes(&mut self, host: usize, process: u64, port: u16) {
        let now = self.now;
        let owners = self.hosts[host].containers.values().filter(|it| it.ports.contains(&port)).count();
        let known = self.court.known.entry((host, process)).or_default();
        known.probing.entry(port).or_default().push(now);
        if owners == 0 {
            let text = format!("port {port} of host {host} is probed, and was never any container's");
            self.court.accuse("S12", now, text);
        }
    }

    /// It ends.
    pub fn court_probe_ends(&mut self, host: usize, process: u64, port: u16) {
        let now = self.now;
        let owners = self.hosts[host].containers.values().filter(|it| it.ports.contains(&port)).count();
        let known = self.court.known.entry((host, process)).or_default();
        let Some(flying) = known.probing.get_mut(&port) else { return };
        // Those that began this very moment do not count: a prober and its successor may meet for that long.
        let before = flying.iter().filter(|began| **began < now).count();
        flying.remove(0);
        if before > owners {
            self.court.accuse(
                "S12",
                now,
                format!("{before} probes of port {port} at once, and {owners} containers"),
            );
        }
    }

    /// It has an answer.
    pub fn court_probed(&mut self, host: usize, process: u64, port: u16, answer: &Result<(), CheckError>) {
        let now = self.now;
        let life =
            self.hosts[host].containers.values().find(|it| it.alive && it.port == port).map(|it| it.lives);
        let most_silent = self.most_are_silent(host, process);
        if answer.is_ok() {
            self.court_port_passes(host, process, port);
        }
        let known = self.court.known.entry((host, process)).or_default();
        let row = known.rows.entry(port).or_default();
        match answer {
            Ok(()) => {
                let risen = row.risen.or_else(|| row.passes.then_some(now));
                *row = Row { silent: Some(false), passed: life, passes: true, risen, believable: 0 };
            }
            Err(error) => {
                (row.passes, row.risen) = (false, None);
                row.silent = Some(matches!(error, CheckError::TimedOut(_)));
                row.believable += u32::from(!most_silent);
            }
        }
        let most_silent = self.most_are_silent(host, process);
        let known = self.court.known.entry((host, process)).or_default();
        known.silent_since = most_silent.then(|| known.silent_since.unwrap_or(now));
    }

    /// Whether it is so clear that most probes of a host are silent that every agent has to see it.
    pub fn most_are_silent(&self, host: usize, process: u64) -> bool {
        const TARGETS: usize = 5;
        const SERVICES: usize = 2;
        let Some(known) = self.court.known.get(&(host, process)) else { return false };
        let (mut targets, mut others, mut silent) = (0, 0, 0);
        let (mut services, mut ports) = (BTreeSet::new(), BTreeSet::new());
        for it in self.hosts[host].containers.values().filter(|it| it.spec.check == SpecCheck::Tcp) {
            let Some(quiet) = known.rows.get(&it.port).and_then(|row| row.silent) else { continue };
            // Of those that claim one port, one is asked.
            if !ports.insert(it.port) {
                continue;
            }
            // Those that end may have been let go of, or not.
            if it.alive && !it.is_touched(self.now) && it.starts.len() == 1 {
                targets += 1;
                silent += usize::from(quiet);
                services.insert(it.names());
            } else {
                others += usize::from(!quiet);
            }
        }
        targets >= TARGETS && services.len() >= SERVICES && silent * 2 > targets + others + 1
    }

    /// Whether a weight of 0 would come of nothing but silence that the prober has to put down to itself.
    pub(super) fn judged_in_doubt(&self, host: usize, process: u64, port: u16, life: u32) -> bool {
        const DOUBT_MAX: Duration = Duration::from_secs(300);
        const FALL: u32 = 3;
        let Some(known) = self.court.known.get(&(host, process)) else { return false };
        let Some(row) = known.rows.get(&port) else { return false };
        let doubting = known.silent_since.is_some_and(|since| self.now < since + DOUBT_MAX);
        doubting && row.silent == Some(true) && row.passed == Some(life) && row.believable < FALL
    }
}
