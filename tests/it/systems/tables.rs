//! `expected.md` of a system names rules that there are, and says of the others that they are not there yet.

use crate::support::fixture;
use purlin::rules;
use std::fs;

const SYSTEMS: [&str; 5] =
    ["driveline", "feastflow", "healthcare-cloud", "healthcare-onprem", "yt-video-creator"];

#[test]
fn the_tables_of_what_is_expected_name_rules_that_there_are() {
    let mut wrong = Vec::new();
    for system in SYSTEMS {
        let path = fixture(&format!("systems/{system}/expected.md"));
        let text = fs::read_to_string(path).unwrap();
        let (mut is_there, mut is_of_rules) = (true, false);
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                is_there = !heading.starts_with("not there yet");
            }
            let cell = line.strip_prefix("| ").and_then(|it| it.split(" |").next());
            match cell {
                Some("rule" | "finding") => is_of_rules = true,
                None => is_of_rules = false,
                Some(_) => {}
            }
            let silent = line.strip_prefix("- `").and_then(|it| it.split_once("` is silent"));
            let ids = cell.filter(|_| is_of_rules).into_iter().chain(silent.map(|it| it.0));
            // `flow-missing, as documented`
            let ids = ids.filter_map(|it| it.split([' ', ',']).next()).filter(|it| is_id(it));
            let missing = ids.filter(|it| is_there && rules::built_in().find(it).is_none());
            wrong.extend(missing.map(|it| format!("{system}: {it}")));
        }
    }
    assert!(wrong.is_empty(), "no such rules:\n{}", wrong.join("\n"));
}

fn is_id(text: &str) -> bool {
    let is_of_id = |it: u8| it.is_ascii_lowercase() || it == b'-';
    text.contains('-') && !text.starts_with('-') && text.bytes().all(is_of_id)
}
