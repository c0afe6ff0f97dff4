//! Integers or percentages of pods, and what a rolling update may add and take away.
//!
//! `k8s.io/apimachinery/pkg/util/intstr` and `pkg/controller/deployment/util/deployment_util.go`, ResolveFenceposts.

use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Model;
use crate::text::tree::{Node, Number, Value};
use std::fmt;

/// `2` or `25%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntOrPercent {
    /// A number of pods.
    Int(u64),
    /// Of all pods.
    Percent(u64),
}

/// Which way a fraction of a pod goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To more.
    Up,
    /// To less.
    Down,
}

impl IntOrPercent {
    /// Reads a field; `None` for what the API server refuses.
    pub fn parse(node: Node<'_>) -> Option<IntOrPercent> {
        match node.value() {
            Value::Number(Number::Int(it)) => {
                u64::try_from(it).ok().filter(|it| *it <= i32::MAX as u64).map(Self::Int)
            }
            Value::Str(it) => {
                let digits = it.strip_suffix('%')?;
                let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
                digits.parse().ok().filter(|it| plain && *it <= i32::MAX as u64).map(Self::Percent)
            }
            _ => None,
        }
    }

    /// How many of `total` pods it means.
    pub fn of(self, total: u64, rounding: Rounding) -> u64 {
        match (self, rounding) {
            (Self::Int(it), _) => it,
            (Self::Percent(it), Rounding::Up) => it.saturating_mul(total).div_ceil(100),
            (Self::Percent(it), Rounding::Down) => it.saturating_mul(total) / 100,
        }
    }
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(it) => write!(f, "{it}"),
            Self::Percent(it) => write!(f, "{it}%"),
        }
    }
}

/// How a workload replaces its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// New pods beside old ones, within these bounds.
    Rolling {
        /// How many more than wanted there may be.
        surge: IntOrPercent,
        /// How many fewer than wanted may be ready.
        unavailable: IntOrPercent,
        /// Where a fraction of `unavailable` goes: down for a Deployment, up for a DaemonSet.
        rounding: Rounding,
    },
    /// All old pods go before the first new one comes.
    Recreate,
    /// One by one, each after the one before it is ready (StatefulSet).
    Ordered,
    /// Only when somebody deletes a pod.
    OnDelete,
    /// New pods beside old ones within these bounds, step by step (a canary of Argo Rollouts).
    Canary {
        /// How many more than wanted there may be.
        surge: IntOrPercent,
        /// How many fewer than wanted may be ready.
        unavailable: IntOrPercent,
    },
    /// All new pods beside all old ones (blueGreen of Argo Rollouts, and its canaries behind a traffic router).
    Beside,
    /// Pods that are never replaced, or by a controller that is not known here.
    Unknown,
}

impl Rollout {
    /// How this workload replaces its pods.
    pub fn of(model: &Model<'_>, workload: &Workload<'_>) -> Rollout {
        let root = model.object(workload.controller).root;
        let strategy = |field| root.at(&["spec", field]);
        let kind = |node: Option<Node<'_>>| node.and_then(|it| it.text("type")).map(str::to_string);
        match workload.kind {
            Kind::Deployment => {
                let strategy = strategy("strategy");
                match kind(strategy).as_deref() {
                    Some("Recreate") => Rollout::Recreate,
                    _ => rolling(
                        strategy,
                        IntOrPercent::Percent(25),
                        IntOrPercent::Percent(25),
                        Rounding::Down,
                    ),
                }
            }
            Kind::DaemonSet => {
                let strategy = strategy("updateStrategy");
                match kind(strategy).as_deref() {
                    Some("OnDelete") => Rollout::OnDelete,
                    _ => {
                        rolling(strategy, IntOrPercent::Int(0), IntOrPercent::Int(1), Rounding::Up)
                    }
                }
            }
            Kind::StatefulSet => match kind(strategy("updateStrategy")).as_deref() {
                Some("OnDelete") => Rollout::OnDelete,
                _ => Rollout::Ordered,
            },
            Kind::Rollout => argo(strategy("strategy")),
            _ => Rollout::Unknown,
        }
    }

