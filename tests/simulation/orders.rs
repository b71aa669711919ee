//! Small spaces, all of them: every order of what can happen to two containers on one port.

use ecssd_testing::spec;

use super::many::quiet;
use super::mutant::Mutant;
use super::run::run;
use super::scenario::{Operation, Scenario, Spec, SpecCheck, SpecPort, SpecStop, What};

/// Milliseconds between two things: at once, while the agent looks, and after it has written.
const GAPS: [u64; 3] = [0, 3, 700];

/// Runs every order of start, signal and death of two containers that want one port, at each pace, with and
/// without a check, with and without a restart of the agent in the midst.
pub fn orders() -> bool {
    quiet();
    let events = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)];
    let (mut runs, mut wrong) = (0_u32, 0_u32);
    for order in permutations(&events) {
        for gap in GAPS {
            for check in [SpecCheck::None, SpecCheck::Tcp] {
                for kill in [None, Some(3)] {
                    let scenario = scenario(&order, gap, check, kill);
                    runs += 1;
                    if let Some(violation) = run(&scenario, Mutant::None).violation {
                        wrong += 1;
                        println!("wrong: {order:?}, {gap} ms, {check:?}, killed at {kill:?}: {violation}");
                    }
                }
            }
        }
    }
    println!(
        "{runs} runs: 720 orders of 6 events for 2 containers on one port, {} paces, 2 checks, 2 agents; {wrong} wrong",
        GAPS.len()
    );
    spec::judge("orders", f64::from(runs - wrong), "agents");
    wrong == 0
}

fn permutations(items: &[(u8, u8)]) -> Vec<Vec<(u8, u8)>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |index: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        permutations(&rest).into_iter().map(move |tail| [vec![first], tail].concat())
    };
    (0..items.len()).flat_map(with_first).collect()
}

fn scenario(order: &[(u8, u8)], gap: u64, check: SpecCheck, kill: Option<usize>) -> Scenario {
    let spec = |service| Spec {
        service,
        two: false,
        weight: 1,
        check,
        interval_seconds: 60,
        // Of the host's network: the engine lets both run.
        port: SpecPort::Host(0),
        stop: SpecStop::Survives,
        stop_timeout: None,
        ready_ms: Some(0),
        restarts: false,
        ports_lag_ms: 0,
        start_seconds: 0,
        all_names: true,
    };
    let mut operations = Vec::new();
    for (place, (slot, event)) in order.iter().copied().enumerate() {
        let at = 3_000 + gap * place as u64;
        let what = match event {
            0 => What::Run { slot, spec: spec(slot) },
            1 => What::Signal { slot, signal: 15 },
            _ => What::Die { slot },
        };
        operations.push(Operation { at, host: 0, what });
        if kill == Some(place) {
            operations.push(Operation { at, host: 0, what: What::Kill { down_ms: 0 } });
        }
    }
    Scenario {
        seed: 0,
        hosts: 1,
        legacy: false,
        resync_minutes: 30,
        drain_delay_seconds: 0,
        confirm: false,
        notices: false,
        off_ec2: false,
        operations,
    }
}
