//! The ClusterRoles that every API server makes, with what they allow on resources.
//!
//! `k8s.io/kubernetes`, plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go and its `testdata/cluster-roles.yaml`, as
//! of 1.37. What they allow on URLs is left out, and so are those that allow nothing else.

/// A role that the API server makes.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// The label by which another role takes its rules.
    pub part_of: Option<&'static str>,
    /// The label of the roles whose rules are its own.
    pub made_of: Option<&'static str>,
    /// What it allows itself.
    pub rules: &'static [BuiltInRule],
}

/// A rule of such a role: words with spaces between them.
#[derive(Debug)]
pub(super) struct BuiltInRule {
    /// The verbs.
    pub verbs: &'static str,
    /// The API groups; `core` is the one without a name.
    pub groups: &'static str,
    /// The resources.
    pub resources: &'static str,
    /// The names of the objects; empty for all.
    pub names: &'static str,
}

const fn rule(
    verbs: &'static str,
    groups: &'static str,
    resources: &'static str,
    names: &'static str,
) -> BuiltInRule {
    BuiltInRule { verbs, groups, resources, names }
}

const READ: &str = "get list watch";
const WRITE: &str = "create delete deletecollection patch update";
const READ_WRITE: &str = "create delete deletecollection get list patch update watch";

