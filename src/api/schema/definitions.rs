//! The fields of the commonest kinds, by hand: what `k8s.io/api` calls a string, a number, a truth value, a list or a
//! mapping. Fields that are not listed are left open.

use super::{Definition, Type};
use crate::api::kind::Kind;
use Type::{Any, Bool, Int, IntOrString, List, Map, Object, Quantity, Str};

const STRS: Type = List(&Str);
const STR_MAP: Type = Map(&Str);
const QUANTITIES: Type = Map(&Quantity);

/// A definition without required fields.
macro_rules! definition {
    ($name:ident: $($field:literal => $type:expr),* $(,)?) => {
        static $name: Definition = Definition { fields: &[$(($field, $type)),*], required: &[] };
    };
}

/// The definition of a kind; `None` of kinds that are left open.
pub fn definition(kind: Kind) -> Option<&'static Definition> {
    Some(match kind {
        Kind::ClusterRole | Kind::Role => &ROLE,
        Kind::ClusterRoleBinding | Kind::RoleBinding => &BINDING,
        Kind::ConfigMap => &CONFIG_MAP,
        Kind::CronJob => &CRON_JOB,
        Kind::DaemonSet => &DAEMON_SET,
        Kind::Deployment => &DEPLOYMENT,
        Kind::HorizontalPodAutoscaler => &AUTOSCALER,
        Kind::Ingress => &INGRESS,
        Kind::Job => &JOB,
        Kind::LimitRange => &LIMIT_RANGE,
        Kind::NetworkPolicy => &NETWORK_POLICY,
        Kind::PersistentVolume => &VOLUME,
        Kind::PersistentVolumeClaim => &CLAIM,
        Kind::Pod => &POD,
        Kind::PodDisruptionBudget => &BUDGET,
        Kind::PriorityClass => &PRIORITY_CLASS,
        Kind::ReplicaSet => &REPLICA_SET,
        Kind::ReplicationController => &REPLICATION_CONTROLLER,
        Kind::ResourceQuota => &QUOTA,
        Kind::Secret => &SECRET,
        Kind::Service => &SERVICE,
        Kind::ServiceAccount => &SERVICE_ACCOUNT,
        Kind::StatefulSet => &STATEFUL_SET,
        Kind::StorageClass => &STORAGE_CLASS,
        _ => &OTHER,
    })
}

definition!(METADATA:
    "name" => Str,
    "generateName" => Str,
    "namespace" => Str,
    "labels" => STR_MAP,
    "annotations" => STR_MAP,
    "finalizers" => STRS,
);
const META: Type = Object(&METADATA);

// Of any other kind the metadata are the same.
definition!(OTHER: "apiVersion" => Str, "kind" => Str, "metadata" => META);

definition!(REQUIREMENT: "key" => Str, "operator" => Str, "values" => STRS);
definition!(LABEL_SELECTOR:
    "matchLabels" => STR_MAP,
    "matchExpressions" => List(&Object(&REQUIREMENT)),
);
const SELECTOR: Type = Object(&LABEL_SELECTOR);

definition!(LOCAL_REFERENCE: "name" => Str);
const REFERENCE: Type = Object(&LOCAL_REFERENCE);

