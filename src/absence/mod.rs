//! Whether something that is not in the input is not in the cluster either.
//!
//! Absence is judged only where the world is known to be complete for it; everywhere else the answer is "cannot tell",
//! with what would settle it. A document that did not parse may hold what is missing.

pub mod other_worlds;

use crate::analyze::references::named::Reference;
use crate::analyze::selection::selector::{Operator, PodLabels, Selector, Selects};
use crate::api::kind::{Kind, Scope, WORKLOADS};
use crate::load::Broken;
use crate::load::cluster::coverage::Coverage;
use crate::model::{Model, without_hash};
use crate::rule::Cx;

/// What the input says about something it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is not there.
    Absent,
    /// It is known to come from elsewhere (`external` in `purlin.yaml`).
    Elsewhere,
    /// The input does not say; this would settle it.
    CannotTell(String),
}

/// What tells whether a controller makes pods, or whether pods may label themselves.
const WHO_MAKES_PODS: &[Kind] = &[
    Kind::ClusterRole,
    Kind::ClusterRoleBinding,
    Kind::Custom,
    Kind::Prometheus,
    Kind::Role,
    Kind::RoleBinding,
];

/// Namespaces that every cluster has, with contents that no manifest of its owner holds.
const OF_THE_CLUSTER: &[&str] = &["kube-node-lease", "kube-public", "kube-system"];

impl Cx<'_, '_> {
    /// Whether pods that nothing in the input runs are really missing from a namespace: for selectors of Services,
    /// budgets and policies, and for `scaleTargetRef`.
    ///
    /// What picks workloads is nearly always deployed with them, so one workload of the namespace makes it judged.
    pub fn absence_of_pods(&self, namespace: &str) -> Absence {
        self.or_elsewhere(self.absence_here(namespace), || self.pods_elsewhere(namespace, None))
    }

    /// The same for a workload that is named.
    pub fn absence_of_workload(&self, group: &str, kind: &str, name: (&str, &str)) -> Absence {
        let (namespace, name) = name;
        self.or_elsewhere(self.absence_here(namespace), || {
            self.custom_elsewhere(group, kind, namespace, name)
        })
    }

    /// What is absent here may be in a world that is deployed together with this one.
    fn or_elsewhere(
        &self,
        absence: Absence,
        elsewhere: impl FnOnce() -> Option<String>,
    ) -> Absence {
        match absence {
            Absence::Elsewhere => absence,
            _ if self.neighbours.is_empty() => absence,
            _ => elsewhere().map_or(absence, Absence::CannotTell),
        }
    }

    fn absence_here(&self, namespace: &str) -> Absence {
        if let Some(broken) = self.model.may_be_lost(WORKLOADS) {
            return Absence::CannotTell(may_be_in(self.model, broken));
        }
        if self.is_complete(namespace) {
            return Absence::Absent;
        }
        if let Some(coverage) = self.coverage() {
            let lacking = WORKLOADS.iter().find(|it| !coverage.has_all(it.name(), namespace));
            return lacking.map_or(Absence::Absent, |it| {
                Absence::CannotTell(coverage.why_not(it.name(), namespace))
            });
        }
        if OF_THE_CLUSTER.contains(&namespace) {
            return Absence::CannotTell(format!(
                "what the cluster itself runs in namespace `{namespace}`; list the namespace under `complete` in purlin.yaml if that is in the input"
            ));
        }
        if self.facts.workloads().in_namespace(namespace).next().is_some() {
            return Absence::Absent;
        }
        Absence::CannotTell(format!(
            "the workloads of namespace `{namespace}`: none is in the input; add them, or list the namespace under `complete` in purlin.yaml"
        ))
    }

    /// The same for pods with these labels, which a controller may make of a custom object whose name they carry, or
    /// which pods may give themselves.
    pub fn absence_of_selected(&self, namespace: &str, selector: &Selector<'_>) -> Absence {
        self.or_elsewhere(self.absence_of_selected_here(namespace, selector), || {
            self.pods_elsewhere(namespace, Some(selector))
        })
    }

