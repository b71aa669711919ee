//! One container that begins and ends as fast as an engine can start it, beside one that is well.

use std::time::{Duration, Instant};

use ecssd_testing::spec;

use crate::host::Host;

/// Lives a second, and lives.
const PER_SECOND: u32 = 50;
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
