//! The world of every fixture judged through a snapshot, namespace by namespace, says what a check of the whole says.

use super::support::{cluster, objects};
use crate::support::{fixture, load_paths, load_texts, only, with_promises};
use crate::systems::{OTHERS, REPAIRED, texts};
use purlin::api::image::Image;
use purlin::api::kind::{KINDS, Kind, Kinds, WORKLOADS};
use purlin::check::needs;
use purlin::check::{Selection, check, findings};
use purlin::load::cluster::coverage::Coverage;
use purlin::load::cluster::live;
use purlin::load::{Document, Loaded};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::rule::{Admission, ImagePart, Place, Rule};
use purlin::rules::{self, built_in};
use purlin::run::Run;
use purlin::text::source::{Source, SourceId};
use purlin::webhook::key::Key;
use purlin::webhook::world::{Worlds, world, worlds};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What only a look at every namespace tells; the webhook reads a few.
const OF_ALL_NAMESPACES: &str = "`NetworkPolicy/shop/not-here` lets in a peer that does not exist: no pods of namespaces `empty`";

#[test]
fn namespaces_say_what_the_whole_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    each_world(|name, objects| count += compare(name, objects, &mut wrong));
    println!("{count} findings");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// The rules that are said to look at one object at a time find in all objects what they find in each.
#[test]
fn some_rules_need_no_other_object() {
    // What no preset has finds nothing without a policy that sets it.
    let alone = built_in().iter().filter(|it| it.is_of_one_object() && !it.presets.is_empty());
    let alone: Vec<_> = alone.collect();
    let (policy, run) = (Policy::default(), Run::default());
    let found = |model: &Model<'_>| -> Vec<String> {
        let told = findings(model, &policy, &run, &alone).into_iter();
        told.map(|it| format!("{} {} {:?}", it.rule, it.message, it.notes)).collect()
    };
    let mut rules = BTreeSet::new();
    each_world(|name, objects| {
        let snapshot = cluster(objects).snapshot();
        // Beside the template that a controller made it from, an object is no workload of its own.
        let owners = ["metadata", "ownerReferences"];
        let by_hand = snapshot.iter().filter(|it| it.document.tree.root().at(&owners).is_none());
        let by_hand: Vec<_> = by_hand.collect();
        let all = loaded(by_hand.iter().map(|it| it.document.clone()).collect());
        let mut whole = found(&Model::new(&all, "default"));
        let mut each: Vec<String> = Vec::new();
        for entry in by_hand {
            let object = std::iter::once((&*entry.document, None));
            each.extend(found(&Model::of_read(&all, object, "default")));
        }
        whole.sort();
        each.sort();
        assert_eq!(whole, each, "{name}");
        rules.extend(whole.iter().filter_map(|it| it.split(' ').next().map(str::to_string)));
    });
    assert_eq!(rules.len(), alone.len(), "each of them finds something: {rules:?}");
}

/// Of the world around an object, only the kinds that its rules read are put together: they find the same there.
#[test]
fn rules_find_the_same_among_the_kinds_that_they_read() {
    let (policy, run) = (Policy::default(), Run::default());
    let mut found_any = BTreeSet::new();
    each_world(|name, objects| {
        let snapshot = cluster(&with_namespaces(objects)).snapshot();
        for entry in snapshot.iter() {
            let kind = entry.key.kind;
            let is_workload = WORKLOADS.contains(&kind) || kind == Kind::Custom;
            let concerned = |it: &&'static Rule| {
                it.admission != Admission::Audit && (is_workload || it.reads.contains(&kind))
            };
            let rules: Vec<_> = built_in().iter().filter(concerned).collect();
            let found = |kinds: Kinds| -> BTreeSet<String> {
                let object = Some(entry.clone());
                let Worlds { loaded, others, after, .. } =
                    worlds(&snapshot, &entry.key, None, object, kinds);
                let object = after.as_deref().map(|it| (it, None));
                let documents = others.into_iter().chain(object);
                let model = Model::of_read(&loaded, documents, "default");
                let told = findings(&model, &policy, &run, &rules).into_iter();
                told.map(|it| format!("{} {} {:?} {:?}", it.rule, it.message, it.notes, it.over))
                    .collect()
            };
            let (all, read) = (found(Kinds::ALL), found(needs::kinds(rules.iter().copied())));
            assert_eq!(all, read, "{name}: {}", entry.key);
            found_any.extend(all.iter().filter_map(|it| it.split(' ').next()).map(str::to_string));
        }
    });
    assert!(found_any.len() > 40, "{}: {found_any:?}", found_any.len());
}

