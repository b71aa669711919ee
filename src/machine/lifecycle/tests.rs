//! The table of the lifecycle, row by row, and every order of a restart's news.

use super::*;
use crate::machine::offer::{At, EffectiveCheck};
use crate::machine::testing::{SIGHUP, SIGKILL, SIGQUIT, SIGTERM, at, offer, running, secs};
use crate::record::testing::id;

mod orders;
mod world;

const LIFE: u64 = 1_000;
const NOTHING: [u8; 0] = [];

/// A machine and the time; events are told at that time.
struct Told {
    machine: Lifecycle,
    now: Duration,
    effects: Vec<Effect>,
}

impl Told {
    fn new() -> Self {
        Self { machine: Lifecycle::default(), now: secs(10_000), effects: Vec::new() }
    }

    /// A machine that has seen a life from `LIFE` on, of one service with this check.
    fn live(check: EffectiveCheck) -> Self {
        Self::new().seen(1, sight(check))
    }

    fn tell(mut self, event: Event) -> Self {
        (self.machine, self.effects) = self.machine.step(event, self.now);
        // Which step it was has no effect.
        self.effects.retain(|effect| !matches!(effect, Effect::Stepped(_)));
        self
    }

    fn seen(self, as_of: u64, sight: Sight) -> Self {
        self.tell(Event::Seen { as_of: Seq(as_of), sight: Box::new(sight) })
    }

    fn killed(self, signal: u8, time: u64) -> Self {
        self.tell(Event::Killed { signal, time: at(time), age: Duration::ZERO })
    }

    fn died(self, seq: u64, time: u64) -> Self {
        self.tell(Event::Died { at: Seq(seq), time: at(time), age: Duration::ZERO })
    }

    fn probed(self, verdict: Verdict) -> Self {
        let (life, targets) = self.machine.probing().unwrap();
        self.tell(Event::Probed { life, target: targets[0].clone(), verdict })
    }

    fn registered(self, port: u16, weight: u8) -> Self {
        let (service, at) = ("_web._tcp.sd.internal".to_owned(), At::Host { port });
        self.tell(Event::Registered { service, container_port: 80, at, weight })
    }

    fn after(mut self, wait: Duration) -> Self {
        self.now += wait;
        self.tell(Event::Tick)
    }

    /// The weights of what is wanted.
    fn weights(&self) -> Vec<u8> {
        self.machine.wanted().iter().map(|wanted| wanted.weight).collect()
    }
}

fn sight(check: EffectiveCheck) -> Sight {
    running(at(LIFE), vec![offer("_web._tcp", 32_768, check)])
}

fn shown(running: Running) -> Sight {
    Sight { running, ..sight(EffectiveCheck::Tcp) }
}

fn newer() -> Sight {
    newer_with(EffectiveCheck::None)
}

fn newer_with(check: EffectiveCheck) -> Sight {
    Sight { started_at: at(LIFE + 100), ..sight(check) }
}

fn healthy(health: container::Health) -> Sight {
    Sight { health: Some(health), ..sight(EffectiveCheck::Docker) }
}

// === Idle ===

#[test]
fn registers_at_once_what_needs_no_check() {
    assert_eq!(Told::live(EffectiveCheck::None).weights(), [5]);
    assert_eq!(Told::live(EffectiveCheck::Tcp).weights(), NOTHING);
}

#[test]
fn never_revives_a_life_that_has_ended() {
    let told = Told::live(EffectiveCheck::None).died(2, LIFE + 10);
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.seen(3, sight(EffectiveCheck::None)).weights(), NOTHING);
}

#[test]
fn keeps_a_signal_until_a_look_tells_what_it_meant() {
    let term = Told::new().killed(SIGTERM, LIFE + 10).seen(1, sight(EffectiveCheck::None));
    assert!(matches!(term.machine.state(), State::Stopping(_)));
    let hup = Told::new().killed(SIGHUP, LIFE + 10).seen(1, sight(EffectiveCheck::None));
    assert_eq!(hup.weights(), [5]);
    let quit = Sight { stop_signal: SIGQUIT, ..sight(EffectiveCheck::None) };
    let quit = Told::new().killed(SIGQUIT, LIFE + 10).seen(1, quit);
    assert_eq!((quit.weights(), quit.machine.leaves()), (vec![], true));
}

