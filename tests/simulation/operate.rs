//! What an operation does to the world.

use std::time::Duration;

use ecssd::container::event::Happening;

use super::cordons;
use super::disk::ELSEWHERE;
use super::host::Order;
use super::later::Later;
use super::scenario::{Notice, What};
use super::world::State;

/// For so many seconds an agent is waited for where its host is shut down.
const SHUT_DOWN_WAITS: u8 = 60;

impl State {
    /// Does one thing to a host.
    pub fn operate(&mut self, host: usize, what: What) {
        let slot = |slot| self.hosts[host].slot(slot);
        let until = |seconds: u16| Duration::from_secs(seconds.into());
        let now = self.now;
        let reached = !self.hosts[host].engine.is_away();
        match what {
            What::Run { slot, spec } => self.runs(host, slot, spec),
            What::Stop { slot: of } => {
                let Some(id) = slot(of) else { return };
                let Some(it) = self.hosts[host].containers.get(&id) else { return };
                let timeout = it.spec.stop_timeout.unwrap_or(10);
                let (life, alive, engine) = (it.lives, it.alive, self.hosts[host].engine.generation);
                if alive && reached {
                    self.signals(host, &id, 15);
                    self.later(until(timeout), Later::Sigkill { host, id, life, engine });
                }
            }
            What::Signal { slot: of, signal } => {
                if let Some(id) = slot(of).filter(|_| reached) {
                    self.signals(host, &id, signal);
                }
            }
            What::Die { slot: of } => {
                if let Some(id) = slot(of) {
                    self.exits(host, &id);
                }
            }
            What::Restart { slot: of } => {
                if let Some(id) = slot(of).filter(|_| reached) {
                    self.signals(host, &id, 15);
                    self.exits(host, &id);
                    self.starts(host, &id);
                }
            }
            What::Pause { slot: of } => self.pauses(host, slot(of), true),
            What::Unpause { slot: of } => self.pauses(host, slot(of), false),
            What::Remove { slot: of } => {
                if let Some(id) = slot(of) {
                    self.removes(host, &id);
                }
            }
            What::CrashLoop { slot: of, times, gap_ms } => {
                if let Some(id) = slot(of).filter(|_| reached) {
                    self.later(Duration::ZERO, Later::Crash { host, id, left: times, gap_ms });
                }
            }
            What::CrashLoopAnew { slot, service, times, gap_ms } => {
                self.later(Duration::ZERO, Later::CrashAnew { host, slot, service, left: times, gap_ms });
            }
            What::Rewire { slot: of, seconds } => {
                if let Some(id) = slot(of).filter(|_| reached) {
                    self.leaves_network(host, &id);
                    self.later(until(seconds), Later::Join { host, id });
                }
            }
            What::Execs { slot: of, commands } => {
                let alive = slot(of).is_some_and(|id| self.hosts[host].containers[&id].alive);
                if alive && reached {
                    self.notes(host, u32::from(commands) * 3);
                }
            }
            What::Storm { slot: of, events } => {
                let Some(id) = slot(of).filter(|_| reached) else { return };
                for _ in 0..events {
                    self.happens(host, &id, Happening::Changed);
                }
            }
            What::Sicken { slot: of, silent, seconds } => {
                let Some(id) = slot(of) else { return };
                self.sickens(host, &id, silent);
                self.later(until(seconds), Later::Recover { host, id });
            }
            What::DockerAway { seconds } => {
                self.engine_away(host);
                self.later(until(seconds), Later::EngineReached { host });
            }
            What::DockerRestart { seconds, live_restore } => {
                if live_restore {
                    self.engine_down(host)
                } else {
                    self.engine_stops(host)
                }
                self.later(until(seconds), Later::EngineUp { host });
            }
            What::DockerCrash { seconds, live_restore, agent } => {
                self.engine_crashes(host, live_restore);
                if agent {
                    self.kill_agent(host, u32::from(seconds) * 1_000 + 500);
                }
                self.later(until(seconds), Later::EngineUp { host });
            }
            What::SilentStream { seconds } => self.hosts[host].engine.silent_until = now + until(seconds),
            What::SlowLooks { ms, seconds } => {
                self.hosts[host].engine.slow = (now + until(seconds), Duration::from_millis(ms.into()));
            }
            What::HangingLooks { seconds } => self.hosts[host].engine.hanging_until = now + until(seconds),
            What::DeadNetwork { seconds } => self.hosts[host].dead_network_until = now + until(seconds),
            // Those who carry the run do it.
            What::Lag { .. } | What::Panic { .. } => {}
            What::Calls { fault, calls } => {
                self.hosts[host].calls.extend(std::iter::repeat_n(fault, calls.into()));
            }
            What::Outage { fault, seconds } => self.hosts[host].outage = Some((now + until(seconds), fault)),
            What::RegistryDown { seconds } => self.account.down_until = now + until(seconds),
            What::Noise { seconds } => self.account.noisy_until = now + until(seconds),
            What::Poison { slot: of, seconds } => {
                let Some(id) = slot(of) else { return };
                self.account.poisoned.push(id.clone());
                self.later(until(seconds), Later::Pardon(id));
            }
            What::Deny { slot: of, seconds } => {
                let Some(id) = slot(of) else { return };
                for name in self.hosts[host].containers[&id].names() {
                    self.account.denied.push(name.clone());
                    self.later(until(seconds), Later::Allow(name));
                }
            }
            What::HandEdit { slot: of } => self.edit_by_hand(host, slot(of), false),
            What::HandDelete { slot: of } => self.edit_by_hand(host, slot(of), true),
            What::Kill { down_ms } => self.kill_agent(host, down_ms),
            What::Fuse { point, nth, down_ms } => self.hosts[host].fuse = Some((point, nth, down_ms)),
            What::Upgrade { down_ms } => self.hosts[host].is_told(Order::Upgrade { down_ms }),
            What::Drain { down_ms } => self.hosts[host].is_told(Order::Drain { down_ms }),
            What::Expire { seconds } => {
                let of = &mut self.hosts[host];
                of.credentials.taken += 1;
                let credential = of.credentials.taken;
                self.later(until(seconds), Later::Renew { host, credential });
            }
            What::Readdress { down_ms } => {
                self.kill_agent(host, down_ms);
                let [a, b, net, last] = self.hosts[host].address.octets();
                self.hosts[host].address = [a, b, net.wrapping_add(1), last].into();
                self.hosts[host].route.changed = now;
            }
            What::Move { to } => self.moves(host, to),
            What::RouteAway { seconds } => self.loses_route(host, until(seconds)),
            What::RouteAstray { seconds } => self.route_strays(host, until(seconds.into())),
            What::PowerOff { seconds } => {
                self.kill_agent(host, u32::from(seconds) * 1_000 + 1_000);
                self.engine_down(host);
                self.all_end(host);
                self.power_off(host);
                self.later(until(seconds), Later::PowerOn { host });
            }
            What::Rename { to, down_ms } => self.renames(host, to, down_ms),
            What::SwitchZone { down_ms } => {
                self.kill_agent(host, down_ms);
                self.hosts[host].disk.is_of_zone(ELSEWHERE);
            }
            What::CopyDisk { from, down_ms } => self.copies_disk(host, from.into(), down_ms),
            What::ShutDown { seconds, drains } => {
                // Nobody starts it again before the host is.
                let down_ms = u32::MAX;
                let order = if drains { Order::Drain { down_ms } } else { Order::Upgrade { down_ms } };
                self.hosts[host].is_told(order);
                self.later(Duration::from_secs(1), Later::ShutDown { host, seconds, waits: SHUT_DOWN_WAITS });
            }
            What::Terminate => {
                // One host is left, or the others have nobody to be compared with.
                let alone = self.hosts.iter().filter(|it| it.terminated.is_none()).count() == 1;
                if !alone && self.hosts[host].terminated.is_none() {
                    self.kill_agent(host, 0);
                    self.engine_down(host);
                    self.all_end(host);
                    self.power_off(host);
                    self.hosts[host].terminated = Some(now);
                }
            }
            What::Cordon { of, weight, seconds } => {
                let text = cordons::text(self, host, of);
                let order = text.and_then(|text| cordons::order(&text, weight, seconds));
                if let Some(order) = order.filter(|_| self.hosts[host].alive) {
                    self.hosts[host].given.ask(order);
                    self.hosts[host].bell.notify_one();
                }
            }
            What::DiskFull => self.hosts[host].disk.fill(),
            What::Notice { of } => {
                // Another one takes the place of the one before.
                self.call_off(host);
                let end = if let Notice::Spot { seconds } = of { until(seconds) } else { Duration::ZERO };
                self.hosts[host].notice = Some((of, now + end));
            }
            What::CallOff => self.call_off(host),
            What::ImdsAway { seconds } => self.hosts[host].imds_away_until = now + until(seconds),
            What::ClockJump { seconds } => {
                self.hosts[host].wall_offset += i64::from(seconds) * 1_000_000_000;
                self.hosts[host].went_back |= seconds < 0;
                self.hosts[host].jumped_at = Some(now);
                if seconds > 0 {
                    self.hosts[host].jumped_ahead_at = Some(now);
                }
            }
            What::Janitor => self.janitor_looks(),
        }
    }
}
