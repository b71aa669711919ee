//! The page: one file, which shows its first state without a script, and later ones from `/status.json` with it.

use hyper::body::Bytes;

use super::content::Shown;

const PAGE: &str = include_str!("page.html");

/// The page, and what a browser may do with it: nothing but what is in it, by this nonce, and to ask this server.
pub(super) fn page(shown: &Shown, random: u128) -> (Bytes, String) {
    let nonce = format!("{random:032x}");
    let host = shown.status.host.as_ref().map_or("this host is not known yet", |host| host.owner.as_str());
    let page = fill(PAGE, |name| match name {
        "nonce" => Some(nonce.clone()),
        "host" => Some(escaped(host)),
        "text" => Some(escaped(&String::from_utf8_lossy(&shown.text()))),
        // In a script a text ends at the first `</`, whatever it is a part of.
        "json" => Some(String::from_utf8_lossy(&shown.json()).replace('<', "\\u003c")),
        _ => None,
    });
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    (page.into(), policy)
}

/// Puts values in the places of their names, `{name}`. What is no known name stays as it is.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let name = rest[1..].split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
        let is_name = rest[1 + name.len()..].starts_with('}');
        match value(name).filter(|_| is_name) {
            Some(value) => {
                filled.push_str(&value);
                rest = &rest[name.len() + 2..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::schema::Host;
    use crate::status::{Part, Seen, assemble};

    #[test]
    fn what_an_agent_says_is_text_wherever_it_stands() {
        let evil = "</pre></script><script>alert('{nonce}')</script>";
        let reason = (Part::Docker, Some(evil.to_owned()), std::time::Duration::ZERO);
        let mut status = assemble(None, &Seen { readiness: vec![reason], ..Seen::default() });
        status.host = Some(Host { owner: evil.into(), name: String::new(), address: String::new() });
        let (page, policy) = page(&Shown::of((status, Seen::default())), 7);
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert_eq!(page.matches("<script").count(), PAGE.matches("<script").count());
        assert!(page.contains("&lt;/pre&gt;&lt;/script&gt;") && page.contains("alert(&#39;{nonce}&#39;)"));
        assert!(policy.contains("script-src 'nonce-00000000000000000000000000000007'"), "{policy}");
        assert!(page.contains("<script nonce=\"00000000000000000000000000000007\">"));
    }

    #[test]
    fn only_known_names_are_filled_in() {
        let value = |name: &str| (name == "a").then(|| "{b}".to_owned());
        assert_eq!(fill("{a} {b} { a } {a {} {a}", value), "{b} {b} { a } {a {} {b}");
        assert_eq!(fill("no name", value), "no name");
    }
}
