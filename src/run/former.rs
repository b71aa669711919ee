//! Removes what this very host wrote under another name, once what it wants under this one is written.
//!
//! Whether it may is for [`crate::machine::former`]; what cannot be removed stays named, and the agent not ready. The
//! address goes last: where that leads is what tells the next start that the rest is this host's own.
//!
//! In a zone of this process nothing is removed: it is [taken over](here).

pub mod here;

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::edge::host::identity::{Identity, looks_like_ec2};
use crate::journal::aside::Aside;
use crate::journal::machine_id;
use crate::machine::former::{Former, Present};
use crate::reconcile::writer::Settings;
use crate::record::{Owner, RecordSet, RecordType, Registrant, Subject};
use crate::run::removal::{Removal, remove, withdraw};
use crate::status::{Board, Part, Readiness};
use crate::zone::{ListStart, Zone, ZoneError};

/// How long the removal of one owner's records may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How many calls a second it makes, of those that the agent may: nobody waits for it.
pub const CALLS_A_SECOND: f64 = 0.2;

/// The journals that were set aside, and what their records are removed with.
pub struct Asides {
    /// The journals.
    pub asides: Vec<Aside>,
    /// What this host writes to.
    pub zone: Arc<dyn Zone>,
    /// Of a removal of this host's own records, at a share of its pace.
    pub settings: Settings,
}

impl fmt::Debug for Asides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asides").field("asides", &self.asides).finish_non_exhaustive()
    }
}

impl Asides {
    /// This host, as whoever asks what it may remove.
    pub fn present(&self, identity: &Identity) -> Present {
        Present {
            on_ec2: identity.is_instance || looks_like_ec2(|path| std::fs::read_to_string(path).ok()),
            zone_id: self.zone.id().to_owned(),
            machine: machine_id(),
            address: identity.address,
        }
    }

    /// Removes what may be removed of them, once the agent has started; then shows what is left.
    pub async fn clear(self, present: Present, board: &Board, mut readiness: watch::Receiver<Readiness>) {
        // A name that both owners stand under is never empty between the two.
        while readiness.borrow_and_update().reason(Part::Start).is_some() {
            if readiness.changed().await.is_err() {
                return;
            }
        }
        let mut left = 0;
        for aside in &self.asides {
            if !self.is_removed(&present, aside).await {
                left += aside.keys.len();
            }
        }
        show_left(board, left);
    }

    async fn is_removed(&self, present: &Present, aside: &Aside) -> bool {
        let (owner, count) = (aside.title.owner.as_str(), aside.keys.len());
        let settings = match self.settings_for(present, aside).await {
            Ok(settings) => settings,
            Err(reason) => {
                tracing::info!(
                    event = "former_kept",
                    owner,
                    reason,
                    "what was written under another name stays until somebody removes it"
                );
                return false;
            }
        };
        tracing::warn!(
            event = "former_removing",
            owner,
            count,
            "this host wrote these records under another name: they are removed"
        );
        let is_gone = self.is_gone(settings).await;
        match is_gone.then(|| aside.forget()) {
            Some(Ok(())) => {
                tracing::info!(
                    event = "former_removed",
                    owner,
                    "what this host wrote under another name is gone"
                );
            }
            Some(Err(error)) => {
                let path = aside.path.display();
                tracing::error!(event = "former_not_forgotten", owner, %path, %error, "what this host wrote under another name is gone, but not the journal that names it: remove that");
            }
            None => {
                tracing::error!(
                    event = "former_left",
                    owner,
                    "what this host wrote under another name is not all gone: the next start goes on with it"
                );
            }
        }
        // Not before it is forgotten: a start that finds the address gone would keep the rest for good.
        self.turn().await;
        is_gone
    }

    /// Removes all of it, the address last: without that nobody would know what is left for this host's own.
    async fn is_gone(&self, settings: Settings) -> bool {
        let over = |removal| matches!(removal, Removal::Done | Removal::Unconfirmed);
        let withdrawn = withdraw(&*self.zone, settings.clone(), LIMIT).await;
        self.turn().await;
        over(withdrawn) && over(remove(&*self.zone, settings, LIMIT).await)
    }

    /// Waits as long as one call is worth: each part of the removal may make its first call at once, and all of them
    /// together may not.
    async fn turn(&self) {
        let turn = Duration::try_from_secs_f64(1.0 / self.settings.pace.requests.per_second);
        tokio::time::sleep(turn.unwrap_or(LIMIT)).await;
    }

    /// What a writer is told that removes the records of that owner; or why there is none.
    async fn settings_for(&self, present: &Present, aside: &Aside) -> Result<Settings, String> {
        let title = &aside.title;
        let owner = Owner::new(&title.owner).map_err(|error| error.to_string())?;
        let registrant = Registrant { owner, ..self.settings.registrant.clone() };
        let former = |address| Former {
            owner: title.owner.clone(),
            zone_id: title.zone_id.clone(),
            machine: aside.machine.clone(),
            address,
        };
        // What stays wherever its address leads, costs no call.
        present.may_remove(&former(Some(present.address))).map_err(|stays| stays.to_string())?;
        let address = address(&*self.zone, &registrant).await;
        self.turn().await;
        let address = address.map_err(|error| error.to_string())?;
        present.may_remove(&former(address)).map_err(|stays| stays.to_string())?;
        Ok(Settings { registrant, ..self.settings.clone() })
    }
}

