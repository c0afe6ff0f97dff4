//! `purlin install` and `purlin uninstall`: the webhook in a cluster, and out of it again, in the order that cannot
//! lock anybody out.

mod apply;
mod manifests;

use super::{done, fail, print};
use crate::cli::{FailurePolicy, Install, Uninstall};
use manifests::{Changes, Manifest};
use purlin::serve::certificates::check_authorities;
use std::path::Path;
use std::process::ExitCode;

/// What switches the webhook off, whatever state it is in.
const BREAK_GLASS: &str = "kubectl delete validatingwebhookconfiguration purlin";

/// Without an image its pods would never start, so nothing is applied.
const NO_IMAGE: &str = concat!(
    "no image of purlin is published, so there is none to run. In a clone of its repository build one, push it where the \
     nodes of the cluster pull from, and name it:\n  \
     docker build -f deploy/Dockerfile -t REGISTRY/purlin:",
    env!("CARGO_PKG_VERSION"),
    " .\n  docker push REGISTRY/purlin:",
    env!("CARGO_PKG_VERSION"),
    "\n  purlin install --apply --image REGISTRY/purlin:",
    env!("CARGO_PKG_VERSION"),
);

/// What has to be done at the API server before it shows a certificate
/// (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers>).
const API_SERVER: &str = "The API server has to show a certificate that this authority has signed, or every call of the webhook fails.
Each API server is started with `--admission-control-config-file=/etc/kubernetes/admission/configuration.yaml`, where managed
clusters do not offer that `--client-ca` cannot be used. The files, which its pod has to mount:

/etc/kubernetes/admission/configuration.yaml:
  apiVersion: apiserver.config.k8s.io/v1
  kind: AdmissionConfiguration
  plugins:
    - name: ValidatingAdmissionWebhook
      configuration:
        apiVersion: apiserver.config.k8s.io/v1
        kind: WebhookAdmissionConfiguration
        kubeConfigFile: /etc/kubernetes/admission/kubeconfig.yaml

/etc/kubernetes/admission/kubeconfig.yaml:
  apiVersion: v1
  kind: Config
  users:
    - name: purlin.purlin-system.svc
      user:
        client-certificate: /etc/kubernetes/admission/client.crt
        client-key: /etc/kubernetes/admission/client.key
";

/// The authorities in a file, which is put into the cluster as it is.
fn authorities(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|why| why.to_string());
    let text = text.and_then(|it| check_authorities(it.as_bytes()).map(|()| it));
    text.map_err(|why| format!("`--client-ca {}`: {why}", path.display()))
}

/// Prints the manifests, or applies them.
pub(super) fn install(args: &Install) -> ExitCode {
    let failure_policy = match args.failure_policy {
        FailurePolicy::Ignore => "Ignore",
        FailurePolicy::Fail => "Fail",
    };
    let mode = args.mode.mode().name();
    let client_ca = match args.client_ca.as_deref().map(authorities).transpose() {
        Ok(it) => it,
        Err(why) => return fail(why),
    };
    let changes = Changes { failure_policy, mode, image: args.image.clone(), client_ca };
    if args.apply && args.image.is_none() {
        return fail(NO_IMAGE);
    }
    if args.apply {
        return result(apply::install(args.context.as_deref(), &changes, args.timeout));
    }
    let mut text = format!(
        "# The webhook of purlin, in the order in which to apply it: the last manifest is what makes the API server ask,\n\
         # and is for when the Deployment is available (`purlin install --apply` waits for that).\n\
         # To switch it off, whatever state it is in: {BREAK_GLASS}\n"
    );
    if changes.client_ca.is_some() {
        text.push_str(&API_SERVER.lines().map(|it| format!("# {it}\n")).collect::<String>());
    }
    for manifest in manifests::server(&changes) {
        text.push_str(&format!("---\n{}\n", manifest.text));
    }
    text.push_str(&format!("---\n{}\n", manifests::webhook(failure_policy).text));
    done(print(text.as_bytes()))
}

/// Prints the commands that take everything away again, or does it.
pub(super) fn uninstall(args: &Uninstall) -> ExitCode {
    if args.apply {
        return result(apply::uninstall(args.context.as_deref()));
    }
    let context = args.context.as_ref().map(|it| format!(" --context {}", quoted(it)));
    let context = context.unwrap_or_default();
    let mut text = String::new();
    for manifest in backwards() {
        let [group, namespace] = ["/apiVersion", "/metadata/namespace"].map(|it| manifest.get(it));
        let group = group.split_once('/').map(|(it, _)| format!(".{it}")).unwrap_or_default();
        let namespace =
            if namespace.is_empty() { String::new() } else { format!(" -n {namespace}") };
        text.push_str(&format!(
            "kubectl{context} delete --ignore-not-found{namespace} {}{group} {}\n",
            apply::resource(&manifest),
            manifest.get("/metadata/name"),
        ));
    }
    done(print(text.as_bytes()))
}

/// Everything, the last thing that was applied first: who goes on asking a server that is gone is locked out.
fn backwards() -> Vec<Manifest> {
    let changes = Changes { failure_policy: "Ignore", mode: "audit", image: None, client_ca: None };
    let server = manifests::server(&changes).into_iter();
    let mut all: Vec<_> = server.chain([manifests::webhook(changes.failure_policy)]).collect();
    all.reverse();
    all
}

fn result(applied: Result<(), String>) -> ExitCode {
    match applied {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(why),
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:@".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
