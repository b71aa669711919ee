//! What happens in a run, as data: drawn from a seed, shortened when it shows a bug, kept when it did.
//!
//! Everything that a seed decides is in the list of operations, but for latencies, which each host draws from
//! the seed as it goes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use ecssd::moment::Moment;

/// Whole hosts, and what happens to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    pub seed: u64,
    pub hosts: usize,
    /// Whether the account still has the limits from before July 2026.
    pub legacy: bool,
    pub resync_minutes: u64,
    /// How long all has weight 0 before a drain's deletes.
    pub drain_delay_seconds: u64,
    /// Whether a drain waits for the name servers.
    pub confirm: bool,
    /// Whether hosts are told of their end.
    pub notices: bool,
    /// Whether they are off EC2: called by their names, and reached at the address of their route out.
    #[serde(default)]
    pub off_ec2: bool,
    pub operations: Vec<Operation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Milliseconds since the start.
    pub at: u64,
    pub host: usize,
    pub what: What,
}

/// One thing that happens to a host. A container is meant by its slot; where that is empty nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    Run {
        slot: u8,
        spec: Spec,
    },
    /// `docker stop`: TERM, and KILL when its time is over.
    Stop {
        slot: u8,
    },
    Signal {
        slot: u8,
        signal: u8,
    },
    Die {
        slot: u8,
    },
    Restart {
        slot: u8,
    },
    Pause {
        slot: u8,
    },
    Unpause {
        slot: u8,
    },
    Remove {
        slot: u8,
    },
    CrashLoop {
        slot: u8,
        times: u8,
        gap_ms: u16,
    },
    /// The same, and each time it is a new container: of a service without a check, at a port that Docker chooses.
    CrashLoopAnew {
        slot: u8,
        service: u8,
        times: u8,
        gap_ms: u16,
    },
    /// It is disconnected from its network, and connected again after so long: what Docker publishes then may be
    /// another port.
    Rewire {
        slot: u8,
        seconds: u16,
    },
    /// So many commands are run in it, each of which the engine notes in three events that nobody asked for.
    Execs {
        slot: u8,
        commands: u16,
    },
    /// So many events of one container at once.
    Storm {
        slot: u8,
        events: u16,
    },
    Sicken {
        slot: u8,
        silent: bool,
        seconds: u16,
    },
    /// Nobody reaches the engine, which goes on.
    DockerAway {
        seconds: u16,
    },
    /// The engine is told to end, and started again.
    DockerRestart {
        seconds: u16,
        live_restore: bool,
    },
    /// It is killed, and nobody is told of any end; `agent`, where that is one of its containers, too.
    DockerCrash {
        seconds: u16,
        live_restore: bool,
        agent: bool,
    },
    SilentStream {
        seconds: u16,
    },
    SlowLooks {
        ms: u16,
        seconds: u16,
    },
    HangingLooks {
        seconds: u16,
    },
    /// This host's checks reach nobody.
    DeadNetwork {
        seconds: u16,
    },
    /// The process stands still.
    Lag {
        ms: u16,
    },
    /// What becomes of the next calls of this host.
    Calls {
        fault: CallFault,
        calls: u8,
    },
    /// What becomes of all its calls for so long.
    Outage {
        fault: CallFault,
        seconds: u16,
    },
    /// The registry itself is down, for everybody.
    RegistryDown {
        seconds: u16,
    },
    /// Somebody else uses up the account's requests.
    Noise {
        seconds: u16,
    },
    /// The registry will not have this container's records.
    Poison {
        slot: u8,
        seconds: u16,
    },
    /// A policy denies the names of this container's services.
    Deny {
        slot: u8,
        seconds: u16,
    },
    HandEdit {
        slot: u8,
    },
    HandDelete {
        slot: u8,
    },
    /// `kill -9` of the agent, now.
    Kill {
        down_ms: u32,
    },
    /// `kill -9` when it does the n-th thing of a kind from now on.
    Fuse {
        point: Point,
        nth: u8,
        down_ms: u32,
    },
    /// SIGHUP, and another agent.
    Upgrade {
        down_ms: u32,
    },
    /// SIGTERM, and another agent later.
    Drain {
        down_ms: u32,
    },
    /// The credential of this host ends, and another one lies ready after that time.
    Expire {
        seconds: u16,
    },
    /// The agent is killed, and the host has another address when the next one starts.
    Readdress {
        down_ms: u32,
    },
    /// The host has another of its addresses, and its agent goes on. Off EC2 alone.
    Move {
        to: u8,
    },
    /// No route leaves it.
    RouteAway {
        seconds: u16,
    },
    /// The way out is another one for a moment.
    RouteAstray {
        seconds: u8,
    },
    PowerOff {
        seconds: u16,
    },
    /// The agent is killed, and its host has another of its names when the next one starts. Off EC2 alone.
    Rename {
        to: u8,
        down_ms: u32,
    },
    /// What its disk holds is of another zone from then on, as far as it says.
    SwitchZone {
        down_ms: u32,
    },
    /// The host is given a copy of another's disk.
    CopyDisk {
        from: u8,
        down_ms: u32,
    },
    /// The host is shut down in order, and started so long after it: its agent hands over first, or drains.
    ShutDown {
        seconds: u16,
        drains: bool,
    },
    DiskFull,
    /// The host ends for good.
    Terminate,
    /// Somebody who may know says that the host ends, or its tasks.
    Notice {
        of: Notice,
    },
    CallOff,
    /// The metadata service and the ECS agent do not answer.
    ImdsAway {
        seconds: u16,
    },
    /// The wall clock of the host.
    ClockJump {
        seconds: i32,
    },
    /// Actors panic at lines of their log.
    Panic {
        line: u8,
        times: u8,
    },
    /// An operator gives a weight by hand, or ends that; of what is named.
    Cordon {
        of: Named,
        weight: Option<u8>,
        seconds: Option<u16>,
    },
    /// A run of the janitor, over all hosts.
    Janitor,
}

