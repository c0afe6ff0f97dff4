//! The same objects from disk and from a cluster give the same findings: all fixtures and the examples of all pages, on
//! one API server.

use super::{findings, purlin, report};
use crate::apiserver::ApiServer;
use crate::rules::{WITHOUT_FIXTURES, examples, world};
use crate::support::{fixture, load_paths};
use purlin::load::Loaded;
use purlin::model::Model;
use purlin::rules::RULES;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Findings that may differ: the world (all of them if empty), how the finding begins, what it says, and why.
const DIFFER: &[(&str, &str, &str, &str)] = &[
    ("", "duplicate-key: ", "", "a key stands twice only in a text"),
    ("", "duplicate-object: ", "", "a cluster holds an object once"),
    ("", "expired-exception: ", "", "is about the policy file"),
    ("", "hpa-bounds: ", "` sets `replicas: ", "in a cluster the autoscaler sets the field"),
    ("", "hpa-fights-replicas: ", "", "in a cluster the autoscaler sets the field"),
    ("", "invalid-yaml: ", "", "only a text can be broken"),
    ("", "secret-in-repository: ", "`Secret/", "values of Secrets are not read from a cluster"),
    ("", "unused-exception: ", "", "is about the policy file"),
    (
        "rules/duplicate-key/",
        "unused-config: ",
        "`ConfigMap/default/a`",
        "the cluster's own objects hold the word `a`",
    ),
    ("rules/invalid-yaml/bad", "unused-config: ", "", "the text that is broken may use it"),
    (
        "rules/stateful-set-service-missing/good",
        "single-replica: ",
        "`StatefulSet/shop/database`",
        "names the first of several Services",
    ),
];

/// Rules that name things in the order of reading them; a cluster has the order of names.
const IN_ORDER: &[&str] =
    &["hpa-duplicate-target: ", "ingress-collision: ", "pdb-overlap: ", "quota-"];

/// A world, a name for it, and the policy that is to be obeyed.
struct World {
    name: String,
    manifests: PathBuf,
    policy: PathBuf,
}

