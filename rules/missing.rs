//! What the rules `missing-…` have in common: one finding for each object and each name that it needs in vain.

use crate::absence::Wanted;
use crate::analyze::references::named::Reference;
use crate::api::kind::{Kind, Scope};
use crate::model::{ObjId, Object};
use crate::policy::closest;
use crate::rule::{Cx, Finding, Out};
use rustc_hash::FxHashMap;

/// What happens where something that a reference names is not there.
pub(super) type Consequence = fn(&Reference<'_>) -> &'static str;

/// Reports the references to objects of a kind that are not there.
pub(super) fn report(cx: &Cx<'_, '_>, out: &mut Out, kind: Kind, consequence: Consequence) {
    let mut groups: Vec<Vec<&Reference<'_>>> = Vec::new();
    let mut places: FxHashMap<(ObjId, &str, &str), usize> = FxHashMap::default();
    for reference in cx.facts.references().iter() {
        if reference.kind != kind || !reference.is_needed || cx.is_there(reference) {
            continue;
        }
        let key = (reference.from, reference.namespace, reference.name);
        let at = *places.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(reference);
    }
    let mut known: Option<Known<'_, '_>> = None;
    for mut group in groups {
        group.sort_by_key(|it| it.node.index());
        let first = group[0];
        let wanted = Wanted::object(kind, first.namespace, first.name);
        out.report_absent(cx.object(first.from), cx.absence_of(wanted), || {
            let known = known.get_or_insert_with(|| Known::new(cx, kind));
            finding(cx, &group, known.near(first), consequence)
        });
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    group: &[&Reference<'_>],
    near: Option<&Object<'_>>,
    consequence: Consequence,
) -> Finding {
    let first = group[0];
    let from = cx.object(first.from);
    let (kind, name) = (first.kind.name(), first.name);
    let lacks = if is_cluster_wide(first.kind) {
        format!("`{from}` needs {kind} `{name}`, which the cluster does not have")
    } else {
        format!(
            "`{from}` needs {kind} `{name}`, which namespace `{}` does not have",
            first.namespace
        )
    };
    let mut finding = Finding::new(lacks, from.place(first.node), first.purpose.to_string());
    // Items of one volume name it in one field; that is told once.
    let mut told = vec![first.node.index()];
    for reference in group {
        if !told.contains(&reference.node.index()) && told.len() < 8 {
            told.push(reference.node.index());
            finding = finding.label(from.place(reference.node), reference.purpose.to_string());
        }
    }
    finding = finding.note(consequence(first));
    let meant = match near {
        Some(near) => {
            finding = finding.label(near.whole(), "a name close to it");
            format!("name `{}` if that is meant", near.name)
        }
        None => format!("add {kind} `{name}`, or correct the name"),
    };
    finding.help(format!(
        "{meant}; if it comes from elsewhere, list it under `external` in purlin.yaml"
    ))
}

fn is_cluster_wide(kind: Kind) -> bool {
    kind.info().is_some_and(|it| it.scope == Scope::Cluster)
}

/// The objects of a kind, by namespace: where a name that was meant may be found.
struct Known<'c, 'd> {
    by_namespace: FxHashMap<&'d str, Vec<&'c Object<'d>>>,
}

/// In a namespace with more names than this, one close to another says little.
const MOST: usize = 200;

impl<'c, 'd> Known<'c, 'd> {
    fn new(cx: &Cx<'c, 'd>, kind: Kind) -> Known<'c, 'd> {
        let mut by_namespace: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for object in cx.model.of_kind(kind) {
            by_namespace.entry(object.namespace).or_default().push(object);
        }
        Known { by_namespace }
    }

    fn near(&self, reference: &Reference<'_>) -> Option<&'c Object<'d>> {
        let objects = self.by_namespace.get(reference.namespace).filter(|it| it.len() <= MOST)?;
        let name = closest(reference.name, objects.iter().map(|it| it.name))?;
        objects.iter().find(|it| it.name == name).copied()
    }
}
