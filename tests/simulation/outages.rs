//! An hour without Docker's API, the metadata service, credentials or the registry, each and all: the zone stays as
//! it is to the byte, the agent says why it is not ready, and is right again within a resync period.

use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::status::{Part, Readiness};

use super::log::Log;
use super::many::quiet;
use super::mutant::Mutant;
use super::run::reach;
use super::scenario::{CallFault, Operation, Scenario, Spec, SpecCheck, SpecPort, SpecStop, What};
use super::supervisor::supervise;
use super::world::World;

const HOUR: u16 = 3_600;
/// Minutes of a resync period, and by how much it may be longer.
const RESYNC_MINUTES: u64 = 5;
const RESYNC_AT_MOST: Duration = Duration::from_secs(RESYNC_MINUTES * 60 * 5 / 4);

/// Plays each of them.
pub fn outages() -> bool {
    quiet();
    let docker = What::DockerAway { seconds: HOUR };
    let metadata = What::ImdsAway { seconds: HOUR };
    let credentials = What::Outage { fault: CallFault::NoCredentials, seconds: HOUR };
    let registry = What::RegistryDown { seconds: HOUR };
    let cases: [(&str, &[What], &[Part]); 5] = [
        ("Docker's API", &[docker], &[Part::Docker]),
        ("the metadata service", &[metadata], &[Part::Notices]),
        ("credentials", &[credentials], &[Part::Zone]),
        ("the registry", &[registry], &[Part::Zone]),
        (
            "all at once",
            &[docker, metadata, credentials, registry],
            &[Part::Docker, Part::Notices, Part::Zone],
        ),
    ];
    let mut well = true;
    for (name, outage, parts) in cases {
        match without(outage, parts) {
            Ok(readiness) => println!("an hour without {name}: the zone is equal to the byte; {readiness}"),
            Err(wrong) => {
                well = false;
                println!("wrong: an hour without {name}: {wrong}");
            }
        }
    }
    well
}

fn without(outage: &[What], parts: &[Part]) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(hour(outage, parts))
}

async fn hour(outage: &[What], parts: &[Part]) -> Result<String, String> {
    let world = World::new(&scenario(), Mutant::None, Log::default());
    tokio::spawn(supervise(world.clone(), 0));
    for operation in scenario().operations {
        reach(&world, operation.time()).await;
        world.lock().operate(operation.host, operation.what);
    }
    // What is paused when Docker goes away may go on unheard: it is not withdrawn.
    if parts.contains(&Part::Docker) {
        reach(&world, Moment::after(Duration::from_secs(110))).await;
        world.lock().operate(0, What::Pause { slot: 3 });
    }
    reach(&world, Moment::after(Duration::from_secs(120))).await;
    let zone = || world.lock().account.zone.snapshot();
    let readiness = || world.lock().hosts[0].readiness.as_ref().map(|it| it.borrow().clone());
    let before = zone();
    if before.len() < 8 || readiness() != Some(Readiness::Ready) {
        return Err(format!("it did not begin well: {} records, {:?}", before.len(), readiness()));
    }
    for what in outage {
        world.lock().operate(0, *what);
    }
    let mut said = String::new();
    for minute in 1..60 {
        reach(&world, Moment::after(Duration::from_secs(120 + minute * 60))).await;
        if zone() != before {
            return Err(format!("the zone changed in minute {minute}"));
        }
        let now = readiness().ok_or("there is no agent")?;
        // By then each of them was asked for something.
        if minute > RESYNC_MINUTES * 5 / 4 + 1 {
            let silent = parts.iter().find(|part| now.reason(**part).is_none());
            if let Some(part) = silent {
                return Err(format!("in minute {minute} it does not say why {part} is away: {now}"));
            }
            said = now.to_string();
        }
    }
    // Somebody comes and somebody goes as soon as it is over.
    let over = Moment::after(Duration::from_secs(120 + u64::from(HOUR) + 5));
    reach(&world, over).await;
    world.lock().operate(0, What::Run { slot: 6, spec: spec(1, SpecCheck::Tcp) });
    world.lock().operate(0, What::Die { slot: 0 });
    reach(&world, over + RESYNC_AT_MOST).await;
    let state = world.lock();
    let unrest =
        state.unrest().map(|(_, text)| text).or_else(|| state.court.verdict().map(ToString::to_string));
    let ready = state.hosts[0].readiness.as_ref().map(|it| it.borrow().clone());
    match (unrest, ready) {
        (None, Some(Readiness::Ready)) => Ok(said),
        (None, other) => Err(format!("after it, it is {other:?}")),
        (Some(text), _) => Err(format!("after it: {text}")),
    }
}

fn scenario() -> Scenario {
    let run =
        |slot: u8, check| Operation { at: 1_000, host: 0, what: What::Run { slot, spec: spec(slot, check) } };
    let operations = vec![
        run(0, SpecCheck::None),
        run(1, SpecCheck::Tcp),
        run(2, SpecCheck::Docker),
        run(3, SpecCheck::Tcp),
        run(4, SpecCheck::None),
    ];
    Scenario {
        seed: 5,
        hosts: 1,
        legacy: false,
        resync_minutes: RESYNC_MINUTES,
        drain_delay_seconds: 0,
        confirm: false,
        notices: true,
        off_ec2: false,
        operations,
    }
}

fn spec(service: u8, check: SpecCheck) -> Spec {
    Spec {
        service: service % 4,
        two: false,
        weight: 1,
        check,
        interval_seconds: 5,
        port: SpecPort::Dynamic,
        stop: SpecStop::AtOnce,
        stop_timeout: None,
        ready_ms: Some(0),
        restarts: false,
        ports_lag_ms: 0,
        start_seconds: 0,
        all_names: true,
    }
}
