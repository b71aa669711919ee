//! The table of the lifecycle, row by row, and every order of a restart's news.

use super::restarts::{Hold, Loop};
use super::*;
use crate::container::convention::Answer;
use crate::container::offer::{At, EffectiveCheck, Offer};
use crate::container::testing::{at, offer};
use crate::container::{self, Checked};
use crate::machine::past::Trace;
use crate::machine::probe::Verdict;
use crate::machine::testing::{SIGHUP, SIGKILL, SIGQUIT, SIGTERM, running, secs};
use crate::moment::Moment;
use crate::record::Routing;
use crate::record::testing::id;

mod asking;
mod orders;
mod pause;
mod words;
mod world;

const LIFE: u64 = 1_000;
const NOTHING: [u8; 0] = [];

/// A machine and the time; events are told at that time.
struct Told {
    machine: Lifecycle,
    /// The place of the latest event.
    seq: u64,
    now: Moment,
    effects: Vec<Effect>,
}

impl Told {
    fn new() -> Self {
        Self { machine: Lifecycle::default(), seq: 0, now: Moment::after(secs(10_000)), effects: Vec::new() }
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

    fn killed(mut self, signal: u8, time: u64) -> Self {
        self.seq += 1;
        let place = Seq(self.seq);
        self.tell(Event::Killed { at: place, signal, time: at(time), age: Duration::ZERO })
    }

    fn died(mut self, seq: u64, time: u64) -> Self {
        self.seq = seq;
        self.tell(Event::Died { at: Seq(seq), time: at(time) })
    }

    fn started(mut self) -> Self {
        self.seq += 1;
        let place = Seq(self.seq);
        self.tell(Event::Started { at: place })
    }

    fn remembered(mut self, trace: Trace, restarted: bool) -> Self {
        self.seq += 1;
        let place = Seq(self.seq);
        self.tell(Event::Remembered { at: place, trace, restarted })
    }

    fn probed(self, verdict: Verdict) -> Self {
        let (life, targets) = self.machine.probing().unwrap();
        self.tell(Event::Probed { life, target: targets[0].clone(), verdict })
    }

    fn registered(self, port: u16, weight: u8) -> Self {
        let (service, at) = ("_web._tcp.sd.internal".to_owned(), At::Host { port });
        self.tell(Event::Registered { service, at: Registered::Target { container_port: 80, at }, weight })
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

#[test]
fn a_life_offers_what_has_its_name_and_its_port_wherever_that_leads() {
    let machine = Told::live(EffectiveCheck::Tcp).machine;
    let target = |container_port| Registered::Target { container_port, at: At::Host { port: 1 } };
    let web = "_web._tcp.sd.internal";
    assert!(machine.offers(web, &target(80)));
    assert!(!machine.offers(web, &target(81)));
    assert!(!machine.offers("_api._tcp.sd.internal", &target(80)));
    assert!(!machine.offers(web, &Registered::Address(None)));
    let mut sight = sight(EffectiveCheck::Tcp);
    sight.offers[0].service.answer = Answer::Address;
    let machine = Told::new().seen(1, sight).machine;
    assert!(machine.offers(web, &Registered::Address(None)));
    assert!(!machine.offers(web, &target(80)));
    assert!(!machine.offers("_api._tcp.sd.internal", &Registered::Address(None)));
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
fn an_old_signal_that_was_survived_does_not_hold_up_a_container() {
    let trace = |age| Trace { kills: [(SIGTERM, (at(LIFE + 10), age))].into(), ..Trace::default() };
    let old = STOP_BELIEF + secs(1);
    let look = |told: Told| told.seen(1, sight(EffectiveCheck::None)).weights();
    assert_eq!(look(Told::new().remembered(trace(old), false)), [5]);
    assert_eq!(look(Told::new().remembered(trace(old - secs(2)), false)), NOTHING);
    assert_eq!(Told::live(EffectiveCheck::None).remembered(trace(old), false).weights(), [5]);
    assert_eq!(Told::live(EffectiveCheck::None).remembered(trace(old - secs(2)), false).weights(), NOTHING);
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
    assert!(told.effects.contains(&Effect::WakeAt(Moment::after(secs(10_060)))));
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
    let frozen = || Sight { running: Running::Paused, ..sight(EffectiveCheck::None) };
    let paused = || live().seen(2, frozen()).after(secs(60)).seen(2, frozen());
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
fn a_long_stop_is_believed_for_an_hour_after_its_last_signal() {
    let mut told = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    for minute in 1..60 {
        told = told.after(secs(60)).seen(minute + 1, sight(EffectiveCheck::None));
        assert_eq!(told.weights(), NOTHING, "after {minute} minutes");
    }
    let told =
        told.killed(SIGKILL, LIFE + 3_550).after(STOP_BELIEF - secs(1)).seen(90, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
    let told = told.after(secs(1));
    assert_eq!((told.weights(), &told.effects[..]), (vec![], &[Effect::Inspect][..]));
    let told = told.seen(91, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), [5]);
    assert!(told.effects.contains(&Effect::Outlived(Outlived::Belief(STOP_BELIEF))), "{:?}", told.effects);
}

#[test]
fn a_stop_that_is_believed_for_less_is_over_sooner() {
    let mut told = Told::new();
    told.machine = Lifecycle::believing(secs(30));
    let told = told.seen(1, sight(EffectiveCheck::None)).killed(SIGTERM, LIFE + 10);
    assert_eq!(told.effects.last(), Some(&Effect::WakeAt(Moment::after(secs(10_030)))));
    assert_eq!(told.after(secs(30)).seen(2, sight(EffectiveCheck::None)).weights(), [5]);
}

#[test]
fn what_survived_has_to_pass_its_check_again() {
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).killed(SIGTERM, LIFE + 10);
    let told = told.after(STOP_BELIEF).seen(2, sight(EffectiveCheck::Tcp));
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn ecs_holds_out_what_it_wants_stopped_and_says_nothing_where_it_wants_it_to_run() {
    let of_task = |desired| Sight { task: Some("arn:task".into()), desired, ..sight(EffectiveCheck::None) };
    let told = Told::new().seen(1, of_task(Desired::Unasked)).killed(SIGTERM, LIFE + 10).after(STOP_BELIEF);
    let told = told.seen(2, of_task(Desired::Unasked));
    assert_eq!((told.weights(), &told.effects[..]), (vec![], &[Effect::Inspect][..]), "ECS was not asked");
    let mut told = told;
    for look in 3..100 {
        told = told.seen(look, of_task(Desired::Stopped));
        assert_eq!(told.weights(), NOTHING);
        told = told.after(secs(59));
        assert_eq!(told.effects, []);
        told = told.after(secs(1));
        assert_eq!(told.effects, [Effect::Inspect]);
    }
    assert_eq!(told.seen(100, of_task(Desired::Unsaid)).weights(), [5]);
    let running = Told::new().seen(1, of_task(Desired::Unasked)).killed(SIGTERM, LIFE + 10);
    assert_eq!(running.after(secs(600)).seen(2, of_task(Desired::Unsaid)).weights(), NOTHING);
}

#[test]
fn a_newer_start_ends_a_stop() {
    let stopping = || Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    assert_eq!(stopping().started().seen(2, newer()).weights(), [5]);
    assert_eq!(stopping().died(2, LIFE + 20).started().seen(3, newer()).weights(), [5]);
    assert_eq!(stopping().started().killed(SIGTERM, LIFE + 200).seen(3, newer()).weights(), NOTHING);
    // Of which nothing was heard.
    assert_eq!(stopping().seen(2, newer()).weights(), [5]);
    assert_eq!(stopping().killed(SIGTERM, LIFE + 200).seen(2, newer()).weights(), NOTHING);
}

#[test]
fn a_restart_of_docker_that_left_the_life_running_ends_a_stop() {
    let stopping = || Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    let told = stopping().remembered(Trace::default(), true);
    assert!(told.effects.contains(&Effect::Outlived(Outlived::Engine)), "{:?}", told.effects);
    assert!(told.effects.contains(&Effect::Inspect), "{:?}", told.effects);
    assert_eq!(told.seen(2, sight(EffectiveCheck::None)).weights(), [5]);
    // A stream that ended says nothing, nor does an engine that has forgotten.
    let told = stopping().remembered(Trace::default(), false).seen(2, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
    let again = Trace { kills: [(SIGTERM, (at(LIFE + 500), secs(1)))].into(), ..Trace::default() };
    let told = stopping().remembered(again, true).seen(2, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING, "the new engine was told to stop it too");
}

#[test]
fn what_an_engine_remembers_again_changes_nothing() {
    let trace = Trace { kills: [(SIGTERM, (at(LIFE + 10), secs(7)))].into(), ..Trace::default() };
    let told = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    let before = told.machine.clone();
    let told = told.remembered(trace.clone(), false);
    assert_eq!(told.machine, before);
    assert_eq!(
        told.remembered(trace, true).machine,
        before,
        "it would have forgotten what it did not live to see"
    );
}

#[test]
fn what_an_engine_remembers_of_a_gap_is_taken_in_its_order() {
    let turned = |ended| Trace { turned: true, ended, ..Trace::default() };
    let stopping = || Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    let told = stopping().remembered(turned(false), false);
    assert_eq!(told.seen(2, newer()).weights(), [5]);
    let told = Told::live(EffectiveCheck::None).remembered(turned(true), false);
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.seen(0, sight(EffectiveCheck::None)).weights(), NOTHING);
    // The end of an earlier life, remembered with the start of the present one, does not touch that.
    assert_eq!(Told::live(EffectiveCheck::None).remembered(turned(false), false).weights(), [5]);
}

#[test]
fn a_stop_that_is_believed_no_more_is_not_revived_by_a_signal_that_asks_for_none() {
    let hour = Duration::from_secs(3_600);
    let kills = [(SIGHUP, (at(LIFE + 20), Duration::from_secs(10))), (SIGTERM, (at(LIFE + 10), hour))].into();
    let told = Told::new().remembered(Trace { kills, ..Trace::default() }, false);
    // An ECS task: where a stop holds, the ECS agent is asked before anything else.
    let task = Sight { task: Some("arn:task/1".into()), ..sight(EffectiveCheck::None) };
    assert_eq!(told.seen(1, task).weights(), [5]);
}

#[test]
fn a_stop_that_was_survived_is_not_revived_by_a_clock_that_was_set_back() {
    let look = || sight(EffectiveCheck::None);
    let told = |age: Duration| {
        let kills = [(SIGTERM, (at(LIFE + 10), age))].into();
        move |told: Told| told.remembered(Trace { kills, ..Trace::default() }, false)
    };
    let young = || told(STOP_BELIEF - secs(90));
    let survived =
        Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10).after(STOP_BELIEF).seen(2, look());
    assert_eq!(young()(survived).weights(), [5]);
    // Nor is one that was too old when it was first heard of.
    for first in [Told::live(EffectiveCheck::None), Told::new()] {
        let survived = told(STOP_BELIEF)(first).seen(2, look());
        assert_eq!(young()(survived).weights(), [5]);
    }
    let another =
        Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10).after(STOP_BELIEF).seen(2, look());
    assert_eq!(another.killed(SIGTERM, LIFE + 20).weights(), NOTHING);
}

#[test]
fn a_signal_is_recalled_over_a_restart_of_the_agent() {
    let wall = |secs: u64| std::time::UNIX_EPOCH + Duration::from_secs(secs);
    let signals = Signals { life: at(LIFE), kills: [(SIGTERM, at(LIFE + 10))].into() };
    let recalled = |age| {
        let (signals, wall) = (signals.clone(), wall(LIFE + 10 + age));
        Told::new().tell(Event::Recalled { signals, wall }).remembered(Trace::default(), false)
    };
    let look = |told: Told| told.seen(1, sight(EffectiveCheck::None)).weights();
    assert_eq!(recalled(600).machine.signals(), Some(signals.clone()));
    assert_eq!(look(recalled(600)), NOTHING);
    assert_eq!(look(recalled(3_600)), [5]);
    let over = Event::Recalled { signals: signals.clone(), wall: wall(LIFE + 10 + 3_600) };
    assert_eq!(Told::new().tell(over).machine.signals(), None, "it is not believed any more");
    assert_eq!(recalled(600).seen(1, newer()).weights(), [5], "a newer life");
    assert_eq!(look(recalled(600).remembered(Trace::default(), true)), [5], "Docker was restarted meanwhile");
    assert_eq!(recalled(600).tell(Event::Absent { as_of: Seq(0) }).machine.signals(), None);
}

#[test]
fn a_death_after_the_signal_ends_the_wait() {
    let told = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10).died(2, LIFE + 20);
    assert_eq!(told.machine.state(), &State::Idle);
}

#[test]
fn a_look_without_a_process_ends_the_wait_unless_it_is_older_than_the_signal() {
    let gone: [fn(Told, u64) -> Told; 2] = [
        |told, as_of| told.seen(as_of, shown(Running::Stopped)),
        |told, as_of| told.tell(Event::Absent { as_of: Seq(as_of) }),
    ];
    for gone in gone {
        let stopping = || Told::live(EffectiveCheck::None).died(4, LIFE - 5).killed(SIGTERM, LIFE + 10);
        assert!(matches!(gone(stopping(), 4).machine.state(), State::Stopping(_)));
        assert_eq!(gone(stopping(), 5).machine.state(), &State::Idle);
    }
}

#[test]
fn a_look_from_before_a_start_does_not_show_what_runs_now() {
    let stopping = || Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10);
    let turned = Trace { turned: true, ..Trace::default() };
    for told in [stopping().started(), stopping().remembered(turned, false)] {
        assert_eq!(told.seen(1, sight(EffectiveCheck::None)).weights(), NOTHING);
    }
}

// === Clocks ===

#[test]
fn a_live_signal_is_heeded_whatever_the_engine_s_clock_says() {
    for time in [1, LIFE, LIFE + 7_200] {
        let told = Told::live(EffectiveCheck::None).killed(SIGTERM, time);
        assert_eq!(told.weights(), NOTHING);
        let told = told.after(secs(600)).seen(1, sight(EffectiveCheck::None));
        assert_eq!(told.weights(), NOTHING, "sent at {time}");
    }
}

#[test]
fn a_signal_before_the_first_look_is_heeded_whatever_the_engine_s_clock_says() {
    let told = Told::new().killed(SIGTERM, 1).seen(1, sight(EffectiveCheck::None));
    assert_eq!((told.weights(), told.machine.leaves()), (vec![], true));
}

#[test]
fn the_end_of_an_earlier_life_does_not_bar_the_present_one_though_its_clock_says_so() {
    // By a clock that stepped back the earlier life's end is told as later than the start of this one.
    let told = Told::live(EffectiveCheck::None).died(2, LIFE + 7_200).started();
    assert_eq!(told.seen(3, sight(EffectiveCheck::None)).weights(), [5]);
    let stopping = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 7_200).died(2, LIFE + 7_201);
    let earlier = Sight { started_at: at(LIFE - 500), ..sight(EffectiveCheck::None) };
    assert_eq!(stopping.started().seen(3, earlier).weights(), [5], "a newer life by an older clock");
}

