//! CALM 1.2, the Common Architecture Language Model: an architecture document as its graph, and back.
//!
//! <https://calm.finos.org/release/1.2/meta/core.json>: components are nodes, their ports interfaces, flows `connects`
//! relationships, and namespaces what components are `deployed-in`. What CALM has no words for stands in `metadata`, under
//! `purlin.dev`.

mod export;
mod import;

pub use export::export;
pub use import::{Imported, import};

/// What is called so in `metadata` is purlin's.
const OWN: &str = "purlin.dev";

/// The schema that documents name.
const SCHEMA: &str = "https://calm.finos.org/release/1.2/meta/calm.json";

/// The node of a namespace has its name after this.
const NAMESPACE: &str = "namespace:";

/// Names of flows that mean no component, with what they are as nodes.
const PARTIES: [(&str, &str, &str); 5] = [
    ("internet", "network", "Everybody outside of the cluster."),
    ("dns", "service", "The name service of the cluster."),
    ("ingress", "service", "Whatever serves routes."),
    ("monitoring", "service", "Whatever scrapes metrics."),
    ("*", "system", "Every component."),
];
