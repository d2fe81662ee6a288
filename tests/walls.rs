//! The walls between the rooms of the house, read from the sources.
#![cfg(not(feature = "loom"))]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const LONGEST: usize = 400;

/// Every file of Rust under a folder of this package, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "there are sources in {folder}");
    found
}

/// Lines of code, without comments, that name one of these, each with its place.
fn naming(folder: &str, names: &[&str]) -> Vec<String> {
    let mut naming = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            if names.iter().any(|name| code.contains(name)) {
                naming.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    naming
}

#[test]
fn the_engine_knows_neither_node_api_nor_tokio_nor_io() {
    let names = ["napi", "tokio", "std::net", "std::fs", "std::io", "node::"];
    assert_eq!(naming("src/engine", &names), Vec::<String>::new());
}

#[test]
fn what_is_in_flight_knows_nothing_of_channels() {
    let names = ["engine::channel", "super::super", "channel::"];
    assert_eq!(naming("src/engine/delivery", &names), Vec::<String>::new());
}

#[test]
fn a_file_is_not_longer_than_a_head_can_hold() {
    let folders = ["src", "tests", "benches/rust"];
    let files = folders.into_iter().flat_map(sources);
    let long: Vec<_> = files.filter(|(_, text)| text.lines().count() > LONGEST).collect();
    let long: Vec<_> = long.iter().map(|(path, _)| path.display().to_string()).collect();
    assert_eq!(long, Vec::<String>::new(), "of more than {LONGEST} lines");
}
