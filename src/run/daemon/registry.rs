//! Opens what is written to: the zone in this process with its DNS, or the one in Route 53; and the memory of
//! what was written to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::descriptors::Descriptors;
use super::dns::Dns;
use super::error::RunError;
use super::first_read::{read_after, recall};
use super::hosted::Hosted;
use super::recollection::open_journal;
use crate::change::pacing::{Pace, Rate};
use crate::config::{Command, Config, Registry};
use crate::edge::host::fleet;
use crate::edge::host::identity::Identity;
use crate::journal::aside::Aside;
use crate::journal::cordons::CordonFile;
use crate::journal::{SharedJournal, Title};
use crate::reconcile::writer::Settings;
use crate::record::Registrant;
use crate::run::former::{self, Asides};
use crate::serve::dns::DnsError;
use crate::serve::targets::{Directory, LISTS_A_SECOND};
use crate::status::{Board, Facts, Readiness};
use crate::zone::Zone;
use crate::zone::embedded::{EmbeddedZone, OpenError, Options};
use crate::zone::plan::{PlannedZone, Print};
use crate::zone::route53::Wanted;

/// So long that it does not come: what is only planned would be planned anew at every resync.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// A zone that is open.
pub(super) struct Open {
    /// The zone.
    pub(super) zone: Arc<dyn Zone>,
    /// The same, where it prints or counts what is written to it: a plan, or a command that is soon over.
    planned: Option<Arc<PlannedZone>>,
    /// Who this host is in it.
    registrant: Registrant,
    /// What was written to it before.
    journal: Option<SharedJournal>,
    /// Journals of others beside it.
    asides: Vec<Aside>,
    /// Which containers were asked to stop before.
    signals: Option<SharedJournal>,
    /// Which weights were given by hand before.
    cordons: Arc<CordonFile>,
    /// The DNS that answers for it.
    dns: Option<Dns>,
    /// The same zone, where it is one of Route 53.
    hosted: Option<Hosted>,
    /// What this process may have open.
    pub(super) descriptors: Descriptors,
    pace: Pace,
    /// How often a second the zone may be listed for Prometheus, of that.
    lists_a_second: f64,
    /// And how often it may be called to remove what is named by journals that were set aside.
    removals_a_second: f64,
    resync: Duration,
    read_after: Duration,
    /// Whether it only says so.
    pub(super) dry_run: bool,
}

impl Open {
    /// Opens what was configured. Waits for a hosted zone that is not there yet.
    pub(super) async fn open(
        config: &Config,
        identity: &Identity,
        descriptors: Descriptors,
        board: &Board,
    ) -> Result<Self, RunError> {
        let (zone, dns, hosted): (Arc<dyn Zone>, _, _) = match &config.registry {
            Registry::Local { dns_listen } => {
                // A plan makes no zone, nor a directory for it.
                let zone = match config.dry_run && !EmbeddedZone::may_be_in(&config.state_dir) {
                    true => EmbeddedZone::in_memory(&config.zone, Options::default()),
                    false => EmbeddedZone::open(&config.state_dir, &config.zone, Options::default()),
                };
                let zone = zone.map_err(|error| match error {
                    OpenError::Locked { path } if config.command.is_over_soon() => {
                        RunError::Beside { sign: format!("it holds {}", path.display()) }
                    }
                    error => RunError::Zone(error),
                })?;
                match config.command {
                    // What is to be removed may be of a name that the host had before.
                    Command::Remove => {}
                    Command::Serve | Command::Sync if config.dry_run => {}
                    Command::Serve | Command::Sync => {
                        let own = registrant(identity, &zone);
                        former::here::take_over(&zone, &zone.snapshot(), &own).await;
                    }
                }
                // A task that is soon over takes nobody's port.
                let dns = match config.command.is_over_soon() {
                    true => None,
                    false => Some(Dns::at(
                        dns_listen,
                        zone.clone(),
                        descriptors.dns_connections(),
                        board.questions.clone(),
                    )?),
                };
                (Arc::new(zone), dns, None)
            }
            Registry::Route53 { wanted, endpoint_url } => {
                let hosted = Hosted::find(
                    wanted,
                    endpoint_url.clone(),
                    identity,
                    config.command.is_over_soon(),
                    board,
                );
                let hosted = hosted.await?;
                let zone = hosted.zone();
                if let Wanted::Id(_) = wanted
                    && zone.name() != config.zone
                {
                    tracing::info!(
                        event = "zone_named",
                        zone = zone.name(),
                        id = zone.id(),
                        "the zone of this id has this name"
                    );
                }
                (zone, None, Some(hosted))
            }
        };
        let registrant = registrant(identity, &*zone);
        // A plan reads what is there, and keeps nothing.
        let opened = match config.dry_run {
            true => None,
            false => Some(recall(open_journal(config, &title(&*zone, &registrant), board).await?, identity)),
        };
        let read_after = match (&config.registry, &opened) {
            (Registry::Route53 { .. }, Some(opened)) => read_after(config, identity, &opened.memory),
            (Registry::Route53 { .. }, None) | (Registry::Local { .. }, _) => Duration::ZERO,
        };
        // Where this is a plan, an agent may run beside it, and replace the file meanwhile: whole each time.
        let (dir, title) = (&config.state_dir, title(&*zone, &registrant));
        let cordons = match config.command {
            // It weighs nothing, and may be of a name that the host had before.
            Command::Remove => CordonFile::unread(dir, &title),
            Command::Serve | Command::Sync => CordonFile::open(dir, &title, config.dry_run),
        };
        let asides = opened.as_ref().map(|opened| opened.asides.clone()).unwrap_or_default();
        let signals = opened.map(SharedJournal::from);
        // The zone in this process is in the state directory itself.
        let journal = match &config.registry {
            Registry::Route53 { .. } => signals.clone(),
            Registry::Local { .. } => None,
        };
        let planned = (config.dry_run || config.command.is_over_soon())
            .then(|| Arc::new(PlannedZone::new(zone.clone(), config.dry_run, print())));
        let (pace, lists_a_second) = match (&config.registry, config.sd_listen) {
            (Registry::Route53 { .. }, Some(_)) => config.pace().shared(LISTS_A_SECOND),
            (Registry::Route53 { .. }, None) | (Registry::Local { .. }, _) => (config.pace(), 0.0),
        };
        let (pace, removals_a_second) = match &config.registry {
            Registry::Route53 { .. } if !asides.is_empty() => pace.shared(former::CALLS_A_SECOND),
            // What was set aside is of a zone that is elsewhere; what this one has is taken over.
            Registry::Route53 { .. } | Registry::Local { .. } => (pace, 0.0),
        };
        Ok(Self {
            zone: planned.clone().map_or(zone, |planned| planned),
            planned,
            registrant,
            journal,
            asides,
            signals,
            cordons: Arc::new(cordons),
            dns,
            hosted,
            descriptors,
            pace,
            lists_a_second,
            removals_a_second,
            resync: if config.dry_run { NEVER } else { config.resync },
            read_after,
            dry_run: config.dry_run,
        })
    }

