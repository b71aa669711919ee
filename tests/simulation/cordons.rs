//! Weights that an operator gives by hand: what is asked of a host's agents, what came of it, and which weights a record
//! may have for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ecssd::actors::{Hand, Ordered};
use ecssd::journal::cordons::{CordonMemory, KeepError, Keeping};
use ecssd::machine::cordon::{Cordon, Order, Refused, What, Wish};
use ecssd::moment::Moment;
use ecssd::record::ContainerId;

use super::agent::Agent;
use super::mutant::Mutant;
use super::scenario::{Named, Point};
use super::truth::ZONE;
use super::world::{State, World};

/// How long a weight may take until it stands, with nothing in its way: and an end may be reckoned otherwise by so much.
const TAKES: Duration = Duration::from_secs(120);

/// What a host's operator asked for.
#[derive(Debug, Default)]
pub struct Given {
    /// What waits for an agent that answers.
    asked: Vec<Order>,
    /// By what was named, as it was written: what may hold for it. More than one thing, where the agent that was asked was
    /// killed before it answered.
    states: BTreeMap<String, Vec<Weight>>,
    /// When one of them changed last.
    changed: Moment,
    /// What is on disk.
    kept: Vec<Cordon>,
}

/// What may hold.
#[derive(Clone, Copy, Debug)]
struct Weight {
    /// The weight; `None` for its own.
    weight: Option<u8>,
    since: Moment,
    ends: Option<Moment>,
}

impl Given {
    /// An operator asks for something.
    pub fn ask(&mut self, order: Order) {
        self.asked.push(order);
    }

    /// What waits for an agent.
    pub fn take_asked(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.asked)
    }

    /// Whether a weight has changed so lately that it may not stand yet.
    pub fn is_fresh(&self, now: Moment) -> bool {
        let ends = self.states.values().flatten().filter_map(|it| it.ends);
        ends.chain([self.changed]).any(|at| at > Moment::START && now.abs_diff(at) < TAKES)
    }

    /// Whether a weight came or went between these moments.
    pub fn has_changed(&self, since: Moment, now: Moment) -> bool {
        let ends = self.states.values().flatten().filter_map(|it| it.ends);
        ends.chain([self.changed]).any(|at| at > Moment::START && since <= at && at <= now)
    }

    /// The weights that a record of a container may have under a name, where it would have this one.
    pub fn weights(
        &self,
        id: &ContainerId,
        name: &str,
        own: u8,
        now: Moment,
        jumped: Option<Moment>,
    ) -> BTreeSet<i64> {
        let name = name.strip_suffix(ZONE).map_or(name, |name| name.trim_end_matches('.'));
        let mut weights = BTreeSet::new();
        for text in [id.as_str(), name, "all"] {
            let states = self.states.get(text).map_or(&[][..], Vec::as_slice);
            let mut falls_through = states.is_empty();
            for it in states {
                // Of a clock that stepped nobody knows here what the next agent made of it.
                let steps = it.ends.is_some() && jumped.is_some_and(|at| at >= it.since);
                let is_over = it.ends.is_some_and(|ends| now >= ends);
                weights.extend(it.weight.filter(|_| !is_over || steps).map(i64::from));
                falls_through |= it.weight.is_none() || is_over || steps;
            }
            if !falls_through {
                return weights;
            }
        }
        weights.insert(own.into());
        weights
    }
}

/// What is meant, as an operator writes it.
pub fn text(state: &State, host: usize, named: Named) -> Option<String> {
    Some(match named {
        Named::Container(slot) => state.hosts[host].slot(slot)?.as_str().to_owned(),
        Named::Service(n) => format!("_s{n}._tcp"),
        Named::Address(n) => format!("s{n}"),
        Named::All => "all".to_owned(),
    })
}

/// Asks an agent, and notes what came of it.
pub async fn give(world: World, host: usize, hand: Hand, order: Order) {
    let answer = hand.order(order.clone()).await;
    world.lock().is_answered(host, &order, answer);
}

impl State {
    fn is_answered(&mut self, host: usize, order: &Order, answer: Option<Result<Ordered, Refused>>) {
        let now = self.now;
        let (weight, lasts) = match order.wish {
            Wish::Cordon { weight, lasts } => (Some(weight), lasts),
            Wish::Uncordon => (None, None),
        };
        let given = Weight { weight, since: now, ends: lasts.map(|lasts| now + lasts) };
        let text = order.what.as_str().to_owned();
        let words = match &answer {
            Some(Ok(_)) => "is answered",
            Some(Err(_)) => "is refused",
            None => "is not answered",
        };
        self.tell(host, format_args!("{order:?} {words}"));
        let of = &mut self.hosts[host].given;
        match answer {
            Some(Err(_)) => return,
            Some(Ok(_)) => {
                of.states.insert(text, vec![given]);
            }
            None => {
                let own = Weight { weight: None, since: Moment::START, ends: None };
                of.states.entry(text).or_insert_with(|| vec![own]).push(given);
            }
        }
        of.changed = now;
        self.count("weight given by hand");
    }
}

/// The file that outlives the processes of a host.
#[derive(Clone)]
pub struct SimCordons(pub Agent);

impl std::fmt::Debug for SimCordons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimCordons")
    }
}

impl CordonMemory for SimCordons {
    fn load(&self) -> Vec<Cordon> {
        let state = self.0.world.lock();
        match state.mutant {
            Mutant::ForgetsCordons => Vec::new(),
            Mutant::CordonsForGood => {
                let kept = state.hosts[self.0.host].given.kept.clone();
                kept.into_iter().map(|cordon| Cordon { until: None, ..cordon }).collect()
            }
            _ => state.hosts[self.0.host].given.kept.clone(),
        }
    }

    fn keep(&self, all: Vec<Cordon>) -> Keeping {
        // A process that is killed here leaves what was there before, and nobody hears of it.
        let Some(mut state) = self.0.step(Point::Record) else { return Box::pin(std::future::pending()) };
        state.hosts[self.0.host].given.kept = all;
        Box::pin(std::future::ready(Ok::<(), KeepError>(())))
    }

    fn wall_clock(&self) -> SystemTime {
        let mut state = self.0.world.lock();
        let now = state.now;
        let nanos = state.hosts[self.0.host].wall(now);
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.try_into().unwrap_or(0))
    }
}

/// The order that an operation stands for.
pub fn order(text: &str, weight: Option<u8>, seconds: Option<u16>) -> Option<Order> {
    let lasts = seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let wish = weight.map_or(Wish::Uncordon, |weight| Wish::Cordon { weight, lasts });
    Some(Order { what: What::parse(text).ok()?, wish })
}
