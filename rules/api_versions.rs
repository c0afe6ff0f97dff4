//! From when to when versions of APIs are served: Kubernetes' own, and what `purlin.yaml` says of others.

use crate::api::schema::{kind_version, preferred};
use crate::api::version::KubernetesVersion;
use crate::model::Object;
use crate::rule::{Cx, Finding, Parameter};
use crate::text::source::SourceKind;
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// What `purlin.yaml` may say of kinds that are not Kubernetes' own.
pub(super) const ADDITIONAL: Parameter = Parameter {
    name: "additional",
    about: "versions of other APIs, each as `apiVersion Kind deprecated removed replacement`, with `-` for what there is not: `cert-manager.io/v1alpha2 Certificate 1.20 1.22 cert-manager.io/v1`",
    default: &[],
};

/// When something is deprecated and removed, and what to use instead.
pub(super) struct Life<'c> {
    pub(super) deprecated: Option<At>,
    pub(super) removed: Option<At>,
    /// An `apiVersion`, and a kind where that is another.
    replacement: Option<(&'c str, Option<&'c str>)>,
    kind: &'c str,
    api_version: &'c str,
}

/// A version of Kubernetes, by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(KubernetesVersion);

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kubernetes {}", self.0)
    }
}

/// The additional entries by `apiVersion` and kind.
pub(super) type Additional<'c> = FxHashMap<(&'c str, &'c str), Life<'c>>;

/// What the rule's parameter says; entries that are none are skipped.
pub(super) fn additional<'c>(cx: &Cx<'c, '_>) -> Additional<'c> {
    let lives = cx.parameter(ADDITIONAL.name).into_iter().filter_map(|text| {
        let mut words = text.split_whitespace();
        let (api_version, kind) = (words.next()?, words.next()?);
        let mut version = || words.next().and_then(KubernetesVersion::parse).map(At);
        let (deprecated, removed) = (version(), version());
        let replacement = words.next().filter(|it| *it != "-").map(|it| (it, None));
        Some(((api_version, kind), Life { deprecated, removed, replacement, kind, api_version }))
    });
    lives.collect()
}

impl<'c> Life<'c> {
    /// That of an object's kind and version, if anything is known of it.
    pub(super) fn of(object: &Object<'c>, additional: &Additional<'c>) -> Option<Life<'c>> {
        Life::of_version(object.api_version, object.kind_name, additional)
    }

    /// That of a version of a kind.
    pub(super) fn of_version(
        api_version: &'c str,
        kind: &'c str,
        additional: &Additional<'c>,
    ) -> Option<Life<'c>> {
        if let Some(it) = additional.get(&(api_version, kind)) {
            return Some(Life { ..*it });
        }
        // A list holds objects of the same version.
        let single = kind.strip_suffix("List").unwrap_or(kind);
        let known =
            kind_version(api_version, kind).or_else(|| kind_version(api_version, single))?;
        Some(Life {
            deprecated: known.deprecated.map(At),
            removed: known.removed.map(At),
            replacement: known
                .replacement
                .map(|(version, it)| (version, (it != single).then_some(it))),
            kind: known.kind,
            api_version,
        })
    }

    pub(super) fn is_removed(&self, version: KubernetesVersion) -> bool {
        self.removed.is_some_and(|it| it.0 <= version)
    }

    pub(super) fn is_deprecated(&self, version: KubernetesVersion) -> bool {
        self.deprecated.is_some_and(|it| it.0 <= version)
    }

    /// Adds what to do.
    pub(super) fn advise(&self, finding: Finding, version: KubernetesVersion) -> Finding {
        let better = preferred(self.kind, version).map(|it| (it.api_version, None));
        let better = self.replacement.or(better).filter(|(it, _)| *it != self.api_version);
        let finding = match (better, GONE_FOR_GOOD.iter().find(|it| it.0 == self.kind)) {
            (_, Some((_, instead))) => finding.help(*instead),
            (Some((it, None)), _) => finding.help(format!("set `apiVersion: {it}`")),
            (Some((it, Some(kind))), _) => {
                finding.help(format!("use `kind: {kind}` of `apiVersion: {it}`"))
            }
            (None, None) => finding.help("there is nothing in its place: remove it"),
        };
        let changes = CHANGES
            .iter()
            .find(|(kind, from, _)| *kind == self.kind && self.api_version.ends_with(from));
        match changes {
            Some((_, _, what)) => finding.note(*what),
            None => finding,
        }
    }
}

