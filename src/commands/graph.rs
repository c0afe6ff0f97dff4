//! `purlin graph`.

use super::check::{Named, add_architecture, complain, nothing, policy_file, promise, read_policy};
use super::input::Input;
use super::reach::leave_out;
use super::{COULD_NOT, done, fail, input, print, say, simulate};
use crate::cli::{Graph, GraphFormat};
use purlin::analyze::network::policies::{DIRECTIONS, TrafficRule};
use purlin::analyze::{Facts, placement};
use purlin::architecture::Promise;
use purlin::graph::scene::Scene;
use purlin::graph::{self, condense, dot, mermaid, svg, world};
use purlin::load::Loaded;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::run::Run;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Draws who may talk to whom.
pub(super) fn run(args: &Graph) -> ExitCode {
    if args.architecture.is_some() && args.world.paths.is_empty() && !is_live(args) {
        return match document(args) {
            Ok(picture) => done(output(args, &picture)),
            Err(message) => fail(message),
        };
    }
    let kinds = if args.nodes.is_some() { placement::READS } else { world::READS };
    let Input { mut policy, loaded, namespace } = match input::world(&args.world, kinds) {
        Ok(read) => read,
        Err(message) => return fail(message),
    };
    let promises = match asked_for(args, &mut policy) {
        Ok(promises) => promises,
        Err(message) => return fail(message),
    };
    let model = match input::only_world(&loaded, &namespace, "who may talk to whom") {
        Ok((model, _)) => model,
        Err(message) => return fail(message),
    };
    if model.is_empty() {
        return nothing(&loaded, "draw");
    }
    let picture = match args.nodes {
        Some(_) => simulate::picture(args, &policy, &model),
        None => draw(args, &model, &policy, &promises),
    };
    let picture = match picture {
        Ok(picture) => picture,
        Err(message) => return fail(message),
    };
    complain(&loaded);
    leave_out(&model);
    for it in &loaded.broken {
        let source = loaded.sources.get(it.source);
        say(&format!("{}:{}: {}", source.shown_name(), source.position(it.span.start), it.message));
    }
    match output(args, &picture) {
        // What could not be read or understood is missing in the picture.
        Ok(()) if !loaded.failures.is_empty() || !loaded.broken.is_empty() => {
            ExitCode::from(COULD_NOT)
        }
        written => done(written),
    }
}

fn output(args: &Graph, picture: &str) -> Result<(), ExitCode> {
    match &args.output {
        Some(path) => write(path, picture),
        None => print(picture.as_bytes()),
    }
}

#[cfg(feature = "cluster")]
fn is_live(args: &Graph) -> bool {
    args.world.live.cluster
}

#[cfg(not(feature = "cluster"))]
fn is_live(_: &Graph) -> bool {
    false
}

/// What the architecture document promises, where one is asked for; the policy learns of its flows.
fn asked_for(args: &Graph, policy: &mut Policy) -> Result<Vec<Arc<Promise>>, String> {
    let Some(named) = &args.architecture else { return Ok(Vec::new()) };
    let policy_file = policy_file(args.world.policy.as_ref());
    let folder = policy_file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let of_policy = policy.architecture.as_ref().map(|it| folder.join(it));
    let path = named.clone().or(of_policy).unwrap_or_else(|| PathBuf::from("architecture.yaml"));
    promises(path, policy)
}

/// What the architecture document of a file promises.
pub(super) fn promises(path: PathBuf, policy: &mut Policy) -> Result<Vec<Arc<Promise>>, String> {
    let (mut documents, mut run) = (Loaded::default(), Run::default());
    let named = Named { path, targets: Vec::new() };
    add_architecture(&mut documents, &named, |it| it)?;
    promise(&mut documents, policy, &mut run)?;
    let lines = run.architecture.mistakes.iter().map(|(own, it)| {
        let source = documents.sources.get(documents.own[own.0 as usize].source);
        format!("\n{}:{}: {}", source.shown_name(), source.position(it.span.start), it.message)
    });
    let mistakes: String = lines.collect();
    if mistakes.is_empty() {
        Ok(run.architecture.promises)
    } else {
        Err(format!("the architecture is not valid{mistakes}"))
    }
}

/// The picture of the document alone.
fn document(args: &Graph) -> Result<String, String> {
    let (mut policy, _) = read_policy(policy_file(args.world.policy.as_ref()).as_deref())?;
    let promises = asked_for(args, &mut policy)?;
    let [promise] = promises.as_slice() else {
        return Err(format!("{} architectures in one document make no picture", promises.len()));
    };
    if promise.value.components.len() > world::MOST {
        return Err(format!(
            "{} components are too many for one picture, {} is the most",
            promise.value.components.len(),
            world::MOST
        ));
    }
    let title = format!("who is promised to talk to whom: {}", promise.name);
    Ok(render(args, &condense(graph::document::scene(promise, &title))))
}

fn render(args: &Graph, scene: &Scene) -> String {
    match args.format {
        GraphFormat::Svg => svg::render(scene),
        GraphFormat::Mermaid => mermaid::render(scene),
        GraphFormat::Dot => dot::render(scene),
    }
}

fn draw(
    args: &Graph,
    model: &Model<'_>,
    policy: &Policy,
    promises: &[Arc<Promise>],
) -> Result<String, String> {
    let facts = Facts::new(model).with_network(&policy.network);
    let workloads = facts.workloads().iter().count();
    if workloads == 0 {
        return Err("nothing to draw: no workload in the input".into());
    }
    if workloads > world::MOST {
        return Err(format!(
            "{workloads} workloads are too many for one picture, {} is the most; name the folders of one system",
            world::MOST
        ));
    }
    let rules = facts.policies().iter().flat_map(|policy| {
        DIRECTIONS.map(|it| policy.rules(it).map_or(0, <[TrafficRule<'_>]>::len))
    });
    let rules: usize = rules.sum();
    if rules > world::MOST_RULES {
        return Err(format!(
            "{rules} rules of network policies are too many for one picture, {} is the most; name the folders of one system",
            world::MOST_RULES
        ));
    }
    let title = title(&args.world.paths);
    Ok(render(args, &condense(world::scene_of((model, &facts), policy, promises, &title))))
}

/// The names of what is drawn: of files and folders, not where they are.
fn title(paths: &[PathBuf]) -> String {
    let name = |path: &PathBuf| {
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
        name.map(|it| it.to_string_lossy().into_owned())
    };
    let is_named = |it: &&PathBuf| !["-", "."].contains(&it.to_string_lossy().as_ref());
    let names: Vec<_> = paths.iter().filter(is_named).filter_map(name).collect();
    if names.is_empty() {
        return "who may talk to whom".into();
    }
    format!("who may talk to whom: {}", names.join(", "))
}

fn write(path: &Path, picture: &str) -> Result<(), ExitCode> {
    std::fs::write(path, picture)
        .map_err(|error| fail(format!("cannot write {}: {error}", path.display())))
}
