//! Ingresses that write into the configuration of ingress-nginx.

use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "ingress-snippet",
    title: "an Ingress writes into the configuration of the controller that all share",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    presets: &[Preset::Recommended],
    reads: &[Kind::Ingress, Kind::IngressClass, Kind::ConfigMap],
    like: &["kubescape:CVE-2021-25742"],
    parameters: &[],
    page: include_str!("ingress_snippet.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// Annotations whose value is a piece of the configuration.
const SNIPPETS: [&str; 5] = [
    "auth-snippet",
    "configuration-snippet",
    "modsecurity-snippet",
    "server-snippet",
    "stream-snippet",
];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for object in cx.model.of_kind(Kind::Ingress).filter(|it| is_of_nginx(cx.model, it)) {
        out.findings.extend(ingress(object));
    }
    for object in cx.model.of_kind(Kind::ConfigMap) {
        out.findings.extend(allows_snippets(object));
    }
}

/// Whether ingress-nginx may take it: nobody else's class, as far as the input tells.
fn is_of_nginx(model: &Model<'_>, object: &Object<'_>) -> bool {
    let class = object.field(&["spec", "ingressClassName"]).and_then(Node::str);
    let class = class.and_then(|it| model.find(Kind::IngressClass, "", it));
    let controller = class.and_then(|it| it.field(&["spec", "controller"])?.str());
    controller.is_none_or(|it| it.ends_with("/ingress-nginx"))
}

fn ingress(object: &Object<'_>) -> Option<Finding> {
    let annotations = object.field(&["metadata", "annotations"]).into_iter().flat_map(Node::pairs);
    let own = annotations.filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, value)));
    let (snippets, others): (Vec<_>, Vec<_>) = own.partition(|(name, _)| SNIPPETS.contains(name));
    let has_own = !snippets.is_empty() || !others.is_empty();
    let written = snippets
        .iter()
        .map(|(name, value)| (*value, format!("`{name}` is copied into nginx.conf")));
    let values = others.iter().filter_map(|(_, value)| Some((*value, escapes(value.str()?)?)));
    // Paths are the controller's own business where nothing says that it is this one.
    let is_named = object.field(&["spec", "ingressClassName"]).is_some() || has_own;
    let paths = paths(object).filter(|_| is_named);
    let paths = paths.filter_map(|it| Some((it, escapes(it.str()?)?)));
    let mut found = written.chain(values).chain(paths);
    let (node, text) = found.next()?;
    let message = format!(
        "`{object}` writes into the configuration of ingress-nginx, which every Ingress shares"
    );
    let mut finding = Finding::new(message, object.place(node), text);
    for (node, text) in found {
        finding = finding.label(object.place(node), text);
    }
    Some(
        finding
            .note("who writes it reads the controller's token, which reads the Secrets of every namespace (CVE-2021-25742, CVE-2021-25745, CVE-2023-5043)")
            .help("use the annotations that are there for it, or what the operator of the controller sets for all"),
    )
}

fn paths<'d>(object: &Object<'d>) -> impl Iterator<Item = Node<'d>> {
    let rules = object.root.get("spec").into_iter().flat_map(|it| it.list("rules"));
    let paths = rules.filter_map(|it| it.get("http")).flat_map(|it| it.list("paths"));
    paths.filter_map(|it| it.get("path"))
}

/// What of a value is a directive of nginx, or leads to the controller's token, where a plain word was due
/// (kubernetes.github.io/ingress-nginx, "annotation-value-word-blocklist").
fn escapes(value: &str) -> Option<String> {
    let directive = value
        .split(['\n', ';', '{', '}'])
        .filter_map(|it| it.trim_start().split_once(char::is_whitespace))
        .find(|(word, rest)| matches!(*word, "alias" | "root") && !rest.trim().is_empty());
    if let Some((word, _)) = directive {
        return Some(format!("the directive `{word}`"));
    }
    let names = ["_by_lua", "lua_package", "kubernetes.io/serviceaccount"];
    names.iter().find(|it| value.contains(*it)).map(|it| format!("`{it}`"))
}

/// The setting that lets every Ingress have snippets.
fn allows_snippets(object: &Object<'_>) -> Option<Finding> {
    let setting = object.field(&["data", "allow-snippet-annotations"])?;
    if setting.scalar().as_deref() != Some("true") {
        return None;
    }
    let message =
        format!("`{object}` lets every Ingress write into the configuration of ingress-nginx");
    Some(
        Finding::new(message, object.place(setting), "for all namespaces")
            .severity(Severity::Warning)
            .note("who may write an Ingress reads the controller's token, which reads the Secrets of every namespace (CVE-2021-25742)")
            .help("set `allow-snippet-annotations: \"false\"`, the default since 1.9"),
    )
}