/// So many records of others may be left.
pub fn show_left(board: &Board, left: usize) {
    let text = || format!("{left} records of another owner or zone may be left; the log names them");
    board.set(Part::Journal, if left > 0 { Err(text()) } else { Ok(()) });
}

/// Where the address record of this owner leads.
async fn address(zone: &dyn Zone, of: &Registrant) -> Result<Option<Ipv4Addr>, ZoneError> {
    let start = ListStart::from(of.host_record().key());
    let page = zone.list(Some(&start), 1).await?;
    Ok(leads_to(&page.sets, of))
}

fn leads_to(sets: &[RecordSet], of: &Registrant) -> Option<Ipv4Addr> {
    let is_its = |set: &&RecordSet| set.kind == RecordType::A && of.subject(set) == Some(Subject::Host);
    sets.iter().find(is_its)?.values.first()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::journal::Title;
    use crate::reconcile::writer::testing::settings;
    use crate::record::RecordSet;
    use crate::record::testing::{id, registrant};
    use crate::run::testing::{Denying, zone_with};
    use crate::zone::embedded::Options;

    #[tokio::test]
    async fn reads_where_the_address_record_of_that_owner_leads_and_of_no_other() {
        let web1 = registrant("web1");
        let task = web1.container_record(&id(1), [10, 0, 3, 9].into());
        for others in [vec![task.clone()], vec![registrant("web2").host_record(), task.clone()]] {
            assert_eq!(address(&zone_with(others, Options::default()).await, &web1).await.unwrap(), None);
        }
        let zone = zone_with(vec![web1.host_record(), task], Options::default()).await;
        assert_eq!(address(&zone, &web1).await.unwrap(), Some([10, 0, 0, 7].into()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_removed_is_what_the_next_start_goes_on_with() {
        let (web1, web2) = (registrant("web1"), registrant("web2"));
        let task = web1.container_record(&id(1), [10, 0, 3, 9].into());
        let own = vec![web1.host_record(), task.clone()];
        let zone = zone_with(own.clone(), Options::default()).await;
        let denying = Arc::new(Denying::new(zone.clone(), &task.name));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal-web1.redb");
        std::fs::write(&path, "").unwrap();
        let present = Present {
            on_ec2: false,
            zone_id: "embedded".into(),
            machine: Some("0123".into()),
            address: web2.address,
        };
        let stands = || zone.snapshot().into_iter().filter(|set| set.set_identifier.is_some()).count();
        for (is_allowed, left) in [(false, 2), (true, 0)] {
            denying.is_allowed.store(is_allowed, Ordering::Relaxed);
            let title =
                Title { zone_id: "embedded".into(), zone: "sd.internal".into(), owner: "web1".into() };
            let keys = own.iter().map(RecordSet::key).collect();
            let asides = Asides {
                asides: vec![Aside { title, keys, machine: present.machine.clone(), path: path.clone() }],
                zone: denying.clone(),
                settings: settings(web2.clone()),
            };
            let board = Board::default();
            board.set(Part::Start, Ok(()));
            asides.clear(present.clone(), &board, board.readiness()).await;
            assert_eq!((stands(), path.exists()), (left, left > 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_this_machine_wrote_under_another_name_goes_with_its_journal_once_the_agent_has_started() {
        for (machine, is_removed) in [(Some("0123".to_owned()), true), (None, false)] {
            let (web1, web2) = (registrant("web1"), registrant("web2"));
            let task = web1.container_record(&id(1), [10, 0, 3, 9].into());
            let own = vec![web1.host_record(), task];
            let mut all = own.clone();
            all.extend([web2.host_record(), registrant("web3").host_record()]);
            let zone = zone_with(all.clone(), Options::default()).await;
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("journal-web1.redb");
            std::fs::write(&path, "").unwrap();
            let title =
                Title { zone_id: "embedded".into(), zone: "sd.internal".into(), owner: "web1".into() };
            let keys = own.iter().map(RecordSet::key).collect();
            let asides = Asides {
                asides: vec![Aside { title, keys, machine, path: path.clone() }],
                zone: Arc::new(zone.clone()),
                settings: settings(web2.clone()),
            };
            let present = Present {
                on_ec2: false,
                zone_id: "embedded".into(),
                machine: Some("0123".into()),
                address: web2.address,
            };
            let board = Board::default();
            show_left(&board, 2);
            let cleared = asides.clear(present, &board, board.readiness());
            tokio::pin!(cleared);
            let stands = || -> Vec<_> {
                let sets = zone.snapshot();
                all.iter().map(|set| sets.iter().any(|other| other.key() == set.key())).collect()
            };
            let early = tokio::time::timeout(Duration::from_secs(3_600), &mut cleared).await;
            assert!(early.is_err(), "the agent has not started");
            assert_eq!(stands(), [true; 4]);
            board.set(Part::Start, Ok(()));
            cleared.await;
            assert_eq!(stands(), [!is_removed, !is_removed, true, true]);
            assert_eq!(path.exists(), !is_removed);
            assert_eq!(board.readiness().borrow().reason(Part::Journal).is_none(), is_removed);
        }
    }
}