#[test]
fn findings_from_disk_and_from_the_cluster_are_the_same() {
    let Some(server) = ApiServer::start() else { return };
    let examples = tempfile::tempdir().unwrap();
    let (mut same, mut compared, mut refused, mut wrong) = (0, 0, Vec::new(), Vec::new());
    for world in worlds(examples.path()) {
        let folder = laid_out(&world);
        let (names, no) = server.apply_loaded(&load_paths(&[folder.path().to_path_buf()]));
        if let Some((object, why)) = no.first() {
            let why = why.split(": Status {").next().unwrap_or(why).split(" (Status {").next();
            refused.push(format!("{}: {object}: {}", world.name, why.unwrap_or_default()));
        } else {
            let policy = folder.path().join("purlin.yaml");
            let policy = policy.to_str().unwrap();
            let disk = comparable(&world, &on_disk(&server, folder.path(), policy));
            let live = comparable(&world, &report(&server.kubeconfig(), &["--policy", policy]));
            (same, compared) = (same + 1, compared + disk.len());
            if disk != live {
                let lost: Vec<_> = disk.difference(&live).collect();
                let new: Vec<_> = live.difference(&disk).collect();
                let name = world.name;
                wrong.push(format!("{name}\n  only from disk: {lost:#?}\n  only live: {new:#?}"));
            }
        }
        server.delete(&names);
    }
    println!(
        "{same} worlds and {compared} findings compared; {} worlds were not taken:",
        refused.len()
    );
    refused.iter().for_each(|it| println!("  {it}"));
    assert!(wrong.is_empty(), "{} worlds differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(same > 150 && compared > 300, "{same} worlds, {compared} findings");
}

fn worlds(examples_folder: &Path) -> Vec<World> {
    let mut worlds = Vec::new();
    for rule in RULES.iter().filter(|it| !WITHOUT_FIXTURES.contains(&it.id)) {
        let policy = fixture(&format!("rules/{}/purlin.yaml", rule.id));
        for part in ["bad", "good"] {
            let name = format!("rules/{}/{part}", rule.id);
            let manifests = world(rule, part);
            worlds.push(World { name, manifests, policy: policy.clone() });
        }
        for heading in ["## Bad", "## Good"] {
            for (at, text) in examples(rule.page, heading).iter().enumerate() {
                let name =
                    format!("page of {}, {}, {at}", rule.id, heading.trim_start_matches("## "));
                let manifests = examples_folder.join(format!("{name}.yaml"));
                fs::write(&manifests, text).unwrap();
                worlds.push(World { name, manifests, policy: policy.clone() });
            }
        }
    }
    for entry in fs::read_dir(fixture("systems")).unwrap() {
        let system = entry.unwrap().path();
        for part in ["as-documented", "repaired"] {
            let manifests = system.join(part);
            let name = manifests.strip_prefix(fixture("")).unwrap().display().to_string();
            let policy = manifests.join("purlin.yaml");
            worlds.push(World { name, manifests, policy });
        }
    }
    worlds.sort_by(|a, b| a.name.cmp(&b.name));
    worlds
}

/// A world in a folder of its own, with the Namespaces that it lives in and a policy by which all of it is complete: a
/// cluster is.
fn laid_out(world: &World) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let loaded = load_paths(std::slice::from_ref(&world.manifests));
    for (at, (_, source)) in loaded.sources.iter().enumerate() {
        fs::write(folder.path().join(format!("{at:03}.yaml")), &*source.text).unwrap();
    }
    fs::write(folder.path().join("namespaces.yaml"), namespaces(&loaded)).unwrap();
    let own = fs::read_to_string(&world.policy).unwrap_or_default();
    let own =
        if own.is_empty() { "apiVersion: purlin.dev/v1alpha1\nkind: Policy\n".into() } else { own };
    let own: String =
        own.lines().filter(|it| !it.starts_with("complete:")).map(|it| format!("{it}\n")).collect();
    fs::write(folder.path().join("purlin.yaml"), format!("{own}complete: ['*']\n")).unwrap();
    folder
}

/// The Namespaces that a world does not define; the API server always has the first four.
fn namespaces(loaded: &Loaded) -> String {
    let model = Model::new(loaded, "default");
    let mut names: BTreeSet<&str> =
        ["default", "kube-node-lease", "kube-public", "kube-system"].into();
    names.extend(model.objects().map(|it| it.namespace).filter(|it| !it.is_empty()));
    for object in model.objects().filter(|it| it.kind_name == "Namespace") {
        names.remove(object.name);
    }
    let each = names.iter().map(|it| {
        format!(
            "---\napiVersion: v1\nkind: Namespace\n\
             metadata: {{name: {it}, labels: {{kubernetes.io/metadata.name: {it}}}}}\n"
        )
    });
    each.collect()
}

fn on_disk(server: &ApiServer, folder: &Path, policy: &str) -> Value {
    let args = ["check", "--format", "json", "--policy", policy, folder.to_str().unwrap()];
    let output = purlin(&server.kubeconfig(), &args);
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The findings that can be compared, each as its words where their order says nothing.
fn comparable(world: &World, report: &Value) -> BTreeSet<String> {
    let differs = |finding: &str| {
        DIFFER.iter().any(|(name, start, part, _)| {
            world.name.starts_with(name) && finding.starts_with(start) && finding.contains(part)
        })
    };
    let compared = findings(report).into_iter().filter(|it| !differs(it));
    let ordered = compared.map(|it| {
        if !IN_ORDER.iter().any(|rule| it.starts_with(rule)) {
            return it;
        }
        let mut words: Vec<_> = it.split([' ', ',']).collect();
        words.sort_unstable();
        words.join(" ")
    });
    ordered.collect()
}
