//! `purlin.yaml`: which rules, their severities and parameters, what comes from elsewhere, exceptions.
//!
//! What it means; `policy_file` reads it.

mod admission;
mod demand;
mod exempt;
mod network;
mod pattern;
mod patterns;
mod preset;
mod setting;

pub use crate::api::network::{Network, Plugin};
pub use crate::api::reference::CustomReference;
use crate::api::version::KubernetesVersion;
pub use crate::documents::closest;
use crate::documents::{self, Scalar};
pub use admission::{Admission, Mode, RuleMode};
pub use demand::{At, Demand, OF_DEMANDS};
pub use exempt::{Annotations, Asker, Exemption};
use jiff::civil::Date;
pub use network::DeclaredFlow;
pub use pattern::Pattern;
pub use patterns::Patterns;
pub use preset::Preset;
use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
pub use setting::{Level, Setting};
use std::collections::BTreeMap;
use std::fmt;

/// Findings that are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an exception is a mapping")]
pub struct Exception {
    /// The rule, or `*`.
    #[serde(deserialize_with = "text")]
    pub rule: String,
    /// The objects.
    pub object: Pattern,
    /// The world, with `*` for anything; all of them, where none is named.
    #[serde(default, deserialize_with = "plain")]
    pub world: Option<String>,
    /// Why.
    #[serde(deserialize_with = "text")]
    pub reason: String,
    /// The last day on which it counts.
    #[serde(default, deserialize_with = "date")]
    #[schemars(with = "Option<DateText>")]
    pub expires: Option<Date>,
}

/// Something to check, by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a target is a mapping")]
pub struct Target {
    /// Its name; its path, where none is given. Targets of one name are one world.
    #[serde(default, deserialize_with = "plain")]
    pub name: Option<String>,
    /// A file, a folder, a kustomization or a chart, from the policy file's folder.
    #[serde(deserialize_with = "text")]
    pub path: String,
    /// Files of values for a chart, from the policy file's folder.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub values: Vec<String>,
    /// The name of a chart's release.
    #[serde(default, deserialize_with = "plain")]
    pub release: Option<String>,
    /// Single values of a chart, as `--set` of helm takes them.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub set: Vec<String>,
    /// The version of Kubernetes that the templates of a chart see.
    #[serde(default, rename = "kubeVersion", deserialize_with = "plain")]
    pub kube_version: Option<String>,
    /// The APIs beside Kubernetes' own that the templates of a chart see.
    #[serde(default, rename = "apiVersions", deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub api_versions: Vec<String>,
    /// Whether helm may render the charts that a kustomization names (`helmCharts`).
    #[serde(default)]
    pub helm: bool,
    /// The namespace of objects that name none.
    #[serde(default, deserialize_with = "plain")]
    pub namespace: Option<String>,
    /// The architecture document of this target alone, from the policy file's folder.
    #[serde(default, deserialize_with = "plain")]
    pub architecture: Option<String>,
}

impl Exception {
    /// Whether it counts in a world.
    pub fn is_for(&self, world: &str) -> bool {
        self.world.as_deref().is_none_or(|it| pattern::glob(it, world))
    }
}

impl Target {
    /// Its name, or its path where it has none.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }
}

/// What the user wants.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "a policy is a mapping")]
pub struct Policy {
    /// What it is called.
    pub metadata: documents::Metadata,
    /// The rules that are on: the presets whose rules are run, `recommended` where none is named.
    #[serde(deserialize_with = "preset::presets")]
    #[schemars(with = "preset::Presets")]
    pub extends: Vec<Preset>,
    /// What to check without paths.
    pub targets: Vec<Target>,
    /// What is left out below folders: patterns as in a `.gitignore` beside the policy file.
    #[serde(deserialize_with = "patterns")]
    #[schemars(with = "Vec<Scalar>")]
    pub exclude: Vec<String>,
    /// The version of Kubernetes that the objects are meant for; where none is named, that of the cluster that is asked,
    /// else the newest that purlin knows.
    #[serde(deserialize_with = "version")]
    pub kubernetes_version: Option<KubernetesVersion>,
    /// Whether kustomizations may fetch what they include.
    pub allow_remote: bool,
    /// By rule: a severity, or a mapping with a severity and the rule's parameters.
    #[schemars(with = "BTreeMap<String, Level>")]
    pub rules: BTreeMap<String, Setting>,
    /// What exists although the input does not hold it.
    #[schemars(with = "Vec<Pattern>")]
    pub external: Patterns,
    /// Fields of custom kinds that name other objects, beside those that purlin knows.
    pub references: Vec<CustomReference>,
    /// Namespaces that the input holds all of; `*` for the whole cluster.
    #[serde(deserialize_with = "plain_set")]
    #[schemars(with = "Vec<Scalar>")]
    pub complete: FxHashSet<String>,
    /// Findings that are accepted.
    pub exceptions: Vec<Exception>,
    /// The file of findings that are known, from the policy file's folder.
    #[serde(deserialize_with = "plain")]
    pub baseline: Option<String>,
    /// What enforces network policies, and where pods get their addresses.
    pub network: Network,
    /// What the webhook does with findings.
    pub admission: Admission,
    /// Who is meant to talk to whom; what is not listed is meant to be denied.
    pub flows: Vec<DeclaredFlow>,
    /// The architecture document, from the policy file's folder.
    #[serde(deserialize_with = "plain")]
    pub architecture: Option<String>,
}

