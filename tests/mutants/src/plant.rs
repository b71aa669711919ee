//! Where in a file's text the mistakes go, each behind a switch. Only text is put in, none is taken out: what a
//! mistake replaces stays beside it, and mistakes may stand within what others replace.
//!
//! An operator is replaced within its own expression: `(if on(7) { a || b } else { a && b })`. That keeps the
//! operands together where cargo-mutants, which changes the text alone, would let a neighbour of higher precedence have one.

use std::collections::HashSet;
use std::ops::Range;

use syn::Expr;

use crate::mutants::{Genre, Mutant};
use crate::sites::{Arm, Sites};

/// A text with mistakes in it, and where each went.
#[derive(Debug)]
pub struct Planted {
    /// With all of them.
    pub text: String,
    places: Vec<Place>,
    /// Where what was copied begins, here and in the original.
    copied: Vec<(usize, usize)>,
}

/// Where one went.
#[derive(Debug)]
struct Place {
    number: usize,
    /// What is said instead.
    instead: Range<usize>,
    /// In the original: what it can do harm to, being there.
    concerns: Range<usize>,
}

/// Whose text it is.
#[derive(Debug)]
pub enum Said {
    /// These say it.
    By(Vec<usize>),
    /// It is about what these are part of.
    Around(Vec<usize>),
}

impl Planted {
    /// Which mistakes say what stands there; if none does, the innermost of those around it.
    pub fn who_says(&self, bytes: &Range<usize>) -> Said {
        let says = self
            .places
            .iter()
            .filter(|place| place.instead.start < bytes.end && bytes.start < place.instead.end);
        let says: Vec<usize> = says.map(|place| place.number).collect();
        if !says.is_empty() {
            return Said::By(says);
        }
        let before = self.copied.partition_point(|&(here, _)| here <= bytes.start);
        let (here, original) = before.checked_sub(1).map_or((0, 0), |last| self.copied[last]);
        let at = original + (bytes.start - here);
        let around = self.places.iter().filter(|place| place.concerns.contains(&at));
        let narrowest = around.clone().map(|place| place.concerns.len()).min();
        Said::Around(
            around
                .filter(|place| Some(place.concerns.len()) == narrowest)
                .map(|place| place.number)
                .collect(),
        )
    }

    fn copy(&mut self, original: &str, range: Range<usize>) {
        self.copied.push((self.text.len(), range.start));
        self.text.push_str(&original[range]);
    }
}

/// Why one cannot be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unplanted {
    /// It is not Rust.
    NotRust,
    /// Nothing can be decided there at run time.
    NoSwitch,
}

/// What goes before and after something.
struct Edit {
    number: usize,
    of: Range<usize>,
    outermost: bool,
    before: String,
    after: &'static str,
    instead: Range<usize>,
    concerns: Range<usize>,
}

/// `text` with these mistakes, each with its number; and those that cannot be.
///
/// A match stays exhaustive without any one of its arms, but maybe not without all that are `viable`, as it seems to the
/// compiler: it gets one more, which is never reached.
pub fn plant(
    text: &str,
    mutants: &[(usize, &Mutant)],
    viable: &HashSet<usize>,
) -> Result<(Planted, Vec<(usize, Unplanted)>), syn::Error> {
    let sites = Sites::of(text)?;
    let (mut edits, mut unplanted) = (Vec::new(), Vec::new());
    for &(number, mutant) in mutants {
        match edit(text, &sites, number, mutant) {
            Ok(edit) => {
                let arm = sites.arms.get(&mutant.span.bytes(text).start);
                if let Some(arm) = arm.filter(|_| mutant.genre == Genre::MatchArm && viable.contains(&number))
                {
                    edits.push(Edit::further_arm(number, arm));
                }
                edits.push(edit);
            }
            Err(why) => unplanted.push((number, why)),
        }
    }
    Ok((put_in(text, &edits), unplanted))
}

/// `text` with this mistake alone, as cargo-mutants plants it.
pub fn plainly(text: &str, mutant: &Mutant) -> String {
    let span = mutant.span.bytes(text);
    let rest = &text[span.end..];
    let rest =
        if mutant.genre == Genre::StructField { rest.trim_start().trim_start_matches(',') } else { rest };
    format!("{}{}{rest}", &text[..span.start], mutant.replacement)
}

fn edit(text: &str, sites: &Sites, number: usize, mutant: &Mutant) -> Result<Edit, Unplanted> {
    let span = mutant.span.bytes(text);
    let on = format!("crate::mutant::on({number})");
    let replacement = &mutant.replacement;
    let edit = |of: Range<usize>, start: String, instead: &str, end: &str, after| Edit {
        number,
        concerns: of.clone(),
        of,
        outermost: mutant.genre == Genre::FnValue,
        instead: start.len()..start.len() + instead.len(),
        before: format!("{start}{instead}{end}"),
        after,
    };
    match mutant.genre {
        Genre::FnValue if mutant.is_of_iterator() => {
            let instead = match replacement
                .strip_prefix("::std::iter::once(")
                .and_then(|rest| rest.strip_suffix(')'))
            {
                Some(one) => format!("Some(Some({one}))"),
                None => "Some(None)".to_owned(),
            };
            let start = format!("crate::mutant::iterator(if {on} {{ ");
            Ok(edit(span, start, &instead, " } else { None }, { ", " })"))
        }
        Genre::FnValue => Ok(edit(span, format!("if {on} {{ return "), replacement, "; } ", "")),
        Genre::MatchArmGuard => Ok(edit(span, format!("(if {on} {{ "), replacement, " } else { ", " })")),
        Genre::MatchArm => {
            let arm = sites.arms.get(&span.start).ok_or(Unplanted::NoSwitch)?;
            let (off, end) = (format!("!{on}"), arm.pattern_end);
            let edit = match &arm.guard {
                Some(guard) => edit(guard.clone(), String::new(), &off, " && (", ")"),
                None => edit(end..end, " if ".to_owned(), &off, "", ""),
            };
            Ok(Edit { concerns: arm.whole_match.clone(), ..edit })
        }
        Genre::BinaryOperator | Genre::UnaryOperator | Genre::StructField => {
            let whole = sites.whole.get(&span.start).ok_or(Unplanted::NoSwitch)?.clone();
            let changed = plainly(text, mutant);
            let instead = &changed[whole.start..whole.end + changed.len() - text.len()];
            if sites.chained.contains(&span.start) || syn::parse_str::<Expr>(instead).is_err() {
                return Err(Unplanted::NotRust);
            }
            Ok(edit(whole, format!("(if {on} {{ "), instead, " } else { ", " })"))
        }
    }
}