/// What an operator names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Named {
    /// The container in that slot.
    Container(u8),
    Service(u8),
    Address(u8),
    All,
}

/// What a host is told of its future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// It is interrupted in so many seconds.
    Spot {
        seconds: u16,
    },
    ScalingIn,
    /// The tasks of services leave, others stay.
    Draining,
}

/// What a container is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub service: u8,
    /// Whether it has a second service on the same port.
    pub two: bool,
    pub weight: u8,
    pub check: SpecCheck,
    pub interval_seconds: u8,
    pub port: SpecPort,
    pub stop: SpecStop,
    pub stop_timeout: Option<u16>,
    /// When it can serve, from each start on; never, where it is `None`.
    pub ready_ms: Option<u32>,
    /// Whether it is started again when it ends.
    pub restarts: bool,
    /// For how long Docker does not show its ports.
    pub ports_lag_ms: u16,
    /// For how long no run of its HEALTHCHECK counts against it.
    #[serde(default)]
    pub start_seconds: u16,
    /// Whether it has a full name beside its weighted one, and an address where clients can know the port.
    #[serde(default)]
    pub all_names: bool,
}

impl Spec {
    /// One that serves at once, and is registered without being asked.
    pub fn unchecked(service: u8) -> Self {
        Self {
            service,
            two: false,
            weight: 1,
            check: SpecCheck::None,
            interval_seconds: 5,
            port: SpecPort::Dynamic,
            stop: SpecStop::AtOnce,
            stop_timeout: None,
            ready_ms: Some(0),
            restarts: false,
            ports_lag_ms: 0,
            start_seconds: 0,
            all_names: false,
        }
    }

