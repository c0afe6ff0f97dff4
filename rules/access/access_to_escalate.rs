//! Bindings whose role lets somebody take more rights than it gives.

use crate::analyze::access::rule::{RoleRule, Wish};
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::grants::{self, Grant, Hit, Lives, Power};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-to-escalate",
    title: "a binding lets somebody take more rights than it gives",
    severity: Severity::Error,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: grants::READS,
    like: &[
        "gatekeeper:block-endpoint-edit-default-role",
        "kyverno:restrict-clusterrole-csr",
        "kyverno:restrict-edit-for-endpoints",
        "kyverno:restrict-escalation-verbs-roles",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("access_to_escalate.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";

const BIND: &str = "`bind` lets them bind roles whose rights they do not have";
const ESCALATE: &str = "`escalate` lets them write rights into roles that they do not have";
const IMPERSONATE: &str = "`impersonate` lets them act as somebody else, with all rights of theirs";
const TOKENS: &str = "a token of any ServiceAccount gives its rights";
const WEBHOOKS: &str =
    "who writes admission webhooks or policies reads and changes every object that is written";
const VOLUMES: &str = "a PersistentVolume with a `hostPath` reads and writes the files of nodes";
const NODES: &str = "who changes nodes decides by labels and taints which pods run where";
const STATUS: &str =
    "an address in the status of a Service takes traffic of the cluster to it (CVE-2020-8554)";
const ENDPOINTS: &str = "an endpoint sends a Service's traffic, an Ingress's too, to any address or namespace (CVE-2021-25740)";

const fn power(
    verbs: &'static [&'static str],
    (group, resource): (&'static str, &'static str),
    lives: Lives,
    leads: &'static str,
) -> Power {
    Power { verbs, group, resource, lives, leads }
}

const WRITE: &[&str] = &["create", "update", "patch"];
const CHANGE: &[&str] = &["update", "patch"];
use Lives::{InNamespaces, InTheCluster};

/// `pkg/registry/rbac/escalation_check.go` for `bind` and `escalate`: a binding in a namespace is asked for there, whatever
/// kind of role it names; a ClusterRole is written in the cluster.
const POWERS: &[Power] = &[
    power(&["bind"], (RBAC, "clusterroles"), InNamespaces, BIND),
    power(&["bind"], (RBAC, "roles"), InNamespaces, BIND),
    power(&["escalate"], (RBAC, "clusterroles"), InTheCluster, ESCALATE),
    power(&["escalate"], (RBAC, "roles"), InNamespaces, ESCALATE),
    power(&["impersonate"], ("", "users"), InTheCluster, IMPERSONATE),
    power(&["impersonate"], ("", "groups"), InTheCluster, IMPERSONATE),
    power(&["impersonate"], ("", "serviceaccounts"), InNamespaces, IMPERSONATE),
    power(&["impersonate"], ("authentication.k8s.io", "userextras"), InTheCluster, IMPERSONATE),
    power(&["impersonate"], ("authentication.k8s.io", "uids"), InTheCluster, IMPERSONATE),
    power(&["create"], ("", "serviceaccounts/token"), InNamespaces, TOKENS),
    power(WRITE, (ADMISSION, "validatingwebhookconfigurations"), InTheCluster, WEBHOOKS),
    power(WRITE, (ADMISSION, "mutatingwebhookconfigurations"), InTheCluster, WEBHOOKS),
    power(WRITE, (ADMISSION, "validatingadmissionpolicies"), InTheCluster, WEBHOOKS),
    power(WRITE, (ADMISSION, "validatingadmissionpolicybindings"), InTheCluster, WEBHOOKS),
    power(WRITE, (ADMISSION, "mutatingadmissionpolicies"), InTheCluster, WEBHOOKS),
    power(WRITE, (ADMISSION, "mutatingadmissionpolicybindings"), InTheCluster, WEBHOOKS),
    power(&["create"], ("", "persistentvolumes"), InTheCluster, VOLUMES),
    power(CHANGE, ("", "nodes"), InTheCluster, NODES),
    power(CHANGE, ("", "services/status"), InNamespaces, STATUS),
    power(WRITE, ("", "endpoints"), InNamespaces, ENDPOINTS),
    power(WRITE, ("discovery.k8s.io", "endpointslices"), InNamespaces, ENDPOINTS),
];

/// Counts only together with the right to approve for a signer.
const APPROVAL: &[Power] = &[power(
    CHANGE,
    (CERTIFICATES, "certificatesigningrequests/approval"),
    InTheCluster,
    "a client certificate that they approve themselves makes them any user or group (signer `kubernetes.io/kube-apiserver-client`)",
)];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for grant in grants::grants(cx) {
        let mut hits = grant.hits(POWERS);
        hits.extend(approvals(grant));
        let finding = grants::report(cx, grant, &hits, Severity::Error);
        out.findings.extend(finding.map(|it| {
            it.help("leave these verbs and resources out of the role, or name the objects in `resourceNames`")
        }));
    }
}

/// Approving needs the verb `approve` on the signer besides (`plugin/pkg/admission/certificates/approval/admission.go`):
/// for its name, or for all of its domain.
fn approvals<'c, 'd>(grant: Grant<'c, 'd>) -> Vec<Hit<'c, 'd>> {
    let signs = |rule: &RoleRule<'_>| {
        let wish = Wish { verb: "approve", group: CERTIFICATES, resource: "signers" };
        let of_users = ["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];
        let is_one = rule.names.is_empty() || rule.names.iter().any(|it| of_users.contains(it));
        rule.allows(wish) && is_one
    };
    match grant.role.rules.iter().any(signs) {
        true => grant.hits(APPROVAL),
        false => Vec::new(),
    }
}
