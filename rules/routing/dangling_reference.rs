//! References of custom objects, and of annotations, to what is not there.

use crate::absence::{Absence, Wanted};
use crate::analyze::references::custom_references::{Named, custom_references};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "dangling-reference",
    title: "a custom object or an annotation names something that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::Certificate,
        Kind::ExternalSecret,
        Kind::Gateway,
        Kind::GatewayClass,
        Kind::Ingress,
        Kind::PersistentVolumeClaim,
        Kind::ScaledJob,
        Kind::ScaledObject,
        Kind::SealedSecret,
        Kind::Secret,
        Kind::Service,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("dangling_reference.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut names: Option<Names<'_, '_>> = None;
    for reference in custom_references(cx.model, &cx.policy.references) {
        let (from, named) = (cx.object(reference.from), &reference.named);
        if is_there(cx, named) {
            continue;
        }
        match absence(cx, from, named) {
            Absence::Elsewhere => {}
            Absence::CannotTell(missing) => out.cannot_tell(from, missing),
            Absence::Absent => {
                let names = names.get_or_insert_with(|| Names::new(cx));
                out.find(finding(from, named, names.near(named)));
            }
        }
    }
}

fn is_there(cx: &Cx<'_, '_>, it: &Named<'_>) -> bool {
    let found = cx.model.find_custom(it.group, it.kind, it.namespace, it.name);
    let is_made = || cx.facts.made_secrets().find(it.namespace, it.name).is_some();
    found.is_some() || it.known() == Some(Kind::Secret) && is_made()
}

/// Whether what is named, and is not there, is really missing.
fn absence(cx: &Cx<'_, '_>, from: &Object<'_>, it: &Named<'_>) -> Absence {
    let (group, kind, namespace, name) = (it.group, it.kind, it.namespace, it.name);
    let absence = match it.known() {
        Some(Kind::Service) => {
            return cx.absence_of(Wanted::object(Kind::Service, namespace, name));
        }
        Some(kind) => cx.absence_of(Wanted::object(kind, namespace, name)),
        None if namespace.is_empty() => cx.absence_of(Wanted::Custom { group, kind, name }),
        // What is used together is nearly always deployed together.
        None => cx.absence_of(Wanted::Workload { group, kind, namespace, name }),
    };
    let maker = cx.facts.makers().of(it.namespace, it.name).filter(|maker| *maker != from.id);
    match (absence, maker) {
        (Absence::Absent, Some(maker)) => Absence::CannotTell(format!(
            "whether the controller of `{}` makes {} `{}`",
            cx.object(maker),
            it.kind,
            it.name
        )),
        (absence, _) => absence,
    }
}

fn finding(from: &Object<'_>, it: &Named<'_>, near: Option<&Object<'_>>) -> Finding {
    let (kind, name) = (it.kind, it.name);
    let whose = match it.namespace {
        "" => "the cluster does not have".to_string(),
        namespace => format!("namespace `{namespace}` does not have"),
    };
    let mut finding = Finding::new(
        format!("`{from}` names {kind} `{name}`, which {whose}"),
        from.place(it.node),
        format!("no such {kind}"),
    );
    if !it.consequence.is_empty() {
        finding = finding.note(it.consequence);
    }
    let meant = match near {
        Some(near) => {
            finding = finding.hint(near.whole(), "a name close to it");
            format!("name `{}` if that is meant", near.name)
        }
        None => format!("add {kind} `{name}`, or correct the name"),
    };
    finding.help(format!(
        "{meant}; if it comes from elsewhere, list it under `external` in purlin.yaml"
    ))
}

/// Names by group, kind and namespace, of the kinds that are named in vain.
struct Names<'c, 'd> {
    all: FxHashMap<[&'d str; 3], Vec<&'c Object<'d>>>,
}

/// In a namespace with more names than this, one close to another says little.
const MOST: usize = 200;

impl<'c, 'd> Names<'c, 'd> {
    fn new(cx: &Cx<'c, 'd>) -> Names<'c, 'd> {
        let mut all: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for object in cx.model.objects() {
            all.entry([object.group(), object.kind_name, object.namespace])
                .or_default()
                .push(object);
        }
        Names { all }
    }

    fn near(&self, it: &Named<'_>) -> Option<&'c Object<'d>> {
        let objects = self.all.get(&[it.group, it.kind, it.namespace])?;
        let objects = objects.iter().take(MOST);
        let name = closest(it.name, objects.clone().map(|it| it.name))?;
        objects.copied().find(|it| it.name == name)
    }
}
