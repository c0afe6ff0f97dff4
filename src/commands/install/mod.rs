//! `purlin install` and `purlin uninstall`: the webhook in a cluster, and out of it again, in the order that cannot
//! lock anybody out.

mod apply;
mod manifests;

use super::{done, fail, print};
use crate::cli::{FailurePolicy, Install, Uninstall};
use manifests::{Changes, Manifest};
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

/// Prints the manifests, or applies them.
pub(super) fn install(args: &Install) -> ExitCode {
    let failure_policy = match args.failure_policy {
        FailurePolicy::Ignore => "Ignore",
        FailurePolicy::Fail => "Fail",
    };
    let mode = args.mode.mode().name();
    let changes = Changes { failure_policy, mode, image: args.image.clone() };
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
    let changes = Changes { failure_policy: "Ignore", mode: "audit", image: None };
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