    /// Whether a rollout could ever change a pod. The API server refuses a workload with both bounds zero
    /// (`pkg/apis/apps/validation/validation.go`, ValidateRollingUpdateDeployment and ValidateRollingUpdateDaemonSet).
    pub fn may_move(self) -> bool {
        let is_zero = |it| matches!(it, IntOrPercent::Int(0) | IntOrPercent::Percent(0));
        !matches!(self, Rollout::Rolling { surge, unavailable, .. } if is_zero(surge) && is_zero(unavailable))
    }

    /// The most pods beyond `replicas` that a rollout runs at once.
    pub fn surge(self, replicas: u64) -> u64 {
        match self {
            Rollout::Rolling { surge, .. } | Rollout::Canary { surge, .. } => {
                surge.of(replicas, Rounding::Up)
            }
            Rollout::Beside => replicas,
            Rollout::Recreate | Rollout::Ordered | Rollout::OnDelete | Rollout::Unknown => 0,
        }
    }

    /// How many pods a rollout that adds none replaces at once, each new one while an old one may still terminate. A
    /// StatefulSet, a DaemonSet and `Recreate` wait until the old ones are gone
    /// (`pkg/controller/deployment/recreate.go`, oldPodsRunning; `pkg/controller/daemon/update.go`).
    pub fn replaced_at_once(self, replicas: u64) -> u64 {
        match self {
            Rollout::Rolling { rounding: Rounding::Down, .. } if self.surge(replicas) == 0 => {
                self.unavailable(replicas)
            }
            _ => 0,
        }
    }

    /// The most pods below `replicas` that may be missing during a rollout.
    pub fn unavailable(self, replicas: u64) -> u64 {
        match self {
            Rollout::Rolling { surge, unavailable, rounding } => {
                // Both zero after rounding would never move, so Kubernetes takes one away.
                let down = unavailable.of(replicas, rounding);
                if down == 0 && surge.of(replicas, Rounding::Up) == 0 {
                    1.min(replicas)
                } else {
                    down.min(replicas)
                }
            }
            Rollout::Canary { unavailable, .. } => {
                unavailable.of(replicas, Rounding::Down).min(replicas)
            }
            Rollout::Recreate => replicas,
            Rollout::Ordered => 1.min(replicas),
            Rollout::Beside | Rollout::OnDelete | Rollout::Unknown => 0,
        }
    }
}

/// A blueGreen Rollout scales the new ReplicaSet to all replicas before it switches over, and a canary behind a traffic
/// router keeps the stable one as it is unless `dynamicStableScale` says otherwise (argo-rollouts,
/// `docs/features/bluegreen.md` and `docs/features/canary.md`). Other canaries stay within their bounds, 25 % each unless
/// set (`utils/defaults/defaults.go`).
fn argo(strategy: Option<Node<'_>>) -> Rollout {
    let canary = match strategy {
        Some(it) if it.get("blueGreen").is_some() => return Rollout::Beside,
        Some(it) => it.get("canary"),
        None => return Rollout::Unknown,
    };
    let is_dynamic = canary.and_then(|it| it.get("dynamicStableScale")).and_then(Node::bool);
    if canary.is_some_and(|it| it.get("trafficRouting").is_some()) && is_dynamic != Some(true) {
        return Rollout::Beside;
    }
    let bound = |key| canary.and_then(|it| it.get(key)).and_then(IntOrPercent::parse);
    let quarter = IntOrPercent::Percent(25);
    Rollout::Canary {
        surge: bound("maxSurge").unwrap_or(quarter),
        unavailable: bound("maxUnavailable").unwrap_or(quarter),
    }
}

fn rolling(
    strategy: Option<Node<'_>>,
    surge: IntOrPercent,
    unavailable: IntOrPercent,
    rounding: Rounding,
) -> Rollout {
    let field =
        |key| strategy.and_then(|it| it.at(&["rollingUpdate", key])).and_then(IntOrPercent::parse);
    Rollout::Rolling {
        surge: field("maxSurge").unwrap_or(surge),
        unavailable: field("maxUnavailable").unwrap_or(unavailable),
        rounding,
    }
}
