//! How many pods each workload may have: from its floor to its peak, and who says so.
//!
//! A budget has to hold at the floor; quotas and nodes have to hold the peak.

use crate::analyze::selection::workloads::{Workload, WorkloadId, Workloads};
use crate::api::kind::{Kind, group};
use crate::model::Place;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// What says how many pods a workload has instead of the workload itself.
pub const AUTOSCALERS: &[Kind] = &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject];

/// Where a workload says how many pods it has.
const REPLICAS: &str = "spec.replicas";

/// What stands for the number of a bare pod, which no field says.
const BARE_POD: &str = "metadata.name";

/// What sets a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A field, as written.
    Written,
    /// The field's default, because it is not written.
    Default,
}

/// One end of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// How many pods.
    pub count: u64,
    /// The object that says so: the workload or an autoscaler.
    pub object: ObjId,
    /// The field that says so.
    pub path: &'static str,
    /// Whether it is written.
    pub cause: Cause,
}

impl Bound {
    /// Where it is said.
    pub fn place(&self, model: &Model<'_>) -> Place {
        model.object(self.object).at(self.path)
    }

    /// `replicas 3`, `minReplicas 2`, `replicas not set, so 1`.
    pub fn describe(&self) -> String {
        if self.path == BARE_POD {
            return match self.count {
                1 => "a pod by itself".into(),
                count => format!("{count} pods of one owner"),
            };
        }
        match self.cause {
            Cause::Written if self.path.ends_with("suspend") => "suspended".into(),
            Cause::Written => format!("{} {}", self.field(), self.count),
            Cause::Default => format!("{} not set, so {}", self.field(), self.count),
        }
    }

    /// Whether the workload says nothing of its number, as one does that leaves it to an autoscaler.
    pub fn is_left_open(&self) -> bool {
        self.cause == Cause::Default && self.path == REPLICAS
    }

    /// The field's own name: `replicas`, `minReplicas`.
    pub fn field(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// The number of pods of a workload over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The fewest.
    pub floor: Bound,
    /// The most, surge of a rollout apart.
    pub peak: Bound,
}

/// What changes the number of a workload's pods.
#[derive(Clone, Copy, Debug)]
pub struct Scaler<'d> {
    /// The HorizontalPodAutoscaler or ScaledObject.
    pub object: ObjId,
    /// Its `spec.scaleTargetRef`.
    pub target_ref: Option<Node<'d>>,
    /// What it scales, if that is a workload of the input.
    pub target: Option<WorkloadId>,
    /// Its lower bound.
    pub floor: Bound,
    /// Its upper bound.
    pub peak: Bound,
}

/// The envelopes of all workloads and the autoscalers behind them.
#[derive(Debug, Default)]
pub struct Replicas<'d> {
    scalers: Vec<Scaler<'d>>,
    by_target: FxHashMap<WorkloadId, Vec<u32>>,
    /// By workload.
    envelopes: Vec<Option<Envelope>>,
}

impl<'d> Replicas<'d> {
    /// Finds the autoscalers and works out every envelope.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Replicas<'d> {
        let hpas = model.of_kind(Kind::HorizontalPodAutoscaler);
        let hpas = hpas.filter(|it| !is_made_by_keda(it.root));
        let hpas = hpas.map(|it| scaler(model, workloads, it.id, &HPA));
        let keda = model.of_kind(Kind::ScaledObject);
        let keda = keda.map(|it| scaler(model, workloads, it.id, &SCALED_OBJECT));
        let mut replicas = Replicas { scalers: hpas.chain(keda).collect(), ..Replicas::default() };
        for (at, scaler) in replicas.scalers.iter().enumerate() {
            if let Some(target) = scaler.target {
                replicas.by_target.entry(target).or_default().push(at as u32);
            }
        }
        for workload in workloads.iter() {
            let scalers: Vec<_> = replicas.scalers_of(workload.id).collect();
            let envelope = envelope(model, workload, &scalers);
            replicas.envelopes.push(envelope);
        }
        replicas
    }

    /// The envelope of a workload; `None` where the number follows the nodes (DaemonSet) and no status tells it.
    pub fn envelope(&self, workload: WorkloadId) -> Option<&Envelope> {
        self.envelopes[workload.0 as usize].as_ref()
    }

    /// All autoscalers, those apart that KEDA makes for its own.
    pub fn scalers(&self) -> &[Scaler<'d>] {
        &self.scalers
    }

    /// The autoscalers of a workload.
    pub fn scalers_of(&self, workload: WorkloadId) -> impl Iterator<Item = &Scaler<'d>> {
        self.by_target.get(&workload).into_iter().flatten().map(|at| &self.scalers[*at as usize])
    }
}

