//! Scenarios from seeds. Each seed leaves some kinds of operations out and prefers others, so that rare
//! meetings of faults are not drowned in the average of all of them.

use fastrand::Rng;

use super::scenario::{
    CallFault, Named, Notice, Operation, Point, Scenario, Spec, SpecCheck, SpecPort, SpecStop, What,
};

/// Containers on a host at once.
const SLOTS: u8 = 8;
/// How many kinds [`one`] knows.
const KINDS: usize = 42;

impl Scenario {
    /// What this seed is.
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let hosts = [1, 1, 2, 3][rng.usize(..4)];
        let weights: Vec<u32> = (0..KINDS).map(|kind| weight(kind, &mut rng)).collect();
        let count = rng.usize(60..180);
        let mut at = 0;
        let mut operations = Vec::new();
        for host in 0..hosts {
            for slot in 0..rng.u8(0..5) {
                let what = What::Run { slot, spec: spec(&mut rng) };
                operations.push(Operation { at: rng.u64(0..3_000), host, what });
            }
        }
        for _ in 0..count {
            at += pause(&mut rng);
            let host = rng.usize(..hosts);
            operations.push(Operation { at, host, what: one(pick(&weights, &mut rng), &mut rng) });
        }
        operations.extend(by_hand(seed, hosts, at));
        operations.extend(anew(seed, hosts, at));
        operations.extend(in_order(seed, hosts, at));
        let moves = moves(seed, hosts, at);
        let off_ec2 = !moves.is_empty();
        operations.extend(moves);
        if off_ec2 {
            // What is left of such a host that ends, an operator removes.
            operations.retain(|operation| operation.what != What::Terminate);
        }
        operations.extend(titles(seed, hosts, at, off_ec2));
        operations.sort_by_key(|operation| operation.at);
        Self {
            seed,
            hosts,
            legacy: rng.u8(..3) == 0,
            resync_minutes: [1, 5, 30][rng.usize(..3)],
            drain_delay_seconds: [0, 0, 0, 4][rng.usize(..4)],
            confirm: rng.u8(..3) == 0,
            notices: operations.iter().any(|it| matches!(it.what, What::Notice { .. })),
            off_ec2,
            operations,
        }
    }
}

/// Weights by hand, in a third of the seeds; drawn apart, so that the rest of a seed is as it would be without them.
fn by_hand(seed: u64, hosts: usize, end: u64) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed ^ 0x00c0_4d04);
    if rng.u8(..3) > 0 {
        return Vec::new();
    }
    let draw = |rng: &mut Rng| {
        let of = match rng.u8(..6) {
            0..=2 => Named::Container(rng.u8(..SLOTS)),
            3 => Named::Service(rng.u8(..4)),
            4 => Named::Address(rng.u8(..4)),
            _ => Named::All,
        };
        let weight = [Some(0), Some(0), Some(7), None][rng.usize(..4)];
        let seconds = [None, None, Some(30), Some(200)][rng.usize(..4)];
        Operation {
            at: rng.u64(..=end),
            host: rng.usize(..hosts),
            what: What::Cordon { of, weight, seconds },
        }
    };
    (0..rng.usize(1..12)).map(|_| draw(&mut rng)).collect()
}

/// Crash loops that bring a new container each time, in a quarter of the seeds; drawn apart, too.
fn anew(seed: u64, hosts: usize, end: u64) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed ^ 0x10_0b5);
    if rng.u8(..4) > 0 {
        return Vec::new();
    }
    let what = |rng: &mut Rng| What::CrashLoopAnew {
        slot: rng.u8(..SLOTS),
        service: rng.u8(..4),
        times: rng.u8(5..60),
        gap_ms: [rng.u16(10..500), rng.u16(500..6_000)][rng.usize(..2)],
    };
    let draw = |rng: &mut Rng| Operation { at: rng.u64(..=end), host: rng.usize(..hosts), what: what(rng) };
    (0..rng.usize(1..4)).map(|_| draw(&mut rng)).collect()
}

/// Hosts off EC2 that change their address, and lose their way out, in a quarter of the seeds; drawn apart, too.
fn moves(seed: u64, hosts: usize, end: u64) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed ^ 0x0ff_ec2);
    if rng.u8(..4) > 0 {
        return Vec::new();
    }
    let what = |rng: &mut Rng| match rng.u8(..4) {
        // Of few addresses, so that it is back soon.
        0 | 1 => What::Move { to: rng.u8(..3) },
        2 => What::RouteAway { seconds: [1, 5, 20, 70, 200][rng.usize(..5)] },
        _ => What::RouteAstray { seconds: rng.u8(1..10) },
    };
    let draw = |rng: &mut Rng| Operation { at: rng.u64(..=end), host: rng.usize(..hosts), what: what(rng) };
    (0..rng.usize(4..16)).map(|_| draw(&mut rng)).collect()
}

