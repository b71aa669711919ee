//! Scenarios that showed a bug once, cut down to what it takes. Each stays well.

use super::many::quiet;
use super::mutant::Mutant;
use super::run::run;
use super::scenario::Scenario;

/// By what was wrong.
const FOUND: [(&str, &str); 0] = [];

/// Plays them all.
pub fn found() -> bool {
    quiet();
    let mut wrong = 0;
    for (name, text) in FOUND {
        let scenario: Scenario = serde_json::from_str(text).expect("a scenario, as it was kept");
        if let Some(violation) = run(&scenario, Mutant::None).violation {
            wrong += 1;
            println!("wrong again: {name}: {violation}");
        }
    }
    println!("{} scenarios that showed a bug once: {wrong} do again", FOUND.len());
    wrong == 0
}
