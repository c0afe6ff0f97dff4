//! What passes the schema and the API server's own validation refuses (`pkg/apis/*/validation` of Kubernetes), in one
//! object. Quantities, network policies, and what a selector has to match, have rules of their own.

mod binding;
mod container;
mod controller;
mod metadata;
mod names;
mod pod;
mod routing;
mod scaling;
mod storage;
mod volumes;

use super::{Fault, is_filled_in_later};
use crate::api::kind::Kind;
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// What it is asked with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The version of Kubernetes.
    pub version: KubernetesVersion,
    /// The ports that nodes give to Services.
    pub node_ports: (i64, i64),
}

/// What is wrong with an object of a kind, in the order of its text.
pub fn faults(root: Node<'_>, kind: Kind, settings: Settings) -> Vec<Fault<'_>> {
    let mut found = Found { settings, faults: Vec::new() };
    metadata::object(root, kind, &mut found);
    let spec = root.get("spec").filter(|it| it.is_map());
    match kind {
        Kind::ConfigMap | Kind::Secret => storage::data(root, kind, &mut found),
        Kind::Role | Kind::ClusterRole => binding::role(root, kind, &mut found),
        Kind::RoleBinding | Kind::ClusterRoleBinding => binding::binding(root, kind, &mut found),
        Kind::PriorityClass => scaling::priority_class(root, &mut found),
        _ => {}
    }
    let Some(spec) = spec else { return found.sorted() };
    match kind {
        Kind::Pod => pod::spec(spec, &pod::Owner::None, &mut found),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicationController => controller::controller(spec, kind, &mut found),
        Kind::Job => controller::job(root, spec, &mut found),
        Kind::CronJob => controller::cron_job(root, spec, &mut found),
        Kind::Service => routing::service(spec, &mut found),
        Kind::Ingress => routing::ingress(spec, &mut found),
        Kind::HorizontalPodAutoscaler => scaling::autoscaler(spec, &mut found),
        Kind::LimitRange => scaling::limits(spec, &mut found),
        Kind::PodDisruptionBudget => metadata::selector(spec.get("selector"), &mut found),
        Kind::PersistentVolumeClaim => storage::claim(spec, &mut found),
        Kind::PersistentVolume => storage::volume(spec, &mut found),
        _ => {}
    }
    found.sorted()
}

/// What was found so far.
struct Found<'d> {
    settings: Settings,
    faults: Vec<Fault<'d>>,
}

impl<'d> Found<'d> {
    fn sorted(mut self) -> Vec<Fault<'d>> {
        self.faults.sort_by_key(|it| it.node.index());
        self.faults
    }

    /// A value is wrong, unless something else fills it in.
    fn wrong(
        &mut self,
        node: Node<'d>,
        says: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        if !node.str().is_some_and(is_filled_in_later) {
            self.faults.push(Fault::new(node, says, label, help));
        }
    }

    /// A field is missing.
    fn missing(&mut self, node: Node<'d>, field: &str) {
        self.faults.push(Fault::missing(node, field));
    }

    /// A text has to have a form.
    fn form(&mut self, node: Option<Node<'d>>, is: fn(&str) -> bool, what: &str) {
        let Some(node) = node else { return };
        if let Some(text) = node.str()
            && !text.is_empty()
            && !is(text)
        {
            let says = format!("is `{text}`, and has to be {what}");
            self.wrong(node, says, "not of this form", format!("write {what}"));
        }
    }

    /// A whole number has to lie between two.
    fn range(&mut self, node: Option<Node<'d>>, least: i64, most: i64) {
        let Some(node) = node else { return };
        let Some(number) = node.int().filter(|it| !(least..=most).contains(it)) else { return };
        let (says, help) = match most {
            i64::MAX => (
                format!("is {number}, and has to be {least} at least"),
                format!("write {least} or more"),
            ),
            _ => (
                format!("is {number}, and has to be from {least} to {most}"),
                format!("write a number from {least} to {most}"),
            ),
        };
        self.wrong(node, says, "out of range", help);
    }

    /// The values under these keys may not be less than nothing.
    fn not_negative(&mut self, node: Node<'d>, keys: &[&str]) {
        keys.iter().for_each(|key| self.range(node.get(key), 0, i64::MAX));
    }

    /// A word has to be one of these; an empty one stands for the default.
    fn word(&mut self, node: Option<Node<'d>>, words: &[&str]) {
        let Some(node) = node else { return };
        let Some(word) = node.str().filter(|it| !it.is_empty()) else { return };
        if !words.contains(&word) && !is_filled_in_later(word) {
            self.faults.push(Fault::word(node, word, words.iter().copied()));
        }
    }

    /// The items of a list that have a name which an earlier one has; `names` are those so far.
    fn once(&mut self, node: Option<Node<'d>>, names: &mut FxHashSet<&'d str>, what: &str) {
        let Some(node) = node else { return };
        let Some(name) = node.str().filter(|it| !it.is_empty()) else { return };
        if !names.insert(name) {
            let says = format!("is `{name}`, the name of another {what}");
            self.wrong(node, says, "a name once more", "give it a name of its own");
        }
    }
}

/// The keys of a mapping that are there, of some that exclude each other.
fn given<'k>(node: Node<'_>, keys: &[&'k str]) -> Vec<&'k str> {
    keys.iter().copied().filter(|it| node.get(it).is_some()).collect()
}
