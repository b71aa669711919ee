//! What was measured, beside what is aimed at and what the predecessor measured.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use ecssd_testing::percentile::{ms, percentile};
use ecssd_testing::process::Idle;

const NOTE: &str = "\
The predecessor's times were taken once on another machine, from Docker's event to the reply of an emulated
Route 53, and for the withdrawal from `die`, which comes after `kill`.
";

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    None,
    /// Nearly all times at most this.
    P99(Duration),
    /// At most so many MB.
    Megabytes(f64),
    /// At most so many MB, and rather so many.
    Stretch(f64, f64),
    /// At most so much of a core.
    Percent(f64),
}

/// The figures so far.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<[String; 5]>,
    missed: usize,
}

impl Table {
    /// How many aims were missed so far.
    pub fn missed(&self) -> usize {
        self.missed
    }

    /// Times of many containers.
    pub fn times(&mut self, what: &str, times: &[Duration], aim: Aim, predecessor: &str) {
        let of = |percent| ms(percentile(times, percent));
        let figure =
            format!("p50 {:>6}  p99 {:>6}  max {:>6} ms  n {}", of(50), of(99), of(100), times.len());
        let held = |aim: Duration| percentile(times, 99) <= aim;
        self.row(what, figure, aim, |aim| matches!(aim, Aim::P99(most) if held(most)), predecessor);
    }

    /// One time, without an aim.
    pub fn time(&mut self, what: &str, time: Duration) {
        self.row(what, format!("{} ms", ms(time)), Aim::None, |_| false, "");
    }

    /// Memory in kB, with how much of it is anonymous.
    pub fn memory(&mut self, what: &str, rss: u64, anonymous: Option<u64>, aim: Aim, predecessor: &str) {
        let mb = |kb: u64| kb as f64 / 1_000.0;
        let of_it = anonymous.map(|kb| format!(", {:.1} of it anonymous", mb(kb))).unwrap_or_default();
        let figure = format!("{:.1} MB{of_it}", mb(rss));
        self.row(
            what,
            figure,
            aim,
            |aim| matches!(aim, Aim::Stretch(most, _) | Aim::Megabytes(most) if mb(rss) <= most),
            predecessor,
        );
    }

    /// What an idle agent uses of a core.
    pub fn share(&mut self, what: &str, idle: &Idle, aim: Aim) {
        let (cpu, wakeups) = (idle.cpu_percent, idle.wakeups_per_second);
        let figure = format!("{cpu:.2} %, {wakeups:.1} wake-ups/s");
        self.row(what, figure, aim, |aim| matches!(aim, Aim::Percent(most) if cpu <= most), "");
    }

    /// A program's size on disk.
    pub fn size(&mut self, what: &str, program: &Path, aim: Aim) {
        let bytes = std::fs::metadata(program).map_or(0, |file| file.len());
        let mb = bytes as f64 / 1e6;
        self.row(
            what,
            format!("{mb:.1} MB"),
            aim,
            |aim| matches!(aim, Aim::Megabytes(most) if mb <= most),
            "",
        );
    }

    fn row(&mut self, what: &str, figure: String, aim: Aim, met: impl Fn(Aim) -> bool, predecessor: &str) {
        let said = match aim {
            Aim::None => String::new(),
            Aim::P99(most) => format!("p99 ≤ {} ms", most.as_millis()),
            Aim::Megabytes(most) => format!("≤ {most} MB"),
            Aim::Stretch(most, rather) => format!("≤ {most} MB, rather {rather}"),
            Aim::Percent(most) => format!("≤ {most} %"),
        };
        let verdict = match aim {
            Aim::None => "",
            _ if met(aim) => "met",
            _ => {
                self.missed += 1;
                "MISSED"
            }
        };
        self.rows.push([what.to_owned(), figure, said, verdict.to_owned(), predecessor.to_owned()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["", "measured", "aim", "", "predecessor"].map(str::to_owned);
        let rows = || std::iter::once(&head).chain(&self.rows);
        let width = |column: usize| rows().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 5] = std::array::from_fn(width);
        for row in rows() {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        write!(f, "\n{NOTE}")
    }
}
