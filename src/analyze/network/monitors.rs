//! What ServiceMonitors and PodMonitors of the Prometheus operator look for, and what they scrape.

use crate::analyze::Facts;
use crate::analyze::selection::selector::{Operator, Selector, Selects};
use crate::analyze::selection::services::ServiceId;
use crate::analyze::selection::workloads::{WorkloadId, is_added};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::{Node, Value};
use rustc_hash::{FxHashMap, FxHashSet};

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

/// A ServiceMonitor or PodMonitor.
#[derive(Clone, Debug)]
pub struct Monitor<'d> {
    /// The object.
    pub object: ObjId,
    /// Whom it looks for; everything where nothing is written.
    pub selector: Selector<'d>,
    /// The namespaces in which it looks; `None` is everywhere.
    pub looked_in: Option<Vec<&'d str>>,
    /// The Services that a ServiceMonitor finds, by their own labels.
    pub services: Vec<ServiceId>,
    /// The workloads whose pods a PodMonitor finds.
    pub workloads: Vec<WorkloadId>,
    /// The ports that it scrapes, of pods that the input holds.
    pub scraped: Vec<Scraped<'d>>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Monitors<'d> {
    all: Vec<Monitor<'d>>,
    scraped: FxHashSet<WorkloadId>,
}

impl<'d> Monitors<'d> {
    pub(in crate::analyze) fn new(model: &Model<'d>, facts: &Facts<'d>) -> Monitors<'d> {
        let services = of_services(model, facts);
        let workloads = of_workloads(facts);
        let mut monitors = Monitors::default();
        for object in model.of_kind(Kind::ServiceMonitor) {
            let mut monitor = Monitor::new(object);
            let found = services.candidates(&monitor.selector, monitor.looked_in.as_deref());
            let found = found
                .into_iter()
                .filter(|at| monitor.selector.matches(&services.labels[*at as usize]));
            monitor.services = found.map(ServiceId).collect();
            monitor.scraped = scraped_services(facts, object, &monitor.services);
            monitors.all.push(monitor);
        }
        for object in model.of_kind(Kind::PodMonitor) {
            let mut monitor = Monitor::new(object);
            let found = workloads.candidates(&monitor.selector, monitor.looked_in.as_deref());
            let found = found.into_iter().map(WorkloadId).filter(|it| {
                let workload = facts.workloads().get(*it);
                monitor.selector.selects(&workload.labels) != Selects::None
            });
            monitor.workloads = found.collect();
            monitor.scraped = scraped_pods(facts, object, &monitor.workloads);
            monitors.all.push(monitor);
        }
        let scraped = monitors.all.iter().flat_map(|it| &it.scraped);
        monitors.scraped = scraped.map(|it| it.workload).collect();
        monitors
    }

    /// ServiceMonitors first.
    pub fn iter(&self) -> impl Iterator<Item = &Monitor<'d>> {
        self.all.iter()
    }

    /// Whether any of them scrapes pods of a workload.
    pub fn scrape(&self, workload: WorkloadId) -> bool {
        self.scraped.contains(&workload)
    }
}

impl<'d> Monitor<'d> {
    fn new(object: &Object<'d>) -> Monitor<'d> {
        let selector = object.field(&["spec", "selector"]).map(Selector::parse).unwrap_or_default();
        Monitor {
            object: object.id,
            selector,
            looked_in: namespaces(object.root, object.namespace),
            services: Vec::new(),
            workloads: Vec::new(),
            scraped: Vec::new(),
        }
    }
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

fn scraped_services<'d>(
    facts: &Facts<'d>,
    monitor: &Object<'d>,
    services: &[ServiceId],
) -> Vec<Scraped<'d>> {
    let spec = monitor.field(&["spec"]);
    let mut found = Vec::new();
    for service in services.iter().map(|it| facts.services().get(*it)) {
        for endpoint in spec.into_iter().flat_map(|it| it.list("endpoints")) {
            for (workload, _) in service.selects.iter() {
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

fn scraped_pods<'d>(
    facts: &Facts<'d>,
    monitor: &Object<'d>,
    workloads: &[WorkloadId],
) -> Vec<Scraped<'d>> {
    let spec = monitor.field(&["spec"]);
    let mut found = Vec::new();
    for workload in workloads {
        for endpoint in spec.into_iter().flat_map(|it| it.list("podMetricsEndpoints")) {
            found.extend(of_pods(facts, endpoint, *workload));
        }
    }
    found
}

/// The ports that annotations of pods ask to be scraped, or those of a Service in front of them: `prometheus.io/scrape`,
/// and which port `prometheus.io/port` says. The scrape configuration that everybody copies goes by them
/// (<https://github.com/prometheus/prometheus/blob/main/documentation/examples/prometheus-kubernetes.yml>).
pub fn annotated<'d>(facts: &Facts<'d>) -> Vec<(crate::model::ObjId, Scraped<'d>)> {
    let pods = facts.workloads().iter().filter_map(|it| {
        let node = asked(it.template.at(&["metadata", "annotations"])?)?;
        Some((it.object, scraped_at(facts, node, it.id)?))
    });
    let services = facts.services().iter().flat_map(|service| {
        let annotations = facts.model.object(service.object).field(&["metadata", "annotations"]);
        let node = annotations.and_then(asked);
        let of_pods = node.into_iter().flat_map(|node| {
            service.selects.iter().filter_map(move |it| scraped_at(facts, node, it.0))
        });
        of_pods.map(|it| (service.object, it)).collect::<Vec<_>>()
    });
    pods.chain(services).collect()
}

/// The annotation that asks for it: the one with the port, where there is one.
fn asked(annotations: Node<'_>) -> Option<Node<'_>> {
    let scrape = annotations.get("prometheus.io/scrape").filter(|it| it.str() == Some("true"))?;
    Some(annotations.get("prometheus.io/port").unwrap_or(scrape))
}

/// The port that is written, or the only one that the pods declare: of several all are tried, and most answer nothing.
fn scraped_at<'d>(facts: &Facts<'d>, node: Node<'d>, workload: WorkloadId) -> Option<Scraped<'d>> {
    let written = node.str().filter(|it| *it != "true");
    let mut declared = facts.ports(workload).iter().filter(|it| it.protocol == "TCP");
    let number = match written {
        Some(it) => it.parse().ok()?,
        None => declared.next().filter(|_| declared.next().is_none())?.number,
    };
    Some(Scraped { node, workload, number, protocol: "TCP" })
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

/// Services or workloads by their labels, whatever their namespaces, so that a monitor is held against few.
#[derive(Default)]
struct Labelled<'d> {
    labels: Vec<Vec<(&'d str, &'d str)>>,
    by_label: FxHashMap<(&'d str, &'d str), Vec<u32>>,
    by_namespace: FxHashMap<&'d str, Vec<u32>>,
    namespaces: Vec<&'d str>,
}

fn of_services<'d>(model: &Model<'d>, facts: &Facts<'d>) -> Labelled<'d> {
    let mut labelled = Labelled::default();
    if model.of_kind(Kind::ServiceMonitor).next().is_some() {
        for it in facts.services().iter() {
            labelled.add(it.namespace, model.object(it.object).labels());
        }
    }
    labelled
}

fn of_workloads<'d>(facts: &Facts<'d>) -> Labelled<'d> {
    let mut labelled = Labelled::default();
    if facts.model.of_kind(Kind::PodMonitor).next().is_some() {
        for it in facts.workloads().iter() {
            labelled.add(it.namespace, it.labels.written.to_vec());
        }
    }
    labelled
}

