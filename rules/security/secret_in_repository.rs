//! Credentials that are written out in Secrets, ConfigMaps, environment variables and arguments.

use crate::analyze::references::credential_values;
use crate::analyze::references::credentials::{
    is_secret_text, is_secret_value, is_surely_secret_text,
};
use crate::analyze::selection::workloads::Workload;
use crate::api::image::Image;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, ImagePart, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use base64::Engine;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "secret-in-repository",
    title: "a credential stands in a manifest",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::Secret, Kind::ConfigMap],
    like: &[
        "kube-linter:env-var-secret",
        "polaris:sensitiveContainerEnvVar",
        "polaris:sensitiveConfigmapContent",
    ],
    parameters: &[],
    page: include_str!("secret_in_repository.md"),
    reads_images: Some(ImagePart::Repository),
    checks: &[Check::Object(object), Check::Workload(workload)],
};

fn object(_: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    match object.kind {
        Kind::Secret => secret(object, out),
        _ => config_map(object, out),
    }
}

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    for container in workload.containers() {
        environment(cx, workload, container, out);
        default_credentials(cx, workload, container, out);
    }
}

/// RabbitMQ's image makes user `guest` with password `guest`, who may log in from anywhere, unless it is told otherwise
/// (docker-library/rabbitmq, `10-defaults.conf`: `loopback_users.guest = false`).
fn default_credentials(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    container: Node<'_>,
    out: &mut Out,
) {
    let Some(image) = container.get("image") else { return };
    if !is_rabbitmq(image.str().unwrap_or_default()) || container.get("command").is_some() {
        return;
    }
    let object = cx.object(workload.object);
    let mut names = container.list("env").filter_map(|it| it.text("name"));
    if names.any(|it| it.starts_with("RABBITMQ_DEFAULT_PASS")) {
        return;
    }
    let mut mounts = container.list("volumeMounts").filter_map(|it| it.text("mountPath"));
    if container.list("envFrom").next().is_some()
        || mounts.any(|it| it.starts_with("/etc/rabbitmq"))
    {
        return out.cannot_tell(
            object,
            "whether the variables or files that RabbitMQ is given set another password than its default, `guest`",
        );
    }
    out.find(
        Finding::new(
            format!("`{object}` runs RabbitMQ with the credentials that everybody knows, `guest` and `guest`"),
            object.place(image),
            "nothing sets RABBITMQ_DEFAULT_PASS",
        )
        .note("the image lets this user in from anywhere: whoever reaches the port reads and writes every queue")
        .help("set `RABBITMQ_DEFAULT_USER` and `RABBITMQ_DEFAULT_PASS` from a Secret that is kept elsewhere"),
    );
}

/// The official image, from wherever it is pulled; others of the name have defaults of their own.
fn is_rabbitmq(image: &str) -> bool {
    let image = Image::of(image);
    let mut others = ["bitnami", "bitnamilegacy", "rabbitmqoperator"].iter();
    image.name() == "rabbitmq" && !others.any(|it| image.repository.contains(it))
}

/// What Helm and controllers keep in Secrets is not written by people.
const MACHINE_MADE: [&str; 3] =
    ["helm.sh/release.v1", "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

fn secret(object: &Object<'_>, out: &mut Out) {
    let is_machine_made = object.root.text("type").is_some_and(|it| MACHINE_MADE.contains(&it));
    if is_machine_made || object.root.get("sops").is_some() {
        return;
    }
    let entries = |field: &'static str| object.root.get(field).into_iter().flat_map(Node::pairs);
    let data = entries("data")
        .filter(|(key, value)| holds_secret(key, &decode(value.str().unwrap_or_default())));
    let plain = entries("stringData")
        .filter(|(key, value)| holds_secret(key, value.str().unwrap_or_default()));
    let found: Vec<_> = data.chain(plain).collect();
    let Some((first, rest)) = found.split_first() else { return };
    let names: Vec<_> = found.iter().map(|(key, _)| format!("`{key}`")).collect();
    let message =
        format!("`{object}` stands in the repository with its contents: {}", names.join(", "));
    let mut finding =
        Finding::new(message, object.place(first.1), "readable by all who read the repository");
    for (_, value) in rest.iter().take(7) {
        finding = finding.label(object.place(*value), "and this");
    }
    out.find(
        finding
            .concealed()
            .note("base64 is a way of writing, not encryption; what was committed once stays in the history")
            .help("change the credentials, then keep them in a secret store (ExternalSecret), or encrypted (SealedSecret, SOPS)"),
    );
}

/// Certificates are public; the key beside them is not.
fn holds_secret(key: &str, value: &str) -> bool {
    !matches!(key, "tls.crt" | "ca.crt" | "ca.pem" | "cert.pem")
        && is_secret_value(value)
        && !value.starts_with("-----BEGIN CERTIFICATE")
}

fn decode(text: &str) -> String {
    let packed: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(&packed);
    // What is no base64 is a template's or a tool's placeholder; binary data is judged as it stands.
    bytes.map_or(String::new(), |it| String::from_utf8(it).unwrap_or(packed))
}

fn config_map(object: &Object<'_>, out: &mut Out) {
    for (key, value) in object.root.get("data").into_iter().flat_map(Node::pairs) {
        if is_credential(key, value) {
            out.find(plain(object, value, key, "a ConfigMap"));
        }
    }
}

fn environment(cx: &Cx<'_, '_>, workload: &Workload<'_>, container: Node<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    for variable in container.list("env") {
        let (Some(name), Some(value)) = (variable.text("name"), variable.get("value")) else {
            continue;
        };
        if is_credential(name, value) {
            out.find(plain(object, value, name, "an environment variable"));
        }
    }
    for argument in container.list("command").chain(container.list("args")) {
        let Some(text) = argument.str() else { continue };
        let option = text.trim_start_matches('-').split_once('=').filter(|_| text.starts_with('-'));
        let is_option =
            option.is_some_and(|(name, value)| credential_values::is_credential(name, value));
        if is_option || is_secret_text(text) {
            let name = option.map_or("an argument", |(name, _)| name);
            out.find(plain(object, argument, name, "an argument, which every process list shows"));
        }
    }
}

fn is_credential(name: &str, value: Node<'_>) -> bool {
    let Some(text) = value.scalar() else { return false };
    credential_values::is_credential(name, &text) || is_secret_text(&text)
}

/// The value itself is never repeated.
fn plain(object: &Object<'_>, place: Node<'_>, name: &str, what: &str) -> Finding {
    let message = format!("`{object}` holds a credential in plain text: `{name}`");
    let finding = Finding::new(message, object.place(place), format!("in {what}"));
    // What a name means is a matter of taste, and an address may be an example: nobody is denied for that.
    let is_sure = place.scalar().is_some_and(|it| is_surely_secret_text(&it));
    let finding = if is_sure { finding } else { finding.guessed() };
    finding
        .concealed()
        .note("who may read the workload or the repository can read it, and it shows in logs, dumps and histories")
        .help("change it, put it into a Secret that is kept elsewhere, and refer to it (`secretKeyRef`, or a file)")
}
