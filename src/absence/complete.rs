//! Where the input holds all there is, so that what it does not hold is missing.

use super::{Absence, Wanted};
use crate::analyze::selection::selector::Selector;
use crate::api::kind::{Kind, Scope};
use crate::load::cluster::coverage::Coverage;
use crate::rule::Cx;
use crate::text::tree::Node;
use crate::text::tree::placeholder::has_placeholder;

/// Namespaces that every cluster has, with contents that no manifest of its owner holds.
const OF_THE_CLUSTER: &[&str] = &["kube-node-lease", "kube-public", "kube-system"];

/// Where objects stand that say no namespace, unless somebody settles it.
const UNSETTLED: &str = "default";

/// Objects that every cluster has: kind, namespace (`*` for each) and name.
const ALWAYS_THERE: &[(Kind, &str, &str)] = &[
    (Kind::ClusterRole, "", "admin"),
    (Kind::ClusterRole, "", "cluster-admin"),
    (Kind::ClusterRole, "", "edit"),
    (Kind::ClusterRole, "", "view"),
    (Kind::ConfigMap, "*", "kube-root-ca.crt"),
    (Kind::ConfigMap, "*", "openshift-service-ca.crt"),
    (Kind::Namespace, "", "default"),
    (Kind::Namespace, "", "kube-node-lease"),
    (Kind::Namespace, "", "kube-public"),
    (Kind::Namespace, "", "kube-system"),
    (Kind::PriorityClass, "", "system-cluster-critical"),
    (Kind::PriorityClass, "", "system-node-critical"),
    // `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go`.
    (Kind::Role, "kube-system", "extension-apiserver-authentication-reader"),
    (Kind::Service, "default", "kubernetes"),
    (Kind::Service, "kube-system", "kube-dns"),
    (Kind::ServiceAccount, "*", "default"),
];

/// Whether every cluster has an object, whatever the input says.
pub(super) fn is_always_there(kind: Kind, namespace: &str, name: &str) -> bool {
    // The API server makes those anew at each start.
    let is_of_the_api_server =
        matches!(kind, Kind::ClusterRole | Kind::Role) && name.starts_with("system:");
    is_of_the_api_server
        || ALWAYS_THERE.iter().any(|(its_kind, its_namespace, its_name)| {
            *its_kind == kind
                && *its_name == name
                && (*its_namespace == "*" || *its_namespace == namespace)
        })
}

