//! What the actors say to each other: every protocol on one page, with who says it.
//!
//! A message carries a hint or a value, never the only copy of something. What an actor tells itself, by a timer
//! or from a task that asked the world, comes through the same mailbox and stands here too. This page knows no
//! actor; every actor knows it.
//!
//! | to | from |
//! |---|---|
//! | [`AgentMessage`] | the program, the Route53Writer, the HostWatcher |
//! | [`DockerWatcherMessage`] | the Agent |
//! | [`TaskResolverMessage`] | the DockerWatcher, the Registrar, the Agent |
//! | [`RegistrarMessage`] | the TaskResolver, the HealthProbers, the HostWatcher, the Route53Writer, the Agent |
//! | [`HealthProberMessage`] | the Registrar |
//! | [`HostWatcherMessage`] | the Agent |
//! | [`Route53WriterMessage`] | the Registrar, the Agent |

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use ractor::ActorId;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::container::engine::Caveat;
use crate::container::event::{DockerEvent, Listed};
use crate::edge::check::CheckError;
use crate::edge::engine::DockerError;
use crate::journal::cordons::KeepError;
use crate::machine::cordon::{Order, Refused, Report};
use crate::machine::departure::{AskError, Notice, Said, Source};
use crate::machine::lifecycle::{Event, Seq, Unproven};
use crate::machine::past::Past;
use crate::machine::publish::Wants;
use crate::machine::task_resolver::{Due, Inspection};
use crate::moment::Moment;
use crate::reconcile::writer::{Answer, Call};
use crate::record::{ContainerId, Key, RecordSet};

/// To the Agent.
#[derive(Debug)]
pub(super) enum AgentMessage {
    /// The program, at SIGTERM: end in the way that is planned.
    Stop,
    /// The program, at SIGINT: withdraw everything, then end.
    Drain,
    /// The program, at SIGHUP: end at once; records stay.
    HandOver,
    /// The HostWatcher, when it was asked: why the host or its system goes; `None` where nothing says so.
    Judged(Option<String>),
    /// The HostWatcher: the host has this address from now on.
    Moved(Ipv4Addr),
    /// The program: somebody asks for this, and waits to hear what came of it.
    Order(Order, Reply),
    /// The program, which wants to know whether all take in what they are sent.
    Pulse(Pulse),
    /// The Route53Writer, when a drain is done or out of time.
    Drained {
        /// The service records that may still be there.
        left: Vec<Key>,
        /// Whether the zone was read, so that nothing else is left.
        zone_read: bool,
        /// Whether every name server was seen to answer so.
        confirmed: bool,
    },
    /// The Route53Writer, where the agent runs once: all that could be done is done, but for these.
    Reconciled(Vec<Key>),
    /// A timer: the HostWatcher had its time to judge.
    JudgementOverdue,
    /// A timer: all has had weight 0 for long enough.
    DelayOver,
    /// A timer: the Route53Writer had its time to drain, and said nothing.
    DrainOverdue,
    /// A timer: this child could not be started; try again.
    Restart(Child),
}

/// The actors that the Agent starts again by their place. Probers are the Registrar's to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    Watcher,
    Resolver,
    Registrar,
    Writer,
    Host,
}

/// Where to say what came of an order.
pub(super) type Reply = oneshot::Sender<Result<Ordered, Refused>>;

/// What came of an order that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// What it changes.
    pub report: Report,
    /// Whether that is remembered over a restart.
    pub kept: Result<(), KeepError>,
}

/// Goes through the mailboxes of all, and is felt when it has left the last one: by the program, as the end of the
/// channel. An actor that is no more takes its mailbox with it; only one that hangs holds it up.
#[derive(Clone, Debug)]
pub(super) struct Pulse(
    #[expect(dead_code, reason = "held for its drop")] pub(super) mpsc::Sender<Infallible>,
);

/// To the DockerWatcher.
#[derive(Debug)]
pub(super) enum DockerWatcherMessage {
    /// Itself, at its start and after a wait; the Agent, when others have forgotten what they were told:
    /// subscribe afresh, and list.
    Subscribe,
    /// Its subscription, with its generation: it stands, what the engine keeps from it, which events it remembers,
    /// and whether it has forgotten none.
    Subscribed(u64, BTreeSet<Caveat>, Vec<DockerEvent>, bool),
    /// Its subscription, with its generation: these events came, and it waits with the next until the turn is
    /// dropped.
    Happened(u64, Vec<DockerEvent>, Turn),
    /// Its subscription, with its generation: it ended, by itself or with this error.
    Ended(u64, Option<DockerError>),
    /// A timer: a list is due.
    ListDue,
    /// Its list, asked for at this place.
    Listed(Seq, Result<Vec<Listed>, DockerError>),
    /// The Agent: it is alive.
    Pulse(Pulse),
    /// A timer: what it knows is to be shown.
    ShowDue,
}

/// The right to tell more: held by what was told, until the Registrar has taken it in.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "held for its drop")] pub(super) OwnedSemaphorePermit);

