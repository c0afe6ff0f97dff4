//! Fields, annotations and labels of which the API server warns (`pkg/api/pod/warnings.go`, `pkg/api/service/warnings.go`,
//! `pkg/api/node/util.go` of Kubernetes).

use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::version::KubernetesVersion;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "deprecated-field",
    title: "a field, an annotation or a label is deprecated",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Recommended],
    reads: &[Kind::Ingress, Kind::PersistentVolumeClaim, Kind::Service],
    like: &["kube-linter:deprecated-service-account-field"],
    parameters: &[],
    page: include_str!("deprecated_field.md"),
    reads_images: None,
    checks: &[Check::Object(object), Check::Workload(workload)],
};

/// Something deprecated, and what stands in its place.
struct Old<'d> {
    node: Node<'d>,
    what: String,
    help: String,
    /// Whether it does nothing any more.
    is_dead: bool,
}

impl<'d> Old<'d> {
    fn new(node: Node<'d>, what: impl Into<String>, help: impl Into<String>) -> Old<'d> {
        Old { node, what: what.into(), help: help.into(), is_dead: false }
    }
}

fn report<'d>(object: &Object<'d>, old: impl IntoIterator<Item = Old<'d>>, out: &mut Out) {
    out.find_some(old.into_iter().map(|it| {
        let message = format!("`{object}` has {}", it.what);
        let finding = Finding::new(message, object.place(it.node), "deprecated").help(it.help);
        match it.is_dead {
            true => finding
                .severity(Severity::Error)
                .note("this version of Kubernetes has nothing any more that makes it work"),
            false => finding,
        }
    }));
}

fn object(_: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let annotation = |key: &str| object.root.at(&["metadata", "annotations", key]);
    let old: Vec<Old<'_>> = match object.kind {
        Kind::Ingress => {
            let class = annotation("kubernetes.io/ingress.class");
            let what = "the annotation `kubernetes.io/ingress.class`";
            class.map(|it| Old::new(it, what, "set `spec.ingressClassName`")).into_iter().collect()
        }
        Kind::PersistentVolumeClaim => {
            let class = annotation("volume.beta.kubernetes.io/storage-class");
            let what = "the annotation `volume.beta.kubernetes.io/storage-class`";
            class.map(|it| Old::new(it, what, "set `spec.storageClassName`")).into_iter().collect()
        }
        _ => service(object),
    };
    report(object, old, out);
}

fn service<'d>(object: &Object<'d>) -> Vec<Old<'d>> {
    let spec = |key: &str| object.field(&["spec", key]);
    let mut old = Vec::new();
    if let Some(it) = spec("externalIPs").filter(|it| it.count() > 0) {
        let help = "use a load balancer, an Ingress or a Gateway: whoever may write Services can take traffic to any address with it";
        old.push(Old::new(it, "`externalIPs`", help));
    }
    let is_headless = spec("clusterIP").and_then(Node::str) == Some("None");
    if let Some(it) = spec("loadBalancerIP").filter(|it| is_headless && it.str() != Some("")) {
        old.push(Old::new(it, "`loadBalancerIP`, which a headless Service ignores", "remove it"));
    }
    for key in ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"]
    {
        if let Some(it) = object.root.at(&["metadata", "annotations", key]) {
            let what = format!("the annotation `{key}`");
            old.push(Old::new(it, what, "set `spec.trafficDistribution: PreferSameZone`"));
        }
    }
    if let Some(it) = spec("trafficDistribution").filter(|it| it.str() == Some("PreferClose")) {
        old.push(Old::new(it, "`trafficDistribution: PreferClose`", "write `PreferSameZone`"));
    }
    old
}

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut old = Vec::new();
    account(workload, &mut old);
    annotations(workload, &mut old);
    node_labels(workload, &mut old);
    volumes(workload, cx.kubernetes_version(), &mut old);
    report(cx.object(workload.object), old, out);
}

fn account<'d>(workload: &Workload<'d>, old: &mut Vec<Old<'d>>) {
    let Some(it) = workload.pod.get("serviceAccount").filter(|it| it.str() != Some("")) else {
        return;
    };
    let name = it.str().unwrap_or("…");
    // The API server fills in either from the other, so what was read back from a cluster has both.
    if workload.pod.text("serviceAccountName") != it.str() {
        old.push(Old::new(it, "`serviceAccount`", format!("write `serviceAccountName: {name}`")));
    }
}