#[test]
fn waits_for_a_stop_timeout_that_a_look_shows_after_the_signal() {
    let slow = Sight { stop_timeout: Some(secs(300)), ..sight(EffectiveCheck::None) };
    let told = Told::new().killed(SIGTERM, LIFE + 10).seen(1, slow.clone());
    assert!(told.effects.contains(&Effect::WakeAt(secs(10_310))), "{:?}", told.effects);
    let told = told.after(secs(309)).seen(2, slow.clone());
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.after(secs(1)).seen(3, slow).weights(), [5]);
}

#[test]
fn an_old_signal_that_was_survived_does_not_hold_up_a_container() {
    let old = Event::Killed { signal: SIGTERM, time: at(LIFE + 10), age: secs(130) };
    assert_eq!(Told::new().tell(old.clone()).seen(1, sight(EffectiveCheck::None)).weights(), [5]);
    assert_eq!(Told::live(EffectiveCheck::None).tell(old).weights(), [5]);
}

// === Live ===

#[test]
fn another_look_keeps_verdicts_and_begins_new_offers_unproven() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up);
    let mut more = sight(EffectiveCheck::Tcp);
    more.offers.push(offer("_api._tcp", 32_769, EffectiveCheck::Tcp));
    let told = told.seen(2, more);
    assert_eq!((told.weights(), told.machine.unproven()), (vec![5], true));
    assert_eq!(told.machine.probing().unwrap().1.len(), 2);
}

#[test]
fn a_newer_life_begins_anew() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).seen(2, newer());
    assert_eq!(told.machine.wanted()[0].started_at, at(LIFE + 100));
    assert!(told.effects.contains(&Effect::Probe { life: at(LIFE), targets: vec![] }));
}

#[test]
fn what_the_zone_has_is_taken_as_proven() {
    let live = || Told::live(EffectiveCheck::Tcp);
    assert_eq!(live().registered(32_768, 5).weights(), [5]);
    assert_eq!(live().registered(32_768, 0).weights(), [0]);
    assert_eq!(live().registered(32_769, 5).weights(), NOTHING);
    assert_eq!(live().probed(Verdict::Up).probed(Verdict::Down).registered(32_768, 5).weights(), [0]);
}

#[test]
fn a_passed_check_registers() {
    assert_eq!(Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).weights(), [5]);
    let starting = Told::new().seen(1, healthy(container::Health::Starting));
    assert_eq!(starting.weights(), NOTHING);
    assert_eq!(starting.seen(2, healthy(container::Health::Healthy)).weights(), [5]);
}

#[test]
fn a_failed_check_only_takes_the_weight() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).probed(Verdict::Down);
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
    let told = Told::new().seen(1, healthy(container::Health::Healthy));
    assert_eq!(told.seen(2, healthy(container::Health::Unhealthy)).weights(), [0]);
    assert_eq!(Told::live(EffectiveCheck::Tcp).probed(Verdict::Down).weights(), NOTHING);
}

/// The seconds after which each of these waits made the log say that it is not in DNS.
fn reminded(mut told: Told, waits: &[u64]) -> (Told, Vec<u64>) {
    let mut reminded = Vec::new();
    for wait in waits {
        told = told.after(secs(*wait));
        reminded.extend(told.effects.iter().filter_map(|effect| match effect {
            Effect::Unproven(unproven) => Some(unproven.waited.as_secs()),
            _ => None,
        }));
    }
    (told, reminded)
}

