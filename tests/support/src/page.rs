//! A page in HTML, of text, tables and plots: what a run has found, for whoever reads it without the program.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::plot::Plot;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}\
    table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .8rem;text-align:left;border-bottom:1px solid #ddd}\
    td{font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}";

/// A page, from top to bottom.
#[derive(Debug)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    pub fn new(title: &str) -> Self {
        Self { title: escaped(title), body: format!("<h1>{}</h1>\n", escaped(title)) }
    }

    pub fn heading(&mut self, text: &str) {
        self.element("h2", text);
    }

    pub fn paragraph(&mut self, text: &str) {
        self.element("p", text);
    }

    /// A table: its head, then its rows.
    pub fn table<'a, T: AsRef<str> + 'a>(&mut self, head: &[&str], rows: impl IntoIterator<Item = &'a [T]>) {
        let row = |kind: &str, cells: &mut dyn Iterator<Item = &str>| {
            let cells: String = cells.map(|cell| format!("<{kind}>{}</{kind}>", escaped(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        self.body += "<table>\n";
        self.body += &row("th", &mut head.iter().copied());
        for cells in rows {
            self.body += &row("td", &mut cells.iter().map(AsRef::as_ref));
        }
        self.body += "</table>\n";
    }

    pub fn plot(&mut self, plot: &Plot) {
        writeln!(self.body, "<figure>\n{}</figure>", plot.svg()).unwrap();
    }

    pub fn html(&self) -> String {
        let Self { title, body } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n{body}</html>\n"
        )
    }

    /// Where its folder is not there yet, that is made.
    pub fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.html()).unwrap();
    }

    fn element(&mut self, kind: &str, text: &str) {
        writeln!(self.body, "<{kind}>{}</{kind}>", escaped(text)).unwrap();
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Axis;

    #[test]
    fn a_page_has_what_it_was_given_in_order_and_no_text_becomes_markup() {
        let mut page = Page::new("Figures & <b>");
        page.heading("times");
        page.table(&["what", "ms"], [["a<b", "5"].as_slice()]);
        page.plot(&Plot::new("t", Axis::linear("x"), Axis::linear("y")).line("l", [(1.0, 1.0)]));
        page.paragraph("the end");
        let html = page.html();
        let parts = [
            "<title>Figures &amp; &lt;b&gt;",
            "<h2>times",
            "<th>what</th>",
            "<td>a&lt;b</td>",
            "<svg ",
            "<p>the end",
        ];
        let places: Vec<_> = parts.iter().map(|part| html.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} of {html}");
    }
}
