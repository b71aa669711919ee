//! How a run begins: who is there, and what is to come.

use std::time::Duration;

use ecssd::machine::departure::Source;
use ecssd::moment::Moment;

use super::{Actor, BEGIN, Event, Run};
use crate::account::Account;
use crate::inventory::Host;
use crate::others::{ECS_CLIENT_EVERY, ELSEWHERE_EVERY, JANITOR_EVERY, Janitor, Served};
use crate::outcome::{Calls, Case, Outcome};
use crate::strategy::Told;
use crate::timeline::Timeline;

/// Within this time old fleets have started.
const OLD: Duration = Duration::from_secs(8_000);
/// How much sooner all others call, so that buckets are as they usually are.
const BEFORE: Duration = Duration::from_secs(120);

impl Run {
    pub(super) fn new(case: Case) -> Self {
        let hosts: Vec<_> = (0..case.fleet.hosts).map(|n| Host::new(n, case.fleet)).collect();
        let mut rng = fastrand::Rng::with_seed(case.seed);
        let mut account = Account::new(case.limits);
        if !case.scenario.is_new() {
            hosts.iter().flat_map(|host| host.written(0)).for_each(|set| account.plant(set));
        }
        account.aim(case.scenario.goal(&hosts));
        let outcome = Outcome {
            seconds: 0.0,
            lost: 0,
            calls: Calls { of_host: vec![0; hosts.len()], ..Calls::default() },
            elsewhere: Served::default(),
            ecs_client: Served::default(),
            curve: vec![(0.0, account.missing())],
        };
        let ideal = case.scenario.ideal(case.fleet, &case.limits);
        let script = case.scenario.script(&hosts, BEGIN, ideal, &mut rng);
        let mut run = Self {
            now: Moment::START,
            timeline: Timeline::default(),
            account,
            actors: Vec::new(),
            janitor: Janitor::new(hosts.len(), case.limits.of_janitor),
            untold: script.len(),
            outcome,
            ended: None,
            case,
            hosts,
            rng,
        };
        run.start();
        for (after, host, told) in script {
            run.at(BEGIN + after, Event::Tell(host, told));
        }
        run
    }

    /// Old fleets have started at some time before; new ones start with what they are told first.
    fn start(&mut self) {
        for n in 0..self.hosts.len() {
            let hint = self.hint();
            let host = self.hosts[n].clone();
            let is_new = self.case.scenario.is_new();
            let written = if is_new { Vec::new() } else { host.written(0) };
            let born = if is_new { BEGIN } else { Moment::START + self.part(OLD) };
            let strategy = self.case.kind.start(&host, &self.case.limits, hint, &written, self.rng.u64(..));
            let containers = host.containers(0);
            self.actors.push(Actor { strategy, born, life: 0, wake: 0, is_idle: true });
            if !is_new {
                self.at(born, Event::Tell(n, Told::All(containers)));
                self.untold += 1;
            }
            let period = Source::Cluster.period(hint);
            let since = if is_new { BEGIN } else { BEGIN - BEFORE };
            let first = since + self.part(period);
            self.at(first, Event::EcsCheck(n));
        }
        for (every, event) in [
            (ELSEWHERE_EVERY, Event::Elsewhere),
            (ECS_CLIENT_EVERY, Event::EcsClient),
            (JANITOR_EVERY, Event::Janitor),
        ] {
            let first = BEGIN - BEFORE + self.part(every);
            self.at(first, event);
        }
    }

    /// Some part of it.
    fn part(&mut self, of: Duration) -> Duration {
        of.mul_f64(self.rng.f64())
    }
}
