//! What Terraform makes beside the manifests of the input, found by kind and name.

use crate::load::terraform::Made;
use rustc_hash::FxHashMap;
use std::fmt;

/// All of it.
#[derive(Debug, Default)]
pub struct Terraform<'d> {
    /// By kind; what may bring any kind under the empty name.
    by_kind: FxHashMap<&'d str, Vec<&'d Made>>,
}

/// Something that may be what is missing.
#[derive(Debug)]
pub struct MayMake<'d> {
    made: &'d Made,
    what: String,
}

impl<'d> Terraform<'d> {
    /// Sorts it by kind.
    pub fn new(made: &'d [Made]) -> Terraform<'d> {
        let mut by_kind: FxHashMap<&'d str, Vec<&'d Made>> = FxHashMap::default();
        for it in made {
            by_kind.entry(it.kind.as_deref().unwrap_or_default()).or_default().push(it);
        }
        Terraform { by_kind }
    }

    /// What may make an object of a kind, in a namespace (empty where it has none) and of this name.
    pub fn of(&self, kind: &str, namespace: &str, name: &str) -> Option<MayMake<'d>> {
        if self.by_kind.is_empty() {
            return None;
        }
        let is_here = |it: &Made| {
            namespace.is_empty() || it.namespace.as_deref().is_none_or(|it| it == namespace)
        };
        let is_it = |it: &Made| it.name.as_deref().is_none_or(|it| it == name);
        // A release calls what it brings after itself.
        let brings = |it: &Made| it.name.as_deref().is_some_and(|it| is_called_after(name, it));
        let mut objects = self.by_kind.get(kind).into_iter().flatten();
        let mut releases = self.by_kind.get("").into_iter().flatten();
        let made = objects.find(|it| is_here(it) && is_it(it));
        let made = made.or_else(|| releases.find(|it| is_here(it) && brings(it)))?;
        Some(MayMake { made, what: format!("{kind} `{name}`") })
    }
}

fn is_called_after(name: &str, release: &str) -> bool {
    name.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl fmt::Display for MayMake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "whether Terraform makes {} (`{}`, line {})",
            self.what, self.made.file, self.made.line
        )
    }
}
