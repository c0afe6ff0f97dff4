//! LimitRanges by namespace, with the defaults that Kubernetes fills in for them.
//!
//! `pkg/apis/core/v1/defaults.go`, SetDefaults_LimitRangeItem.

use super::demand::Resources;
use crate::model::kind::Kind;
use crate::model::{Model, ObjId};
use crate::tree::Node;
use rustc_hash::FxHashMap;

/// What one LimitRange says of containers.
#[derive(Clone, Debug, Default)]
pub struct ContainerRange<'d> {
    /// Limits for containers that state none.
    pub default_limit: Resources<'d>,
    /// Requests for containers that state neither requests nor limits.
    pub default_request: Resources<'d>,
}

/// One `spec.limits` item.
#[derive(Clone, Debug)]
pub struct LimitItem<'d> {
    /// The LimitRange.
    pub object: ObjId,
    /// The item.
    pub node: Node<'d>,
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    pub kind: &'d str,
    /// The least.
    pub min: Resources<'d>,
    /// The most.
    pub max: Resources<'d>,
    /// The most that a limit may be of its request.
    pub max_ratio: Resources<'d>,
}

/// All LimitRanges.
#[derive(Debug, Default)]
pub struct LimitRanges<'d> {
    containers: FxHashMap<&'d str, Vec<ContainerRange<'d>>>,
    items: FxHashMap<&'d str, Vec<LimitItem<'d>>>,
    /// Values that are no quantities.
    pub invalid: Vec<(ObjId, Node<'d>)>,
}

impl<'d> LimitRanges<'d> {
    /// Reads the LimitRanges of a model.
    pub fn new(model: &Model<'d>) -> LimitRanges<'d> {
        let mut ranges = LimitRanges::default();
        for object in model.of_kind(Kind::LimitRange) {
            for node in object.field(&["spec"]).into_iter().flat_map(|it| it.list("limits")) {
                let mut invalid = Vec::new();
                let mut read = |key| Resources::parse(node.get(key), &mut invalid);
                let (min, max, max_ratio) =
                    (read("min"), read("max"), read("maxLimitRequestRatio"));
                let (mut default_limit, mut default_request) =
                    (read("default"), read("defaultRequest"));
                let kind = node.text("type").unwrap_or("");
                if kind == "Container" {
                    default_limit.fill(&max);
                    default_request.fill(&default_limit);
                    default_request.fill(&min);
                    let range = ContainerRange { default_limit, default_request };
                    ranges.containers.entry(object.namespace).or_default().push(range);
                }
                let item = LimitItem { object: object.id, node, kind, min, max, max_ratio };
                ranges.items.entry(object.namespace).or_default().push(item);
                ranges.invalid.extend(invalid.into_iter().map(|it| (object.id, it)));
            }
        }
        ranges
    }

    /// What the namespace's LimitRanges give to containers, in order.
    pub fn of(&self, namespace: &str) -> &[ContainerRange<'d>] {
        self.containers.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// What the namespace's LimitRanges demand.
    pub fn items(&self, namespace: &str) -> &[LimitItem<'d>] {
        self.items.get(namespace).map_or(&[], Vec::as_slice)
    }
}
