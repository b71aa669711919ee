//! A plan for people: a table of record, verdict and reason. Pure.
//!
//! What goes and what waits is there line by line. Of what stays, only what somebody may want to look into;
//! the rest is summed up. Not the same words hundreds of times: a few records of each reason, and a number.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::forget::text::line_to_type;
use super::report::{Finding, Kept, Report, Verdict};
use super::summary::RunSummary;
use crate::printable::counted;
use crate::record::RecordSet;

/// Records of one verdict and reason that are shown.
const SHOWN_MAX: usize = 20;
/// The widest column of records; longer ones make their line longer.
const RECORD_MAX: usize = 88;

/// The plan, or what was done. `command` is the line that looks at this zone.
pub fn table(report: &Report, summary: &RunSummary, command: &str) -> String {
    let mut groups: BTreeMap<(u8, Verdict), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        let rank = match finding.verdict {
            Verdict::Delete(_) => 0,
            Verdict::Wait(..) => 1,
            Verdict::Keep(kept) if !is_ordinary(kept) => 2,
            Verdict::Keep(_) => 3,
        };
        groups.entry((rank, finding.verdict)).or_default().push(finding);
    }
    let mut text = rows(&groups);
    for ((_, verdict), findings) in groups.iter().filter(|((rank, _), _)| *rank == 3) {
        let (_, reason) = words(*verdict);
        line(&mut text, format_args!("{:>6} more stay: {reason}", findings.len()));
    }
    out_of_sight(&mut text, report, &summary.zone, command);
    more(&mut text, summary);
    text
}

/// Each host that only an operator can call dead, with the line that does so.
fn out_of_sight(text: &mut String, report: &Report, zone: &str, command: &str) {
    let hosts = report.out_of_sight(zone);
    if hosts.is_empty() {
        return;
    }
    let what = "out of sight, by host; where one is dead, its line says what it left (and deletes that with --apply):";
    line(text, format_args!("{what}"));
    for (host, records) in &hosts {
        let what = if *records == 1 { "record" } else { "records" };
        line(text, format_args!("{records:>6} {what}: {}", line_to_type(command, [host])));
    }
    if hosts.len() > 1 {
        line(text, format_args!("       all of them: {}", line_to_type(command, hosts.keys())));
    }
}

/// What runs as it should, is not ours, or was not looked at.
fn is_ordinary(kept: Kept) -> bool {
    matches!(kept, Kept::Unmarked | Kept::Runs | Kept::HostRuns | Kept::New | Kept::Unjudged)
}

fn rows(groups: &BTreeMap<(u8, Verdict), Vec<&Finding>>) -> String {
    let mut rows = vec![("RECORD".to_owned(), "VERDICT", "REASON".to_owned())];
    for ((_, verdict), findings) in groups.iter().filter(|((rank, _), _)| *rank < 3) {
        let (verdict, reason) = words(*verdict);
        let shown = findings.iter().take(SHOWN_MAX);
        rows.extend(shown.map(|finding| (record(&finding.set), verdict, reason.clone())));
        if let Some(more) = findings.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            rows.push((format!("… and {more} more"), verdict, reason));
        }
    }
    let mut text = String::new();
    if rows.len() > 1 {
        let width = rows.iter().map(|(record, ..)| record.chars().count()).max().unwrap_or_default();
        let width = width.min(RECORD_MAX);
        for (record, verdict, reason) in rows {
            line(&mut text, format_args!("{record:<width$}  {verdict:<7}  {reason}"));
        }
    }
    text
}

fn words(verdict: Verdict) -> (&'static str, String) {
    match verdict {
        Verdict::Keep(kept) => ("keep", kept.to_string()),
        Verdict::Wait(death, held) => ("wait", format!("{death}; {held}")),
        Verdict::Delete(death) => ("delete", death.to_string()),
    }
}

/// Its name, type and mark, with a container's id as short as Docker shows it.
pub(super) fn record(set: &RecordSet) -> String {
    let mut text = format!("{} {}", set.name, set.kind);
    for (n, field) in set.set_identifier.iter().flat_map(|id| id.split(':')).enumerate() {
        let is_id = field.len() == 64 && field.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.push(if n == 0 { ' ' } else { ':' });
        text.push_str(if is_id { &field[..12] } else { field });
    }
    text
}