/// KEDA makes a HorizontalPodAutoscaler of each ScaledObject; what it says is said there.
fn is_made_by_keda(root: Node<'_>) -> bool {
    let owners = root.get("metadata").into_iter().flat_map(|it| it.list("ownerReferences"));
    owners.filter_map(|it| it.text("kind")).any(|it| it == "ScaledObject")
}

/// What a `scaleTargetRef` or `targetRef` means: a reference is matched by group and kind, the version does not matter.
/// KEDA means Deployments unless told.
pub fn target<'d>(
    model: &Model<'d>,
    workloads: &Workloads<'d>,
    namespace: &str,
    reference: Node<'d>,
) -> Option<WorkloadId> {
    let kind = reference.text("kind").unwrap_or("Deployment");
    let group = reference.text("apiVersion").map_or("apps", group);
    let name = reference.text("name")?;
    let found = match Kind::of(group, kind) {
        Kind::Custom => model.find_custom(group, kind, namespace, name),
        known => model.find(known, namespace, name),
    };
    Some(workloads.of_object(found?.id)?.id)
}

/// The fields of a kind of autoscaler.
struct Fields {
    floor: &'static str,
    floor_default: u64,
    peak: &'static str,
    peak_default: u64,
}

/// `autoscaling/v2`: minReplicas 1 unless set; maxReplicas is required.
const HPA: Fields = Fields {
    floor: "spec.minReplicas",
    floor_default: 1,
    peak: "spec.maxReplicas",
    peak_default: 1,
};
/// KEDA: 0 to 100 unless set.
const SCALED_OBJECT: Fields = Fields {
    floor: "spec.minReplicaCount",
    floor_default: 0,
    peak: "spec.maxReplicaCount",
    peak_default: 100,
};

fn scaler<'d>(
    model: &Model<'d>,
    workloads: &Workloads<'d>,
    object: ObjId,
    fields: &Fields,
) -> Scaler<'d> {
    let it = model.object(object);
    let target_ref = it.field(&["spec", "scaleTargetRef"]);
    let target =
        target_ref.and_then(|target_ref| target(model, workloads, it.namespace, target_ref));
    let floor = bound(it.root, object, fields.floor, fields.floor_default);
    let peak = bound(it.root, object, fields.peak, fields.peak_default);
    Scaler { object, target_ref, target, floor, peak }
}