// Pods.
definition!(KEY_SELECTOR: "name" => Str, "key" => Str, "optional" => Bool);
definition!(FIELD_SELECTOR: "apiVersion" => Str, "fieldPath" => Str);
definition!(RESOURCE_FIELD: "containerName" => Str, "resource" => Str, "divisor" => Quantity);
definition!(VALUE_SOURCE:
    "configMapKeyRef" => Object(&KEY_SELECTOR),
    "secretKeyRef" => Object(&KEY_SELECTOR),
    "fieldRef" => Object(&FIELD_SELECTOR),
    "resourceFieldRef" => Object(&RESOURCE_FIELD),
);
definition!(VARIABLE: "name" => Str, "value" => Str, "valueFrom" => Object(&VALUE_SOURCE));
definition!(OPTIONAL_REFERENCE: "name" => Str, "optional" => Bool);
definition!(VARIABLES:
    "prefix" => Str,
    "configMapRef" => Object(&OPTIONAL_REFERENCE),
    "secretRef" => Object(&OPTIONAL_REFERENCE),
);
definition!(CONTAINER_PORT:
    "name" => Str,
    "containerPort" => Int,
    "hostPort" => Int,
    "hostIP" => Str,
    "protocol" => Str,
);
definition!(RESOURCES: "limits" => QUANTITIES, "requests" => QUANTITIES, "claims" => List(&Any));
definition!(MOUNT:
    "name" => Str,
    "mountPath" => Str,
    "subPath" => Str,
    "subPathExpr" => Str,
    "readOnly" => Bool,
    "mountPropagation" => Str,
);
definition!(HEADER: "name" => Str, "value" => Str);
definition!(HTTP_GET:
    "path" => Str,
    "port" => IntOrString,
    "host" => Str,
    "scheme" => Str,
    "httpHeaders" => List(&Object(&HEADER)),
);
definition!(TCP: "port" => IntOrString, "host" => Str);
definition!(EXEC: "command" => STRS);
definition!(GRPC: "port" => Int, "service" => Str);
definition!(SLEEP: "seconds" => Int);
definition!(PROBE:
    "httpGet" => Object(&HTTP_GET),
    "tcpSocket" => Object(&TCP),
    "exec" => Object(&EXEC),
    "grpc" => Object(&GRPC),
    "initialDelaySeconds" => Int,
    "periodSeconds" => Int,
    "timeoutSeconds" => Int,
    "successThreshold" => Int,
    "failureThreshold" => Int,
    "terminationGracePeriodSeconds" => Int,
);
definition!(HANDLER:
    "httpGet" => Object(&HTTP_GET),
    "tcpSocket" => Object(&TCP),
    "exec" => Object(&EXEC),
    "sleep" => Object(&SLEEP),
);
definition!(LIFECYCLE: "postStart" => Object(&HANDLER), "preStop" => Object(&HANDLER));
definition!(CAPABILITIES: "add" => STRS, "drop" => STRS);
definition!(SECCOMP: "type" => Str, "localhostProfile" => Str);
definition!(CONTAINER_SECURITY:
    "privileged" => Bool,
    "allowPrivilegeEscalation" => Bool,
    "readOnlyRootFilesystem" => Bool,
    "runAsNonRoot" => Bool,
    "runAsUser" => Int,
    "runAsGroup" => Int,
    "procMount" => Str,
    "capabilities" => Object(&CAPABILITIES),
    "seccompProfile" => Object(&SECCOMP),
);
definition!(CONTAINER:
    "name" => Str,
    "image" => Str,
    "imagePullPolicy" => Str,
    "command" => STRS,
    "args" => STRS,
    "workingDir" => Str,
    "env" => List(&Object(&VARIABLE)),
    "envFrom" => List(&Object(&VARIABLES)),
    "ports" => List(&Object(&CONTAINER_PORT)),
    "resources" => Object(&RESOURCES),
    "volumeMounts" => List(&Object(&MOUNT)),
    "livenessProbe" => Object(&PROBE),
    "readinessProbe" => Object(&PROBE),
    "startupProbe" => Object(&PROBE),
    "lifecycle" => Object(&LIFECYCLE),
    "securityContext" => Object(&CONTAINER_SECURITY),
    "restartPolicy" => Str,
    "terminationMessagePath" => Str,
    "terminationMessagePolicy" => Str,
    "stdin" => Bool,
    "stdinOnce" => Bool,
    "tty" => Bool,
);
definition!(KEY_TO_PATH: "key" => Str, "path" => Str, "mode" => Int);
definition!(CONFIG_MAP_VOLUME:
    "name" => Str,
    "optional" => Bool,
    "defaultMode" => Int,
    "items" => List(&Object(&KEY_TO_PATH)),
);
definition!(SECRET_VOLUME:
    "secretName" => Str,
    "optional" => Bool,
    "defaultMode" => Int,
    "items" => List(&Object(&KEY_TO_PATH)),
);
definition!(CLAIM_VOLUME: "claimName" => Str, "readOnly" => Bool);
definition!(EMPTY_DIR: "medium" => Str, "sizeLimit" => Quantity);
definition!(HOST_PATH: "path" => Str, "type" => Str);
definition!(NFS: "server" => Str, "path" => Str, "readOnly" => Bool);
definition!(CSI_VOLUME:
    "driver" => Str,
    "readOnly" => Bool,
    "fsType" => Str,
    "volumeAttributes" => STR_MAP,
    "nodePublishSecretRef" => REFERENCE,
);
definition!(EPHEMERAL: "volumeClaimTemplate" => Object(&CLAIM));
definition!(POD_VOLUME:
    "name" => Str,
    "configMap" => Object(&CONFIG_MAP_VOLUME),
    "secret" => Object(&SECRET_VOLUME),
    "persistentVolumeClaim" => Object(&CLAIM_VOLUME),
    "emptyDir" => Object(&EMPTY_DIR),
    "hostPath" => Object(&HOST_PATH),
    "nfs" => Object(&NFS),
    "csi" => Object(&CSI_VOLUME),
    "ephemeral" => Object(&EPHEMERAL),
);
definition!(TOLERATION:
    "key" => Str,
    "operator" => Str,
    "value" => Str,
    "effect" => Str,
    "tolerationSeconds" => Int,
);
definition!(POD_TERM:
    "labelSelector" => SELECTOR,
    "namespaceSelector" => SELECTOR,
    "namespaces" => STRS,
    "topologyKey" => Str,
    "matchLabelKeys" => STRS,
);
definition!(WEIGHTED_POD_TERM: "weight" => Int, "podAffinityTerm" => Object(&POD_TERM));
definition!(POD_AFFINITY:
    "requiredDuringSchedulingIgnoredDuringExecution" => List(&Object(&POD_TERM)),
    "preferredDuringSchedulingIgnoredDuringExecution" => List(&Object(&WEIGHTED_POD_TERM)),
);
definition!(NODE_TERM:
    "matchExpressions" => List(&Object(&REQUIREMENT)),
    "matchFields" => List(&Object(&REQUIREMENT)),
);
definition!(NODE_SELECTOR: "nodeSelectorTerms" => List(&Object(&NODE_TERM)));
definition!(PREFERRED_NODE_TERM: "weight" => Int, "preference" => Object(&NODE_TERM));
definition!(NODE_AFFINITY:
    "requiredDuringSchedulingIgnoredDuringExecution" => Object(&NODE_SELECTOR),
    "preferredDuringSchedulingIgnoredDuringExecution" => List(&Object(&PREFERRED_NODE_TERM)),
);
definition!(AFFINITY:
    "nodeAffinity" => Object(&NODE_AFFINITY),
    "podAffinity" => Object(&POD_AFFINITY),
    "podAntiAffinity" => Object(&POD_AFFINITY),
);
definition!(SPREAD:
    "maxSkew" => Int,
    "minDomains" => Int,
    "topologyKey" => Str,
    "whenUnsatisfiable" => Str,
    "labelSelector" => SELECTOR,
    "matchLabelKeys" => STRS,
);
definition!(SYSCTL: "name" => Str, "value" => Str);
definition!(POD_SECURITY:
    "runAsNonRoot" => Bool,
    "runAsUser" => Int,
    "runAsGroup" => Int,
    "fsGroup" => Int,
    "fsGroupChangePolicy" => Str,
    "supplementalGroups" => List(&Int),
    "seccompProfile" => Object(&SECCOMP),
    "sysctls" => List(&Object(&SYSCTL)),
);
definition!(HOST_ALIAS: "ip" => Str, "hostnames" => STRS);
definition!(DNS_OPTION: "name" => Str, "value" => Str);
definition!(DNS_CONFIG:
    "nameservers" => STRS,
    "searches" => STRS,
    "options" => List(&Object(&DNS_OPTION)),
);
// `pkg/apis/core/validation`, ValidatePodSpec: a pod has a container.
static POD_SPEC: Definition = Definition {
    fields: &[
        ("containers", List(&Object(&CONTAINER))),
        ("initContainers", List(&Object(&CONTAINER))),
        ("volumes", List(&Object(&POD_VOLUME))),
        ("imagePullSecrets", List(&REFERENCE)),
        ("restartPolicy", Str),
        ("terminationGracePeriodSeconds", Int),
        ("activeDeadlineSeconds", Int),
        ("dnsPolicy", Str),
        ("dnsConfig", Object(&DNS_CONFIG)),
        ("nodeSelector", STR_MAP),
        ("nodeName", Str),
        ("serviceAccountName", Str),
        ("serviceAccount", Str),
        ("automountServiceAccountToken", Bool),
        ("hostNetwork", Bool),
        ("hostPID", Bool),
        ("hostIPC", Bool),
        ("hostUsers", Bool),
        ("hostname", Str),
        ("subdomain", Str),
        ("hostAliases", List(&Object(&HOST_ALIAS))),
        ("shareProcessNamespace", Bool),
        ("securityContext", Object(&POD_SECURITY)),
        ("affinity", Object(&AFFINITY)),
        ("tolerations", List(&Object(&TOLERATION))),
        ("topologySpreadConstraints", List(&Object(&SPREAD))),
        ("priorityClassName", Str),
        ("priority", Int),
        ("preemptionPolicy", Str),
        ("runtimeClassName", Str),
        ("schedulerName", Str),
        ("enableServiceLinks", Bool),
        ("overhead", QUANTITIES),
        ("resources", Object(&RESOURCES)),
    ],
    required: &["containers"],
};
definition!(POD: "apiVersion" => Str, "kind" => Str, "metadata" => META, "spec" => Object(&POD_SPEC));
static TEMPLATE: Definition =
    Definition { fields: &[("metadata", META), ("spec", Object(&POD_SPEC))], required: &["spec"] };
