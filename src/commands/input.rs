//! What is read: the paths of the arguments, else the targets of the policy, else the current folder.

use super::check::{default_namespace, policy_file, read_policy};
use super::progress::Progress;
use crate::cli::{Check, World};
use purlin::api::kind::Kind;
#[cfg(feature = "cluster")]
use purlin::api::kind::WORKLOADS;
#[cfg(feature = "cluster")]
use purlin::load::cluster::Custom;
use purlin::load::worlds::{self, Chart, Options, Target};
use purlin::load::{self, Loaded};
use purlin::model::Model;
use purlin::policy::Policy;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What is to be checked.
pub(super) fn targets(
    paths: &[PathBuf],
    policy: &Policy,
    policy_file: Option<&Path>,
) -> Vec<Target> {
    let path = |path: PathBuf| Target { path, ..Target::default() };
    let folder = policy_file.and_then(Path::parent).unwrap_or(Path::new(""));
    let of_policy = policy.targets.iter().map(|it| Target {
        path: folder.join(&it.path),
        name: Some(it.name().to_string()),
        chart: Chart {
            values: it.values.iter().map(|it| folder.join(it)).collect(),
            release: it.release.clone(),
            set: it.set.clone(),
            kube_version: it.kube_version.clone(),
            api_versions: it.api_versions.clone(),
        },
        helm: it.helm,
        namespace: it.namespace.clone(),
    });
    let of_policy: Vec<_> = of_policy.collect();
    if paths.is_empty() {
        return if of_policy.is_empty() { vec![path(PathBuf::from("."))] } else { of_policy };
    }
    let each = paths.iter().flat_map(|given| {
        // The name of a target stands for all that is called so; `./name` is the path.
        let is_it = |it: &&Target| it.name.as_deref().map(OsStr::new) == Some(given.as_os_str());
        let named: Vec<_> = of_policy.iter().filter(is_it).cloned().collect();
        if named.is_empty() { vec![path(given.clone())] } else { named }
    });
    each.collect()
}

/// Reads targets, and renders what is to be rendered.
pub(super) fn read(
    args: &Check,
    policy: &Policy,
    policy_file: Option<&Path>,
    targets: &[Target],
    namespace: &str,
) -> Loaded {
    if args.no_render {
        let paths: Vec<_> = targets.iter().map(|it| it.path.clone()).collect();
        return load::load_but(&paths, (&exclude_from(policy_file), &policy.exclude));
    }
    let options = Options {
        namespace: namespace.to_string(),
        allow_remote: args.allow_remote || policy.allow_remote,
        cache: worlds::default_cache().filter(|_| !args.no_cache),
        exclude: policy.exclude.clone(),
        exclude_from: exclude_from(policy_file),
    };
    render(targets, &options)
}

/// The folder that the patterns of `exclude` start from.
fn exclude_from(policy_file: Option<&Path>) -> PathBuf {
    policy_file.and_then(Path::parent).unwrap_or(Path::new("")).to_path_buf()
}

/// The same with options at hand; shows how far it is.
pub(super) fn render(targets: &[Target], options: &Options) -> Loaded {
    let progress = Progress::new();
    worlds::load(targets, options, &|it| {
        progress.show(&format!("rendering {} of {}: {}", it.at, it.of, it.name));
    })
}

/// What was read of the arguments that `reach`, `simulate` and `graph` share.
pub(super) struct Input {
    /// What the user wants.
    pub(super) policy: Policy,
    /// The manifests, or the objects of a cluster.
    pub(super) loaded: Loaded,
    /// The namespace of objects that name none.
    pub(super) namespace: String,
}

/// Reads a world: manifests, or the objects of a cluster of the kinds that are looked at beside workloads, all custom ones
/// included where [`Kind::Custom`] is among them.
///
/// # Errors
///
/// Where the policy is not valid, or the cluster cannot be read.
#[cfg_attr(
    not(feature = "cluster"),
    expect(unused_variables, reason = "a cluster is asked by kind")
)]
pub(super) fn world(args: &World, kinds: &[Kind]) -> Result<Input, String> {
    let World { paths, namespace: namespaces, live, policy } = args;
    let policy_file = policy_file(policy.as_ref());
    let (policy, _) = read_policy(policy_file.as_deref())?;
    let options = |namespace: &str| Options {
        namespace: namespace.into(),
        allow_remote: policy.allow_remote,
        cache: worlds::default_cache(),
        exclude: policy.exclude.clone(),
        exclude_from: exclude_from(policy_file.as_deref()),
    };
    #[cfg(feature = "cluster")]
    if live.cluster {
        let files = if paths.is_empty() {
            Loaded::default()
        } else {
            let namespace = namespaces.first().map_or("default", String::as_str);
            render(&targets(paths, &policy, None), &options(namespace))
        };
        let custom = if kinds.contains(&Kind::Custom) { Custom::Read } else { Custom::LeftOut };
        let kinds: Vec<_> = WORKLOADS.iter().chain(kinds).filter_map(|it| it.info()).collect();
        let (loaded, namespace) = super::cluster::load(live, namespaces, (&kinds, custom), files)?;
        return Ok(Input { policy, loaded, namespace });
    }
    let namespace = default_namespace(namespaces)?;
    let loaded = render(&targets(paths, &policy, policy_file.as_deref()), &options(&namespace));
    Ok(Input { policy, loaded, namespace })
}

/// The only world that was read, for what is asked of one, and the namespace of its objects that name none.
pub(super) fn only_world<'d>(
    loaded: &'d Loaded,
    namespace: &'d str,
    what: &str,
) -> Result<(Model<'d>, &'d str), String> {
    match loaded.worlds.as_slice() {
        [] => Ok((Model::new(loaded, namespace), namespace)),
        [world] => {
            let own = world.namespace().unwrap_or(namespace);
            Ok((Model::of_world(loaded, world, namespace), own))
        }
        several => {
            let names: Vec<_> = several.iter().map(|it| format!("`{}`", it.name)).collect();
            Err(format!(
                "{what} is asked of what is deployed together, and these are {}: {}; name one of them",
                several.len(),
                names.join(", ")
            ))
        }
    }
}
