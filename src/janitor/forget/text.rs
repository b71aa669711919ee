//! What `--forget` shows: for people, and as JSON. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::plan::{Host, Sign, word};
use super::{Forget, Forgotten};
use crate::janitor::sweep::Outcome;
use crate::janitor::table::record;
use crate::printable::counted;
use crate::record::{Key, Owner, RecordSet};

/// The same, for machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The zone.
    pub zone: String,
    /// Whether it was to write.
    pub apply: bool,
    /// Why the zone could not be read, if so.
    pub unread: Option<String>,
    /// In the order in which they were named.
    pub hosts: Vec<ShownHost>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownHost {
    /// As its marks spell it.
    pub host: String,
    /// Whether its records stay, for the signs of life.
    pub refused: bool,
    /// What says that it lives.
    pub signs: Vec<String>,
    /// What to do about them first.
    #[serde(skip)]
    pub advice: &'static str,
    /// EC2's word, where it has one.
    pub state: Option<&'static str>,
    /// Ports of its records that did not answer.
    pub silent: Vec<String>,
    /// Each record and what became of it: `due` in a plan, `kept` of a host that is refused, else `deleted`, `gone`,
    /// `written anew`, `left`, or the refusal.
    pub records: Vec<(String, String)>,
}

impl Shown {
    /// Of what was seen and done.
    pub fn of(zone: &str, forget: &Forget, forgotten: &Forgotten) -> Self {
        let outcomes: BTreeMap<&Key, &Outcome> =
            forgotten.outcomes.iter().flatten().map(|(key, outcome)| (key, outcome)).collect();
        let shown = |host: &Host| {
            let refused = host.is_refused(forget.force);
            let became = |set: &RecordSet| match outcomes.get(&set.key()) {
                _ if refused => "kept".to_owned(),
                None => "due".to_owned(),
                Some(outcome) => words(outcome),
            };
            ShownHost {
                host: host.owner.to_string(),
                refused,
                signs: host.signs.iter().map(ToString::to_string).collect(),
                advice: advice(&host.signs),
                state: host.state.map(word),
                silent: host.silent.iter().map(ToString::to_string).collect(),
                records: host.records.iter().map(|set| (record(set), became(set))).collect(),
            }
        };
        Self {
            zone: zone.to_owned(),
            apply: forgotten.outcomes.is_some(),
            unread: forgotten.unread.clone(),
            hosts: forgotten.hosts.iter().map(shown).collect(),
        }
    }

    /// Whether all is planned or done.
    pub fn is_done(&self) -> bool {
        let ended = |(_, became): &(String, String)| ["due", "deleted", "gone"].contains(&became.as_str());
        let done = |host: &ShownHost| !host.refused && host.records.iter().all(ended);
        self.unread.is_none() && self.hosts.iter().all(done)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(unread) = &self.unread {
            line(&mut text, format_args!("nothing is deleted: {unread}"));
            return text;
        }
        for host in &self.hosts {
            self.host(&mut text, host);
        }
        let all = || self.hosts.iter().flat_map(|host| &host.records);
        let count = |words: &str| all().filter(|(_, became)| became == words).count();
        match self.apply {
            false => {
                let hosts = self.hosts.iter().filter(|host| !host.refused && !host.records.is_empty());
                let (due, hosts) = (count("due"), hosts.count());
                let what = format!("{} of {}", counted(due, "record"), counted(hosts, "host"));
                line(&mut text, format_args!("a plan: {what}; nothing was written, --apply deletes them"));
            }
            true => {
                let gone = count("deleted") + count("gone");
                let due = all().count() - count("kept");
                let are = if due == 1 { "is" } else { "are" };
                line(&mut text, format_args!("{gone} of {} {are} gone", counted(due, "record")));
            }
        }
        text
    }

