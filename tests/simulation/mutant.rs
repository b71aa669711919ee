//! Bugs, planted between an agent and its world: each does what an agent with that bug would.
//!
//! The agent's code is as it is; the court sits on the world's side of these. Whoever looks for bugs with these
//! checkers wants to have seen each of them caught.

use std::time::Duration;

use ecssd::container::{Container, Health, Running};
use ecssd::edge::check::CheckError;
use ecssd::machine::lifecycle::Target;
use ecssd::record::{Action, Change, ContainerId, RecordSet, RecordType, Routing};
use ecssd::zone::{ChangeInfo, ZoneError};

use super::agent::Agent;
use super::truth::Truth;
use super::world::State;

/// A bug; [`Mutant::None`] is the agent as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutant {
    #[default]
    None,
    /// S1: takes a record of somebody else along.
    DeletesForeign,
    /// S2: the janitor knows no caps.
    NoCaps,
    /// S3: takes what fails its check out, instead of setting its weight to 0.
    DeletesTheSick,
    /// S3: takes what fails its check out of its full name, too.
    TakesTheSickFromAll,
    /// S4: deletes whatever stands, instead of what it knows.
    DeletesWhatStands,
    /// S5: the janitor looks once.
    LooksOnce,
    /// S6: takes an engine that does not answer for an empty one.
    EmptyEngine,
    /// S7: a create is repeated after it was done.
    RepeatsOldCalls,
    /// S8: the two halves of a swap are parted, and the first is lost.
    PartsSwaps,
    /// S8: the container that started last takes a port from whoever has it.
    NewestTakesThePort,
    /// S9: asks again at once when throttled.
    HasNoPatience,
    /// S10: one key twice in a batch.
    SaysItTwice,
    /// S11: takes batches apart whatever happens.
    TakesBatchesApart,
    /// S12: probes a port that is not its container's.
    OtherPort,
    /// S12: two probes at once.
    TwoProbes,
    /// S13: does not tell silence from refusal, and so never doubts itself.
    BlindDoubt,
    /// L1: a retry that gives up, and says that it was done.
    GivesUp,
    /// L1: a delete that is lost, and a zone that is not read.
    LosesDeletes,
    /// L2: what an agent that gave up leaves is cleaned away.
    CleansUpAfterPanics,
    /// L3: says that all is withdrawn when it is not.
    DrainsInWords,
    /// L4: forgets a registration.
    ForgetsOne,
    /// L1: what somebody edited is not seen.
    SeesNoStrangeContent,
    /// S14: writes a full name before its copy has passed its check.
    WritesAllUnproved,
    /// L1: leaves the address of a service where it is.
    LeavesAddresses,
    /// S14: takes any life for the one that an earlier run registered.
    TrustsAnyLife,
    /// S14: takes a HEALTHCHECK that has not passed yet for one that has.
    TrustsWhatStarts,
    /// S14: takes what is paused for what runs.
    TrustsWhatIsPaused,
    /// S3: takes what is paused for what has stopped.
    WithdrawsWhatIsPaused,
    /// L1: after a gap in events looks at what the list shows to have changed, and at nothing else.
    LooksAtWhatChanged,
    /// L1: hears nothing of networks, and sees no port in a list.
    SeesNoPorts,
    /// L3: a drain skips what it did not write itself.
    DrainsWhatItWrote,
    /// L3: a drain does not wait for the call that is under way.
    DoesNotWait,
    /// L4: while it doubts its checks, does not see who passes.
    DeafInDoubt,
    /// L4: goes on with a credential that has ended.
    KeepsItsCredential,
    /// L4: a restart forgets the weights that were given by hand.
    ForgetsCordons,
    /// L4: after a restart they do not end by themselves.
    CordonsForGood,
    /// L4: a weight by hand takes the full name along.
    CordonsFullNames,
    /// L5: does not see that its host has another address.
    StaysWhereItWas,
    /// S16: of what leads to its host, only its own record follows.
    MovesAlone,
    /// S16: believes the first reading of another address.
    BelievesOneReading,
    /// L6: after another boot takes what it left for what stands.
    TrustsWhatItLeft,
    /// S17: reads the zone at each start.
    ListsAtEachStart,
    /// S17: creates what may stand already.
    CreatesWhatItRemembers,
    /// S1: removes what another machine wrote, too.
    TakesAnyForItself,
    /// L7: does not remove what it wrote under another name.
    LeavesItsFormerName,
    /// S18: takes no change for one that every name server has heard of.
    HearsOfNoSpread,
    /// S15: does not see that a new container is another try of those before.
    TrustsNewContainers,
}

