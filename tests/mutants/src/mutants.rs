//! The mistakes, as cargo-mutants lists them. What it would plant, one build for each, is what is planted here.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// One mistake. Its number is its place in the list.
#[derive(Debug, Deserialize)]
pub struct Mutant {
    /// What it does, and where, as cargo-mutants prints it.
    pub name: String,
    /// Where, from the root of the tree.
    pub file: String,
    /// What kind of thing is changed.
    pub genre: Genre,
    /// What is changed.
    pub span: Span,
    /// What stands there instead.
    pub replacement: String,
    function: Option<Function>,
}

/// What kind of thing is changed, in the words of cargo-mutants.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

#[derive(Debug, Deserialize)]
pub struct Span {
    start: Place,
    end: Place,
}

#[derive(Debug, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

#[derive(Debug, Deserialize)]
struct Function {
    return_type: String,
}

impl Mutant {
    /// Its name without the place in the file, which moves.
    pub fn plain_name(&self) -> String {
        let rest = self.name.strip_prefix(&self.file).unwrap_or(&self.name);
        let rest = rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
        format!("{}:{rest}", self.file)
    }

    /// Whether it replaces what a function returns as `impl Iterator`.
    pub fn is_of_iterator(&self) -> bool {
        self.function.as_ref().is_some_and(|function| function.return_type.starts_with("-> impl Iterator<"))
    }
}

impl Span {
    /// As bytes of `text`.
    pub fn bytes(&self, text: &str) -> std::ops::Range<usize> {
        self.start.offset(text)..self.end.offset(text)
    }
}

impl Place {
    fn offset(&self, text: &str) -> usize {
        let line_start: usize = text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let line = &text[line_start..];
        line_start + line.char_indices().nth(self.column - 1).map_or(line.len(), |(offset, _)| offset)
    }
}

/// All of them.
pub fn listed(root: &Path) -> Result<Vec<Mutant>, String> {
    let output = Command::new("cargo")
        .args(["mutants", "--list", "--json", "--package", "ecssd"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo-mutants lists nothing (tests/full mutants installs it): {text}"));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo-mutants lists what nobody reads: {error}"))
}