    /// In which slot the container is whose network it uses, if it does.
    pub fn owner(&self) -> Option<u8> {
        match self.port {
            SpecPort::Shared { slot, .. } => Some(slot),
            SpecPort::Dynamic | SpecPort::Fixed(_) | SpecPort::Host(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum SpecCheck {
    None,
    Tcp,
    Docker,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum SpecPort {
    /// Docker chooses another at each start.
    Dynamic,
    Fixed(u8),
    /// The host's network; from 3 on one of those that are published for others.
    Host(u8),
    /// The network of the container in that slot, and there its port or the second that is published for it.
    Shared {
        slot: u8,
        second: bool,
    },
}

/// What a container makes of TERM.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum SpecStop {
    AtOnce,
    After { ms: u16 },
    Survives,
}

/// What becomes of a call to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallFault {
    Throttled,
    Busy,
    /// 500: nothing was done, and the caller cannot know.
    Failed,
    /// The connection breaks before anything was done.
    CutBefore,
    /// It is done, and nobody hears of it.
    CutAfter,
    /// Nobody hears of it, and it is done later.
    Late {
        ms: u16,
    },
    /// It is done and answered late.
    Slow {
        ms: u16,
    },
    NoCredentials,
    Denied,
}

/// A place at which an agent can be killed: all that others see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Point {
    AskDocker,
    HearDocker,
    Probe,
    Intend,
    Call,
    Answer,
    Record,
}

/// The kinds of faults, as a run counts them.
impl What {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Stop { .. } => "stop",
            Self::Signal { .. } => "signal",
            Self::Die { .. } => "die",
            Self::Restart { .. } => "restart",
            Self::Pause { .. } => "pause",
            Self::Unpause { .. } => "unpause",
            Self::Remove { .. } => "remove",
            Self::CrashLoop { .. } => "crash loop",
            Self::CrashLoopAnew { .. } => "crash loop, a new container each time",
            Self::Rewire { .. } => "network left and joined",
            Self::Execs { .. } => "docker exec",
            Self::Storm { .. } => "storm of events",
            Self::Sicken { .. } => "failing check",
            Self::DockerAway { .. } => "Docker away",
            Self::DockerRestart { live_restore: true, .. } => "Docker restarts, live restore",
            Self::DockerRestart { .. } => "Docker restarts",
            Self::DockerCrash { live_restore: true, .. } => "Docker killed, live restore",
            Self::DockerCrash { .. } => "Docker killed",
            Self::SilentStream { .. } => "silent stream",
            Self::SlowLooks { .. } => "slow inspects",
            Self::HangingLooks { .. } => "hanging inspects",
            Self::DeadNetwork { .. } => "dead network",
            Self::Lag { .. } => "process stands still",
            Self::Calls { fault, .. } | Self::Outage { fault, .. } => fault.kind(),
            Self::RegistryDown { .. } => "registry down",
            Self::Noise { .. } => "account used up",
            Self::Poison { .. } => "refused record",
            Self::Deny { .. } => "denied name",
            Self::HandEdit { .. } => "edited by hand",
            Self::HandDelete { .. } => "deleted by hand",
            Self::Kill { .. } => "agent killed",
            Self::Fuse { .. } => "agent killed at a point",
            Self::Upgrade { .. } => "upgrade",
            Self::Drain { .. } => "drain",
            Self::Expire { .. } => "credential renewed",
            Self::Readdress { .. } => "address changed",
            Self::Move { .. } => "move",
            Self::RouteAway { .. } => "no route",
            Self::RouteAstray { .. } => "route astray",
            Self::PowerOff { .. } => "power off",
            Self::Rename { .. } => "host renamed",
            Self::SwitchZone { .. } => "zone switched",
            Self::CopyDisk { .. } => "disk copied",
            Self::ShutDown { .. } => "shut down",
            Self::DiskFull => "disk full",
            Self::Terminate => "host terminated",
            Self::Notice { .. } => "notice",
            Self::CallOff => "notice called off",
            Self::ImdsAway { .. } => "metadata away",
            Self::ClockJump { seconds } if *seconds < 0 => "clock steps back",
            Self::ClockJump { .. } => "clock steps forward",
            Self::Panic { .. } => "panic",
            Self::Cordon { weight: Some(_), .. } => "cordon",
            Self::Cordon { .. } => "uncordon",
            Self::Janitor => "janitor",
        }
    }
}

impl CallFault {
    pub fn kind(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Busy => "busy",
            Self::Failed => "500",
            Self::CutBefore => "cut before",
            Self::CutAfter => "cut after",
            Self::Late { .. } => "applied late",
            Self::Slow { .. } => "slow call",
            Self::NoCredentials => "no credentials",
            Self::Denied => "denied call",
        }
    }
}

impl Operation {
    pub fn time(&self) -> Moment {
        Moment::after(Duration::from_millis(self.at))
    }
}