// === Doubt ===

fn doubted(check: EffectiveCheck) -> Told {
    let told = Told::live(check);
    let told = if told.machine.unproven() { told.probed(Verdict::Up) } else { told };
    assert_eq!(told.weights(), [5]);
    told.killed(SIGQUIT, LIFE + 10)
}

#[test]
fn a_signal_that_may_end_it_takes_the_weight_at_once() {
    assert_eq!(doubted(EffectiveCheck::Tcp).weights(), [0]);
    assert_eq!(doubted(EffectiveCheck::None).weights(), [0]);
    let ends: Vec<u8> = (0..=64).filter(|signal| may_end(*signal, SIGTERM)).collect();
    assert_eq!(ends, [3, 4, 5, 6, 7, 8, 11, 13, 14, 16, 24, 25, 26, 27, 29, 30, 31]);
    for signal in 0..=64 {
        let told = Told::live(EffectiveCheck::None).killed(signal, LIFE + 10);
        let weights = match signal {
            2 | 9 | 15 => vec![],
            _ if ends.contains(&signal) => vec![0],
            _ => vec![5],
        };
        assert_eq!(told.weights(), weights, "signal {signal}");
    }
}

#[test]
fn the_weight_is_back_when_the_check_has_passed_anew_ten_seconds_later() {
    let told = doubted(EffectiveCheck::Tcp).probed(Verdict::Up).after(secs(9)).probed(Verdict::Up);
    assert_eq!(told.weights(), [0]);
    let told = told.after(secs(1));
    let (life, targets) = told.machine.probing().unwrap();
    assert!(told.effects.contains(&Effect::Probe { life, targets }), "is asked anew: {:?}", told.effects);
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
    let told = doubted(EffectiveCheck::Tcp).after(secs(10)).probed(Verdict::Down).after(secs(600));
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn the_last_of_several_such_signals_counts_the_time() {
    let told = doubted(EffectiveCheck::Tcp).after(secs(10)).killed(6, LIFE + 20).probed(Verdict::Up);
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.after(secs(10)).probed(Verdict::Up).weights(), [5]);
}

