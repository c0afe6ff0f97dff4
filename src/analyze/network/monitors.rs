//! What ServiceMonitors and PodMonitors of the Prometheus operator scrape.

use crate::analyze::Facts;
use crate::analyze::selection::selector::Selector;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::text::tree::{Node, Value};

/// A port of pods that a monitor scrapes.
#[derive(Clone, Copy, Debug)]
pub struct Scraped<'d> {
    /// The field that names the port.
    pub node: Node<'d>,
    /// Whose pods.
    pub workload: WorkloadId,
    /// The port of the pods.
    pub number: i64,
    /// Its protocol.
    pub protocol: &'d str,
}

/// The namespaces in which a monitor looks; `None` is everywhere, and its own unless told.
pub fn namespaces<'d>(root: Node<'d>, own: &'d str) -> Option<Vec<&'d str>> {
    let Some(selector) = root.at(&["spec", "namespaceSelector"]) else {
        return Some(vec![own]);
    };
    if selector.get("any").and_then(Node::bool) == Some(true) {
        return None;
    }
    let names: Vec<_> = selector.list("matchNames").filter_map(Node::str).collect();
    Some(if names.is_empty() { vec![own] } else { names })
}

/// The ports that a monitor scrapes, of pods that the input holds.
pub fn scraped<'d>(
    facts: &Facts<'d>,
    object: &Object<'d>,
    labels: impl Fn(crate::model::ObjId) -> Vec<(&'d str, &'d str)>,
) -> Vec<Scraped<'d>> {
    let selector = object.field(&["spec", "selector"]).map(Selector::parse).unwrap_or_default();
    let looked_in = namespaces(object.root, object.namespace);
    let is_looked_in = |it: &str| looked_in.as_ref().is_none_or(|all| all.contains(&it));
    let mut found = Vec::new();
    let spec = object.field(&["spec"]);
    if object.kind == Kind::PodMonitor {
        let workloads = facts.workloads().iter().filter(|it| {
            is_looked_in(it.namespace)
                && selector.selects(&it.labels)
                    != crate::analyze::selection::selector::Selects::None
        });
        for workload in workloads {
            for endpoint in spec.into_iter().flat_map(|it| it.list("podMetricsEndpoints")) {
                found.extend(of_pods(facts, endpoint, workload.id));
            }
        }
        return found;
    }
    let services = facts.services().iter();
    for service in
        services.filter(|it| is_looked_in(it.namespace) && selector.matches(&labels(it.object)))
    {
        for endpoint in spec.into_iter().flat_map(|it| it.list("endpoints")) {
            for (workload, _) in &service.selects {
                let named = endpoint.get("port").and_then(|node| {
                    let port = service.named(node.str()?)?;
                    let number = port.on(facts.ports(*workload))?;
                    Some(Scraped { node, workload: *workload, number, protocol: port.protocol })
                });
                found.extend(named.or_else(|| of_pods(facts, endpoint, *workload)));
            }
        }
    }
    found
}

/// A port of the pods themselves: by its name, or by a number.
fn of_pods<'d>(facts: &Facts<'d>, endpoint: Node<'d>, workload: WorkloadId) -> Option<Scraped<'d>> {
    let fields = ["port", "targetPort", "portNumber"];
    fields.iter().find_map(|field| {
        let node = endpoint.get(field)?;
        let number = match node.value() {
            Value::Str(name) => facts.ports(workload).named(name, "TCP")?.number,
            _ => node.int()?,
        };
        Some(Scraped { node, workload, number, protocol: "TCP" })
    })
}
