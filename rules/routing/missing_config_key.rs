//! Keys that pods need of a ConfigMap or Secret which is there without them.

use crate::analyze::references::keys::{Keys, Part};
use crate::analyze::references::named::{Reference, Use};
use crate::api::kind::Kind;
use crate::model::ObjId;
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use rustc_hash::{FxHashMap, FxHashSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-config-key",
    title: "a pod needs a key that its ConfigMap or Secret does not have",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::ConfigMap,
        Kind::Secret,
        Kind::ExternalSecret,
        Kind::SealedSecret,
        Kind::Certificate,
        Kind::Ingress,
        Kind::Gateway,
    ],
    like: &["kube-linter:env-value-from"],
    parameters: &[],
    page: include_str!("missing_config_key.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut known: FxHashMap<(Kind, &str, &str, Part), Keys<'_>> = FxHashMap::default();
    let mut has: FxHashMap<(Kind, &str, &str, Part), FxHashSet<&str>> = FxHashMap::default();
    for reference in cx.facts.references().iter().filter(|it| it.is_needed) {
        let Some((key, _)) = reference.key else { continue };
        let Reference { kind, namespace, name, .. } = *reference;
        let made_of = match kind {
            Kind::Secret => cx.facts.made_secrets().find(namespace, name),
            _ => None,
        };
        let manifest = cx.model.find(kind, namespace, name).map(|it| it.id);
        // Where nothing is there at all, `missing-config-map` and `missing-secret` speak.
        let Some(holder) = manifest.or(made_of) else { continue };
        let part = match reference.purpose {
            Use::Variable(..) => Part::Text,
            _ => Part::All,
        };
        let keys = known.entry((kind, namespace, name, part)).or_insert_with(|| {
            Keys::new(cx.model, kind, namespace, name, made_of.map(|it| cx.object(it)), part)
        });
        match keys {
            Keys::Known(keys) => {
                let of_holder = has.entry((kind, namespace, name, part));
                let of_holder = of_holder.or_insert_with(|| keys.iter().copied().collect());
                if !of_holder.contains(&key) {
                    out.find(finding(cx, reference, key, keys, holder));
                }
            }
            Keys::Unknown(missing) => {
                out.cannot_tell(cx.object(reference.from), format!("{missing}: key `{key}`"));
            }
        }
    }
}

/// Among more keys than this, one close to another says little.
const MOST: usize = 200;

fn finding(
    cx: &Cx<'_, '_>,
    reference: &Reference<'_>,
    key: &str,
    keys: &[&str],
    holder: ObjId,
) -> Finding {
    let (from, holder) = (cx.object(reference.from), cx.object(holder));
    let what = format!("{} `{}`", reference.kind.name(), reference.name);
    let place = reference.key.map_or(reference.node, |(_, node)| node);
    let is_binary = holder.field(&["binaryData"]).is_some_and(|it| it.get(key).is_some());
    let has = match keys {
        [] => "has no key".to_string(),
        keys => format!("has {}", list(keys)),
    };
    // The lines beside a label are printed, so it never points into the data of a Secret.
    let keys_at = match holder.kind {
        Kind::ConfigMap if holder.root.get("data").is_some() => holder.at("data"),
        Kind::ExternalSecret => holder.at("spec.data"),
        Kind::SealedSecret => holder.at("spec.encryptedData"),
        _ => holder.whole(),
    };
    if is_binary {
        return Finding::new(
            format!("`{from}` makes a variable of key `{key}` of {what}, which has it among `binaryData` only"),
            from.place(place),
            reference.purpose.to_string(),
        )
        .label(holder.at("binaryData"), "variables are made of `data` alone")
        .note("the container stays in CreateContainerConfigError until the key is there")
        .help(format!("put `{key}` into `data`, or mount it as a file"));
    }
    let finding = Finding::new(
        format!("`{from}` needs key `{key}` of {what}, which does not have it"),
        from.place(place),
        reference.purpose.to_string(),
    )
    .label(keys_at, has)
    .note(match reference.purpose {
        Use::Variable(..) => "the container stays in CreateContainerConfigError until the key is there",
        Use::File(_) => "the kubelet mounts an empty directory in place of the file",
        _ => "the pod stays in ContainerCreating until the key is there: the volume cannot be mounted",
    });
    let known = keys.iter().copied().take(if keys.len() > MOST { 0 } else { MOST });
    match closest(key, known) {
        Some(meant) => finding.help(format!("name `{meant}` if that is meant, or add `{key}`")),
        None => finding.help(format!("add `{key}` to {what}, or make the reference `optional`")),
    }
}

fn list(keys: &[&str]) -> String {
    const SHOWN: usize = 8;
    let quoted: Vec<_> = keys.iter().take(SHOWN).map(|it| format!("`{it}`")).collect();
    let more = match keys.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", quoted.join(", "))
}
