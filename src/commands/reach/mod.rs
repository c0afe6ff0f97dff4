//! `purlin reach`: who may talk to whom, and which policies say so.

mod change;
mod names;
mod output;
mod strangers;
mod table;

use super::check::complain;
use super::input::Input;
use super::{done, fail, input, print, say};
use crate::cli::{ListFormat, Reach as Args};
use change::Change;
use ipnet::{IpNet, Ipv6Net};
use names::Names;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::ask::{Party, Question};
use purlin::analyze::network::reach::difference::Difference;
use purlin::analyze::network::reach::{CLUSTER_WIDE, READS, Reach, Verdict};
use purlin::analyze::network::refused::mistakes;
use purlin::api::kind::Kind;
use purlin::api::ports::PortSet;
use purlin::model::Model;
use std::process::ExitCode;
use table::{Asked, Ends, Flows};

/// Answers a question, or prints the whole table.
pub(super) fn run(args: &Args) -> ExitCode {
    let Input { policy, loaded, namespace } = match input::world(&args.world, READS) {
        Ok(read) => read,
        Err(message) => return fail(message),
    };
    complain(&loaded);
    if !loaded.failures.is_empty() {
        return fail("who may talk to whom depends on what could not be read");
    }
    let (model, namespace) = match input::only_world(&loaded, &namespace, "who may talk to whom") {
        Ok(world) => world,
        Err(message) => return fail(message),
    };
    if let Some(broken) = loaded.broken.first() {
        let source = loaded.sources.get(broken.source);
        return fail(format!(
            "{}:{}: {}; who may talk to whom depends on it: mend it first",
            source.shown_name(),
            source.position(broken.span.start),
            broken.message
        ));
    }
    if model.is_empty() {
        return fail("nothing to look at: no Kubernetes object in the input");
    }
    leave_out(&model);
    let change = match change::read(&args.change, &loaded) {
        Ok(change) => change,
        Err(message) => return fail(message),
    };
    let change = Model::new(&change, namespace);
    if let Some(message) = change::refuse(&change, &args.change) {
        return fail(message);
    }
    let of_change = Facts::new(&change);
    let facts = Facts::new(&model).with_network(&policy.network);
    let names = Names::new(&model, &facts);
    match (&args.from, &args.to) {
        (Some(from), Some(to)) if args.change.is_empty() => match question(&names, from, to) {
            Ok(question) => {
                let (strangers, notes) = names.finish();
                facts.tell_apart(strangers);
                answer(args, &model, &facts, &question, notes)
            }
            Err(message) => fail(message),
        },
        _ => match parties(&names, args) {
            Ok(parties) if args.change.is_empty() => {
                facts.tell_apart(names.finish().0);
                all(args, &model, &facts, &parties)
            }
            Ok(parties) => {
                facts.tell_apart(names.finish().0);
                let changes = change::changes(&model, &change, &of_change);
                let (reach, differences) =
                    Reach::changed(&model, &facts, &policy.network, &changes);
                let ends = Ends { model: &model, facts: &facts, reach: &reach };
                changed(args, ends, &parties, &differences)
            }
            Err(message) => fail(message),
        },
    }
}

/// Says which policies are judged as if they were not there.
pub(super) fn leave_out(model: &Model<'_>) {
    let kinds = CLUSTER_WIDE.into_iter().chain([Kind::NetworkPolicy]);
    for it in kinds.flat_map(|it| model.of_kind(it)) {
        if let Some((_, why)) = mistakes(it).into_iter().next() {
            say(&format!("`{it}` is left out, the API server refuses it: {why}"));
        }
    }
}

/// From whom, to whom, and on which ports.
type Parties = (Option<Party>, Option<Party>, PortSet);

