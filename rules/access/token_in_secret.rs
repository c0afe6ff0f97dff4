//! Secrets that ask for a token of a ServiceAccount without an end.

use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "token-in-secret",
    title: "a Secret holds a token that never expires",
    severity: Severity::Note,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[Kind::Secret],
    like: &["kyverno:deny-secret-service-account-token-type"],
    parameters: &[NAMESPACES],
    page: include_str!("token_in_secret.md"),
    reads_images: None,
    checks: &[Check::Object(object)],
};

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let kind = object.root.get("type");
    let is_token = kind.and_then(Node::str) == Some("kubernetes.io/service-account-token");
    if !is_token || !cx.is_judged(object) {
        return;
    }
    let account = object.annotation("kubernetes.io/service-account.name");
    let whose = account.map_or(String::new(), |it| format!(" of ServiceAccount `{it}`"));
    let message = format!("`{object}` holds a token{whose} that never expires");
    out.find(
        Finding::new(message, object.at("type"), "the control plane fills it in")
            .note("whoever reads the Secret once is that account until the Secret is deleted")
            .help("take a token that ends: `kubectl create token`, or a projected `serviceAccountToken` volume"),
    );
}
