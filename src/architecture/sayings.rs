//! What a document says of flows, with whom its names mean.

use super::Promise;
use super::statements::{Component, FlowTo};
use crate::analyze::network::reach::party::block;
use crate::api::ports::Ports;
use crate::text::tree::Node;
use std::collections::BTreeMap;

/// Somebody at an end of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A component.
    Component(String),
    /// Everybody outside of the cluster.
    Internet,
    /// The name service of the cluster.
    Dns,
    /// Whatever serves routes, where no component is called so.
    Ingress,
    /// Whatever scrapes metrics, where no component is called so.
    Monitoring,
    /// Addresses, or a workload or Service by its full name.
    Named(String),
    /// A name that means nobody.
    Nobody(String),
}

/// A flow that a document states.
#[derive(Clone, Debug)]
pub struct Saying<'p> {
    /// Who begins.
    pub from: End,
    /// Who is called.
    pub to: End,
    /// On which ports; any, where none is stated.
    pub ports: &'p Vec<Ports>,
    /// The address that the caller uses.
    pub via: Option<&'p str>,
    /// The statement: the entry of the list.
    pub node: Node<'p>,
    /// The caller's key.
    pub key: Node<'p>,
    /// Whether nobody decided it.
    pub is_observed: bool,
}

impl End {
    /// Whom a name means.
    pub fn of(promise: &Promise, name: &str) -> End {
        let is_component = promise.value.components.contains_key(name);
        match name {
            _ if is_component => End::Component(name.into()),
            "internet" => End::Internet,
            "dns" => End::Dns,
            "ingress" => End::Ingress,
            "monitoring" => End::Monitoring,
            _ if name.contains('/') || block(name).is_some() => End::Named(name.into()),
            _ => End::Nobody(name.into()),
        }
    }

    /// As a policy names it; `None` where only the cluster knows who it is.
    pub fn name(&self, promise: &Promise) -> Option<String> {
        match self {
            End::Component(name) => {
                let workload = promise.workload(name, promise.value.components.get(name)?)?;
                Some(workload.to_string())
            }
            End::Internet => Some("internet".into()),
            End::Named(name) => Some(name.clone()),
            End::Dns => Some("dns".into()),
            End::Ingress | End::Monitoring | End::Nobody(_) => None,
        }
    }

    /// The component, where it is one that the document describes.
    pub fn component<'p>(&self, promise: &'p Promise) -> Option<&'p Component> {
        match self {
            End::Component(name) => promise.value.components.get(name),
            _ => None,
        }
    }

    /// In a message.
    pub fn shown(&self) -> String {
        match self {
            End::Component(name) | End::Named(name) | End::Nobody(name) => format!("`{name}`"),
            End::Internet => "the Internet".into(),
            End::Dns => "the name service".into(),
            End::Ingress => "the ingress controller".into(),
            End::Monitoring => "the monitoring".into(),
        }
    }
}

/// The flows of a document; `*` stands for every component that runs in the cluster.
pub fn flows(promise: &Promise) -> Vec<Saying<'_>> {
    sayings(promise, &promise.value.flows, &["flows"])
}

/// The flows that are drawn.
pub fn drawn(promise: &Promise) -> Vec<Saying<'_>> {
    sayings(promise, &promise.value.picture.flows, &["picture", "flows"])
}

fn sayings<'p>(
    promise: &'p Promise,
    stated: &'p BTreeMap<String, Vec<FlowTo>>,
    path: &[&str],
) -> Vec<Saying<'p>> {
    let mut all = Vec::new();
    let senders = promise.at(path).into_iter().flat_map(Node::entries);
    for (key, list) in senders {
        let name = key.scalar().unwrap_or_default();
        let Some(values) = stated.get(&*name) else { continue };
        for (node, it) in list.items().zip(values) {
            let to = End::of(promise, &it.to.0);
            let saying = |from: End| Saying {
                from,
                to: to.clone(),
                ports: &it.ports,
                via: it.via.as_ref().map(|it| it.0.as_str()),
                node,
                key,
                is_observed: it.observed,
            };
            match &*name {
                "*" => {
                    let inside = promise.workloads().map(|it| End::Component(it.0.into()));
                    all.extend(inside.filter(|it| *it != to).map(saying));
                }
                name => all.push(saying(End::of(promise, name))),
            }
        }
    }
    all
}
