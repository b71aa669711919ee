//! What was found, as text, as JSON and as a page.

use std::path::Path;

use ecssd_testing::page::Page;
use ecssd_testing::plot::{Axis, Plot};
use serde_json::{Value, json};

use super::judge::{Judged, Row};

const HEAD: [&str; 11] = [
    "fleet",
    "scenario",
    "strategy",
    "T* s",
    "time s",
    "worst",
    "over T*",
    "lost",
    "calls/host",
    "most",
    "innocent",
];

fn cells(row: &Row) -> [String; 11] {
    let time = row.mean(|outcome| outcome.seconds);
    let share = row.least(|outcome| outcome.elsewhere.share().min(outcome.ecs_client.share()));
    [
        row.fleet.to_string(),
        row.scenario.name().to_owned(),
        row.kind.name().to_owned(),
        format!("{:.0}", row.ideal),
        format!("{time:.1}"),
        format!("{:.1}", row.most(|outcome| outcome.seconds)),
        format!("{:.2}", time / row.ideal),
        format!("{:.0}", row.most(|outcome| outcome.lost as f64)),
        format!("{:.1}", row.mean(|outcome| row.calls(outcome))),
        format!("{:.0}", row.most(|outcome| outcome.calls.most() as f64)),
        format!("{:.0} %", share * 100.0),
    ]
}

fn verdict(judged: &Judged) -> [String; 5] {
    [
        format!("{} {}", judged.fleet, judged.scenario.name()),
        judged.what.clone(),
        format!("{:.2}", judged.is),
        format!("{:.2}", judged.bound),
        if judged.is_kept { "kept" } else { "BROKEN" }.to_owned(),
    ]
}

/// The head of the table.
pub fn head() -> String {
    line(&HEAD.map(str::to_owned))
}

/// A row of it.
pub fn row(row: &Row) -> String {
    line(&cells(row))
}

/// A judged figure.
pub fn judged(judged: &Judged) -> String {
    let [of, what, is, bound, verdict] = verdict(judged);
    format!("{verdict:7} {of:16} {what}: {is}, promised {bound}")
}

fn line(cells: &[String; 11]) -> String {
    cells.iter().map(|cell| format!("{cell:>11}")).collect::<Vec<_>>().join(" ")
}

/// All of it, for a machine.
pub fn json(rows: &[Row], judged: &[Judged]) -> Value {
    let outcome = |outcome: &super::outcome::Outcome| {
        json!({
            "seconds": outcome.seconds,
            "lost": outcome.lost,
            "calls": {
                "changes": outcome.calls.changes,
                "lists": outcome.calls.lists,
                "statuses": outcome.calls.statuses,
                "ecs": outcome.calls.ecs,
                "throttled": outcome.calls.throttled,
                "busy": outcome.calls.busy,
                "most_of_a_host": outcome.calls.most(),
            },
            "answered_elsewhere": outcome.elsewhere.share(),
            "answered_ecs_client": outcome.ecs_client.share(),
        })
    };
    let rows = rows.iter().map(|row| {
        json!({
            "fleet": row.fleet.to_string(),
            "scenario": row.scenario.name(),
            "strategy": row.kind.name(),
            "ideal_seconds": row.ideal,
            "seeds": row.outcomes.iter().map(outcome).collect::<Vec<_>>(),
        })
    });
    let judged = judged.iter().map(|judged| {
        json!({
            "fleet": judged.fleet.to_string(),
            "scenario": judged.scenario.name(),
            "what": judged.what,
            "is": judged.is,
            "promised": judged.bound,
            "kept": judged.is_kept,
        })
    });
    json!({ "rows": rows.collect::<Vec<_>>(), "judged": judged.collect::<Vec<_>>() })
}

/// All of it, for a reader.
pub fn page(rows: &[Row], judged: &[Judged], conditions: &str, to: &Path) {
    let mut page = Page::new("A fleet that shares one account");
    page.paragraph(conditions);
    page.heading("What came of it");
    let table: Vec<_> = rows.iter().map(cells).collect();
    page.table(&HEAD, table.iter().map(|cells| &cells[..]));
    page.heading("What is promised");
    let table: Vec<_> = judged.iter().map(verdict).collect();
    page.table(&["of", "what", "is", "promised", ""], table.iter().map(|cells| &cells[..]));
    page.heading("Time and calls");
    let (x, y) = (Axis::linear("seconds over T*"), Axis::logarithmic("calls a host"));
    let mut ahead = Plot::new("Each fleet and scenario; nearer to the corner is better", x, y);
    for kind in super::strategy::Kind::ALL {
        let of_kind = rows.iter().filter(|row| row.kind == kind);
        let point = |row: &Row| (row.mean(|o| o.seconds) / row.ideal, row.mean(|o| row.calls(o)));
        ahead = ahead.points(kind.name(), of_kind.map(point));
    }
    page.plot(&ahead);
    page.heading("Records that were not yet as they are to be");
    for ours in rows.iter().filter(|row| row.kind == super::strategy::Kind::Ours) {
        let title = format!("{} {}", ours.fleet, ours.scenario.name());
        let mut plot = Plot::new(&title, Axis::linear("seconds"), Axis::linear("records"));
        let same = |row: &&Row| (row.fleet, row.scenario) == (ours.fleet, ours.scenario);
        for row in rows.iter().filter(same) {
            let curve = row.outcomes.first().into_iter().flat_map(|outcome| &outcome.curve);
            plot = plot.line(row.kind.name(), curve.map(|&(at, missing)| (at, missing as f64)));
        }
        page.plot(&plot);
    }
    page.write(to);
}
