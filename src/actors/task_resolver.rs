//! TaskResolver: "what it is": looks at containers, and says what they offer.
//!
//! Owns the looks at Docker and at the ECS agent, the tie between a container and the one whose network
//! it shares, and the reports of what is wrong in a container's settings. When to act on it is for the
//! Registrar.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::alarm::Alarm;
use super::contained::contained;
use super::look::look;
use super::messages::{Look, RegistrarMessage, TaskResolverMessage};
use super::peers::Slot;
use crate::clock::Clock;
use crate::container::offer::{Unpublished, offers, published};
use crate::container::{Container, Network, Running};
use crate::edge::engine::{Docker, DockerEvent, Happening, Listed, Tasks};
use crate::machine::lifecycle::{Desired, Event, Seq, Sight};
use crate::machine::looks::Looks;
use crate::machine::past::{Heard, Past, Turn};
use crate::machine::sharers::{Sent, Sharers};
use crate::record::ContainerId;

/// How long a failed look waits for the next try.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Docker can lack a container's ports for a moment after its start: what seems unpublished then is
/// looked at once more before it is said.
const PORTS_LAG: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct TaskResolver;

pub(super) struct TaskResolverArgs {
    pub(super) docker: Arc<dyn Docker>,
    pub(super) tasks: Arc<dyn Tasks>,
    /// What this host is published as.
    pub(super) host_address: Ipv4Addr,
    pub(super) clock: Clock,
    pub(super) registrar: Slot<RegistrarMessage>,
}

pub(super) struct TaskResolverState {
    args: TaskResolverArgs,
    looks: Looks,
    wake: Alarm,
    latest: Seq,
    fingerprints: BTreeMap<ContainerId, String>,
    sharers: Sharers,
    heard: Heard,
    /// What has been said of a container already.
    said: BTreeMap<ContainerId, BTreeSet<String>>,
    /// Containers whose next look is also at what ECS wants of them.
    at_task: BTreeSet<ContainerId>,
    /// Containers whose ports are given a moment to show up.
    lagging: BTreeSet<ContainerId>,
}

impl Actor for TaskResolver {
    type Msg = TaskResolverMessage;
    type State = TaskResolverState;
    type Arguments = TaskResolverArgs;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(TaskResolverState {
            args,
            looks: Looks::default(),
            wake: Alarm::default(),
            latest: Seq::default(),
            fingerprints: BTreeMap::new(),
            sharers: Sharers::default(),
            heard: Heard::default(),
            said: BTreeMap::new(),
            at_task: BTreeSet::new(),
            lagging: BTreeSet::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TaskResolverMessage::Remembered { past, whole, at } => state.on_remembered(past, whole, at),
            TaskResolverMessage::Happened(events, turn) => {
                events.into_iter().for_each(|(event, seq)| state.on_happened(event, seq));
                state.args.registrar.cast(RegistrarMessage::TurnOver(turn));
            }
            TaskResolverMessage::Listed(list, as_of) => state.on_listed(list, as_of),
            TaskResolverMessage::Look(id) => state.looks.want(id),
            TaskResolverMessage::LookAtTask(id) => {
                state.at_task.insert(id.clone());
                state.looks.want(id);
            }
            TaskResolverMessage::Looked(id, as_of, look) => {
                state.looks.done(&id);
                state.on_looked(&myself, id, as_of, look);
            }
            TaskResolverMessage::LooksDue => state.wake.rang(),
            TaskResolverMessage::LookAtAll => state.fingerprints.clear(),
            TaskResolverMessage::StartOver => {
                state.fingerprints.clear();
                state.heard = Heard::default();
            }
            TaskResolverMessage::Pulse(pulse) => drop(pulse),
        }
        state.start_looks(&myself);
        state.schedule(&myself);
        Ok(())
    }
}

