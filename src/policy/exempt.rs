//! Requests that the operator of the cluster exempts from denials: by who asks, and by the object.

use super::pattern::glob;
use super::{plain_list, text};
use crate::documents::{Scalar, choices, parsed};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// How far annotations on objects count at admission. Who writes an object writes its annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Annotations {
    /// Not at all.
    None,
    /// A denial becomes a warning, where nobody else's object has a part in the finding.
    #[default]
    Own,
    /// As in a check of files: what they accept is accepted.
    All,
}

impl Annotations {
    /// All of them, the strictest first.
    pub const ALL: [Annotations; 3] = [Annotations::None, Annotations::Own, Annotations::All];

    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Annotations::None => "none",
            Annotations::Own => "own",
            Annotations::All => "all",
        }
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Annotations, D::Error> {
        parsed(from, |text| {
            let known = Annotations::ALL.map(Annotations::name);
            let found = Annotations::ALL.into_iter().find(|it| it.name() == text);
            found.ok_or_else(|| choices("value", text, &known))
        })
    }
}

/// Requests that are neither denied nor warned of. Every condition that is given has to hold, each by any of its values;
/// `*` in a value stands for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "an exemption is a mapping")]
pub struct Exemption {
    /// Names of users.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub users: Vec<String>,
    /// Groups of users.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub groups: Vec<String>,
    /// Service accounts, as `namespace/name`.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub service_accounts: Vec<String>,
    /// Kinds of owners of the object, as `Kind` or `group/Kind`.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub owners: Vec<String>,
    /// Labels of the object. Who may write the object may write these, so they narrow the other conditions down.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Only these rules; all, where none is listed.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub rules: Vec<String>,
    /// Why.
    #[serde(deserialize_with = "text")]
    pub reason: String,
}

/// What a request is told by.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The name of the user.
    pub user: &'a str,
    /// The user's groups.
    pub groups: &'a [String],
    /// The owners of the object, as group and kind.
    pub owners: &'a [(&'a str, &'a str)],
    /// The labels of the object that the request leaves as they are.
    pub labels: &'a [(&'a str, &'a str)],
}

impl Exemption {
    /// Whether it is for this request.
    pub fn is_for(&self, asker: &Asker<'_>) -> bool {
        let any = |values: &[String], text: &str| values.iter().any(|it| glob(it, text));
        let account = asker.user.strip_prefix("system:serviceaccount:");
        let account = account.map(|it| it.replacen(':', "/", 1));
        let is_owner = |(group, kind): &(&str, &str)| {
            any(&self.owners, kind) || any(&self.owners, &format!("{group}/{kind}"))
        };
        let has_label = |(key, value): (&String, &String)| {
            asker.labels.iter().any(|it| it.0 == key && glob(value, it.1))
        };
        (self.users.is_empty() || any(&self.users, asker.user))
            && (self.groups.is_empty() || asker.groups.iter().any(|it| any(&self.groups, it)))
            && (self.service_accounts.is_empty()
                || account.is_some_and(|it| any(&self.service_accounts, &it)))
            && (self.owners.is_empty() || asker.owners.iter().any(is_owner))
            && self.labels.iter().all(has_label)
    }

    /// Whether it is for findings of this rule.
    pub fn covers(&self, rule: &str) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|it| it == rule)
    }

    /// Whether it has a condition; without one it would be for every request.
    pub fn has_condition(&self) -> bool {
        let lists = [&self.users, &self.groups, &self.service_accounts, &self.owners];
        lists.iter().any(|it| !it.is_empty()) || !self.labels.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOK: Asker<'_> = Asker {
        user: "system:serviceaccount:rook-ceph:rook-ceph-system",
        groups: &[],
        owners: &[("ceph.rook.io", "CephCluster")],
        labels: &[("app", "rook-ceph-osd")],
    };

    fn one(text: &str) -> Vec<String> {
        vec![text.into()]
    }

    #[test]
    fn every_condition_has_to_hold() {
        let account = Exemption {
            service_accounts: one("rook-ceph/rook-ceph-system"),
            ..Exemption::default()
        };
        assert!(account.is_for(&ROOK) && account.covers("pdb-blocks-drain"));
        let groups = Exemption { groups: one("system:masters"), ..account.clone() };
        assert!(!groups.is_for(&ROOK));
        for owners in ["CephCluster", "ceph.rook.io/CephCluster", "ceph.rook.io/*"] {
            assert!(Exemption { owners: one(owners), ..account.clone() }.is_for(&ROOK), "{owners}");
        }
        let other = Exemption { owners: one("example.com/CephCluster"), ..account.clone() };
        assert!(!other.is_for(&ROOK));
        let label = |value: &str| Exemption {
            labels: BTreeMap::from([("app".into(), value.into())]),
            ..account.clone()
        };
        assert!(label("rook-*").is_for(&ROOK));
        assert!(!label("redis").is_for(&ROOK));
        let rule = Exemption { rules: one("pdb-overlap"), ..account };
        assert!(rule.is_for(&ROOK) && !rule.covers("pdb-blocks-drain"));
    }
}
