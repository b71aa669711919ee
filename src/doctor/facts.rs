//! What was found out of a host and its zone. Whatever could not be is there as the reason, in words for an operator.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::container::Container;
pub use crate::container::engine::{Daemon, Engine};
use crate::record::{ContainerId, RecordSet, Registrant};
use crate::zone::ZoneError;
use crate::zone::route53::FindError;
use crate::zone::route53::find::Seen;

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The command line that looks at this zone, for remedies.
    pub command: String,
    /// The one that means this host too.
    pub host_command: String,
    /// Whose records are this host's; or why that is not known.
    pub host: Result<Registrant, Trouble>,
    /// Whether this process is in a container that has a network of its own.
    pub has_own_network: bool,
    /// Whether this host's address was given by hand.
    pub address_is_given: bool,
    /// The metadata service.
    pub metadata: Metadata,
    /// Where the zone is.
    pub registry: Registry,
    /// What the system's resolver says of the name of this host's address.
    pub resolved: Result<Vec<IpAddr>, String>,
    /// The container engine.
    pub engine: Result<Engine, Away>,
    /// How its daemon is set up, where that can be seen from here.
    pub daemon: Option<Daemon>,
    /// The containers that run here.
    pub containers: Result<Vec<Found>, String>,
    /// Those that run here and could not be looked at.
    pub unseen: Vec<Unseen>,
    /// Whether the ECS agent answers.
    pub ecs_agent: Result<(), String>,
    /// Whether ECS drains this host, where it is a container instance.
    pub drains: Option<Result<bool, Unheard>>,
    /// The state directory.
    pub state: State,
    /// The agent of this host.
    pub agent: Agent,
    /// With which settings it runs, where it says so.
    pub agent_settings: Option<AgentSettings>,
    /// How this host's services stand, as far as it says.
    pub services: Vec<Standing>,
    /// Of which services containers were stopped since its start, as far as it says.
    pub ended: Vec<Ended>,
}

/// What is wrong with something that says itself what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is the case.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// An engine that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Which kind of failure it is.
    pub kind: AwayKind,
    /// The same in words.
    pub reason: String,
}

/// Why an engine does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwayKind {
    /// This process may not use its socket.
    NotAllowed,
    /// Nobody listens at its socket.
    NotThere,
    /// There is no socket.
    NoSocket,
    /// It takes too long.
    Hangs,
    /// It answers what cannot be understood, or something else is wrong.
    Broken,
}

/// The metadata service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// It answers: the instance's id.
    Answers(String),
    /// This is EC2, and it does not.
    Fails(Trouble),
    /// It was switched off by a variable; whether this is EC2.
    SwitchedOff(bool),
    /// This is not EC2.
    Elsewhere,
}

/// Where the zone is.
#[derive(Clone, Debug, PartialEq)]
pub enum Registry {
    /// In the agent's process.
    Local {
        /// In which directory.
        place: String,
        /// Where DNS is answered for it.
        dns: Vec<String>,
    },
    /// In Route 53.
    Route53(Box<Route53>),
}

/// What Route 53 said.
#[derive(Clone, Debug, PartialEq)]
pub struct Route53 {
    /// How many seconds this host's clock is ahead of the API's.
    pub clock: Result<i64, String>,
    /// The zone.
    pub zone: Result<Seen, FindError>,
    /// What came of calls that change nothing; none where there was no zone to make them of.
    pub calls: Vec<Call>,
    /// All records of the zone, where they could be read.
    pub records: Option<Vec<RecordSet>>,
}

/// A call that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The action, as a policy names it.
    pub action: &'static str,
    /// What it is needed for.
    pub needed_for: &'static str,
    /// Whether an agent cannot do without.
    pub vital: bool,
    /// What came of it. That there is no such record or change was the point of asking.
    pub answer: Result<(), ZoneError>,
}

/// A container that runs here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// As Docker has it.
    pub container: Container,
    /// The address of its task, where it has one of its own.
    pub task_address: Option<Ipv4Addr>,
}

/// A container that runs here and could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Which.
    pub id: ContainerId,
    /// Why.
    pub reason: String,
}

/// Why ECS did not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// The role may not ask.
    Denied(String),
    /// It does not answer.
    Away(String),
}

/// How a container's service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its container, by name.
    pub container: String,
    /// Its whole name.
    pub service: String,
    /// Why it is not in DNS with its weight; nothing if it is.
    pub falls_short: Option<String>,
    /// Whether a weight by hand is why.
    pub is_cordoned: bool,
}

/// What came of containers of a service that ended as they were asked to.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct Ended {
    /// Which service.
    pub service: String,
    /// How many had served until every name server had heard of their withdrawal.
    pub spread: u64,
    /// How many ended before that.
    pub early: u64,
    /// Of how many that is not known.
    pub unknown: u64,
    /// For how many seconds clients were sent to one that was not there any more, at the worst.
    pub longest_missing: f64,
}

/// The state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Where it is.
    pub path: PathBuf,
    /// What is there.
    pub kind: StateKind,
}

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSettings {
    /// The name that marks its records.
    pub owner: String,
    /// Where clients reach its ports.
    pub address: String,
    /// The zone's name.
    pub zone: String,
    /// The registry's id of it.
    pub zone_id: String,
    /// `route53`, or `local`.
    pub registry: String,
    /// Where it answers DNS.
    pub dns: Vec<String>,
}

/// What is at the state directory's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateKind {
    /// Nothing, and whether it could be made.
    Absent {
        /// Whether the nearest directory that there is can be written to.
        can_be_made: bool,
    },
    /// Something else.
    NoDirectory,
    /// It cannot be looked at.
    Unreadable(String),
    /// A directory.
    Directory {
        /// Whether this process may write to it.
        writable: bool,
        /// Its permissions, such as 0o700.
        mode: u32,
        /// Octets that are free on its disk.
        free: u64,
    },
}

/// The agent of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agent {
    /// None is there to be asked, for this reason.
    Silent(String),
    /// One is, and does not answer, as it says here.
    Hangs(String),
    /// It can do its work.
    Ready,
    /// It cannot, for these reasons.
    NotReady(Vec<String>),
}
