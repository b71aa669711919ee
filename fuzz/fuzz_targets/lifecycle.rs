//! The containers of a host, whose news come in any order, late, twice or never: what the registrar told is
//! what its machines want, at every step.
//!
//! The stage and what is checked on it are those of the tests (`tests/registrar`), which draw the sequences; here they
//! are found by coverage.
#![no_main]

use std::time::Duration;

use ecssd::container::Running;
use ecssd_testing::rehearsal::{CONTAINERS, Rehearsal, Shown, leaving};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Process {
    Runs,
    Paused,
    Stopped,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Signal {
    Hup,
    Quit,
    Kill,
    Term,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Wait {
    Moment,
    Barrier,
    Grace,
    Stop,
}

#[derive(Arbitrary, Debug)]
enum Operation {
    Seen { container: u8, life: u8, port: u8, unchecked: bool, process: Process, late: u8 },
    Absent { container: u8, late: u8 },
    Killed { container: u8, life: u8, signal: Signal },
    Died { container: u8, life: u8 },
    Probed { container: u8, up: bool },
    Listed { containers: u8, late: u8 },
    Known { containers: u8, port: u8 },
    Wait(Wait),
    Notice { tasks: Option<u8>, withdraw_in: Option<u8> },
    PrepareDrain,
    Drain,
    Found { containers: u8, port: u8 },
    Order { named: u8, weight: Option<u8>, lasts: Option<u8> },
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut host = Rehearsal::default();
    for operation in operations {
        operate(&mut host, operation);
    }
    host.drain();
    assert!(host.told().is_some_and(|told| told.is_empty()));
});

fn operate(host: &mut Rehearsal, operation: Operation) {
    let of = |container| container % CONTAINERS;
    let (lives, lates) = (4, 3);
    match operation {
        Operation::Seen { container, life, port, unchecked, process, late } => {
            let running = match process {
                Process::Runs => Running::Running,
                Process::Paused => Running::Paused,
                Process::Stopped => Running::Stopped,
            };
            host.seen(of(container), Shown { life: life % lives, port, unchecked, running }, late % lates);
        }
        Operation::Absent { container, late } => host.absent(of(container), late % lates),
        Operation::Killed { container, life, signal } => {
            let signal = match signal {
                Signal::Hup => 1,
                Signal::Quit => 3,
                Signal::Kill => 9,
                Signal::Term => 15,
            };
            host.killed(of(container), life % lives, signal);
        }
        Operation::Died { container, life } => host.died(of(container), life % lives),
        Operation::Probed { container, up } => host.probed(of(container), up),
        Operation::Listed { containers, late } => host.listed(containers, late % lates),
        Operation::Known { containers, port } => host.known(containers, port),
        Operation::Wait(wait) => host.wait(Duration::from_secs(match wait {
            Wait::Moment => 1,
            Wait::Barrier => 2,
            Wait::Grace => 60,
            Wait::Stop => 130,
        })),
        Operation::Notice { tasks, withdraw_in } => host.notice(leaving(tasks), withdraw_in),
        Operation::PrepareDrain => host.prepare_drain(),
        Operation::Drain => host.drain(),
        Operation::Found { containers, port } => host.found(containers, port),
        Operation::Order { named, weight, lasts } => {
            host.order(named, weight, lasts);
        }
    }
}