    fn absence_of_selected_here(&self, namespace: &str, selector: &Selector<'_>) -> Absence {
        let values = selector.requirements.iter().flat_map(|it| match &it.operator {
            Operator::In(values) => values.as_slice(),
            _ => &[],
        });
        let maker = values.copied().find_map(|it| self.facts.makers().of(it));
        let absence = self.absence_here(namespace);
        if absence != Absence::Absent {
            return absence;
        }
        if let Some(maker) = maker {
            return Absence::CannotTell(format!(
                "whether the controller of `{}` makes pods labelled `{selector}`",
                self.object(maker)
            ));
        }
        if self.is_of_live_pods(namespace, selector) {
            return Absence::Elsewhere;
        }
        if let Some(lack) = self.lack_of_makers(WHO_MAKES_PODS, namespace) {
            return Absence::CannotTell(lack);
        }
        let relabelling = self.facts.relabelling().in_namespace(namespace).iter();
        let mut relabelling = relabelling.map(|it| self.facts.workloads().get(*it));
        match relabelling.find(|it| selector.selects_with_more(&it.labels)) {
            Some(it) => Absence::CannotTell(format!(
                "whether the pods of `{}` label themselves `{selector}`: their ServiceAccount may change pods",
                self.object(it.object)
            )),
            None => Absence::Absent,
        }
    }

    /// Whether pods run in the cluster that a selector selects, though no workload that purlin knows makes them.
    fn is_of_live_pods(&self, namespace: &str, selector: &Selector<'_>) -> bool {
        let pods = self.model.of_kind(Kind::Pod).filter(|it| it.namespace == namespace);
        let mut pods = pods.filter(|it| self.facts.workloads().of_object(it.id).is_none());
        pods.any(|it| {
            let (written, owner) = (it.labels(), it.name);
            let labels = PodLabels { written, owner, ..PodLabels::default() };
            selector.selects(&labels) == Selects::All
        })
    }

    /// Whether a Service that is not in the input is really missing: the cluster has some of its own, and controllers
    /// make others.
    pub fn absence_of_service(&self, namespace: &str, name: &str) -> Absence {
        if matches!((namespace, name), ("default", "kubernetes") | ("kube-system", "kube-dns")) {
            return Absence::Elsewhere;
        }
        let absence = self.absence_of(Kind::Service, namespace, name);
        if absence != Absence::Absent {
            return absence;
        }
        if let Some(maker) = self.facts.makers().of(name) {
            return Absence::CannotTell(format!(
                "whether the controller of `{}` makes Service `{name}`",
                self.object(maker)
            ));
        }
        if let Some(lack) = self.lack_of_makers(&[Kind::Custom], namespace) {
            return Absence::CannotTell(lack);
        }
        // The Prometheus operator's governing Services: `prometheus-operated`, `alertmanager-operated`.
        if name.ends_with("-operated") {
            return Absence::CannotTell(format!(
                "whether the Prometheus operator makes Service `{name}`"
            ));
        }
        Absence::Absent
    }

    /// Whether the NetworkPolicies of the input are all that isolates the pods of a namespace, or lets them through.
    pub fn absence_of_policies(&self, namespace: &str) -> Absence {
        let kind = Kind::NetworkPolicy;
        if self.policy.is_external(kind.name(), namespace, "*") {
            return Absence::Elsewhere;
        }
        if let Some(broken) = self.model.may_be_lost(&[kind]) {
            return Absence::CannotTell(may_be_in(self.model, broken));
        }
        if let Some(coverage) = self.coverage().filter(|it| !it.has_all(kind.name(), namespace)) {
            return Absence::CannotTell(coverage.why_not(kind.name(), namespace));
        }
        self.elsewhere(kind, namespace, "*").map_or(Absence::Absent, Absence::CannotTell)
    }

