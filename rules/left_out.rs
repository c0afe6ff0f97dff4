//! Checks of other tools that no rule covers, on purpose, with the reason.

/// A check, or some that are left out for one reason.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// The tool.
    pub tool: &'static str,
    /// The checks; in words, where they are many.
    pub checks: &'static [&'static str],
    /// Why.
    pub why: &'static str,
}

const fn left_out(
    tool: &'static str,
    checks: &'static [&'static str],
    why: &'static str,
) -> LeftOut {
    LeftOut { tool, checks, why }
}

/// All of them.
pub const LEFT_OUT: &[LeftOut] = &[
    left_out(
        "kube-linter",
        &["sorted-keys"],
        "the order of keys means nothing to Kubernetes; a formatter sorts them",
    ),
    left_out(
        "kube-linter",
        &["no-node-affinity"],
        "asks for any node affinity, whichever; most workloads are right without",
    ),
    left_out(
        "kube-linter",
        &["dnsconfig-options"],
        "a setting that pays in some clusters, and one of taste in others",
    ),
    left_out(
        "kube-linter",
        &["privileged-ports"],
        "container runtimes open the low ports to every user, so no privilege is needed to listen there",
    ),
    left_out("kube-linter", &["cel-expression"], "rules of one's own in CEL are not read yet"),
    left_out(
        "polaris",
        &["metadataAndInstanceMismatched"],
        "`app.kubernetes.io/instance` names the release, which is seldom the object",
    ),
    left_out(
        "polaris",
        &[
            "gatewayAllowedRoutesAll",
            "gatewayCrossNamespaceCertificateRef",
            "gatewayInsecureFrontendValidation",
            "gatewayTLSMissing",
            "httpRouteBackendTLSMissing",
            "httpRouteCrossNamespaceBackendRef",
            "httpRouteInsecureListener",
            "httpRouteWildcardOrEmptyHost",
            "kgatewayBackendTLSVerificationDisabled",
        ],
        "what a Gateway is to let in differs from team to team; references that no grant allows are `gateway-reference-denied`",
    ),
    left_out("pluto", &["detect-helm"], "reads the Secrets in which Helm keeps its releases"),
    left_out("popeye", &["105", "108", "1102", "1403"], "named ports are a matter of taste"),
    left_out("popeye", &["401"], "who mounts a whole ConfigMap or Secret may read any key of it"),
    left_out(
        "popeye",
        &["metrics, phases, restarts and the state of nodes"],
        "purlin judges what is written, not how it fares",
    ),
    left_out(
        "gatekeeper",
        &["containerlimits", "containerrequests", "replicalimits", "fsgroup", "users"],
        "ranges that one organisation sets: a LimitRange says them in the cluster, and `limit-range-violation` judges it",
    ),
    left_out(
        "gatekeeper",
        &["noupdateserviceaccount"],
        "judges who asks, and what changes; a ValidatingAdmissionPolicy does",
    ),
    left_out("kyverno", &["limit-containers-per-pod"], "a bound that one organisation sets"),
    left_out(
        "kyverno",
        &["block-*", "namespace-protection"],
        "judge who asks, and what changes; a ValidatingAdmissionPolicy does",
    ),
    left_out(
        "kyverno",
        &["block-large-images", "verify-image*"],
        "ask a registry; purlin fetches nothing",
    ),
    left_out(
        "kyverno",
        &["restrict-networkpolicy-empty-podselector"],
        "forbids the default deny that other rules ask for",
    ),
    left_out(
        "kubescape",
        &["CIS flags of nodes and of the control plane"],
        "stand in no manifest; kube-bench reads them",
    ),
];

/// Why a check is left out.
pub fn left_out_why(tool: &str, check: &str) -> Option<&'static str> {
    let is_it = |it: &&LeftOut| {
        it.tool == tool && it.checks.iter().any(|it| it.eq_ignore_ascii_case(check))
    };
    LEFT_OUT.iter().find(is_it).map(|it| it.why)
}