impl TaskResolverState {
    fn on_happened(&mut self, event: DockerEvent, seq: Seq) {
        self.latest = self.latest.max(seq);
        let DockerEvent { id, happening, time, age } = event;
        // The next list is not like the one before, though it may look so: what happens next may not be told.
        self.fingerprints.insert(id.clone(), String::new());
        let tied: Vec<_> = self.sharers.of(&id).cloned().collect();
        match happening {
            Happening::Killed(signal) => {
                let sent = Sent { at: seq, time, heard: self.args.clock.now(), age };
                for (id, signal) in self.sharers.signalled(&id, signal, sent) {
                    self.tell(id, Event::Killed { at: seq, signal, time, age });
                }
            }
            Happening::Died => {
                self.heard.turned(&id, time);
                self.sharers.turned(&id);
                for id in std::iter::once(id).chain(tied) {
                    self.tell(id.clone(), Event::Died { at: seq, time });
                    self.looks.want(id);
                }
            }
            Happening::Destroyed => {
                self.looks.forget(&id);
                self.forget(&id);
                self.tell(id, Event::Absent { as_of: seq });
            }
            Happening::Started => {
                self.heard.turned(&id, time);
                self.sharers.turned(&id);
                self.tell(id.clone(), Event::Started { at: seq });
                std::iter::once(id).chain(tied).for_each(|id| self.looks.want(id));
            }
            Happening::Changed => std::iter::once(id).chain(tied).for_each(|id| self.looks.want(id)),
        }
    }

    /// All that is listed is looked at afterwards, so nothing is looked at for this.
    fn on_remembered(&mut self, events: Vec<DockerEvent>, whole: bool, at: Seq) {
        self.latest = self.latest.max(at);
        let mut past = Past::new(at, whole);
        for DockerEvent { id, happening, time, age } in events {
            match happening {
                Happening::Killed(signal) => {
                    let sent = Sent { at, time, heard: self.args.clock.now(), age };
                    for (id, signal) in self.sharers.signalled(&id, signal, sent) {
                        past.push(&id, Turn::Killed(signal), time, age);
                    }
                }
                Happening::Died => {
                    self.sharers.turned(&id);
                    for id in std::iter::once(&id).chain(self.sharers.of(&id)) {
                        past.push(id, Turn::Ended, time, age);
                    }
                }
                Happening::Destroyed => {
                    self.looks.forget(&id);
                    self.forget(&id);
                    past.push(&id, Turn::Ended, time, age);
                }
                Happening::Started => {
                    self.sharers.turned(&id);
                    past.push(&id, Turn::Started, time, age);
                }
                Happening::Changed => {}
            }
        }
        self.heard.catch_up(&mut past);
        self.args.registrar.cast(RegistrarMessage::Remembered(past));
    }

    fn on_listed(&mut self, list: Vec<Listed>, as_of: Seq) {
        self.latest = self.latest.max(as_of);
        let listed: BTreeSet<_> = list.iter().map(|line| line.id.clone()).collect();
        self.fingerprints.retain(|id, _| listed.contains(id));
        self.said.retain(|id, _| listed.contains(id));
        self.lagging.retain(|id| listed.contains(id));
        self.sharers.retain(&listed);
        self.heard.retain(&listed);
        for Listed { id, fingerprint } in list {
            if self.fingerprints.insert(id.clone(), fingerprint.clone()) != Some(fingerprint) {
                self.looks.want(id);
            }
        }
        self.args.registrar.cast(RegistrarMessage::Listed(listed, as_of));
    }

    fn start_looks(&mut self, myself: &ActorRef<TaskResolverMessage>) {
        let (as_of, now) = (self.latest, self.args.clock.now());
        while let Some(id) = self.looks.next(as_of, now) {
            let (docker, tasks) = (self.args.docker.clone(), self.args.tasks.clone());
            let (myself, at_task) = (myself.clone(), self.at_task.remove(&id));
            tokio::spawn(async move {
                let looked = contained(look(&*docker, &*tasks, &id, at_task)).await.unwrap_or_else(Err);
                let _ = myself.cast(TaskResolverMessage::Looked(id, as_of, looked));
            });
        }
    }

    fn schedule(&mut self, myself: &ActorRef<TaskResolverMessage>) {
        let clock = self.args.clock;
        self.wake.set(myself, clock, self.looks.due_at(), || TaskResolverMessage::LooksDue);
    }