#[test]
fn what_has_no_check_is_believed_to_go_on_after_a_minute() {
    let told = doubted(EffectiveCheck::None).after(secs(59)).seen(2, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), [0]);
    let told = told.after(secs(1));
    assert_eq!(told.weights(), [5]);
    let reason = |effect: &Effect| matches!(effect, Effect::Decided(it) if it.reason == Reason::GoesOn);
    assert!(told.effects.iter().any(reason), "{:?}", told.effects);
}

#[test]
fn a_healthcheck_is_believed_after_two_runs_that_passed_ten_seconds_later() {
    let run = |secs: u64, passed| Checked { began: at(LIFE + secs), passed };
    let log = |log: &[Checked]| Sight { log: log.to_vec(), ..healthy(container::Health::Healthy) };
    let told = Told::new().seen(1, log(&[run(1, true), run(6, true)])).killed(SIGQUIT, LIFE + 10);
    assert_eq!(told.weights(), [0]);
    let told = told.seen(2, log(&[run(6, true), run(11, true), run(16, true)]));
    assert_eq!(told.weights(), [0], "too early");
    let told = told.after(secs(10));
    assert!(told.effects.contains(&Effect::Inspect), "{:?}", told.effects);
    let told = told.seen(3, log(&[run(11, true), run(16, true)]));
    assert_eq!(told.weights(), [0], "these ran before");
    let told = told.after(secs(5)).seen(4, log(&[run(16, true), run(21, true)]));
    let told = told.after(secs(5)).seen(5, log(&[run(21, true), run(26, false)]));
    let told = told.after(secs(5)).seen(6, log(&[run(26, false), run(31, true)]));
    assert_eq!(told.weights(), [0], "not in a row");
    assert_eq!(told.after(secs(5)).seen(7, log(&[run(31, true), run(36, true)])).weights(), [5]);
}

