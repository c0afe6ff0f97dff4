//! What purlin says of single objects beside what Kubernetes' own API server says: `tests/schemas/answers.jsonl.gz` holds
//! mutants of manifests (a field renamed, retyped, removed, out of range, another word) and whether Kubernetes 1.37.2 takes
//! each. `ANSWERS=FILE` asks about other mutants, written as there but not compressed, and lists where the two differ.

use crate::support::{load_paths, load_texts, with_loaded};
use flate2::read::GzDecoder;
use purlin::check::Selection;
use purlin::finding::Severity;
use purlin::policy::Policy;
use serde_json::Value;
use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};

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
const AGREED: usize = 995;

#[test]
fn nothing_is_refused_that_an_api_server_takes() {
    let other = env::var("ANSWERS").ok();
    let lines = answers(other.as_deref());
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
        let is_agreed = is_refused != (errors.is_empty() && !is_broken);
        agreed += usize::from(is_agreed);
        if other.is_some() && !is_agreed {
            println!("{}\t{text}\t{}", case["why"].as_str().unwrap_or_default(), errors.join("; "));
        }
    }
    assert!(all > 2000, "{all} documents");
    assert!(wrong.is_empty(), "an API server takes these:\n{}", wrong.join("\n"));
    println!("{agreed} of {all} are judged alike");
    assert!(agreed * 1000 >= all * AGREED, "{agreed} of {all} are judged alike");
}

/// Objects of good fixtures that an API server refuses, because that is what they are about: fixture and object.
const REFUSED: &[(&str, &str)] = &[
    ("cron-job-never-runs", "CronJob/shop/refused"),
    ("image-tag-latest", "Deployment/shop/api"),
    ("job-never-removed", "CronJob/shop/refused"),
    ("missing-config-map", "Deployment/shop/api"),
    ("pdb-blocks-drain", "PodDisruptionBudget/rows/both-fields"),
    ("pdb-blocks-drain", "PodDisruptionBudget/rows/quoted"),
    ("pdb-blocks-drain", "PodDisruptionBudget/rows/too-much"),
    ("pdb-overlap", "PodDisruptionBudget/shop/refused"),
    ("pdb-unhealthy-pods-block-drain", "PodDisruptionBudget/shop/refused"),
    ("policy-selects-nothing", "NetworkPolicy/shop/invalid"),
    ("quota-below-hpa-max", "ResourceQuota/absurd/absurd"),
    ("rollout-deadlock", "Deployment/shop/wrong"),
    ("rollout-drops-all", "Deployment/shop/refused"),
    ("rollout-drops-all", "Deployment/shop/wrong"),
    ("selector-mismatch", "Deployment/shop/number"),
];

/// Rules whose good fixtures hold what is no object of an API server.
const OTHER: &[&str] = &["invalid-yaml"];

#[test]
fn good_fixtures_are_what_an_api_server_takes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/rules");
    // Older versions and other objects are what some of them are about.
    let of_itself = RULES.iter().filter(|it| !matches!(**it, "hpa-bounds" | "removed-api"));
    let only = of_itself.map(|it| (*it).to_string()).collect();
    let selection = Selection { only, ..Selection::default() };
    let (mut wrong, mut stale) = (Vec::new(), REFUSED.to_vec());
    for rule in fs::read_dir(folder).unwrap() {
        let path = rule.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let good = [path.join("good.yaml"), path.join("good")].into_iter().find(|it| it.exists());
        let Some(good) = good.filter(|_| !OTHER.contains(&&*name)) else { continue };
        let loaded = load_paths(&[good]);
        with_loaded(&loaded, &Policy::default(), &selection, |_, outcome| {
            for it in outcome.findings.iter().filter(|it| it.severity == Some(Severity::Error)) {
                let is =
                    |(rule, object): &(&str, &str)| *rule == name && it.message.contains(object);
                match REFUSED.iter().any(is) {
                    true => stale.retain(|it| !is(it)),
                    false => wrong.push(format!("{name}: {}: {}", it.rule, it.message)),
                }
            }
        });
    }
    assert!(wrong.is_empty(), "an API server refuses these:\n{}", wrong.join("\n"));
    assert!(stale.is_empty(), "nothing is refused of these: {stale:?}");
}

/// The mutants with their answers, one a line.
fn answers(other: Option<&str>) -> Box<dyn Iterator<Item = io::Result<String>>> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/answers.jsonl.gz");
    let file = File::open(other.unwrap_or(own)).unwrap();
    match other {
        Some(_) => Box::new(BufReader::new(file).lines()),
        None => Box::new(BufReader::new(GzDecoder::new(file)).lines()),
    }
}
