//! What a zone in this process has under another name than this host's, under this host's.
//!
//! Nobody else writes to such a zone, and nobody else answers from it. So whoever the owner is called, it is this host
//! under a name that it had before, or one that this one's disk was copied from and that has a zone of its own. What it
//! wrote becomes this host's, as if an earlier run had written it, and is kept or dropped as that is.

use std::collections::BTreeSet;

use crate::record::{Action, Change, Key, Mark, RecordSet, Registrant, Srv, Subject};

/// What gives all of `sets` that others have written to this host; what it has already stays. The changes of each set go
/// together.
pub fn changes(sets: &[RecordSet], own: &Registrant) -> Vec<Vec<Change>> {
    let mut taken: BTreeSet<Key> = sets.iter().filter(|set| own.owns(set)).map(RecordSet::key).collect();
    let mut of_set = |set: &RecordSet| {
        let mark = Mark::of(set, &own.zone).filter(|mark| mark.owner != own.owner)?;
        let delete = Change { action: Action::Delete, set: set.clone() };
        let renamed = renamed(set, mark, own);
        let is_new = taken.insert(renamed.key());
        let create = is_new.then_some(Change { action: Action::Create, set: renamed });
        Some(std::iter::once(delete).chain(create).collect())
    };
    sets.iter().filter_map(&mut of_set).collect()
}

fn renamed(set: &RecordSet, Mark { owner, subject }: Mark, own: &Registrant) -> RecordSet {
    if subject == Subject::Host {
        return own.host_record();
    }
    let former = owner.name_in(&own.zone);
    let value = |value: &String| match value.parse::<Srv>() {
        Ok(srv) if srv.target == former => Srv { target: own.host_name(), ..srv }.to_string(),
        _ => value.clone(),
    };
    let values = set.values.iter().map(value).collect();
    let set_identifier = Some(own.mark(subject).to_string());
    RecordSet { values, set_identifier, ..set.clone() }.canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{id, registrant};
    use crate::record::{RecordType, Routing};

    fn srv(of: &Registrant, n: u64, target: &str) -> RecordSet {
        RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(of.mark(Subject::Service(id(n), 80)).to_string()),
            routing: Routing::Weighted(7),
            ttl: 5,
            values: vec![format!("1 1 32001 {target}")],
        }
    }

    fn plain(of: &Registrant, n: u64) -> RecordSet {
        RecordSet {
            name: "web.sd.internal".into(),
            kind: RecordType::A,
            set_identifier: Some(of.mark(Subject::ServiceAddress(id(n))).to_string()),
            values: vec!["10.0.0.7".into()],
            ..srv(of, n, "")
        }
    }

    /// What is deleted, and what is created.
    fn changed(sets: &[RecordSet], own: &Registrant) -> (Vec<RecordSet>, Vec<RecordSet>) {
        let changes = changes(sets, own).into_iter().flatten();
        let (deleted, created): (Vec<_>, Vec<_>) =
            changes.partition(|change| change.action == Action::Delete);
        let sets = |changes: Vec<Change>| changes.into_iter().map(|change| change.set).collect();
        (sets(deleted), sets(created))
    }

    #[test]
    fn what_another_name_has_is_this_hosts_and_leads_where_it_led() {
        let (own, former) = (registrant("web1"), registrant("web2"));
        let task = |of: &Registrant| of.container_record(&id(2), [10, 0, 3, 9].into());
        let all = |of: &Registrant| {
            let of_task = srv(of, 2, &format!("{}.sd.internal", id(2).short()));
            [of.host_record(), srv(of, 1, &of.host_name()), task(of), of_task, plain(of, 1)].to_vec()
        };
        assert_eq!(changed(&all(&former), &own), (all(&former), all(&own)));
        // As a zone lists them.
        let listed = |mut set: RecordSet| {
            set.name.push('.');
            set
        };
        let listed: Vec<_> = all(&former).into_iter().map(listed).collect();
        assert_eq!(changed(&listed, &own), (listed, all(&own)));
    }

    #[test]
    fn a_host_that_keeps_its_first_label_keeps_its_name() {
        let (own, former) = (registrant("web1.corp.example"), registrant("web1"));
        let sets = [former.host_record(), srv(&former, 1, "web1.sd.internal")];
        let [host, service] = &changes(&sets, &own)[..] else { panic!() };
        assert_eq!(host.len(), 2, "at no moment is it not there");
        assert_eq!(service[1].set, srv(&own, 1, "web1.sd.internal"));
    }

    #[test]
    fn of_several_names_each_record_comes_once_and_what_this_host_has_stays() {
        let (own, one, two) = (registrant("web1"), registrant("web2"), registrant("web3"));
        let theirs = |of: &Registrant| [of.host_record(), srv(of, 1, &of.host_name())];
        let mut sets = theirs(&one).to_vec();
        sets.extend(theirs(&two));
        assert_eq!(changed(&sets, &own), (sets.clone(), theirs(&own).to_vec()));
        let own_one = srv(&own, 1, "elsewhere.sd.internal");
        let deleted = sets.clone();
        sets.push(own_one);
        assert_eq!(changed(&sets, &own), (deleted, vec![own.host_record()]));
    }

    #[test]
    fn what_no_agent_wrote_stays() {
        let own = registrant("web1");
        let by_hand = RecordSet { set_identifier: Some("blue".into()), ..srv(&own, 1, "app.sd.internal") };
        let text = RecordSet {
            kind: RecordType::Txt,
            set_identifier: None,
            routing: Routing::Simple,
            ..by_hand.clone()
        };
        assert_eq!(changes(&[by_hand, text, own.host_record()], &own), Vec::<Vec<_>>::new());
    }
}