impl<'d> Labelled<'d> {
    fn add(&mut self, namespace: &'d str, labels: Vec<(&'d str, &'d str)>) {
        let at = self.labels.len() as u32;
        for label in &labels {
            self.by_label.entry(*label).or_default().push(at);
        }
        self.by_namespace.entry(namespace).or_default().push(at);
        self.labels.push(labels);
        self.namespaces.push(namespace);
    }

    /// Those that a selector may select in these namespaces, in order.
    fn candidates(&self, selector: &Selector<'_>, looked_in: Option<&[&str]>) -> Vec<u32> {
        let of_namespaces = looked_in.map(|names| {
            let all = names.iter().flat_map(|it| self.by_namespace.get(it).into_iter().flatten());
            let mut all: Vec<u32> = all.copied().collect();
            all.sort_unstable();
            all.dedup();
            all
        });
        let fewest = of_namespaces.as_ref().map_or(self.labels.len(), Vec::len);
        // What a controller sets is not written.
        let required = selector.requirements.iter().filter(|it| !is_added(it.key));
        let written = required.filter_map(|it| match &it.operator {
            Operator::In(values) => match values.as_slice() {
                [value] => {
                    Some(self.by_label.get(&(it.key, *value)).map_or(&[][..], Vec::as_slice))
                }
                _ => None,
            },
            _ => None,
        });
        match written.min_by_key(|it| it.len()).filter(|it| it.len() < fewest) {
            Some(written) => {
                let is_meant = |at: &&u32| {
                    let namespace = self.namespaces[**at as usize];
                    looked_in.is_none_or(|it| it.contains(&namespace))
                };
                written.iter().filter(is_meant).copied().collect()
            }
            None => of_namespaces.unwrap_or_else(|| (0..self.labels.len() as u32).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 3] = ["a", "b", "c"];

    fn name() -> impl Strategy<Value = &'static str> {
        prop::sample::select(NAMES.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// Nothing that the selector selects is left out, and nothing of other namespaces is in.
        #[test]
        fn candidates_are_those_that_may_be_selected(
            all in prop::collection::vec((name(), prop::collection::btree_map(name(), name(), 0..3)), 0..8),
            required in prop::collection::btree_map(name(), prop::collection::vec(name(), 1..3), 0..3),
            looked_in in prop::option::of(prop::collection::vec(name(), 1..3)),
        ) {
            let mut labelled = Labelled::default();
            for (namespace, labels) in &all {
                labelled.add(namespace, labels.iter().map(|(key, value)| (*key, *value)).collect());
            }
            let requirements = required.into_iter().map(|(key, values)| {
                crate::analyze::selection::selector::Requirement { key, operator: Operator::In(values) }
            });
            let selector = Selector { requirements: requirements.collect(), invalid: false };
            let is_selected = |at: &u32| selector.matches(&labelled.labels[*at as usize]);
            let found = labelled.candidates(&selector, looked_in.as_deref());
            let found: Vec<u32> = found.into_iter().filter(|it| is_selected(it)).collect();
            let expected = (0..all.len() as u32).filter(|at| {
                looked_in.as_ref().is_none_or(|it| it.contains(&all[*at as usize].0)) && is_selected(at)
            });
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
}
