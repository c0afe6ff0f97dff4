//! Whether a volume satisfies a claim.
//!
//! `pkg/controller/volume/persistentvolume/pv_controller.go`, checkVolumeSatisfyClaim, and
//! `component-helpers/storage/volume/pv_helpers.go`, FindMatchingVolume.

use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::Model;
use crate::model::Object;
use crate::text::tree::Node;

/// Why a volume does not satisfy a claim. The fields are those of the claim and of the volume.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// What is wrong, after "the volume".
    pub what: String,
    /// The field of the claim.
    pub claim: &'static str,
    /// The field of the volume.
    pub volume: &'static str,
}

/// The class that a claim asks for; `None` where it gets the default one and the input does not tell which that is.
pub fn class_of_claim<'d>(model: &Model<'d>, claim: &Object<'d>) -> Option<&'d str> {
    let old = claim.annotation("volume.beta.kubernetes.io/storage-class");
    let written = claim.field(&["spec", "storageClassName"]).and_then(Node::str);
    old.or(written).or_else(|| {
        let key = "storageclass.kubernetes.io/is-default-class";
        let mut classes = model.of_kind(Kind::StorageClass);
        classes.find(|it| it.annotation(key) == Some("true")).map(|it| it.name)
    })
}

/// The class of a volume; empty where it has none.
pub fn class_of_volume<'d>(volume: &Object<'d>) -> &'d str {
    let old = volume.annotation("volume.beta.kubernetes.io/storage-class");
    old.or(volume.field(&["spec", "storageClassName"]).and_then(Node::str)).unwrap_or_default()
}

/// Why a volume that a claim names cannot be bound to it.
pub fn misfits(model: &Model<'_>, claim: &Object<'_>, volume: &Object<'_>) -> Vec<Misfit> {
    let mut found = Vec::new();
    let text = |object: &Object<'_>, path: &[&str]| {
        object.field(path).and_then(Node::scalar).map(|it| it.into_owned())
    };
    let storage = |object: &Object<'_>, path: &[&str]| {
        text(object, path).and_then(|it| Quantity::parse(&it).ok().map(|amount| (it, amount)))
    };
    let wanted = storage(claim, &["spec", "resources", "requests", "storage"]);
    let held = storage(volume, &["spec", "capacity", "storage"]);
    if let (Some((wanted, by_claim)), Some((held, by_volume))) = (wanted, held)
        && by_volume < by_claim
    {
        found.push(Misfit {
            what: format!("holds {held} of the {wanted} that are requested"),
            claim: "spec.resources.requests.storage",
            volume: "spec.capacity.storage",
        });
    }
    let (class, other) = (class_of_claim(model, claim), class_of_volume(volume));
    if let Some(class) = class.filter(|it| *it != other) {
        let quoted = |it: &str| if it.is_empty() { "none".to_string() } else { format!("`{it}`") };
        found.push(Misfit {
            what: format!("is of storage class {}, not {}", quoted(other), quoted(class)),
            claim: "spec.storageClassName",
            volume: "spec.storageClassName",
        });
    }
    let mode = |object: &Object<'_>| {
        text(object, &["spec", "volumeMode"]).unwrap_or_else(|| "Filesystem".to_string())
    };
    if mode(claim) != mode(volume) {
        found.push(Misfit {
            what: format!("has volume mode {}, not {}", mode(volume), mode(claim)),
            claim: "spec.volumeMode",
            volume: "spec.volumeMode",
        });
    }
    let modes = |object: &Object<'_>| -> Vec<String> {
        let spec = object.field(&["spec"]);
        let modes = spec.into_iter().flat_map(|it| it.list("accessModes"));
        modes.filter_map(Node::str).map(String::from).collect()
    };
    let there = modes(volume);
    if let Some(lacking) = modes(claim).iter().find(|it| !there.contains(it)) {
        found.push(Misfit {
            what: format!("cannot be used {lacking}"),
            claim: "spec.accessModes",
            volume: "spec.accessModes",
        });
    }
    if let Some(other) = claimed_by(volume)
        && other != (claim.namespace, claim.name)
    {
        found.push(Misfit {
            what: format!("is kept for claim `{}` of namespace `{}`", other.1, other.0),
            claim: "spec.volumeName",
            volume: "spec.claimRef",
        });
    }
    found
}

/// The claim that a volume is kept for, by namespace and name.
pub fn claimed_by<'d>(volume: &Object<'d>) -> Option<(&'d str, &'d str)> {
    let reference = volume.field(&["spec", "claimRef"])?;
    Some((reference.text("namespace").unwrap_or("default"), reference.text("name")?))
}

/// Whether a claim that names no volume can be bound to one; its selector counts then.
pub fn fits(model: &Model<'_>, claim: &Object<'_>, volume: &Object<'_>) -> bool {
    let selector = claim.field(&["spec", "selector"]).map(Selector::parse).unwrap_or_default();
    selector.matches(&volume.labels()) && misfits(model, claim, volume).is_empty()
}
