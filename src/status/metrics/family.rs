//! Families of metrics, and their text: written by the library, so that whatever stands in a label is escaped.

use std::time::Duration;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

use crate::reconcile::writer::Spread;

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

    /// How long something took, each with a label; one without a name has none.
    pub(super) fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        spreads: impl IntoIterator<Item = (&'a str, &'a str, &'a Spread)>,
    ) {
        let metric = |(label, of, spread): (&str, &str, &Spread)| {
            let mut histogram = Histogram::default();
            histogram.set_sample_count(spread.count);
            histogram.set_sample_sum(spread.sum.as_secs_f64());
            histogram.set_bucket(spread.cumulative().map(bucket).collect());
            let mut metric = labelled(&[(label, of)]);
            metric.set_histogram(histogram);
            metric
        };
        self.push(name, help, MetricType::HISTOGRAM, spreads.into_iter().map(metric).collect());
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

fn bucket((bound, count): (Duration, u64)) -> Bucket {
    let mut bucket = Bucket::default();
    bucket.set_upper_bound(bound.as_secs_f64());
    bucket.set_cumulative_count(count);
    bucket
}