impl Mutant {
    /// All of them, each with the invariant that must catch it.
    pub const ALL: [(Self, &str); 47] = [
        (Self::DeletesForeign, "S1"),
        (Self::NoCaps, "S2"),
        (Self::DeletesTheSick, "S3"),
        (Self::TakesTheSickFromAll, "S3"),
        (Self::DeletesWhatStands, "S4"),
        (Self::LooksOnce, "S5"),
        (Self::EmptyEngine, "S6"),
        (Self::RepeatsOldCalls, "S7"),
        (Self::PartsSwaps, "S8"),
        (Self::NewestTakesThePort, "S8"),
        (Self::HasNoPatience, "S9"),
        (Self::SaysItTwice, "S10"),
        (Self::TakesBatchesApart, "S11"),
        (Self::OtherPort, "S12"),
        (Self::TwoProbes, "S12"),
        (Self::BlindDoubt, "S13"),
        (Self::TrustsAnyLife, "S14"),
        (Self::WritesAllUnproved, "S14"),
        (Self::LeavesAddresses, "L1"),
        (Self::TrustsWhatStarts, "S14"),
        (Self::TrustsWhatIsPaused, "S14"),
        (Self::WithdrawsWhatIsPaused, "S3"),
        (Self::LooksAtWhatChanged, "L1"),
        (Self::SeesNoPorts, "L1"),
        (Self::DrainsWhatItWrote, "L3"),
        (Self::DoesNotWait, "L3"),
        (Self::DeafInDoubt, "L4"),
        (Self::GivesUp, "L1"),
        (Self::LosesDeletes, "L1"),
        (Self::SeesNoStrangeContent, "L1"),
        (Self::CleansUpAfterPanics, "L2"),
        (Self::DrainsInWords, "L3"),
        (Self::ForgetsOne, "L4"),
        (Self::KeepsItsCredential, "L4"),
        (Self::ForgetsCordons, "L4"),
        (Self::CordonsForGood, "L4"),
        (Self::CordonsFullNames, "L4"),
        (Self::TrustsNewContainers, "S15"),
        (Self::StaysWhereItWas, "L5"),
        (Self::HearsOfNoSpread, "S18"),
        (Self::TakesAnyForItself, "S1"),
        (Self::LeavesItsFormerName, "L7"),
        (Self::TrustsWhatItLeft, "L6"),
        (Self::ListsAtEachStart, "S17"),
        (Self::CreatesWhatItRemembers, "S17"),
        (Self::MovesAlone, "S16"),
        (Self::BelievesOneReading, "S16"),
    ];

