//! How much one batch may hold: values and their characters, those of an UPSERT twice.

use ecssd::record::{RecordSet, RecordType};
use ecssd::zone::refusal::Cause;

use crate::case::{Case, a, accepted, case, create, delete, rejected, simple, upsert};

pub fn cases() -> Vec<Case> {
    elements().into_iter().chain(characters()).collect()
}

fn hosts(count: usize) -> impl Iterator<Item = RecordSet> {
    (0..count).map(|n| a(&format!("h{n:04}"), "10.0.0.1"))
}

fn elements() -> Vec<Case> {
    let over = || rejected(Cause::Other, "Number of records limit of 1000 exceeded");
    vec![
        case("elements-999").change(hosts(999).map(create), accepted()).leaves(hosts(999)),
        case("elements-1000").change(hosts(1_000).map(create), accepted()).leaves(hosts(1_000)),
        case("elements-1000-by-upsert").change(hosts(500).map(upsert), accepted()).leaves(hosts(500)),
        case("elements-1000-by-both")
            .change(hosts(400).map(create).chain(hosts(700).skip(400).map(upsert)), accepted())
            .leaves(hosts(700)),
        case("elements-1000-by-delete").given(hosts(1_000)).change(hosts(1_000).map(delete), accepted()),
        case("elements-1001").change(hosts(1_001).map(create), over()).change(hosts(501).map(upsert), over()),
    ]
}

/// A set whose values have so many characters, in strings that a TXT value may have.
fn text(characters: usize) -> RecordSet {
    /// Of a string with its marks; and the least, for the marks and a number that tells it from others.
    const MOST: usize = 252;
    const LEAST: usize = 6;
    let mut lengths = vec![MOST; characters / MOST];
    match characters % MOST {
        0 => {}
        rest if rest < LEAST => {
            lengths[0] -= LEAST;
            lengths.push(rest + LEAST);
        }
        rest => lengths.push(rest),
    }
    let string =
        |(number, length): (usize, &usize)| format!("\"{:x<1$}\"", format!("{number:04}"), length - 2);
    let values = lengths.iter().enumerate().map(string).collect();
    RecordSet { values, ..simple("text.@", RecordType::Txt, &[]) }
}

fn characters() -> Vec<Case> {
    let over = || rejected(Cause::Other, "RDATA character limit of 32000 exceeded");
    vec![
        case("characters-31999").change([create(text(31_999))], accepted()).leaves([text(31_999)]),
        case("characters-32000").change([create(text(32_000))], accepted()).leaves([text(32_000)]),
        case("characters-32000-by-upsert").change([upsert(text(16_000))], accepted()).leaves([text(16_000)]),
        case("characters-32001")
            .change([create(text(32_001))], over())
            .change([upsert(text(16_001))], over()),
    ]
}

#[test]
fn a_text_is_as_long_as_asked() {
    for characters in [252, 253, 16_000, 16_001, 31_999, 32_000, 32_001] {
        assert_eq!(text(characters).values.iter().map(String::len).sum::<usize>(), characters);
    }
}
