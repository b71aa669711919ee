//! The page: one document, whose slots are filled with what is known, every text escaped.
//!
//! `page.html` is the document and `box.html` one of its two boxes. A slot is `{{name}}`, and an outcome
//! fills those that are called like its fields. The few lines of script in the document fill the same
//! slots from the same JSON, so that the page works alike with and without them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::errand::Outcome;

const PAGE: &str = include_str!("page.html");
const BOX: &str = include_str!("box.html");
const EXAMPLE: &str = r#"<a href="/?{{field}}={{encoded}}#{{kind}}">{{text}}</a>"#;

/// What is fixed in a box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// The beginning of every id in it.
    pub(crate) name: &'static str,
    /// The input's name in a query.
    pub(crate) field: &'static str,
    pub(crate) title: &'static str,
    pub(crate) label: &'static str,
    pub(crate) examples: &'static [&'static str],
}

/// What somebody did in a box.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) input: String,
    pub(crate) outcome: Outcome,
}

/// The page, with its boxes, and what became of them.
pub(crate) fn render(boxes: [(&Kind, &str, Option<Turn>); 2]) -> String {
    let boxes: String = boxes.iter().map(|(kind, service, turn)| render_box(kind, service, turn)).collect();
    PAGE.replace("<!-- boxes -->", &boxes)
}

fn render_box(kind: &Kind, service: &str, turn: &Option<Turn>) -> String {
    let examples: Vec<String> = kind
        .examples
        .iter()
        .map(|text| {
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            fill(EXAMPLE, |slot| match slot {
                "text" => (*text).to_owned(),
                "encoded" => encoded.clone(),
                _ => kind.slot(slot).unwrap_or_default().to_owned(),
            })
        })
        .collect();
    let outcome = turn.as_ref().and_then(|turn| serde_json::to_value(&turn.outcome).ok());
    let outcome = outcome.unwrap_or_else(|| serde_json::json!({ "state": "idle" }));
    let input = turn.as_ref().map_or(kind.examples[0], |turn| &turn.input);
    let filled = fill(BOX, |slot| match slot {
        "input" => input.to_owned(),
        "service" => service.to_owned(),
        _ => kind.slot(slot).map_or_else(|| field(&outcome, slot), str::to_owned),
    });
    filled.replace("<!-- examples -->", &examples.join(" "))
}

impl Kind {
    fn slot(&self, name: &str) -> Option<&'static str> {
        match name {
            "kind" => Some(self.name),
            "field" => Some(self.field),
            "title" => Some(self.title),
            "label" => Some(self.label),
            _ => None,
        }
    }
}

/// The field of an outcome, or of the SRV record in it.
fn field(outcome: &Value, name: &str) -> String {
    match outcome.get(name).or_else(|| outcome.get("srv")?.get(name)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The template with its slots filled. What is filled in is never looked at again for slots.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut pieces = template.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (slot, text) = piece.split_once("}}").expect("every slot of a template is closed");
        filled.push_str(&escaped(&value(slot)));
        filled.push_str(text);
    }
    filled
}

/// The text, with whatever has a meaning in HTML made harmless, between tags and in quotes alike.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_a_slot_is_escaped_and_holds_no_slots() {
        let filled = fill(r#"<p title="{{a}}">{{b}}</p>{{c}}"#, |slot| match slot {
            "a" => r#""><script>"#.to_owned(),
            "b" => "{{c}} & 'more'".to_owned(),
            _ => "end".to_owned(),
        });
        assert_eq!(filled, "<p title=\"&quot;&gt;&lt;script&gt;\">{{c}} &amp; &#39;more&#39;</p>end");
    }
}
