//! Containers that run, or may run, as root.

use super::super::pods;
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Parameter, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "runs-as-root",
    title: "a container may run as root",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityRestricted],
    reads: &[],
    like: &[
        "kube-linter:run-as-non-root",
        "kube-score:container-security-context-user-group-id",
        "polaris:runAsRootAllowed",
        "popeye:302",
        "popeye:306",
        "kyverno:require-non-root-groups",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "minimum-id",
            about: "the least `runAsUser` that is not taken for root's",
            default: &["1"],
        },
    ],
    page: include_str!("runs_as_root.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let pod = SecuredPod::new(workload.template);
    let never_starts = pods::judged(cx, workload, contradictions(pod));
    if !never_starts.is_empty() {
        let does = [
            "never starts: `runAsNonRoot` refuses its user, 0",
            "never start: `runAsNonRoot` refuses their user, 0",
        ];
        let finding = pods::finding(cx, workload, &never_starts, does).severity(Severity::Error);
        return out.find(
            finding
                .note("the kubelet compares them before it starts the container: CreateContainerConfigError")
                .help("set `runAsUser` to a user of the image that is not root"),
        );
    }
    let faults = pods::judged(cx, workload, roots(cx, workload, pod));
    if !faults.is_empty() {
        let finding = pods::finding(cx, workload, &faults, ["may run as root", "may run as root"]);
        return out.find(
            finding
                .note("root in a container is root on the node for whoever gets out of it, and owns every file that is mounted")
                .help("set `securityContext: {runAsNonRoot: true}` for the pod, and `runAsUser` where the image names its user in words"),
        );
    }
    let groups = pods::judged(cx, workload, root_groups(pod));
    if !groups.is_empty() {
        let does = ["runs in root's group", "run in root's group"];
        let finding = pods::finding(cx, workload, &groups, does).severity(Severity::Note);
        out.find(
            finding
                .note("files that root's group may write, it may write as well")
                .help("use another group than 0, and give it the files"),
        );
    }
}

/// What may run as root: under restricted what does not rule it out in its own way, else what does not in any.
fn roots<'d>(cx: &Cx<'_, '_>, workload: &Workload<'d>, pod: SecuredPod<'d>) -> Vec<Fault<'d>> {
    let least = cx.parameter("minimum-id").first().and_then(|it| it.parse().ok()).unwrap_or(1);
    let mut faults = Vec::new();
    if cx.policy.has_preset(Preset::PodSecurityRestricted) {
        faults.extend(pods::faults(cx, workload, &standard::NON_ROOT));
        faults.extend(pods::faults(cx, workload, &standard::USER));
        if !faults.is_empty() {
            return faults;
        }
    }
    pod.containers().filter_map(|it| root(pod, it, least)).collect()
}

/// Whether nothing that is written keeps a container from running as root.
pub(super) fn may_run_as_root(pod: SecuredPod<'_>, container: Node<'_>) -> bool {
    root(pod, container, 1).is_some()
}

/// Why a container may run as root, if it may: a user that is none other, or `runAsNonRoot` that does not say so.
fn root<'d>(pod: SecuredPod<'d>, container: Node<'d>, least: i64) -> Option<Fault<'d>> {
    if pod.has_user_namespace() {
        return None;
    }
    let user = pod.effective(container, "runAsUser").and_then(|it| Some((it, it.int()?)));
    if let Some((node, user)) = user {
        let text = match user {
            0 => "0 is root".to_string(),
            user => format!("{user} is less than {least}"),
        };
        return (user < least).then(|| Fault::of(container, node, text));
    }
    match pod.effective(container, "runAsNonRoot") {
        Some(it) if it.bool() == Some(true) => None,
        Some(it) => Some(Fault::of(container, it, "root is allowed")),
        None => Some(Fault::lack(
            container,
            "securityContext.runAsNonRoot",
            "as the image says, or root",
        )),
    }
}

/// The users that `runAsNonRoot` refuses (`pkg/kubelet/kuberuntime/security_context_others.go`, verifyRunAsNonRoot).
fn contradictions<'d>(pod: SecuredPod<'d>) -> Vec<Fault<'d>> {
    let mut faults = Vec::new();
    for container in pod.containers().filter(|_| !pod.is_windows()) {
        let is_refused =
            pod.effective(container, "runAsNonRoot").and_then(Node::bool) == Some(true);
        let user = pod.effective(container, "runAsUser").filter(|it| it.int() == Some(0));
        if let Some(user) = user.filter(|_| is_refused) {
            faults.push(Fault::of(container, user, "0 is root, and `runAsNonRoot` is true"));
        }
    }
    faults
}

/// What puts processes into root's group.
fn root_groups<'d>(pod: SecuredPod<'d>) -> Vec<Fault<'d>> {
    if pod.has_user_namespace() {
        return Vec::new();
    }
    let is_root = |it: &Node<'d>| it.int() == Some(0);
    let containers = pod.containers();
    let of_containers = containers.filter_map(|container| {
        let group = pod.effective(container, "runAsGroup").filter(is_root)?;
        Some(Fault::of(container, group, "group 0 is root's"))
    });
    let supplemental = pod.own("supplementalGroups").into_iter().flat_map(Node::items);
    let of_pod = pod.own("fsGroup").into_iter().chain(supplemental).filter(is_root);
    let of_pod = of_pod.map(|node| Fault {
        container: None,
        node,
        missing: "",
        text: "group 0 is root's".into(),
    });
    of_containers.chain(of_pod).collect()
}
