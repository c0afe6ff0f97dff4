//! `purlin init`: an architecture document, and a policy that names it, from what is there.

use super::check::{POLICY_FILE, complain};
use super::input::Input;
use super::{fail, input, print, tell};
use crate::cli::Init;
use purlin::analyze::Facts;
use purlin::api::kind::Kind;
use purlin::extract;
use std::path::Path;
use std::process::ExitCode;

/// What is looked at beside workloads.
const READS: &[Kind] = &[
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::HorizontalPodAutoscaler,
    Kind::Ingress,
    Kind::LimitRange,
    Kind::Namespace,
    Kind::NetworkPolicy,
    Kind::Node,
    Kind::PodDisruptionBudget,
    Kind::ResourceQuota,
    Kind::ScaledObject,
    Kind::Service,
];

/// Writes both, unless they are there.
pub(super) fn run(args: &Init) -> ExitCode {
    let is_shown = args.output == Path::new("-");
    if !is_shown && args.output.exists() {
        return fail(format!(
            "{} is there already: `purlin check --architecture {0}` says what differs; write anew to another file with `--output`",
            args.output.display()
        ));
    }
    let Input { policy, loaded, namespace } = match input::world(&args.world, READS) {
        Ok(read) => read,
        Err(message) => return fail(message),
    };
    complain(&loaded);
    let model = match input::only_world(&loaded, &namespace, "what the architecture is") {
        Ok((model, _)) => model,
        Err(message) => return fail(message),
    };
    if model.is_empty() {
        return super::check::nothing(&loaded, "write down");
    }
    let here = || {
        let folder = std::env::current_dir().ok()?;
        Some(folder.file_name()?.to_string_lossy().into_owned())
    };
    let name = args.name.clone().or_else(here).unwrap_or_else(|| "architecture".into());
    let facts = Facts::new(&model).with_network(&policy.network);
    let text = extract::document(&model, &facts, &name);
    if is_shown {
        return super::done(print(text.as_bytes()));
    }
    if let Err(error) = std::fs::write(&args.output, text) {
        return fail(format!("cannot write {}: {error}", args.output.display()));
    }
    tell(&format!("wrote {}", args.output.display()));
    write_policy(args)
}

/// A policy that names the document, where there is none.
fn write_policy(args: &Init) -> ExitCode {
    if args.world.policy.is_some() || Path::new(POLICY_FILE).exists() {
        return ExitCode::SUCCESS;
    }
    let text = format!(
        "# yaml-language-server: $schema=policy.schema.json\napiVersion: purlin.dev/v1alpha1\nkind: Policy\narchitecture: {}\n",
        args.output.display()
    );
    match std::fs::write(POLICY_FILE, text) {
        Ok(()) => tell(&format!("wrote {POLICY_FILE}")),
        Err(error) => return fail(format!("cannot write {POLICY_FILE}: {error}")),
    }
    ExitCode::SUCCESS
}
