//! One life of a container, from start to end: its services, and what is known of each.
//!
//! Owns what becomes of each service's [health](super::health) by inspections, probes, signals and other containers'
//! ports. When a life begins and ends is decided by the [lifecycle](super).

use std::collections::{BTreeMap, BTreeSet};

use super::doubt::Doubt;
use super::pause::Pause;
use super::restarts::Hold;
use super::stopping::Kill;
use super::{Claim, Health, Ports, REMIND_EVERY, Registered, Sight, Taken, Target, Tracked, Unproven};
use crate::container::offer::{EffectiveCheck, Endpoint, Offer};
use crate::container::{self, Family, Running, Timestamp};
use crate::machine::probe::Verdict;
use crate::moment::Moment;

/// One life of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it began.
    pub started_at: Timestamp,
    /// Whether the container had a life before that, which has ended.
    pub lived_before: bool,
    /// What Docker says of the image's HEALTHCHECK, where there is one.
    pub health: Option<container::Health>,
    /// The signal that asks it to stop.
    pub stop_signal: u8,
    /// The ECS task that it belongs to.
    pub task: Option<String>,
    /// What it was started from.
    pub family: Option<Family>,
    /// The ports that Docker publishes for it.
    pub published: BTreeSet<Endpoint>,
    /// Its services.
    pub services: Vec<Tracked>,
    /// Which of their ports another container has. A probe of such a port says nothing good of this one.
    pub taken: BTreeMap<Endpoint, Taken>,
    /// Until when nothing is wanted of it, as it is part of a crash loop.
    pub hold: Option<Hold>,
    /// How long it has been frozen, while it is.
    pub pause: Option<Pause>,
    /// Whether it goes on after a signal or a pause.
    pub(super) doubt: Option<Box<Doubt>>,
}

impl Life {
    pub(super) fn begin(sight: Sight, hold: Option<Hold>, now: Moment) -> Self {
        let mut life = Self {
            started_at: sight.started_at,
            lived_before: sight.lived_before,
            health: sight.health,
            stop_signal: sight.stop_signal,
            task: sight.task.clone(),
            family: sight.family.clone(),
            published: BTreeSet::new(),
            services: Vec::new(),
            taken: BTreeMap::new(),
            hold,
            pause: None,
            doubt: None,
        };
        life.on_seen(sight, now);
        life
    }

    /// Another inspection of the same life: offers may have come or gone, as ports can lag behind a start.
    pub(super) fn on_seen(&mut self, sight: Sight, now: Moment) {
        self.health = sight.health;
        self.published = sight.published;
        match (sight.running, self.pause.take()) {
            (Running::Paused, pause) => {
                let mut pause = pause.unwrap_or_else(|| Pause::since(now));
                pause.on_seen(now);
                self.pause = Some(pause);
            }
            (Running::Running | Running::Stopped, Some(pause)) => self.on_unpaused(pause, now),
            (Running::Running | Running::Stopped, None) => {}
        }
        let known = std::mem::take(&mut self.services);
        let (doubted, frozen) = (self.doubt.is_some(), self.pause.is_some());
        let track = |offer| Tracked::new(offer, &known, doubted, frozen, now);
        self.services = sight.offers.into_iter().map(track).collect();
        if frozen {
            return;
        }
        let passed = self.doubt.as_mut().is_some_and(|doubt| doubt.on_log(&sight.log));
        for tracked in &mut self.services {
            tracked.on_healthcheck(sight.health, passed);
        }
        self.settle();
    }

    /// It goes on after a pause.
    fn on_unpaused(&mut self, pause: Pause, now: Moment) {
        let phase = pause.ended(now);
        // Where the pause was short, nothing is doubted, and so this is over at once.
        let doubt = self.doubt.take().map_or_else(|| Doubt::after_pause(now), |doubt| doubt.thawed(now));
        self.doubt = Some(Box::new(doubt));
        self.services.iter_mut().for_each(|tracked| tracked.on_unpaused(phase, now));
        self.settle();
    }

