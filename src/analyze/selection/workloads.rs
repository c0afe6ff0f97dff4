//! What runs pods: the workloads of every kind, custom ones by their shape, with their pods' labels, indexed for selectors.

use super::owners::{Groups, Made, Owner, has_ended, made, taken_over};
use super::selector::{Operator, PodLabels, Selector, Selects};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// A workload's place among all workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkloadId(pub u32);

/// An object that makes pods, or a bare pod.
#[derive(Clone, Debug)]
pub struct Workload<'d> {
    /// Its place among all workloads.
    pub id: WorkloadId,
    /// The object.
    pub object: ObjId,
    /// Its kind; [`Kind::Custom`] for a custom kind with a pod template.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: &'d str,
    /// Its name.
    pub name: &'d str,
    /// The pod template (`metadata`, `spec`); a bare pod is its own.
    pub template: Node<'d>,
    /// The pod's specification.
    pub pod: Node<'d>,
    /// The labels its pods carry, those of the controller included.
    pub labels: PodLabels<'d>,
    /// The path of the template in the object; empty for a bare pod.
    pub template_path: &'static str,
    /// What says how many pods there are and how they are replaced: the object itself, or the Rollout that took over its
    /// template.
    pub controller: ObjId,
    /// What made it, where that has no template that is read and its pods stand for themselves.
    pub owner: Option<Owner<'d>>,
    /// Its objects: one, or all that its owner made.
    pub members: Vec<ObjId>,
    /// Of a custom kind: whether it serves the scale subresource, if its CustomResourceDefinition is in the input.
    custom_scale: Option<bool>,
}

impl<'d> Workload<'d> {
    /// The containers, then the init containers.
    pub fn containers(&self) -> impl Iterator<Item = Node<'d>> {
        self.pod.list("containers").chain(self.pod.list("initContainers"))
    }

    /// The path of a field of the pod's specification in the object: `spec.template.spec.containers` and so on.
    pub fn pod_path(&self, field: &str) -> String {
        let template = if self.template_path.is_empty() {
            String::new()
        } else {
            format!("{}.", self.template_path)
        };
        if field.is_empty() { format!("{template}spec") } else { format!("{template}spec.{field}") }
    }

    /// Whether something else than a declared port hints that a process listens there: a probe, an argument, an
    /// environment variable, an annotation (`prometheus.io/port`).
    pub fn speaks_of_port(&self, number: i64) -> bool {
        const FIELDS: [&str; 7] = [
            "args",
            "command",
            "env",
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ];
        let fields =
            self.containers().flat_map(|it| FIELDS.iter().filter_map(move |key| it.get(key)));
        let number = number.to_string();
        let annotations = self.template.at(&["metadata", "annotations"]);
        fields.chain(annotations).any(|it| speaks_of(it, &number))
    }

    /// Whether it is a single pod that no controller made, and that none replaces.
    pub fn is_bare_pod(&self) -> bool {
        self.kind == Kind::Pod && self.owner.is_none()
    }

    /// The path of the labels of its pods.
    pub fn labels_path(&self) -> String {
        let template = if self.template_path.is_empty() {
            String::new()
        } else {
            format!("{}.", self.template_path)
        };
        format!("{template}metadata.labels")
    }

    /// Whether the kind serves the scale subresource; `None` where nobody told us.
    ///
    /// Disruption budgets with percentages find the expected pods through it
    /// (`pkg/controller/disruption/disruption.go`, getScaleController).
    pub fn is_scalable(&self) -> Option<bool> {
        // The controller of the budget asks what made the pods.
        let kind = match self.owner {
            Some(owner) if self.kind == Kind::Pod => owner.known_kind(),
            _ => self.kind,
        };
        match kind {
            Kind::Deployment
            | Kind::StatefulSet
            | Kind::ReplicaSet
            | Kind::ReplicationController
            | Kind::Rollout => Some(true),
            Kind::Custom => self.custom_scale,
            _ => Some(false),
        }
    }
}

/// All workloads, found by object and by label.
#[derive(Debug, Default)]
pub struct Workloads<'d> {
    /// In the order of their objects.
    all: Vec<Workload<'d>>,
    /// By everything that stands for one: its objects, and the Rollout that took it over.
    by_object: FxHashMap<ObjId, WorkloadId>,
    by_namespace: FxHashMap<&'d str, Vec<WorkloadId>>,
    /// By namespace, key and value.
    by_label: OnceLock<FxHashMap<[&'d str; 3], Vec<WorkloadId>>>,
}

/// Up to so many workloads of a namespace are looked through sooner than an index of their labels is made.
const FEW: usize = 16;