const POD_TEMPLATE: Type = Object(&TEMPLATE);

// What runs pods.
definition!(ROLLING: "maxSurge" => IntOrString, "maxUnavailable" => IntOrString, "partition" => Int);
definition!(STRATEGY: "type" => Str, "rollingUpdate" => Object(&ROLLING));
definition!(DEPLOYMENT_SPEC:
    "replicas" => Int,
    "selector" => SELECTOR,
    "template" => POD_TEMPLATE,
    "strategy" => Object(&STRATEGY),
    "minReadySeconds" => Int,
    "revisionHistoryLimit" => Int,
    "paused" => Bool,
    "progressDeadlineSeconds" => Int,
);
definition!(DEPLOYMENT: "metadata" => META, "spec" => Object(&DEPLOYMENT_SPEC));
definition!(STATEFUL_SET_SPEC:
    "replicas" => Int,
    "selector" => SELECTOR,
    "template" => POD_TEMPLATE,
    "serviceName" => Str,
    "podManagementPolicy" => Str,
    "updateStrategy" => Object(&STRATEGY),
    "volumeClaimTemplates" => List(&Object(&CLAIM)),
    "minReadySeconds" => Int,
    "revisionHistoryLimit" => Int,
);
definition!(STATEFUL_SET: "metadata" => META, "spec" => Object(&STATEFUL_SET_SPEC));
definition!(DAEMON_SET_SPEC:
    "selector" => SELECTOR,
    "template" => POD_TEMPLATE,
    "updateStrategy" => Object(&STRATEGY),
    "minReadySeconds" => Int,
    "revisionHistoryLimit" => Int,
);
definition!(DAEMON_SET: "metadata" => META, "spec" => Object(&DAEMON_SET_SPEC));
definition!(REPLICA_SET_SPEC:
    "replicas" => Int,
    "selector" => SELECTOR,
    "template" => POD_TEMPLATE,
    "minReadySeconds" => Int,
);
definition!(REPLICA_SET: "metadata" => META, "spec" => Object(&REPLICA_SET_SPEC));
definition!(REPLICATION_CONTROLLER_SPEC:
    "replicas" => Int,
    "selector" => STR_MAP,
    "template" => POD_TEMPLATE,
    "minReadySeconds" => Int,
);
definition!(REPLICATION_CONTROLLER:
    "metadata" => META,
    "spec" => Object(&REPLICATION_CONTROLLER_SPEC),
);
definition!(JOB_SPEC:
    "parallelism" => Int,
    "completions" => Int,
    "completionMode" => Str,
    "activeDeadlineSeconds" => Int,
    "backoffLimit" => Int,
    "selector" => SELECTOR,
    "manualSelector" => Bool,
    "template" => POD_TEMPLATE,
    "ttlSecondsAfterFinished" => Int,
    "suspend" => Bool,
);
definition!(JOB: "metadata" => META, "spec" => Object(&JOB_SPEC));
definition!(JOB_TEMPLATE: "metadata" => META, "spec" => Object(&JOB_SPEC));
definition!(CRON_JOB_SPEC:
    "schedule" => Str,
    "timeZone" => Str,
    "startingDeadlineSeconds" => Int,
    "concurrencyPolicy" => Str,
    "suspend" => Bool,
    "jobTemplate" => Object(&JOB_TEMPLATE),
    "successfulJobsHistoryLimit" => Int,
    "failedJobsHistoryLimit" => Int,
);
definition!(CRON_JOB: "metadata" => META, "spec" => Object(&CRON_JOB_SPEC));