fn parties<'d>(names: &Names<'_, 'd>, args: &'d Args) -> Result<Parties, String> {
    let from = args.from.as_deref().map(|it| names.find(it)).transpose()?;
    match args.to.as_deref().map(|it| names.destination(it)).transpose()? {
        Some((to, ports)) => Ok((from, Some(to), ports)),
        None => Ok((from, None, PortSet::all())),
    }
}

/// The whole table, or the part of it that is asked for.
fn all<'d>(args: &Args, model: &Model<'d>, facts: &Facts<'d>, parties: &Parties) -> ExitCode {
    let reach = facts.reach();
    let ends = Ends { model, facts, reach };
    let pairs = reach.table().into_iter().map(|it| {
        let open = it.ports.iter().filter(|it| it.1 != Verdict::Deny).collect();
        (it.from, it.to, open)
    });
    let flows = Flows::new(ends, &Asked::new(ends, parties), pairs);
    let text = match args.format {
        ListFormat::Human if flows.is_empty() => "nothing is allowed\n".into(),
        ListFormat::Human => flows.human(ends),
        ListFormat::Json => flows.json(ends),
    };
    done(print(text.as_bytes()))
}

/// What policies change. Exit status: 0 nothing, 1 something.
fn changed(
    args: &Args,
    ends: Ends<'_, '_>,
    parties: &Parties,
    differences: &[Difference],
) -> ExitCode {
    let change = Change::new(ends, &Asked::new(ends, parties), differences);
    let text = match args.format {
        ListFormat::Human => change.human(ends),
        ListFormat::Json => change.json(ends),
    };
    match print(text.as_bytes()) {
        Err(code) => code,
        Ok(()) if change.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(1),
    }
}

fn question<'d>(names: &Names<'_, 'd>, from: &'d str, to: &'d str) -> Result<Question, String> {
    let from = names.find(from)?;
    let (to, ports) = names.destination(to)?;
    let is_outside = |it: &Party| !matches!(it, Party::Workload(_) | Party::Service(_));
    if is_outside(&from) && is_outside(&to) {
        return Err("one of both has to be pods: policies say nothing of other traffic".into());
    }
    Ok(Question { from, to, ports })
}

/// Whom nobody of the input is.
fn not_in_input(facts: &Facts<'_>, question: &Question) -> Option<String> {
    let stranger = [question.from, question.to].into_iter().find_map(|it| match it {
        Party::Stranger(it) => Some(&facts.strangers()[it.0 as usize]),
        _ => None,
    });
    stranger.map(|it| format!("`{it}` is not in the input: no more is known than the name says"))
}

/// What is said of the Internet is said of addresses of version 4, and of version 6 where it is the same.
fn other_family(facts: &Facts<'_>, question: &Question, verdict: Verdict) -> Option<String> {
    let every = Party::Block(IpNet::V6(Ipv6Net::default()));
    let of = |it: Party| if it == Party::Internet { every } else { it };
    if ![question.from, question.to].contains(&Party::Internet) {
        return None;
    }
    let (from, to, ports) = (of(question.from), of(question.to), question.ports.clone());
    let other = facts.reach().ask(facts, &Question { from, to, ports }).verdict();
    (other.name() != verdict.name()).then(|| {
        format!(
            "this is about addresses of version 4; for those of version 6 it is {}",
            other.name()
        )
    })
}

/// Exit status: 0 allow, 1 deny, 3 undefined.
fn answer(
    args: &Args,
    model: &Model<'_>,
    facts: &Facts<'_>,
    question: &Question,
    notes: Vec<String>,
) -> ExitCode {
    let answer = facts.reach().ask(facts, question);
    let mut notes = notes;
    notes.extend(not_in_input(facts, question));
    notes.extend(other_family(facts, question, answer.verdict()));
    if answer.ports.is_empty() {
        return fail(output::no_port(model, facts, question));
    }
    let text = match args.format {
        ListFormat::Human => output::human(model, facts, question, &answer, &notes),
        ListFormat::Json => output::json(model, facts, question, &answer, notes),
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
