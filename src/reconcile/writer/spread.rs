//! How long something took, over all the times that it happened: what a histogram is made of.

use std::time::Duration;

/// The upper ends of the ranges that are told apart, in milliseconds: from a zone in this process to one that throttles
/// a fleet.
pub(super) const BOUNDS: [u64; 11] = [5, 25, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000];

/// How often something took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How often it took at most as long as each of the bounds, and longer than the one before.
    counts: [u64; BOUNDS.len()],
    /// How often it happened.
    pub count: u64,
    /// How long all of it took.
    pub sum: Duration,
}

impl Spread {
    /// It took so long once more.
    pub fn add(&mut self, took: Duration) {
        let millis = took.as_millis();
        if let Some(place) = BOUNDS.iter().position(|bound| millis <= u128::from(*bound)) {
            self.counts[place] += 1;
        }
        self.count += 1;
        self.sum += took;
    }

    /// How often it took at most so long, for each of the bounds.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        BOUNDS.into_iter().map(Duration::from_millis).zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_to_each_bound() {
        let mut spread = Spread::default();
        for millis in [0, 5, 6, 700, 400_000] {
            spread.add(Duration::from_millis(millis));
        }
        let counts: Vec<_> = spread.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4]);
        assert_eq!((spread.count, spread.sum), (5, Duration::from_millis(400_711)));
    }
}
