//! The world of every fixture judged through a snapshot, namespace by namespace, says what a check of the whole says.

use super::support::{cluster, objects};
use crate::support::{fixture, load_paths};
use crate::systems::{OTHERS, REPAIRED, texts};
use purlin::check::{Selection, check};
use purlin::load::coverage::Coverage;
use purlin::load::{Document, Loaded, live};
use purlin::model::Model;
use purlin::model::kind::KINDS;
use purlin::policy::Policy;
use purlin::rule::{Admission, Place};
use purlin::rules::{self, RULES};
use purlin::source::{Source, SourceId};
use purlin::webhook::key::Key;
use purlin::webhook::world::{world, worlds};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What only a look at every namespace tells; the webhook reads a few.
const OF_ALL_NAMESPACES: &str = "`NetworkPolicy/shop/not-here` lets in a peer that does not exist: no pods of namespaces `empty`";

#[test]
fn namespaces_say_what_the_whole_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in REPAIRED.iter().chain(&OTHERS) {
        let loaded = purlin::load::load_texts(texts(name));
        count += compare(name, &objects(&loaded), &mut wrong);
    }
    for rule in RULES {
        for side in ["bad", "good"] {
            let file = fixture(&format!("rules/{}/{side}.yaml", rule.id));
            let path =
                if file.exists() { file } else { fixture(&format!("rules/{}/{side}", rule.id)) };
            if !path.exists() {
                continue;
            }
            let loaded = load_paths(&[path]);
            if loaded.broken.is_empty() {
                count += compare(&format!("{} {side}", rule.id), &objects(&loaded), &mut wrong);
            }
        }
    }
    println!("{count} findings");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Adds where the two differ, and says how many findings there were.
pub(crate) fn compare(name: &str, objects: &[Value], wrong: &mut Vec<String>) -> usize {
    let objects = &with_namespaces(objects);
    let whole = whole(objects);
    let parts = parts(objects);
    for it in whole.difference(&parts) {
        if !it.contains(OF_ALL_NAMESPACES) {
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
    let documents = objects.iter().map(|it| live::document(SourceId(0), it.clone(), "", ""));
    let mut last = std::collections::BTreeMap::new();
    for document in documents {
        // Of two objects of one name the cluster holds the last.
        last.insert(Key::of(document.tree.root()).unwrap(), document);
    }
    said(&loaded(last.into_values().map(|it: Document| Arc::new(it)).collect()))
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
        all.extend(said(&world(&snapshot, namespace).loaded));
    }
    for entry in snapshot.iter().filter(|it| it.key.namespace.is_empty()) {
        let [_, world] = worlds(&snapshot, &entry.key, None, Some(entry.document.clone()));
        all.extend(said(&world.loaded));
    }
    all
}

/// The findings that the webhook tells of, by rule, first object, and what a baseline knows them by.
fn said(loaded: &Loaded) -> BTreeSet<String> {
    let model = Model::new(loaded, "default");
    let outcome = check(&model, &Policy::default(), &Selection::default());
    let told = outcome
        .findings
        .iter()
        .filter(|it| rules::find(it.rule).is_some_and(|it| it.admission != Admission::Audit));
    told.map(|it| {
        let object = match &it.labels[0].place {
            Place::Field { object, .. } => model.object(*object).to_string(),
            Place::Text { .. } => "text".into(),
        };
        // Of two that collide the one that is read first is called so.
        match it.rule {
            "ingress-collision" => it.rule.to_string(),
            rule => format!("{rule} {object}: {} {}", it.message, it.fingerprint),
        }
    })
    .collect()
}
