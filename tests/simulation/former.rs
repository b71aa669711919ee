//! What a host's agent makes of journals of another owner or zone: the product's own removal, before the same registry.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use ecssd::actors::Dependencies;
use ecssd::change::pacing::{Pace, Rate};
use ecssd::journal::Title;
use ecssd::journal::aside::Aside;
use ecssd::machine::former::Present;
use ecssd::reconcile::writer::Settings;
use ecssd::record::Change;
use ecssd::run::former::{Asides, CALLS_A_SECOND};
use ecssd::status::{Board, Readiness};
use ecssd::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};
use tempfile::TempDir;
use tokio::sync::watch;

use super::agent::Agent;
use super::disk::HERE;
use super::host::Host;
use super::mutant::Mutant;
use super::truth::ZONE;
use super::world::World;

/// What one process does about one of them.
pub struct Former {
    agent: Agent,
    owner: String,
    asides: Asides,
    present: Present,
    file: PathBuf,
    _dir: TempDir,
}

/// How fast an agent may write, beside the removal of what was set aside.
pub fn pace(host: &Host, legacy: bool) -> Pace {
    let all = if legacy { Pace::LEGACY } else { Pace::ROUTE53 };
    if host.disk.asides().next().is_some() { all.shared(CALLS_A_SECOND).0 } else { all }
}

/// What there is to do for a process that starts.
pub fn asides(world: &World, host: usize, dependencies: &Dependencies) -> Vec<Former> {
    let state = world.lock();
    let (of, mutant) = (&state.hosts[host], state.mutant);
    let all = if state.account.legacy { Pace::LEGACY } else { Pace::ROUTE53 };
    let requests = Rate { per_second: all.shared(CALLS_A_SECOND).1, burst: 1.0 };
    let agent = Agent { world: world.clone(), host, life: of.life };
    let machine = Some(of.disk.machine().to_owned());
    let address = dependencies.writer.registrant.address;
    let present = Present {
        on_ec2: !of.route.is_followed,
        zone_id: HERE.to_owned(),
        machine: machine.clone(),
        address,
    };
    let former = |(zone, owner, keys): (&str, &str, _)| {
        let dir = tempfile::tempdir().ok()?;
        let file = dir.path().join("journal");
        std::fs::write(&file, "").ok()?;
        let title = Title { zone_id: zone.to_owned(), zone: ZONE.to_owned(), owner: owner.to_owned() };
        let aside = Aside { title, keys, machine: machine.clone(), path: file.clone() };
        let settings = Settings {
            pace: Pace { requests, ..dependencies.writer.pace },
            journal: None,
            read_first: true,
            ..dependencies.writer.clone()
        };
        let zone = Arc::new(OfFormer { agent: agent.clone(), owner: owner.to_owned(), address });
        let asides = Asides { asides: vec![aside], zone, settings };
        Some(Former {
            agent: agent.clone(),
            owner: owner.to_owned(),
            asides,
            present: present.clone(),
            file,
            _dir: dir,
        })
    };
    let is_done = mutant != Mutant::LeavesItsFormerName;
    of.disk.asides().filter(|_| is_done).filter_map(former).collect()
}

/// Does it, one after the other, beside the agent; a process that is killed asks for nothing any more.
pub fn begin(all: Vec<Former>, board: &Board, readiness: &watch::Receiver<Readiness>) {
    let (board, readiness) = (board.clone(), readiness.clone());
    tokio::spawn(async move {
        for Former { agent, owner, asides, present, file, _dir } in all {
            asides.clear(present, &board, readiness.clone()).await;
            let mut state = agent.world.lock();
            // Whoever was killed meanwhile hears of nothing any more.
            let of = &state.hosts[agent.host];
            if of.alive && of.life == agent.life && !file.exists() {
                state.count("removed of another name");
                state.tell(agent.host, format_args!("what was written as {owner} is gone"));
                state.hosts[agent.host].disk.forgets(&owner);
                state.court_forgets_former(agent.host, &owner);
            }
        }
    });
}

/// The registry, for what is of another owner.
struct OfFormer {
    agent: Agent,
    owner: String,
    address: Ipv4Addr,
}

#[async_trait]
impl Zone for OfFormer {
    fn name(&self) -> &str {
        ZONE
    }

    fn id(&self) -> &str {
        HERE
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        self.agent.ask_for(Some(&self.owner), batch.to_vec()).await
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        let mut page = self.agent.page(start, max_items).await?;
        if self.agent.world.lock().mutant == Mutant::TakesAnyForItself && max_items == 1 {
            page.sets.iter_mut().for_each(|set| set.values = vec![self.address.to_string()]);
        }
        Ok(page)
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        Zone::change_status(&self.agent, id).await
    }
}
