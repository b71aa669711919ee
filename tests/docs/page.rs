//! A page, taken apart.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the checkout is.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The README, the promises, what changed, or one of `docs`.
#[derive(Debug)]
pub struct Page {
    /// From the root of the checkout.
    pub path: PathBuf,
    /// All lines that are not of a fenced block; those that are, empty.
    pub prose: String,
    pub blocks: Vec<Block>,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// Where, for whoever has to mend it.
    pub place: String,
    /// What stands behind the opening fence.
    pub info: String,
    pub text: String,
}

impl Page {
    /// All pages, and those that stand beside what they are about.
    pub fn all() -> Vec<Self> {
        let beside = ["docs", "deploy"].into_iter().flat_map(|folder| files(folder, ".md"));
        let mut paths: Vec<_> = beside.map(|(path, _)| path).collect();
        paths.extend(["CHANGELOG.md", "README.md", "SECURITY.md", "SPEC.md"].map(PathBuf::from));
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    pub fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        let (mut prose, mut blocks, mut open) = (String::new(), Vec::new(), None::<Block>);
        for (index, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    let place = format!("{}:{}", path.display(), index + 1);
                    open = Some(Block { place, info: info.trim().to_owned(), text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.text += &format!("{line}\n"),
                (None, None) => prose += line,
            }
            prose += "\n";
        }
        assert!(open.is_none(), "{}: a block is not closed", path.display());
        Self { path, prose, blocks }
    }

    /// What stands between backticks, each on one line.
    pub fn spans(&self) -> Vec<String> {
        spans(&self.prose)
    }

    /// The names by which its headings are linked to, as GitHub makes them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| slug(line.trim_start_matches('#').trim())).collect()
    }

    /// Its tables, each row as its cells; the row of dashes left out.
    pub fn tables(&self) -> Vec<Vec<Vec<String>>> {
        let mut tables = vec![Vec::new()];
        for line in self.prose.lines() {
            match line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) {
                Some(line) if line.starts_with("---") => {}
                Some(line) => {
                    let cells = line.split('|').map(|cell| cell.trim().to_owned()).collect();
                    tables.last_mut().unwrap().push(cells);
                }
                None => tables.push(Vec::new()),
            }
        }
        tables.retain(|table: &Vec<Vec<String>>| !table.is_empty());
        tables
    }

    /// All that it says, commands too.
    pub fn everything(&self) -> String {
        let blocks = self.blocks.iter().map(|block| block.text.as_str());
        [self.prose.as_str()].into_iter().chain(blocks).collect()
    }
}

/// What stands between backticks in `text`.
pub fn spans(text: &str) -> Vec<String> {
    let words = |span: &str| span.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split('`').skip(1).step_by(2).map(words).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The text of all files below `folder` with this ending.
pub fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let (mut folders, mut found) = (vec![PathBuf::from(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if entry.file_name().to_string_lossy().ends_with(ending)
                && let Ok(text) = fs::read_to_string(Path::new(ROOT).join(&path))
            {
                found.push((path, text));
            }
        }
    }
    found
}
