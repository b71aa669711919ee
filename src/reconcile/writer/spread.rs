//! How long something took, and how much it was, over all the times that it happened: what histograms are made of.

use std::time::Duration;

/// The upper ends of the ranges that are told apart, in milliseconds: from a zone in this process to one that throttles
/// a fleet.
pub(super) const BOUNDS: [u64; 11] = [5, 25, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000];

/// The upper ends of the ranges that are told apart, in changes a batch: from one to as many as a call takes.
const SIZES: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

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
        BOUNDS.into_iter().map(Duration::from_millis).zip(sums(&self.counts))
    }
}

/// How often a batch had how many changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// How often it had at most as many as each of the bounds, and more than the one before.
    counts: [u64; SIZES.len()],
    /// How many batches there were.
    pub count: u64,
    /// How many changes there were in all of them.
    pub sum: u64,
}

impl Sizes {
    /// There was one of so many.
    pub fn add(&mut self, size: u64) {
        if let Some(place) = SIZES.iter().position(|bound| size <= *bound) {
            self.counts[place] += 1;
        }
        self.count += 1;
        self.sum += size;
    }

    /// How many had at most so many, for each of the bounds.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        SIZES.into_iter().zip(sums(&self.counts))
    }
}

fn sums(counts: &[u64]) -> impl Iterator<Item = u64> {
    counts.iter().scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    })
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

    #[test]
    fn counts_batches_up_to_each_size() {
        let mut sizes = Sizes::default();
        for size in [1, 1, 3, 1_000, 1_001] {
            sizes.add(size);
        }
        let counts: Vec<_> = sizes.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 2, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!((sizes.count, sizes.sum), (5, 2_006));
    }
}