// Configuration and access.
definition!(CONFIG_MAP:
    "metadata" => META,
    "data" => STR_MAP,
    "binaryData" => STR_MAP,
    "immutable" => Bool,
);
definition!(SECRET:
    "metadata" => META,
    "type" => Str,
    "data" => STR_MAP,
    "stringData" => STR_MAP,
    "immutable" => Bool,
);
definition!(SERVICE_ACCOUNT:
    "metadata" => META,
    "automountServiceAccountToken" => Bool,
    "imagePullSecrets" => List(&REFERENCE),
);
definition!(POLICY_RULE:
    "apiGroups" => STRS,
    "resources" => STRS,
    "resourceNames" => STRS,
    "verbs" => STRS,
    "nonResourceURLs" => STRS,
);
definition!(ROLE: "metadata" => META, "rules" => List(&Object(&POLICY_RULE)));
definition!(ROLE_REF: "apiGroup" => Str, "kind" => Str, "name" => Str);
definition!(SUBJECT: "apiGroup" => Str, "kind" => Str, "name" => Str, "namespace" => Str);
definition!(BINDING:
    "metadata" => META,
    "roleRef" => Object(&ROLE_REF),
    "subjects" => List(&Object(&SUBJECT)),
);

// Network.
definition!(SERVICE_PORT:
    "name" => Str,
    "port" => Int,
    "targetPort" => IntOrString,
    "nodePort" => Int,
    "protocol" => Str,
    "appProtocol" => Str,
);
definition!(SERVICE_SPEC:
    "type" => Str,
    "selector" => STR_MAP,
    "ports" => List(&Object(&SERVICE_PORT)),
    "clusterIP" => Str,
    "clusterIPs" => STRS,
    "externalName" => Str,
    "externalIPs" => STRS,
    "externalTrafficPolicy" => Str,
    "internalTrafficPolicy" => Str,
    "loadBalancerIP" => Str,
    "loadBalancerClass" => Str,
    "loadBalancerSourceRanges" => STRS,
    "allocateLoadBalancerNodePorts" => Bool,
    "publishNotReadyAddresses" => Bool,
    "sessionAffinity" => Str,
    "ipFamilyPolicy" => Str,
    "ipFamilies" => STRS,
    "healthCheckNodePort" => Int,
);
definition!(SERVICE: "metadata" => META, "spec" => Object(&SERVICE_SPEC));
definition!(BACKEND_PORT: "name" => Str, "number" => Int);
definition!(BACKEND_SERVICE: "name" => Str, "port" => Object(&BACKEND_PORT));
definition!(INGRESS_BACKEND:
    "service" => Object(&BACKEND_SERVICE),
    "serviceName" => Str,
    "servicePort" => IntOrString,
);
definition!(PATH: "path" => Str, "pathType" => Str, "backend" => Object(&INGRESS_BACKEND));
definition!(HTTP: "paths" => List(&Object(&PATH)));
definition!(INGRESS_RULE: "host" => Str, "http" => Object(&HTTP));
definition!(TLS: "hosts" => STRS, "secretName" => Str);
definition!(INGRESS_SPEC:
    "ingressClassName" => Str,
    "defaultBackend" => Object(&INGRESS_BACKEND),
    "rules" => List(&Object(&INGRESS_RULE)),
    "tls" => List(&Object(&TLS)),
);
definition!(INGRESS: "metadata" => META, "spec" => Object(&INGRESS_SPEC));
definition!(POLICY_PORT: "port" => IntOrString, "endPort" => Int, "protocol" => Str);
definition!(BLOCK: "cidr" => Str, "except" => STRS);
definition!(PEER:
    "podSelector" => SELECTOR,
    "namespaceSelector" => SELECTOR,
    "ipBlock" => Object(&BLOCK),
);
definition!(POLICY_INGRESS: "from" => List(&Object(&PEER)), "ports" => List(&Object(&POLICY_PORT)));
definition!(POLICY_EGRESS: "to" => List(&Object(&PEER)), "ports" => List(&Object(&POLICY_PORT)));
definition!(NETWORK_POLICY_SPEC:
    "podSelector" => SELECTOR,
    "policyTypes" => STRS,
    "ingress" => List(&Object(&POLICY_INGRESS)),
    "egress" => List(&Object(&POLICY_EGRESS)),
);
definition!(NETWORK_POLICY: "metadata" => META, "spec" => Object(&NETWORK_POLICY_SPEC));

