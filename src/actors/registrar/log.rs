//! What the registrar says of containers, as log lines.

use crate::actors::health_prober::warn_unproven;
use crate::clock::Clock;
use crate::container::offer::Offer;
use crate::machine::claims::Parked;
use crate::machine::cordon::Cordon;
use crate::machine::departure::records::Overruled;
use crate::machine::lifecycle::restarts::{Hold, Loop};
use crate::machine::lifecycle::{Decision, Outlived, Unproven};
use crate::machine::registrar::{Output, Registrar};
use crate::record::{ContainerId, Routing};

/// Logs what is for the log.
pub(super) fn output(registrar: &Registrar, clock: Clock, output: &Output) {
    match output {
        Output::Decided(id, decision) => decided(id.short(), registrar.name(id), decision),
        Output::Held(id, hold) => held(id.short(), registrar.name(id), hold, clock),
        Output::Outlived(id, stop) => outlived(id.short(), registrar.name(id), stop),
        Output::Overruled(id, change) => overruled(id.short(), registrar.name(id), change),
        Output::Stepped(id, edge) => tracing::debug!(container = id.short(), %edge, "step"),
        Output::Unproven(id, service) => unproven(registrar, id, service),
        Output::Waits(id, service) => waits(registrar, id, service),
        Output::Cordoned(cordon) => {
            let (what, weight, until) = (cordon.to_string(), cordon.weight, until(cordon));
            tracing::warn!(event = "cordoned", what, weight, until, "an operator gave this another weight");
        }
        Output::Uncordoned(cordon) => {
            tracing::info!(event = "uncordoned", what = %cordon, "an operator gave this its own weight again");
        }
        Output::CordonEnded(cordon, reason) => {
            tracing::info!(event = "cordon_ended", what = %cordon, %reason, "the cordon has ended: this has its own weight again");
        }
        Output::Want(..)
        | Output::WantAll(_)
        | Output::Moved(..)
        | Output::Drain(_)
        | Output::FoundJudged(_)
        | Output::Over(_)
        | Output::KeepCordons(_)
        | Output::Ended(_)
        | Output::Probe { .. }
        | Output::InspectTask(_)
        | Output::Signalled(..) => {}
    }
}

/// Says that a service has not passed, as far as is known without its prober.
pub(super) fn unproven(registrar: &Registrar, id: &ContainerId, unproven: &Unproven) {
    warn_unproven(id, registrar.name(id), unproven, unproven.docker_says());
}

fn held(container: &str, name: &str, hold: &Hold, clock: Clock) {
    let seconds = clock.until(hold.until).as_secs();
    match &hold.of {
        Loop::Own => tracing::warn!(
            event = "restarts_too_often",
            container,
            name,
            seconds,
            "restarts too often: kept out of DNS for this long"
        ),
        Loop::Family(family) => tracing::warn!(
            event = "crash_loop",
            container,
            name,
            %family,
            seconds,
            "others of its kind end too often: kept out of DNS for this long"
        ),
    }
}

fn decided(container: &str, name: &str, decision: &Decision) {
    let (service, port, reason) = (&decision.service, decision.container_port, decision.reason);
    match decision.routing {
        Some(routing) => {
            if decision.fails_healthcheck {
                let (at, reason) = (
                    decision.at.to_string(),
                    "unhealthy, as Docker has it: see State.Health of docker inspect",
                );
                tracing::warn!(event = "check_failed", container, name, at, %reason, "its check fails");
            }
            let weight = routing.weight();
            let at = decision.at.to_string();
            tracing::info!(event = "registering", container, name, %service, port, at, weight, %reason, "registering");
        }
        None => {
            tracing::info!(event = "withdrawing", container, name, %service, port, %reason, "withdrawing");
        }
    }
}

/// When it ends; empty where somebody has to end it.
fn until(cordon: &Cordon) -> String {
    cordon.until.map(|until| until.to_string()).unwrap_or_default()
}

fn outlived(container: &str, name: &str, outlived: &Outlived) {
    match outlived {
        Outlived::Belief(since) => tracing::warn!(
            event = "stop_not_believed",
            container,
            name,
            seconds = since.as_secs(),
            "was asked to stop this long ago and still runs: it counts as running again (--stop-belief)"
        ),
        Outlived::Engine => tracing::warn!(
            event = "stop_over",
            container,
            name,
            "was asked to stop before Docker was restarted, which ended that stop: it counts as running again"
        ),
    }
}

fn overruled(container: &str, name: &str, overruled: &Overruled) {
    let Overruled { service, routing, reason } = overruled;
    match routing {
        // It has no weight that could change: it was withdrawn, and is wanted again.
        Some(Routing::Multivalue) => {
            tracing::info!(event = "registering", container, name, service, reason, "registering");
        }
        Some(routing) => tracing::info!(
            event = "weight_changed",
            container,
            name,
            service,
            weight = routing.weight(),
            reason,
            "weight changed"
        ),
        None => {
            tracing::info!(event = "withdrawn_early", container, name, service, reason, "withdrawn");
        }
    }
}

fn waits(registrar: &Registrar, id: &ContainerId, parked: &Parked) {
    let Parked { offer: Offer { service, at, .. }, taken } = parked;
    let (container, name) = (id.short(), registrar.name(id));
    let (service, holder, holder_name, why) =
        (&service.name, taken.by.short(), registrar.name(&taken.by), taken.why);
    tracing::warn!(
        event = "port_taken",
        container, name, %service, %at, holder, holder_name, %why,
        "not in DNS: another container holds its port"
    );
}