#[test]
fn what_an_earlier_run_registered_of_an_earlier_life_has_weight_0_until_its_check_passes() {
    for weight in [5, 0] {
        let later = || Told::new().seen(1, Sight { lived_before: true, ..sight(EffectiveCheck::Tcp) });
        let told = later().registered(32_768, weight);
        assert_eq!(told.weights(), [0]);
        assert!(told.machine.unproven(), "the first batch waits for its check");
        assert_eq!(told.probed(Verdict::Down).probed(Verdict::Up).weights(), [5]);
        assert_eq!(later().registered(32_769, weight).weights(), NOTHING, "it was another place");
        assert_eq!(later().probed(Verdict::Up).registered(32_768, weight).weights(), [5]);
    }
    let starting = Sight { lived_before: true, ..healthy(container::Health::Starting) };
    let told = Told::new().seen(1, starting).registered(32_768, 5);
    assert_eq!(told.weights(), [0]);
    let passes = Sight { lived_before: true, ..healthy(container::Health::Healthy) };
    assert_eq!(told.seen(2, passes).weights(), [5]);
}

#[test]
fn what_has_never_passed_its_check_is_not_registered_and_the_log_says_so_after_a_minute_and_every_ten() {
    let told = Told::live(EffectiveCheck::Tcp);
    assert!(told.effects.contains(&Effect::WakeAt(secs(10_060))));
    let (told, reminded_at) = reminded(told.probed(Verdict::Down), &[59, 1, 599, 1, 600, 86_400]);
    assert_eq!(reminded_at, [60, 660, 1_260, 87_660]);
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn a_healthcheck_that_has_never_passed_is_said_with_what_docker_says_of_it() {
    for health in [container::Health::Starting, container::Health::Unhealthy] {
        let told = Told::new().seen(1, healthy(health)).after(secs(60));
        let said = |effect: &Effect| matches!(effect, Effect::Unproven(it) if it.health == Some(health));
        assert!(told.effects.iter().any(said), "{health:?}: {:?}", told.effects);
        assert_eq!(told.weights(), NOTHING);
        let (told, again) = reminded(told.seen(2, healthy(container::Health::Healthy)), &[600]);
        assert_eq!((told.weights(), again), (vec![5], vec![]));
    }
}

#[test]
fn what_has_served_in_this_life_is_not_said_to_wait() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).probed(Verdict::Down);
    let (told, again) = reminded(told, &[60, 600]);
    assert_eq!((told.weights(), again), (vec![0], vec![]));
    let told = told.seen(2, newer_with(EffectiveCheck::Tcp));
    assert_eq!(told.weights(), NOTHING, "the next life has served nobody");
    assert_eq!(reminded(told, &[60]).1, [60]);
}

#[test]
fn a_verdict_on_another_life_is_not_heard() {
    let told = Told::live(EffectiveCheck::Tcp);
    let target = told.machine.probing().unwrap().1[0].clone();
    let told = told.tell(Event::Probed { life: at(LIFE - 1), target, verdict: Verdict::Up });
    assert_eq!(told.weights(), NOTHING);
}

/// Another container has the port that is offered; its record stays where that is said.
fn taken(keeps: bool) -> Event {
    let endpoint = offer("_web._tcp", 32_768, EffectiveCheck::Tcp).endpoint();
    Event::Taken(BTreeMap::from([(endpoint, Taken { by: id(9), why: Why::Serves, keeps })]))
}

#[test]
fn what_a_probe_proved_is_void_once_another_has_the_port_and_nobody_is_asked_until_it_is_free() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).tell(taken(false));
    assert_eq!((told.weights(), told.machine.probing(), told.machine.unproven()), (vec![], None, false));
    assert!(told.effects.contains(&Effect::Probe { life: at(LIFE), targets: vec![] }));
    let told = told.registered(32_768, 5);
    assert_eq!(told.weights(), NOTHING, "an earlier run registered the other one's answer");
    let said =
        |told: &Told| told.effects.iter().any(|it| matches!(it, Effect::Unproven(it) if it.taken.is_some()));
    let told = told.after(secs(60));
    assert!(said(&told), "{:?}", told.effects);
    let told = told.tell(Event::Taken(BTreeMap::new()));
    assert_eq!((told.weights(), told.machine.probing().unwrap().1.len()), (vec![], 1));
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn what_docker_says_of_a_healthcheck_holds_though_another_has_the_port() {
    let told = Told::new().seen(1, healthy(container::Health::Healthy)).tell(taken(false));
    assert_eq!(told.weights(), [5], "whether it is written is for the claims to say");
}

