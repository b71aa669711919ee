//! Links lead somewhere.

use std::path::{Component, Path, PathBuf};

use crate::page::{Page, ROOT};

#[test]
fn every_link_leads_to_a_file_and_its_anchor_to_a_heading() {
    let mut seen = 0;
    for page in Page::all() {
        for target in targets(&page.prose) {
            if target.contains("://") {
                continue;
            }
            seen += 1;
            let place = format!("{}: {target}", page.path.display());
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, at)| (file, Some(at)));
            let path = match file {
                "" => page.path.clone(),
                file => normal(&page.path.parent().unwrap().join(file)),
            };
            assert!(Path::new(ROOT).join(&path).exists(), "{place}: there is no such file");
            if let Some(anchor) = anchor {
                let anchors = Page::read(path).anchors();
                assert!(anchors.contains(anchor), "{place}: there is no such heading, but {anchors:?}");
            }
        }
    }
    assert!(seen > 50, "{seen} links: are they read at all?");
}

/// From the README every page is one click away.
#[test]
fn the_readme_links_to_every_page() {
    let pages = Page::all();
    let readme = pages.iter().find(|page| page.path == Path::new("README.md")).unwrap();
    let linked: Vec<_> = targets(&readme.prose).map(|target| target.split('#').next().unwrap()).collect();
    for page in pages.iter().filter(|page| page.path.starts_with("docs")) {
        let path = page.path.to_string_lossy();
        assert!(linked.contains(&&*path), "README.md does not link to {path}");
    }
}

fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap())
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(normal.pop(), "{} leaves the checkout", path.display()),
            component => normal.push(component),
        }
    }
    normal
}
