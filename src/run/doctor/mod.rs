//! `--doctor`: asks this host, Docker, the metadata service and Route 53, all at once and for a short while each, and
//! prints what [`crate::doctor`] makes of it. It writes nothing anywhere, takes no lock, and sends Docker the GETs that an
//! agent sends: so it works beside one.

mod engine;
mod here;
mod registry;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::Config;
use crate::doctor::facts::{Facts, Metadata, Registry, Trouble};
use crate::doctor::{Level, judge, text};
use crate::edge::engine::daemon::has_own_network;
use crate::edge::host::identity::{Fallback, Given, Identity, choose, looks_like_ec2};
use crate::edge::imds::vpc::Vpc;
use crate::edge::imds::{Imds, ImdsError, Instance};
use crate::record::Registrant;

/// Something is broken (`EX_UNAVAILABLE`).
const BROKEN: u8 = 69;

/// Asks, judges and prints.
pub async fn examine(config: &Config, json: bool) -> ExitCode {
    let report = judge(&gather(config).await);
    let text = match json {
        true => serde_json::to_string_pretty(&report).unwrap_or_else(|error| error.to_string()) + "\n",
        false => text::text(&report),
    };
    // Whoever reads no more of it has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::from(if report.worst() == Level::Broken { BROKEN } else { 0 })
}

async fn gather(config: &Config) -> Facts {
    let (metadata, instance) = metadata().await;
    let identity = identity(config, &metadata, instance.as_ref());
    let label = identity.as_ref().map(|identity| identity.owner.label().to_owned()).unwrap_or_default();
    let vpc = instance.and_then(|_| Imds::from_variables(|name| std::env::var(name).ok()).ok()?).map(Vpc::of);
    let (registry, engine, told) = tokio::join!(
        registry::ask(config, identity.as_ref().ok()),
        engine::ask(config, &label, vpc),
        here::agent(&config.status.sockets),
    );
    let zone = match &registry {
        Registry::Route53(route53) => route53.zone.as_ref().map(|zone| zone.name.clone()),
        Registry::Local { .. } => Ok(config.zone.clone()),
    };
    let zone = zone.unwrap_or_else(|_| config.zone.clone());
    let host = identity.map(|Identity { owner, address, .. }| Registrant { owner, address, zone });
    let resolved = match &host {
        Ok(host) => here::resolve(&host.host_name()).await,
        Err(trouble) => Err(trouble.what.clone()),
    };
    Facts {
        command: config.zone_line(&config.zone).to_string(),
        host_command: config.host_line().to_string(),
        has_own_network: has_own_network(),
        address_is_given: config.host.address.is_some(),
        host,
        metadata,
        registry,
        resolved,
        engine: engine.engine,
        daemon: engine.daemon,
        containers: engine.containers,
        unseen: engine.unseen,
        ecs_agent: engine.ecs_agent,
        drains: engine.drains,
        state: here::state(&config.state_dir),
        agent: told.agent,
        agent_settings: told.settings,
        services: told.services,
        ended: told.ended,
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(PathBuf::from(path)).ok()
}

async fn metadata() -> (Metadata, Option<Instance>) {
    let on_ec2 = looks_like_ec2(read);
    let imds = match Imds::from_variables(|name| std::env::var(name).ok()) {
        Ok(Some(imds)) => imds,
        Ok(None) => return (Metadata::SwitchedOff(on_ec2), None),
        Err(error) => return (Metadata::Fails(away(&error)), None),
    };
    match imds.instance().await {
        Ok(instance) => (Metadata::Answers(instance.id.clone()), Some(instance)),
        Err(error) if on_ec2 => (Metadata::Fails(away(&error)), None),
        Err(_) => (Metadata::Elsewhere, None),
    }
}

fn away(error: &ImdsError) -> Trouble {
    let remedy = error.remedy().unwrap_or(match error {
        ImdsError::Endpoint(_) => "correct or unset that variable",
        _ => "see the host's firewall and routes",
    });
    Trouble { what: error.what(), remedy: remedy.to_owned() }
}

fn identity(config: &Config, metadata: &Metadata, instance: Option<&Instance>) -> Result<Identity, Trouble> {
    let given = &config.host;
    if let (Metadata::Fails(_), Given { hostname: None, .. } | Given { address: None, .. }) =
        (metadata, given)
    {
        return Err(Trouble {
            what: "this is EC2, and who this host is is not known while its metadata service is away"
                .to_owned(),
            remedy: "mend that, or pass --hostname and --address".to_owned(),
        });
    }
    choose(given, instance, &Fallback::of_this_host())
        .map_err(|error| Trouble { what: error.what(), remedy: error.remedy() })
}