/// Hosts that are shut down in order, in a quarter of the seeds, each with a container that comes back as it was; beside
/// some of them the janitor runs. Drawn apart, too.
fn in_order(seed: u64, hosts: usize, end: u64) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed ^ 0x0b007);
    if rng.u8(..4) > 0 {
        return Vec::new();
    }
    let mut operations = Vec::new();
    for _ in 0..rng.usize(1..4) {
        let (host, at, slot) = (rng.usize(..hosts), rng.u64(..=end), rng.u8(..SLOTS));
        let seconds = rng.u16(60..400);
        let port = [SpecPort::Fixed(rng.u8(..3)), SpecPort::Host(rng.u8(..3))][rng.usize(..2)];
        let spec = Spec { port, restarts: true, all_names: rng.bool(), ..Spec::unchecked(rng.u8(..4)) };
        operations.push(Operation { at: at.saturating_sub(100_000), host, what: What::Run { slot, spec } });
        operations.push(Operation { at, host, what: What::ShutDown { seconds, drains: rng.u8(..4) == 0 } });
        for _ in 0..rng.usize(2..9) {
            let at = at + rng.u64(5_000..u64::from(seconds) * 1_000);
            operations.push(Operation { at, host, what: What::Janitor });
        }
    }
    operations
}

/// Journals of others: of a host that was renamed, of another zone, of a disk that was copied; drawn apart, too.
fn titles(seed: u64, hosts: usize, end: u64, off_ec2: bool) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed ^ 0x717_1e5);
    let is_drawn = if off_ec2 { rng.u8(..4) < 3 } else { rng.u8(..3) == 0 };
    if !is_drawn {
        return Vec::new();
    }
    let what = |rng: &mut Rng| {
        let down_ms = [0, 1_000, 20_000][rng.usize(..3)];
        match rng.u8(..8) {
            0 => What::SwitchZone { down_ms },
            1..=3 => What::CopyDisk { from: rng.u8(..3), down_ms },
            _ if off_ec2 => What::Rename { to: rng.u8(..3), down_ms },
            _ => What::SwitchZone { down_ms },
        }
    };
    let draw = |rng: &mut Rng| Operation { at: rng.u64(..=end), host: rng.usize(..hosts), what: what(rng) };
    (0..rng.usize(1..6)).map(|_| draw(&mut rng)).collect()
}

/// How often a kind is drawn in a seed. Containers come and go in each; a fault is absent in half of them.
fn weight(kind: usize, rng: &mut Rng) -> u32 {
    match kind {
        0 => 24,
        1..=9 => rng.u32(1..10),
        _ if rng.bool() => 0,
        _ => rng.u32(1..5),
    }
}

fn pick(weights: &[u32], rng: &mut Rng) -> usize {
    let mut place = rng.u32(..weights.iter().sum::<u32>());
    for (kind, weight) in weights.iter().enumerate() {
        match place.checked_sub(*weight) {
            Some(rest) => place = rest,
            None => return kind,
        }
    }
    unreachable!("a place within the sum")
}

/// Milliseconds to the next operation: mostly at once or soon, seldom long.
fn pause(rng: &mut Rng) -> u64 {
    match rng.u8(..10) {
        0 | 1 => 0,
        2 | 3 => rng.u64(0..20),
        4..=6 => rng.u64(0..3_000),
        7 | 8 => rng.u64(0..30_000),
        _ => rng.u64(0..200_000),
    }
}

fn spec(rng: &mut Rng) -> Spec {
    Spec {
        service: rng.u8(..4),
        two: rng.u8(..6) == 0,
        weight: [1, 1, 1, 5, 0][rng.usize(..5)],
        check: [SpecCheck::None, SpecCheck::Tcp, SpecCheck::Tcp, SpecCheck::Docker][rng.usize(..4)],
        interval_seconds: [5, 15, 60][rng.usize(..3)],
        port: match rng.u8(..12) {
            0..=5 => SpecPort::Dynamic,
            6 | 7 => SpecPort::Fixed(rng.u8(..3)),
            8 | 9 => SpecPort::Host(rng.u8(..6)),
            _ => SpecPort::Shared { slot: rng.u8(..SLOTS), second: rng.u8(..3) > 0 },
        },
        stop: match rng.u8(..6) {
            0 | 1 => SpecStop::AtOnce,
            2..=4 => SpecStop::After { ms: rng.u16(0..12_000) },
            _ => SpecStop::Survives,
        },
        stop_timeout: [None, None, Some(2), Some(30), Some(160)][rng.usize(..5)],
        ready_ms: match rng.u8(..8) {
            0..=3 => Some(0),
            4 | 5 => Some(rng.u32(0..5_000)),
            6 => Some(rng.u32(0..100_000)),
            _ => None,
        },
        restarts: rng.bool(),
        all_names: rng.bool(),
        ports_lag_ms: if rng.u8(..5) == 0 { rng.u16(0..600) } else { 0 },
        start_seconds: [0, 0, 30, 120, 300][rng.usize(..5)],
    }
}

