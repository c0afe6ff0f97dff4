//! Claims that no volume can satisfy.

use crate::absence::Wanted;
use crate::analyze::disruption::volume_binding::{class_of_claim, class_of_volume, fits, misfits};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "volume-claim-unbindable",
    title: "a volume claim cannot be bound to the volume that it asks for",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::PersistentVolume, Kind::PersistentVolumeClaim, Kind::StorageClass],
    like: &[],
    parameters: &[],
    page: include_str!("volume_claim_unbindable.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut volumes: FxHashMap<&str, Vec<&Object<'_>>> = FxHashMap::default();
    for volume in cx.model.of_kind(Kind::PersistentVolume) {
        volumes.entry(class_of_volume(volume)).or_default().push(volume);
    }
    let mut named: FxHashMap<&str, &Object<'_>> = FxHashMap::default();
    for claim in cx.model.of_kind(Kind::PersistentVolumeClaim) {
        if claim.field(&["status", "phase"]).and_then(Node::str) == Some("Bound") {
            continue;
        }
        let name = claim.field(&["spec", "volumeName"]).filter(|it| it.str() != Some(""));
        let Some(node) = name else {
            out.findings.extend(no_volume(cx, claim, &volumes));
            continue;
        };
        let name = node.str().unwrap_or_default();
        let Some(volume) = cx.model.find(Kind::PersistentVolume, "", name) else {
            let absence = cx.absence_of(Wanted::object(Kind::PersistentVolume, "", name));
            out.report_absent(claim, absence, || missing(claim, node, name));
            continue;
        };
        if let Some(earlier) = named.insert(name, claim) {
            out.find(taken(claim, node, earlier, volume));
        }
        out.findings.extend(unfit(cx, claim, node, volume));
    }
}

const PENDING: &str = "the claim stays Pending, and so does every pod that uses it";

fn missing(claim: &Object<'_>, node: Node<'_>, name: &str) -> Finding {
    Finding::new(
        format!("`{claim}` asks for PersistentVolume `{name}`, which the cluster does not have"),
        claim.place(node),
        "no such volume",
    )
    .note(PENDING)
    .help(format!("add PersistentVolume `{name}`, or leave `volumeName` out and have one made"))
}

fn unfit(
    cx: &Cx<'_, '_>,
    claim: &Object<'_>,
    node: Node<'_>,
    volume: &Object<'_>,
) -> Option<Finding> {
    let misfits = misfits(cx.model, claim, volume);
    let first = misfits.first()?;
    let reasons: Vec<_> = misfits.iter().map(|it| it.what.as_str()).collect();
    let message = format!("`{claim}` asks for `{volume}`, which {}", reasons.join(" and "));
    let mut finding = Finding::new(message, claim.at(first.claim), first.what.clone());
    for misfit in &misfits[1..] {
        finding = finding.label(claim.at(misfit.claim), misfit.what.clone());
    }
    finding = finding.label(claim.place(node), "the volume that it asks for");
    for misfit in &misfits {
        finding = finding.label(volume.at(misfit.volume), "what the volume has");
    }
    Some(finding.note(PENDING).help(
        "make the claim and the volume agree in size, class, volume mode and access modes, or name another volume",
    ))
}

fn taken(claim: &Object<'_>, node: Node<'_>, earlier: &Object<'_>, volume: &Object<'_>) -> Finding {
    Finding::new(
        format!("`{earlier}` and `{claim}` both ask for `{volume}`, which is bound to one claim"),
        claim.place(node),
        "asks for it",
    )
    .label(earlier.at("spec.volumeName"), "so does this one")
    .note("a volume is bound to one claim: the other one stays Pending, and so does every pod that uses it")
    .help("let both workloads use one claim, if they are of one namespace; or make a second volume")
}

/// A claim of a class whose volumes are all made by hand, where the input holds all volumes and none of them will do.
fn no_volume(
    cx: &Cx<'_, '_>,
    claim: &Object<'_>,
    volumes: &FxHashMap<&str, Vec<&Object<'_>>>,
) -> Option<Finding> {
    // A claim of a cluster is bound, or says itself that it is not.
    if !cx.policy.is_complete("*") || cx.any_unseen(&[Kind::PersistentVolume]).is_some() {
        return None;
    }
    let class = class_of_claim(cx.model, claim)?;
    let provisioner =
        cx.model.find(Kind::StorageClass, "", class).map(|it| it.root.text("provisioner"));
    let is_made_by_hand = match provisioner {
        Some(provisioner) => provisioner == Some("kubernetes.io/no-provisioner"),
        None => class.is_empty() || volumes.contains_key(class),
    };
    let candidates = volumes.get(class).map_or(&[][..], Vec::as_slice);
    // Of more volumes than people write by hand somebody else knows better.
    if !is_made_by_hand || candidates.len() > MOST || is_external(cx, claim) {
        return None;
    }
    if candidates.iter().any(|it| fits(cx.model, claim, it)) {
        return None;
    }
    let of_class = match class {
        "" => "without a storage class".to_string(),
        class => format!("of storage class `{class}`"),
    };
    let place = claim.field(&["spec", "storageClassName"]);
    let mut finding = Finding::new(
        format!("no volume {of_class} satisfies `{claim}`, and none is made for it"),
        place.map_or(claim.at("spec.storageClassName"), |it| claim.place(it)),
        "volumes of this class are made by hand",
    );
    for volume in candidates.iter().take(4) {
        if let Some(misfit) = misfits(cx.model, claim, volume).into_iter().next() {
            finding = finding.hint(volume.at(misfit.volume), misfit.what);
        }
    }
    Some(finding.note(PENDING).help("add a PersistentVolume of the claim's size, class and access modes, or name a class that makes volumes"))
}

const MOST: usize = 64;

fn is_external(cx: &Cx<'_, '_>, claim: &Object<'_>) -> bool {
    cx.policy.is_external("PersistentVolume", "", "*")
        || cx.policy.is_external("PersistentVolumeClaim", claim.namespace, claim.name)
}
