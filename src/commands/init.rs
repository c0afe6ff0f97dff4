//! `purlin init`: an architecture document, and a policy that names it, from what is there.

use super::check::{POLICY_FILE, complain, not_valid, source};
use super::input::Input;
use super::{fail, input, print, tell};
use crate::cli::Init;
use purlin::analyze::Facts;
use purlin::api::kind::Kind;
use purlin::architecture;
use purlin::extract::{self, Change, Way};
use purlin::text::source::Source;
use std::path::Path;
use std::process::ExitCode;

/// What is looked at beside workloads.
const READS: &[Kind] = &[
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::Gateway,
    Kind::HTTPRoute,
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

/// Writes both; says what differs in a document that is there already, and changes that of it which nobody decided.
pub(super) fn run(args: &Init) -> ExitCode {
    let is_shown = args.output == Path::new("-");
    let there = match there(args).transpose() {
        Ok(there) => there,
        Err(message) => return fail(message),
    };
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
    if let Some(there) = there {
        return compare(args, &there, &text);
    }
    if let Err(error) = std::fs::write(&args.output, text) {
        return fail(format!("cannot write {}: {error}", args.output.display()));
    }
    tell(&format!("wrote {}", args.output.display()));
    write_policy(args)
}

/// The document that is there already.
fn there(args: &Init) -> Option<Result<Source, String>> {
    let is_there = args.output != Path::new("-") && args.output.exists();
    if args.update && !is_there {
        return Some(Err(format!("there is no {} to update", args.output.display())));
    }
    is_there.then(|| source(&args.output))
}

/// Says what differs between a document and a new one of its source, and changes it where that is asked for.
fn compare(args: &Init, there: &Source, text: &str) -> ExitCode {
    let old = match architecture::read(&there.text) {
        Ok(old) => old,
        Err(mistakes) => return fail(not_valid("architecture", there, &mistakes)),
    };
    let new = match architecture::read(&text.into()) {
        Ok(new) => new,
        Err(mistakes) => {
            let source = Source::new("what was found".into(), text.into());
            return fail(not_valid("architecture", &source, &mistakes));
        }
    };
    let updated = extract::update(
        (&there.text, old.tree.root(), &old.value),
        (text, new.tree.root(), &new.value),
    );
    let is_open = |it: &&Change| !matches!(it.way, Way::Decided(..));
    let count = updated.changes.iter().filter(is_open).count();
    let lines = updated.changes.iter().map(line);
    if let Err(code) = print(lines.collect::<String>().as_bytes()) {
        return code;
    }
    let path = args.output.display();
    if count == 0 {
        tell(&format!("{path} says what is there, but for what somebody decided"));
        return ExitCode::SUCCESS;
    }
    if !args.update {
        tell(&format!("{count} of this {path} does not say: `--update` writes it"));
        return ExitCode::from(1);
    }
    if let Err(error) = std::fs::write(&args.output, updated.text) {
        return fail(format!("cannot write {path}: {error}"));
    }
    tell(&format!("updated {path}"));
    ExitCode::SUCCESS
}

/// A change on a line.
fn line(change: &Change) -> String {
    let path = &change.path;
    match &change.way {
        Way::Added => format!("+ {path}\n"),
        Way::Removed => format!("- {path}\n"),
        Way::Changed(from, to) => format!("~ {path}: {from} -> {to}\n"),
        Way::Decided(decided, there) => {
            format!("  {path}: {decided}, and {there} is there; somebody decided it\n")
        }
    }
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
