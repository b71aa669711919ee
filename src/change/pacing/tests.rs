//! When calls go, and how long they wait.

use std::time::Duration;

use super::*;

const QUIET: Moment = Moment::after(Duration::from_secs(1_000));

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn the_first_call_after_quiet_goes_at_once() {
    let pacer = Pacer::new(Pace::ROUTE53);
    assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Write), QUIET);
}

#[test]
fn later_changes_gather_and_deletes_do_for_less_long() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    pacer.on_call(QUIET, 1);
    let answered = QUIET + ms(80);
    pacer.on_answer(answered, Ok(()), 0.5);
    assert_eq!(pacer.ready_at(answered, 1, Purpose::Write), answered + ms(500));
    assert_eq!(pacer.ready_at(answered, 1, Purpose::Withdraw), QUIET + ms(100));
    assert_eq!(pacer.ready_at(answered, 0, Purpose::Read), answered);
    assert_eq!(pacer.ready_at(QUIET + ms(700), 1, Purpose::Write), QUIET + ms(700));
}

#[test]
fn deletes_do_not_gather_after_a_slow_call_nor_after_one_that_only_read() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    pacer.on_call(QUIET, 1);
    pacer.on_answer(QUIET + ms(300), Ok(()), 0.5);
    assert_eq!(pacer.ready_at(QUIET + ms(300), 1, Purpose::Withdraw), QUIET + ms(300));
    pacer.on_call(QUIET + ms(300), 0);
    pacer.on_read(QUIET + ms(320), Ok(()), 0.5);
    assert_eq!(pacer.ready_at(QUIET + ms(320), 1, Purpose::Withdraw), QUIET + ms(320));
}

#[test]
fn calls_stay_within_rate_and_burst() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    let (mut now, mut calls) = (QUIET, Vec::new());
    while calls.len() < 200 {
        now = pacer.ready_at(now, 0, Purpose::Read);
        pacer.on_call(now, 0);
        pacer.on_read(now, Ok(()), 0.5);
        calls.push(now);
    }
    for window in 1..calls.len() {
        let elapsed = (calls[window] - calls[0]).as_secs_f64();
        assert!((window + 1) as f64 <= 40.0 + 8.0 * elapsed + 1e-3, "{window} calls in {elapsed} s");
    }
}

#[test]
fn a_pacer_that_goes_on_for_another_has_nothing_saved_up() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    pacer.hold_until(QUIET);
    assert_eq!(pacer.ready_at(QUIET - ms(500), 0, Purpose::Withdraw), QUIET);
    assert_eq!(pacer.ready_at(QUIET, 0, Purpose::Withdraw), QUIET + ms(125));
    assert_eq!(pacer.ready_at(QUIET + ms(200), 100, Purpose::Withdraw), QUIET + ms(1_000));
}

#[test]
fn a_batch_waits_for_its_change_cost() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    pacer.on_call(QUIET, 1_000);
    pacer.on_answer(QUIET, Ok(()), 0.5);
    assert_eq!(pacer.ready_at(QUIET, 1_000, Purpose::Withdraw), QUIET + Duration::from_secs(5));
}

#[test]
fn nothing_goes_inside_the_wait_after_a_throttle() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    let throttled = ZoneError::Throttled(String::new());
    for (k, ceiling) in [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000].into_iter().enumerate() {
        pacer.on_answer(QUIET, Err(&throttled), 1.0);
        assert_eq!(
            pacer.ready_at(QUIET, 1, Purpose::Withdraw),
            QUIET + ms(ceiling),
            "throttled {} times",
            k + 1
        );
    }
    pacer.on_answer(QUIET, Ok(()), 1.0);
    assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Withdraw), QUIET);
}

#[test]
fn in_a_fleet_of_known_size_the_range_is_what_all_of_them_need() {
    let throttled = ZoneError::Throttled(String::new());
    let wait = |hosts, cost, elapsed| {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        pacer.set_hosts(Some(hosts));
        pacer.set_backlog(QUIET, cost);
        let now = QUIET + Duration::from_secs(elapsed);
        for _ in 0..9 {
            pacer.on_answer(now, Err(&throttled), 1.0);
        }
        (pacer.ready_at(now, 1, Purpose::Withdraw) - now).as_secs_f64()
    };
    // 300 turns of 0.2 s, which are lost where nobody takes them: a third of what is left.
    assert_eq!(wait(300, 1, 0), 20.0);
    assert_eq!(wait(300, 1, 30), 10.0);
    // 5,000 changes at 100/s, but for 1,500 at once, count more than the turns, and none is lost.
    assert_eq!(wait(100, 50, 0), 35.0);
    // All should have been through.
    assert_eq!(wait(300, 1, 300), 15.0);
    assert_eq!(wait(3, 1, 1), 2.0);
    assert_eq!(wait(10_000, 100, 0), 90.0);
}

#[test]
fn the_range_in_a_fleet_follows_what_waits_now_since_something_has_waited() {
    let throttled = ZoneError::Throttled(String::new());
    let wait = |backlogs: &[(u64, usize)], at| {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        pacer.set_hosts(Some(100));
        for &(at, cost) in backlogs {
            pacer.set_backlog(QUIET + Duration::from_secs(at), cost);
        }
        let now = QUIET + Duration::from_secs(at);
        for _ in 0..9 {
            pacer.on_answer(now, Err(&throttled), 1.0);
        }
        (pacer.ready_at(now, 1, Purpose::Withdraw) - now).as_secs_f64()
    };
    assert_eq!(wait(&[(0, 1), (10, 50)], 20), 15.0);
    assert_eq!(wait(&[(0, 50), (5, 0), (10, 50)], 16), 29.0);
    // Where nothing waits, nobody knows what the others need.
    assert_eq!(wait(&[(0, 50), (5, 0)], 20), 20.0);
}

