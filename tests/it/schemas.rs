//! What purlin says of single objects beside what Kubernetes' own API server says: `tests/schemas/answers.jsonl.gz` holds
//! mutants of manifests (a field renamed, retyped, removed, out of range, another word) and whether Kubernetes 1.37.2 takes
//! each.

use crate::support::{load_texts, with_loaded};
use flate2::read::GzDecoder;
use purlin::check::Selection;
use purlin::finding::Severity;
use purlin::policy::Policy;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};

/// The rules that say what an API server refuses.
const RULES: [&str; 9] = [
    "duplicate-entry",
    "hpa-bounds",
    "invalid-field",
    "invalid-network-policy",
    "invalid-quantity",
    "invalid-schema",
    "removed-api",
    "requests-above-limits",
    "selector-mismatch",
];

/// Of so many in a thousand they agree at least.
const AGREED: usize = 950;

#[test]
fn nothing_is_refused_that_an_api_server_takes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/answers.jsonl.gz");
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    let only = RULES.iter().map(|it| (*it).to_string()).collect();
    let selection = Selection { only, ..Selection::default() };
    let (mut wrong, mut agreed, mut all) = (Vec::new(), 0, 0);
    for line in lines {
        let line = line.unwrap();
        let case: Value = serde_json::from_str(&line).unwrap();
        let is_refused = case["refused"].as_bool().unwrap();
        let text = case["document"].to_string();
        let loaded = load_texts(&[("it.yaml", &text)]);
        let errors = with_loaded(&loaded, &Policy::default(), &selection, |_, outcome| {
            let errors = outcome.findings.iter().filter(|it| it.severity == Some(Severity::Error));
            errors.map(|it| format!("{}: {}", it.rule, it.message)).collect::<Vec<_>>()
        });
        let is_broken = !loaded.broken.is_empty() || loaded.documents.is_empty();
        if !is_refused && !errors.is_empty() {
            wrong.push(format!("{text}\n  {}", errors.join("\n  ")));
        }
        all += 1;
        agreed += usize::from(is_refused != (errors.is_empty() && !is_broken));
    }
    assert!(all > 2000, "{all} documents");
    assert!(wrong.is_empty(), "an API server takes these:\n{}", wrong.join("\n"));
    println!("{agreed} of {all} are judged alike");
    assert!(agreed * 1000 >= all * AGREED, "{agreed} of {all} are judged alike");
}
