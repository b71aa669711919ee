//! What begins and ends as fast as an engine can start it, one container again and again or each time another; beside
//! one that is well, and those that many scale out and deploy.

use std::time::{Duration, Instant};

use ecssd_testing::spec;

use crate::host::{Host, id};

/// Lives a second, and lives. In a storm an agent looks at a container once a second at most, and holds it after five
/// lives that it saw: eight seconds have room for those even where the machine is busy.
const PER_SECOND: u32 = 25;
const LIVES: u32 = 200;

const LOOPING: u16 = 1;
const WELL: u16 = 2;

#[test]
fn a_container_of_many_short_lives_is_kept_out_and_its_neighbour_stays() {
    let mut host = Host::start();
    host.run_unchecked(WELL, "_well._tcp");
    host.registered("_well._tcp");
    let began = Instant::now();
    for life in 0..LIVES {
        let id = host.run_unchecked(LOOPING, "_looping._tcp");
        let half = Duration::from_secs(1) / PER_SECOND / 2;
        std::thread::sleep((half * (2 * life + 1)).saturating_sub(began.elapsed()));
        host.engine.die(&id);
        assert!(host.has("_well._tcp"), "its neighbour left");
        std::thread::sleep((half * (2 * life + 2)).saturating_sub(began.elapsed()));
    }
    // This life goes on, and so would its record: only the hold keeps it out.
    host.run_unchecked(LOOPING, "_looping._tcp");
    host.wait_for("the hold", |host| host.agent.log().contains("restarts too often"));
    host.gone("_looping._tcp");
    // What comes later is served: all that the loop has caused has been taken in.
    host.run_unchecked(WELL + 1, "_later._tcp");
    host.registered("_later._tcp");
    assert!(!host.has("_looping._tcp"), "registered in spite of the hold");
    let changes = host.agent.changes("_looping._tcp");
    println!("{LIVES} lives in {:.1} s: {changes} changes", began.elapsed().as_secs_f64());
    // A record made and taken back, at each of the four starts before it is held.
    spec::judge("crash-loop-changes", changes as f64, "changes");
    assert_eq!(host.agent.changes("_well._tcp"), 1, "it was registered, and then left alone");
    assert_eq!(host.agent.drain(), Some(0));
}

/// Copies that begin at once, and how many of them are replaced.
const COPIES: u16 = 20;
const REPLACED: u16 = 10;
const FIRST_COPY: u16 = 1_000;
const FIRST_OF_LOOP: u16 = 2_000;

#[test]
fn a_loop_of_new_containers_is_kept_out_and_copies_that_begin_at_once_are_not() {
    let mut host = Host::start();
    for number in FIRST_COPY..FIRST_COPY + COPIES {
        host.run_unchecked(number, "_copies._tcp");
    }
    host.wait_for("all copies", |host| host.agent.changes("_copies._tcp") == usize::from(COPIES));
    let began = Instant::now();
    for life in 0..u16::try_from(LIVES).unwrap() {
        let looping = host.run_unchecked(FIRST_OF_LOOP + life, "_looping._tcp");
        if life < REPLACED {
            host.run_unchecked(FIRST_COPY + COPIES + life, "_copies._tcp");
            host.engine.stop(&id(FIRST_COPY + life));
        }
        let half = Duration::from_secs(1) / PER_SECOND / 2;
        std::thread::sleep((half * (2 * u32::from(life) + 1)).saturating_sub(began.elapsed()));
        host.engine.die(&looping);
        host.engine.remove(&looping);
        std::thread::sleep((half * (2 * u32::from(life) + 2)).saturating_sub(began.elapsed()));
    }
    // This one goes on: only the hold keeps it out.
    host.run_unchecked(FIRST_OF_LOOP - 1, "_looping._tcp");
    host.wait_for("the hold", |host| host.agent.log().contains("others of its kind end too often"));
    host.gone("_looping._tcp");
    host.run_unchecked(WELL, "_later._tcp");
    host.registered("_later._tcp");
    assert!(!host.has("_looping._tcp"), "registered in spite of the hold");
    let creates = host.agent.changes("_looping._tcp").div_ceil(2);
    println!("{LIVES} new containers in {:.1} s: {creates} creates", began.elapsed().as_secs_f64());
    // Each of five that are counted, and one that was under way.
    spec::judge("crash-loop-creates", creates as f64, "creates");
    let copies = usize::from(COPIES + 2 * REPLACED);
    host.wait_for("the deploy", |host| host.agent.changes("_copies._tcp") == copies);
    let held = host.agent.log_lines().into_iter().filter(|line| line.to_string().contains("crash_loop"));
    assert!(held.clone().count() > 0);
    for line in held {
        assert_eq!(line["family"], "image _looping._tcp", "{line}");
    }
    assert_eq!(host.agent.drain(), Some(0));
}