#[test]
fn the_range_in_a_fleet_follows_how_long_a_success_takes() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    assert_eq!(pacer.hosts(), None);
    pacer.set_hosts(Some(40));
    assert_eq!(pacer.hosts(), Some(40));
    pacer.on_call(QUIET, 1);
    pacer.on_answer(QUIET + Duration::from_secs(1), Ok(()), 0.5);
    let now = QUIET + Duration::from_secs(9);
    pacer.set_backlog(now, 1);
    for _ in 0..9 {
        pacer.on_answer(now, Err(&ZoneError::Throttled(String::new())), 1.0);
    }
    assert_eq!((pacer.ready_at(now, 1, Purpose::Withdraw) - now).as_millis(), 13_333);
}

#[test]
fn one_throttle_may_be_chance_in_a_fleet_too() {
    let throttled = ZoneError::Throttled(String::new());
    let mut pacer = Pacer::new(Pace::ROUTE53);
    pacer.set_hosts(Some(300));
    pacer.set_backlog(QUIET, 1);
    // Where a success takes no time, the others need it for their requests alone.
    for second in [20_000, 10_833] {
        pacer.on_answer(QUIET, Err(&throttled), 1.0);
        assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Withdraw), QUIET + ms(1_000));
        pacer.on_answer(QUIET, Err(&throttled), 1.0);
        let wait = pacer.ready_at(QUIET, 1, Purpose::Withdraw) - QUIET;
        assert_eq!(wait.as_millis(), second);
        pacer.on_call(QUIET, 1);
        pacer.on_answer(QUIET, Ok(()), 1.0);
    }
}

#[test]
fn a_drain_of_a_whole_fleet_takes_turns_too_and_keeps_a_last_try() {
    let throttled = ZoneError::Throttled(String::new());
    let mut pacer = Pacer::new(Pace::ROUTE53);
    pacer.set_hosts(Some(300));
    pacer.set_backlog(QUIET, 31);
    pacer.drain(QUIET, QUIET + Duration::from_secs(100));
    for (after, longest) in [(0, 66), (60, 18), (99, 1)] {
        let now = QUIET + Duration::from_secs(after);
        for _ in 0..2 {
            pacer.on_answer(now, Err(&throttled), 1.0);
        }
        assert_eq!((pacer.ready_at(now, 1, Purpose::Withdraw) - now).as_secs(), longest, "{after}");
    }
}

#[test]
fn a_drain_waits_less_and_keeps_a_last_try_before_its_deadline() {
    let throttled = ZoneError::Throttled(String::new());
    let mut pacer = Pacer::new(Pace::ROUTE53);
    for _ in 0..9 {
        pacer.on_answer(QUIET, Err(&throttled), 1.0);
    }
    let deadline = QUIET + Duration::from_secs(25);
    pacer.drain(QUIET, deadline);
    assert_eq!(
        pacer.ready_at(QUIET, 1, Purpose::Withdraw),
        QUIET + Duration::from_secs(5),
        "cut short, not dropped"
    );
    let mut now = QUIET;
    let mut tries = 0;
    loop {
        let next = pacer.ready_at(now, 1, Purpose::Withdraw);
        assert!(next < deadline && next - now <= Duration::from_secs(5));
        if deadline - next < ms(100) {
            break;
        }
        now = next;
        tries += 1;
        pacer.on_answer(now, Err(&throttled), 1.0);
    }
    assert!(tries >= 8, "{tries}");
}

#[test]
fn a_registry_that_does_not_know_us_is_asked_again_within_1_to_30_s() {
    for error in [ZoneError::Unauthenticated("".into()), ZoneError::NoSuchZone(String::new())] {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        for ceiling in [1, 2, 4, 8, 16, 30, 30] {
            pacer.on_answer(QUIET, Err(&error), 1.0);
            assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Withdraw), QUIET + Duration::from_secs(ceiling));
        }
        pacer.on_read(QUIET, Err(&error), 0.0);
        assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Withdraw), QUIET + Duration::from_secs(1));
    }
}

#[test]
fn the_limits_from_before_count_no_changes() {
    let mut pacer = Pacer::new(Pace::LEGACY);
    for _ in 0..5 {
        assert_eq!(pacer.ready_at(QUIET, 1_000, Purpose::Withdraw), QUIET);
        pacer.on_call(QUIET, 1_000);
    }
    assert_eq!(pacer.ready_at(QUIET, 1_000, Purpose::Withdraw), QUIET + ms(250));
}

#[test]
fn a_change_in_flight_is_waited_out_shortly() {
    let mut pacer = Pacer::new(Pace::ROUTE53);
    let busy = ZoneError::Busy(String::new());
    for ceiling in [600, 1_200, 2_400, 4_000, 4_000] {
        pacer.on_answer(QUIET, Err(&busy), 1.0);
        assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Withdraw), QUIET + ms(ceiling));
    }
    pacer.on_answer(QUIET, Err(&busy), 0.0);
    assert_eq!(pacer.ready_at(QUIET, 1, Purpose::Withdraw), QUIET + ms(20));
}
