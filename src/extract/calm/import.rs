//! From CALM to an architecture document.

use super::{NAMESPACE, OWN, PARTIES};
use crate::extract::write;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A document of what CALM says, and what of that purlin has no words for.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The text of the document.
    pub text: String,
    /// What is left out, each in a sentence.
    pub left_out: Vec<String>,
}

/// As far as it is read of `core.json`; whatever else stands there is left alone.
#[derive(Deserialize)]
struct Calm {
    #[serde(default)]
    nodes: Vec<CalmNode>,
    #[serde(default)]
    relationships: Vec<Relationship>,
    #[serde(default)]
    metadata: Value,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CalmNode {
    unique_id: String,
    node_type: String,
    #[serde(default)]
    interfaces: Vec<Value>,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    controls: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Relationship {
    unique_id: String,
    relationship_type: RelationshipType,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    controls: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct RelationshipType {
    connects: Option<Connects>,
    deployed_in: Option<Container>,
    composed_of: Option<Value>,
    interacts: Option<Value>,
    options: Option<Value>,
}

#[derive(Deserialize)]
struct Connects {
    source: End,
    destination: End,
}

#[derive(Deserialize)]
struct End {
    node: String,
    #[serde(default)]
    interfaces: Vec<String>,
}

#[derive(Deserialize)]
struct Container {
    container: String,
    nodes: Vec<String>,
}

/// What a CALM document says, as an architecture document of this name unless it says one.
///
/// # Errors
///
/// Why it is no CALM document.
pub fn import(text: &str, name: &str) -> Result<Imported, String> {
    let calm: Calm = serde_json::from_str(text).map_err(|it| it.to_string())?;
    let mut reader = Reader::new(&calm)?;
    let components = reader.components(&calm);
    let flows = reader.flows(&calm)?;
    reader.rest(&calm);
    let mut document = Map::new();
    document.insert("apiVersion".into(), "purlin.dev/v1alpha1".into());
    document.insert("kind".into(), "Architecture".into());
    document.insert("metadata".into(), json!({"name": name}));
    for (key, value) in own(&calm.metadata).into_iter().flatten() {
        document.insert(key.clone(), value.clone());
    }
    for (key, section) in
        [("namespaces", reader.namespaces), ("components", components), ("flows", flows)]
    {
        if !section.is_empty() {
            document.insert(key.into(), Value::Object(section));
        }
    }
    Ok(Imported { text: write::document(&document), left_out: reader.left_out })
}

/// What purlin has put into metadata.
fn own(metadata: &Value) -> Option<&Map<String, Value>> {
    let one = |it: &Value| it.get(OWN).is_some();
    let holder = match metadata {
        Value::Array(items) => items.iter().find(|it| one(it))?,
        it => it,
    };
    holder.get(OWN)?.as_object()
}

struct Reader {
    left_out: Vec<String>,
    /// What is deployed in.
    containers: BTreeSet<String>,
    /// By node, the namespace that it is deployed in.
    namespace_of: BTreeMap<String, String>,
    namespaces: Map<String, Value>,
    /// By the id of an interface, its port.
    ports: BTreeMap<String, Value>,
}

impl Reader {
    fn new(calm: &Calm) -> Result<Reader, String> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = calm.nodes.iter().find(|it| !seen.insert(&it.unique_id)) {
            return Err(format!("two nodes have the `unique-id` `{}`", twice.unique_id));
        }
        let mut reader = Reader {
            left_out: Vec::new(),
            containers: BTreeSet::new(),
            namespace_of: BTreeMap::new(),
            namespaces: Map::new(),
            ports: BTreeMap::new(),
        };
        for it in &calm.relationships {
            let Some(deployed) = &it.relationship_type.deployed_in else { continue };
            let name = namespace(&deployed.container);
            reader.containers.insert(deployed.container.clone());
            for node in &deployed.nodes {
                reader.namespace_of.insert(node.clone(), name.clone());
            }
        }
        for node in &calm.nodes {
            let is_namespace = node.unique_id.starts_with(NAMESPACE)
                || reader.containers.contains(&node.unique_id);
            if is_namespace {
                let said = own(&node.metadata).cloned();
                let is_foreign = !node.unique_id.starts_with(NAMESPACE);
                if said.is_some() || is_foreign {
                    let said = Value::Object(said.unwrap_or_default());
                    reader.namespaces.insert(namespace(&node.unique_id), said);
                }
                reader.containers.insert(node.unique_id.clone());
            }
            for interface in &node.interfaces {
                let id = interface.get("unique-id").and_then(Value::as_str);
                let config = interface.get("config").unwrap_or(interface);
                if let Some((id, port)) = id.zip(config.get("port")) {
                    reader.ports.insert(id.to_string(), port.clone());
                }
            }
        }
        Ok(reader)
    }

    fn components(&mut self, calm: &Calm) -> Map<String, Value> {
        let mut components = Map::new();
        for node in &calm.nodes {
            let id = &node.unique_id;
            let said = own(&node.metadata);
            let is_party = said.is_some_and(|it| it.contains_key("party"));
            let is_reserved = said.is_none() && PARTIES.iter().any(|it| it.0 == id);
            if self.containers.contains(id) || is_party || is_reserved {
                continue;
            }
            let mut component = said.cloned().unwrap_or_default();
            if said.is_none() && !self.described(node, &mut component) {
                continue;
            }
            let listens =
                node.interfaces.iter().filter(|it| it.get("listens") != Some(&false.into()));
            let ports = listens.filter_map(|it| {
                let port = it.get("config").unwrap_or(it).get("port")?;
                (!is_placeholder(port)).then(|| port.clone())
            });
            let ports: Vec<Value> = ports.collect();
            if !ports.is_empty() {
                component.insert("ports".into(), ports.into());
            }
            let is_named = component.contains_key("namespace")
                || said.is_none() && component.contains_key("kind");
            if is_named && let Some(it) = self.namespace_of.get(id) {
                component.insert("namespace".into(), it.as_str().into());
            }
            components.insert(id.clone(), Value::Object(component));
            if !node.controls.is_null() {
                self.left_out.push(format!("the controls of node `{id}`"));
            }
        }
        components
    }

    /// What somebody else's node is; false where purlin has no words for it.
    fn described(&mut self, node: &CalmNode, component: &mut Map<String, Value>) -> bool {
        match node.node_type.as_str() {
            "service" | "webclient" | "ldap" => {
                component.insert("kind".into(), "Deployment".into());
            }
            "database" | "data-asset" => {
                component.insert("kind".into(), "StatefulSet".into());
            }
            "system" | "network" | "ecosystem" => {
                component.insert("external".into(), true.into());
            }
            other => {
                self.left_out
                    .push(format!("node `{}`, which is of type `{other}`", node.unique_id));
                return false;
            }
        }
        true
    }

    fn flows(&mut self, calm: &Calm) -> Result<Map<String, Value>, String> {
        let ids: BTreeSet<&str> = calm.nodes.iter().map(|it| it.unique_id.as_str()).collect();
        let mut flows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for it in &calm.relationships {
            let id = &it.unique_id;
            let RelationshipType { connects, composed_of, interacts, options, .. } =
                &it.relationship_type;
            for (what, value) in
                [("composed-of", composed_of), ("interacts", interacts), ("options", options)]
            {
                if value.is_some() {
                    self.left_out.push(format!("relationship `{id}` of type `{what}`"));
                }
            }
            if !it.controls.is_null() {
                self.left_out.push(format!("the controls of relationship `{id}`"));
            }
            let Some(Connects { source, destination }) = connects else { continue };
            for end in [&source.node, &destination.node] {
                if !ids.contains(end.as_str()) {
                    return Err(format!(
                        "relationship `{id}` names node `{end}`, which there is not"
                    ));
                }
            }
            let mut flow = Map::new();
            flow.insert("to".into(), destination.node.as_str().into());
            let known = destination.interfaces.iter().filter_map(|it| self.ports.get(it));
            let ports: Vec<Value> = known.filter(|it| !is_placeholder(it)).cloned().collect();
            if ports.len() < destination.interfaces.len() {
                self.left_out.push(format!("interfaces without a port of relationship `{id}`"));
            }
            if !ports.is_empty() {
                flow.insert("ports".into(), ports.into());
            }
            flow.extend(own(&it.metadata).cloned().unwrap_or_default());
            flows.entry(source.node.clone()).or_default().push(Value::Object(flow));
        }
        Ok(flows.into_iter().map(|(key, it)| (key, it.into())).collect())
    }

    fn rest(&mut self, calm: &Calm) {
        for key in ["flows", "controls", "adrs"] {
            if calm.rest.contains_key(key) {
                self.left_out.push(format!("`{key}` of the document"));
            }
        }
    }
}

fn namespace(container: &str) -> String {
    container.strip_prefix(NAMESPACE).unwrap_or(container).to_string()
}

/// What patterns leave open: `{{ PORT }}`.
fn is_placeholder(port: &Value) -> bool {
    port.as_str().is_some_and(|it| it.contains("{{")) || port.as_i64().is_some_and(|it| it < 1)
}