    fn on_looked(
        &mut self,
        myself: &ActorRef<TaskResolverMessage>,
        id: ContainerId,
        as_of: Seq,
        look: Result<Look, String>,
    ) {
        match look {
            Ok(Look::Container { container, network_owner, task_address, desired }) => {
                let owner = network_owner.as_deref();
                self.on_container(myself, as_of, &container, owner, task_address, desired);
            }
            Ok(Look::Nothing) => self.tell(id, Event::Absent { as_of }),
            Err(reason) => {
                self.say(&id, "", format!("could not be looked at, trying again: {reason}"));
                self.look_in(myself, id, LOOK_AGAIN);
            }
        }
    }

    fn on_container(
        &mut self,
        myself: &ActorRef<TaskResolverMessage>,
        as_of: Seq,
        container: &Container,
        network_owner: Option<&Container>,
        task_address: Option<Ipv4Addr>,
        desired: Desired,
    ) {
        let id = container.id.clone();
        for bad in &container.bad_keys {
            self.say(&id, &container.name, bad.to_string());
        }
        if let Some(owner) = network_owner {
            self.on_owner(myself, as_of, container, owner);
        }
        let host_address = self.args.host_address;
        let (offers, unpublished) = offers(container, network_owner, task_address, host_address);
        if container.running == Running::Running {
            self.on_unpublished(myself, container, unpublished);
        }
        let Some(started_at) = container.started_at else {
            self.tell(id, Event::Absent { as_of });
            return;
        };
        let sight = Sight {
            started_at,
            lived_before: container.lived_before,
            running: container.running,
            health: container.health,
            stop_signal: container.stop_signal,
            log: container.health_log.clone(),
            task: container.task_arn.clone(),
            published: published(container, host_address),
            desired,
            offers,
        };
        let event = Event::Seen { as_of, sight: Box::new(sight) };
        self.args.registrar.cast(RegistrarMessage::Named(id.clone(), container.name.clone()));
        self.tell(id, event);
    }

    fn on_owner(
        &mut self,
        myself: &ActorRef<TaskResolverMessage>,
        as_of: Seq,
        container: &Container,
        owner: &Container,
    ) {
        // Nobody may have told of its end.
        if owner.running == Running::Stopped {
            self.on_container(myself, as_of, owner, None, None, Desired::Unasked);
        }
        let Some(started_at) = container.started_at else { return };
        for (signal, sent) in self.sharers.tie((&container.id, started_at), &owner.id, owner.stop_signal) {
            let Sent { at, time, heard, age } = sent;
            let age = age + self.args.clock.now().saturating_sub(heard);
            self.tell(container.id.clone(), Event::Killed { at, signal, time, age });
        }
    }

    fn on_unpublished(
        &mut self,
        myself: &ActorRef<TaskResolverMessage>,
        container: &Container,
        unpublished: Vec<Unpublished>,
    ) {
        if unpublished.is_empty() {
            self.lagging.remove(&container.id);
        } else if container.network == Network::Published && self.lagging.insert(container.id.clone()) {
            self.look_in(myself, container.id.clone(), PORTS_LAG);
        } else {
            for Unpublished { service, container_port, reason } in unpublished {
                let text = format!("{service} on port {container_port} is not published: {reason}");
                self.say(&container.id, &container.name, text);
            }
        }
    }

    fn look_in(&self, myself: &ActorRef<TaskResolverMessage>, id: ContainerId, wait: Duration) {
        myself.send_after(wait, move || TaskResolverMessage::Look(id));
    }

    /// Says something of a container, once.
    fn say(&mut self, id: &ContainerId, name: &str, text: String) {
        if self.said.entry(id.clone()).or_default().insert(text.clone()) {
            tracing::warn!(container = id.short(), name, "{text}");
        }
    }

    fn tell(&self, id: ContainerId, event: Event) {
        self.args.registrar.cast(RegistrarMessage::Event(id, event));
    }

    fn forget(&mut self, id: &ContainerId) {
        self.fingerprints.remove(id);
        self.said.remove(id);
        self.lagging.remove(id);
        self.sharers.forget(id);
    }
}
