//! Objects that are not what the API describes: kinds that there are not, fields that there are not, and values that their
//! fields cannot hold.

use crate::api::kind::{Kind, group};
use crate::api::schema::{self, Group as ApiGroup, schemas};
use crate::api::version::KubernetesVersion;
use crate::model::{Object, Place};
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::source::SourceKind;
use crate::text::tree::Node;
use crate::validation::{Fault, built_in, custom, is_filled_in_later};
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-schema",
    title: "an object is not what the API describes",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[Kind::CustomResourceDefinition],
    like: &[
        "kubeconform",
        "kube-linter:schema-validation",
        "kube-linter:restart-policy",
        "kube-score:cronjob-restartpolicy",
        "popeye:403",
    ],
    parameters: &[],
    page: include_str!("invalid_schema.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let version = cx.kubernetes_version();
    let definitions = definitions(cx);
    for object in in_files(cx) {
        let found = match schema::group(object.group()) {
            Some(group) => of_built_in(object, group, version),
            None => of_others(object, &definitions),
        };
        match found {
            Judged::Kind(finding) => out.find(*finding),
            Judged::Fields(faults) => {
                out.find_some(faults.into_iter().map(|it| finding(object, &it)));
            }
        }
    }
}

/// The objects that do not come from a cluster: what an API server holds it has taken, and only what rules read of it is
/// kept.
pub(super) fn in_files<'c, 'd>(cx: &Cx<'c, 'd>) -> impl Iterator<Item = &'c Object<'d>> {
    let sources = &cx.model.loaded.sources;
    let is_live = |it: &&Object<'_>| sources.get(it.document.source).kind == SourceKind::Cluster;
    cx.model.objects().filter(move |it| !is_live(it))
}

/// What is wrong with an object.
enum Judged<'d> {
    /// Its kind or version.
    Kind(Box<Finding>),
    /// Some of its fields.
    Fields(Vec<Fault<'d>>),
}

const REFUSED: &str = "the API server refuses the object: nothing of it reaches the cluster";

pub(super) fn finding(object: &Object<'_>, fault: &Fault<'_>) -> Finding {
    let place = object.place(fault.node);
    let message = match &place {
        Place::Field { path, .. } if !path.steps().is_empty() => {
            format!("`{path}` of `{object}` {}", fault.says)
        }
        _ => format!("`{object}` {}", fault.says),
    };
    let note = match fault.is_dropped {
        true => {
            "the API server refuses the object where it is strict, as it is with kubectl, and drops the field otherwise"
        }
        false => REFUSED,
    };
    Finding::new(message, place, &fault.label).note(note).help(&fault.help)
}

fn of_built_in<'d>(
    object: &Object<'d>,
    group: &ApiGroup,
    version: KubernetesVersion,
) -> Judged<'d> {
    if let Some(finding) = kind_fault(object, group, version) {
        return Judged::Kind(Box::new(finding));
    }
    // `deployment` is a slip for Deployment.
    let kind = object.kind.info().map_or(object.kind_name, |it| it.name);
    let schemas = schemas(version);
    Judged::Fields(match schemas.kind(object.api_version, kind) {
        Some(definition) => built_in::faults(object.root, definition, schemas),
        None => metadata_faults(object.root),
    })
}

/// What is wrong with the fields of an object of a kind of Kubernetes' own, by its definition.
pub(super) fn by_schema<'d>(object: &Object<'d>, version: KubernetesVersion) -> Vec<Fault<'d>> {
    match schema::group(object.group()).map(|it| of_built_in(object, it, version)) {
        Some(Judged::Fields(faults)) => faults,
        _ => Vec::new(),
    }
}

/// A kind or version that a group of Kubernetes' own does not have.
fn kind_fault(
    object: &Object<'_>,
    group: &ApiGroup,
    version: KubernetesVersion,
) -> Option<Finding> {
    let (written, kind) = (object.api_version, object.kind_name);
    if is_filled_in_later(written) || is_filled_in_later(kind) {
        return None;
    }
    let named = written.rsplit_once('/').map_or(written, |(_, it)| it);
    let message = format!("`{object}` is of `{written}`, which there is not");
    let help = |kind: &str| {
        let better = schema::preferred(kind, version);
        better.map(|it| format!("set `apiVersion: {}`", it.api_version))
    };
    if !group.versions.contains(&named) {
        // `apiVersion: apps` or `apiVersion: Deployment` has no version at all.
        let of_group = || match schema::group(written) {
            Some(named) => format!("versions of this group: {}", named.versions.join(", ")),
            None => format!("versions of this group: {}", group.versions.join(", ")),
        };
        return Some(
            Finding::new(message, object.at("apiVersion"), "no such version")
                .note(REFUSED)
                .help(help(kind).unwrap_or_else(of_group)),
        );
    }
    match schema::kind_version(written, kind) {
        // What is gone, `removed-api` tells.
        Some(it) if it.is_served(version) || it.is_removed(version) => return None,
        Some(it) => {
            let since = it.introduced.map(|it| format!("it comes with Kubernetes {it}"));
            let message = format!(
                "`{object}` is a {kind} of `{written}`, which Kubernetes {version} does not have"
            );
            let finding = Finding::new(message, object.at("apiVersion"), "not in this version");
            let finding = finding.note(since.as_deref().unwrap_or(REFUSED));
            return Some(finding.help(
                help(kind).unwrap_or_else(|| "raise `kubernetesVersion`, or leave it out".into()),
            ));
        }
        None => {}
    }
    let is_list = kind.strip_suffix("List").is_some_and(|it| group.kinds.contains(&it));
    let is_common = matches!((group.name, kind), ("", "List" | "Status"));
    if is_list || is_common {
        return None;
    }
    let message = format!("`{object}` is a {kind}, which `{written}` does not have");
    let finding = Finding::new(message, object.at("kind"), "no such kind").note(REFUSED);
    Some(match (help(kind), nearest_kind(group, kind)) {
        (Some(help), _) => finding.help(help),
        (None, Some(near)) => finding.help(format!("write `kind: {near}` if that is meant")),
        (None, None) => finding.help("correct the kind, or its `apiVersion`"),
    })
}

