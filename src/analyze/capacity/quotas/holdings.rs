//! What namespaces hold apart from pods, as quotas count it: claims, the ports of Services, objects.

use super::counted::Counted;
use super::scopes::Scopes;
use super::{By, Charge};
use crate::analyze::Facts;
use crate::analyze::capacity::rollout::Rollout;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::{KINDS, Kind};
use crate::api::quantity::Quantity;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};

/// Claims that are alike.
#[derive(Clone, Debug)]
pub(super) struct Claim<'d> {
    by: By<'d>,
    count: u64,
    surge: u64,
    class: Option<&'d str>,
    attributes_class: Option<&'d str>,
    storage: Quantity,
}

/// What all namespaces hold.
#[derive(Debug, Default)]
pub(super) struct Holdings<'d> {
    claims: FxHashMap<&'d str, Vec<Claim<'d>>>,
    services: FxHashMap<&'d str, Vec<(ObjId, Node<'d>)>>,
    objects: FxHashMap<(&'d str, &'d str, &'d str), u64>,
    /// How many Jobs each CronJob and ScaledJob keeps.
    jobs: FxHashMap<&'d str, Vec<(ObjId, u64)>>,
    default_class: Option<&'d str>,
}

impl<'d> Holdings<'d> {
    pub(super) fn new(model: &Model<'d>, facts: &Facts<'d>) -> Holdings<'d> {
        let mut holdings = Holdings { default_class: default_class(model), ..Holdings::default() };
        for object in model.objects() {
            if object.kind == Kind::Job && is_of_cron_job(model, object) {
                continue;
            }
            let key = (object.namespace, object.group(), object.kind_name);
            *holdings.objects.entry(key).or_default() += 1;
        }
        for object in [Kind::CronJob, Kind::ScaledJob].iter().flat_map(|it| model.of_kind(*it)) {
            let count = kept_jobs(object);
            if count > 0 {
                holdings.jobs.entry(object.namespace).or_default().push((object.id, count));
            }
        }
        for object in model.of_kind(Kind::Service) {
            if let Some(spec) = object.field(&["spec"]) {
                holdings.services.entry(object.namespace).or_default().push((object.id, spec));
            }
        }
        let mut made = FxHashSet::default();
        for workload in facts.workloads().iter() {
            holdings.add_claims_of(model, facts, workload, &mut made);
        }
        for object in model.of_kind(Kind::PersistentVolumeClaim) {
            // `data-redis-0` in a cluster is one of those that the StatefulSet makes.
            let prefix = object.name.rsplit_once('-').map_or("", |(prefix, _)| prefix);
            let is_made = made.contains(&(object.namespace, prefix.to_string()));
            let ordinal = object.name.rsplit('-').next().unwrap_or("");
            if is_made && ordinal.bytes().all(|it| it.is_ascii_digit()) {
                continue;
            }
            let claim = holdings.claim(object.root, By::Object(object.id), 1, 0);
            holdings.claims.entry(object.namespace).or_default().push(claim);
        }
        holdings
    }

    /// A StatefulSet makes claims for each of its pods and keeps them when it shrinks; ephemeral volumes make one for
    /// each pod of any kind.
    fn add_claims_of(
        &mut self,
        model: &Model<'d>,
        facts: &Facts<'d>,
        workload: &Workload<'d>,
        made: &mut FxHashSet<(&'d str, String)>,
    ) {
        let Some(peak) = facts.envelope(workload.id).map(|it| it.peak.count) else { return };
        let by = By::Workload(workload.id);
        let mut claims = Vec::new();
        if workload.kind == Kind::StatefulSet {
            let spec = model.object(workload.object).field(&["spec"]);
            for template in spec.into_iter().flat_map(|it| it.list("volumeClaimTemplates")) {
                let name = template.at(&["metadata", "name"]).and_then(Node::str).unwrap_or("");
                made.insert((workload.namespace, format!("{name}-{}", workload.name)));
                claims.push(self.claim(template, by, peak, 0));
            }
        }
        let surge = Rollout::of(model, workload).surge(peak);
        for volume in workload.pod.list("volumes") {
            if let Some(template) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
                claims.push(self.claim(template, by, peak, surge));
            }
        }
        if !claims.is_empty() && peak > 0 {
            self.claims.entry(workload.namespace).or_default().extend(claims);
        }
    }

    fn claim(&self, root: Node<'d>, by: By<'d>, count: u64, surge: u64) -> Claim<'d> {
        let spec = root.get("spec");
        let text = |key| spec.and_then(|it| it.text(key));
        let annotations = root.at(&["metadata", "annotations"]);
        let class = annotations
            .and_then(|it| it.text("volume.beta.kubernetes.io/storage-class"))
            .or(text("storageClassName"))
            .or(self.default_class)
            .filter(|it| !it.is_empty());
        let storage = spec.and_then(|it| it.at(&["resources", "requests", "storage"]));
        let storage = storage.and_then(Node::scalar).map(|it| Quantity::parse(&it));
        let storage = storage
            .and_then(Result::ok)
            .filter(|it| !it.is_negative())
            .unwrap_or_default()
            .stored();
        let attributes_class = text("volumeAttributesClassName").filter(|it| !it.is_empty());
        Claim { by, count, surge, class, attributes_class, storage }
    }

    /// What the namespace holds of this, by who holds it.
    pub(super) fn charges(
        &self,
        model: &Model<'d>,
        namespace: &str,
        counted: Counted<'_>,
        scopes: &Scopes<'d>,
    ) -> Vec<Charge<'d>> {
        match counted {
            Counted::Claims(class) => {
                self.claims(namespace, class, scopes, |_| Quantity::units(1)).collect()
            }
            Counted::Storage(class) => {
                self.claims(namespace, class, scopes, |it| it.storage).collect()
            }
            _ if !scopes.is_empty() => Vec::new(),
            Counted::LoadBalancers => self.services(namespace, load_balancers),
            Counted::NodePorts => self.services(namespace, node_ports),
            Counted::Objects { resource, group } => self.objects(model, namespace, resource, group),
            Counted::Request(_) | Counted::Limit(_) | Counted::Pods => Vec::new(),
        }
    }

    fn claims(
        &self,
        namespace: &str,
        class: Option<&str>,
        scopes: &Scopes<'d>,
        each: fn(&Claim<'d>) -> Quantity,
    ) -> impl Iterator<Item = Charge<'d>> {
        let claims = self.claims.get(namespace).into_iter().flatten();
        let claims = claims.filter(move |it| class.is_none() || it.class == class);
        let claims = claims.filter(|it| scopes.match_claim(it.attributes_class));
        claims.map(move |it| Charge {
            by: it.by,
            count: it.count,
            surge: it.surge,
            terminating: 0,
            each: each(it),
        })
    }

    fn services(&self, namespace: &str, count: fn(Node<'_>) -> u64) -> Vec<Charge<'d>> {
        let services = self.services.get(namespace).into_iter().flatten();
        let counted = services.map(|(object, spec)| (By::Object(*object), count(*spec)));
        counted.filter(|(_, count)| *count > 0).map(|(by, count)| ones(by, count)).collect()
    }

    fn objects(
        &self,
        model: &Model<'d>,
        namespace: &str,
        resource: &str,
        group: &str,
    ) -> Vec<Charge<'d>> {
        let known = KINDS.iter().find(|it| it.resource == resource && it.groups[0] == group);
        let mut charges = Vec::new();
        match (known, definition(model, resource, group)) {
            (Some(info), _) => {
                let counts = info.groups.iter().map(|it| self.count(namespace, it, info.name));
                charges.push(ones(By::Kind(info.name), counts.sum()));
            }
            (None, Some((group, kind))) => {
                charges.push(ones(By::Kind(kind), self.count(namespace, group, kind)));
            }
            (None, None) => {}
        }
        if (resource, group) == ("jobs", "batch") {
            let kept = self.jobs.get(namespace).into_iter().flatten();
            charges.extend(kept.map(|(object, count)| ones(By::Object(*object), *count)));
        }
        // The controllers of every cluster put these into every namespace.
        let (kind, always) = match (resource, group) {
            ("configmaps", "") => (Kind::ConfigMap, "kube-root-ca.crt"),
            ("serviceaccounts", "") => (Kind::ServiceAccount, "default"),
            _ => return charges,
        };
        if model.find(kind, namespace, always).is_none() {
            charges.push(ones(By::Always(always), 1));
        }
        charges
    }

    fn count(&self, namespace: &str, group: &str, kind: &str) -> u64 {
        self.objects.get(&(namespace, group, kind)).copied().unwrap_or(0)
    }
}

