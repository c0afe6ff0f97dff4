//! How many pods each workload may have: from its floor to its peak, and who says so.
//!
//! A budget has to hold at the floor; quotas and nodes have to hold the peak.

use super::workloads::{Workload, WorkloadId, Workloads};
use crate::model::Place;
use crate::model::kind::{Kind, group};
use crate::model::{Model, ObjId};
use crate::tree::Node;
use rustc_hash::FxHashMap;

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
        match self.cause {
            Cause::Written => format!("{} {}", self.field(), self.count),
            Cause::Default => format!("{} not set, so {}", self.field(), self.count),
        }
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
    envelopes: FxHashMap<WorkloadId, Envelope>,
}

impl<'d> Replicas<'d> {
    /// Finds the autoscalers and works out every envelope.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Replicas<'d> {
        let hpas = model
            .of_kind(Kind::HorizontalPodAutoscaler)
            .map(|it| scaler(model, workloads, it.id, &HPA));
        let keda = model
            .of_kind(Kind::ScaledObject)
            .map(|it| scaler(model, workloads, it.id, &SCALED_OBJECT));
        let scalers: Vec<_> = hpas.chain(keda).collect();
        let mut by_target: FxHashMap<WorkloadId, Vec<&Scaler<'d>>> = FxHashMap::default();
        for scaler in &scalers {
            if let Some(target) = scaler.target {
                by_target.entry(target).or_default().push(scaler);
            }
        }
        let envelopes = workloads
            .iter()
            .filter_map(|it| {
                Some((
                    it.id,
                    envelope(model, it, by_target.get(&it.id).map_or(&[], Vec::as_slice))?,
                ))
            })
            .collect();
        Replicas { scalers, envelopes }
    }

    /// The envelope of a workload; `None` where the number follows the nodes (DaemonSet) and no status tells it.
    pub fn envelope(&self, workload: WorkloadId) -> Option<&Envelope> {
        self.envelopes.get(&workload)
    }

    /// All autoscalers.
    pub fn scalers(&self) -> &[Scaler<'d>] {
        &self.scalers
    }

    /// The autoscalers of a workload.
    pub fn scalers_of(&self, workload: WorkloadId) -> impl Iterator<Item = &Scaler<'d>> {
        self.scalers.iter().filter(move |it| it.target == Some(workload))
    }
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
    let target = target_ref.and_then(|target| {
        // A reference is matched by group and kind; the version does not matter. KEDA means Deployments unless told.
        let kind = target.text("kind").unwrap_or("Deployment");
        let group = target.text("apiVersion").map_or("apps", group);
        let kind_known = Kind::of(group, kind);
        let name = target.text("name")?;
        let found = match kind_known {
            Kind::Custom => model.find_custom(group, kind, it.namespace, name),
            known => model.find(known, it.namespace, name),
        };
        Some(workloads.of_object(found?.id)?.id)
    });
    let floor = bound(it.root, object, fields.floor, fields.floor_default);
    let peak = bound(it.root, object, fields.peak, fields.peak_default);
    Scaler { object, target_ref, target, floor, peak }
}

fn envelope(
    model: &Model<'_>,
    workload: &Workload<'_>,
    scalers: &[&Scaler<'_>],
) -> Option<Envelope> {
    let root = model.object(workload.object).root;
    let own = match workload.kind {
        Kind::DaemonSet => scheduled(root, workload.object)?,
        Kind::Pod => Bound {
            count: 1,
            object: workload.object,
            path: "metadata.name",
            cause: Cause::Written,
        },
        Kind::Job => job(root, workload.object, "spec.parallelism", "spec.completions"),
        Kind::CronJob => job(
            root,
            workload.object,
            "spec.jobTemplate.spec.parallelism",
            "spec.jobTemplate.spec.completions",
        ),
        _ => bound(root, workload.object, "spec.replicas", 1),
    };
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

/// In a cluster the status says on how many nodes a DaemonSet runs.
fn scheduled(root: Node<'_>, object: ObjId) -> Option<Bound> {
    let path = "status.desiredNumberScheduled";
    let known = bound(root, object, path, 0);
    (known.cause == Cause::Written).then_some(known)
}

/// A Job runs as many pods at once as `parallelism` says, and never more than are left to complete.
fn job(
    root: Node<'_>,
    object: ObjId,
    parallelism: &'static str,
    completions: &'static str,
) -> Bound {
    let parallelism = bound(root, object, parallelism, 1);
    let completions = bound(root, object, completions, u64::MAX);
    if completions.count < parallelism.count { completions } else { parallelism }
}

/// The count in a field. What the API server refuses (less than zero, more than 32 bits) is bounded here and reported by
/// `invalid-quantity`.
fn bound(root: Node<'_>, object: ObjId, path: &'static str, default: u64) -> Bound {
    let node = path.split('.').try_fold(root, |node, key| node.get(key));
    match node.and_then(Node::int) {
        Some(count) => {
            let count = count.clamp(0, i64::from(i32::MAX)) as u64;
            Bound { count, object, path, cause: Cause::Written }
        }
        None => Bound { count: default, object, path, cause: Cause::Default },
    }
}