    /// Whether what is referred to is there as far as the input tells, or always is.
    pub fn is_there(&self, it: &Reference<'_>) -> bool {
        let references = self.facts.references();
        match (it.kind, it.name) {
            (Kind::ServiceAccount, "default")
            | (Kind::ConfigMap, "kube-root-ca.crt" | "openshift-service-ca.crt")
            | (Kind::PriorityClass, "system-cluster-critical" | "system-node-critical") => true,
            _ if self.model.find(it.kind, it.namespace, it.name).is_some() => true,
            (Kind::Secret, name) => self.facts.made_secrets().find(it.namespace, name).is_some(),
            (Kind::PersistentVolumeClaim, name) => {
                references.is_claim_of_template(it.namespace, name)
            }
            // Volumes made by hand are matched by the name of their class; no object needs to bear it.
            (Kind::StorageClass, name) => references.is_class_of_volume(name),
            _ => false,
        }
    }

    /// Whether what is referred to, and not there, is really missing: controllers make configuration of custom objects,
    /// and kustomize renames it.
    pub fn absence_of_reference(&self, it: &Reference<'_>) -> Absence {
        let absence = self.absence_of(it.kind, it.namespace, it.name);
        if absence != Absence::Absent {
            return absence;
        }
        let kind = it.kind.name();
        let maker = self.facts.references().named_by(it.namespace, it.name);
        if let Some(maker) = maker.or_else(|| self.facts.makers().of(it.name)) {
            let maker = self.object(maker);
            return Absence::CannotTell(format!(
                "whether the controller of `{maker}` makes {kind} `{}`",
                it.name
            ));
        }
        if let Some(lack) = self.lack_of_makers(&[Kind::Custom], it.namespace) {
            return Absence::CannotTell(lack);
        }
        if self.coverage().is_some() {
            return Absence::Absent;
        }
        if without_hash(it.kind, it.name).is_some() {
            return Absence::CannotTell(format!(
                "{kind} `{}`: the end of the name is kustomize's, and what it generates is not in the input",
                it.name
            ));
        }
        Absence::Absent
    }

    /// Whether an object that is not in the input is really missing. `namespace` is empty where the kind has none.
    pub fn absence_of(&self, kind: Kind, namespace: &str, name: &str) -> Absence {
        self.or_elsewhere(self.absence_of_here(kind, namespace, name), || {
            self.elsewhere(kind, namespace, name)
        })
    }

    /// Whether an object of a custom kind without a namespace, which is not in the input, is really missing.
    pub fn absence_of_custom(&self, group: &str, kind: &str, name: &str) -> Absence {
        if let Some(broken) = self.model.may_be_lost(&[Kind::Custom]) {
            return Absence::CannotTell(may_be_in(self.model, broken));
        }
        let custom = Kind::Custom.name();
        let is_absent = match self.coverage() {
            // Of a cluster that was not read as a whole, only what was looked for is known.
            Some(it) if !it.is_whole() => it.has_looked_for(custom, "", name),
            Some(it) => it.lack_of(custom).is_none(),
            None => self.policy.is_complete("*"),
        };
        let absence = match is_absent {
            true => Absence::Absent,
            false => Absence::CannotTell(format!(
                "{kind} `{name}`: not in the input, and other manifests may bring it"
            )),
        };
        self.or_elsewhere(absence, || self.custom_elsewhere(group, kind, "", name))
    }