#[test]
fn a_record_that_waits_for_another_to_be_ready_can_only_lose_its_weight() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).tell(taken(true));
    let told = told.probed(Verdict::Down);
    assert_eq!(told.weights(), [0]);
    let told = told.probed(Verdict::Up);
    assert_eq!(told.weights(), [0]);
    let told = told.tell(Event::Taken(BTreeMap::new()));
    let asked_anew = |it: &Effect| matches!(it, Effect::Probe { targets, .. } if targets.len() == 1);
    assert!(told.effects.iter().any(asked_anew), "{:?}", told.effects);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn a_process_may_have_its_ports_until_it_has_ended() {
    let ports = |told: &Told| told.machine.ports().map(|ports| (ports.started_at, ports.claims[0].standing));
    let live = || Told::live(EffectiveCheck::None);
    let stopping = || live().killed(SIGTERM, LIFE + 10);
    let met_stopping = || Told::new().killed(SIGTERM, LIFE + 10).seen(1, sight(EffectiveCheck::None));
    let paused = || live().seen(2, shown(Running::Paused));
    for there in [stopping(), met_stopping(), paused(), paused().killed(SIGTERM, LIFE + 10)] {
        assert_eq!(ports(&there), Some((at(LIFE), Standing::Away)));
        assert_eq!(there.weights(), NOTHING);
        let told = there.seen(2, sight(EffectiveCheck::None));
        assert_eq!(ports(&told).map(|(life, _)| life), Some(at(LIFE)));
        assert_eq!(ports(&told.died(3, LIFE + 20)), None);
    }
    assert_eq!(ports(&stopping().tell(Event::Absent { as_of: Seq(2) })), None);
    assert_eq!(ports(&paused().seen(3, shown(Running::Stopped))), None);
    assert_eq!(ports(&stopping().tell(Event::Drain)), None);
}

#[test]
fn withdraws_before_the_container_stops() {
    for signal in [SIGTERM, SIGKILL, 2] {
        assert_eq!(Told::live(EffectiveCheck::None).killed(signal, LIFE + 10).weights(), NOTHING);
    }
    assert_eq!(Told::live(EffectiveCheck::None).killed(SIGHUP, LIFE + 10).weights(), [5]);
    assert_eq!(Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE - 10).weights(), [5]);
}

#[test]
fn a_paused_container_wants_nothing_and_may_come_back() {
    let told = Told::live(EffectiveCheck::None).seen(2, shown(Running::Paused));
    assert_eq!((told.weights(), told.machine.state()), (vec![], &State::Idle));
    assert_eq!(told.seen(3, sight(EffectiveCheck::None)).weights(), [5]);
}

#[test]
fn an_ended_life_wants_nothing() {
    let live = || Told::live(EffectiveCheck::None);
    let ends = [
        live().died(2, LIFE + 10),
        live().seen(2, shown(Running::Stopped)),
        live().tell(Event::Absent { as_of: Seq(2) }),
    ];
    for told in ends {
        assert_eq!((told.weights(), told.machine.state()), (vec![], &State::Idle));
    }
}

#[test]
fn an_absence_as_old_as_the_look_ends_no_life_for_good() {
    let told = Told::live(EffectiveCheck::None).tell(Event::Absent { as_of: Seq(1) });
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.seen(1, sight(EffectiveCheck::None)).weights(), [5]);
}

#[test]
fn stale_or_replayed_news_changes_nothing() {
    let told = Told::new().seen(5, newer());
    let before = told.machine.clone();
    let told = told.seen(4, shown(Running::Stopped)).tell(Event::Absent { as_of: Seq(4) }).died(6, LIFE + 50);
    assert_eq!(told.machine, before);
}

// === Stopping ===

