//! The manifests of `deploy/base`, in the order in which it is safe to apply them, with what the command line changes.
//!
//! A value is replaced where it stands, so what is printed keeps the comments.

use purlin::load::read::split;
use purlin::load::read::split::Chunk;
use purlin::load::read::yaml;
use purlin::load::read::yaml::Syntax;
use purlin::text::tree::{Node, Number, Value};
use serde_json::Value as Json;
use std::ops::Range;
use std::sync::Arc;

/// Namespace, rights and policy, and then what runs.
const SERVER: &[&str] = &[
    include_str!("../../../deploy/base/namespace.yaml"),
    include_str!("../../../deploy/base/service-account.yaml"),
    include_str!("../../../deploy/base/cluster-role.yaml"),
    include_str!("../../../deploy/base/roles.yaml"),
    POLICY,
    include_str!("../../../deploy/base/past.yaml"),
    include_str!("../../../deploy/base/network-policies.yaml"),
    include_str!("../../../deploy/base/disruption-budget.yaml"),
    include_str!("../../../deploy/base/service.yaml"),
    DEPLOYMENT,
];

const POLICY: &str = include_str!("../../../deploy/base/policy.yaml");
const DEPLOYMENT: &str = include_str!("../../../deploy/base/deployment.yaml");
const WEBHOOK: &str = include_str!("../../../deploy/base/webhook.yaml");

/// The last argument of the server.
const LAST_ARGUMENT: &str = "            - --past-config-map=purlin-system/purlin-past\n";

/// The label of what is only tried out.
pub(super) const TRY_OUT: &str = "purlin.dev/try-out";

/// Where a ConfigMap holds the policy.
pub(super) const POLICY_KEY: &str = "purlin.yaml";

/// What the command line changes.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    /// `Ignore` or `Fail`.
    pub(super) failure_policy: &'static str,
    /// `audit`, `warn` or `enforce`.
    pub(super) mode: &'static str,
    /// The image to run, where it is another than that of the manifest.
    pub(super) image: Option<String>,
    /// The authorities that vouch for the API server; PEM. Without them anybody may call.
    pub(super) client_ca: Option<String>,
}

/// A manifest, as text and as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    /// With its comments.
    pub(super) text: String,
    /// The object.
    pub(super) object: Json,
}

impl Manifest {
    /// A text in the object, or nothing.
    pub(super) fn get(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
    }

    /// `Kind/namespace/name`.
    pub(super) fn title(&self) -> String {
        let parts = ["/kind", "/metadata/namespace", "/metadata/name"].map(|it| self.get(it));
        parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("/")
    }
}

/// All that has to be there before the API server may ask.
pub(super) fn server(changes: &Changes) -> Vec<Manifest> {
    let changed = |text: &&'static str| match *text {
        POLICY => with_mode(changes.mode),
        DEPLOYMENT => {
            let text = with_image(changes.image.as_deref());
            match &changes.client_ca {
                None => text,
                Some(pem) => format!("{}---\n{}", client_ca(pem), with_client_ca(&text)),
            }
        }
        text => text.to_string(),
    };
    SERVER.iter().map(changed).flat_map(|it| documents(&it)).collect()
}

/// The authorities where the server reads them.
fn client_ca(pem: &str) -> String {
    let pem: String = pem.lines().map(|it| format!("    {it}\n")).collect();
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: purlin-client-ca\n  namespace: purlin-system\n  \
         labels:\n    app.kubernetes.io/name: purlin\ndata:\n  ca.crt: |\n{pem}"
    )
}

/// The Deployment of a server that asks the API server for a certificate. Its container is the last thing in it.
fn with_client_ca(deployment: &str) -> String {
    let argument =
        format!("{LAST_ARGUMENT}            - --client-ca=/etc/purlin/client-ca/ca.crt\n");
    let deployment = deployment.replacen(LAST_ARGUMENT, &argument, 1);
    format!(
        "{deployment}          volumeMounts:
            - name: client-ca
              mountPath: /etc/purlin/client-ca
              readOnly: true
      volumes:
        - name: client-ca
          configMap:
            name: purlin-client-ca
"
    )
}