/// All of them, by name.
pub(super) const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "admin",
        part_of: None,
        made_of: Some("rbac.authorization.k8s.io/aggregate-to-admin"),
        rules: &[],
    },
    BuiltIn {
        name: "cluster-admin",
        part_of: None,
        made_of: None,
        rules: &[rule("*", "*", "*", "")],
    },
    BuiltIn {
        name: "edit",
        part_of: Some("rbac.authorization.k8s.io/aggregate-to-admin"),
        made_of: Some("rbac.authorization.k8s.io/aggregate-to-edit"),
        rules: &[],
    },
    BuiltIn {
        name: "system:aggregate-to-admin",
        part_of: Some("rbac.authorization.k8s.io/aggregate-to-admin"),
        made_of: None,
        rules: &[
            rule("create", "authorization.k8s.io", "localsubjectaccessreviews", ""),
            rule(READ_WRITE, "rbac.authorization.k8s.io", "rolebindings roles", ""),
        ],
    },
    BuiltIn {
        name: "system:aggregate-to-edit",
        part_of: Some("rbac.authorization.k8s.io/aggregate-to-edit"),
        made_of: None,
        rules: &[
            rule(
                READ,
                "core",
                "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
                "",
            ),
            rule("impersonate", "core", "serviceaccounts", ""),
            rule(
                WRITE,
                "core",
                "configmaps persistentvolumeclaims pods pods/attach pods/exec pods/portforward pods/proxy replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
                "",
            ),
            rule("create", "core", "pods/eviction serviceaccounts/token", ""),
            rule(WRITE, "core events.k8s.io", "events", ""),
            rule(
                WRITE,
                "apps",
                "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
                "",
            ),
            rule(WRITE, "autoscaling", "horizontalpodautoscalers", ""),
            rule(WRITE, "batch", "cronjobs jobs", ""),
            rule(
                WRITE,
                "extensions",
                "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
                "",
            ),
            rule(WRITE, "policy", "poddisruptionbudgets", ""),
            rule(WRITE, "networking.k8s.io", "ingresses networkpolicies", ""),
            rule(READ_WRITE, "coordination.k8s.io", "leases", ""),
            rule(WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates", ""),
        ],
    },
    BuiltIn {
        name: "system:aggregate-to-view",
        part_of: Some("rbac.authorization.k8s.io/aggregate-to-view"),
        made_of: None,
        rules: &[
            rule(
                READ,
                "core",
                "bindings configmaps endpoints limitranges namespaces namespaces/status persistentvolumeclaims persistentvolumeclaims/status pods pods/log pods/status replicationcontrollers replicationcontrollers/scale replicationcontrollers/status resourcequotas resourcequotas/status serviceaccounts services services/status",
                "",
            ),
            rule(READ, "core events.k8s.io", "events", ""),
            rule(READ, "discovery.k8s.io", "endpointslices", ""),
            rule(
                READ,
                "apps",
                "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
                "",
            ),
            rule(
                READ,
                "autoscaling",
                "horizontalpodautoscalers horizontalpodautoscalers/status",
                "",
            ),
            rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status", ""),
            rule(
                READ,
                "extensions",
                "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
                "",
            ),
            rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status", ""),
            rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies", ""),
            rule(
                READ,
                "resource.k8s.io",
                "resourceclaims resourceclaims/status resourceclaimtemplates",
                "",
            ),
        ],
    },
    BuiltIn {
        name: "system:auth-delegator",
        part_of: None,
        made_of: None,
        rules: &[
            rule("create", "authentication.k8s.io", "tokenreviews", ""),
            rule("create", "authorization.k8s.io", "subjectaccessreviews", ""),
        ],
    },
    BuiltIn {
        name: "system:basic-user",
        part_of: None,
        made_of: None,
        rules: &[
            rule(
                "create",
                "authorization.k8s.io",
                "selfsubjectaccessreviews selfsubjectrulesreviews",
                "",
            ),
            rule("create", "authentication.k8s.io", "selfsubjectreviews", ""),
        ],
    },
    BuiltIn {
        name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
        part_of: None,
        made_of: None,
        rules: &[rule(
            "create",
            "certificates.k8s.io",
            "certificatesigningrequests/nodeclient",
            "",
        )],
    },
    BuiltIn {
        name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        part_of: None,
        made_of: None,
        rules: &[rule(
            "create",
            "certificates.k8s.io",
            "certificatesigningrequests/selfnodeclient",
            "",
        )],
    },
    BuiltIn {
        name: "system:certificates.k8s.io:kube-apiserver-client-approver",
        part_of: None,
        made_of: None,
        rules: &[rule(
            "approve",
            "certificates.k8s.io",
            "signers",
            "kubernetes.io/kube-apiserver-client",
        )],
    },
    BuiltIn {
        name: "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
        part_of: None,
        made_of: None,
        rules: &[rule(
            "approve",
            "certificates.k8s.io",
            "signers",
            "kubernetes.io/kube-apiserver-client-kubelet",
        )],
    },
    BuiltIn {
        name: "system:certificates.k8s.io:kubelet-serving-approver",
        part_of: None,
        made_of: None,
        rules: &[rule(
            "approve",
            "certificates.k8s.io",
            "signers",
            "kubernetes.io/kubelet-serving",
        )],
    },
    BuiltIn {
        name: "system:certificates.k8s.io:legacy-unknown-approver",
        part_of: None,
        made_of: None,
        rules: &[rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/legacy-unknown")],
    },
    BuiltIn {
        name: "system:cluster-trust-bundle-discovery",
        part_of: None,
        made_of: None,
        rules: &[rule(READ, "certificates.k8s.io", "clustertrustbundles", "")],
    },
    BuiltIn {
        name: "system:heapster",
        part_of: None,
        made_of: None,
        rules: &[
            rule(READ, "core", "events namespaces nodes pods", ""),
            rule(READ, "extensions", "deployments", ""),
        ],
    },
    BuiltIn {
        name: "system:kube-aggregator",
        part_of: None,
        made_of: None,
        rules: &[rule(READ, "core", "endpoints services", "")],
    },
    BuiltIn {
        name: "system:kube-controller-manager",
        part_of: None,
        made_of: None,
        rules: &[
            rule("create patch update", "core events.k8s.io", "events", ""),
            rule("create", "coordination.k8s.io", "leases", ""),
            rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
            rule("create", "core", "secrets serviceaccounts serviceaccounts/token", ""),
            rule("delete", "core", "secrets", ""),
            rule("get", "core", "configmaps namespaces secrets serviceaccounts", ""),
            rule("update", "core", "secrets serviceaccounts", ""),
            rule("create", "authentication.k8s.io", "tokenreviews", ""),
            rule("create", "authorization.k8s.io", "subjectaccessreviews", ""),
            rule("list watch", "*", "*", ""),
        ],
    },
    BuiltIn {
        name: "system:kube-dns",
        part_of: None,
        made_of: None,
        rules: &[rule("list watch", "core", "endpoints services", "")],
    },
    BuiltIn {
        name: "system:kube-scheduler",
        part_of: None,
        made_of: None,
        rules: &[
            rule("create patch update", "core events.k8s.io", "events", ""),
            rule("create", "coordination.k8s.io", "leases", ""),
            rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"),
            rule(READ_WRITE, "coordination.k8s.io", "leasecandidates", ""),
            rule(
                READ,
                "core",
                "namespaces nodes persistentvolumeclaims persistentvolumes replicationcontrollers services",
                "",
            ),
            rule("delete get list watch", "core", "pods", ""),
            rule("create", "core", "bindings pods/binding", ""),
            rule("patch update", "core", "pods/status", ""),
            rule(READ, "apps extensions", "replicasets", ""),
            rule(READ, "apps", "statefulsets", ""),
            rule(READ, "policy", "poddisruptionbudgets", ""),
            rule("create", "authentication.k8s.io", "tokenreviews", ""),
            rule("create", "authorization.k8s.io", "subjectaccessreviews", ""),
            rule(
                READ,
                "storage.k8s.io",
                "csidrivers csinodes csistoragecapacities volumeattachments",
                "",
            ),
            rule(READ, "resource.k8s.io", "deviceclasses devicetaintrules resourceslices", ""),
            rule(
                "get list patch update watch",
                "resource.k8s.io",
                "resourceclaims resourceclaims/status",
                "",
            ),
            rule("update", "core", "pods/finalizers", ""),
            rule("create delete", "resource.k8s.io", "resourceclaims", ""),
            rule("patch update", "resource.k8s.io", "resourceclaims/binding", ""),
        ],
    },
    BuiltIn {
        name: "system:kubelet-api-admin",
        part_of: None,
        made_of: None,
        rules: &[
            rule(READ, "core", "nodes", ""),
            rule("proxy", "core", "nodes", ""),
            rule(
                "*",
                "core",
                "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats",
                "",
            ),
        ],
    },
    BuiltIn {
        name: "system:monitoring",
        part_of: None,
        made_of: None,
        rules: &[rule("get", "core", "nodes/metrics", "")],
    },
    BuiltIn {
        name: "system:node",
        part_of: None,
        made_of: None,
        rules: &[
            rule("create", "authentication.k8s.io", "tokenreviews", ""),
            rule(
                "create",
                "authorization.k8s.io",
                "localsubjectaccessreviews subjectaccessreviews",
                "",
            ),
            rule(READ, "core", "configmaps pods secrets services", ""),
            rule("create get list watch", "core", "nodes", ""),
            rule("patch update", "core", "nodes nodes/status pods/status", ""),
            rule("create patch update", "core events.k8s.io", "events", ""),
            rule("create delete", "core", "pods", ""),
            rule("create", "core", "pods/eviction serviceaccounts/token", ""),
            rule(
                "get",
                "core",
                "endpoints persistentvolumeclaims persistentvolumes serviceaccounts",
                "",
            ),
            rule(
                "create get list watch",
                "certificates.k8s.io",
                "certificatesigningrequests podcertificaterequests",
                "",
            ),
            rule("create delete get patch update", "coordination.k8s.io", "leases", ""),
            rule("get", "storage.k8s.io", "volumeattachments", ""),
            rule("get patch update", "core", "persistentvolumeclaims/status", ""),
            rule(READ, "storage.k8s.io", "csidrivers", ""),
            rule("create delete get patch update", "storage.k8s.io", "csinodes", ""),
            rule(READ, "node.k8s.io", "runtimeclasses", ""),
            rule("get", "resource.k8s.io", "resourceclaims", ""),
            rule("deletecollection", "resource.k8s.io", "resourceslices", ""),
            rule(READ, "certificates.k8s.io", "clustertrustbundles", ""),
        ],
    },
    BuiltIn {
        name: "system:node-bootstrapper",
        part_of: None,
        made_of: None,
        rules: &[rule(
            "create get list watch",
            "certificates.k8s.io",
            "certificatesigningrequests",
            "",
        )],
    },
    BuiltIn {
        name: "system:node-problem-detector",
        part_of: None,
        made_of: None,
        rules: &[
            rule("get", "core", "nodes", ""),
            rule("patch", "core", "nodes/status", ""),
            rule("create patch update", "core events.k8s.io", "events", ""),
        ],
    },
    BuiltIn {
        name: "system:node-proxier",
        part_of: None,
        made_of: None,
        rules: &[
            rule("list watch", "core", "endpoints services", ""),
            rule(READ, "core", "nodes", ""),
            rule("create patch update", "core events.k8s.io", "events", ""),
            rule("list watch", "networking.k8s.io", "servicecidrs", ""),
            rule("list watch", "discovery.k8s.io", "endpointslices", ""),
        ],
    },
    BuiltIn {
        name: "system:persistent-volume-provisioner",
        part_of: None,
        made_of: None,
        rules: &[
            rule("create delete get list watch", "core", "persistentvolumes", ""),
            rule("get list update watch", "core", "persistentvolumeclaims", ""),
            rule(READ, "storage.k8s.io", "storageclasses", ""),
            rule("watch", "core", "events", ""),
            rule("create patch update", "core events.k8s.io", "events", ""),
        ],
    },
    BuiltIn {
        name: "system:volume-scheduler",
        part_of: None,
        made_of: None,
        rules: &[
            rule(
                "get list patch update watch",
                "core",
                "persistentvolumeclaims persistentvolumes",
                "",
            ),
            rule(READ, "storage.k8s.io", "storageclasses", ""),
        ],
    },
    BuiltIn {
        name: "view",
        part_of: Some("rbac.authorization.k8s.io/aggregate-to-edit"),
        made_of: Some("rbac.authorization.k8s.io/aggregate-to-view"),
        rules: &[],
    },
];
