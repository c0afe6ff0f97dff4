//! The kinds that purlin knows: their groups, resource names and scope. All else is [`Kind::Custom`].

use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Whether objects of a kind live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace; `default` where none is written.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// What the API server calls a kind.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The kind itself.
    pub kind: Kind,
    /// As manifests write it.
    pub name: &'static str,
    /// The groups that serve or served it, the present one first; the core group is empty.
    pub groups: &'static [&'static str],
    /// The resource, in the plural, as RBAC rules and URLs write it.
    pub resource: &'static str,
    /// Whether it lives in namespaces.
    pub scope: Scope,
}

macro_rules! kinds {
    ($($kind:ident $groups:expr, $resource:literal, $scope:ident;)*) => {
        /// A kind, whatever version of it was written.
        #[allow(missing_docs, reason = "they are Kubernetes' own names")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($kind,)*
            /// A kind that purlin has no name for.
            Custom,
        }

        /// Every known kind, in the order of [`Kind`].
        pub const KINDS: &[KindInfo] = &[
            $(KindInfo {
                kind: Kind::$kind,
                name: stringify!($kind),
                groups: &$groups,
                resource: $resource,
                scope: Scope::$scope,
            },)*
        ];
    };
}

kinds! {
    APIService ["apiregistration.k8s.io"], "apiservices", Cluster;
    AdminNetworkPolicy ["policy.networking.k8s.io"], "adminnetworkpolicies", Cluster;
    BaselineAdminNetworkPolicy ["policy.networking.k8s.io"], "baselineadminnetworkpolicies", Cluster;
    Certificate ["cert-manager.io"], "certificates", Namespaced;
    ClusterNetworkPolicy ["policy.networking.k8s.io"], "clusternetworkpolicies", Cluster;
    ClusterRole ["rbac.authorization.k8s.io"], "clusterroles", Cluster;
    ClusterRoleBinding ["rbac.authorization.k8s.io"], "clusterrolebindings", Cluster;
    ConfigMap [""], "configmaps", Namespaced;
    CronJob ["batch"], "cronjobs", Namespaced;
    CustomResourceDefinition ["apiextensions.k8s.io"], "customresourcedefinitions", Cluster;
    DaemonSet ["apps", "extensions"], "daemonsets", Namespaced;
    Deployment ["apps", "extensions"], "deployments", Namespaced;
    EndpointSlice ["discovery.k8s.io"], "endpointslices", Namespaced;
    Endpoints [""], "endpoints", Namespaced;
    ExternalSecret ["external-secrets.io"], "externalsecrets", Namespaced;
    GRPCRoute ["gateway.networking.k8s.io"], "grpcroutes", Namespaced;
    Gateway ["gateway.networking.k8s.io"], "gateways", Namespaced;
    GatewayClass ["gateway.networking.k8s.io"], "gatewayclasses", Cluster;
    HTTPRoute ["gateway.networking.k8s.io"], "httproutes", Namespaced;
    HorizontalPodAutoscaler ["autoscaling"], "horizontalpodautoscalers", Namespaced;
    Ingress ["networking.k8s.io", "extensions"], "ingresses", Namespaced;
    IngressClass ["networking.k8s.io"], "ingressclasses", Cluster;
    Job ["batch"], "jobs", Namespaced;
    LimitRange [""], "limitranges", Namespaced;
    MutatingWebhookConfiguration ["admissionregistration.k8s.io"], "mutatingwebhookconfigurations", Cluster;
    Namespace [""], "namespaces", Cluster;
    NetworkPolicy ["networking.k8s.io", "extensions"], "networkpolicies", Namespaced;
    Node [""], "nodes", Cluster;
    PersistentVolume [""], "persistentvolumes", Cluster;
    PersistentVolumeClaim [""], "persistentvolumeclaims", Namespaced;
    Pod [""], "pods", Namespaced;
    PodDisruptionBudget ["policy"], "poddisruptionbudgets", Namespaced;
    PodMonitor ["monitoring.coreos.com"], "podmonitors", Namespaced;
    PriorityClass ["scheduling.k8s.io"], "priorityclasses", Cluster;
    Prometheus ["monitoring.coreos.com"], "prometheuses", Namespaced;
    PrometheusRule ["monitoring.coreos.com"], "prometheusrules", Namespaced;
    ReferenceGrant ["gateway.networking.k8s.io"], "referencegrants", Namespaced;
    ReplicaSet ["apps", "extensions"], "replicasets", Namespaced;
    ReplicationController [""], "replicationcontrollers", Namespaced;
    ResourceQuota [""], "resourcequotas", Namespaced;
    Role ["rbac.authorization.k8s.io"], "roles", Namespaced;
    RoleBinding ["rbac.authorization.k8s.io"], "rolebindings", Namespaced;
    Rollout ["argoproj.io"], "rollouts", Namespaced;
    Route ["route.openshift.io"], "routes", Namespaced;
    RuntimeClass ["node.k8s.io"], "runtimeclasses", Cluster;
    ScaledJob ["keda.sh"], "scaledjobs", Namespaced;
    ScaledObject ["keda.sh"], "scaledobjects", Namespaced;
    SealedSecret ["bitnami.com"], "sealedsecrets", Namespaced;
    Secret [""], "secrets", Namespaced;
    SecurityContextConstraints ["security.openshift.io"], "securitycontextconstraints", Cluster;
    Service [""], "services", Namespaced;
    ServiceAccount [""], "serviceaccounts", Namespaced;
    ServiceMonitor ["monitoring.coreos.com"], "servicemonitors", Namespaced;
    StatefulSet ["apps"], "statefulsets", Namespaced;
    StorageClass ["storage.k8s.io"], "storageclasses", Cluster;
    TCPRoute ["gateway.networking.k8s.io"], "tcproutes", Namespaced;
    TLSRoute ["gateway.networking.k8s.io"], "tlsroutes", Namespaced;
    UDPRoute ["gateway.networking.k8s.io"], "udproutes", Namespaced;
    ValidatingWebhookConfiguration ["admissionregistration.k8s.io"], "validatingwebhookconfigurations", Cluster;
    VerticalPodAutoscaler ["autoscaling.k8s.io"], "verticalpodautoscalers", Namespaced;
}