fn ones(by: By<'_>, count: u64) -> Charge<'_> {
    Charge { by, count, surge: 0, terminating: 0, each: Quantity::units(1) }
}

/// Whether a CronJob of the input made a Job, and counts it.
fn is_of_cron_job(model: &Model<'_>, job: &Object<'_>) -> bool {
    let mut owners = job.root.get("metadata").into_iter().flat_map(|it| it.list("ownerReferences"));
    owners.any(|it| {
        let name = it.text("name").unwrap_or_default();
        it.text("kind") == Some("CronJob")
            && model.find(Kind::CronJob, job.namespace, name).is_some()
    })
}

/// How many Jobs there are of a CronJob or ScaledJob before the first is removed, with the one that runs: finished ones
/// stay as long as there are no more of them than the limits say (`pkg/controller/cronjob/cronjob_controllerv2.go`,
/// removeOldestJobs; KEDA's `pkg/scaling/executor/scale_jobs.go`, cleanUp). What has a time to live goes by itself.
fn kept_jobs(object: &Object<'_>) -> u64 {
    let Some(spec) = object.field(&["spec"]) else { return 0 };
    if spec.get("suspend").and_then(Node::bool) == Some(true) {
        return 0;
    }
    let (job, successful, failed) = match object.kind {
        Kind::CronJob => (spec.at(&["jobTemplate", "spec"]), 3, 1),
        _ => (spec.get("jobTargetRef"), 100, 100),
    };
    if job.is_some_and(|it| it.get("ttlSecondsAfterFinished").is_some()) {
        return 1;
    }
    let limit = |field, default: u64| {
        let written = spec.get(field).and_then(Node::int);
        written.map_or(default, |it| u64::try_from(it).unwrap_or(0))
    };
    1 + limit("successfulJobsHistoryLimit", successful) + limit("failedJobsHistoryLimit", failed)
}

/// The StorageClass that claims without one get, if it is in the input.
fn default_class<'d>(model: &Model<'d>) -> Option<&'d str> {
    let key = "storageclass.kubernetes.io/is-default-class";
    model
        .of_kind(Kind::StorageClass)
        .find(|it| it.annotation(key) == Some("true"))
        .map(|it| it.name)
}