    fn absence_of_here(&self, kind: Kind, namespace: &str, name: &str) -> Absence {
        if self.policy.is_external(kind.name(), namespace, name) {
            return Absence::Elsewhere;
        }
        if let Some(broken) = self.model.may_be_lost(&[kind]) {
            return Absence::CannotTell(may_be_in(self.model, broken));
        }
        if self.run.is_gone(kind.name(), namespace, name) {
            return Absence::Absent;
        }
        if let Some(coverage) = self.coverage()
            && !self.policy.is_complete(if namespace.is_empty() { "*" } else { namespace })
        {
            return match coverage.has(kind.name(), namespace, name) {
                true => Absence::Absent,
                false => Absence::CannotTell(coverage.why_not(kind.name(), namespace)),
            };
        }
        let is_cluster_wide = kind.info().is_some_and(|it| it.scope == Scope::Cluster);
        if is_cluster_wide {
            if self.policy.is_complete("*") {
                return Absence::Absent;
            }
            return Absence::CannotTell(format!(
                "{} `{name}`: not in the input, and other manifests may bring it",
                kind.name()
            ));
        }
        // Secrets seldom stand in a repository; that the rest of a namespace does says nothing of them.
        let judged = match kind {
            Kind::Secret => self.policy.is_complete(namespace),
            _ => self.is_complete(namespace),
        };
        if judged {
            return Absence::Absent;
        }
        Absence::CannotTell(format!(
            "{} `{name}` of namespace `{namespace}`: not in the input; add it, list it under `external`, or the namespace under `complete`, in purlin.yaml",
            kind.name()
        ))
    }

    /// That nobody may see what may make something in a namespace, unless the user vouches for it.
    fn lack_of_makers(&self, kinds: &[Kind], namespace: &str) -> Option<String> {
        self.lack_of(kinds).filter(|_| !self.policy.is_complete(namespace))
    }

    /// That the cluster does not let one of these kinds be read.
    fn lack_of(&self, kinds: &[Kind]) -> Option<String> {
        let coverage = self.coverage()?;
        kinds.iter().find_map(|it| coverage.lack_of(it.name())).map(String::from)
    }

    fn coverage(&self) -> Option<&Coverage> {
        self.model.loaded.coverage.as_ref()
    }

    /// Whether the input holds the whole cluster.
    pub fn is_whole(&self) -> bool {
        self.policy.is_complete("*") || self.coverage().is_some_and(Coverage::is_whole)
    }

    /// That a namespace may have an object of a kind which is not seen: in a document that does not parse, or in a world
    /// that is deployed together with this one.
    pub fn may_be_unseen(&self, kind: Kind, namespace: &str) -> Option<String> {
        self.may_be_lost(&[kind]).or_else(|| self.elsewhere(kind, namespace, "*"))
    }

    /// That a document which does not parse may hold an object of one of these kinds.
    pub fn may_be_lost(&self, kinds: &[Kind]) -> Option<String> {
        let broken = self.model.may_be_lost(kinds).map(|it| may_be_in(self.model, it));
        broken.or_else(|| self.lack_of(kinds))
    }

    /// The same for the objects of one namespace: of another than those that were asked for some may not have been read.
    pub fn may_be_lost_in(&self, kind: Kind, namespace: &str) -> Option<String> {
        let coverage = self.coverage().filter(|it| !it.has_all(kind.name(), namespace));
        let unread = coverage.map(|it| it.why_not(kind.name(), namespace));
        self.may_be_lost(&[kind]).or(unread)
    }

    /// Whether the input holds all of a namespace: a cluster was asked for it, `purlin.yaml` says so, or it defines the
    /// namespace. Whoever defines a namespace of the cluster's own only labels it.
    pub fn is_complete(&self, namespace: &str) -> bool {
        if self.policy.is_complete(namespace) {
            return true;
        }
        if let Some(coverage) = self.coverage() {
            return WORKLOADS.iter().all(|it| coverage.has_all(it.name(), namespace));
        }
        let is_defined = || self.model.find(Kind::Namespace, "", namespace).is_some();
        !OF_THE_CLUSTER.contains(&namespace) && is_defined()
    }
}

fn may_be_in(model: &Model<'_>, broken: &Broken) -> String {
    let source = model.loaded.sources.get(broken.source);
    let line = source.position(broken.span.start).line;
    format!(
        "`{}` does not parse (line {line}) and may hold what is missing; mend it first",
        source.name
    )
}
