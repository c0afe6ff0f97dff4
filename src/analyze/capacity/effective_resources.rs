//! What one pod asks for, as Kubernetes computes it: init containers and sidecars, overhead, pod-level resources, limits
//! that default requests, and the LimitRanges of the namespace.
//!
//! `k8s.io/component-helpers/resource/helpers.go`, `pkg/apis/core/v1/defaults.go`,
//! `plugin/pkg/admission/limitranger/admission.go`.

use super::limit_ranges::LimitRanges;
use super::resized;
use crate::analyze::selection::workloads::{Workload, is_sidecar};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::api::version::KubernetesVersion;
use crate::model::Model;
use crate::text::tree::Node;

/// Amounts by resource, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources<'d> {
    amounts: Vec<(&'d str, Quantity)>,
}

impl<'d> Resources<'d> {
    /// Reads a mapping of quantities; what is none, or less than nothing, is left out and added to `invalid`, and so is what
    /// only Kubernetes takes for one.
    pub fn parse(node: Option<Node<'d>>, invalid: &mut Vec<Node<'d>>) -> Resources<'d> {
        let mut resources = Resources::default();
        for (key, value) in node.into_iter().flat_map(Node::entries) {
            let Some(name) = key.str() else { continue };
            // `pkg/api/resource/quantity.go`, UnmarshalJSON: null is nothing, which is stated.
            if value.is_null() {
                resources.set(name, Quantity::default());
                continue;
            }
            let text = value.scalar();
            match text.as_deref().map(Quantity::parse) {
                Some(Ok(amount)) if !amount.is_negative() => {
                    resources.set(name, amount.stored());
                    if text.as_deref().is_some_and(Quantity::is_bare) {
                        invalid.push(value);
                    }
                }
                _ => invalid.push(value),
            }
        }
        resources
    }

    /// The amount of a resource; `None` if it is not stated.
    pub fn get(&self, name: &str) -> Option<Quantity> {
        self.amounts.iter().find(|(it, _)| *it == name).map(|(_, amount)| *amount)
    }

    /// Sets the amount of a resource.
    pub fn set(&mut self, name: &'d str, amount: Quantity) {
        match self.amounts.binary_search_by(|(it, _)| (*it).cmp(name)) {
            Ok(at) => self.amounts[at].1 = amount,
            Err(at) => self.amounts.insert(at, (name, amount)),
        }
    }

    /// Sets the amounts that `other` has and this has not.
    pub fn fill(&mut self, other: &Resources<'d>) {
        for (name, amount) in other.iter() {
            if self.get(name).is_none() {
                self.set(name, amount);
            }
        }
    }

    /// Adds amount by amount.
    pub fn add(&mut self, other: &Resources<'d>) {
        for (name, amount) in other.iter() {
            self.set(name, self.get(name).unwrap_or_default() + amount);
        }
    }

    /// Takes the larger of each amount.
    pub fn raise(&mut self, other: &Resources<'d>) {
        for (name, amount) in other.iter() {
            let own = self.get(name);
            if own.is_none_or(|own| own < amount) {
                self.set(name, amount);
            }
        }
    }

    /// The resources and their amounts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'d str, Quantity)> {
        self.amounts.iter().copied()
    }
}

/// What a container is to its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs as long as the pod.
    Main,
    /// Runs to its end before the main ones start.
    Init,
    /// An init container with `restartPolicy: Always`: starts in order and runs as long as the pod.
    Sidecar,
}

/// One container's resources after all defaults.
#[derive(Clone, Debug)]
pub struct ContainerDemand<'d> {
    /// The container.
    pub node: Node<'d>,
    /// Its name.
    pub name: &'d str,
    /// What it is to its pod.
    pub role: Role,
    /// What it is promised.
    pub requests: Resources<'d>,
    /// What it may use.
    pub limits: Resources<'d>,
}