    /// A history that shows it, where seeds hardly ever do.
    pub fn shown_by(self) -> Option<&'static str> {
        match self {
            // Five of six say nothing any more, at once.
            Self::BlindDoubt => Some(
                r#"{"seed":1,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1100,"host":0,"what":{"Run":{"slot":1,"spec":{"service":1,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1200,"host":0,"what":{"Run":{"slot":2,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1300,"host":0,"what":{"Run":{"slot":3,"spec":{"service":0,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1400,"host":0,"what":{"Run":{"slot":4,"spec":{"service":1,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1500,"host":0,"what":{"Run":{"slot":5,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":220000,"host":0,"what":{"Sicken":{"slot":0,"silent":true,"seconds":200}}},{"at":220010,"host":0,"what":{"Sicken":{"slot":1,"silent":true,"seconds":200}}},{"at":220020,"host":0,"what":{"Sicken":{"slot":2,"silent":true,"seconds":200}}},{"at":220030,"host":0,"what":{"Sicken":{"slot":3,"silent":true,"seconds":200}}},{"at":220040,"host":0,"what":{"Sicken":{"slot":4,"silent":true,"seconds":200}}}]}"#,
            ),
            // Five of seven say nothing any more, and a sixth begins to answer.
            Self::DeafInDoubt => Some(
                r#"{"seed":1,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1100,"host":0,"what":{"Run":{"slot":1,"spec":{"service":1,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1200,"host":0,"what":{"Run":{"slot":2,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1300,"host":0,"what":{"Run":{"slot":3,"spec":{"service":0,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1400,"host":0,"what":{"Run":{"slot":4,"spec":{"service":1,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":1500,"host":0,"what":{"Run":{"slot":5,"spec":{"service":2,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":100000,"host":0,"what":{"Run":{"slot":6,"spec":{"service":3,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":150000,"restarts":false,"ports_lag_ms":0,"start_seconds":0}}}},{"at":220000,"host":0,"what":{"Sicken":{"slot":0,"silent":true,"seconds":200}}},{"at":220010,"host":0,"what":{"Sicken":{"slot":1,"silent":true,"seconds":200}}},{"at":220020,"host":0,"what":{"Sicken":{"slot":2,"silent":true,"seconds":200}}},{"at":220030,"host":0,"what":{"Sicken":{"slot":3,"silent":true,"seconds":200}}},{"at":220040,"host":0,"what":{"Sicken":{"slot":4,"silent":true,"seconds":200}}}]}"#,
            ),
            Self::SeesNoPorts => Some(
                r#"{"seed":1,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":"Dynamic","stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":1500,"host":0,"what":{"Run":{"slot":1,"spec":{"service":1,"two":false,"weight":1,"check":"Tcp","interval_seconds":5,"port":{"Shared":{"slot":0,"second":true}},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":false,"ports_lag_ms":0}}}},{"at":200000,"host":0,"what":{"Rewire":{"slot":0,"seconds":0}}}]}"#,
            ),
            Self::MovesAlone => Some(
                r#"{"seed":1,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"off_ec2":true,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":60000,"host":0,"what":{"Move":{"to":1}}}]}"#,
            ),
            // The janitor takes the record of one of three while its host is off.
            Self::TrustsWhatItLeft => Some(
                r#"{"seed":1,"hosts":2,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"off_ec2":false,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":1000,"host":1,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":1000,"host":1,"what":{"Run":{"slot":1,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":1},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":600000,"host":0,"what":{"ShutDown":{"seconds":300,"drains":false}}},{"at":620000,"host":0,"what":"Janitor"},{"at":750000,"host":0,"what":"Janitor"},{"at":1000000,"host":1,"what":{"Die":{"slot":5}}}]}"#,
            ),
            // Its disk is a copy of another host's.
            Self::TakesAnyForItself => Some(
                r#"{"seed":1,"hosts":2,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"off_ec2":true,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":1000,"host":1,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":60000,"host":1,"what":{"CopyDisk":{"from":0,"down_ms":0}}},{"at":200000,"host":1,"what":{"Die":{"slot":5}}}]}"#,
            ),
            Self::LeavesItsFormerName => Some(
                r#"{"seed":1,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"off_ec2":true,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"AtOnce","stop_timeout":null,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":60000,"host":0,"what":{"Rename":{"to":1,"down_ms":0}}}]}"#,
            ),
            // It serves on for half a minute.
            Self::HearsOfNoSpread => Some(
                r#"{"seed":1,"hosts":1,"legacy":false,"resync_minutes":30,"drain_delay_seconds":0,"confirm":false,"notices":false,"off_ec2":false,"operations":[{"at":1000,"host":0,"what":{"Run":{"slot":0,"spec":{"service":0,"two":false,"weight":1,"check":"None","interval_seconds":5,"port":{"Host":0},"stop":"Survives","stop_timeout":30,"ready_ms":0,"restarts":true,"ports_lag_ms":0,"start_seconds":0,"all_names":true}}}},{"at":60000,"host":0,"what":{"Stop":{"slot":0}}},{"at":200000,"host":0,"what":{"Die":{"slot":5}}}]}"#,
            ),
            _ => None,
        }
    }
}