fn envelope(
    model: &Model<'_>,
    workload: &Workload<'_>,
    scalers: &[&Scaler<'_>],
) -> Option<Envelope> {
    let fields = scalers.iter().flat_map(|it| [it.floor, it.peak]);
    let own = own(model, workload);
    let mut said_at = fields.chain(own.filter(|_| scalers.is_empty()));
    // What another tool fills in says nothing yet.
    if said_at.any(|it| is_filled_in(model, &it)) {
        return None;
    }
    let own = own?;
    // Zero replicas written switch an autoscaler off.
    let off = own.count == 0 && own.cause == Cause::Written;
    let floor =
        scalers.iter().map(|it| it.floor).min_by_key(|it| it.count).filter(|_| !off).unwrap_or(own);
    let peak =
        scalers.iter().map(|it| it.peak).max_by_key(|it| it.count).filter(|_| !off).unwrap_or(own);
    // The lower bound of an autoscaler is never above its upper one; where it is, `hpa-bounds` tells.
    let peak = if peak.count < floor.count { floor } else { peak };
    Some(Envelope { floor, peak })
}

/// What a workload says of its number itself: the sum, where several objects stand for it.
fn own(model: &Model<'_>, workload: &Workload<'_>) -> Option<Bound> {
    let (object, path) = (workload.object, BARE_POD);
    if workload.kind == Kind::Pod {
        let count = workload.members.len() as u64;
        return Some(Bound { count, object, path, cause: Cause::Written });
    }
    let controller = workload.controller;
    let of = |object| {
        let root = model.object(object).root;
        match workload.kind {
            Kind::DaemonSet => scheduled(root, object),
            Kind::Job => Some(job(root, object, &JOB)),
            Kind::CronJob => Some(job(root, object, &CRON_JOB)),
            _ => Some(bound(root, object, REPLICAS, 1)),
        }
    };
    let first = of(controller)?;
    let others = workload.members.iter().filter(|it| **it != object && **it != controller);
    let more: u64 = others.filter_map(|it| of(*it)).map(|it| it.count).sum();
    Some(Bound { count: first.count + more, ..first })
}

/// Whether the field that says it holds a text that another tool fills in.
fn is_filled_in(model: &Model<'_>, bound: &Bound) -> bool {
    let node = model.object(bound.object).root.down(bound.path);
    bound.path != BARE_POD && node.is_some_and(Node::has_placeholder)
}

/// In a cluster the status says on how many nodes a DaemonSet runs.
fn scheduled(root: Node<'_>, object: ObjId) -> Option<Bound> {
    let path = "status.desiredNumberScheduled";
    let known = bound(root, object, path, 0);
    (known.cause == Cause::Written).then_some(known)
}

/// Where a kind of job says how many pods it runs.
struct JobFields {
    suspend: &'static str,
    parallelism: &'static str,
    completions: &'static str,
}

const JOB: JobFields = JobFields {
    suspend: "spec.suspend",
    parallelism: "spec.parallelism",
    completions: "spec.completions",
};
const CRON_JOB: JobFields = JobFields {
    suspend: "spec.suspend",
    parallelism: "spec.jobTemplate.spec.parallelism",
    completions: "spec.jobTemplate.spec.completions",
};

/// A Job runs as many pods at once as `parallelism` says, never more than are left to complete, and none while it is
/// suspended or once it has ended.
fn job(root: Node<'_>, object: ObjId, fields: &JobFields) -> Bound {
    let none = |path| Bound { count: 0, object, path, cause: Cause::Written };
    if root.down(fields.suspend).and_then(Node::bool) == Some(true) {
        return none(fields.suspend);
    }
    let conditions = root.get("status").into_iter().flat_map(|it| it.list("conditions"));
    let mut ended = conditions.filter(|it| {
        matches!(it.text("type"), Some("Complete" | "Failed")) && it.text("status") == Some("True")
    });
    if ended.next().is_some() {
        return none("status.conditions");
    }
    let parallelism = bound(root, object, fields.parallelism, 1);
    let completions = bound(root, object, fields.completions, u64::MAX);
    if completions.count < parallelism.count { completions } else { parallelism }
}

/// The count in a field. What the API server refuses (less than zero, more than 32 bits) is bounded here and reported by
/// `invalid-quantity`.
fn bound(root: Node<'_>, object: ObjId, path: &'static str, default: u64) -> Bound {
    match root.down(path).and_then(Node::int) {
        Some(count) => {
            let count = count.clamp(0, i64::from(i32::MAX)) as u64;
            Bound { count, object, path, cause: Cause::Written }
        }
        None => Bound { count: default, object, path, cause: Cause::Default },
    }
}

/// `1 pod`, `2 pods`.
pub fn pods_of(count: u64) -> String {
    match count {
        1 => "1 pod".into(),
        count => format!("{count} pods"),
    }
}
