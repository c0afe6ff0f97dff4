//! The groups that the API server itself serves or served, with their versions and kinds.
//!
//! `k8s.io/api` and the API servers built on it, v0.28 to v0.37, with what was removed before. Which version served which
//! kind, and until when, is another question.

/// A group of Kubernetes' own.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Its name; empty for the core group.
    pub group: &'static str,
    /// The versions that it has or had.
    pub versions: &'static [&'static str],
    /// The kinds that it has or had, lists left out.
    pub kinds: &'static [&'static str],
}

const fn served_by(
    group: &'static str,
    versions: &'static [&'static str],
    kinds: &'static [&'static str],
) -> Served {
    Served { group, versions, kinds }
}

/// All of them.
pub const GROUPS: &[Served] = &[
    served_by(
        "",
        &["v1"],
        &[
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "List",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "SerializedReference",
            "Service",
            "ServiceAccount",
            "Status",
        ],
    ),
    served_by("admission.k8s.io", &["v1", "v1beta1"], &["AdmissionReview"]),
    served_by(
        "admissionregistration.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    served_by(
        "apiextensions.k8s.io",
        &["v1", "v1beta1"],
        &["ConversionReview", "CustomResourceDefinition"],
    ),
    served_by("apiregistration.k8s.io", &["v1", "v1beta1"], &["APIService"]),
    served_by(
        "apps",
        &["v1", "v1beta1", "v1beta2"],
        &[
            "ControllerRevision",
            "DaemonSet",
            "Deployment",
            "DeploymentRollback",
            "ReplicaSet",
            "Scale",
            "StatefulSet",
        ],
    ),
    served_by(
        "authentication.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &["SelfSubjectReview", "TokenRequest", "TokenReview"],
    ),
    served_by(
        "authorization.k8s.io",
        &["v1", "v1beta1"],
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    served_by(
        "autoscaling",
        &["v1", "v2", "v2beta1", "v2beta2"],
        &["HorizontalPodAutoscaler", "Scale"],
    ),
    served_by("batch", &["v1", "v1beta1", "v2alpha1"], &["CronJob", "Job"]),
    served_by(
        "certificates.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &["CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest"],
    ),
    served_by(
        "coordination.k8s.io",
        &["v1", "v1alpha1", "v1alpha2", "v1beta1"],
        &["Lease", "LeaseCandidate"],
    ),
    served_by("discovery.k8s.io", &["v1", "v1beta1"], &["EndpointSlice"]),
    served_by("events.k8s.io", &["v1", "v1beta1"], &["Event"]),
    served_by(
        "extensions",
        &["v1beta1"],
        &[
            "DaemonSet",
            "Deployment",
            "DeploymentRollback",
            "Ingress",
            "NetworkPolicy",
            "PodSecurityPolicy",
            "ReplicaSet",
            "Scale",
        ],
    ),
    served_by(
        "flowcontrol.apiserver.k8s.io",
        &["v1", "v1alpha1", "v1beta1", "v1beta2", "v1beta3"],
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    served_by("imagepolicy.k8s.io", &["v1alpha1"], &["ImageReview"]),
    served_by("internal.apiserver.k8s.io", &["v1alpha1"], &["StorageVersion"]),
    served_by(
        "networking.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &["ClusterCIDR", "IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"],
    ),
    served_by("node.k8s.io", &["v1", "v1alpha1", "v1beta1"], &["RuntimeClass"]),
    served_by(
        "policy",
        &["v1", "v1beta1"],
        &["Eviction", "PodDisruptionBudget", "PodSecurityPolicy"],
    ),
    served_by(
        "rbac.authorization.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    served_by(
        "resource.k8s.io",
        &["v1", "v1alpha1", "v1alpha2", "v1alpha3", "v1beta1", "v1beta2"],
        &[
            "DeviceClass",
            "DeviceTaintRule",
            "PodSchedulingContext",
            "ResourceClaim",
            "ResourceClaimParameters",
            "ResourceClaimTemplate",
            "ResourceClass",
            "ResourceClassParameters",
            "ResourcePoolStatusRequest",
            "ResourceSlice",
        ],
    ),
    served_by(
        "scheduling.k8s.io",
        &["v1", "v1alpha1", "v1alpha2", "v1beta1"],
        &["PodGroup", "PriorityClass", "Workload"],
    ),
    served_by("settings.k8s.io", &["v1alpha1"], &["PodPreset"]),
    served_by(
        "storage.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
    served_by(
        "storagemigration.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
        &["StorageVersionMigration"],
    ),
];

/// The group of this name, if it is Kubernetes' own.
pub fn served(group: &str) -> Option<&'static Served> {
    GROUPS.iter().find(|it| it.group == group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kind::KINDS;

    #[test]
    fn every_known_kind_of_these_groups_is_served() {
        for kind in KINDS {
            for group in kind.groups.iter().filter_map(|it| served(it)) {
                assert!(group.kinds.contains(&kind.name), "{} of {}", kind.name, group.group);
            }
        }
    }
}