#[test]
fn in_doubt_the_log_of_a_healthcheck_is_inspected_every_five_seconds_and_nothing_else_is() {
    let asks = |told: &Told| told.effects.contains(&Effect::Inspect);
    let mut told = Told::new().seen(1, healthy(container::Health::Healthy)).killed(SIGQUIT, LIFE + 10);
    for (wait, asked) in [(9, false), (1, true), (4, false), (1, true), (4, false), (1, true)] {
        told = told.after(secs(wait));
        assert_eq!(asks(&told), asked);
    }
    assert!(!asks(&doubted(EffectiveCheck::Tcp).after(secs(10))));
    assert!(!asks(&doubted(EffectiveCheck::None).after(secs(10))));
}

#[test]
fn a_doubt_registers_nothing_and_proves_nothing() {
    let told = Told::live(EffectiveCheck::Tcp).killed(SIGQUIT, LIFE + 10);
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.after(secs(10)).probed(Verdict::Up).weights(), [5]);
    let failing = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).probed(Verdict::Down);
    assert_eq!(failing.killed(SIGQUIT, LIFE + 10).after(secs(60)).weights(), [0]);
}

#[test]
fn a_doubt_ends_with_the_life_that_it_is_of() {
    let told = doubted(EffectiveCheck::None).died(2, LIFE + 11);
    assert_eq!((told.weights(), told.machine.state()), (vec![], &State::Idle));
    assert_eq!(told.started().seen(3, newer()).weights(), [5]);
}

