//! The controls of Pod Security against Kubernetes' own answers, made by `tests/oracle`: for the manifests of Pod Security
//! Admission's tests and for random pods, at both levels, in every policy version.

mod admission;
mod pods;
mod presets;

use crate::support::{load_texts, root};
use flate2::read::GzDecoder;
use purlin::analyze::security::pod::SecuredPod;
use purlin::analyze::security::standard::{Level, NEWEST, Version, failures};
use purlin::model::Model;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A pod and what Pod Security says of it.
#[derive(Deserialize)]
struct Answer {
    /// Missing where the test makes it again.
    #[serde(default)]
    pod: Value,
    #[serde(default)]
    files: Vec<Manifest>,
    baseline: Vec<Since>,
    restricted: Vec<Since>,
}

/// The checks that refuse it from this minor version on.
#[derive(Deserialize)]
struct Since {
    since: u32,
    checks: BTreeSet<String>,
}

/// A manifest of Pod Security Admission's tests.
#[derive(Deserialize)]
struct Manifest {
    level: String,
    minor: u32,
    passes: bool,
}

fn read(name: &str, other: &str) -> Vec<Answer> {
    let others = std::env::var_os(other).map(PathBuf::from);
    read_file(&others.unwrap_or_else(|| root().join("tests/oracle").join(name)))
}

fn read_file(path: &Path) -> Vec<Answer> {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// Hands on each of these pods, in their order.
fn each_pod(pods: &[Value], mut then: impl FnMut(usize, SecuredPod<'_>)) {
    let text: String = pods.iter().map(|it| format!("---\n{it}\n")).collect();
    let loaded = load_texts(&[("pods.yaml", &text)]);
    let model = Model::new(&loaded, "default");
    assert_eq!(model.all_objects().count(), pods.len());
    model.all_objects().enumerate().for_each(|(at, it)| then(at, SecuredPod::new(it.root)));
}

fn refused(pod: SecuredPod<'_>, level: Level, minor: u32) -> BTreeSet<String> {
    let failures = failures(pod, level, Version::minor(minor));
    failures.map(|it| it.control.id.to_string()).collect()
}

/// Compares a pod with its answer in these minor versions; how many comparisons that were.
fn compare(pod: SecuredPod<'_>, answer: &Answer, minors: &[u32], shown: &Value) -> usize {
    for (level, expected) in
        [(Level::Baseline, &answer.baseline), (Level::Restricted, &answer.restricted)]
    {
        for minor in minors {
            let expected = expected.iter().rev().find(|it| it.since <= *minor).unwrap();
            assert_eq!(
                refused(pod, level, *minor),
                expected.checks,
                "{} at 1.{minor}: {shown}",
                level.name()
            );
        }
    }
    2 * minors.len()
}

#[test]
fn the_manifests_of_pod_security_admission_are_judged_alike() {
    let Some(path) = std::env::var_os("PURLIN_POD_SECURITY_TESTS") else {
        eprintln!(
            "LEFT OUT: no manifests of pod-security-admission; `tests/oracle/security.sh SEED` fetches and compares them"
        );
        return;
    };
    let answers = read_file(path.as_ref());
    let pods: Vec<_> = answers.iter().map(|it| it.pod.clone()).collect();
    let minors: Vec<_> = (0..=NEWEST).collect();
    let (mut files, mut compared) = (0, 0);
    each_pod(&pods, |at, pod| {
        compared += compare(pod, &answers[at], &minors, &pods[at]);
        for file in &answers[at].files {
            let level = Level::parse(&file.level).unwrap();
            let is_refused = !refused(pod, level, file.minor).is_empty();
            assert_eq!(
                is_refused, !file.passes,
                "{} at 1.{}: {}",
                file.level, file.minor, pods[at]
            );
            files += 1;
        }
    });
    assert_eq!(files, 4537, "as many as the module holds");
    println!("{files} manifests, {} different pods, {compared} comparisons", pods.len());
}

/// The versions that changed a control.
const CHANGES: [u32; 13] = [0, 8, 19, 22, 23, 25, 27, 29, 31, 32, 34, 35, 37];

#[test]
fn random_pods_are_judged_alike() {
    let seed = std::env::var("PURLIN_PODS_SEED").map_or(0, |it| it.parse().unwrap());
    let pods = pods::pods(seed, 10_000);
    // `tests/oracle/security.sh` asks for the pods, and comes back with the answers.
    if let Some(path) = std::env::var_os("PURLIN_PODS_OUT") {
        let lines: String = pods.iter().map(|it| format!("{it}\n")).collect();
        return std::fs::write(path, lines).unwrap();
    }
    let answers = read("pod-security-random.jsonl.gz", "PURLIN_PODS_ANSWERS");
    assert_eq!(answers.len(), pods.len());
    let mut passing = [0, 0];
    let mut compared = 0;
    each_pod(&pods, |at, pod| {
        compared += compare(pod, &answers[at], &CHANGES, &pods[at]);
        passing[0] += usize::from(refused(pod, Level::Baseline, NEWEST).is_empty());
        passing[1] += usize::from(refused(pod, Level::Restricted, NEWEST).is_empty());
    });
    assert!(passing.iter().all(|it| (1..pods.len()).contains(it)), "{passing:?}");
    println!("{compared} comparisons; passing baseline and restricted: {passing:?}");
}

#[test]
fn versions_are_read_as_the_labels_write_them() {
    let read = |text| Version::parse(text).map(|it| it.to_string());
    for text in ["latest", "v1.0", "v1.8", "v1.37", "v1.90"] {
        assert_eq!(read(text).as_deref(), Some(text));
    }
    for text in ["", "1.30", "v1.08", "v1.", "v2.0", "v1.+3", "v1.30.1", "Latest", "v1.99999999999"]
    {
        assert_eq!(read(text), None, "{text}");
    }
}
