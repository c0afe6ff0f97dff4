//! What passes the schema and the API server's own validation refuses (`pkg/apis/*/validation` of Kubernetes), in one
//! object. Quantities, network policies, and what a selector has to match, have rules of their own.

mod admission;
mod binding;
mod cluster;
mod container;
mod controller;
mod device;
mod downward;
mod event;
mod extension;
mod flow_control;
mod metadata;
mod names;
mod pod;
mod resources;
mod routing;
mod scaling;
mod sources;
mod storage;
mod volumes;

use super::{Fault, is_filled_in_later};
use crate::api::kind::{Kind, group};
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// What it is asked with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The version of Kubernetes.
    pub version: KubernetesVersion,
    /// The ports that nodes give to Services, where it is known what the API server was told.
    pub node_ports: Option<(i64, i64)>,
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
        Kind::StorageClass => storage::class(root, &mut found),
        Kind::RuntimeClass => cluster::runtime_class(root, &mut found),
        Kind::EndpointSlice => cluster::endpoint_slice(root, &mut found),
        Kind::Endpoints => cluster::endpoints(root, &mut found),
        Kind::ValidatingWebhookConfiguration | Kind::MutatingWebhookConfiguration => {
            admission::webhooks(root, &mut found);
        }
        Kind::Custom => whole(root, &mut found),
        _ => {}
    }
    let Some(spec) = spec else {
        let name = root.text("kind").unwrap_or_default();
        // What is of another type, the schema tells.
        let is_known = NEED_SPEC.contains(&name) && metadata::is_of_kubernetes(root);
        if is_known && root.get("spec").is_none() {
            found.missing(root, "spec");
        }
        return found.sorted();
    };
    match kind {
        Kind::APIService => extension::api_service(root, spec, &mut found),
        Kind::CustomResourceDefinition => extension::definition(root, spec, &mut found),
        Kind::IngressClass => cluster::ingress_class(spec, &mut found),
        Kind::Node => cluster::node(spec, &mut found),
        Kind::ResourceQuota => resources::quota(spec, &mut found),
        Kind::Pod => {
            pod::spec(spec, &pod::Owner::None, &mut found);
            pod::images(spec, &mut found);
        }
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicationController => controller::controller(spec, kind, &mut found),
        Kind::Job => controller::job(root, spec, &mut found),
        Kind::CronJob => controller::cron_job(root, spec, &mut found),
        Kind::Service => routing::service(spec, &mut found),
        Kind::Ingress => routing::ingress(spec, &mut found),
        Kind::NetworkPolicy => routing::network_policy(spec, &mut found),
        Kind::HorizontalPodAutoscaler => scaling::autoscaler(spec, &mut found),
        Kind::LimitRange => resources::limits(spec, &mut found),
        Kind::PodDisruptionBudget => metadata::selector(spec.get("selector"), &mut found),
        Kind::PersistentVolumeClaim => storage::claim(spec, &mut found),
        Kind::PersistentVolume => storage::volume(spec, &mut found),
        Kind::Custom => of_others(root, spec, &mut found),
        _ => {}
    }
    found.sorted()
}

/// Kinds that purlin has no name for, by group and name.
fn of_others<'d>(root: Node<'d>, spec: Node<'d>, found: &mut Found<'d>) {
    let group = group(root.text("apiVersion").unwrap_or_default());
    let kind = root.text("kind").unwrap_or_default();
    match (group, kind) {
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => {
            admission::validating(spec, found);
        }
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy") => {
            admission::mutating(spec, found);
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => {
            admission::binding(spec, true, found);
        }
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding") => {
            admission::binding(spec, false, found);
        }
        ("networking.k8s.io", "IPAddress") => cluster::ip_address(spec, found),
        ("networking.k8s.io", "ServiceCIDR") => cluster::service_cidr(spec, found),
        ("storage.k8s.io", "CSIDriver") => storage::driver(spec, found),
        ("storage.k8s.io", "VolumeAttachment") => storage::attachment(spec, found),
        ("coordination.k8s.io", "Lease") => cluster::lease(spec, found),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => flow_control::flow(spec, found),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => {
            flow_control::level(spec, found);
        }
        ("certificates.k8s.io", "CertificateSigningRequest") => cluster::request(spec, found),
        ("storage.k8s.io", "CSINode") => storage::node(spec, found),
        ("resource.k8s.io", "DeviceClass") => device::class(spec, found),
        ("resource.k8s.io", "ResourceClaim") => device::claim(spec, found),
        ("resource.k8s.io", "ResourceClaimTemplate") => {
            spec.get("spec").into_iter().for_each(|it| device::claim(it, found));
        }
        ("resource.k8s.io", "ResourceSlice") => device::slice(spec, found),
        _ => {}
    }
}

