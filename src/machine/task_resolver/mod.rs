//! What is known of each container by events, lists and inspections, and which container is to be inspected next: the
//! pure twin of the actor of that name.
//!
//! Owns to whom else a container's turn is told ([`sharers`]), when the next inspection is due ([`inspections`]), what
//! an inspection amounts to (`reading`), what of it is said to the operator (`troubles`), and which lines of a list say
//! something new ([`listing`]). It leaves asking Docker and the ECS agent to the edge, and what to do about a container
//! to the [registrar](super::registrar).

pub mod inspections;
pub mod listing;
mod output;
mod reading;
pub mod sharers;
mod troubles;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

pub use self::inspections::Due;
use self::inspections::Inspections;
use self::listing::Listing;
pub use self::output::Output;
pub use self::reading::Inspection;
use self::reading::{Reader, Reading};
use self::sharers::{Sent, Sharers};
use self::troubles::TroubleBook;
pub use self::troubles::{Trouble, Troubles};
use super::lifecycle::{Desired, Event, Seq};
use super::past::{Heard, Past, Turn};
use crate::container::event::{DockerEvent, Happening, Listed};
use crate::container::{Container, Running};
use crate::moment::Moment;
use crate::record::ContainerId;

/// How long a failed inspection waits for the next try.
pub const INSPECT_AGAIN: Duration = Duration::from_secs(2);
/// Docker can lack a container's ports for a moment after its start: what seems unpublished then is inspected once
/// more before it is said.
pub const PORTS_LAG: Duration = Duration::from_millis(300);

/// What is known of a host's containers before it is judged.
#[derive(Clone, Debug)]
pub struct TaskResolver {
    /// The place of the latest news.
    latest: Seq,
    inspections: Inspections,
    listing: Listing,
    sharers: Sharers,
    heard: Heard,
    reader: Reader,
    troubles: TroubleBook,
    /// Containers whose next inspection is also of what ECS wants of them.
    at_task: BTreeSet<ContainerId>,
    outputs: Vec<Output>,
}

impl TaskResolver {
    /// Of a host that is published as this address; nothing is known yet.
    pub fn new(host_address: Ipv4Addr) -> Self {
        Self {
            latest: Seq::default(),
            inspections: Inspections::default(),
            listing: Listing::default(),
            sharers: Sharers::default(),
            heard: Heard::default(),
            reader: Reader::new(host_address),
            troubles: TroubleBook::default(),
            at_task: BTreeSet::new(),
            outputs: Vec::new(),
        }
    }

    /// Events may have been missed: all of the next list is inspected.
    pub fn inspect_all(&mut self) {
        self.listing.clear();
    }

    /// The host has this address from now on: what leads to it may be other ports.
    pub fn on_moved(&mut self, address: Ipv4Addr) {
        self.reader.on_moved(address);
        self.inspect_all();
    }

    /// Whoever was told has forgotten: what is told next is news, and all of the next list is inspected.
    pub fn start_over(&mut self) {
        self.listing.clear();
        self.inspections.outdate_all();
        self.heard = Heard::default();
    }

    /// This container is worth another inspection, also of what ECS wants of it.
    pub fn inspect_task(&mut self, id: ContainerId) {
        self.at_task.insert(id.clone());
        self.inspections.request(id);
    }

    /// The next inspection that may begin now.
    pub fn next_inspection(&mut self, now: Moment) -> Option<Due> {
        let as_of = self.latest;
        let id = self.inspections.next(as_of, now)?;
        let at_task = self.at_task.remove(&id);
        Some(Due { id, as_of, at_task })
    }

    /// When the next inspection may begin that may not now.
    pub fn due_at(&self) -> Option<Moment> {
        self.inspections.due_at()
    }

    /// What came of it since this was asked last.
    pub fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// What comes between containers' wishes and DNS now.
    pub fn troubles(&self) -> &Troubles {
        self.troubles.latest()
    }

    /// Something happened, which is the news at this place.
    pub fn on_event(&mut self, event: DockerEvent, seq: Seq, now: Moment) {
        self.latest = self.latest.max(seq);
        let DockerEvent { id, happening, time, age } = event;
        match happening {
            // Its start or its end says it all.
            Happening::Rewired if !self.listing.runs(&id) => return,
            Happening::Died | Happening::Destroyed => self.listing.forget(&id),
            Happening::Started => self.listing.begins(&id, seq),
            _ => self.listing.stir(&id),
        }
        match happening {
            Happening::Killed(signal) => {
                let sent = Sent { at: seq, time, heard: now, age };
                for (id, signal) in self.sharers.signalled(&id, signal, sent) {
                    self.tell(id, Event::Killed { at: seq, signal, time, age });
                }
            }
            Happening::Died => {
                self.turned(&id, seq);
                self.heard.turned(&id, time);
                let tied: Vec<_> = self.sharers.of(&id).cloned().collect();
                for id in std::iter::once(id).chain(tied) {
                    self.tell(id.clone(), Event::Died { at: seq, time });
                    self.inspections.request(id);
                }
            }
            Happening::Destroyed => {
                self.turned(&id, seq);
                self.forget(&id);
                self.tell(id, Event::Absent { as_of: seq });
            }
            Happening::Started => {
                self.turned(&id, seq);
                self.heard.turned(&id, time);
                self.look_at_all_of(&id);
                self.tell(id, Event::Started { at: seq });
            }
            Happening::Changed | Happening::Rewired => self.look_at_all_of(&id),
        }
    }