#[test]
fn a_signal_of_doubt_before_the_first_look_is_one_too() {
    let told = Told::new().killed(SIGQUIT, LIFE + 10).seen(1, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.after(secs(60)).weights(), [5]);
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
    assert!(
        told.effects.contains(&Effect::Held(Hold { until: told.now + restarts::HOLD, of: Loop::Own })),
        "{:?}",
        told.effects
    );
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
    let late = told.now + restarts::HOLD + restarts::WITHIN;
    assert!(!told.machine.forgettable(Seq(5), late), "an answer of before may be on its way");
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

#[test]
fn the_log_says_nothing_of_a_full_name_when_a_weight_changes_and_tells_kinds_of_one_name_apart() {
    let wanted = |answer, weight| {
        let mut offer = offer("calc", 80, EffectiveCheck::Tcp);
        offer.service.answer = answer;
        Wanted { offer, weight, serves: weight > 0, started_at: at(1) }
    };
    let all = |weight| [Answer::Weighted, Answer::Address, Answer::All].map(|answer| wanted(answer, weight));
    let said = |was: &[Wanted], wants: &[Wanted]| -> Vec<_> {
        let decisions = Decision::between(was, wants, Reason::Unhealthy);
        decisions.into_iter().map(|decision| decision.routing).collect()
    };
    let weightless = Some(Routing::Weighted(0));
    assert_eq!(said(&all(5), &all(0)), [weightless, weightless]);
    assert_eq!(said(&all(5), &all(5)[..1]), [None, None], "the address and the full name are gone");
    assert_eq!(said(&[], &all(0)[2..]), [Some(Routing::Multivalue)]);
}
