//! LimitRanges by namespace, with the defaults that Kubernetes fills in for them.
//!
//! `pkg/apis/core/v1/defaults.go`, SetDefaults_LimitRangeItem.

use super::effective_resources::Resources;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;
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

/// What to change about a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It is not stated.
    Missing,
    /// It is too little.
    Below,
    /// It is too much.
    Above,
}

/// Something that a LimitRange refuses.
#[derive(Clone, Debug)]
pub struct Violation<'d> {
    /// Of what.
    pub resource: &'d str,
    /// `requests` or `limits`.
    pub field: &'static str,
    /// Which way.
    pub side: Side,
    /// What is wrong, after the name of what it is wrong with.
    pub text: String,
    /// The bound.
    pub bound: Node<'d>,
    /// What the bound is: `the minimum`.
    pub rule: &'static str,
}

impl<'d> LimitItem<'d> {
    /// What is refused of a container or pod with these requests and limits. A missing request fails a minimum, a missing
    /// limit a maximum.
    pub fn violations(
        &self,
        requests: &Resources<'d>,
        limits: &Resources<'d>,
    ) -> Vec<Violation<'d>> {
        let is_claim = self.kind == "PersistentVolumeClaim";
        let mut found = Vec::new();
        for (resource, min) in self.min.iter() {
            let shown = min.show(resource);
            let (request, limit) = (requests.get(resource), limits.get(resource));
            let (field, side, text) = match (request, limit) {
                (None, _) => (
                    "requests",
                    Side::Missing,
                    format!("requests no {resource}, and the minimum is {shown}"),
                ),
                (Some(it), _) if it < min => (
                    "requests",
                    Side::Below,
                    format!(
                        "requests {} of {resource}, less than the minimum of {shown}",
                        it.show(resource)
                    ),
                ),
                (_, Some(it)) if it < min => (
                    "limits",
                    Side::Below,
                    format!(
                        "is limited to {} of {resource}, less than the minimum of {shown}",
                        it.show(resource)
                    ),
                ),
                _ => continue,
            };
            found.extend(self.violation("min", "the minimum", resource, field, side, text));
        }
        for (resource, max) in self.max.iter() {
            let shown = max.show(resource);
            let request = requests.get(resource);
            // Claims have no limits.
            let limit = limits.get(resource).filter(|_| !is_claim);
            let (field, side, text) = match (limit, request) {
                (None, _) if !is_claim => (
                    "limits",
                    Side::Missing,
                    format!("has no {resource} limit, and the maximum is {shown}"),
                ),
                (Some(it), _) if it > max => (
                    "limits",
                    Side::Above,
                    format!(
                        "is limited to {} of {resource}, more than the maximum of {shown}",
                        it.show(resource)
                    ),
                ),
                (_, Some(it)) if it > max => (
                    "requests",
                    Side::Above,
                    format!(
                        "requests {} of {resource}, more than the maximum of {shown}",
                        it.show(resource)
                    ),
                ),
                _ => continue,
            };
            found.extend(self.violation("max", "the maximum", resource, field, side, text));
        }
        for (resource, ratio) in self.max_ratio.iter() {
            let stated = |it: &Resources<'d>| it.get(resource).filter(|it| !it.is_zero());
            let (field, side, text) = match (stated(requests), stated(limits)) {
                (None, _) => (
                    "requests",
                    Side::Missing,
                    format!(
                        "requests no {resource}, of which a limit may be {ratio} times as much"
                    ),
                ),
                (_, None) => (
                    "limits",
                    Side::Missing,
                    format!("has no {resource} limit, which may be {ratio} times the request"),
                ),
                (Some(request), Some(limit))
                    if limit.ratio(request) > ratio.ratio(Quantity::units(1)) =>
                {
                    (
                        "limits",
                        Side::Above,
                        format!(
                            "is limited to {} of {resource}, more than {ratio} times its request of {}",
                            limit.show(resource),
                            request.show(resource)
                        ),
                    )
                }
                _ => continue,
            };
            found.extend(self.violation(
                "maxLimitRequestRatio",
                "the largest ratio of limit to request",
                resource,
                field,
                side,
                text,
            ));
        }
        found
    }

    /// What is refused of a claim with these resources: its request alone counts.
    pub fn claim_violations(&self, resources: Option<Node<'d>>) -> Vec<Violation<'d>> {
        if self.kind != "PersistentVolumeClaim" {
            return Vec::new();
        }
        let requests = resources.and_then(|it| it.get("requests"));
        let requests = Resources::parse(requests, &mut Vec::new());
        self.violations(&requests, &requests)
    }

    fn violation(
        &self,
        key: &str,
        rule: &'static str,
        resource: &'d str,
        field: &'static str,
        side: Side,
        text: String,
    ) -> Option<Violation<'d>> {
        let bound = self.node.at(&[key, resource])?;
        Some(Violation { resource, field, side, text, bound, rule })
    }
}

/// All LimitRanges.
#[derive(Debug, Default)]
pub struct LimitRanges<'d> {
    containers: FxHashMap<&'d str, Vec<ContainerRange<'d>>>,
    items: FxHashMap<&'d str, Vec<LimitItem<'d>>>,
    /// Values that are no quantities, or less than nothing.
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

    /// The amounts of a LimitRange that are none; they are kept in the order of objects.
    pub fn invalid_of(&self, object: ObjId) -> impl Iterator<Item = Node<'d>> {
        let first = self.invalid.partition_point(|it| it.0 < object);
        let of_object = self.invalid[first..].iter().take_while(move |it| it.0 == object);
        of_object.map(|it| it.1)
    }

    /// What the namespace's LimitRanges demand.
    pub fn items(&self, namespace: &str) -> &[LimitItem<'d>] {
        self.items.get(namespace).map_or(&[], Vec::as_slice)
    }
}
