//! The same objects from disk, from a cluster and through the webhook give the same findings: all fixtures and the
//! examples of all pages, on one API server.

use super::{findings, purlin, report};
use crate::apiserver::ApiServer;
use crate::apiserver::json_of;
use crate::rules::{WITHOUT_FIXTURES, examples, world};
use crate::support::{fixture, load_paths};
use crate::systems::{OTHERS, REPAIRED};
use crate::webhook::agreement;
use purlin::load::{Loaded, load_texts};
use purlin::model::{Model, Object};
use purlin::rule::Group;
use purlin::rules::built_in;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Why nodes are others than those that were written.
const NODES: &str =
    "what a node has is in its status, which is not applied, and the API server taints new nodes";

const AGGREGATED: &str = "no controller runs that fills aggregated roles";
const BUILT_IN: &str = "the API server has the role itself, and the finding points into it";
const ACCOUNT: &str = "the API server writes the name into `serviceAccountName` as well";
const ENDED: &str = "that it has ended stands in its status, which is not applied";

/// Findings that may differ: the world (all of them if empty), how the finding begins, what it says, and why.
const DIFFER: &[(&str, &str, &str, &str)] = &[
    ("", "duplicate-key: ", "", "a key stands twice only in a text"),
    ("", "duplicate-object: ", "", "a cluster holds an object once"),
    ("", "expired-exception: ", "", "is about the policy file"),
    ("", "hpa-bounds: ", "` sets `replicas: ", "in a cluster the autoscaler sets the field"),
    ("", "hpa-fights-replicas: ", "", "in a cluster the autoscaler sets the field"),
    ("", "invalid-yaml: ", "", "only a text can be broken"),
    ("", "deprecated-api: ", "", "a cluster answers in any version"),
    ("", "deprecated-field: ", "` has `serviceAccount`", "the API server writes both fields"),
    ("", "", "`ClusterRole/purlin`", "is the role of purlin itself, which the tests make"),
    ("", "", "`ClusterRoleBinding/purlin`", "is the role of purlin itself, which the tests make"),
    ("rules/access-to-secrets/bad", "access-", "owner", AGGREGATED),
    ("rules/access-as-cluster-admin/", "access-as-cluster-admin: ", "", BUILT_IN),
    ("rules/access-to-secrets/good", "access-as-cluster-admin: ", "", BUILT_IN),
    ("rules/access-to-exec/bad", "missing-service-account: ", "", ACCOUNT),
    ("rules/deprecated-field/bad", "missing-service-account: ", "", ACCOUNT),
    ("page of deprecated-field", "missing-service-account: ", "", ACCOUNT),
    ("rules/default-service-account-used/good", "missing-service-account: ", "", ACCOUNT),
    ("rules/duplicate-object/good", "", "`Job/default/migrate-", "the API server makes the name"),
    ("rules/invalid-quantity/bad", "invalid-quantity: ", "`Gi`", "the API server writes 0"),
    ("rules/naked-pod/good", "", "`Pod/shop/done`", ENDED),
    ("rules/privileged-container/good", "", "`Job/shop/done`", ENDED),
    ("rules/quota-below-hpa-max/good", "", "`Pod/done/done`", ENDED),
    ("", "secret-in-repository: ", "`Secret/", "values of Secrets are not read from a cluster"),
    ("", "unused-exception: ", "", "is about the policy file"),
    ("", "anti-affinity-unsatisfiable: ", "", NODES),
    ("", "capacity-below-hpa-max: ", "", NODES),
    ("", "drain-impossible: ", "", NODES),
    ("", "node-loss-stops-service: ", "", NODES),
    ("", "pod-fits-no-node: ", "", NODES),
    ("", "zone-loss-stops-service: ", "", NODES),
    (
        "rules/duplicate-key/",
        "unused-config: ",
        "`ConfigMap/default/a`",
        "the cluster's own objects hold the word `a`",
    ),
    (
        "rules/flow-undeclared/good",
        "flow-undeclared: ",
        "`Pod/other/batch`",
        "a pod that waits for a node has no address",
    ),
    ("", "half-open-flow: ", "`Pod/", "a pod that waits for a node has no address"),
    (
        "rules/dangling-webhook/bad",
        "dangling-webhook: ",
        "`unported.policy.example`",
        "the API server writes the port that it calls, and the finding points at it",
    ),
    (
        "rules/hpa-selector-ambiguous/bad",
        "hpa-selector-ambiguous: ",
        "`ScaledObject/shop/store-reader`",
        "the pods of two workloads are found, and those that are read first are named",
    ),
    (
        "rules/webhook-locks-itself-out/bad",
        "webhook-locks-itself-out: ",
        "",
        "the API server writes the failure policy, and the finding points at it",
    ),
    (
        "rules/volume-claim-unbindable/good",
        "volume-claim-unbindable: ",
        "`PersistentVolumeClaim/records/bound`",
        "that a claim is bound stands in its status, which is not applied",
    ),
    (
        "rules/hpa-without-requests/bad",
        "hpa-without-requests: ",
        "`HorizontalPodAutoscaler/shop/d`",
        "the API server makes metrics of what an `autoscaling/v1` object says",
    ),
    (
        "rules/hpa-without-requests/good",
        "hpa-without-requests: ",
        "`HorizontalPodAutoscaler/shop/h`",
        "the API server makes the metrics of an `autoscaling/v1` object, and reads its annotation",
    ),
    (
        "rules/ingress-collision/bad",
        "ingress-collision: ",
        "shop.example",
        "of three that collide the one that is read first is named",
    ),
    (
        "rules/limit-range-violation/good",
        "unused-config: ",
        "`PersistentVolumeClaim/v/a`",
        "the cluster's own objects hold the word `a`",
    ),
    (
        "rules/hpa-duplicate-target/bad",
        "pdb-missing: ",
        "`Deployment/shop/api`",
        "of two autoscalers of the same peak the one that is read first is named",
    ),
    (
        "rules/hpa-duplicate-target/bad",
        "replicas-not-spread: ",
        "`Deployment/shop/api`",
        "of two autoscalers of the same peak the one that is read first is named",
    ),
    (
        "rules/missing-config-map/good",
        "missing-config-map: ",
        "`settings-4gh7t9k2mb`",
        "kustomize generates such names only in files",
    ),
    (
        "rules/missing-service-account/bad",
        "missing-service-account: ",
        "`Deployment/shop/worker`",
        "the API server writes the name into `serviceAccountName` as well",
    ),
    (
        "rules/quota-below-hpa-max/good",
        "quota-below-hpa-max: ",
        "`ResourceQuota/done/done`",
        "that Jobs have ended stands in their status, which is not applied",
    ),
    (
        "rules/service-port-unserved/bad",
        "single-replica: ",
        "`Deployment/shop/api`",
        "names the first of several Services",
    ),
    (
        "rules/shared-read-write-once-volume/good",
        "unused-config: ",
        "",
        "the cluster's own objects hold the words `cluster` and `moved`",
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
    let (mut worlds_compared, mut compared, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    for world in worlds(examples.path()) {
        let loaded = load_paths(std::slice::from_ref(&world.manifests));
        let folder = laid_out(&world, &loaded);
        let (names, no) = server.apply_loaded(&load_paths(&[folder.path().to_path_buf()]));
        for (object, why) in &no {
            let why = why.split(": Status {").next().unwrap_or(why).split(" (Status {").next();
            println!("not taken: {}: {object}: {}", world.name, why.unwrap_or_default());
        }
        refused += no.len();
        // What the API server does not take is left out from disk as well.
        let folder = if no.is_empty() { folder } else { laid_out(&world, &without(&loaded, &no)) };
        let found = compare(&server, &world, &folder);
        worlds_compared += 1;
        match found {
            Ok(count) => compared += count,
            Err(why) => wrong.push(why),
        }
        agreement::compare(&world.name, &server.read(&names), &mut wrong);
        server.delete(&names);
    }
    println!(
        "{worlds_compared} worlds and {compared} findings compared, without {refused} objects that were not taken"
    );
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        worlds_compared > 300 && compared > 2000,
        "{worlds_compared} worlds, {compared} findings"
    );
}

/// How many findings from disk and from the cluster are the same, or where they differ.
fn compare(server: &ApiServer, world: &World, folder: &TempDir) -> Result<usize, String> {
    let policy = folder.path().join("purlin.yaml");
    let policy = policy.to_str().unwrap();
    let disk = comparable(world, &on_disk(server, folder.path(), policy));
    let live = comparable(world, &report(&server.kubeconfig(), &["--policy", policy]));
    if disk == live {
        return Ok(disk.len());
    }
    let lost: Vec<_> = disk.difference(&live).collect();
    let new: Vec<_> = live.difference(&disk).collect();
    Err(format!("{}\n  only from disk: {lost:#?}\n  only live: {new:#?}", world.name))
}

/// The same for one of the systems, which is in place.
pub(crate) fn compare_system(server: &ApiServer, name: &str) -> Result<usize, String> {
    let world = system(name);
    let loaded = load_paths(std::slice::from_ref(&world.manifests));
    compare(server, &world, &laid_out(&world, &loaded))
}

fn worlds(examples_folder: &Path) -> Vec<World> {
    let mut worlds = Vec::new();
    // A cluster holds no architecture document.
    let of_objects = built_in().iter().filter(|it| it.group != Group::Architecture);
    for rule in of_objects.filter(|it| !WITHOUT_FIXTURES.contains(&it.id)) {
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
    worlds.extend(REPAIRED.iter().chain(&OTHERS).map(|it| system(it)));
    for entry in fs::read_dir(fixture("admission")).unwrap() {
        let case = entry.unwrap().path();
        let name = case.strip_prefix(fixture("")).unwrap().display().to_string();
        let (manifests, policy) = (case.join("cluster.yaml"), case.join("purlin.yaml"));
        worlds.push(World { name, manifests, policy });
    }
    worlds.sort_by(|a, b| a.name.cmp(&b.name));
    worlds
}

fn system(name: &str) -> World {
    let manifests = fixture(&format!("systems/{name}"));
    let policy = manifests.join("purlin.yaml");
    World { name: format!("systems/{name}"), manifests, policy }
}

/// The documents without those objects that the API server does not take.
fn without(loaded: &Loaded, refused: &[(String, String)]) -> Loaded {
    let model = Model::new(loaded, "default");
    let is_left = |it: &&Object<'_>| !refused.iter().any(|(object, _)| *object == it.to_string());
    let left = model.all_objects().filter(is_left).map(|it| json_of(it.root).to_string());
    let texts = left.enumerate().map(|(at, it)| (format!("{at}.json"), Arc::from(it)));
    load_texts(texts.collect())
}

/// A world in a folder of its own, with the Namespaces that it lives in and a policy by which all of it is complete: a
/// cluster is.
fn laid_out(world: &World, loaded: &Loaded) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (at, (_, source)) in loaded.sources.iter().enumerate() {
        fs::write(folder.path().join(format!("{at:03}.yaml")), &*source.text).unwrap();
    }
    fs::write(folder.path().join("namespaces.yaml"), namespaces(loaded)).unwrap();
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

/// Why only files say something (`rule: message`), whatever the world, if that is so.
pub(crate) fn why_only_files(finding: &str) -> Option<&'static str> {
    why_different("", finding)
}

fn why_different(world: &str, finding: &str) -> Option<&'static str> {
    let found = DIFFER.iter().find(|(name, start, part, _)| {
        world.starts_with(name) && finding.starts_with(start) && finding.contains(part)
    });
    found.map(|it| it.3)
}

fn on_disk(server: &ApiServer, folder: &Path, policy: &str) -> Value {
    let args = ["check", "--format", "json", "--policy", policy, folder.to_str().unwrap()];
    let output = purlin(&server.kubeconfig(), &args);
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The findings that can be compared, each as its words where their order says nothing, and by what a baseline knows it.
fn comparable(world: &World, report: &Value) -> BTreeSet<String> {
    let fingerprints = report["findings"].as_array().unwrap().iter().map(|it| &it["fingerprint"]);
    let compared = findings(report)
        .into_iter()
        .zip(fingerprints)
        .filter(|(it, _)| why_different(&world.name, it).is_none());
    let ordered = compared.map(|(it, fingerprint)| {
        if !IN_ORDER.iter().any(|rule| it.starts_with(rule)) {
            return format!("{it} {fingerprint}");
        }
        let mut words: Vec<_> = it.split([' ', ',']).collect();
        words.sort_unstable();
        format!("{} {fingerprint}", words.join(" "))
    });
    ordered.collect()
}