    /// What its writer is told. Where everything is seen through at once, the zone is read first.
    pub(super) fn settings(&self, read_first: bool) -> Settings {
        Settings {
            registrant: self.registrant.clone(),
            pace: self.pace,
            resync: self.resync,
            journal: self.journal.clone(),
            read_first: read_first || self.journal.is_none(),
            // Where it comes first, or nothing else does, there is nothing to wait for.
            read_after: if read_first { Duration::ZERO } else { self.read_after },
            dry_run: self.dry_run,
            seed: fastrand::u64(..),
        }
    }

    /// Where it is remembered which containers were asked to stop.
    pub(super) fn signals(&self) -> Option<SharedJournal> {
        self.signals.clone()
    }

    /// Where weights given by hand are remembered.
    pub(super) fn cordons(&self) -> Arc<CordonFile> {
        self.cordons.clone()
    }

    /// Journals of another owner or zone that name what may still stand, and what removes that.
    pub(super) fn asides(&mut self) -> Asides {
        let requests = Rate { per_second: self.removals_a_second, burst: 1.0 };
        let pace = Pace { requests, ..self.pace };
        let settings = Settings { pace, journal: None, ..self.settings(true) };
        Asides { asides: std::mem::take(&mut self.asides), zone: self.zone.clone(), settings }
    }

    /// What was written to it before, where that is kept.
    pub(super) fn journal(&self) -> Option<SharedJournal> {
        self.journal.clone()
    }

    /// The zone, where it is in this process.
    pub(super) fn zone_here(&self) -> Option<EmbeddedZone> {
        self.dns.as_ref().map(|dns| dns.zone().clone())
    }

    /// What is known of it for whoever looks.
    pub(super) fn facts(&self, config: &Config) -> Facts {
        let (registry, dns) = match &config.registry {
            Registry::Local { dns_listen } => ("local", dns_listen.iter().map(ToString::to_string).collect()),
            Registry::Route53 { .. } => ("route53", Vec::new()),
        };
        Facts {
            registrant: self.registrant.clone(),
            zone_id: self.zone.id().to_owned(),
            registry,
            dns,
            dry_run: self.dry_run,
        }
    }

    /// Tells `directory` where its names are: the zone in this process once it is answered for.
    pub(super) fn open_directory(&self, directory: &Directory) {
        match self.zone_here() {
            Some(zone) => directory.open_here(&self.registrant, zone),
            None => directory.open_there(&self.registrant, self.lists_a_second),
        }
    }

    /// How many changes were made, or would have been, where they are counted.
    pub(super) fn changes(&self) -> usize {
        self.planned.as_ref().map_or(0, |planned| planned.changes())
    }

    /// How many hosts share the account's rate. A zone in this process is shared with nobody.
    pub(super) fn fleet(&self) -> watch::Receiver<Option<u32>> {
        match &self.hosted {
            Some(_) => fleet::follow(self.zone.name()),
            None => watch::channel(None).1,
        }
    }

    /// Answers DNS when its time has come; at once, where there is none.
    pub(super) async fn answer_dns(&mut self, readiness: watch::Receiver<Readiness>) -> Result<(), DnsError> {
        match &mut self.dns {
            Some(dns) => dns.answer(readiness).await,
            None => Ok(()),
        }
    }

    /// Returns when the zone is gone and another has its name; never, where that cannot be.
    pub(super) fn replacement(&self) -> impl Future<Output = ()> + use<> {
        let hosted = self.hosted.clone();
        async move {
            match hosted {
                Some(hosted) => hosted.replaced().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Returns when the DNS fails; never, where there is none.
    pub(super) async fn dns_failed(&mut self) -> DnsError {
        match &mut self.dns {
            Some(dns) => dns.failed().await,
            None => std::future::pending().await,
        }
    }
}

/// Who this host is in a zone.
fn registrant(identity: &Identity, zone: &dyn Zone) -> Registrant {
    let Identity { owner, address, .. } = identity.clone();
    Registrant { owner, zone: zone.name().to_owned(), address }
}

/// Whose it is that is kept in the state directory.
fn title(zone: &dyn Zone, registrant: &Registrant) -> Title {
    Title {
        zone_id: zone.id().to_owned(),
        zone: registrant.zone.clone(),
        owner: registrant.owner.to_string(),
    }
}

fn print() -> Print {
    Box::new(|line| {
        use std::io::Write;
        // Whoever reads no more of a plan has seen enough of it.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    })
}
