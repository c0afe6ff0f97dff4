//! Objects that are not what the API of Kubernetes' own groups describes: kinds that there are not, and values of another
//! type than their field has.

use crate::api::schema::{Definition, GROUPS, Served, Type, definition, served};
use crate::model::{Object, Place};
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::source::SourceKind;
use crate::text::tree::{Node, Value};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-schema",
    title: "an object is not what the API describes",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("invalid_schema.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let sources = &cx.model.loaded.sources;
    // What an API server holds it has taken, and only what rules read of it is kept.
    let is_live = |it: &&Object<'_>| sources.get(it.document.source).kind == SourceKind::Cluster;
    for object in cx.model.objects().filter(|it| !is_live(it)) {
        match kind_fault(object) {
            Some(finding) => out.find(finding),
            None => out.find_some(faults(object).into_iter().map(|it| it.finding(object))),
        }
    }
}

const REFUSED: &str = "the API server refuses the object: nothing of it reaches the cluster";

/// A kind or version that a group of Kubernetes' own does not have, or a group that there cannot be.
fn kind_fault(object: &Object<'_>) -> Option<Finding> {
    let (written, kind) = (object.api_version, object.kind_name);
    let version = written.rsplit_once('/').map_or(written, |(_, it)| it);
    let Some(group) = served(object.group()) else { return group_fault(object) };
    if is_filled_in_later(written) || is_filled_in_later(kind) {
        return None;
    }
    let api_version = |group: &Served| match group.group {
        "" => group.versions[0].to_string(),
        name => format!("{name}/{}", group.versions[0]),
    };
    if !group.versions.contains(&version) {
        // `apiVersion: apps` or `apiVersion: Deployment` has no version at all.
        let meant = GROUPS.iter().find(|it| it.group == written || it.kinds.contains(&kind));
        let help = match meant.unwrap_or(group) {
            meant if meant.kinds.contains(&kind) => {
                format!("set `apiVersion: {}`", api_version(meant))
            }
            _ => format!("versions of this group: {}", group.versions.join(", ")),
        };
        return Some(
            Finding::new(
                format!("`{object}` is of `{written}`, which there is not"),
                object.at("apiVersion"),
                "no such version",
            )
            .note(REFUSED)
            .help(help),
        );
    }
    let is_list = kind.strip_suffix("List").is_some_and(|it| group.kinds.contains(&it));
    if group.kinds.contains(&kind) || is_list {
        return None;
    }
    let finding = Finding::new(
        format!("`{object}` is a {kind}, which `{written}` does not have"),
        object.at("kind"),
        "no such kind",
    )
    .note(REFUSED);
    let other = GROUPS.iter().find(|it| it.kinds.contains(&kind));
    let near = nearest_kind(group, kind);
    Some(match (other, near) {
        (Some(other), _) => finding.help(format!("set `apiVersion: {}`", api_version(other))),
        (None, Some(near)) => finding.help(format!("write `kind: {near}` if that is meant")),
        (None, None) => finding.help("correct the kind, or its `apiVersion`"),
    })
}

fn nearest_kind(group: &Served, kind: &str) -> Option<&'static str> {
    let same = group.kinds.iter().copied().find(|it| it.eq_ignore_ascii_case(kind));
    let everywhere = || GROUPS.iter().flat_map(|it| it.kinds.iter().copied());
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
    let has_kind = |it: &&Served| it.kinds.iter().any(|it| it.eq_ignore_ascii_case(kind));
    let with_kind = || GROUPS.iter().filter(|it| !it.group.is_empty()).filter(has_kind);
    let slip = with_kind().find(|it| strsim::damerau_levenshtein(it.group, name) <= 2);
    if name.contains('.') && slip.is_none() {
        return None;
    }
    let meant = slip.or_else(|| with_kind().next());
    let finding = Finding::new(
        format!("`{object}` is of `{written}`, a group that there is not"),
        object.at("apiVersion"),
        "no such group",
    )
    .note(REFUSED);
    Some(match meant {
        Some(it) => finding.help(format!("set `apiVersion: {}/{}`", it.group, it.versions[0])),
        None => finding.help(
            "correct `apiVersion`; the group of a custom kind is a domain, such as `example.com`",
        ),
    })
}