/// A configuration by which the API server asks about nothing but what [`super::apply`] tries out, and fails where it gets
/// no answer.
pub(super) fn try_out(bundle: &str) -> Manifest {
    let text = format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: purlin-try-out}}
webhooks:
  - name: try-out.purlin.dev
    admissionReviewVersions: [v1]
    clientConfig:
      service: {{name: purlin, namespace: purlin-system, path: /validate, port: 443}}
      caBundle: {bundle}
    failurePolicy: Fail
    timeoutSeconds: 3
    sideEffects: None
    objectSelector: {{matchLabels: {{{TRY_OUT}: purlin}}}}
    rules:
      - {{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}
"
    );
    documents(&text).remove(0)
}

/// The configuration by which the API server asks.
pub(super) fn webhook(failure_policy: &str) -> Manifest {
    let text = replaced(WEBHOOK, failure_policy, |root| {
        root.list("webhooks").next().and_then(|it| it.get("failurePolicy"))
    });
    documents(&text).remove(0)
}

fn with_image(image: Option<&str>) -> String {
    let Some(image) = image else { return DEPLOYMENT.into() };
    // JSON's strings are YAML's, whatever is in them.
    replaced(DEPLOYMENT, &Json::from(image).to_string(), |root| {
        let pod = root.at(&["spec", "template", "spec"])?;
        pod.list("containers").next().and_then(|it| it.get("image"))
    })
}

/// The policy is a text in a manifest, the last thing in it.
fn with_mode(mode: &str) -> String {
    let text: Arc<str> = POLICY.into();
    let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).ok().flatten();
    let tree = parsed.expect("the manifests of purlin parse").tree;
    let entry = tree.root().get("data").and_then(|it| it.entry(POLICY_KEY));
    let (key, policy) = entry.expect("the ConfigMap holds the policy");
    let policy = policy.str().and_then(|it| policy_with_mode(it, mode));
    let policy = policy.expect("the policy has a mode");
    let lines: String = policy.lines().map(|it| format!("    {it}\n")).collect();
    format!("{}: |\n{lines}", &POLICY[..key.span().range().end])
}

/// A policy with another mode; nothing where it names none.
pub(super) fn policy_with_mode(policy: &str, mode: &str) -> Option<String> {
    with_value(policy, mode, |root| root.at(&["admission", "mode"]))
}

/// The text of a manifest of ours with another value in one place.
fn replaced(text: &str, value: &str, place: fn(Node<'_>) -> Option<Node<'_>>) -> String {
    with_value(text, value, place).expect("the manifests of purlin have what it changes")
}

fn with_value(text: &str, value: &str, place: fn(Node<'_>) -> Option<Node<'_>>) -> Option<String> {
    let shared: Arc<str> = text.into();
    let parsed = yaml::parse(&shared, 0..text.len(), Syntax::Yaml).ok()??;
    let span = place(parsed.tree.root())?.span();
    let mut text = text.to_string();
    text.replace_range(span.range(), value);
    Some(text)
}

fn documents(text: &str) -> Vec<Manifest> {
    let text: Arc<str> = text.into();
    let ranges: Vec<Range<usize>> = split::split(&text)
        .filter_map(|it| match it {
            Chunk::Text(range) => Some(range),
            Chunk::Bad { .. } => None,
        })
        .collect();
    let document = |range: Range<usize>| {
        let parsed = yaml::parse(&text, range.clone(), Syntax::Yaml).ok()??;
        Some(Manifest { text: text[range].trim().into(), object: json(parsed.tree.root()) })
    };
    ranges.into_iter().filter_map(document).collect()
}

fn json(node: Node<'_>) -> Json {
    match node.value() {
        Value::Null => Json::Null,
        Value::Bool(it) => it.into(),
        Value::Number(Number::Int(it)) => it.into(),
        Value::Number(Number::Float(it)) => it.into(),
        Value::Str(it) => it.into(),
        Value::Seq => node.items().map(json).collect(),
        Value::Map => {
            let entries = node.entries();
            let entries = entries.map(|(key, it)| (key.str().unwrap_or_default().into(), json(it)));
            Json::Object(entries.collect())
        }
    }
}
