//! What stands under another name in the zone of this process, and its removal.
//!
//! Nobody else writes to that zone, and nobody else answers for it: whoever the owner is called, it is this host under a
//! name that it had before, or one whose disk this is a copy of, and that has a zone of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::reconcile::writer::Settings;
use crate::record::{Mark, Owner, RecordSet, Registrant};
use crate::run::removal::{Removal, remove};
use crate::zone::Zone;

/// How long the removal of one owner's records may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Removes from `zone` what `sets`, which are all that stands there, have of other owners than that of `settings`.
pub async fn clear(zone: &dyn Zone, sets: &[RecordSet], settings: &Settings) {
    for owner in others(sets, &settings.registrant) {
        let registrant = Registrant { owner: owner.clone(), ..settings.registrant.clone() };
        let removal = remove(zone, Settings { registrant, ..settings.clone() }, LIMIT).await;
        match removal {
            Removal::Done | Removal::Unconfirmed => tracing::warn!(
                event = "former_removed",
                %owner,
                "what this zone had under another name than this host's is gone"
            ),
            Removal::Left(_) | Removal::Unread => tracing::error!(
                event = "former_left",
                %owner,
                "what this zone has under another name than this host's is not all gone: the next start goes on with it"
            ),
        }
    }
}

fn others(sets: &[RecordSet], own: &Registrant) -> BTreeSet<Owner> {
    let owners = sets.iter().filter_map(|set| Mark::of(set, &own.zone)).map(|mark| mark.owner);
    owners.filter(|owner| *owner != own.owner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::writer::testing::settings;
    use crate::record::testing::{id, registrant};
    use crate::record::{RecordType, Routing};
    use crate::run::testing::zone_with;
    use crate::zone::embedded::{EmbeddedZone, Options};

    #[tokio::test(start_paused = true)]
    async fn all_of_other_names_goes_and_nothing_that_no_agent_wrote() {
        let (web1, web2, web3) = (registrant("web1"), registrant("web2"), registrant("web3"));
        let by_hand = RecordSet {
            name: "web4.sd.internal".into(),
            kind: RecordType::Txt,
            set_identifier: None,
            routing: Routing::Simple,
            ttl: 60,
            values: vec!["\"by hand\"".into()],
        };
        let kept =
            [web1.host_record(), web1.container_record(&id(1), [10, 0, 3, 9].into()), by_hand].to_vec();
        let mut all = kept.clone();
        all.extend([web2.host_record(), web3.host_record()]);
        all.push(web2.container_record(&id(2), [10, 0, 3, 10].into()));
        let zone = zone_with(all, Options::default()).await;
        let keys = |sets: &[RecordSet]| sets.iter().map(RecordSet::key).collect::<BTreeSet<_>>();
        let of_its_own = keys(&EmbeddedZone::in_memory(&web1.zone, Options::default()).unwrap().snapshot());
        for _ in 0..2 {
            clear(&zone, &zone.snapshot(), &settings(web1.clone())).await;
            let left: BTreeSet<_> = keys(&zone.snapshot()).difference(&of_its_own).cloned().collect();
            assert_eq!(left, keys(&kept));
        }
    }
}
