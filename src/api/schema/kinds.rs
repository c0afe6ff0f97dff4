//! The kinds of Kubernetes' own groups, version by version: since when there is each, and until when it is served.

use super::stored::{DefinitionId, STORED};
use crate::api::kind;
use crate::api::version::KubernetesVersion;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One kind in one version of its group: `batch/v1beta1` `CronJob`.
#[derive(Clone, Debug)]
pub struct KindVersion {
    /// As `apiVersion` writes it.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The first and the last minor version whose code knows it, of those that are embedded.
    known: (u32, u32),
    /// Its fields.
    pub definition: Option<DefinitionId>,
    /// The version that came with it.
    pub introduced: Option<KubernetesVersion>,
    /// The version from which on the API server warns of it.
    pub deprecated: Option<KubernetesVersion>,
    /// The version from which on it is not served any more.
    pub removed: Option<KubernetesVersion>,
    /// What to use instead: `apiVersion` and kind.
    pub replacement: Option<(&'static str, &'static str)>,
}

impl KindVersion {
    pub(super) fn read(line: &'static str) -> Option<KindVersion> {
        let mut words = line.split(' ');
        let mut next = || words.next();
        let (api_version, kind) = (next()?, next()?);
        let known = (next()?.parse().ok()?, next()?.parse().ok()?);
        let definition = DefinitionId::read(next()?);
        let mut version = || next().and_then(KubernetesVersion::parse);
        let (introduced, deprecated, removed) = (version(), version(), version());
        let replacement = words.next().zip(words.next());
        Some(KindVersion {
            api_version,
            kind,
            known,
            definition,
            introduced,
            deprecated,
            removed,
            replacement,
        })
    }

    /// Its group; empty for the core group.
    pub fn group(&self) -> &'static str {
        kind::group(self.api_version)
    }

    pub(super) fn is_known(&self, minor: u32) -> bool {
        (self.known.0..=self.known.1).contains(&minor)
    }

    /// Whether a version of Kubernetes serves it, by default or on demand.
    pub fn is_served(&self, version: KubernetesVersion) -> bool {
        // The code of old kinds stays for a while, and neither does it tell of those that are newer than it.
        let is_there = self.known.1 != 0 && self.introduced.is_none_or(|it| it <= version);
        let has_come =
            version.minor >= self.known.0 || self.known.0 == KubernetesVersion::OLDEST.minor;
        is_there && has_come && !self.is_removed(version)
    }

    /// Whether a version of Kubernetes serves it no more.
    pub fn is_removed(&self, version: KubernetesVersion) -> bool {
        let is_gone =
            version.minor > self.known.1 && self.known.1 < KubernetesVersion::NEWEST.minor;
        self.removed.is_some_and(|it| it <= version) || self.removed.is_none() && is_gone
    }

    /// Which of two to prefer: those that are stable, then the newer.
    fn rank(&self) -> (bool, bool, &'static str) {
        let version = self.api_version.rsplit('/').next().unwrap_or_default();
        let is_beta = version.contains("beta");
        (!is_beta && !version.contains("alpha"), is_beta, version)
    }
}

/// All kinds in all versions of their groups, by `apiVersion` and kind.
pub fn kind_versions() -> impl Iterator<Item = &'static KindVersion> {
    STORED.kinds.iter()
}

/// The kind of this name in this version of its group.
pub fn kind_version(api_version: &str, kind: &str) -> Option<&'static KindVersion> {
    STORED.kind(api_version, kind)
}

/// The best version that serves a kind, in whatever group.
pub fn preferred(kind: &str, version: KubernetesVersion) -> Option<&'static KindVersion> {
    let served = kind_versions().filter(|it| it.kind == kind && it.is_served(version));
    served.max_by_key(|it| it.rank())
}

/// A group of Kubernetes' own.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its name; empty for the core group.
    pub name: &'static str,
    /// The versions that it has or had, the best first.
    pub versions: Vec<&'static str>,
    /// The kinds that it has or had.
    pub kinds: Vec<&'static str>,
}

static GROUPS: LazyLock<BTreeMap<&str, Group>> = LazyLock::new(|| {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    let mut sorted: Vec<_> = kind_versions().collect();
    sorted.sort_by(|a, b| b.rank().cmp(&a.rank()).then(a.kind.cmp(b.kind)));
    for it in sorted {
        let group = groups.entry(it.group()).or_default();
        group.name = it.group();
        let version = it.api_version.rsplit('/').next().unwrap_or_default();
        if !group.versions.contains(&version) {
            group.versions.push(version);
        }
        if !group.kinds.contains(&it.kind) {
            group.kinds.push(it.kind);
        }
    }
    // No kinds of their own, but written all the same.
    let core = groups.entry("").or_default();
    core.kinds.extend(["List", "Status"]);
    groups
});

/// The group of this name, if it is Kubernetes' own.
pub fn group(name: &str) -> Option<&'static Group> {
    GROUPS.get(name)
}

/// The group that a slip of the fingers may have turned into `name`, of those with such a kind.
pub fn group_like(name: &str, kind: &str) -> Option<&'static Group> {
    let has_kind = |it: &&Group| it.kinds.iter().any(|it| it.eq_ignore_ascii_case(kind));
    let mut with_kind = GROUPS.values().filter(|it| !it.name.is_empty()).filter(has_kind);
    with_kind.find(|it| strsim::damerau_levenshtein(it.name, name) <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kind::KINDS;

    #[test]
    fn every_known_kind_of_these_groups_is_one() {
        for kind in KINDS {
            for group in kind.groups.iter().filter_map(|it| group(it)) {
                assert!(group.kinds.contains(&kind.name), "{} of {}", kind.name, group.name);
            }
        }
    }

    #[test]
    fn kinds_are_served_from_and_until() {
        let is_served = |api_version: &str, kind: &str, minor| {
            let kind = kind_version(api_version, kind).expect("it is a kind");
            kind.is_served(KubernetesVersion::minor(minor))
        };
        assert!(is_served("apps/v1", "Deployment", 28) && is_served("apps/v1", "Deployment", 38));
        assert!(!is_served("policy/v1beta1", "PodDisruptionBudget", 28));
        assert!(is_served("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", 31));
        assert!(!is_served("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", 32));
        let policy = ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy");
        assert!(!is_served(policy.0, policy.1, 29) && is_served(policy.0, policy.1, 30));
        let better = preferred("HorizontalPodAutoscaler", KubernetesVersion::NEWEST);
        assert_eq!(better.map(|it| it.api_version), Some("autoscaling/v2"));
    }
}
