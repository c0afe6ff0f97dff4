//! The Services that the API server itself calls: those of webhooks, of conversions and of aggregated APIs.
//!
//! `k8s.io/api/admissionregistration/v1`, WebhookClientConfig; `apiextensions.k8s.io/v1`, CustomResourceConversion;
//! `k8s.io/kube-aggregator/pkg/apis/apiregistration/v1`, ServiceReference.

use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;

/// What the API server calls a Service for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'d> {
    /// A webhook of a configuration: the entry of `webhooks`.
    Admission(Node<'d>),
    /// The conversion of a custom kind between versions.
    Conversion,
    /// An API that the Service serves.
    Aggregation,
}

/// A Service that the API server calls.
#[derive(Clone, Copy, Debug)]
pub struct CalledService<'d> {
    /// The reference.
    pub node: Node<'d>,
    /// The namespace of the Service.
    pub namespace: &'d str,
    /// Its name.
    pub name: &'d str,
    /// Its port: 443 where none is written.
    pub port: i64,
    /// What for.
    pub purpose: Purpose<'d>,
}

/// The kinds of objects that name such Services.
pub const CALLERS: &[Kind] = &[
    Kind::APIService,
    Kind::CustomResourceDefinition,
    Kind::MutatingWebhookConfiguration,
    Kind::ValidatingWebhookConfiguration,
];

/// All of them, with the objects that name them.
pub fn called<'c, 'd>(model: &'c Model<'d>) -> Vec<(&'c Object<'d>, CalledService<'d>)> {
    let callers = CALLERS.iter().flat_map(|it| model.of_kind(*it));
    callers.flat_map(|it| called_by(it.kind, it.root).into_iter().map(move |at| (it, at))).collect()
}

/// Those that an object names.
pub fn called_by<'d>(kind: Kind, root: Node<'d>) -> Vec<CalledService<'d>> {
    let one = |node: Option<Node<'d>>, purpose| reference(node?, purpose);
    match kind {
        Kind::APIService => {
            one(root.at(&["spec", "service"]), Purpose::Aggregation).into_iter().collect()
        }
        Kind::CustomResourceDefinition => {
            let paths =
                [&["webhook", "clientConfig", "service"][..], &["webhookClientConfig", "service"]];
            let conversion = root.at(&["spec", "conversion"]);
            let node = conversion.and_then(|it| paths.iter().find_map(|path| it.at(path)));
            one(node, Purpose::Conversion).into_iter().collect()
        }
        _ => {
            let service = |it: Node<'d>| it.at(&["clientConfig", "service"]);
            let webhooks = root.list("webhooks");
            webhooks.filter_map(|it| one(service(it), Purpose::Admission(it))).collect()
        }
    }
}

fn reference<'d>(node: Node<'d>, purpose: Purpose<'d>) -> Option<CalledService<'d>> {
    let port = node.get("port").and_then(Node::int).filter(|it| *it != 0).unwrap_or(443);
    let (namespace, name) = (node.text("namespace")?, node.text("name")?);
    Some(CalledService { node, namespace, name, port, purpose })
}

/// Whether a webhook that cannot be called refuses the request: `admissionregistration.k8s.io/v1` has Fail where nothing is
/// written, v1beta1 Ignore.
pub fn fails_closed(object: &Object<'_>, webhook: Node<'_>) -> bool {
    match webhook.text("failurePolicy") {
        Some(policy) => policy == "Fail",
        None => !object.api_version.ends_with("/v1beta1"),
    }
}

/// Whether the rules of a webhook match the creation of pods
/// (`k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules`).
pub fn matches_new_pods(webhook: Node<'_>) -> bool {
    let has = |rule: Node<'_>, key: &str, wanted: &str| {
        rule.list(key).filter_map(Node::str).any(|it| it == "*" || it == wanted)
    };
    webhook.list("rules").any(|rule| {
        has(rule, "apiGroups", "")
            && has(rule, "apiVersions", "v1")
            && has(rule, "operations", "CREATE")
            && rule.text("scope") != Some("Cluster")
            && rule.list("resources").filter_map(Node::str).any(|it| {
                let (resource, part) = it.split_once('/').unwrap_or((it, ""));
                matches!(resource, "*" | "pods") && matches!(part, "" | "*")
            })
    })
}