fn nearest_kind(group: &ApiGroup, kind: &str) -> Option<&'static str> {
    let same = group.kinds.iter().copied().find(|it| it.eq_ignore_ascii_case(kind));
    let everywhere = || schema::kind_versions().map(|it| it.kind);
    same.or_else(|| closest(kind, group.kinds.iter().copied()))
        .or_else(|| closest(kind, everywhere()))
}

/// A group without a dot is Kubernetes' own or none (`apiextensions-apiserver/pkg/apis/apiextensions/validation`: the group
/// of a custom kind "should be a domain with at least one dot"). One that differs from such a group by a slip of the
/// fingers, and has a kind of that group, is meant to be it.
fn group_fault(object: &Object<'_>) -> Option<Finding> {
    let (written, kind, name) = (object.api_version, object.kind_name, object.group());
    if is_filled_in_later(written) {
        return None;
    }
    let slip = schema::group_like(&name.to_lowercase(), kind);
    // Nor has any upper case letters: it is a domain.
    let is_domain = name.contains('.') && !name.contains(|it: char| it.is_ascii_uppercase());
    if is_domain && slip.is_none() {
        return None;
    }
    let of_slip = slip.and_then(|it| it.versions.first().map(|v| format!("{}/{v}", it.name)));
    let meant = of_slip.or_else(|| {
        let any = schema::preferred(kind, KubernetesVersion::NEWEST);
        any.map(|it| it.api_version.to_string())
    });
    let message = format!("`{object}` is of `{written}`, a group that there is not");
    let finding = Finding::new(message, object.at("apiVersion"), "no such group").note(REFUSED);
    Some(match meant {
        Some(it) => finding.help(format!("set `apiVersion: {it}`")),
        None => finding.help(
            "correct `apiVersion`; the group of a custom kind is a domain, such as `example.com`",
        ),
    })
}

/// CustomResourceDefinitions by the group and kind that they define.
type Definitions<'d> = FxHashMap<(&'d str, &'d str), Node<'d>>;

fn definitions<'d>(cx: &Cx<'_, 'd>) -> Definitions<'d> {
    let all = cx.model.of_kind(Kind::CustomResourceDefinition);
    let named = all.filter_map(|it| {
        let spec = it.field(&["spec"])?;
        Some(((spec.text("group")?, spec.at(&["names", "kind"])?.str()?), spec))
    });
    named.collect()
}

/// An object of somebody else's group, by its definition, where that is in the input.
fn of_others<'d>(object: &Object<'d>, definitions: &Definitions<'_>) -> Judged<'d> {
    if let Some(finding) = group_fault(object) {
        return Judged::Kind(Box::new(finding));
    }
    let mut faults = metadata_faults(object.root);
    let Some(spec) = definitions.get(&(group(object.api_version), object.kind_name)) else {
        // It may be no object of an API server at all, with metadata of its own beside names, labels and annotations.
        faults.retain(|it| !it.is_dropped);
        return Judged::Fields(faults);
    };
    let named = object.api_version.rsplit('/').next().unwrap_or_default();
    let is_served = |it: &Node<'_>| it.get("served").and_then(Node::bool) != Some(false);
    let served: Vec<_> = spec.list("versions").filter(is_served).collect();
    let Some(version) = served.iter().find(|it| it.text("name") == Some(named)) else {
        let is_old = spec.text("version") == Some(named) || served.is_empty();
        if is_old || is_filled_in_later(named) {
            return Judged::Fields(faults);
        }
        let names: Vec<_> = served.iter().filter_map(|it| it.text("name")).collect();
        let message = format!(
            "`{object}` is of version `{named}`, which its CustomResourceDefinition does not serve"
        );
        let finding =
            Finding::new(message, object.at("apiVersion"), "not a version that is served");
        let help = format!("versions that are served: {}", names.join(", "));
        return Judged::Kind(Box::new(finding.note(REFUSED).help(help)));
    };
    // Before apiextensions.k8s.io/v1 schemas did not have to be structural.
    let keeps_unknown = spec.get("preserveUnknownFields").and_then(Node::bool) == Some(true);
    if let Some(schema) = version.at(&["schema", "openAPIV3Schema"]) {
        faults.extend(custom::faults(object.root, schema, keeps_unknown));
    }
    Judged::Fields(faults)
}

/// Metadata are the same whatever the kind: those of a ConfigMap.
fn metadata_faults(root: Node<'_>) -> Vec<Fault<'_>> {
    let schemas = schemas(KubernetesVersion::NEWEST);
    let common = schemas.kind("v1", "ConfigMap");
    let faults = common.map(|it| built_in::metadata_faults(root, it, schemas));
    faults.unwrap_or_default()
}
