//! Which of a group's sets answers: one of the weighted, all of the multivalue ones, the whole of a simple one.
//!
//! Pure: randomness is an argument. Source: Route 53 developer guide, "Weighted routing", "Multivalue
//! answer routing", and "Simple routing" (all values, in random order).
//!
//! Route 53 answers with eight of the multivalue sets at the most. Nobody is served by that limit, so it is not kept
//! here.

use fastrand::Rng;

use crate::record::RecordSet;

/// Which of these weights `random` falls on, each with its share. Weight 0 is never chosen, unless all are
/// 0: then all are equal. `None` for no weights at all.
pub fn pick(weights: &[u32], random: u64) -> Option<usize> {
    let count = u64::try_from(weights.len()).ok().filter(|&count| count > 0)?;
    let total: u64 = weights.iter().copied().map(u64::from).sum();
    if total == 0 {
        return usize::try_from(random % count).ok();
    }
    // The bias of the remainder is below 2^-48: weights are 8 bits, a group has 100.
    let mut left = random % total;
    weights.iter().position(|&weight| match left.checked_sub(u64::from(weight)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    })
}

/// The values that the sets of one name and type give to one query, each with its TTL in seconds: the lowest of those
/// that answer together (RFC 2181, section 5.2).
pub(super) fn answers_of<'a>(sets: &[&'a RecordSet], random: &mut Rng) -> Vec<(i64, &'a str)> {
    let ttl = sets.iter().map(|set| set.ttl).min().unwrap_or(0);
    let values = |set: &'a RecordSet| set.values.iter().map(move |value| (ttl, value.as_str()));
    let weighted = sets.first().is_some_and(|set| set.weight().is_some());
    let mut answers: Vec<_> = if weighted {
        let weights: Vec<u32> = sets
            .iter()
            .map(|set| set.weight().and_then(|weight| weight.try_into().ok()).unwrap_or(0))
            .collect();
        let chosen = pick(&weights, random.u64(..)).and_then(|index| sets.get(index));
        chosen.into_iter().flat_map(|set| values(set)).collect()
    } else {
        sets.iter().flat_map(|set| values(set)).collect()
    };
    random.shuffle(&mut answers);
    answers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Rng, *};
    use crate::zone::embedded::testing::{a, multivalue, srv};

    #[test]
    fn gives_each_weight_exactly_its_share() {
        for weights in [vec![1], vec![1, 1, 1], vec![0, 3, 1, 0, 255], vec![2, 0]] {
            let total: u32 = weights.iter().sum();
            let mut shares = vec![0; weights.len()];
            for random in 0..u64::from(total) {
                shares[pick(&weights, random).unwrap()] += 1;
            }
            assert_eq!(shares, weights);
        }
    }

    #[test]
    fn serves_all_equally_when_all_weights_are_zero() {
        let chosen: Vec<_> = (0..6).filter_map(|random| pick(&[0, 0, 0], random)).collect();
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
        assert_eq!(pick(&[], 7), None);
    }

    #[test]
    fn one_weighted_set_answers_with_all_its_values() {
        let (mut one, two) = (srv("web", "a", 1), srv("web", "b", 0));
        one.values.push("1 1 81 i-a.sd.internal".to_owned());
        let mut random = Rng::with_seed(1);
        for _ in 0..50 {
            let mut answers = answers_of(&[&one, &two], &mut random);
            answers.sort_unstable();
            assert_eq!(answers, [(0, "1 1 80 i-a.sd.internal"), (0, "1 1 81 i-a.sd.internal")]);
        }
    }

    #[test]
    fn all_multivalue_sets_answer_in_any_order_with_one_ttl() {
        let sets: Vec<_> = (0..12)
            .map(|n| RecordSet { ttl: 60 - n, ..multivalue("web", &format!("m{n}"), &format!("10.0.0.{n}")) })
            .collect();
        let sets: Vec<_> = sets.iter().collect();
        let mut random = Rng::with_seed(1);
        let mut firsts = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let answers = answers_of(&sets, &mut random);
            assert!(answers.iter().all(|(ttl, _)| *ttl == 49));
            let values: std::collections::BTreeSet<_> = answers.iter().map(|(_, value)| *value).collect();
            assert_eq!((answers.len(), values.len()), (12, 12));
            firsts.insert(answers[0].1);
        }
        assert_eq!(firsts.len(), 12);
    }

    #[test]
    fn a_simple_set_answers_with_all_values_in_any_order() {
        let set = a("web", &["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        let mut random = Rng::with_seed(1);
        let firsts: std::collections::BTreeSet<_> = (0..50)
            .map(|_| answers_of(&[&set], &mut random))
            .map(|answers| (answers.len(), answers[0].1))
            .collect();
        assert_eq!(firsts.len(), 3);
        assert!(firsts.iter().all(|(len, _)| *len == 3));
    }

    proptest! {
        #[test]
        fn never_picks_a_zero_beside_a_weight(weights in prop::collection::vec(0..256_u32, 1..100), random: u64) {
            let index = pick(&weights, random).unwrap();
            prop_assert!(weights[index] > 0 || weights.iter().all(|&weight| weight == 0));
        }
    }
}