/// A new image of every container changes nothing that the other rules find, and a new tag nothing that those find which
/// read the repository alone.
#[test]
fn most_rules_do_not_look_at_images() {
    let (policy, run) = (Policy::default(), Run::default());
    let told: Vec<_> = built_in().iter().filter(|it| it.admission != Admission::Audit).collect();
    let found = |objects: &[Value]| -> Vec<String> {
        let snapshot = cluster(objects).snapshot();
        let all = loaded(snapshot.iter().map(|it| it.document.clone()).collect());
        let found = findings(&Model::new(&all, "default"), &policy, &run, &told).into_iter();
        let mut found: Vec<String> = found
            .map(|it| format!("{} {} {:?} {:?}", it.rule, it.message, it.labels, it.over))
            .collect();
        found.sort();
        found
    };
    let renamed = ["other/name:latest", "mongo", "registry.example/it:1"]
        .map(|name| (ImagePart::Repository, name, ""));
    let tagged = [":latest", ":${TAG}", ":7-redis", "@sha256:00"]
        .map(|version| (ImagePart::Whole, "", version));
    let mut differ = BTreeSet::new();
    each_world(|name, objects| {
        let before = found(objects);
        for (part, new, version) in renamed.into_iter().chain(tagged) {
            let mut objects = objects.to_vec();
            let image = |old: &str| match part {
                ImagePart::Repository => new.to_string(),
                ImagePart::Whole => format!("{}{version}", Image::of(old).repository),
            };
            objects.iter_mut().for_each(|it| set_images(it, &image));
            let after = found(&objects);
            let lost = before.iter().filter(|it| !after.contains(it));
            for it in lost.chain(after.iter().filter(|it| !before.contains(it))) {
                let rule = it.split(' ').next().and_then(|it| rules::built_in().find(it)).unwrap();
                assert!(rule.reads_images >= Some(part), "{name}: {it}");
                differ.insert((rule.id, part));
            }
        }
    });
    differ.extend(of_promises().map(|it| (it, ImagePart::Whole)));
    for rule in built_in().iter() {
        // What reads the repository finds something else with another one, and so on.
        let Some(part) = rule.reads_images else { continue };
        assert!(differ.contains(&(rule.id, part)), "{} does not read as much", rule.id);
    }
}

/// The rule that holds images to what an architecture document promises of them, which no fixture does alone.
fn of_promises() -> Option<&'static str> {
    let document = "apiVersion: purlin.dev/v1alpha1\nkind: Architecture\nmetadata: {name: it}\n\
        components: {it: {workload: Deployment/shop/it, security: {image: {pinned: tag}}}}\n";
    let found = |image: &str| {
        let workload = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: it, namespace: shop}}\nspec:\n  \
             selector: {{matchLabels: {{app: it}}}}\n  template:\n    metadata: {{labels: {{app: it}}}}\n    \
             spec: {{containers: [{{name: it, image: \"{image}\"}}]}}\n"
        );
        let texts = [("architecture.yaml", document), ("it.yaml", workload.as_str())];
        let only = only("component-differs");
        with_promises(load_texts(&texts), &Policy::default(), &only, |_, it| it.findings.len())
    };
    let (pinned, latest) = (found("registry.example/it:1"), found("registry.example/it:latest"));
    (pinned != latest).then_some("component-differs")
}

fn set_images(node: &mut Value, image: &dyn Fn(&str) -> String) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(|it| set_images(it, image)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::Array(containers)
                        if matches!(key.as_str(), "containers" | "initContainers") =>
                    {
                        for it in containers {
                            let new = it["image"].as_str().map(image);
                            new.into_iter().for_each(|new| it["image"] = new.into());
                        }
                    }
                    value => set_images(value, image),
                }
            }
        }
        _ => {}
    }
}

/// The objects of each system and of each fixture of a rule.
fn each_world(mut visit: impl FnMut(&str, &[Value])) {
    for name in REPAIRED.iter().chain(&OTHERS) {
        let loaded = purlin::load::load_texts(texts(name));
        visit(name, &objects(&loaded));
    }
    for rule in built_in().iter() {
        for side in ["bad", "good"] {
            let file = fixture(&format!("rules/{}/{side}.yaml", rule.id));
            let path =
                if file.exists() { file } else { fixture(&format!("rules/{}/{side}", rule.id)) };
            if !path.exists() {
                continue;
            }
            let loaded = load_paths(&[path]);
            if loaded.broken.is_empty() {
                visit(&format!("{} {side}", rule.id), &objects(&loaded));
            }
        }
    }
}

