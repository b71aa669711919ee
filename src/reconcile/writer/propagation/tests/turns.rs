//! Which change is asked after, when, and for how long.

use super::*;

#[test]
fn only_the_change_of_the_container_that_ended_is_asked_after() {
    let mut propagation = leaving();
    propagation.want(&id(2), &[set(2)], &[], at(2));
    propagation.on_changed(&deletes([2]), &pending("C2"), at(3));
    propagation.end(&id(2), "web".into(), at(10));
    assert_eq!(propagation.next(), Some((Some("C2"), at(10))));
    assert_eq!(ask(&mut propagation, at(10), &in_sync("C2")), (vec![], None));
    assert_eq!(propagation.next(), None, "the other still serves");
}

#[test]
fn a_question_from_before_the_end_does_not_put_off_the_one_that_tells() {
    let mut propagation = leaving();
    propagation.sample("C1", vec![at(0)], at(1), || 0.0);
    assert_eq!(ask(&mut propagation, at(41), &pending("C1")), (vec![], None));
    assert_eq!(propagation.next(), Some((Some("C1"), at(51))), "a quarter of its age");
    propagation.end(&id(1), "web".into(), at(47));
    assert_eq!(propagation.next(), Some((Some("C1"), at(47))));
}

#[test]
fn a_change_is_on_its_way_for_less_than_five_minutes() {
    for (ended, asked) in [(300, Some((Some("C1"), at(300)))), (301, None)] {
        let mut propagation = leaving();
        propagation.end(&id(1), "web".into(), at(ended));
        assert_eq!(propagation.next(), asked);
    }
}

#[test]
fn what_is_followed_for_a_stop_keeps_no_other_from_being_sampled() {
    let mut propagation = leaving();
    propagation.sample("C2", vec![at(1)], at(2), || 0.0);
    assert_eq!(propagation.next(), Some((Some("C2"), at(7))));
}

#[test]
fn a_sample_that_stays_on_its_way_is_given_up() {
    let mut propagation = Propagation::default();
    propagation.sample("C1", vec![at(0)], at(2), || 0.0);
    let mut asks = 0;
    while let Some((_, due)) = propagation.next() {
        assert_eq!(ask(&mut propagation, due, &pending("C1")), (vec![], None));
        asks += 1;
        assert!(asks <= ASKS_MAX, "asked for ever");
    }
    assert!(asks > 10, "{asks}");
    assert_eq!(propagation.in_sync_after().count, 0);
}

#[test]
fn a_throttled_question_leaves_the_account_s_rate_to_those_who_write_for_half_a_minute() {
    let mut propagation = leaving();
    propagation.end(&id(1), "web".into(), at(10));
    let throttled = Err(ZoneError::Throttled("Rate exceeded".into()));
    assert_eq!(ask(&mut propagation, at(10), &throttled), (vec![], None));
    assert_eq!(propagation.next(), Some((Some("C1"), at(40))));
}

#[test]
fn an_answer_that_comes_long_after_the_end_tells_nothing_of_it() {
    for (sent, came_of_it) in [
        (20, Stopped { spread: 1, ..Stopped::default() }),
        (21, Stopped { unknown: 1, ..Stopped::default() }),
    ] {
        let mut propagation = leaving();
        propagation.end(&id(1), "web".into(), at(10));
        assert_eq!(ask(&mut propagation, at(sent), &in_sync("C1")), (vec![], None));
        assert_eq!(told(&propagation), came_of_it, "sent at {sent}");
    }
    // The delete itself was late, and everywhere at once.
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[set(1)], &[], at(0));
    propagation.end(&id(1), "web".into(), at(1));
    propagation.on_changed(&deletes([1]), &in_sync("C1"), at(30));
    assert_eq!(told(&propagation).unknown, 1);
}

#[test]
fn whether_one_ended_too_early_is_asked_before_by_how_much_another_did() {
    let mut propagation = leaving();
    propagation.want(&id(2), &[set(2)], &[], at(2));
    propagation.on_changed(&deletes([2]), &pending("C2"), at(3));
    propagation.end(&id(1), "web".into(), at(10));
    assert_eq!(ask(&mut propagation, at(10), &pending("C1")), (vec![], None));
    propagation.end(&id(2), "web".into(), at(16));
    // C1 has been due since 15 s.
    assert_eq!(propagation.next(), Some((Some("C2"), at(16))));
    assert_eq!(ask(&mut propagation, at(18), &pending("C2")), (vec![], None));
    assert_eq!(propagation.next(), Some((Some("C1"), at(23))));
}