fn one(kind: usize, rng: &mut Rng) -> What {
    let slot = rng.u8(..SLOTS);
    let seconds = [1, 5, 20, 70, 200][rng.usize(..5)];
    let down_ms = [0, 10, 1_000, 20_000, 100_000][rng.usize(..5)];
    match kind {
        0 => What::Run { slot, spec: spec(rng) },
        1 | 2 => What::Stop { slot },
        3 => What::Die { slot },
        4 => What::Restart { slot },
        5 => What::Signal { slot, signal: [1, 2, 3, 9, 10, 15][rng.usize(..6)] },
        6 => What::Pause { slot },
        7 => What::Unpause { slot },
        8 => What::Remove { slot },
        9 => What::Sicken { slot, silent: rng.bool(), seconds },
        10 => What::CrashLoop { slot, times: rng.u8(3..12), gap_ms: rng.u16(10..8_000) },
        11 => What::Storm { slot, events: [300, 1_500][rng.usize(..2)] },
        12 => What::DockerAway { seconds },
        13 => What::DockerRestart { seconds: seconds.min(20), live_restore: rng.bool() },
        14 => What::SilentStream { seconds },
        15 => What::SlowLooks { ms: rng.u16(50..9_000), seconds },
        16 => What::HangingLooks { seconds },
        17 => What::DeadNetwork { seconds },
        18 => What::Lag { ms: rng.u16(0..5_000) },
        19 | 20 => What::Calls { fault: call_fault(rng), calls: rng.u8(1..8) },
        21 => What::Outage { fault: call_fault(rng), seconds },
        22 => What::RegistryDown { seconds },
        23 => What::Noise { seconds: seconds.min(20) },
        24 => What::Poison { slot, seconds },
        25 => What::Deny { slot, seconds },
        26 if rng.bool() => What::HandEdit { slot },
        26 => What::HandDelete { slot },
        27 => What::Kill { down_ms },
        28 | 29 => What::Fuse { point: point(rng), nth: rng.u8(..12), down_ms },
        30 if rng.bool() => What::Upgrade { down_ms: down_ms.min(1_000) },
        30 => What::Drain { down_ms },
        31 => match rng.u8(..4) {
            3 => What::Terminate,
            0 => What::PowerOff { seconds: seconds.min(70) },
            1 => What::DiskFull,
            _ => What::ClockJump { seconds: [-7_200, -90, -5, 5, 90, 7_200][rng.usize(..6)] },
        },
        32 => What::Notice { of: notice(rng) },
        33 => What::CallOff,
        34 => What::ImdsAway { seconds },
        35 => What::Panic { line: rng.u8(..LINES), times: rng.u8(1..4) },
        36 => What::Execs { slot, commands: rng.u16(10..120) },
        37 => {
            What::DockerCrash { seconds: seconds.min(20), live_restore: rng.bool(), agent: rng.u8(..3) == 0 }
        }
        38 => What::Expire { seconds },
        39 => What::Readdress { down_ms },
        40 => What::Rewire { slot, seconds: [0, 0, 1, 20][rng.usize(..4)] },
        _ => What::Janitor,
    }
}

/// How many lines [`What::Panic`] knows.
pub const LINES: u8 = 6;

fn call_fault(rng: &mut Rng) -> CallFault {
    match rng.u8(..9) {
        0 => CallFault::Throttled,
        1 => CallFault::Busy,
        2 => CallFault::Failed,
        3 => CallFault::CutBefore,
        4 => CallFault::CutAfter,
        5 => CallFault::Late { ms: rng.u16(0..50_000) },
        6 => CallFault::Slow { ms: rng.u16(0..9_000) },
        7 => CallFault::NoCredentials,
        _ => CallFault::Denied,
    }
}

fn notice(rng: &mut Rng) -> Notice {
    match rng.u8(..4) {
        0 => Notice::ScalingIn,
        1 => Notice::Draining,
        _ => Notice::Spot { seconds: rng.u16(10..125) },
    }
}

fn point(rng: &mut Rng) -> Point {
    use Point::{Answer, AskDocker, Call, HearDocker, Intend, Probe, Record};
    [AskDocker, HearDocker, Probe, Intend, Call, Call, Answer, Answer, Record, Record][rng.usize(..10)]
}
