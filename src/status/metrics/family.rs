//! Families of metrics, and their text: written by the library, so that whatever stands in a label is escaped.

use std::time::Duration;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

use crate::reconcile::writer::{Sizes, Spread};

/// The families of one answer.
#[derive(Default)]
pub(super) struct Families(Vec<MetricFamily>);

impl Families {
    /// Values that go up and down, each with a label; one without a name has none.
    pub(super) fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (&'a str, &'a str, f64)>,
    ) {
        let metric = |(label, of, value)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = labelled(&[(label, of)]);
            metric.set_gauge(gauge);
            metric
        };
        self.push(name, help, MetricType::GAUGE, values.into_iter().map(metric).collect());
    }

    /// Values that only grow, each with a label; one without a name has none.
    pub(super) fn counter<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (&'a str, &'a str, u64)>,
    ) {
        let values = values.into_iter().map(|(label, of, value)| ([(label, of)], value));
        self.push(
            name,
            help,
            MetricType::COUNTER,
            values.map(|(labels, value)| counted(&labels, value)).collect(),
        );
    }

    /// Values that only grow, each with two labels.
    pub(super) fn counter_of_two<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([(&'a str, &'a str); 2], u64)>,
    ) {
        let values = values.into_iter().map(|(labels, value)| counted(&labels, value));
        self.push(name, help, MetricType::COUNTER, values.collect());
    }

    /// How long something took, or how much it was, each with a label; one without a name has none.
    pub(super) fn histogram<'a, T>(
        &mut self,
        name: &str,
        help: &str,
        counted: impl IntoIterator<Item = (&'a str, &'a str, T)>,
    ) where
        Histogram: From<T>,
    {
        let metric = |(label, of, counted): (&str, &str, T)| {
            let mut metric = labelled(&[(label, of)]);
            metric.set_histogram(counted.into());
            metric
        };
        self.push(name, help, MetricType::HISTOGRAM, counted.into_iter().map(metric).collect());
    }

    /// All of them.
    pub(super) fn text(&self) -> String {
        let mut text = Vec::new();
        // What cannot be written, as a name that is none, is a defect that the tests of this room find.
        let written = TextEncoder::new().encode(&self.0, &mut text);
        debug_assert!(written.is_ok(), "{written:?}");
        String::from_utf8(text).unwrap_or_default()
    }

    /// A family of which nothing is known yet is left out.
    fn push(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }
}

fn counted(labels: &[(&str, &str)], value: u64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value as f64);
    let mut metric = labelled(labels);
    metric.set_counter(counter);
    metric
}

fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    let named = labels.iter().filter(|(name, _)| !name.is_empty());
    Metric::from_label(named.map(pair).collect())
}

impl From<&Spread> for Histogram {
    fn from(spread: &Spread) -> Self {
        let seconds = |(bound, count): (Duration, u64)| (bound.as_secs_f64(), count);
        histogram(spread.count, spread.sum.as_secs_f64(), spread.cumulative().map(seconds))
    }
}

impl From<&Sizes> for Histogram {
    fn from(sizes: &Sizes) -> Self {
        histogram(
            sizes.count,
            sizes.sum as f64,
            sizes.cumulative().map(|(bound, count)| (bound as f64, count)),
        )
    }
}

fn histogram(count: u64, sum: f64, buckets: impl Iterator<Item = (f64, u64)>) -> Histogram {
    let bucket = |(bound, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    };
    let mut histogram = Histogram::default();
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    histogram.set_bucket(buckets.map(bucket).collect());
    histogram
}