impl State {
    /// A record of a container of the host's network goes, and a younger one at its port gets one instead.
    fn newest_takes_a_port(&self, host: usize) -> Option<[Change; 2]> {
        let of = &self.hosts[host];
        let standing = self.account.standing();
        let has_record = |it: &Truth| {
            let own = format!("{}:{}:", of.owner, it.id);
            let is_its = |set: &&RecordSet| {
                set.kind == RecordType::Srv
                    && set.set_identifier.as_deref().is_some_and(|mark| mark.starts_with(&own))
            };
            standing.values().find(is_its)
        };
        let on_host = |it: &&Truth| it.on_host() && !it.is_touched(self.now);
        let younger = of.containers.values().filter(on_host).filter(|it| has_record(it).is_none());
        younger.into_iter().find_map(|it| {
            let mut older = of.containers.values().filter(on_host);
            let had = older.find_map(|other| {
                has_record(other).filter(|_| other.port == it.port && other.started < it.started)
            })?;
            let set = RecordSet {
                name: it.names().remove(0),
                set_identifier: Some(format!("{}:{}:{}", of.owner, it.id, it.inside())),
                ..had.clone()
            };
            let delete = Change { action: Action::Delete, set: had.clone() };
            Some([delete, Change { action: Action::Create, set }])
        })
    }
}

