//! The doctor's lines, for people.

use std::fmt::Write as _;

use super::finding::{Level, Report};
use crate::printable::counted;

/// How wide a subject is.
const SUBJECT_WIDTH: usize = 16;

/// All lines, each remedy below its own, and how many are how bad.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let (level, subject, line) = (finding.level, finding.subject, &finding.line);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{level:<8} {subject:<SUBJECT_WIDTH$} {line}");
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(text, "{:<8} {:<SUBJECT_WIDTH$} → {remedy}", "", "");
        }
    }
    let [broken, warnings, fine] =
        [Level::Broken, Level::Warning, Level::Fine].map(|level| report.count(level));
    let _ = writeln!(text, "{broken} broken, {}, {fine} fine", counted(warnings, "warning"));
    text
}