/// What one pod asks for.
#[derive(Clone, Debug, Default)]
pub struct PodDemand<'d> {
    /// What it is promised, as the scheduler and quotas count it.
    pub requests: Resources<'d>,
    /// What it may use, as quotas count it.
    pub limits: Resources<'d>,
    /// The requests without overhead, as LimitRanges judge them.
    pub own_requests: Resources<'d>,
    /// The limits without overhead.
    pub own_limits: Resources<'d>,
    /// Its containers, main ones first.
    pub containers: Vec<ContainerDemand<'d>>,
    /// Whether the pod itself states resources (`spec.resources`), which takes the duty off its containers.
    pub is_pod_level: bool,
    /// Whether it states no CPU and no memory at all, so that it is the first to go
    /// (`pkg/apis/core/v1/helper/qos/qos.go`, ComputePodQOS).
    pub is_best_effort: bool,
    /// Values that are no quantities, or less than nothing.
    pub invalid: Vec<Node<'d>>,
}

impl<'d> PodDemand<'d> {
    /// The demand of one pod of this workload.
    pub fn new(
        model: &Model<'d>,
        workload: &Workload<'d>,
        limit_ranges: &LimitRanges<'d>,
        version: KubernetesVersion,
    ) -> PodDemand<'d> {
        let mut demand = PodDemand::default();
        let pod = workload.pod;
        for node in pod.list("containers") {
            let container = container(node, Role::Main, &mut demand.invalid);
            demand.containers.push(container);
        }
        for node in pod.list("initContainers") {
            let role = if is_sidecar(node) { Role::Sidecar } else { Role::Init };
            let container = container(node, role, &mut demand.invalid);
            demand.containers.push(container);
        }
        // What the containers request before LimitRanges fill them.
        let stated = aggregate(&demand.containers, |it| &it.requests);
        for range in limit_ranges.of(workload.namespace) {
            for container in &mut demand.containers {
                container.requests.fill(&range.default_request);
                container.limits.fill(&range.default_limit);
            }
        }
        let status = match workload.kind {
            Kind::Pod => model.object(workload.object).field(&["status"]),
            _ => None,
        };
        if let Some(status) = status {
            resized::raise(&mut demand.containers, status);
        }
        demand.requests = aggregate(&demand.containers, |it| &it.requests);
        demand.limits = aggregate(&demand.containers, |it| &it.limits);
        demand.apply_pod_level(pod.get("resources"), &stated, version);
        let is_nothing = |it: &Resources<'_>| {
            ["cpu", "memory"].iter().all(|name| it.get(name).is_none_or(Quantity::is_zero))
        };
        demand.is_best_effort = is_nothing(&demand.requests) && is_nothing(&demand.limits);
        demand.own_requests = demand.requests.clone();
        demand.own_limits = demand.limits.clone();
        // Admission writes the overhead of the RuntimeClass into the pod (`plugin/pkg/admission/runtimeclass`).
        let class =
            pod.text("runtimeClassName").and_then(|it| model.find(Kind::RuntimeClass, "", it));
        let of_class = class.and_then(|it| it.field(&["overhead", "podFixed"]));
        let (own, mut elsewhere) = (pod.get("overhead"), Vec::new());
        let invalid = if own.is_some() { &mut demand.invalid } else { &mut elsewhere };
        let overhead = Resources::parse(own.or(of_class), invalid);
        demand.requests.add(&overhead);
        for (name, amount) in overhead.iter() {
            if let Some(limit) = demand.limits.get(name).filter(|it| !it.is_zero()) {
                demand.limits.set(name, limit + amount);
            }
        }
        demand
    }

    /// Pod-level CPU, memory and huge pages stand in place of the containers' sums, since 1.34; before, the API server drops
    /// them.
    fn apply_pod_level(
        &mut self,
        resources: Option<Node<'d>>,
        stated: &Resources<'d>,
        version: KubernetesVersion,
    ) {
        let Some(resources) = resources.filter(|_| version >= POD_LEVEL) else { return };
        let requests = Resources::parse(resources.get("requests"), &mut self.invalid);
        let limits = Resources::parse(resources.get("limits"), &mut self.invalid);
        self.is_pod_level = requests.iter().chain(limits.iter()).any(|(name, _)| is_of_pods(name));
        if !self.is_pod_level {
            return;
        }
        let (requests, limits) = match version >= DEFAULTED_LATE {
            true => self.defaulted_late(requests, limits),
            false => (defaulted_early(requests, &limits, stated), limits),
        };
        for (name, amount) in requests.iter().filter(|(it, _)| is_of_pods(it)) {
            self.requests.set(name, amount);
        }
        for (name, amount) in limits.iter().filter(|(it, _)| is_of_pods(it)) {
            self.limits.set(name, amount);
        }
    }

    /// A request that the pod does not state is what its containers request once LimitRanges have filled them, else its
    /// limit; a limit that it does not state is what its containers may take, where each says so, and no less than the
    /// request (`pkg/api/pod/util.go`, DefaultPodLevelResources).
    fn defaulted_late(
        &self,
        mut requests: Resources<'d>,
        mut limits: Resources<'d>,
    ) -> (Resources<'d>, Resources<'d>) {
        for (name, amount) in limits.iter().filter(|(it, _)| is_of_pods(it)) {
            if requests.get(name).is_none() && self.requests.get(name).is_none() {
                requests.set(name, amount);
            }
        }
        let is_limited =
            |name: &str| self.containers.iter().all(|it| it.limits.get(name).is_some());
        for (name, amount) in self.limits.iter().filter(|(it, _)| is_of_pods(it)) {
            if limits.get(name).is_none() && is_limited(name) {
                let request = requests.get(name).or(self.requests.get(name)).unwrap_or_default();
                limits.set(name, amount.max(request));
            }
        }
        (requests, limits)
    }
}

