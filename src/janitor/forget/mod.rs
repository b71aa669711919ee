//! `--forget HOST...`: an operator's word that hosts are dead, for those whose death nobody can prove: off EC2, of other
//! accounts, or longer gone than EC2 remembers. All their records go, from anywhere, in exact deletes.
//!
//! An operator errs, too. So a host is kept where EC2 or ECS says that it lives, where they cannot be asked, or where one
//! of its records' ports answers; `--force` overrules that. [`plan`] says what is a host's and what keeps it, [`text`]
//! shows it, [`shell`] is the door.

pub mod plan;
pub mod shell;
pub mod text;

use std::net::SocketAddrV4;
use std::time::Duration;

use futures_util::StreamExt;

use self::plan::Host;
use super::clients::Clients;
use super::options::RunOptions;
use super::reader::list::List;
use super::reader::{Limit, living};
use super::run::sweep;
use super::summary::Calls;
use super::sweep::Outcome;
use crate::container::convention::Timing;
use crate::container::offer::{At, EffectiveCheck};
use crate::edge::check::Checker;
use crate::machine::lifecycle::Target;
use crate::record::{Action, Change, Key, Owner};

/// What is read has to be read by then: a zone of 10,000 records takes 17 s, and somebody waits for it.
const LOOK_LIMIT: Duration = Duration::from_secs(60);
/// And what is deleted deleted.
const SWEEP_LIMIT: Duration = Duration::from_secs(120);
/// Of each port.
const PORT_LIMIT: Duration = Duration::from_secs(2);
/// Ports that are asked at once.
const PORTS_AT_ONCE: usize = 64;

/// Who is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    /// As their marks spell them.
    pub hosts: Vec<Owner>,
    /// Whether signs of life count for nothing.
    pub force: bool,
}

/// What was seen, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// In the order in which they were named.
    pub hosts: Vec<Host>,
    /// Why the zone could not be read, if so; then nothing else is known.
    pub unread: Option<String>,
    /// What became of each record that was due; none for a plan.
    pub outcomes: Option<Vec<(Key, Outcome)>>,
}

/// Looks at each host once, and deletes what is due, if `options` say so.
pub async fn forget(forget: &Forget, options: &RunOptions, clients: &Clients) -> Forgotten {
    let Clients { zone, account_regions, time, checker, .. } = clients;
    let (zone, time) = (&**zone, &**time);
    let mut list = List::new(options.pace);
    let limit = Limit { time, until: time.now() + LOOK_LIMIT };
    let seen = living::look(zone, &mut list, account_regions, &options.scope, limit).await;
    if !seen.list.missing.is_empty() {
        return Forgotten { hosts: Vec::new(), unread: Some(seen.list.missing.join("; ")), outcomes: None };
    }
    let (sets, snapshot) = (&seen.list.what, &seen.snapshot);
    let mut hosts = Vec::new();
    for owner in &forget.hosts {
        let mut host = Host::of(owner, zone.name(), sets, &snapshot.what, &snapshot.missing);
        let ports = host.ports(zone.name(), sets);
        host.heard(ask_all(&**checker, ports).await);
        hosts.push(host);
    }
    let due = hosts.iter().filter(|host| !host.is_refused(forget.force)).flat_map(|host| &host.records);
    let deletes: Vec<Change> = due.map(|set| Change { action: Action::Delete, set: set.clone() }).collect();
    let outcomes = if options.apply {
        let until = time.now() + SWEEP_LIMIT;
        Some(sweep(deletes, zone, &mut list, time, until, &mut Calls::default()).await)
    } else {
        None
    };
    Forgotten { hosts, unread: None, outcomes }
}

/// Whether each of these ports takes a connection.
async fn ask_all(checker: &dyn Checker, ports: Vec<SocketAddrV4>) -> Vec<(SocketAddrV4, bool)> {
    let ask = |at: SocketAddrV4| async move {
        let target = Target {
            at: At::Task { address: *at.ip(), port: at.port() },
            check: EffectiveCheck::Tcp,
            timing: Timing { interval: PORT_LIMIT, timeout: PORT_LIMIT },
            is_led: false,
        };
        (at, checker.check(&target).await.is_ok())
    };
    futures_util::stream::iter(ports).map(ask).buffered(PORTS_AT_ONCE).collect().await
}