/// A value that its field cannot hold.
struct Fault<'d> {
    node: Node<'d>,
    what: What,
}

enum What {
    /// Another type is due.
    Type(Type),
    /// A field is missing.
    Missing(&'static str),
}

impl Fault<'_> {
    fn finding(&self, object: &Object<'_>) -> Finding {
        let path = path(object, self.node);
        match self.what {
            What::Missing(field) => Finding::new(
                format!("`{path}` of `{object}` has no `{field}`"),
                object.place(self.node),
                format!("`{field}` is required"),
            )
            .note(REFUSED)
            .help(format!("set `{field}`")),
            What::Type(due) => {
                let is = self.node.kind();
                let finding = Finding::new(
                    format!("`{path}` of `{object}` is {is}, and has to be {}", due.describe()),
                    object.place(self.node),
                    format!("read as {is}"),
                )
                .note(REFUSED);
                match (due, self.node.written()) {
                    (Type::Str | Type::IntOrString, Some(text)) => {
                        finding.help(format!("put it in quotes: `\"{text}\"`"))
                    }
                    (Type::Int | Type::Bool, Some(text)) if self.node.str().is_some() => finding
                        .help(format!(
                            "write it without quotes, if `{}` is meant",
                            text.trim_matches(['"', '\''])
                        )),
                    _ => finding.help(format!("write {}", due.describe())),
                }
            }
        }
    }
}

fn path(object: &Object<'_>, node: Node<'_>) -> String {
    match object.place(node) {
        Place::Field { path, .. } => path.to_string(),
        Place::Text { .. } => String::new(),
    }
}

/// The values of an object that their fields cannot hold.
fn faults<'d>(object: &Object<'d>) -> Vec<Fault<'d>> {
    // Of another group only its own definition tells, and metadata are the same everywhere.
    let Some(definition) = definition(object.kind) else { return Vec::new() };
    let mut faults = Vec::new();
    let mut open = vec![(object.root, definition)];
    while let Some((node, definition)) = open.pop() {
        fields(node, definition, &mut faults, &mut open);
    }
    faults.sort_by_key(|it| it.node.index());
    faults
}

fn fields<'d>(
    node: Node<'d>,
    definition: &'static Definition,
    faults: &mut Vec<Fault<'d>>,
    open: &mut Vec<(Node<'d>, &'static Definition)>,
) {
    for field in definition.required {
        // What is empty is missing: the API server reads either as the type's zero value.
        let is_empty = |it: Node<'_>| it.str() == Some("") || it.is_seq() && it.count() == 0;
        if node.get(field).is_none_or(is_empty) {
            faults.push(Fault { node, what: What::Missing(field) });
        }
    }
    for (key, value) in node.pairs() {
        let Some(due) = definition.field(key) else { continue };
        let mut values = vec![(value, due)];
        while let Some((value, due)) = values.pop() {
            if !may_hold(due, value) {
                faults.push(Fault { node: value, what: What::Type(due) });
                continue;
            }
            match due {
                Type::Object(definition) => open.push((value, definition)),
                Type::List(item) => values.extend(value.items().map(|it| (it, *item))),
                Type::Map(item) => {
                    values.extend(
                        value.entries().filter(|(_, it)| !it.is_null()).map(|(_, it)| (it, *item)),
                    );
                }
                _ => {}
            }
        }
    }
}

/// Whether a field of this type can hold a value: as `encoding/json` reads it into the field.
fn may_hold(due: Type, node: Node<'_>) -> bool {
    let text = node.str();
    match (due, node.value()) {
        (Type::Any, _) => true,
        (Type::Str, Value::Str(_)) => true,
        (Type::Int, Value::Number(_)) => node.int().is_some(),
        (Type::Bool, Value::Bool(_)) => true,
        (Type::IntOrString, Value::Str(_)) => true,
        (Type::IntOrString, Value::Number(_)) => node.int().is_some(),
        (Type::Quantity, Value::Str(_) | Value::Number(_)) => true,
        (Type::List(_), Value::Seq) => true,
        (Type::Map(_) | Type::Object(_), Value::Map) => true,
        // Something else fills it in before the API server sees it.
        _ => text.is_some_and(is_filled_in_later),
    }
}

fn is_filled_in_later(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.contains("$(") || text.starts_with('<')
}
