//! Which documents are meant for an API server: not the files of the tools around it, not fragments of objects that a
//! patch or a test's assertion is made of, and not text that only happens to be YAML.

use crate::load::Lost;
use crate::text::tree::Node;

/// Groups and versions of files that tools read themselves: no API server serves them.
const TOOLS: &[&str] = &[
    "apiserver.config.k8s.io",
    "audit.k8s.io",
    "backstage.io",
    "builtin",
    "chainsaw.kyverno.io",
    "cli.kyverno.io",
    "client.authentication.k8s.io",
    "eksctl.io",
    "fn.kpt.dev",
    "k3d.io",
    "kind.x-k8s.io",
    "kpt.dev",
    "krew.googlecontainertools.github.com",
    "kubeadm.k8s.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "kubescheduler.config.k8s.io",
    "kustomize.config.k8s.io",
    "kuttl.dev",
    "skaffold",
];

/// Whether the document is, or is a list of, Kubernetes objects, and not a file of one of the tools around them.
pub(in crate::load) fn is_manifest(root: Node<'_>) -> bool {
    let (Some(version), Some(kind)) = (root.text("apiVersion"), root.text("kind")) else {
        return false;
    };
    let group = version.split('/').next().unwrap_or(version);
    let is_kubeconfig = version == "v1" && kind == "Config";
    let is_of_tool = TOOLS.contains(&group) || is_kubeconfig || is_ours(root);
    !is_of_tool && !version.is_empty() && !kind.is_empty()
}

/// Whether a document is for purlin itself.
pub(in crate::load) fn is_ours(root: Node<'_>) -> bool {
    root.text("apiVersion").is_some_and(|it| it.starts_with("purlin.dev/"))
}

/// Whether a document says what is promised of a system.
pub(in crate::load) fn is_architecture(root: Node<'_>) -> bool {
    is_ours(root) && root.text("kind") == Some("Architecture")
}

/// Directives of strategic merge patches (`k8s.io/apimachinery/pkg/util/strategicpatch`): in an object they are fields
/// that no kind has.
const DIRECTIVES: [&str; 4] =
    ["$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/"];

/// Whether a document lacks what makes an object of its kind, as patches and the assertions of tests do: a workload
/// without a selector and without a single image, an autoscaler without a target. The API server refuses each of them, and nobody writes one to apply it.
pub(in crate::load) fn is_fragment(root: Node<'_>, text: &str) -> bool {
    let may_hold_one = memchr::memchr(b'$', text.as_bytes()).is_some();
    if may_hold_one && DIRECTIVES.iter().any(|it| text.contains(it)) && has_directive(root) {
        return true;
    }
    let version = root.text("apiVersion").unwrap_or_default();
    let spec = root.get("spec");
    if is_slip(root, spec) {
        return false;
    }
    match (root.text("kind").unwrap_or_default(), version) {
        ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", _)
            if version.starts_with("apps/") || version.starts_with("extensions/") =>
        {
            is_workload_fragment(spec)
        }
        ("Rollout", _) if version.starts_with("argoproj.io/") => is_workload_fragment(spec),
        ("Job", _) if version.starts_with("batch/") => has_no_template(spec),
        ("CronJob", _) if version.starts_with("batch/") => {
            has_no_template(spec.and_then(|it| it.at(&["jobTemplate", "spec"])))
        }
        ("ReplicationController", "v1") => has_no_template(spec),
        ("Pod", "v1") => spec.is_none(),
        ("HorizontalPodAutoscaler", _) if version.starts_with("autoscaling/") => {
            spec.is_none_or(|it| it.get("scaleTargetRef").is_none())
        }
        _ => false,
    }
}

/// Whether the `spec` is there, but misspelt or of another type: a mistake to report, and no patch.
fn is_slip(root: Node<'_>, spec: Option<Node<'_>>) -> bool {
    let is_like = |key: &str| strsim::damerau_levenshtein(&key.to_lowercase(), "spec") <= 1;
    match spec {
        Some(it) => !it.is_map(),
        None => root.pairs().any(|(key, _)| key != "spec" && is_like(key)),
    }
}

fn is_workload_fragment(spec: Option<Node<'_>>) -> bool {
    let Some(spec) = spec else { return true };
    let pod = spec.at(&["template", "spec"]);
    let is_by_reference = spec.get("workloadRef").is_some();
    spec.get("selector").is_none() && !is_by_reference && !pod.is_some_and(has_image)
}

/// Of kinds that need no selector: whether nothing says what runs.
fn has_no_template(spec: Option<Node<'_>>) -> bool {
    spec.is_none_or(|it| it.get("template").is_none())
}

fn has_image(pod: Node<'_>) -> bool {
    let containers = pod.list("containers").chain(pod.list("initContainers"));
    containers.into_iter().any(|it| it.get("image").is_some())
}

fn has_directive(root: Node<'_>) -> bool {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let mut keys = node.pairs().map(|(key, _)| key);
        if keys.any(|key| DIRECTIVES.iter().any(|it| key.starts_with(it))) {
            return true;
        }
        open.extend(node.items());
        open.extend(node.entries().map(|(_, value)| value));
    }
    false
}

/// What is lost with text that cannot be read. It may have been a manifest if it says `apiVersion` and `kind`.
pub(in crate::load) fn lost(text: &str) -> Lost {
    if !says_what_it_is(text) {
        return Lost::Nothing;
    }
    let mut kinds = text.lines().filter_map(|line| {
        let value = line.strip_prefix("kind:")?;
        let value = value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']);
        Some(value.to_string())
    });
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) if is_one_kind(&kind) => Lost::Kind(kind),
        _ => Lost::Anything,
    }
}

/// Deeper than this stands what a document describes, not what it is: the schemas of an OpenAPI document have both words.
const DEEPEST: usize = 4;

/// Whether two lines, one below the other and near the margin, begin with `apiVersion` and `kind`; in JSON they may
/// stand anywhere. A colon may be what is missing.
fn says_what_it_is(text: &str) -> bool {
    let start = text.trim_start();
    // A directive spoils the document after it, which kubectl takes for another one.
    if start.starts_with("%YAML") || start.starts_with("%TAG") {
        return true;
    }
    let has = |word: &str| text.contains(word);
    // Of a separator with other text on its line, this is all there is.
    if start.starts_with("---") {
        return has("apiVersion") || has("kind");
    }
    if start.starts_with(['{', '[']) {
        return has("apiVersion") && has("kind");
    }
    let columns = |word: &str| {
        let mut columns = [false; DEEPEST + 1];
        for line in text.lines() {
            let key = line.trim_start_matches([' ', '\t', '-', '"', '\'']);
            let column = line.len() - key.len();
            let is_word = key.strip_prefix(word).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with([':', ' ', '"', '\'', '\t', '='])
            });
            if is_word && column <= DEEPEST {
                columns[column] = true;
            }
        }
        columns
    };
    let (versions, kinds) = (columns("apiVersion"), columns("kind"));
    versions.contains(&true) && kinds.contains(&true)
}

/// A list may hold anything.
fn is_one_kind(kind: &str) -> bool {
    !kind.is_empty() && !kind.ends_with("List") && kind.bytes().all(|it| it.is_ascii_alphanumeric())
}
