//! The service manager of a host: starts an agent whenever there is none, passes signals on, and notes how each
//! ended.

use std::sync::Arc;
use std::time::Duration;

use ecssd::actors::{Dependencies, Exit, Running, start};
use ecssd::clock::Clock;
use ecssd::edge::host::notices::Sources;
use ecssd::journal::SharedJournal;
use ecssd::machine::agent::StopPlan;
use ecssd::moment::Moment;
use ecssd::reconcile::writer::Settings;
use ecssd::record::{Action, Change, Owner, Registrant};
use ecssd::status::Board;
use ecssd::zone::Zone;
use futures_util::FutureExt;

use super::agent::Agent;
use super::cordons::{self, SimCordons};
use super::disk::SimJournal;
use super::former;
use super::host::Order;
use super::mutant::Mutant;
use super::truth::{BELIEVED, ZONE};
use super::world::World;

/// How long a drain may take.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// After an agent that ended by itself.
const RESTART: Duration = Duration::from_secs(2);

/// Keeps an agent on a host, for ever.
pub async fn supervise(world: World, host: usize) {
    loop {
        let (wait, bell) = {
            let state = world.lock();
            let of = &state.hosts[host];
            // While there is no power, somebody will ring.
            let wait = if of.powered { of.start_at - state.now } else { Duration::MAX };
            (wait, of.bell.clone())
        };
        if !wait.is_zero() {
            let _ = tokio::time::timeout(wait, bell.notified()).await;
            continue;
        }
        let Some(mut running) = start_agent(&world, host).await else { continue };
        watch(&world, host, &mut running).await;
    }
}

async fn start_agent(world: &World, host: usize) -> Option<Running> {
    let dependencies = {
        let mut state = world.lock();
        let (now, seed, legacy, resync) = (state.now, state.seed, state.account.legacy, state.resync);
        let mutant = state.mutant;
        let of = &mut state.hosts[host];
        let Some(address) = of.route.read(of.address, now) else {
            of.start_at = now + RESTART;
            state.tell(host, format_args!("an agent finds no route out, and does not start"));
            return None;
        };
        of.life += 1;
        (of.alive, of.draining, of.started) = (true, None, now);
        let (life, owner, follows_route) = (of.life, of.owner.clone(), of.route.is_followed);
        of.credentials.read = of.credentials.ready;
        of.shown.clear();
        of.given.take_asked();
        of.disk.is_opened_by(&owner);
        let (in_order, has_no_doubts) = (of.disk.is_in_order(), of.disk.has_no_doubts());
        let (entries, whole) = of.disk.open(mutant);
        let stop = StopPlan { timeout: DRAIN_TIMEOUT, ..state.stop };
        let agent = Agent { world: world.clone(), host, life };
        state.court_starts(host, whole);
        state.court_starts_at(host, life, address);
        state.court_remembers_all(host, life, &entries, whole && has_no_doubts, in_order);
        state.tell(
            host,
            format_args!("an agent starts, its journal {}", if whole { "whole" } else { "not whole" }),
        );
        state.count("agent started");
        let journal = SimJournal::new(agent.clone(), entries, &state.hosts[host].disk, whole);
        let journal = SharedJournal::new(Box::new(journal), whole && mutant != Mutant::ListsAtEachStart);
        let settings = Settings {
            registrant: Registrant { owner: Owner::new(&owner).ok()?, zone: ZONE.to_owned(), address },
            pace: former::pace(&state.hosts[host], legacy),
            resync,
            journal: Some(journal.clone()),
            read_first: false,
            read_after: if now == Moment::START { resync / 4 } else { Duration::ZERO },
            dry_run: false,
            seed: seed.wrapping_add(life * 1_000 + host as u64),
        };
        let notices = (state.notices || follows_route).then(|| Arc::new(agent.clone()) as Arc<dyn Sources>);
        Dependencies {
            docker: Arc::new(agent.clone()),
            tasks: Arc::new(agent.clone()),
            checker: Arc::new(agent.clone()),
            probes_max: 64,
            zone: Arc::new(agent.clone()),
            writer: settings,
            stop_belief: BELIEVED,
            follows_route,
            signals: Some(journal),
            cordons: Some(Arc::new(SimCordons(agent))),
            once: false,
            fleet: tokio::sync::watch::channel(None).1,
            notices,
            stop,
            board: Board::default(),
            clock: Clock::start(),
        }
    };
    let former = former::asides(world, host, &dependencies);
    let board = dependencies.board.clone();
    let running = start(dependencies).await.ok()?;
    former::begin(former, &board, &running.readiness());
    world.lock().hosts[host].readiness = Some(running.readiness());
    Some(running)
}

/// Looks after a process until it is gone.
async fn watch(world: &World, host: usize, running: &mut Running) {
    let mut down = RESTART;
    let bell = world.lock().hosts[host].bell.clone();
    loop {
        let exit = tokio::select! {
            biased;
            exit = running.ended() => Some(exit),
            () = bell.notified() => None,
        };
        let mut state = world.lock();
        if !state.hosts[host].alive {
            // Killed: what is left of it in this process sees and does nothing any more.
            running.hand_over();
            return;
        }
        if let Some(exit) = exit {
            let now = state.now;
            let text = match &exit {
                Exit::LeftBehind(Some(left)) => format!("left {} behind", left.len()),
                exit => format!("{exit:?}"),
            };
            state.tell(host, format_args!("the agent ends: {text}"));
            state.court_ends(host, &exit);
            if exit == Exit::GaveUp && state.mutant == Mutant::CleansUpAfterPanics {
                let standing = state.standing_of(host);
                let batch: Vec<_> =
                    standing.into_iter().map(|set| Change { action: Action::Delete, set }).collect();
                let _ = state.account.zone.clone().change(&batch).now_or_never();
            }
            let of = &mut state.hosts[host];
            of.disk.close();
            (of.alive, of.start_at) = (false, now + down);
            return;
        }
        for order in state.hosts[host].given.take_asked() {
            tokio::spawn(cordons::give(world.clone(), host, running.hand(), order));
        }
        match state.hosts[host].order.take() {
            Some(Order::Upgrade { down_ms }) if state.hosts[host].draining.is_none() => {
                down = Duration::from_millis(down_ms.into());
                state.court_lets_off(host);
                state.tell(host, format_args!("SIGHUP"));
                running.hand_over();
            }
            Some(Order::Drain { down_ms }) if state.hosts[host].draining.is_none() => {
                down = Duration::from_millis(down_ms.into());
                let now = state.now;
                state.hosts[host].draining = Some(now);
                state.hosts[host].drain_began = Some(now);
                state.court_lets_off(host);
                state.tell(host, format_args!("SIGTERM"));
                running.stop();
            }
            _ => {}
        }
    }
}