/// Kinds that purlin has no name for and that have no `spec`.
fn whole<'d>(root: Node<'d>, found: &mut Found<'d>) {
    let group = group(root.text("apiVersion").unwrap_or_default());
    match (group, root.text("kind").unwrap_or_default()) {
        ("", "PodTemplate") => {
            let Some(template) = root.get("template").filter(|it| it.is_map()) else {
                return found.missing(root, "template");
            };
            pod::template(template, &pod::Owner::None, found);
        }
        ("apps", "ControllerRevision") => {
            match root.get("data") {
                None => found.missing(root, "data"),
                Some(it) if !it.is_map() => {
                    found.wrong(it, "is no mapping", "not a mapping", "write a mapping");
                }
                _ => {}
            }
            found.range(root.get("revision"), 0, i64::MAX);
        }
        ("", "Event") => event::old(root, found),
        ("events.k8s.io", "Event") => event::event(root, found),
        ("storage.k8s.io", "VolumeAttributesClass") => storage::attributes(root, found),
        ("storage.k8s.io", "CSIStorageCapacity") => storage::capacity(root, found),
        _ => {}
    }
}

/// Kinds that come to nothing without a `spec`, though their definitions do not ask for one.
const NEED_SPEC: &[&str] = &[
    "APIService",
    "CertificateSigningRequest",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "FlowSchema",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "IPAddress",
    "Job",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PriorityLevelConfiguration",
    "ReplicaSet",
    "ReplicationController",
    "ResourceSlice",
    "Service",
    "ServiceCIDR",
    "StatefulSet",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "VolumeAttachment",
];

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

    /// The same, and it may not be empty.
    fn required_form(&mut self, node: Node<'d>, is: fn(&str) -> bool, what: &str) {
        match node.str() {
            // Nothing is read as an empty text.
            _ if node.is_null() => self.wrong(node, "is empty", "empty", format!("write {what}")),
            Some("") => self.wrong(node, "is empty", "empty", format!("write {what}")),
            _ => self.form(Some(node), is, what),
        }
    }

    /// A text under this key has to say something.
    fn blank(&mut self, node: Node<'d>, key: &str) {
        let text = node.get(key);
        if text.is_some_and(|it| it.str().is_some_and(|it| !it.is_empty() && it.trim().is_empty()))
        {
            self.wrong(text.unwrap_or(node), "says nothing", "blank", "write it");
        }
    }

    /// The keys that are absent or empty are missing.
    fn required(&mut self, node: Node<'d>, keys: &[&str]) {
        keys.iter().filter(|it| !is_set(node, it)).for_each(|it| self.missing(node, it));
    }

    /// The values under these keys may not be less than nothing.
    fn not_negative(&mut self, node: Node<'d>, keys: &[&str]) {
        keys.iter().for_each(|key| self.range(node.get(key), 0, i64::MAX));
    }

    /// A word has to be one of these, and an empty one is none.
    fn known(&mut self, node: Node<'d>, words: &[&str]) {
        match node.str() {
            None if node.is_null() => {
                self.faults.push(Fault::word(node, "", words.iter().copied()));
            }
            Some("") => self.faults.push(Fault::word(node, "", words.iter().copied())),
            _ => self.word(Some(node), words),
        }
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

/// The items of a list that have fields; one that is `null` is read as one without any.
fn parts<'d>(node: Node<'d>, key: &str) -> impl Iterator<Item = Node<'d>> {
    node.list(key).filter(|it| it.is_map() || it.is_null())
}

/// Whether a field has a value that is not Go's zero value: neither absent nor empty.
fn is_set(node: Node<'_>, key: &str) -> bool {
    let is_empty = |it: Node<'_>| {
        it.str() == Some("")
            || it.int() == Some(0)
            || (it.is_seq() || it.is_map()) && it.count() == 0
    };
    node.get(key).is_some_and(|it| !is_empty(it))
}