impl<'d> Workloads<'d> {
    /// Finds the workloads of a model.
    pub fn new(model: &Model<'d>) -> Workloads<'d> {
        let mut found: Vec<Found<'_, 'd>> = Vec::new();
        let mut groups = Groups::default();
        for object in model.objects() {
            let Some((path, template)) = template(object.kind, object.root) else { continue };
            let pod = template.get("spec").filter(|it| it.is_map());
            let is_pod_needed = matches!(object.kind, Kind::Pod | Kind::Custom);
            // The API server refuses a workload whose pods have no specification; that it is there, is so all the same.
            let Some(pod) = pod.or((!is_pod_needed).then_some(template)) else { continue };
            let made = made(model, object);
            let owner = match made {
                Made::FromTemplate => continue,
                Made::By(owner) => Some(owner),
                Made::ByHand => None,
            };
            let is_made = matches!(object.kind, Kind::Pod | Kind::ReplicaSet | Kind::Job);
            let Some(owner) = owner.filter(|_| is_made) else {
                found.push(Found { object, others: Vec::new(), path, template, pod, owner: None });
                continue;
            };
            if has_ended(object) || pod.list("containers").next().is_none() {
                continue;
            }
            let at = groups.place(object, owner, pod, found.len());
            match found.get_mut(at) {
                Some(group) => group.others.push(object),
                None => {
                    let (others, owner) = (Vec::new(), Some(owner));
                    found.push(Found { object, others, path, template, pod, owner });
                }
            }
        }
        let (scales, taken_over) = (custom_scales(model), taken_over(model));
        let mut workloads = Workloads::default();
        for found in found {
            workloads.add(found, &scales, &taken_over);
        }
        workloads
    }

    fn add(
        &mut self,
        found: Found<'_, 'd>,
        scales: &FxHashMap<(&'d str, &'d str), bool>,
        taken_over: &FxHashMap<ObjId, ObjId>,
    ) {
        let Found { object: first, others, path, mut template, mut pod, owner } = found;
        let id = WorkloadId(self.all.len() as u32);
        let (mut object, mut members) = (first, vec![first.id]);
        let mut labels = PodLabels::of_all(labels(template), first.name);
        if !others.is_empty() {
            let all = || std::iter::once(first).chain(others.iter().copied());
            object = most_replicas(first, &others);
            let template_of = |it: &Object<'d>| Some(self::template(it.kind, it.root)?.1);
            template = template_of(object).unwrap_or(template);
            pod = template.get("spec").filter(|it| it.is_map()).unwrap_or(template);
            members.extend(others.iter().map(|it| it.id));
            let each = all().filter_map(|it| Some(self::labels(template_of(it)?)));
            labels = PodLabels::of_each(each.collect(), object.name);
        }
        let controller = taken_over.get(&object.id).copied();
        let kind = if controller.is_some() { Kind::Rollout } else { object.kind };
        labels.added = added_labels(kind);
        let custom = match owner {
            Some(owner) => (owner.group, owner.kind),
            None => (object.group(), object.kind_name),
        };
        self.by_object.extend(members.iter().chain(&controller).map(|it| (*it, id)));
        self.by_namespace.entry(object.namespace).or_default().push(id);
        self.all.push(Workload {
            id,
            object: object.id,
            kind,
            namespace: object.namespace,
            name: object.name,
            template,
            pod,
            labels,
            template_path: path,
            controller: controller.unwrap_or(object.id),
            owner,
            members,
            custom_scale: scales.get(&custom).copied(),
        });
    }

    /// The workload of this id.
    pub fn get(&self, id: WorkloadId) -> &Workload<'d> {
        &self.all[id.0 as usize]
    }

    /// All workloads.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Workload<'d>> {
        self.all.iter()
    }

    /// The workload that this object is.
    pub fn of_object(&self, object: ObjId) -> Option<&Workload<'d>> {
        self.by_object.get(&object).map(|id| self.get(*id))
    }

    /// The workloads of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Workload<'d>> {
        self.by_namespace.get(namespace).into_iter().flatten().map(|id| self.get(*id))
    }

    /// The workloads of a namespace with pods that the selector selects, and how many of these.
    pub fn select(
        &self,
        namespace: &str,
        selector: &Selector<'_>,
    ) -> Vec<(&Workload<'d>, Selects)> {
        let candidates = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        let candidates = match candidates.len() {
            0..=FEW => candidates,
            _ => self.narrowed(candidates, namespace, selector),
        };
        let found =
            candidates.iter().map(|id| self.get(*id)).map(|it| (it, selector.selects(&it.labels)));
        found.filter(|(_, selects)| *selects != Selects::None).collect()
    }

    /// Those that carry the rarest of the labels that have to be there.
    fn narrowed<'w>(
        &'w self,
        candidates: &'w [WorkloadId],
        namespace: &'w str,
        selector: &'w Selector<'w>,
    ) -> &'w [WorkloadId] {
        let by_label = self.by_label.get_or_init(|| self.label_index());
        let mut least = candidates;
        for requirement in &selector.requirements {
            let Operator::In(values) = &requirement.operator else { continue };
            let [value] = values.as_slice() else { continue };
            let written = by_label.get(&[namespace, requirement.key, value]);
            let written = written.map_or(&[][..], Vec::as_slice);
            if written.len() < least.len() && !is_added(requirement.key) {
                least = written;
            }
        }
        least
    }

    fn label_index(&self) -> FxHashMap<[&'d str; 3], Vec<WorkloadId>> {
        let mut by_label: FxHashMap<_, Vec<WorkloadId>> = FxHashMap::default();
        for it in &self.all {
            let each = it.labels.each.iter().flatten();
            let mut labels: Vec<_> = it.labels.written.iter().chain(each).copied().collect();
            // Of labels that pods share, each is listed once.
            if !it.labels.each.is_empty() {
                labels.sort_unstable();
                labels.dedup();
            }
            for (key, value) in labels {
                by_label.entry([it.namespace, key, value]).or_default().push(it.id);
            }
        }
        by_label
    }
}

