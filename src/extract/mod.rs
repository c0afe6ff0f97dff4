//! An architecture document from what is there: minimal, sorted, and marked as observed, for somebody to decide.

pub mod calm;
mod components;
mod flows;
mod update;
mod write;

use crate::analyze::Facts;
use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;
use components::Names;
pub use update::{Change, Updated, Way, Written, update};
use write::{Map, Value, scalar};

/// The text of a document that says what the objects of a model are.
pub fn document<'d>(model: &Model<'d>, facts: &Facts<'d>, name: &str) -> String {
    let names = Names::new(model, facts);
    let mut text = String::from(HEAD);
    let mut root = Map::default();
    root.add("apiVersion", scalar("purlin.dev/v1alpha1"));
    root.add("kind", scalar("Architecture"));
    let mut about = Map::default();
    about.add("name", scalar(name));
    root.add("metadata", about.flow());
    root.add_filled("cluster", cluster(model));
    root.add_filled("namespaces", namespaces(model, &names));
    root.add_filled("components", components::components(model, facts, &names));
    root.add_filled("flows", flows::flows(facts, &names));
    root.add_list("routes", flows::routes(model, facts, &names));
    text.push_str(&root.render());
    text
}

/// What a reader has to know.
const HEAD: &str = "\
# yaml-language-server: $schema=architecture.schema.json
# What runs, as `purlin init` found it. `observed: true` marks what nobody decided yet: what differs from it is a note.
# Leave the mark out of what is meant, and add what has to hold (`objectives`). `purlin schema architecture` prints the
# schema for your editor.
";

/// The Nodes, equal ones as a pool.
fn cluster(model: &Model<'_>) -> Map {
    let mut nodes = Map::default();
    let mut all: Vec<&Object<'_>> = model.of_kind(Kind::Node).collect();
    all.sort_by_key(|it| it.name);
    for node in all {
        let mut fields = Map::default();
        for field in ["capacity", "allocatable"] {
            let mut amounts = Map::default();
            for resource in ["cpu", "memory", "pods"] {
                let amount = node.field(&["status", field, resource]).and_then(Node::scalar);
                if let Some(it) = amount {
                    amounts.add(resource, scalar(&it));
                }
            }
            fields.add_filled_flow(field, amounts);
        }
        let labels = node.labels();
        if let Some((_, zone)) = labels.iter().find(|it| it.0 == "topology.kubernetes.io/zone") {
            fields.add("zone", scalar(zone));
        }
        let taints = node.field(&["spec", "taints"]).into_iter().flat_map(Node::items);
        let taints: Vec<String> = taints.filter_map(taint).collect();
        if !taints.is_empty() {
            fields.add("taints", Value::Items(taints));
        }
        fields.add("observed", Value::True);
        nodes.add(node.name, fields.flow());
    }
    let mut cluster = Map::default();
    cluster.add_filled("nodes", nodes);
    cluster
}

fn taint(node: Node<'_>) -> Option<String> {
    let (key, effect) = (node.text("key")?, node.text("effect")?);
    Some(match node.text("value").filter(|it| !it.is_empty()) {
        Some(value) => format!("{key}={value}:{effect}"),
        None => format!("{key}:{effect}"),
    })
}

/// The namespaces of the components, with their quotas and levels.
fn namespaces(model: &Model<'_>, names: &Names) -> Map {
    let mut all = Map::default();
    for namespace in names.namespaces() {
        let mut fields = Map::default();
        let mut quotas: Vec<&Object<'_>> =
            model.of_kind(Kind::ResourceQuota).filter(|it| it.namespace == *namespace).collect();
        quotas.sort_by_key(|it| it.name);
        // Of several quotas each line that only one of them has is sure.
        if let [quota] = quotas.as_slice() {
            let mut hard = Map::default();
            let lines = quota.field(&["spec", "hard"]).into_iter().flat_map(Node::pairs);
            for (resource, amount) in lines {
                if let Some(it) = amount.scalar() {
                    hard.add(resource, scalar(&it));
                }
            }
            fields.add_filled_flow("quota", hard);
        }
        let object = model.find(Kind::Namespace, "", namespace);
        let labels = object.map(Object::labels).unwrap_or_default();
        let level = labels.iter().find(|it| it.0 == "pod-security.kubernetes.io/enforce");
        if let Some((_, level)) = level {
            fields.add("podSecurity", scalar(level));
        }
        if !fields.is_empty() {
            fields.add("observed", Value::True);
        }
        all.add(namespace, fields.flow());
    }
    all
}
