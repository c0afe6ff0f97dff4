//! Objects as the policy writes them: `Kind/name` and `Kind/namespace/name`, with `*` for anything.

use crate::api::kind::{KINDS, KindInfo, Scope};
use crate::documents::parsed;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// Objects by kind, namespace and name, each with `*` for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    kind: String,
    namespace: Option<String>,
    name: String,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPattern {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Pattern {
    /// Reads `Kind/name` or `Kind/namespace/name`.
    ///
    /// # Errors
    ///
    /// Where it has another shape, or its kind cannot be one.
    pub fn parse(text: &str) -> Result<Pattern, NoPattern> {
        let shape = "not an object: write `Kind/name` or `Kind/namespace/name`, with `*` for any";
        let no = || NoPattern { message: shape.into(), help: None };
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, name] => (*kind, None, *name),
            [kind, namespace, name] => (*kind, Some(*namespace), *name),
            _ => return Err(no()),
        };
        if parts.iter().any(|it| it.is_empty() || it.contains(char::is_whitespace)) {
            return Err(no());
        }
        check_kind(kind)?;
        let is_cluster_wide = info(kind).is_some_and(|it| it.scope == Scope::Cluster);
        if is_cluster_wide && namespace.is_some() {
            return Err(NoPattern {
                message: format!("`{kind}` has no namespace"),
                help: Some(format!("write `{kind}/{name}`")),
            });
        }
        Ok(Pattern {
            kind: kind.to_string(),
            namespace: namespace.map(String::from),
            name: name.to_string(),
        })
    }

    /// The longest piece of the name that has to be there, and whether it is all of the name.
    pub(super) fn piece(&self) -> Option<(&str, bool)> {
        let piece = self.name.split('*').max_by_key(|it| it.len()).filter(|it| !it.is_empty())?;
        Some((piece, piece.len() == self.name.len()))
    }

    /// The namespace, where it is written in full.
    pub(super) fn only_namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|it| !it.contains('*'))
    }

    /// Whether it means this object.
    pub fn matches(&self, kind: &str, namespace: &str, name: &str) -> bool {
        glob(&self.kind, kind)
            && self.namespace.as_deref().is_none_or(|it| glob(it, namespace))
            && glob(&self.name, name)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pattern, D::Error> {
        parsed(from, |text| {
            Pattern::parse(text).map_err(|no| match no.help {
                Some(help) => format!("{}\n{help}", no.message),
                None => no.message,
            })
        })
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Objects: `Kind/name` or `Kind/namespace/name`, with `*` for anything.",
            "type": "string",
            "pattern": "^[^/\\s]+/[^/\\s]+(/[^/\\s]+)?$"
        })
    }
}

/// Custom kinds may have any name, so only what is nearly a known kind is taken for a slip.
fn check_kind(kind: &str) -> Result<(), NoPattern> {
    if kind.contains('*') || info(kind).is_some() {
        return Ok(());
    }
    let lower = kind.to_lowercase();
    let meant = KINDS
        .iter()
        .find(|it| {
            it.name.to_lowercase() == lower
                || it.resource == lower
                || SHORT.contains(&(lower.as_str(), it.name))
        })
        .or_else(|| KINDS.iter().find(|it| is_slip(&lower, &it.name.to_lowercase())));
    if meant.is_none() && kind.starts_with(|it: char| it.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(NoPattern {
        message: format!("unknown kind `{kind}`"),
        help: meant.map(|it| format!("did you mean `{}`?", it.name)),
    })
}

fn info(kind: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|it| it.name == kind)
}

/// Two letters off in a long name, one in a short one: OpenShift's `Route` is not a `Role`.
fn is_slip(written: &str, known: &str) -> bool {
    let most = if known.len() > 7 { 2 } else { 1 };
    known.len() > 3 && strsim::osa_distance(written, known) <= most
}

/// What kubectl calls them for short.
const SHORT: [(&str, &str); 17] = [
    ("cj", "CronJob"),
    ("cm", "ConfigMap"),
    ("deploy", "Deployment"),
    ("ds", "DaemonSet"),
    ("hpa", "HorizontalPodAutoscaler"),
    ("ing", "Ingress"),
    ("netpol", "NetworkPolicy"),
    ("ns", "Namespace"),
    ("pdb", "PodDisruptionBudget"),
    ("po", "Pod"),
    ("pvc", "PersistentVolumeClaim"),
    ("quota", "ResourceQuota"),
    ("rs", "ReplicaSet"),
    ("sa", "ServiceAccount"),
    ("sc", "StorageClass"),
    ("sts", "StatefulSet"),
    ("svc", "Service"),
];

/// Whether `*` in `pattern` can stand for something so that it is `text`.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let parts: Vec<&str> = tail.split('*').collect();
    let (last, middle) = parts.split_last().expect("a split has a last part");
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, is_match) in [
            ("*", "", true),
            ("*", "shop", true),
            ("shop", "shop", true),
            ("shop", "shops", false),
            ("shop-*", "shop-", true),
            ("shop-*", "a-shop-b", false),
            ("*-db", "shop-db", true),
            ("a*a", "a", false),
            ("a*b*c", "axbxc", true),
            ("a*b*b", "ab", false),
            ("*b*", "abc", true),
        ] {
            assert_eq!(glob(pattern, text), is_match, "{pattern} {text}");
        }
    }

    #[test]
    fn kinds_of_ones_own_are_taken_as_they_are() {
        for kind in ["Route", "Cluster", "Kafka", "Application", "Policy", "VaultStaticSecret", "*"]
        {
            assert!(Pattern::parse(&format!("{kind}/a")).is_ok(), "{kind}");
        }
    }
}