impl Cx<'_, '_> {
    /// Whether what is wanted is known to come from elsewhere.
    pub(super) fn is_elsewhere(&self, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Object { kind, namespace, name } => {
                is_always_there(kind, namespace, name)
                    || self.policy.is_external(kind.name(), namespace, name)
            }
            Wanted::Any { kind, namespace } => self.policy.is_external(kind.name(), namespace, "*"),
            Wanted::Workload { kind, namespace, name, .. } => {
                self.policy.is_external(kind, namespace, name)
            }
            Wanted::Custom { kind, name, .. } => self.policy.is_external(kind, "", name),
            Wanted::Policies { namespace } => {
                self.policy.is_external(Kind::NetworkPolicy.name(), namespace, "*")
            }
            Wanted::Pods { .. } | Wanted::LastingPods { .. } | Wanted::Budget(_) => false,
        }
    }

    /// Whether the input holds all there is of the kind that is wanted, in its namespace; else what would settle it.
    pub(super) fn judged_here(&self, wanted: Wanted<'_>) -> Result<(), Absence> {
        let unknown = |why: String| Err(Absence::CannotTell(why));
        match wanted {
            Wanted::Object { kind, namespace, name } => self.object_here(kind, namespace, name),
            Wanted::Any { kind, namespace } => self.object_here(kind, namespace, "*"),
            Wanted::Custom { kind, name, .. } => self.custom_here(kind, name),
            Wanted::Workload { namespace, name, .. } if has_placeholder(name) => {
                unknown(filled_in(&format!("`{name}` of namespace `{namespace}`")))
            }
            Wanted::Workload { namespace, .. }
            | Wanted::Pods { namespace, .. }
            | Wanted::LastingPods { namespace, .. } => self.pods_here(namespace, wanted),
            Wanted::Policies { .. } | Wanted::Budget(_) => {
                self.unread_of_cluster(wanted).map_or(Ok(()), unknown)
            }
        }
    }

    /// What picks workloads is nearly always deployed with them, so one workload of the namespace makes it judged.
    fn pods_here(&self, namespace: &str, wanted: Wanted<'_>) -> Result<(), Absence> {
        let unknown = |why: String| Err(Absence::CannotTell(why));
        if self.is_complete(namespace) {
            return Ok(());
        }
        if self.coverage().is_some() {
            return self.unread_of_cluster(wanted).map_or(Ok(()), unknown);
        }
        if OF_THE_CLUSTER.contains(&namespace) {
            return unknown(format!(
                "what the cluster itself runs in namespace `{namespace}`; list the namespace under `complete` in purlin.yaml if that is in the input"
            ));
        }
        if self.facts.workloads().in_namespace(namespace).next().is_some() {
            return Ok(());
        }
        unknown(format!(
            "the workloads of namespace `{namespace}`: none is in the input; add them, or list the namespace under `complete` in purlin.yaml"
        ))
    }

    fn object_here(&self, kind: Kind, namespace: &str, name: &str) -> Result<(), Absence> {
        let unknown = |why: String| Err(Absence::CannotTell(why));
        if self.run.is_gone(kind.name(), namespace, name) {
            return Ok(());
        }
        if has_placeholder(name) || has_placeholder(namespace) {
            return unknown(filled_in(&format!("{} `{name}`", kind.name())));
        }
        if let Some(coverage) = self.coverage()
            && !self.policy.is_complete(if namespace.is_empty() { "*" } else { namespace })
        {
            return match coverage.has(kind.name(), namespace, name) {
                true => Ok(()),
                false => unknown(coverage.why_not(kind.name(), namespace)),
            };
        }
        let is_cluster_wide = kind.info().is_some_and(|it| it.scope == Scope::Cluster);
        if is_cluster_wide {
            if self.policy.is_complete("*") {
                return Ok(());
            }
            return unknown(format!(
                "{} `{name}`: not in the input, and other manifests may bring it",
                kind.name()
            ));
        }
        // Secrets seldom stand in a repository; that the rest of a namespace does says nothing of them.
        let judged = match kind {
            Kind::Secret => self.policy.is_complete(namespace),
            // Services are deployed together, whoever runs what is behind them.
            Kind::Service => {
                self.is_complete(namespace)
                    || self.is_defined(namespace)
                        && self.facts.services().in_namespace(namespace).next().is_some()
            }
            _ => self.is_complete(namespace),
        };
        if judged {
            return Ok(());
        }
        let what = match name {
            "*" => format!("a {}", kind.name()),
            name => format!("{} `{name}`", kind.name()),
        };
        unknown(format!(
            "{what} of namespace `{namespace}`: not in the input; add it, list it under `external`, or the namespace under `complete`, in purlin.yaml"
        ))
    }

    fn custom_here(&self, kind: &str, name: &str) -> Result<(), Absence> {
        let custom = Kind::Custom.name();
        let is_judged = match self.coverage() {
            // Of a cluster that was not read as a whole, only what was looked for is known.
            Some(it) if !it.is_whole() => it.has_looked_for(custom, "", name),
            Some(it) => it.lack_of(custom).is_none(),
            None => self.policy.is_complete("*"),
        };
        match is_judged {
            true => Ok(()),
            false => Err(Absence::CannotTell(format!(
                "{kind} `{name}`: not in the input, and other manifests may bring it"
            ))),
        }
    }

    /// Whether the input holds the whole cluster.
    pub fn is_whole(&self) -> bool {
        self.policy.is_complete("*") || self.coverage().is_some_and(Coverage::is_whole)
    }

    /// Whether the input holds all of a namespace: a cluster was asked for it, `purlin.yaml` says so, or it defines the
    /// namespace and fills it. A Namespace without workloads is a platform team's, whose users fill it, and whoever defines
    /// a namespace of the cluster's own only labels it.
    pub fn is_complete(&self, namespace: &str) -> bool {
        if self.policy.is_complete(namespace) {
            return true;
        }
        if self.coverage().is_some() {
            let pods = Selector::default();
            return self.unread_of_cluster(Wanted::Pods { namespace, selector: &pods }).is_none();
        }
        self.is_defined(namespace)
            && self.facts.workloads().in_namespace(namespace).next().is_some()
    }

    fn is_defined(&self, namespace: &str) -> bool {
        !OF_THE_CLUSTER.contains(&namespace)
            && self.model.find(Kind::Namespace, "", namespace).is_some()
    }

    /// An object of the same kind and name that says no namespace: it goes where it is applied to.
    pub(super) fn without_namespace(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Option<String> {
        if self.coverage().is_some() || namespace.is_empty() {
            return None;
        }
        let object = self.model.find(kind, UNSETTLED, name).filter(|_| namespace != UNSETTLED)?;
        let is_written = object
            .field(&["metadata", "namespace"])
            .is_some_and(|it: Node<'_>| it.str().is_some_and(|it| !it.is_empty()));
        (!is_written).then(|| {
            format!(
                "{} `{name}` of namespace `{namespace}`: one of the input says no namespace, and goes where it is applied to",
                kind.name()
            )
        })
    }
}

fn filled_in(what: &str) -> String {
    format!("{what}: filled in before it is applied")
}
