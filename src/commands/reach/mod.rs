//! `purlin reach`: who may talk to whom, and which policies say so.

mod names;
mod output;

use super::check::{POLICY_FILE, complain, read_policy};
use super::{fail, input, print};
use crate::cli::{ListFormat, Reach as Args};
use names::Names;
use purlin::analyze::Facts;
use purlin::analyze::reach::ask::{Party, Question};
use purlin::analyze::reach::{PortSet, Verdict};
use purlin::load::worlds::{self, Options};
use purlin::model::Model;
use std::path::PathBuf;
use std::process::ExitCode;

/// Answers a question, or prints the whole table.
pub(super) fn run(args: &Args) -> ExitCode {
    let policy_file =
        args.policy.clone().or_else(|| Some(PathBuf::from(POLICY_FILE)).filter(|it| it.is_file()));
    let policy = match read_policy(policy_file.as_deref()) {
        Ok((policy, _)) => policy,
        Err(message) => return fail(message),
    };
    let targets = input::targets(&args.paths, &policy, policy_file.as_deref());
    let options = Options {
        namespace: args.namespace.clone(),
        allow_remote: policy.allow_remote,
        cache: worlds::default_cache(),
    };
    let loaded = input::render(&targets, &options);
    complain(&loaded);
    if !loaded.failures.is_empty() {
        return fail("who may talk to whom depends on what could not be read");
    }
    let model = match loaded.worlds.as_slice() {
        [] => Model::new(&loaded, &args.namespace),
        [world] => Model::of_world(&loaded, world, &args.namespace),
        several => {
            let names: Vec<_> = several.iter().map(|it| it.name.as_str()).collect();
            return fail(format!(
                "the input holds several worlds ({}), and who may talk to whom is asked of one: name it",
                names.join(", ")
            ));
        }
    };
    if let Some(broken) = loaded.broken.first() {
        let source = loaded.sources.get(broken.source);
        return fail(format!(
            "{}:{}: {}; who may talk to whom depends on it: mend it first",
            source.name,
            source.position(broken.span.start),
            broken.message
        ));
    }
    if model.is_empty() {
        return fail("nothing to look at: no Kubernetes object in the input");
    }
    let facts = Facts::new(&model).with_network(&policy.network);
    let names = Names { model: &model, facts: &facts };
    match (&args.from, &args.to) {
        (Some(from), Some(to)) => match question(&names, from, to) {
            Ok(question) => answer(args, &model, &facts, &question),
            Err(message) => fail(message),
        },
        (from, to) => {
            let party = |it: &Option<String>| it.as_deref().map(|it| names.find(it)).transpose();
            let (from, to) =
                match (party(from), to.as_deref().map(|it| names.destination(it)).transpose()) {
                    (Ok(from), Ok(to)) => (from, to),
                    (Err(message), _) | (_, Err(message)) => return fail(message),
                };
            let ports = to.as_ref().map_or_else(PortSet::all, |it| it.1.clone());
            let flows = output::Flows::new(&facts, from, to.map(|it| it.0), ports);
            let text = match args.format {
                ListFormat::Human => flows.human(&model, &facts),
                ListFormat::Json => flows.json(&model, &facts),
            };
            super::done(print(text.as_bytes()))
        }
    }
}

fn question(names: &Names<'_, '_>, from: &str, to: &str) -> Result<Question, String> {
    let from = names.find(from)?;
    let (to, ports) = names.destination(to)?;
    let is_outside = |it: &Party| matches!(it, Party::Block(_) | Party::Internet | Party::Nodes);
    if is_outside(&from) && is_outside(&to) {
        return Err("one of both has to be pods: policies say nothing of other traffic".into());
    }
    Ok(Question { from, to, ports })
}

/// Exit status: 0 allow, 1 deny, 3 undefined.
fn answer(args: &Args, model: &Model<'_>, facts: &Facts<'_>, question: &Question) -> ExitCode {
    let answer = facts.reach().ask(facts, question);
    if answer.ports.is_empty() {
        return fail(output::no_port(model, facts, question));
    }
    let text = match args.format {
        ListFormat::Human => output::human(model, facts, question, &answer),
        ListFormat::Json => output::json(model, facts, question, &answer),
    };
    if let Err(code) = print(text.as_bytes()) {
        return code;
    }
    match answer.verdict() {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Deny => ExitCode::from(1),
        Verdict::Undefined(_) => ExitCode::from(3),
    }
}
