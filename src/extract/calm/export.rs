//! From an architecture to CALM.

use super::{NAMESPACE, OWN, PARTIES, SCHEMA};
use crate::architecture::Promise;
use crate::architecture::statements::Component;
use crate::architecture::text::WorkloadKind;
use crate::text::tree::{Node, Number, Value as Of};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Sections that the graph says; all others stand in metadata.
const OF_THE_GRAPH: [&str; 5] = ["apiVersion", "kind", "components", "flows", "namespaces"];

/// An architecture as a CALM document.
pub fn export(promise: &Promise) -> Value {
    let mut graph = Graph::default();
    for (name, component) in &promise.value.components {
        graph.component(promise, name, component);
    }
    graph.flows(promise);
    graph.namespaces(promise);
    let rest = promise
        .root()
        .entries()
        .filter(|(key, _)| key.str().is_none_or(|it| !OF_THE_GRAPH.contains(&it)));
    let rest: Map<String, Value> = rest.map(|(key, it)| (text(key), of_node(it))).collect();
    let nodes = graph.nodes.into_values().map(|it| {
        let mut node = it.node;
        if !it.interfaces.is_empty() {
            node["interfaces"] = it.interfaces.into_iter().map(|it| it.1).collect();
        }
        node
    });
    json!({
        "$schema": SCHEMA,
        "nodes": nodes.collect::<Vec<_>>(),
        "relationships": graph.relationships,
        "metadata": {OWN: rest},
    })
}

#[derive(Default)]
struct Graph {
    nodes: BTreeMap<String, Drawn>,
    relationships: Vec<Value>,
    /// By namespace, its components.
    deployed: BTreeMap<String, BTreeSet<String>>,
}

struct Drawn {
    node: Value,
    /// By their ids.
    interfaces: Map<String, Value>,
}

impl Graph {
    fn component(&mut self, promise: &Promise, name: &str, component: &Component) {
        let workload = promise.workload(name, component);
        let kind = workload.as_ref().map(|it| it.kind);
        let (node_type, description) = match kind {
            None => ("system", "Outside of the cluster.".to_string()),
            Some(WorkloadKind::StatefulSet) => {
                ("database", format!("A {}.", WorkloadKind::StatefulSet.name()))
            }
            Some(kind) => ("service", format!("A {}.", kind.name())),
        };
        let said = promise.component(name);
        let rest =
            said.into_iter().flat_map(Node::entries).filter(|(key, _)| key.str() != Some("ports"));
        let rest: Map<String, Value> = rest.map(|(key, it)| (text(key), of_node(it))).collect();
        let node = json!({
            "unique-id": name, "node-type": node_type,
            "name": workload.as_ref().map_or(name, |it| &it.name),
            "description": description, "metadata": {OWN: rest},
        });
        let ports = said.and_then(|it| it.get("ports")).into_iter().flat_map(Node::items);
        let interfaces = ports.map(|it| {
            let id = interface(name, &text(it));
            (id.clone(), json!({"unique-id": id, "port": of_node(it)}))
        });
        let interfaces = interfaces.collect();
        self.nodes.insert(name.to_string(), Drawn { node, interfaces });
        if let Some(it) = workload {
            self.deployed.entry(it.namespace).or_default().insert(name.to_string());
        }
    }

    /// The node of whoever is no component.
    fn party(&mut self, name: &str) {
        if self.nodes.contains_key(name) {
            return;
        }
        let known = PARTIES.iter().find(|it| it.0 == name);
        let (node_type, description) =
            known.map_or(("network", "Named by a flow."), |it| (it.1, it.2));
        let node = json!({
            "unique-id": name, "node-type": node_type, "name": name, "description": description,
            "metadata": {OWN: {"party": true}},
        });
        self.nodes.insert(name.to_string(), Drawn { node, interfaces: Map::new() });
    }

    fn flows(&mut self, promise: &Promise) {
        for (key, list) in promise.at(&["flows"]).into_iter().flat_map(Node::entries) {
            let from = text(key);
            self.party(&from);
            for (at, flow) in list.items().enumerate() {
                let to = flow.get("to").map(text).unwrap_or_default();
                self.party(&to);
                let ports = flow.get("ports").into_iter().flat_map(Node::items);
                let ports: Vec<String> = ports.map(|it| self.called(&to, it)).collect();
                let mut destination = json!({"node": to});
                if !ports.is_empty() {
                    destination["interfaces"] = json!(ports);
                }
                let rest =
                    flow.entries().filter(|(key, _)| !matches!(key.str(), Some("to" | "ports")));
                let rest: Map<String, Value> =
                    rest.map(|(key, it)| (text(key), of_node(it))).collect();
                let mut relationship = json!({
                    "unique-id": format!("{from}-connects-{to}-{at}"),
                    "description": format!("{from} calls {to}."),
                    "relationship-type": {
                        "connects": {"source": {"node": from}, "destination": destination},
                    },
                });
                if !rest.is_empty() {
                    relationship["metadata"] = json!({OWN: rest});
                }
                self.relationships.push(relationship);
            }
        }
    }

    /// The interface that a flow calls, made where the callee lists none of these ports.
    fn called(&mut self, to: &str, port: Node<'_>) -> String {
        let id = interface(to, &text(port));
        if let Some(drawn) = self.nodes.get_mut(to) {
            let of_flow = json!({"unique-id": id, "port": of_node(port), "listens": false});
            drawn.interfaces.entry(id.clone()).or_insert(of_flow);
        }
        id
    }

    fn namespaces(&mut self, promise: &Promise) {
        let stated = promise.at(&["namespaces"]).into_iter().flat_map(Node::entries);
        let stated: BTreeMap<String, Value> =
            stated.map(|(key, it)| (text(key), of_node(it))).collect();
        let names: BTreeSet<&String> = self.deployed.keys().chain(stated.keys()).collect();
        for name in names.into_iter().cloned().collect::<Vec<_>>() {
            let id = format!("{NAMESPACE}{name}");
            // One that the document does not list is only where components are.
            let own = stated.get(&name).map_or(json!({}), |it| json!({OWN: it}));
            let node = json!({
                "unique-id": id, "node-type": "system", "name": name,
                "description": "A namespace.", "metadata": own,
            });
            self.nodes.insert(id.clone(), Drawn { node, interfaces: Map::new() });
            if let Some(nodes) = self.deployed.get(&name) {
                self.relationships.push(json!({
                    "unique-id": format!("{id}-holds"),
                    "relationship-type": {"deployed-in": {"container": id, "nodes": nodes}},
                }));
            }
        }
    }
}

fn interface(node: &str, port: &str) -> String {
    format!("{node}:{port}")
}

fn text(node: Node<'_>) -> String {
    node.scalar().unwrap_or_default().into_owned()
}

/// What a document says, as JSON.
fn of_node(node: Node<'_>) -> Value {
    match node.value() {
        Of::Null => Value::Null,
        Of::Bool(it) => it.into(),
        Of::Number(Number::Int(it)) => it.into(),
        Of::Number(Number::Float(it)) => it.into(),
        Of::Str(it) => it.into(),
        Of::Seq => node.items().map(of_node).collect(),
        Of::Map => {
            Value::Object(node.entries().map(|(key, it)| (text(key), of_node(it))).collect())
        }
    }
}