// Scaling, disruption and bounds.
definition!(TARGET_REF: "apiVersion" => Str, "kind" => Str, "name" => Str);
definition!(AUTOSCALER_SPEC:
    "scaleTargetRef" => Object(&TARGET_REF),
    "minReplicas" => Int,
    "maxReplicas" => Int,
    "targetCPUUtilizationPercentage" => Int,
    "metrics" => List(&Any),
);
definition!(AUTOSCALER: "metadata" => META, "spec" => Object(&AUTOSCALER_SPEC));
definition!(BUDGET_SPEC:
    "minAvailable" => IntOrString,
    "maxUnavailable" => IntOrString,
    "selector" => SELECTOR,
    "unhealthyPodEvictionPolicy" => Str,
);
definition!(BUDGET: "metadata" => META, "spec" => Object(&BUDGET_SPEC));
definition!(QUOTA_SPEC: "hard" => QUANTITIES, "scopes" => STRS);
definition!(QUOTA: "metadata" => META, "spec" => Object(&QUOTA_SPEC));
// `pkg/apis/core/validation`, ValidateLimitRange: a type is required.
static LIMIT: Definition = Definition {
    fields: &[
        ("type", Str),
        ("max", QUANTITIES),
        ("min", QUANTITIES),
        ("default", QUANTITIES),
        ("defaultRequest", QUANTITIES),
        ("maxLimitRequestRatio", QUANTITIES),
    ],
    required: &["type"],
};
definition!(LIMIT_RANGE_SPEC: "limits" => List(&Object(&LIMIT)));
definition!(LIMIT_RANGE: "metadata" => META, "spec" => Object(&LIMIT_RANGE_SPEC));
definition!(PRIORITY_CLASS:
    "metadata" => META,
    "value" => Int,
    "globalDefault" => Bool,
    "description" => Str,
    "preemptionPolicy" => Str,
);

// Storage.
definition!(CLAIM_SPEC:
    "accessModes" => STRS,
    "storageClassName" => Str,
    "volumeName" => Str,
    "volumeMode" => Str,
    "selector" => SELECTOR,
    "resources" => Object(&RESOURCES),
);
definition!(CLAIM: "metadata" => META, "spec" => Object(&CLAIM_SPEC));
definition!(VOLUME_SPEC:
    "capacity" => QUANTITIES,
    "accessModes" => STRS,
    "storageClassName" => Str,
    "volumeMode" => Str,
    "persistentVolumeReclaimPolicy" => Str,
    "mountOptions" => STRS,
    "hostPath" => Object(&HOST_PATH),
    "nfs" => Object(&NFS),
);
definition!(VOLUME: "metadata" => META, "spec" => Object(&VOLUME_SPEC));
definition!(STORAGE_CLASS:
    "metadata" => META,
    "provisioner" => Str,
    "parameters" => STR_MAP,
    "reclaimPolicy" => Str,
    "volumeBindingMode" => Str,
    "allowVolumeExpansion" => Bool,
    "mountOptions" => STRS,
);