#[test]
fn is_registered_again_once_it_has_survived() {
    let told = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    let told = told.after(secs(129)).seen(2, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
    let told = told.after(secs(1));
    assert_eq!((told.weights(), &told.effects[..]), (vec![], &[Effect::Look][..]));
    assert_eq!(told.seen(3, sight(EffectiveCheck::None)).weights(), [5]);
}

#[test]
fn the_first_signal_counts_the_time() {
    let mut told = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    told.now += secs(100);
    let told = told.killed(SIGKILL, LIFE + 110).after(secs(30));
    assert_eq!(told.effects, [Effect::Look]);
}

#[test]
fn a_life_that_began_after_the_signal_was_not_meant() {
    let stopping = || Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    assert_eq!(stopping().seen(2, newer()).weights(), [5]);
    assert_eq!(stopping().killed(SIGTERM, LIFE + 200).seen(2, newer()).weights(), NOTHING);
}

#[test]
fn a_death_after_the_signal_ends_the_wait() {
    let stopping = || Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    assert_eq!(stopping().died(2, LIFE + 20).machine.state(), &State::Idle);
    let later = stopping().killed(SIGKILL, LIFE + 30).died(2, LIFE + 20);
    assert!(matches!(later.machine.state(), State::Stopping(_)));
}

#[test]
fn a_look_without_a_process_ends_the_wait_when_the_time_is_over() {
    let gone: [fn(Told) -> Told; 2] =
        [|told| told.seen(2, shown(Running::Stopped)), |told| told.tell(Event::Absent { as_of: Seq(2) })];
    for gone in gone {
        let told = gone(Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10));
        assert!(matches!(told.machine.state(), State::Stopping(_)));
        assert_eq!(gone(told.after(secs(130))).machine.state(), &State::Idle);
    }
}

#[test]
fn a_death_before_the_signal_does_not_end_the_wait() {
    let told = Told::new().killed(SIGTERM, LIFE + 10).died(1, LIFE - 10).seen(1, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
}

// === Held ===

/// The n-th of several lives, one a second.
fn life(n: u64, check: EffectiveCheck) -> Sight {
    Sight { started_at: at(LIFE + n), ..sight(check) }
}

#[test]
fn a_crash_loop_is_kept_out_of_dns_and_taken_back_once_it_stays_up() {
    let mut told = Told::new();
    for n in 1..5 {
        told = told.after(secs(1)).seen(n, life(n, EffectiveCheck::None));
        assert_eq!(told.weights(), [5], "the {n}th start");
    }
    let told = told.after(secs(1)).seen(5, life(5, EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
    assert!(told.effects.contains(&Effect::Held(told.now + restarts::HOLD)), "{:?}", told.effects);
    let reason = |effect: &Effect| matches!(effect, Effect::Decided(it) if it.reason == Reason::Restarts);
    assert!(told.effects.iter().any(reason), "{:?}", told.effects);
    let told = told.after(secs(29)).seen(6, life(5, EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
    let told = told.after(secs(1));
    assert_eq!(told.weights(), [5]);
    let reason = |effect: &Effect| matches!(effect, Effect::Decided(it) if it.reason == Reason::Steady);
    assert!(told.effects.iter().any(reason), "{:?}", told.effects);
}

#[test]
fn a_held_life_proves_itself_meanwhile() {
    let mut told = Told::new();
    for n in 1..6 {
        told = told.seen(n, life(n, EffectiveCheck::Tcp));
    }
    let told = told.probed(Verdict::Up);
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.after(restarts::HOLD).weights(), [5]);
}

#[test]
fn a_crash_loop_is_remembered_while_its_container_is_down() {
    let mut told = Told::new();
    for n in 1..6 {
        told = told.seen(n, life(n, EffectiveCheck::None));
    }
    let told = told.tell(Event::Absent { as_of: Seq(6) });
    assert!(!told.machine.forgettable(Seq(6), told.now));
    assert!(told.machine.forgettable(Seq(6), told.now + restarts::HOLD + restarts::WITHIN));
}

// === Drained ===

#[test]
fn wants_nothing_for_good_after_a_drain() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).tell(Event::Drain);
    assert_eq!(told.machine.state(), &State::Drained);
    assert_eq!(told.effects.last(), Some(&Effect::Probe { life: at(LIFE), targets: vec![] }));
    let told = told.seen(9, newer()).registered(32_768, 5).after(secs(1_000));
    assert_eq!((told.machine.state(), told.effects), (&State::Drained, vec![]));
}
