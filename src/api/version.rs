//! Versions of Kubernetes.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::fmt;

/// A minor version of Kubernetes: patches change no API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KubernetesVersion {
    /// The `1` of `1.34`.
    pub major: u32,
    /// The `34` of `1.34`.
    pub minor: u32,
}

impl KubernetesVersion {
    /// The newest that purlin knows.
    pub const NEWEST: KubernetesVersion = KubernetesVersion::minor(37);

    /// The oldest whose schemas purlin knows.
    pub const OLDEST: KubernetesVersion = KubernetesVersion::minor(28);

    /// Version 1 with this minor version.
    pub const fn minor(minor: u32) -> KubernetesVersion {
        KubernetesVersion { major: 1, minor }
    }

    /// Reads `1.34`, `v1.34`, `1.34.2` and what distributions make of it, `v1.34.2-eks-113cf36`; `None` where it is none.
    pub fn parse(text: &str) -> Option<KubernetesVersion> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (major, rest) = text.split_once('.')?;
        let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
        // `1.34+` is the minor version of a server that was built from more than the release.
        let is_end = |it: &str| it.is_empty() || it.starts_with(['.', '-', '+']);
        let (minor, rest) = rest.split_at(end);
        is_end(rest).then_some(())?;
        Some(KubernetesVersion { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// The version so many minor versions later.
    pub fn later(self, by: u32) -> KubernetesVersion {
        KubernetesVersion { minor: self.minor.saturating_add(by), ..self }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl JsonSchema for KubernetesVersion {
    fn schema_name() -> Cow<'static, str> {
        "KubernetesVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Without quotes, 1.30 would be the number 1.3.
        json_schema!({
            "description": "A version of Kubernetes, in quotes: \"1.34\".",
            "type": "string",
            "pattern": r"^v?\d+\.\d+([.+-].*)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_and_people_write_them() {
        for text in ["1.34", "v1.34", "1.34.2", "v1.34.2-eks-113cf36", "1.34+", "v1.34.1+k3s1"] {
            assert_eq!(
                KubernetesVersion::parse(text),
                Some(KubernetesVersion::minor(34)),
                "{text}"
            );
        }
        for text in ["1", "34", "latest", "1.x", "1.34a", ""] {
            assert_eq!(KubernetesVersion::parse(text), None, "{text}");
        }
        assert_eq!(KubernetesVersion::minor(34).to_string(), "1.34");
    }
}
