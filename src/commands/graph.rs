//! `purlin graph`.

use super::check::{complain, nothing};
use super::input::Input;
use super::reach::leave_out;
use super::{COULD_NOT, done, fail, input, print, say, simulate};
use crate::cli::{Graph, GraphFormat};
use purlin::analyze::network::policies::{DIRECTIONS, TrafficRule};
use purlin::analyze::{Facts, placement};
use purlin::graph::{condense, dot, mermaid, svg, world};
use purlin::model::Model;
use purlin::policy::Policy;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Draws who may talk to whom.
pub(super) fn run(args: &Graph) -> ExitCode {
    let kinds = if args.nodes.is_some() { placement::READS } else { world::READS };
    let Input { policy, loaded, namespace } = match input::world(&args.world, kinds) {
        Ok(read) => read,
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
        Some(_) => simulate::picture(args, &model),
        None => draw(args, &model, &policy),
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
    let written = match &args.output {
        Some(path) => write(path, &picture),
        None => print(picture.as_bytes()),
    };
    match written {
        // What could not be read or understood is missing in the picture.
        Ok(()) if !loaded.failures.is_empty() || !loaded.broken.is_empty() => {
            ExitCode::from(COULD_NOT)
        }
        written => done(written),
    }
}

fn draw(args: &Graph, model: &Model<'_>, policy: &Policy) -> Result<String, String> {
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
    let scene = condense(world::scene(model, &facts, policy, &title(&args.world.paths)));
    Ok(match args.format {
        GraphFormat::Svg => svg::render(&scene),
        GraphFormat::Mermaid => mermaid::render(&scene),
        GraphFormat::Dot => dot::render(&scene),
    })
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
