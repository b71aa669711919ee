//! TaskResolver: carries between Docker, the ECS agent and the Registrar what its [pure
//! twin](crate::machine::task_resolver) decides.
//!
//! Owns the inspections under way and the timer of the next one.

use std::net::Ipv4Addr;
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::contained::contained;
use super::messages::{RegistrarMessage, TaskResolverMessage};
use super::peers::Slot;
use super::showing::Showing;
use super::wake_timer::WakeTimer;
use crate::clock::Clock;
use crate::edge::engine::inspection::inspect;
use crate::edge::engine::{Docker, Tasks};
use crate::machine::task_resolver::{self, Output, Trouble, Troubles};
use crate::status::Board;

#[derive(Debug)]
pub(super) struct TaskResolver;

pub(super) struct TaskResolverArgs {
    pub(super) docker: Arc<dyn Docker>,
    pub(super) tasks: Arc<dyn Tasks>,
    /// What this host is published as.
    pub(super) host_address: Ipv4Addr,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) registrar: Slot<RegistrarMessage>,
}

pub(super) struct TaskResolverState {
    args: TaskResolverArgs,
    resolver: task_resolver::TaskResolver,
    wake: WakeTimer,
    showing: Showing<Troubles>,
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
        let resolver = task_resolver::TaskResolver::new(args.host_address);
        let showing = Showing::on(&args.board.troubles, args.clock);
        Ok(TaskResolverState { args, resolver, wake: WakeTimer::default(), showing })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (resolver, now) = (&mut state.resolver, state.args.clock.now());
        state.showing.on_heard();
        match message {
            TaskResolverMessage::Remembered { past, whole, at } => {
                resolver.on_remembered(past, whole, at, now)
            }
            TaskResolverMessage::Happened(events, turn) => {
                events.into_iter().for_each(|(event, seq)| resolver.on_event(event, seq, now));
                state.pass_on();
                state.args.registrar.cast(RegistrarMessage::TurnOver(turn));
            }
            TaskResolverMessage::Listed(list, as_of) => resolver.on_listed(list, as_of),
            TaskResolverMessage::InspectTask(id) => resolver.inspect_task(id),
            TaskResolverMessage::Inspected(due, inspection) => resolver.on_inspected(due, inspection, now),
            TaskResolverMessage::InspectionsDue => state.wake.rang(),
            TaskResolverMessage::InspectAll => resolver.inspect_all(),
            TaskResolverMessage::StartOver => resolver.start_over(),
            TaskResolverMessage::Moved(address) => resolver.on_moved(address),
            TaskResolverMessage::Pulse(pulse) => drop(pulse),
            TaskResolverMessage::ShowDue => state.showing.rang(),
        }
        state.pass_on();
        state.inspect(&myself);
        let (clock, due_at) = (state.args.clock, state.resolver.due_at());
        state.wake.set(&myself, clock, due_at, || TaskResolverMessage::InspectionsDue);
        let resolver = &state.resolver;
        state.showing.changed(&myself, || TaskResolverMessage::ShowDue, |_| resolver.troubles().clone());
        Ok(())
    }
}

impl TaskResolverState {
    fn pass_on(&mut self) {
        for output in self.resolver.outputs() {
            let message = match output {
                Output::Named(id, name) => RegistrarMessage::Named(id, name),
                Output::Event(id, event) => RegistrarMessage::Event(id, event),
                Output::Remembered(past) => RegistrarMessage::Remembered(past),
                Output::Listed(listed, as_of) => RegistrarMessage::Listed(listed, as_of),
                Output::Warning { id, name, trouble, text } => {
                    warn(id.short(), &name, trouble, &text);
                    continue;
                }
            };
            self.args.registrar.cast(message);
        }
    }

    fn inspect(&mut self, myself: &ActorRef<TaskResolverMessage>) {
        while let Some(due) = self.resolver.next_inspection(self.args.clock.now()) {
            let (docker, tasks, myself) = (self.args.docker.clone(), self.args.tasks.clone(), myself.clone());
            tokio::spawn(async move {
                let inspection = inspect(&*docker, &*tasks, &due.id, due.at_task);
                let inspection = contained(inspection).await;
                let inspection = inspection.and_then(|told| told.map_err(|error| error.to_string()));
                let _ = myself.cast(TaskResolverMessage::Inspected(due, inspection));
            });
        }
    }
}

fn warn(container: &str, name: &str, trouble: Trouble, text: &str) {
    match trouble {
        Trouble::BadKey => tracing::warn!(event = "bad_key", container, name, "{text}"),
        Trouble::NotPublished => tracing::warn!(event = "not_published", container, name, "{text}"),
        Trouble::HealthcheckFrozen => {
            tracing::warn!(event = "healthcheck_frozen", container, name, "{text}");
        }
        Trouble::NotInspected => tracing::warn!(event = "inspection_failed", container, name, "{text}"),
    }
}