/// Group and kind of a resource that a CustomResourceDefinition of the input defines.
fn definition<'d>(model: &Model<'d>, resource: &str, group: &str) -> Option<(&'d str, &'d str)> {
    if group.is_empty() {
        return None;
    }
    let name = format!("{resource}.{group}");
    let spec = model.find(Kind::CustomResourceDefinition, "", &name)?.field(&["spec"])?;
    Some((spec.text("group")?, spec.at(&["names", "kind"])?.str()?))
}

fn load_balancers(spec: Node<'_>) -> u64 {
    u64::from(spec.text("type") == Some("LoadBalancer"))
}

/// `pkg/quota/v1/evaluator/core/services.go`: every port of a NodePort or LoadBalancer Service takes one on the nodes,
/// unless the latter allocates none and names none.
fn node_ports(spec: Node<'_>) -> u64 {
    let ports = spec.list("ports");
    match spec.text("type") {
        Some("NodePort") => ports.count() as u64,
        Some("LoadBalancer") => {
            let allocates = spec.get("allocateLoadBalancerNodePorts").and_then(Node::bool);
            let named =
                |it: &Node<'_>| it.get("nodePort").and_then(Node::int).is_some_and(|it| it != 0);
            ports.filter(|it| allocates != Some(false) || named(it)).count() as u64
        }
        _ => 0,
    }
}
