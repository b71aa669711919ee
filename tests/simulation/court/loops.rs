//! What an agent may register of a crash loop that brings a new container each time: S15.
//!
//! A chain is what it registered one after the other: each a container's first life, that nobody asked to end and of
//! whose end it heard, before the next one began. Five, and a hold; one more once that is over, and a longer one.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::container::event::Happening;
use ecssd::moment::Moment;
use ecssd::record::ContainerId;

use crate::engine::Told;
use crate::world::State;

/// The shortest hold.
const HOLD: Duration = Duration::from_secs(30);
/// What a chain may have within that: those before a hold and after it, and two that were under way.
const LINKS: usize = 8;
/// Longer lives do not count.
const SHORT: i64 = 60_000_000_000;

/// What one process registered.
#[derive(Default)]
pub struct Loops {
    /// First lives, and when each was first seen.
    registered: BTreeMap<ContainerId, Moment>,
    /// By service: when the end of each link was heard.
    chains: BTreeMap<u8, Vec<Moment>>,
}

impl State {
    /// It registers a container.
    pub(super) fn court_registers(&mut self, host: usize, process: u64, id: &ContainerId) {
        let Some(it) = self.hosts[host].containers.get(id).filter(|it| it.lives == 1) else { return };
        let (service, now) = (it.spec.service, self.now);
        let known = self.court.known.entry((host, process)).or_default();
        let Some((_, seen)) = known.since.get(id).copied() else { return };
        known.loops.registered.insert(id.clone(), seen);
        let chain = known.loops.chains.get(&service).into_iter().flatten();
        let links = chain.filter(|heard| **heard < seen && **heard + HOLD > now).count();
        if links >= LINKS {
            let text = format!("{} is registered, after {links} of its kind that ended at once", id.short());
            self.court.accuse("S15", now, text);
        }
    }

    /// It hears of an end, before it was shown it in another way.
    pub(super) fn court_hears_of_end(&mut self, host: usize, process: u64, told: &Told) {
        let Some(it) = self.hosts[host].containers.get(&told.id) else { return };
        let unasked = it.told_to_stop.is_none() && it.doubted.is_none();
        let counts = told.happening == Happening::Died
            && it.lives == 1
            && unasked
            && (1..SHORT).contains(&(told.wall - told.began));
        let (service, now) = (it.spec.service, self.now);
        let known = self.court.known.entry((host, process)).or_default();
        let is_news = !known.dead.contains_key(&told.id);
        let Some(seen) = known.loops.registered.remove(&told.id).filter(|_| counts && is_news) else {
            return;
        };
        let chain = known.loops.chains.entry(service).or_default();
        if chain.last().is_none_or(|heard| *heard < seen) {
            chain.push(now);
        }
    }

    /// What a Registrar counted is lost with it.
    pub(super) fn court_forgets_loops(&mut self, host: usize) {
        let of_host = self.court.known.iter_mut().filter(|((of, _), _)| *of == host);
        of_host.for_each(|(_, known)| known.loops = Loops::default());
    }
}
