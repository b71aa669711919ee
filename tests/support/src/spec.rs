//! The figures of `SPEC.md`. A test judges by what stands there, so the page and the judgement cannot differ.

use std::fmt;
use std::path::Path;

/// The page, from this package.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../SPEC.md");

/// How what is measured has to be to what is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    AtMost,
    AtLeast,
    Exactly,
}

/// What a line of the page promises: `≤ 12 MB`, `≥ 0.9 ×`, `26 cases`.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub relation: Relation,
    pub value: f64,
    pub unit: String,
}

impl Figure {
    /// Reads a cell of the page; `None` where that is no figure.
    pub fn parse(cell: &str) -> Option<Self> {
        let (relation, rest) = match (cell.strip_prefix('≤'), cell.strip_prefix('≥')) {
            (Some(rest), _) => (Relation::AtMost, rest),
            (_, Some(rest)) => (Relation::AtLeast, rest),
            _ => (Relation::Exactly, cell),
        };
        let (value, unit) = rest.trim().split_once(' ')?;
        let value = value.replace(',', "").parse().ok()?;
        Some(Self { relation, value, unit: unit.to_owned() })
    }

    pub fn is_kept_by(&self, measured: f64) -> bool {
        match self.relation {
            Relation::AtMost => measured <= self.value,
            Relation::AtLeast => measured >= self.value,
            Relation::Exactly => measured == self.value,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match self.relation {
            Relation::AtMost => "≤ ",
            Relation::AtLeast => "≥ ",
            Relation::Exactly => "",
        };
        write!(f, "{relation}{} {}", self.value, self.unit)
    }
}

/// What this line promises, which has to be said in this unit.
pub fn promised(line: &str, unit: &str) -> Figure {
    let page = std::fs::read_to_string(Path::new(PAGE)).unwrap();
    let figure = of(&page, line).unwrap_or_else(|| panic!("SPEC.md has no figure in a line `{line}`"));
    assert_eq!(figure.unit, unit, "SPEC.md, `{line}`: what is measured has another unit");
    figure
}

/// The number that this line promises, for a test that has to come up to it.
pub fn number(line: &str, unit: &str) -> usize {
    promised(line, unit).value as usize
}

/// Panics if what was measured is not what this line promises.
pub fn judge(line: &str, measured: f64, unit: &str) {
    let promised = promised(line, unit);
    println!("SPEC.md, {line}: {measured} {unit}, promised {promised}");
    assert!(promised.is_kept_by(measured), "SPEC.md, `{line}`: {measured} {unit}, promised {promised}");
}

fn of(page: &str, line: &str) -> Option<Figure> {
    let begins = format!("| `{line}` |");
    let row = page.lines().find(|row| row.starts_with(&begins))?;
    Figure::parse(row.split('|').nth(3)?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_relation_a_number_and_a_unit() {
        let page =
            "| `a` | what | ≤ 4,096.5 kB | x |\n| `b` | what | ≥ 0.9 × | x |\n| `c` | what | 26 cases | x |";
        let kept = |line, measured| of(page, line).unwrap().is_kept_by(measured);
        assert!(kept("a", 4_096.5) && !kept("a", 4_097.0));
        assert!(kept("b", 0.9) && !kept("b", 0.89));
        assert!(kept("c", 26.0) && !kept("c", 25.0));
        assert_eq!(of(page, "a").unwrap().to_string(), "≤ 4096.5 kB");
        assert_eq!((of(page, "d"), Figure::parse("few kB"), Figure::parse("≤ 12")), (None, None, None));
    }
}