fn annotations<'d>(workload: &Workload<'d>, old: &mut Vec<Old<'d>>) {
    let all = workload.template.at(&["metadata", "annotations"]);
    for (key, value) in all.into_iter().flat_map(Node::pairs) {
        let help = match key {
            "scheduler.alpha.kubernetes.io/critical-pod" => "set `priorityClassName`",
            "security.alpha.kubernetes.io/sysctls"
            | "security.alpha.kubernetes.io/unsafe-sysctls" => "set `securityContext.sysctls`",
            "seccomp.security.alpha.kubernetes.io/pod" => "set `securityContext.seccompProfile`",
            _ if key.starts_with("container.seccomp.security.alpha.kubernetes.io/") => {
                "set `securityContext.seccompProfile` of the container"
            }
            _ if key.starts_with("container.apparmor.security.beta.kubernetes.io/") => {
                "set `securityContext.appArmorProfile` of the container"
            }
            _ => continue,
        };
        old.push(Old::new(value, format!("the annotation `{key}`"), help));
    }
}

/// Labels of nodes that have other names today (`GetNodeLabelDeprecatedMessage`).
const NODE_LABELS: [(&str, &str); 6] = [
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.kubernetes.io/zone", "topology.kubernetes.io/zone"),
];

fn node_labels<'d>(workload: &Workload<'d>, old: &mut Vec<Old<'d>>) {
    let pod = workload.pod;
    let mut used: Vec<(Option<&str>, Node<'d>)> = Vec::new();
    let selector = pod.get("nodeSelector").into_iter().flat_map(Node::pairs);
    used.extend(selector.map(|(key, value)| (Some(key), value)));
    let named = |it: Node<'d>, key: &str| it.get(key).map(|at| (at.str(), at));
    let spread = pod.list("topologySpreadConstraints");
    used.extend(spread.filter_map(|it| named(it, "topologyKey")));
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = pod.at(&["affinity", kind]) else { continue };
        let preferred = affinity.list(PREFERRED).filter_map(|it| it.get("podAffinityTerm"));
        let terms = affinity.list(REQUIRED).chain(preferred);
        used.extend(terms.filter_map(|it| named(it, "topologyKey")));
    }
    if let Some(affinity) = pod.at(&["affinity", "nodeAffinity"]) {
        let required = affinity.get(REQUIRED).into_iter();
        let preferred = affinity.list(PREFERRED).filter_map(|it| it.get("preference"));
        let terms = required.flat_map(|it| it.list("nodeSelectorTerms")).chain(preferred);
        let requirements = terms.flat_map(|it| it.list("matchExpressions"));
        used.extend(requirements.filter_map(|it| named(it, "key")));
    }
    for (key, at) in used {
        if let Some((key, now)) = NODE_LABELS.iter().find(|it| key == Some(it.0)) {
            let what = format!("the node label `{key}`");
            old.push(Old::new(at, what, format!("write `{now}`")));
        }
    }
}

/// Volumes of plugins that are going or gone: field, the version that deprecated it, the one that dropped it.
const VOLUMES: [(&str, u32, Option<u32>); 9] = [
    ("cephfs", 28, Some(31)),
    ("flocker", 22, Some(25)),
    ("gitRepo", 11, None),
    ("glusterfs", 25, Some(26)),
    ("photonPersistentDisk", 11, Some(16)),
    ("quobyte", 22, Some(25)),
    ("rbd", 28, Some(31)),
    ("scaleIO", 16, Some(22)),
    ("storageos", 22, Some(25)),
];

fn volumes<'d>(workload: &Workload<'d>, version: KubernetesVersion, old: &mut Vec<Old<'d>>) {
    for volume in workload.pod.list("volumes") {
        for (field, deprecated, dropped) in VOLUMES {
            let is_old = KubernetesVersion::minor(deprecated) <= version;
            let Some(it) = volume.get(field).filter(|_| is_old) else { continue };
            let help = match field {
                "gitRepo" => "clone in an init container into an `emptyDir`",
                _ => "use a claim with a CSI driver",
            };
            let is_dead = dropped.is_some_and(|it| KubernetesVersion::minor(it) <= version);
            let what = format!("a volume of `{field}`, deprecated since Kubernetes 1.{deprecated}");
            old.push(Old { is_dead, ..Old::new(it, what, help) });
        }
    }
}