/// To the TaskResolver.
#[derive(Debug)]
pub(super) enum TaskResolverMessage {
    /// The DockerWatcher: these things happened to containers, each learnt at its place; the turn goes on to
    /// the Registrar after them.
    Happened(Vec<(DockerEvent, Seq)>, Turn),
    /// The DockerWatcher: what the engine remembers of the time before this place.
    Remembered {
        /// The events, in their order.
        past: Vec<DockerEvent>,
        /// Whether it has forgotten none.
        whole: bool,
        /// The place.
        at: Seq,
    },
    /// The DockerWatcher: all that runs, asked for at this place.
    Listed(Vec<Listed>, Seq),
    /// The Registrar: a container is worth another inspection, also of what ECS wants of it.
    InspectTask(ContainerId),
    /// The inspection that was due.
    Inspected(Due, Result<Inspection, String>),
    /// A timer: the next inspection may begin.
    InspectionsDue,
    /// The DockerWatcher: events may have been missed; all of the next list is inspected.
    InspectAll,
    /// The Agent: whoever was told has forgotten; what is told next is news, and all of the next list is inspected.
    StartOver,
    /// The Agent: the host has this address from now on.
    Moved(Ipv4Addr),
    /// The Agent: it is alive.
    Pulse(Pulse),
    /// A timer: what it knows is to be shown.
    ShowDue,
}

/// To the Registrar.
#[derive(Debug)]
pub(super) enum RegistrarMessage {
    /// The TaskResolver: what a container is called, for the log.
    Named(ContainerId, String),
    /// The TaskResolver, of what it saw: something happened to a container.
    Event(ContainerId, Event),
    /// The TaskResolver: all that came of one turn of Docker's events has been told; the next may come.
    TurnOver(Turn),
    /// The TaskResolver: what the engine remembers.
    Remembered(Past),
    /// The TaskResolver: all that runs, asked for at this place.
    Listed(BTreeSet<ContainerId>, Seq),
    /// The HostWatcher: what the host is told of its future.
    Notice(Notice),
    /// The Route53Writer, of what the zone holds of this host, or is to hold. With this and what is found begins an
    /// [adoption](crate::machine::adoption).
    Known {
        /// The record sets.
        own: Vec<RecordSet>,
        /// Whether that is all, so that nothing is found later.
        is_all: bool,
    },
    /// The Route53Writer: what a read of the whole zone showed; it waits to hear what of it is wanted.
    Found {
        /// The record sets.
        own: Vec<RecordSet>,
        /// Which of the writers that the Agent started waits.
        generation: u64,
    },
    /// The Agent: the Route53Writer lost its memory of what is wanted.
    WriterRestarted,
    /// This HealthProber, of its verdict on a container.
    Probed(ActorId, ContainerId, Event),
    /// The Agent: an actor failed that may be a prober.
    ProberFailed(ActorId),
    /// The Agent: somebody asks for this, and waits to hear what came of it.
    Order(Order, Reply),
    /// The Agent: the host has this address from now on.
    Moved(Ipv4Addr),
    /// The Agent: it will drain in a while.
    PrepareDrain,
    /// The Agent: nothing is wanted any more, and the Route53Writer has to be done by then.
    Drain(Moment),
    /// A timer: a deadline has come.
    WakeDue,
    /// The Agent: it is alive.
    Pulse(Pulse),
    /// A timer: what it knows is to be shown.
    ShowDue,
}

/// To a HealthProber.
#[derive(Debug)]
pub(super) enum HealthProberMessage {
    /// A timer: the target at this index is to be asked.
    Due(usize),
    /// Its probe.
    Answered {
        /// Of which target.
        index: usize,
        /// What the target said.
        answer: Result<(), CheckError>,
        /// How long that took.
        took: Duration,
    },
    /// The Registrar: the log has to say why this service is not in DNS.
    Explain(Unproven),
}

/// To the HostWatcher.
#[derive(Debug)]
pub(super) enum HostWatcherMessage {
    /// A timer: it is time to ask this source.
    Due(Source),
    /// Its question: what this source said.
    Answered(Source, Result<Said, AskError>),
    /// A timer: it is time to read the host's address.
    AddressDue,
    /// The Agent: the Registrar has forgotten what it was told.
    Tell,
    /// The Agent, which was asked to stop: does the host go, or its system?
    Judge,
    /// Its question: what the system said to that.
    SystemAnswered(Result<Said, AskError>),
    /// The Agent: it is alive.
    Pulse(Pulse),
}

/// To the Route53Writer.
#[derive(Debug)]
pub(super) enum Route53WriterMessage {
    /// The Registrar: this container's record sets, in place of those it wanted before.
    Want(ContainerId, Vec<RecordSet>),
    /// The Registrar: all containers' record sets.
    WantAll(Wants),
    /// The Registrar: the host has this address from now on, and with it all these record sets are wanted, where all was
    /// said before. The Agent, where a Registrar may have failed before it said so.
    Moved(Ipv4Addr, Option<Wants>),
    /// The Registrar: a container of this name has ended as it was asked to.
    Ended(ContainerId, String),
    /// The Registrar: all is wanted that is to be wanted of what the writer of this generation has
    /// [found](RegistrarMessage::Found).
    FoundJudged(u64),
    /// The Registrar: nothing is wanted any more but the host's address; to be done by then.
    Drain(Moment),
    /// The Agent: tell the Registrar what the zone holds, as soon as that is known.
    Introduce,
    /// Its call, and the zone's answer to it.
    Answered(Call, Answer),
    /// A timer: something is due.
    WakeDue,
    /// A timer: the time of a drain is over.
    DrainOver,
    /// The Agent: it is alive.
    Pulse(Pulse),
    /// A timer: what it knows is to be shown.
    ShowDue,
}