    fn host(&self, text: &mut String, host: &ShownHost) {
        let ShownHost { host: name, records, .. } = host;
        if records.is_empty() {
            line(text, format_args!("{name}: no record of {} has its mark", self.zone));
            return;
        }
        let all = counted(records.len(), "record");
        match (host.refused, self.apply) {
            (true, _) => line(text, format_args!("{name}: {all}, kept, it may live")),
            (false, false) => line(text, format_args!("{name}: {all}, to be deleted")),
            (false, true) => {
                let deleted = records.iter().filter(|(_, became)| became == "deleted").count();
                line(text, format_args!("{name}: {deleted} of {all} deleted"));
            }
        }
        for (record, became) in records {
            let became = if ["due", "kept", "deleted"].contains(&became.as_str()) { "" } else { became };
            let separator = if became.is_empty() { "" } else { ": " };
            line(text, format_args!("       {record}{separator}{became}"));
        }
        match host.state {
            Some(state) => line(text, format_args!("    EC2 calls it {state}")),
            None => line(text, format_args!("    EC2 does not show it here")),
        }
        if let Some(first) = host.silent.first() {
            let more = match host.silent.len() {
                1 => String::new(),
                ports => format!(" and {} more", counted(ports - 1, "port")),
            };
            line(text, format_args!("    no answer at {first}{more}"));
        }
        for sign in &host.signs {
            line(text, format_args!("    {sign}"));
        }
        if host.refused {
            let advice = host.advice;
            line(text, format_args!("    {advice}; --force deletes its records all the same"));
        }
    }
}

/// The line to type for these hosts.
pub fn line_to_type<'a>(command: &str, hosts: impl IntoIterator<Item = &'a Owner>) -> String {
    let mut text = format!("{command} --forget");
    for host in hosts {
        let _ = write!(text, " {host}");
    }
    text
}

/// By the strongest of its signs.
fn advice(signs: &[Sign]) -> &'static str {
    let lives = |sign: &Sign| matches!(sign, Sign::Instance(..) | Sign::Container(_));
    let answers = |sign: &Sign| matches!(sign, Sign::Answers(_));
    match signs {
        signs if signs.iter().any(lives) => "stop its agent or the host first",
        signs if signs.iter().any(answers) => {
            "see whose port that is, and if it is this host's, stop its agent first"
        }
        _ => "see that EC2 and ECS can be asked, or make sure yourself that it is dead",
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Made => "deleted".to_owned(),
        Outcome::Gone => "gone".to_owned(),
        Outcome::Touched => "written anew meanwhile, so its agent lives: left alone".to_owned(),
        Outcome::Refused(reason) => format!("not deleted: {reason}"),
        Outcome::Left => "left: there was no time for it, run it again".to_owned(),
    }
}

/// Writing to a string cannot fail.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{id, registrant};

    fn text(signs: Vec<Sign>, outcomes: Option<Vec<Outcome>>) -> String {
        let records: Vec<RecordSet> = (1..3_u8)
            .map(|n| registrant("web3").container_record(&id(n.into()), [10, 0, 0, n].into()))
            .collect();
        let outcomes = outcomes.map(|all| records.iter().map(RecordSet::key).zip(all).collect());
        let owner = Owner::new("web3").unwrap();
        let host = Host { owner: owner.clone(), records, state: None, signs, silent: Vec::new() };
        let forget = Forget { hosts: vec![owner], force: false };
        Shown::of("sd.internal", &forget, &Forgotten { hosts: vec![host], unread: None, outcomes }).text()
    }

    #[test]
    fn the_heading_counts_what_was_deleted() {
        let refused = Outcome::Refused("no".to_owned());
        let text = text(Vec::new(), Some(vec![Outcome::Made, refused]));
        assert!(text.starts_with("web3: 1 of 2 records deleted\n"), "{text}");
        assert!(
            text.contains(": not deleted: no\n") && text.ends_with("1 of 2 records are gone\n"),
            "{text}"
        );
    }

    #[test]
    fn the_advice_is_for_the_kind_of_sign() {
        let unasked = || Sign::Unasked("denied".to_owned());
        let answers = || Sign::Answers("10.0.0.1:80".parse().unwrap());
        for (signs, words) in [
            (vec![Sign::Container(id(1)), unasked()], "    stop its agent or the host first; --force"),
            (vec![unasked(), answers()], "    see whose port that is"),
            (vec![unasked()], "    see that EC2 and ECS can be asked"),
        ] {
            let text = text(signs, None);
            assert!(text.contains(words), "{words}: {text}");
            assert_eq!(
                text.contains("stop its agent or the host"),
                words.contains("or the host first"),
                "{text}"
            );
        }
    }
}