fn more(text: &mut String, summary: &RunSummary) {
    for change in summary.others.iter().take(SHOWN_MAX) {
        line(text, format_args!("also: {change}"));
    }
    if let Some(more) = summary.others.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        line(text, format_args!("also: … and {more} more"));
    }
    for (host, names) in &summary.unregistered {
        line(text, format_args!("{host} runs what has no record; is its agent alive?"));
        for name in names.iter().take(SHOWN_MAX) {
            line(text, format_args!("       {name}"));
        }
        if let Some(more) = names.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            line(text, format_args!("       … and {more} more"));
        }
    }
    if let Some(health) = &summary.health {
        let silent = health.silent.len();
        line(text, format_args!("{:>6} targets asked, {silent} did not answer", health.asked));
        for target in health.silent.iter().take(SHOWN_MAX) {
            line(text, format_args!("       {target}"));
        }
        if health.distrusted {
            line(text, format_args!("       so many that nothing follows: can they be reached from here?"));
        }
        for task in &health.unhealthy {
            line(text, format_args!("       to be stopped: {task}"));
        }
        for task in &health.stopped {
            line(text, format_args!("       stopped: {task}"));
        }
    }
    if let Some(blind) = &summary.blind {
        line(text, format_args!("what EC2 does not show is kept: {blind}"));
    }
    if let Some(doubt) = &summary.doubt {
        line(text, format_args!("nothing goes by absence: {doubt}"));
    }
    line(text, format_args!("{}", last_line(summary)));
}

fn last_line(summary: &RunSummary) -> String {
    let changes = &summary.changes;
    if summary.skipped {
        return "skipped: Route 53 throttled the first call twice, others need it more".to_owned();
    }
    if let Some(standstill) = &summary.standstill {
        return format!("nothing is deleted: {standstill}");
    }
    if !summary.apply {
        let waits = summary.verdicts_of("wait");
        return format!(
            "a plan: {} due, {waits} {} for later runs; nothing was written, --apply writes",
            counted(changes.due, "change"),
            if waits == 1 { "waits" } else { "wait" }
        );
    }
    let mut text = format!("{} of {} made", changes.made, counted(changes.due, "change"));
    for (count, words) in [
        (changes.gone, "gone already"),
        (changes.touched, "written anew meanwhile and left alone"),
        (changes.refused.len(), "refused"),
        (changes.left, "left for the next run"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {words}");
        }
    }
    text
}

/// Writing to a string cannot fail.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::janitor::report::{Death, Held, Standstill};
    use crate::record::testing::registrant;

    fn report(findings: impl IntoIterator<Item = (RecordSet, Verdict)>) -> (Report, RunSummary) {
        let finding = |(set, verdict)| Finding { set, verdict };
        let report = Report {
            standstill: None,
            doubt: None,
            blind: None,
            findings: findings.into_iter().map(finding).collect(),
        };
        let mut summary = RunSummary::new("sd.internal", false);
        summary.judged(&report);
        summary.changes.due = report.deletes().count();
        (report, summary)
    }

    fn host(n: usize) -> RecordSet {
        registrant(&format!("i-{n:017x}")).host_record()
    }

    #[test]
    fn says_what_goes_what_waits_and_sums_up_the_rest() {
        let mut srv = host(9);
        srv.set_identifier = Some(format!("i-09:{}:80", "ab".repeat(32)));
        let (report, summary) = report([
            (host(1), Verdict::Keep(Kept::HostRuns)),
            (host(2), Verdict::Wait(Death::HostTerminated, Held::PointedTo)),
            (srv, Verdict::Delete(Death::HostTerminated)),
            (host(3), Verdict::Keep(Kept::HostOutOfSight)),
        ]);
        let text = table(&report, &summary, "ecssd sd.internal");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines.len(), 8, "{text}");
        assert!(lines[1].contains("i-09:abababababab:80  ") && lines[1].contains("delete   its host is"));
        assert!(lines[2].ends_with("wait     its host is terminated; records point to it"));
        assert!(lines[3].contains("keep     its host is out of sight"));
        assert_eq!(lines[4], "     1 more stay: its host runs");
        assert!(lines[5].starts_with("out of sight, by host; "));
        assert_eq!(lines[6], "     1 record: ecssd sd.internal --forget i-00000000000000003");
        assert!(lines[7].starts_with("a plan: 1 change due, 1 waits for"));
    }

    #[test]
    fn a_thousand_of_a_kind_are_a_few_and_a_number() {
        let (report, summary) = report((0..1_000).map(|n| (host(n), Verdict::Delete(Death::HostTerminated))));
        let text = table(&report, &summary, "ecssd sd.internal");
        assert_eq!(text.lines().count(), 1 + SHOWN_MAX + 2);
        assert!(text.contains("… and 980 more"));
    }

    #[test]
    fn a_standstill_is_the_last_word() {
        let (mut report, mut summary) = report([(host(1), Verdict::Keep(Kept::Unjudged))]);
        report.standstill = Some(Standstill::Incomplete(vec!["ListTasks: Rate exceeded".to_owned()]));
        summary.judged(&report);
        let text = table(&report, &summary, "ecssd sd.internal");
        assert!(
            text.ends_with("nothing is deleted: not everything could be read: ListTasks: Rate exceeded\n")
        );
    }
}