    /// A signal may have ended it.
    pub(super) fn on_doubted(&mut self, kill: Kill, now: Moment) {
        let known = self.doubt.as_ref().and_then(|doubt| doubt.kill);
        if known.is_some_and(|known| known.time == kill.time) {
            return;
        }
        if let Some(doubt) = Doubt::since(kill, now) {
            self.doubt = Some(Box::new(doubt));
            self.services.iter_mut().for_each(|tracked| tracked.doubted = true);
        }
    }

    /// A doubt is over once it is over for every service.
    fn settle(&mut self) {
        self.doubt.take_if(|_| !self.services.iter().any(|tracked| tracked.doubted));
    }

    /// Whether what passes speaks against a doubt.
    pub(super) fn is_settled(&self) -> bool {
        self.doubt.as_deref().is_some_and(Doubt::is_settled)
    }

    /// Whether it is to be inspected: a pause may have come further, or a HEALTHCHECK's log may end a doubt.
    pub(super) fn look_due(&self, now: Moment) -> bool {
        if let Some(pause) = &self.pause {
            return pause.due_at().is_some_and(|at| at <= now);
        }
        let due = self.doubt.as_ref().and_then(|doubt| doubt.due_at(true));
        self.doubts(|check| *check == EffectiveCheck::Docker) && due.is_some_and(|due| due <= now)
    }

    fn doubts(&self, of: impl Fn(&EffectiveCheck) -> bool) -> bool {
        self.services.iter().any(|tracked| tracked.doubted && of(&tracked.offer.check))
    }

    pub(super) fn on_probed(&mut self, life: Timestamp, target: &Target, verdict: Verdict) {
        // The kernel answers for a process that is frozen.
        if life != self.started_at || self.pause.is_some() {
            return;
        }
        let passed = verdict == Verdict::Up && self.is_settled();
        for tracked in &mut self.services {
            let proves = verdict == Verdict::Down || !self.taken.contains_key(&tracked.offer.endpoint());
            if proves && Target::of(&tracked.offer).as_ref() == Some(target) {
                tracked.health.judge(verdict);
                tracked.doubted &= !passed;
            }
        }
        self.settle();
    }

    /// These of its ports are another container's. What a probe has proved before is void there, or it could have
    /// been the other one that answered; but a record that [stays](Taken::keeps) is not lost for that.
    pub(super) fn on_taken(&mut self, taken: BTreeMap<Endpoint, Taken>, now: Moment) {
        for tracked in &mut self.services {
            let proven = !matches!(tracked.health, Health::Unproven { .. });
            if proven && Target::of(&tracked.offer).is_some() && is_lost(&taken, &tracked.offer) {
                tracked.health = Health::unproven(now);
            }
        }
        self.taken = taken;
    }

    pub(super) fn on_registered(&mut self, service: &str, at: &Registered, weight: u8) {
        let Self { services, taken, pause, .. } = self;
        for Tracked { offer, health, .. } in services {
            let same = !is_lost(taken, offer) && at.is_of(service, offer);
            if same && weight == 0 && offer.service.weight > 0 {
                pause.iter_mut().for_each(Pause::on_weightless);
            }
            if same && matches!(health, Health::Unproven { .. }) {
                *health = match weight {
                    // Nobody could prove it; it waits for the end of a pause.
                    _ if offer.check == EffectiveCheck::None => Health::Serving,
                    _ if self.lived_before => Health::Inherited,
                    // Why it has none, nobody knows: it may be its own, and another be given by hand.
                    0 => Health::Inherited,
                    _ => Health::Serving,
                };
            }
        }
    }