impl Agent {
    /// Makes of a batch what an agent with this bug would ask for; an answer, where it asks for nothing.
    pub fn mutate(&self, mutant: Mutant, batch: &mut Vec<Change>) -> Option<Result<ChangeInfo, ZoneError>> {
        let service = |change: &Change| change.set.kind == RecordType::Srv;
        let delete = |change: &Change| service(change) && change.action == Action::Delete;
        let mut state = self.world.lock();
        match mutant {
            Mutant::DeletesForeign => {
                let own = state.hosts[self.host].owner.clone();
                let foreign = |set: &RecordSet| {
                    let mark = set.set_identifier.as_deref().unwrap_or_default();
                    mark.starts_with(&own) && mark.split(':').next() != Some(&own)
                };
                if batch.iter().any(delete) {
                    let found = state.account.standing().into_values().find(foreign);
                    batch.extend(found.map(|set| Change { action: Action::Delete, set }));
                }
            }
            Mutant::DeletesTheSick => {
                for change in batch.iter_mut().filter(|it| service(it) && it.action == Action::Upsert) {
                    if let (Some(0), Some(set)) =
                        (change.set.weight(), state.account.standing().get(&change.set.key()))
                    {
                        *change = Change { action: Action::Delete, set: set.clone() };
                    }
                }
            }
            Mutant::TakesTheSickFromAll => {
                let standing = state.account.standing();
                let sick =
                    batch.iter().filter(|it| it.action == Action::Upsert && it.set.weight() == Some(0));
                let marks: Vec<_> = sick.map(|it| it.set.set_identifier.clone()).collect();
                let full = standing.into_values().filter(|set| set.routing == Routing::Multivalue);
                let full = full.filter(|set| marks.contains(&set.set_identifier));
                let new: Vec<_> =
                    full.filter(|set| batch.iter().all(|it| it.set.key() != set.key())).collect();
                batch.extend(new.into_iter().map(|set| Change { action: Action::Delete, set }));
            }
            Mutant::CordonsFullNames => {
                let standing = state.account.standing();
                let of = &state.hosts[self.host];
                let is_by_hand = |it: &&Change| {
                    let mark = it.set.set_identifier.as_deref().unwrap_or_default();
                    let id = mark.split(':').nth(1).and_then(|id| id.parse::<ContainerId>().ok());
                    let it_was = standing.get(&it.set.key()).and_then(RecordSet::weight);
                    let weights =
                        id.map(|id| of.given.weights(&id, &it.set.key().name, 1, state.now, of.jumped_at));
                    it.action == Action::Upsert
                        && it.set.weight() == Some(0)
                        && it_was > Some(0)
                        && weights.is_some_and(|weights| weights == [0].into())
                };
                let marks: Vec<_> =
                    batch.iter().filter(is_by_hand).map(|it| it.set.set_identifier.clone()).collect();
                let full = standing.values().filter(|set| set.routing == Routing::Multivalue);
                let full = full.filter(|set| marks.contains(&set.set_identifier));
                let new: Vec<_> =
                    full.filter(|set| batch.iter().all(|it| it.set.key() != set.key())).cloned().collect();
                batch.extend(new.into_iter().map(|set| Change { action: Action::Delete, set }));
            }
            Mutant::WritesAllUnproved => {
                let full = state.court_unproved_full(self.host, self.life);
                let full = full.filter(|set| batch.iter().all(|it| it.set.key() != set.key()));
                batch.extend(full.map(|set| Change { action: Action::Create, set }));
            }
            Mutant::LeavesAddresses => {
                let is_service = |set: &RecordSet| set.kind == RecordType::A && set.is_of_service();
                batch.retain(|it| it.action != Action::Delete || !is_service(&it.set));
            }
            Mutant::MovesAlone => {
                let standing = state.account.standing();
                let is_move = |it: &Change| {
                    let before = standing.get(&it.set.key()).map(|set| &set.values);
                    it.set.kind == RecordType::A && before.is_some_and(|values| *values != it.set.values)
                };
                let moves = batch.iter().filter(|it| is_move(it) && it.set.is_of_service());
                let moves: Vec<_> = moves.map(|it| it.set.key()).collect();
                batch.retain(|it| !moves.contains(&it.set.key()));
            }
            Mutant::CreatesWhatItRemembers => {
                let unsure = state.court.may_stand(self.host, self.life);
                for change in batch.iter_mut().filter(|it| it.action == Action::Upsert) {
                    if unsure.is_some_and(|unsure| unsure.contains(&change.set.key())) {
                        change.action = Action::Create;
                    }
                }
            }
            Mutant::BelievesOneReading => {
                let read = state.court.last_read(self.host, self.life).map(|read| read.to_string());
                for change in batch.iter_mut().filter(|it| it.action != Action::Delete) {
                    if let (RecordType::A, Some(read)) = (change.set.kind, &read) {
                        change.set.values = vec![read.clone()];
                    }
                }
            }
            Mutant::DeletesWhatStands => {
                for change in batch.iter_mut().filter(|it| delete(it)) {
                    if let Some(set) = state.account.standing().get(&change.set.key()) {
                        change.set = set.clone();
                    }
                }
            }
            Mutant::PartsSwaps => {
                let creates: Vec<_> = batch
                    .iter()
                    .filter(|it| it.action == Action::Create)
                    .map(|it| it.set.values.clone())
                    .collect();
                batch.retain(|it| !delete(it) || !creates.contains(&it.set.values));
            }
            Mutant::NewestTakesThePort => {
                let swap = state.newest_takes_a_port(self.host).filter(|swap| {
                    batch.iter().all(|change| swap.iter().all(|other| other.set.key() != change.set.key()))
                });
                batch.extend(swap.into_iter().flatten());
            }
            Mutant::SaysItTwice => {
                let again = batch.iter().find(|it| it.action == Action::Upsert).cloned();
                batch.extend(again);
            }
            Mutant::LosesDeletes | Mutant::DrainsInWords => {
                let drains = state.hosts[self.host].draining.is_some();
                if mutant == Mutant::LosesDeletes && !drains || mutant == Mutant::DrainsInWords && drains {
                    batch.retain(|it| !delete(it));
                }
            }
            Mutant::DrainsWhatItWrote if state.hosts[self.host].draining.is_some() => {
                let written = state.court_written_by(self.host, self.life);
                batch.retain(|it| !delete(it) || written.contains(&it.set.key()));
            }
            Mutant::ForgetsOne => {
                let drains = state.hosts[self.host].draining.is_some();
                let standing = state.account.standing();
                let created = batch.iter().find(|it| service(it) && it.action == Action::Create && !drains);
                let name = created.map(|it| (it.set.key().name, it.set.set_identifier.clone()));
                let own = state.hosts[self.host].owner.clone() + ":";
                let other = standing.into_values().find(|set| {
                    let mark = set.set_identifier.clone().unwrap_or_default();
                    set.kind == RecordType::Srv
                        && mark.starts_with(&own)
                        && name
                            .as_ref()
                            .is_some_and(|(name, it)| set.key().name == *name && it.as_ref() != Some(&mark))
                        && !batch.iter().any(|change| change.set.key() == set.key())
                });
                batch.extend(other.map(|set| Change { action: Action::Delete, set }));
            }
            _ => {}
        }
        if batch.is_empty() {
            state.count("swallowed by a mutant");
            return Some(Ok(state.made_up()));
        }
        None
    }