/// Since when pods may state resources of their own (PodLevelResources, beta).
const POD_LEVEL: KubernetesVersion = KubernetesVersion::minor(34);

/// Since when what they leave out is filled in after LimitRanges (PodLevelResourcesFixDefaulting, beta).
const DEFAULTED_LATE: KubernetesVersion = KubernetesVersion::minor(37);

/// The resources that pods may state of their own (`component-helpers/resource/helpers.go`, SupportedPodLevelResources).
fn is_of_pods(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-")
}

/// Until 1.36, and only where the pod states a limit: a request is what its containers request before LimitRanges fill
/// them, else the limit; huge pages, of which no more may be used than are requested, are never summed
/// (`pkg/apis/core/v1/defaults.go`, defaultPodRequests).
fn defaulted_early<'d>(
    mut requests: Resources<'d>,
    limits: &Resources<'d>,
    stated: &Resources<'d>,
) -> Resources<'d> {
    if limits.iter().next().is_none() {
        return requests;
    }
    let summed = stated.iter().filter(|(it, _)| matches!(*it, "cpu" | "memory"));
    for (name, amount) in summed.chain(limits.iter().filter(|(it, _)| is_of_pods(it))) {
        if requests.get(name).is_none() {
            requests.set(name, amount);
        }
    }
    requests
}

/// What a container states; a limit alone is a request as well (`pkg/apis/core/v1/defaults.go`, SetDefaults_Pod).
fn container<'d>(node: Node<'d>, role: Role, invalid: &mut Vec<Node<'d>>) -> ContainerDemand<'d> {
    let mut requests = Resources::parse(node.at(&["resources", "requests"]), invalid);
    let limits = Resources::parse(node.at(&["resources", "limits"]), invalid);
    requests.fill(&limits);
    ContainerDemand { node, name: node.text("name").unwrap_or(""), role, requests, limits }
}

/// The most that runs at once: all main containers and sidecars, or one init container beside the sidecars before it.
fn aggregate<'d>(
    containers: &[ContainerDemand<'d>],
    of: for<'c> fn(&'c ContainerDemand<'d>) -> &'c Resources<'d>,
) -> Resources<'d> {
    let mut sum = Resources::default();
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in containers {
        match container.role {
            Role::Main => sum.add(of(container)),
            Role::Sidecar => {
                sum.add(of(container));
                sidecars.add(of(container));
                starting.raise(&sidecars);
            }
            Role::Init => {
                let mut now = sidecars.clone();
                now.add(of(container));
                starting.raise(&now);
            }
        }
    }
    sum.raise(&starting);
    sum
}