/// Objects of a cluster, and the versions that somebody wrote them in and that differ from the one that it answers in.
pub(super) fn applied<'c, 'd>(
    cx: &Cx<'c, 'd>,
) -> impl Iterator<Item = (&'c Object<'d>, Node<'d>, &'d str)> {
    let sources = &cx.model.loaded.sources;
    let is_live = |it: &&Object<'_>| sources.get(it.document.source).kind == SourceKind::Cluster;
    cx.model.objects().filter(move |it| is_live(it)).flat_map(|object| {
        let writers = object.field(&["metadata", "managedFields"]);
        let versions = writers.into_iter().flat_map(Node::items);
        versions.filter_map(move |it| {
            let node = it.get("apiVersion")?;
            Some((object, node, node.str()?))
        })
    })
}

/// The version of an object's `apiVersion`.
pub(super) fn version_of<'d>(object: &Object<'d>) -> &'d str {
    object.api_version.rsplit('/').next().unwrap_or_default()
}

/// Kinds that no other version has.
const GONE_FOR_GOOD: &[(&str, &str)] = &[
    (
        "PodSecurityPolicy",
        "label the namespaces for Pod Security: `pod-security.kubernetes.io/enforce`",
    ),
    ("PodPreset", "write into the pods what the preset put there, or use a mutating webhook"),
    ("AuditSink", "configure the audit webhook of the API server"),
];

/// What changes beside the version (kubernetes.io, "Deprecated API Migration Guide"): kind, the end of the old version.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "Ingress",
        "v1beta1",
        "in `networking.k8s.io/v1` a backend is `service: {name, port: {number}}` or `{name}`, `spec.backend` is `spec.defaultBackend`, and `pathType` is required",
    ),
    (
        "CustomResourceDefinition",
        "v1beta1",
        "in `apiextensions.k8s.io/v1` schema, subresources and columns stand below each of `versions`, and the schema has to be structural",
    ),
    (
        "HorizontalPodAutoscaler",
        "v2beta1",
        "in `autoscaling/v2` a metric has a `target` with `type` and `averageUtilization`, `averageValue` or `value`",
    ),
    (
        "PodDisruptionBudget",
        "v1beta1",
        "in `policy/v1` an empty selector selects every pod of the namespace, where it selected none",
    ),
    (
        "Deployment",
        "v1beta1",
        "in `apps/v1` `spec.selector` is required and cannot be changed, `spec.rollbackTo` is gone, and the defaults of `spec.progressDeadlineSeconds`, `revisionHistoryLimit`, `maxSurge` and `maxUnavailable` are others",
    ),
    (
        "DaemonSet",
        "v1beta1",
        "in `apps/v1` `spec.selector` is required and cannot be changed, `spec.templateGeneration` is gone, and the default strategy is RollingUpdate",
    ),
    (
        "StatefulSet",
        "v1beta1",
        "in `apps/v1` `spec.selector` is required and cannot be changed, and the default strategy is RollingUpdate",
    ),
    ("ReplicaSet", "v1beta1", "in `apps/v1` `spec.selector` is required and cannot be changed"),
    (
        "ValidatingWebhookConfiguration",
        "v1beta1",
        "in `admissionregistration.k8s.io/v1` `sideEffects` and `admissionReviewVersions` are required, and the defaults of `failurePolicy`, `matchPolicy` and `timeoutSeconds` are Fail, Equivalent and 10",
    ),
    (
        "MutatingWebhookConfiguration",
        "v1beta1",
        "in `admissionregistration.k8s.io/v1` `sideEffects` and `admissionReviewVersions` are required, and the defaults of `failurePolicy`, `matchPolicy` and `timeoutSeconds` are Fail, Equivalent and 10",
    ),
    (
        "CertificateSigningRequest",
        "v1beta1",
        "in `certificates.k8s.io/v1` `spec.signerName` and `spec.usages` are required",
    ),
    (
        "EndpointSlice",
        "v1beta1",
        "in `discovery.k8s.io/v1` `topology` is gone: `nodeName` and `zone` have fields of their own",
    ),
    (
        "PriorityLevelConfiguration",
        "v1beta2",
        "in `flowcontrol.apiserver.k8s.io/v1` `assuredConcurrencyShares` is called `nominalConcurrencyShares`",
    ),
    ("RuntimeClass", "v1alpha1", "in `node.k8s.io/v1` `spec.runtimeHandler` is called `handler`"),
];