    /// What the engine remembers, learnt at this place; `whole` if it has forgotten nothing since it started. Of whom that
    /// is news, the next list is.
    pub fn on_remembered(&mut self, events: Vec<DockerEvent>, whole: bool, at: Seq, now: Moment) {
        self.latest = self.latest.max(at);
        let mut past = Past::new(at, whole);
        for DockerEvent { id, happening, time, age } in events {
            match happening {
                Happening::Killed(signal) => {
                    let sent = Sent { at, time, heard: now, age };
                    for (id, signal) in self.sharers.signalled(&id, signal, sent) {
                        past.push(&id, Turn::Killed(signal), time, age);
                    }
                }
                Happening::Died => {
                    self.turned(&id, at);
                    for id in std::iter::once(&id).chain(self.sharers.of(&id)) {
                        past.push(id, Turn::Ended, time, age);
                    }
                }
                Happening::Destroyed => {
                    self.turned(&id, at);
                    self.forget(&id);
                    past.push(&id, Turn::Ended, time, age);
                }
                Happening::Started => {
                    self.turned(&id, at);
                    past.push(&id, Turn::Started, time, age);
                }
                Happening::Changed | Happening::Rewired => {}
            }
        }
        self.heard.catch_up(&mut past);
        self.listing.on_remembered(&past);
        self.outputs.push(Output::Remembered(past));
    }

    /// All that runs, asked for at this place.
    pub fn on_listed(&mut self, list: Vec<Listed>, as_of: Seq) {
        self.latest = self.latest.max(as_of);
        let listed: BTreeSet<_> = list.iter().map(|line| line.id.clone()).collect();
        self.troubles.retain(&listed);
        self.reader.retain(&listed);
        self.sharers.retain(&listed);
        self.heard.retain(&listed);
        self.inspections.on_listed(&listed, as_of);
        self.listing.news(list, as_of).iter().for_each(|id| self.look_at_all_of(id));
        self.outputs.push(Output::Listed(listed, as_of));
    }

    /// An inspection that began as of this place ended.
    pub fn on_inspected(&mut self, due: Due, inspection: Result<Inspection, String>, now: Moment) {
        let Due { id, as_of, at_task } = due;
        if !self.inspections.done(&id) {
            return;
        }
        if let Ok(Inspection::Container { network_owner: Some(owner), .. }) = &inspection
            && self.inspections.has_turned_since(&owner.id, as_of)
        {
            // What its owner was sent before is over, and cannot be told any more.
            return if at_task { self.inspect_task(id) } else { self.inspections.request(id) };
        }
        self.troubles.on_inspected(&id);
        match inspection {
            Ok(Inspection::Container { container, network_owner, task_address, desired }) => {
                if let Some(owner) = network_owner.as_deref() {
                    self.on_owner(as_of, &container, owner, now);
                }
                self.on_container(as_of, &container, network_owner.as_deref(), task_address, desired, now);
            }
            Ok(Inspection::Nothing) => self.tell(id, Event::Absent { as_of }),
            Err(reason) => {
                self.warn(
                    &id,
                    "",
                    Trouble::NotInspected,
                    format!("could not be inspected, trying again: {reason}"),
                );
                self.inspections.request_at(now + INSPECT_AGAIN, id);
            }
        }
    }

    fn on_container(
        &mut self,
        as_of: Seq,
        container: &Container,
        network_owner: Option<&Container>,
        task_address: Option<Ipv4Addr>,
        desired: Desired,
        now: Moment,
    ) {
        let id = container.id.clone();
        let Reading { sight, troubles, is_early } =
            self.reader.read(container, network_owner, task_address, desired);
        for (trouble, text) in troubles {
            self.warn(&id, &container.name, trouble, text);
        }
        if is_early {
            self.inspections.request_at(now + PORTS_LAG, id.clone());
        }
        let Some(sight) = sight else {
            self.tell(id, Event::Absent { as_of });
            return;
        };
        self.outputs.push(Output::Named(id.clone(), container.name.clone()));
        self.tell(id, Event::Seen { as_of, sight: Box::new(sight) });
    }

    fn on_owner(&mut self, as_of: Seq, container: &Container, owner: &Container, now: Moment) {
        // Nobody may have told of its end.
        if owner.running == Running::Stopped {
            self.on_container(as_of, owner, None, None, Desired::Unasked, now);
        }
        let Some(started_at) = container.started_at else { return };
        for (signal, sent) in self.sharers.tie((&container.id, started_at), &owner.id, owner.stop_signal) {
            let Sent { at, time, heard, age } = sent;
            let age = age + (now - heard);
            self.tell(container.id.clone(), Event::Killed { at, signal, time, age });
        }
    }

    /// It is worth an inspection, and so are all that share its network: what a list or an event says of them is silent
    /// about the ports that are published for them.
    fn look_at_all_of(&mut self, id: &ContainerId) {
        self.inspections.request(id.clone());
        self.sharers.of(id).cloned().for_each(|tied| self.inspections.request(tied));
    }

    fn turned(&mut self, id: &ContainerId, at: Seq) {
        self.sharers.turned(id);
        self.inspections.turned(id, at);
    }

    fn warn(&mut self, id: &ContainerId, name: &str, trouble: Trouble, text: String) {
        if self.troubles.note(id, &text) {
            self.outputs.push(Output::Warning { id: id.clone(), name: name.to_owned(), trouble, text });
        }
    }

    fn tell(&mut self, id: ContainerId, event: Event) {
        self.outputs.push(Output::Event(id, event));
    }

    fn forget(&mut self, id: &ContainerId) {
        self.inspections.forget(id);
        self.listing.forget(id);
        self.troubles.forget(id);
        self.reader.forget(id);
        self.at_task.remove(id);
        self.sharers.forget(id);
    }
}

#[cfg(test)]
mod tests;
