//! A line of the doctor's, and all of them.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing is to be done.
    Fine,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Broken,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Broken => "broken",
        })
    }
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about, in a word or two.
    pub subject: &'static str,
    /// What is the case.
    pub line: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn fine(subject: &'static str, line: impl Into<String>) -> Self {
        Self { level: Level::Fine, subject, line: line.into(), remedy: None }
    }

    /// Somebody should look at it.
    pub fn warning(subject: &'static str, line: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, subject, line: line.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work.
    pub fn broken(subject: &'static str, line: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Broken, subject, line: line.into(), remedy: Some(remedy.into()) }
    }
}

/// All that was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order in which it is best read: what comes first may be the cause of what follows.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst of all.
    pub fn worst(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Fine)
    }

    /// How many are that bad.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}
