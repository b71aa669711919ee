//! What was measured, beside what is promised: for the terminal, for programs, and as a page with plots.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use ecssd_testing::page::Page;
use ecssd_testing::percentile::percentile;
use ecssd_testing::plot::Plot;
use ecssd_testing::process::Idle;
use ecssd_testing::spec;
use serde_json::{Value, json};

const HEAD: [&str; 4] = ["", "measured", "promised", ""];

/// One figure, or one thing measured many times.
#[derive(Debug)]
struct Row {
    what: String,
    /// The parts of it: `p50` and such, or one without a name.
    measured: Vec<(&'static str, f64)>,
    unit: &'static str,
    /// What SPEC.md says, and whether that is kept.
    promised: Option<(String, bool)>,
}

impl Row {
    fn cells(&self) -> [String; 4] {
        let part = |(name, value): &(&str, f64)| format!("{name} {}", digits(*value)).trim().to_owned();
        let measured: Vec<_> = self.measured.iter().map(part).collect();
        let (promised, kept) = match &self.promised {
            Some((promised, kept)) => (promised.clone(), if *kept { "kept" } else { "NOT KEPT" }),
            None => (String::new(), ""),
        };
        [self.what.clone(), format!("{} {}", measured.join("  "), self.unit), promised, kept.to_owned()]
    }

    fn json(&self) -> Value {
        let measured = self.measured.iter().map(|(name, value)| {
            (if name.is_empty() { "value" } else { name }.to_owned(), Value::from(*value))
        });
        let promised = self.promised.as_ref();
        json!({
            "what": self.what,
            "unit": self.unit,
            "measured": measured.collect::<serde_json::Map<_, _>>(),
            "promised": promised.map(|(figure, _)| figure),
            "kept": promised.map(|(_, kept)| kept),
        })
    }
}

/// The figures so far.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    plots: Vec<Plot>,
}

impl Table {
    /// Times of many containers.
    pub fn times(&mut self, what: &str, times: &[Duration]) {
        let parts = [("p50", 50), ("p95", 95), ("p99", 99), ("max", 100)];
        let mut measured: Vec<_> = parts.map(|(name, percent)| (name, ms(percentile(times, percent)))).into();
        measured.push(("n", times.len() as f64));
        self.rows.push(Row { what: what.to_owned(), measured, unit: "ms", promised: None });
    }

    /// One figure that nothing is promised of.
    pub fn number(&mut self, what: &str, value: f64, unit: &'static str) {
        self.rows.push(Row { what: what.to_owned(), measured: vec![("", value)], unit, promised: None });
    }

    /// One figure that a line of SPEC.md speaks of.
    pub fn judged(&mut self, line: &str, what: &str, value: f64, unit: &'static str) {
        self.number(what, value, unit);
        let figure = spec::promised(line, unit);
        self.rows.last_mut().unwrap().promised = Some((figure.to_string(), figure.is_kept_by(value)));
    }

    /// What an idle agent uses of a core, with how often it wakes.
    pub fn idle(&mut self, line: Option<&str>, what: &str, idle: &Idle) {
        let what = format!("CPU of a core, {what}");
        match line {
            Some(line) => self.judged(line, &what, idle.cpu_percent, "%"),
            None => self.number(&what, idle.cpu_percent, "%"),
        }
        self.rows.last_mut().unwrap().measured.push(("wake-ups/s", idle.wakeups_per_second));
    }

    pub fn plot(&mut self, plot: Plot) {
        self.plots.push(plot);
    }

    /// How many promises were not kept.
    pub fn broken(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.promised, Some((_, false)))).count()
    }

    /// `figures.json` and `figures.html`.
    pub fn write(&self, folder: &Path, surroundings: &str) {
        let mut page = Page::new("Figures of ecssd");
        page.paragraph(surroundings);
        let rows: Vec<_> = self.rows.iter().map(Row::cells).collect();
        page.table(&HEAD, rows.iter().map(<[String; 4]>::as_slice));
        self.plots.iter().for_each(|plot| page.plot(plot));
        page.write(&folder.join("figures.html"));
        let rows: Vec<_> = self.rows.iter().map(Row::json).collect();
        let all = json!({ "surroundings": surroundings, "figures": rows });
        std::fs::write(folder.join("figures.json"), format!("{all:#}\n")).unwrap();
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = || std::iter::once(HEAD.map(str::to_owned)).chain(self.rows.iter().map(Row::cells));
        let width = |column: usize| rows().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 4] = std::array::from_fn(width);
        for row in rows() {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// The share of times that are at most so long, as points of a plot in ms and percent.
pub fn shares(times: &[Duration]) -> Vec<(f64, f64)> {
    let mut sorted = times.to_vec();
    sorted.sort();
    let share = |index: usize| 100.0 * (index + 1) as f64 / sorted.len() as f64;
    sorted.iter().enumerate().map(|(index, time)| (ms(*time), share(index))).collect()
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