/// Adds where the two differ, and says how many findings there were.
pub(crate) fn compare(name: &str, objects: &[Value], wrong: &mut Vec<String>) -> usize {
    let objects = &with_namespaces(objects);
    let whole = whole(objects);
    let parts = parts(objects);
    for it in whole.difference(&parts) {
        // The webhook does not watch every custom kind, so it cannot tell that an object of one is missing.
        let is_of_custom_kind =
            it.starts_with("dangling-reference ") && it.contains("which the cluster does not have");
        if !it.contains(OF_ALL_NAMESPACES) && !is_of_custom_kind {
            wrong.push(format!("{name}: only the whole: {it}"));
        }
    }
    for it in parts.difference(&whole) {
        wrong.push(format!("{name}: only a part: {it}"));
    }
    whole.len()
}

/// These objects and the Namespaces that hold them, without which no cluster has them.
fn with_namespaces(objects: &[Value]) -> Vec<Value> {
    let name = |it: &Value, field: &str| it["metadata"][field].as_str().map(str::to_string);
    let defined: BTreeSet<_> = objects
        .iter()
        .filter(|it| it["kind"] == "Namespace")
        .filter_map(|it| name(it, "name"))
        .collect();
    let used: BTreeSet<_> = objects.iter().filter_map(|it| name(it, "namespace")).collect();
    let missing = used
        .difference(&defined)
        .map(|it| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": it}}));
    missing.chain(objects.iter().cloned()).collect()
}

/// What a check of all objects, read from a cluster, says.
fn whole(objects: &[Value]) -> BTreeSet<String> {
    let documents = objects.iter().map(|it| live::document(SourceId(0), it, "", ""));
    let mut last = std::collections::BTreeMap::new();
    for document in documents {
        // Of two objects of one name the cluster holds the last.
        last.insert(Key::of(document.tree.root()).unwrap(), document);
    }
    let loaded = loaded(last.into_values().map(|it: Document| Arc::new(it)).collect());
    said(&Model::new(&loaded, "default"))
}

/// A cluster of these documents and no others.
pub(crate) fn loaded(documents: Vec<Arc<Document>>) -> Loaded {
    let mut loaded = Loaded { documents, ..Loaded::default() };
    loaded.sources.add(Source::cluster("cluster".into()));
    let mut coverage = Coverage::of(None::<[&str; 0]>);
    KINDS.iter().for_each(|it| coverage.add(it.name));
    loaded.coverage = Some(coverage);
    loaded
}

/// What the worlds of all namespaces say together.
fn parts(objects: &[Value]) -> BTreeSet<String> {
    let snapshot = cluster(objects).snapshot();
    let mut all = BTreeSet::new();
    for namespace in snapshot.namespaces() {
        all.extend(said(&Model::new(&world(&snapshot, namespace), "default")));
    }
    for entry in snapshot.iter().filter(|it| it.key.namespace.is_empty()) {
        let Worlds { loaded, others, after, .. } =
            worlds(&snapshot, &entry.key, None, Some(entry.clone()), Kinds::ALL);
        let object = after.as_deref().map(|it| (it, None));
        let documents = others.into_iter().chain(object);
        all.extend(said(&Model::of_read(&loaded, documents, "default")));
    }
    all
}

/// The findings that the webhook tells of, by rule, first object, and what a baseline knows them by.
fn said(model: &Model<'_>) -> BTreeSet<String> {
    let outcome = check(model, &Policy::default(), &Run::default(), &Selection::default());
    let told = outcome.findings.iter().filter(|it| {
        rules::built_in().find(it.rule).is_some_and(|it| it.admission != Admission::Audit)
    });
    told.map(|it| {
        let object = match &it.labels[0].place {
            Place::Field { object, .. } => model.object(*object).to_string(),
            Place::Text { .. } => "text".into(),
        };
        // Of two that collide the one that is read first is called so.
        match it.rule {
            "ingress-collision" | "node-port-collision" => it.rule.to_string(),
            rule => format!("{rule} {object}: {} {}", it.message, it.fingerprint),
        }
    })
    .collect()
}
