//! `--cluster`: what is read of a live cluster, and manifests laid over it; `purlin rbac`.

use super::progress::Progress;
use super::{done, fail, input, print, tell};
use crate::cli::{Check, Live, Rbac};
use purlin::api::kind::KindInfo;
use purlin::check::Selection;
use purlin::check::needs;
use purlin::load::cluster::live::Schemas;
use purlin::load::cluster::{self, Custom, Options, Refused, Wanted};
use purlin::load::{Loaded, World};
use purlin::policy::Policy;
use purlin::text::source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

/// What `check` reads: what the rules need, and all custom kinds.
pub(super) fn check(
    args: &Check,
    policy: &Policy,
    selection: &Selection,
) -> Result<(Loaded, String), String> {
    // A typing error in a path is told before a large cluster is read.
    let files = if args.paths.is_empty() {
        Loaded::default()
    } else {
        let namespace = args.namespace.first().map_or("default", String::as_str);
        input::read(args, policy, None, &input::targets(&args.paths, policy, None), namespace)
    };
    load(&args.live, &args.namespace, (&kinds(policy, selection), Custom::Read), files)
}

/// The cluster's objects of these kinds with those of manifests laid over them, as after an apply; and the namespace of
/// objects that name none.
pub(super) fn load(
    live: &Live,
    namespaces: &[String],
    (kinds, custom): (&[&'static KindInfo], Custom),
    mut files: Loaded,
) -> Result<(Loaded, String), String> {
    if files.worlds.len() > 1 {
        let names: Vec<_> = files.worlds.iter().map(|it| it.name.as_str()).collect();
        return Err(format!(
            "a cluster is laid over with one world at a time, and these are {}; name one of them",
            names.join(", ")
        ));
    }
    let options = Options {
        context: live.context.clone(),
        namespaces: namespaces.to_vec(),
        timeout: Duration::from_secs(live.request_timeout),
    };
    let namespace = match namespaces {
        [namespace] => namespace.clone(),
        _ => cluster::namespace_of(&options)?,
    };
    let mut loaded = Loaded { sources: std::mem::take(&mut files.sources), ..Loaded::default() };
    let context = live.context.as_deref().unwrap_or("cluster");
    let source = loaded.sources.add(Source::cluster(context.into()));
    let wanted: Vec<Wanted> =
        kinds.iter().map(|it| Wanted { groups: it.groups, kind: it.name }).collect();
    // Only manifests are held to them: what the cluster has, it has judged itself.
    let schemas = match files.documents.is_empty() {
        true => Schemas::LeftOut,
        false => Schemas::Kept,
    };
    let progress = Progress::new();
    let read = cluster::read(&options, source, &wanted, (custom, schemas), &|it| {
        let cluster::Progress { kinds, of, objects } = it;
        progress.show(&format!("reading the cluster: {kinds} of {of} lists, {objects} objects"));
    });
    drop(progress);
    let read = read?;
    warn(&read.refused);
    loaded.documents = read.documents;
    loaded.documents.extend(files.documents);
    loaded.coverage = Some(read.coverage);
    loaded.broken = files.broken;
    loaded.inputs = files.inputs;
    loaded.unrendered = files.unrendered;
    loaded.terraform = files.terraform;
    loaded.skipped = files.skipped;
    loaded.failures = files.failures;
    // All of it is one world; what rendered the manifests may have settled their namespace.
    let settled: Vec<_> =
        files.worlds.iter().filter_map(World::namespace).map(String::from).collect();
    let settled = settled.first().filter(|first| settled.iter().all(|it| it == *first));
    let namespace = settled.cloned().unwrap_or(namespace);
    Ok((loaded, namespace))
}

fn kinds(policy: &Policy, selection: &Selection) -> Vec<&'static KindInfo> {
    needs::kinds(selection.rules.iter().filter(|it| selection.has(it, policy))).known().collect()
}

/// Says what could not be listed, by the reason.
fn warn(refused: &[Refused]) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in refused {
        reasons.entry(&it.why).or_default().push(&it.resource);
    }
    for (why, resources) in reasons {
        let resources = resources.join(", ");
        tell(&format!("warning: cannot tell what `list` on {resources} would show: {why}"));
    }
}

/// Prints the role that may read what the rules need, and nothing else.
pub(super) fn rbac(args: &Rbac) -> ExitCode {
    if let Err(message) = super::check::known_rules(&args.only, &args.skip) {
        return fail(message);
    }
    let selection =
        Selection { only: args.only.clone(), skip: args.skip.clone(), ..Selection::default() };
    let kinds = kinds(&Policy::default(), &selection);
    let mut resources: Resources =
        kinds.iter().map(|it| (it.groups[0].to_string(), it.resource.to_string())).collect();
    if args.cluster {
        let options = Options {
            context: args.context.clone(),
            namespaces: Vec::new(),
            timeout: Duration::from_secs(args.request_timeout),
        };
        match cluster::custom_resources(&options) {
            Ok(custom) => resources.extend(custom),
            Err(message) => return fail(message),
        }
    }
    done(print(role(&resources, args.cluster).as_bytes()))
}

/// Groups and resources, in the order of their names.
type Resources = BTreeSet<(String, String)>;

fn role(resources: &Resources, has_custom: bool) -> String {
    let mut text = String::from("# What purlin reads of a cluster.\n");
    if !has_custom {
        text.push_str(
            "# Your own custom kinds are missing: their controllers may make what otherwise looks missing.\n\
             # `purlin rbac --cluster` adds those of a cluster.\n",
        );
    }
    text.push_str(
        "apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRole\n\
         metadata:\n  name: purlin\n\
         rules:\n",
    );
    let groups: BTreeSet<&String> = resources.iter().map(|(group, _)| group).collect();
    for group in groups {
        text.push_str(&format!("  - apiGroups: [\"{group}\"]\n    resources:\n"));
        for (_, resource) in resources.iter().filter(|(it, _)| it == group) {
            text.push_str(&format!("      - {resource}\n"));
        }
        text.push_str("    verbs: [get, list, watch]\n");
    }
    text
}
