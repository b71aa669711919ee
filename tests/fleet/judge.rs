//! What is promised of a fleet, and whether it is kept: by the worst of all seeds.

use ecssd_testing::spec::promised as promised_by;

use super::inventory::Fleet;
use super::outcome::Outcome;
use super::scenario::Scenario;
use super::strategy::Kind;

/// What one strategy came to in one scenario of one fleet, from each seed.
#[derive(Clone, Debug)]
pub struct Row {
    pub fleet: Fleet,
    pub scenario: Scenario,
    pub kind: Kind,
    /// T*, in seconds.
    pub ideal: f64,
    pub outcomes: Vec<Outcome>,
}

impl Row {
    /// The worst of the seeds, where more is worse.
    pub fn most(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        self.outcomes.iter().map(of).fold(0.0, f64::max)
    }

    /// The worst, where less is worse.
    pub fn least(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        self.outcomes.iter().map(of).fold(f64::INFINITY, f64::min)
    }

    pub fn mean(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        self.outcomes.iter().map(of).sum::<f64>() / self.outcomes.len().max(1) as f64
    }

    /// Calls to Route 53 that a host makes, on average.
    pub fn calls(&self, outcome: &Outcome) -> f64 {
        outcome.calls.all() as f64 / self.fleet.hosts as f64
    }

    fn lost(&self) -> f64 {
        self.most(|outcome| outcome.lost as f64)
    }
}

/// What is promised of one fleet, by the lines of `SPEC.md`.
struct Promised {
    fleet: Fleet,
    /// How many times T* it takes.
    time: &'static str,
    /// Calls a host.
    calls: &'static str,
    /// The share of their calls that innocent clients have answered.
    innocent: Option<&'static str>,
    /// How long a drain takes: the hosts end 120 s after the notice.
    drain: Option<&'static str>,
    /// Time and innocent clients in an upgrade, where it has lines of its own.
    upgrade: Option<(&'static str, &'static str)>,
}

/// The upgrade of 300 hosts has figures of its own. Their turns fill three quarters of its minute, so that whoever comes
/// at a random moment finds the zone free once in three tries or less: that is as many requests as the account lets
/// through. Waits after a throttle that grow by four from a second end it 5 s earlier, and leave other clients half of
/// their calls; a first wait of one turn after a busy zone changes neither by more than the seeds do.
const OF_UPGRADE: (&str, &str) = ("fleet-300-upgrade-time", "fleet-300-upgrade-innocent");

const PROMISED: [Promised; 3] = [
    Promised {
        fleet: Fleet { hosts: 100, records: 100 },
        time: "fleet-100-time",
        calls: "fleet-100-calls",
        innocent: Some("fleet-100-innocent"),
        drain: None,
        upgrade: None,
    },
    Promised {
        fleet: Fleet { hosts: 300, records: 31 },
        time: "fleet-300-time",
        calls: "fleet-300-calls",
        innocent: Some("fleet-300-innocent"),
        drain: Some("fleet-300-drain"),
        upgrade: Some(OF_UPGRADE),
    },
    Promised {
        fleet: Fleet { hosts: 1_000, records: 10 },
        time: "fleet-1000-time",
        calls: "fleet-1000-calls",
        innocent: None,
        drain: None,
        upgrade: None,
    },
];

/// The fleets of which something is promised.
pub fn fleets() -> impl Iterator<Item = Fleet> {
    PROMISED.iter().map(|promised| promised.fleet)
}

/// A figure that is judged.
#[derive(Clone, Debug)]
pub struct Judged {
    pub fleet: Fleet,
    pub scenario: Scenario,
    pub what: String,
    pub is: f64,
    pub bound: f64,
    pub is_kept: bool,
}

/// Judges what was run.
pub fn judge(rows: &[Row]) -> Vec<Judged> {
    rows.iter().filter(|row| row.kind == Kind::Ours).flat_map(|row| judge_one(row, rows)).collect()
}

fn judge_one(row: &Row, rows: &[Row]) -> Vec<Judged> {
    let judged = |what: &str, is: f64, bound: f64, is_kept: bool| Judged {
        fleet: row.fleet,
        scenario: row.scenario,
        what: what.to_owned(),
        is,
        bound,
        is_kept,
    };
    let at_most = |what: &str, is: f64, bound: f64| judged(what, is, bound, is <= bound);
    let at_least = |what: &str, is: f64, bound: f64| judged(what, is, bound, is >= bound);
    let time = row.most(|outcome| outcome.seconds);
    let calls = row.most(|outcome| row.calls(outcome));
    let mut all = vec![at_most("records lost", row.lost(), 0.0)];
    if let Some(promised) = PROMISED.iter().find(|promised| promised.fleet == row.fleet) {
        let figure = |line: &str, unit: &str| promised_by(line, unit).value;
        let upgrade = promised.upgrade.filter(|_| row.scenario == Scenario::Upgrade);
        let (time_line, innocent) = match upgrade {
            Some((time, innocent)) => (time, Some(innocent)),
            None => (promised.time, promised.innocent),
        };
        all.push(at_most("time over T*", time / row.ideal, figure(time_line, "×")));
        all.push(at_most("calls a host", calls, figure(promised.calls, "calls")));
        if let Some(share) = innocent.map(|line| figure(line, "×")) {
            all.push(at_least(
                "answered of another client of Route 53",
                row.least(|o| o.elsewhere.share()),
                share,
            ));
            all.push(at_least(
                "answered of another client of ECS",
                row.least(|o| o.ecs_client.share()),
                share,
            ));
        }
        if let Some(drain) = promised.drain.filter(|_| row.scenario == Scenario::Storm) {
            all.push(at_most("drained after, in seconds", time, figure(drain, "s")));
        }
    }
    let rivals = rows.iter().filter(|other| {
        other.kind != Kind::Ours && (other.fleet, other.scenario) == (row.fleet, row.scenario)
    });
    for rival in rivals {
        // Whoever loses records is through with nothing.
        if rival.lost() == 0.0 {
            let theirs = rival.mean(|outcome| outcome.seconds);
            all.push(at_most(
                &format!("time beside {}, in seconds", rival.kind.name()),
                row.mean(|o| o.seconds),
                theirs,
            ));
            let theirs = rival.mean(|outcome| rival.calls(outcome));
            all.push(at_most(
                &format!("calls beside {}", rival.kind.name()),
                row.mean(|o| row.calls(o)),
                theirs,
            ));
        }
    }
    all
}