impl Edit {
    fn further_arm(number: usize, arm: &Arm) -> Self {
        let end = arm.whole_match.end - 1;
        let comma = if arm.last_has_comma { "" } else { "," };
        Self {
            number,
            of: end..end,
            outermost: false,
            before: format!("{comma} _ => unreachable!(), "),
            after: "",
            instead: 0..0,
            concerns: 0..0,
        }
    }
}

/// What ends somewhere ends before the next begins, and what is around others begins first and ends last.
fn put_in(text: &str, edits: &[Edit]) -> Planted {
    let mut cuts: Vec<(usize, bool, &Edit)> = Vec::new();
    cuts.extend(edits.iter().map(|edit| (edit.of.start, true, edit)));
    cuts.extend(edits.iter().filter(|edit| !edit.after.is_empty()).map(|edit| (edit.of.end, false, edit)));
    let depth = |edit: &Edit| (!edit.outermost, std::cmp::Reverse(edit.of.len()), edit.number);
    cuts.sort_by(|(a_at, a_begins, a), (b_at, b_begins, b)| {
        (a_at, a_begins).cmp(&(b_at, b_begins)).then_with(|| {
            let outer_first = depth(a).cmp(&depth(b));
            if *a_begins { outer_first } else { outer_first.reverse() }
        })
    });
    let mut planted = Planted { text: String::new(), places: Vec::new(), copied: Vec::new() };
    let mut done = 0;
    for (at, begins, edit) in cuts {
        planted.copy(text, done..at);
        done = at;
        let here = planted.text.len();
        planted.text.push_str(if begins { &edit.before } else { edit.after });
        if begins {
            planted.places.push(Place {
                number: edit.number,
                instead: here + edit.instead.start..here + edit.instead.end,
                concerns: edit.concerns.clone(),
            });
        }
    }
    planted.copy(text, done..text.len());
    planted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(text: &str, genre: &str, was: &str, replacement: &str) -> Mutant {
        let at = text.find(was).unwrap() + 1;
        let span = format!(
            r#"{{"start":{{"line":1,"column":{at}}},"end":{{"line":1,"column":{}}}}}"#,
            at + was.chars().count()
        );
        let json = format!(
            r#"{{"name":"a mistake","file":"src/a.rs","genre":"{genre}","span":{span},"replacement":"{replacement}","function":null}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_is_within_another_keeps_its_switch() {
        let text = "fn f() -> bool { a == b && !c }";
        let mutants = [
            mutant(text, "FnValue", "a == b && !c", "true"),
            mutant(text, "BinaryOperator", "==", "!="),
            mutant(text, "BinaryOperator", "&&", "||"),
            mutant(text, "UnaryOperator", "!", ""),
        ];
        let numbered: Vec<(usize, &Mutant)> = mutants.iter().enumerate().collect();
        let (planted, unplanted) = plant(text, &numbered, &HashSet::new()).unwrap();
        assert_eq!(unplanted, []);
        let expected = "fn f() -> bool { if crate::mutant::on(0) { return true; } \
            (if crate::mutant::on(2) { a == b || !c } else { \
            (if crate::mutant::on(1) { a != b } else { a == b }) && \
            (if crate::mutant::on(3) { c } else { !c }) }) }";
        assert_eq!(planted.text, expected);
        let place = |part: &str| expected.find(part).map(|at| at..at + 1).unwrap();
        assert!(matches!(planted.who_says(&place("a != b")), Said::By(numbers) if numbers == [1]));
        assert!(matches!(planted.who_says(&place("a == b })")), Said::Around(numbers) if numbers == [1]));
        assert_eq!(plainly(text, &mutants[2]), "fn f() -> bool { a == b || !c }");
    }

    #[test]
    fn an_arm_is_left_by_its_guard_and_what_is_no_rust_is_left_out() {
        let text = "fn f() { match a { 1 => b(), _ => if let 2 = a && c { d() } } }";
        let mutants = [mutant(text, "MatchArm", "1 => b(),", ""), mutant(text, "BinaryOperator", "&&", "||")];
        let numbered: Vec<(usize, &Mutant)> = mutants.iter().enumerate().collect();
        let (planted, unplanted) = plant(text, &numbered, &HashSet::from([0])).unwrap();
        assert_eq!(unplanted, [(1, Unplanted::NotRust)]);
        let expected = "fn f() { match a { 1 if !crate::mutant::on(0) => b(), _ => if let 2 = a && c { d() } \
            , _ => unreachable!(), } }";
        assert_eq!(planted.text, expected);
    }
}