/// The pod template of an object and its path.
pub fn template<'d>(kind: Kind, root: Node<'d>) -> Option<(&'static str, Node<'d>)> {
    match kind {
        Kind::Pod => Some(("", root)),
        Kind::CronJob => Some((
            "spec.jobTemplate.spec.template",
            root.at(&["spec", "jobTemplate", "spec", "template"])?,
        )),
        Kind::Deployment
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicaSet
        | Kind::ReplicationController
        | Kind::Job
        | Kind::Rollout => Some(("spec.template", root.at(&["spec", "template"])?)),
        Kind::Custom => {
            let template = root.at(&["spec", "template"])?;
            template.at(&["spec", "containers"])?;
            Some(("spec.template", template))
        }
        _ => None,
    }
}

/// Which custom kinds, by group and name, serve the scale subresource.
fn custom_scales<'d>(model: &Model<'d>) -> FxHashMap<(&'d str, &'d str), bool> {
    let definitions = model.of_kind(Kind::CustomResourceDefinition);
    definitions
        .filter_map(|it| {
            let spec = it.field(&["spec"])?;
            let versions = spec.list("versions").filter_map(|it| it.get("subresources"));
            // apiextensions.k8s.io/v1beta1 had one for all versions.
            let scale = spec
                .get("subresources")
                .into_iter()
                .chain(versions)
                .any(|it| it.get("scale").is_some());
            Some(((spec.text("group")?, spec.at(&["names", "kind"])?.str()?), scale))
        })
        .collect()
}

/// Whether the number stands somewhere below a node, by itself and not as part of a longer one.
pub fn speaks_of(node: Node<'_>, number: &str) -> bool {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let is_there = node
            .scalar()
            .is_some_and(|text| text.split(|it: char| !it.is_ascii_digit()).any(|it| it == number));
        if is_there {
            return true;
        }
        open.extend(node.items());
        open.extend(node.entries().map(|(_, value)| value));
    }
    false
}

/// Whether an init container runs as long as the pod does (KEP-753).
pub fn is_sidecar(init_container: Node<'_>) -> bool {
    init_container.text("restartPolicy") == Some("Always")
}

/// What stands for one workload.
struct Found<'m, 'd> {
    object: &'m Object<'d>,
    /// Of the same owner, beside it.
    others: Vec<&'m Object<'d>>,
    path: &'static str,
    template: Node<'d>,
    pod: Node<'d>,
    owner: Option<Owner<'d>>,
}

/// Of replica sets that one owner made, that with the most pods: the others are what is left of its earlier templates.
fn most_replicas<'m, 'd>(first: &'m Object<'d>, others: &[&'m Object<'d>]) -> &'m Object<'d> {
    let replicas = |it: &Object<'_>| it.root.at(&["spec", "replicas"]).and_then(Node::int);
    let mut most = first;
    for it in others {
        if replicas(it) > replicas(most) {
            most = it;
        }
    }
    most
}

fn labels(template: Node<'_>) -> Vec<(&str, &str)> {
    let labels = template.at(&["metadata", "labels"]).into_iter().flat_map(Node::pairs);
    labels.filter_map(|(key, it)| Some((key, it.str()?))).collect()
}

const DEPLOYMENT: &[&str] = &["pod-template-hash"];
const ROLLOUT: &[&str] = &["rollouts-pod-template-hash"];
const STATEFUL_SET: &[&str] = &[
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
];
const DAEMON_SET: &[&str] = &["controller-revision-hash", "pod-template-generation"];
const JOB: &[&str] = &[
    "job-name",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
];

/// The labels that controllers add to the pods they make.
fn added_labels(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Deployment => DEPLOYMENT,
        Kind::Rollout => ROLLOUT,
        Kind::StatefulSet => STATEFUL_SET,
        Kind::DaemonSet => DAEMON_SET,
        Kind::Job | Kind::CronJob => JOB,
        _ => &[],
    }
}

pub(in crate::analyze) fn is_added(key: &str) -> bool {
    [DEPLOYMENT, ROLLOUT, STATEFUL_SET, DAEMON_SET, JOB].iter().any(|it| it.contains(&key))
}