    /// What an agent with a bug takes the engine to have shown.
    pub fn misread(
        &self,
        state: &mut State,
        id: &ContainerId,
        shown: Option<Container>,
    ) -> Option<Container> {
        let mut shown = shown?;
        match state.mutant {
            Mutant::TrustsAnyLife => shown.lived_before = false,
            Mutant::TrustsNewContainers => shown.family = None,
            Mutant::TrustsWhatStarts if shown.health == Some(Health::Starting) => {
                shown.health = Some(Health::Healthy);
            }
            Mutant::TrustsWhatIsPaused if shown.running == Running::Paused => {
                shown.running = Running::Running;
            }
            Mutant::WithdrawsWhatIsPaused if shown.running == Running::Paused => {
                shown.running = Running::Stopped;
            }
            Mutant::LooksAtWhatChanged => {
                let fingerprint = state.hosts[self.host].fingerprint(id, state.now);
                state.hosts[self.host].shown.insert(id.clone(), (fingerprint, shown.clone()));
            }
            _ => {}
        }
        Some(shown)
    }

    /// What an agent with a bug believes of a container without looking at it.
    pub fn unseen(&self, state: &mut State, id: &ContainerId) -> Option<Container> {
        let fingerprint = state.hosts[self.host].fingerprint(id, state.now);
        let (before, shown) = state.hosts[self.host].shown.get(id)?;
        (*before == fingerprint).then(|| shown.clone())
    }

    /// What an agent with a bug takes for the answer of a check.
    pub fn misjudge(
        &self,
        mutant: Mutant,
        target: &Target,
        answer: Result<(), CheckError>,
    ) -> Result<(), CheckError> {
        match (mutant, &answer) {
            (Mutant::BlindDoubt, Err(CheckError::TimedOut(_))) => {
                Err(CheckError::Refused("it said nothing".to_owned()))
            }
            (Mutant::DeafInDoubt, Ok(())) if self.world.lock().most_are_silent(self.host, self.life) => {
                Err(CheckError::TimedOut(target.timing.timeout))
            }
            _ => answer,
        }
    }

    /// Asks for each change by itself.
    pub async fn one_by_one(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        let mut answer = self.world.lock().made_up();
        for change in batch {
            answer = self.ask(vec![change.clone()]).await?;
        }
        Ok(answer)
    }

    /// Asks for the same again, later.
    pub fn repeat_later(&self, batch: Vec<Change>) {
        let wait = Duration::from_secs(20);
        tokio::spawn(self.world.clone().repeat(self.clone(), batch, wait));
    }
}