/// The kinds that run pods, apart from custom ones.
pub const WORKLOADS: &[Kind] = &[
    Kind::CronJob,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::Job,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::Rollout,
    Kind::StatefulSet,
];

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u128);

const _: () = assert!((Kind::Custom as usize) < u128::BITS as usize);

impl Kinds {
    /// Every kind.
    pub const ALL: Kinds = Kinds(u128::MAX);

    /// Whether a kind is one of them.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// The known kinds among them, in the order of their names.
    pub fn known(self) -> impl Iterator<Item = &'static KindInfo> {
        KINDS.iter().filter(move |it| self.has(it.kind))
    }
}

impl Extend<Kind> for Kinds {
    fn extend<I: IntoIterator<Item = Kind>>(&mut self, kinds: I) {
        kinds.into_iter().for_each(|it| self.0 |= 1 << it as u32);
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Kinds {
        let mut all = Kinds::default();
        all.extend(kinds);
        all
    }
}

/// Asked of every object, and quicker than searching the list.
static BY_NAME: LazyLock<FxHashMap<&str, &KindInfo>> =
    LazyLock::new(|| KINDS.iter().map(|it| (it.name, it)).collect());

impl Kind {
    /// The kind that this group and name stand for. Group and kind identify it; the version does not.
    ///
    /// `deployment` is a slip for Deployment: the API server refuses it, `invalid-schema` says so, and what it is meant to
    /// be tells the rest.
    pub fn of(group: &str, name: &str) -> Kind {
        match BY_NAME.get(name) {
            Some(info) if info.groups.contains(&group) => info.kind,
            Some(_) => Kind::Custom,
            None => {
                let is_slip = |it: &&KindInfo| {
                    it.name.eq_ignore_ascii_case(name) && it.groups.contains(&group)
                };
                KINDS.iter().find(is_slip).map_or(Kind::Custom, |it| it.kind)
            }
        }
    }

    /// The kind that the API server serves as this resource (`apps`, `deployments`).
    pub fn of_resource(group: &str, resource: &str) -> Kind {
        let served = |it: &&KindInfo| it.resource == resource && it.groups.contains(&group);
        KINDS.iter().find(served).map_or(Kind::Custom, |it| it.kind)
    }

    /// What the API server calls it; nothing for custom kinds.
    pub fn info(self) -> Option<&'static KindInfo> {
        KINDS.get(self as usize)
    }

    /// As manifests write it.
    pub fn name(self) -> &'static str {
        self.info().map_or("custom resource", |it| it.name)
    }
}

/// The group of an `apiVersion`; empty for the core group.
pub fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_name() {
        assert!(KINDS.is_sorted_by_key(|it| it.name));
        assert!(KINDS.iter().all(|it| KINDS[it.kind as usize].name == it.name));
    }

    #[test]
    fn group_and_name_identify_a_kind() {
        assert_eq!(Kind::of("apps", "Deployment"), Kind::Deployment);
        assert_eq!(Kind::of("extensions", "Deployment"), Kind::Deployment);
        assert_eq!(Kind::of("apps", "deployment"), Kind::Deployment);
        assert_eq!(Kind::of("shop.example", "deployment"), Kind::Custom);
        assert_eq!(Kind::of("serving.knative.dev", "Service"), Kind::Custom);
        assert_eq!(group("apps/v1"), "apps");
        assert_eq!(group("v1"), "");
    }
}