    pub(super) fn on_tick(&mut self, now: Moment) {
        self.hold.take_if(|hold| hold.until <= now);
        if let Some(pause) = &mut self.pause {
            return pause.on_tick(now);
        }
        for tracked in &mut self.services {
            if let Health::Unproven { remind_at, .. } = &mut tracked.health
                && now >= *remind_at
            {
                *remind_at = now + REMIND_EVERY;
            }
        }
        let Some(doubt) = &mut self.doubt else { return };
        doubt.on_tick(now);
        if now >= doubt.over_at() {
            let (of_signal, health) = (doubt.is_of_signal(), self.health);
            self.services.iter_mut().for_each(|tracked| tracked.on_doubt_over(of_signal, health));
        }
        self.settle();
    }

    pub(super) fn ports(&self) -> Ports {
        let pause = self.pause.map(|pause| pause.phase);
        let claim = |tracked| Claim::of(tracked, self.hold.is_some(), pause);
        let claims = self.services.iter().map(claim).collect();
        Ports { started_at: self.started_at, published: self.published.clone(), claims }
    }

    /// Those of which the log has to say now that they are not in DNS.
    pub(super) fn due_for_a_reminder(&self, now: Moment) -> Vec<Unproven> {
        if self.pause.is_some() {
            return Vec::new();
        }
        let due = |tracked: &Tracked| match tracked.health {
            Health::Unproven { since, remind_at } if now >= remind_at => {
                let offer = tracked.offer.clone();
                let taken = self.taken.get(&offer.endpoint()).cloned();
                Some(Unproven { offer, waited: now - since, health: self.health, taken })
            }
            _ => None,
        };
        self.services.iter().filter_map(due).collect()
    }

    /// Whether another container has the port of an offer, and no record waits for that one to be ready. Then nobody
    /// asks there, as the answer would not be this one's.
    pub fn is_lost(&self, offer: &Offer) -> bool {
        is_lost(&self.taken, offer)
    }

    /// Whether a verdict is still awaited: not where nobody can ask for one.
    pub(super) fn unproven(&self) -> bool {
        let awaited = |Tracked { offer, health, .. }: &Tracked| {
            let unproven = matches!(health, Health::Unproven { .. } | Health::Inherited);
            unproven && !self.is_lost(offer)
        };
        self.services.iter().any(awaited)
    }

    pub(super) fn inherits(&self) -> bool {
        self.services.iter().any(|tracked| tracked.health == Health::Inherited)
    }

    pub(super) fn targets(&self) -> Vec<Target> {
        if self.pause.is_some() {
            return Vec::new();
        }
        let offers = self.services.iter().map(|tracked| &tracked.offer);
        let asked = offers.filter(|offer| !self.is_lost(offer));
        let mut targets: Vec<_> = asked.filter_map(Target::of).collect();
        targets.sort();
        targets.dedup();
        targets
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let held_until = self.hold.as_ref().map(|hold| hold.until);
        if let Some(pause) = &self.pause {
            return pause.due_at().into_iter().chain(held_until).min();
        }
        let reminders = self.services.iter().filter_map(|tracked| match tracked.health {
            Health::Unproven { remind_at, .. } => Some(remind_at),
            Health::Serving | Health::Failing | Health::Inherited => None,
        });
        let doubt = self.doubt.as_deref();
        let settled =
            doubt.and_then(|doubt| doubt.due_at(self.doubts(|check| *check == EffectiveCheck::Docker)));
        let ends_by_itself = |doubt: &&Doubt| {
            self.doubts(|check| match check {
                EffectiveCheck::None => true,
                EffectiveCheck::Docker => !doubt.is_of_signal(),
                EffectiveCheck::Tcp | EffectiveCheck::Http(_) => false,
            })
        };
        let unchecked = doubt.filter(ends_by_itself).map(Doubt::over_at);
        reminders.chain(held_until).chain(settled).chain(unchecked).min()
    }
}

fn is_lost(taken: &BTreeMap<Endpoint, Taken>, offer: &Offer) -> bool {
    taken.get(&offer.endpoint()).is_some_and(|taken| !taken.keeps)
}