impl documents::Kind for Policy {
    const NAME: &'static str = "Policy";
    const TITLE: &'static str = "a policy file";
}

impl Policy {
    /// The version of Kubernetes that the objects are meant for: the one that is named, else that of the server that was
    /// asked, else the newest that purlin knows.
    pub fn kubernetes_version(&self, server: Option<KubernetesVersion>) -> KubernetesVersion {
        self.kubernetes_version.or(server).unwrap_or(KubernetesVersion::NEWEST)
    }

    /// The level that the user gave a rule.
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.rules.get(rule)?.level
    }

    /// The level that the user gave a rule in a world.
    pub fn level_in(&self, rule: &str, world: &str) -> Option<Level> {
        let setting = self.rules.get(rule)?;
        let here = setting.worlds.iter().find(|(it, _)| pattern::glob(it, world));
        here.map(|it| it.1).or(setting.level)
    }

    /// Whether the user switched a rule off wherever it might run.
    pub fn is_off(&self, rule: &str) -> bool {
        let setting = self.rules.get(rule);
        setting.is_some_and(|it| {
            it.level == Some(Level::Off) && it.worlds.iter().all(|it| it.1 == Level::Off)
        })
    }

    /// Whether worlds of equal contents may be judged differently, by their names.
    pub fn tells_worlds_apart(&self) -> bool {
        self.rules.values().any(|it| !it.worlds.is_empty())
            || self.targets.iter().any(|it| it.architecture.is_some())
            || self.exceptions.iter().any(|it| it.world.is_some())
    }

    /// Whether the user asked for a rule by its name, rather than by a preset.
    pub fn is_configured(&self, rule: &str) -> bool {
        self.rules.contains_key(rule)
    }

    /// Whether a preset is chosen, or one that includes it.
    pub fn has_preset(&self, preset: Preset) -> bool {
        let chosen =
            if self.extends.is_empty() { &[Preset::Recommended][..] } else { &self.extends };
        chosen.iter().any(|it| it.includes(preset))
    }

    /// The values that the user gave a rule's parameter.
    pub fn parameter(&self, rule: &str, name: &str) -> Option<&Vec<String>> {
        self.rules.get(rule)?.parameters.get(name)
    }

    /// What the user asks of the metadata of objects, under a parameter of the rule that compares it.
    pub fn demands(&self, rule: &str, name: &str) -> &[Demand] {
        let given = self.rules.get(rule).and_then(|it| it.demands.get(name));
        given.map_or(&[], Vec::as_slice)
    }

    /// Whether the user said that this exists elsewhere.
    pub fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.external.match_any(kind, namespace, name)
    }

    /// Whether the user said that the input holds all of a namespace (`*`: of the cluster).
    pub fn is_complete(&self, namespace: &str) -> bool {
        self.complete.contains(namespace) || self.complete.contains("*")
    }
}

/// Text that says something.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.trim().is_empty() {
        return Err(D::Error::invalid_value(Unexpected::Str(&text), &"text"));
    }
    Ok(text)
}

fn plain<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Scalar::deserialize(from).map(|it| Some(it.0))
}

fn plain_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::<Scalar>::deserialize(from)?;
    Ok(list.into_iter().map(|it| it.0).collect())
}

fn plain_set<'de, D: Deserializer<'de>>(from: D) -> Result<FxHashSet<String>, D::Error> {
    Ok(plain_list(from)?.into_iter().collect())
}

fn patterns<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let patterns = plain_list(from)?;
    for pattern in &patterns {
        let mut ignore = ignore::gitignore::GitignoreBuilder::new("");
        let is_one = ignore.add_line(None, pattern).is_ok_and(|it| it.build().is_ok());
        if !is_one {
            return Err(D::Error::custom(format!("`{pattern}` is no pattern of a `.gitignore`")));
        }
    }
    Ok(patterns)
}

fn version<'de, D: Deserializer<'de>>(from: D) -> Result<Option<KubernetesVersion>, D::Error> {
    struct InQuotes;
    impl Visitor<'_> for InQuotes {
        type Value = Option<KubernetesVersion>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a version of Kubernetes is a string in quotes, \"1.34\": as a number, 1.30 would be 1.3")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let shape = "not a version of Kubernetes: one is written as \"1.34\"";
            KubernetesVersion::parse(text).map(Some).ok_or_else(|| E::custom(shape))
        }
    }
    from.deserialize_any(InQuotes)
}

fn date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    documents::parsed(from, |text| {
        let shape = "not a date: `expires` is written as 2027-03-31";
        text.parse::<Date>().map(Some).map_err(|_| shape.into())
    })
}

/// A day: 2027-03-31.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[expect(dead_code, reason = "only its schema is used")]
struct DateText(#[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))] String);
