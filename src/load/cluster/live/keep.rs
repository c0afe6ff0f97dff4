//! What of an object of a cluster is kept.

/// What of a value is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keep {
    /// All of it.
    All,
    /// These fields.
    Only(&'static [&'static str]),
    /// These fields, and if none of them is there, nothing at all.
    Status(&'static [&'static str]),
    /// The keys without the values: rules ask which keys a Secret has; its values are nobody's business.
    Keys,
    /// That there is something.
    Concealed,
    /// All but `replicas`, if it is one.
    UnlessOneReplica,
    /// All, unless it is the number one.
    UnlessOne,
    /// A CustomResourceDefinition's `spec`.
    Definition(Schemas),
    /// Its versions.
    Versions(Schemas),
}

/// What becomes of the schemas of custom kinds, which are most of what their definitions hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemas {
    /// They are kept, to judge manifests by them.
    Kept,
    /// They are left out: what the cluster holds, it has judged itself.
    LeftOut,
}

impl Keep {
    /// What is kept of a field of an object, `metadata` apart; `None` for nothing.
    pub(super) fn of_field(
        kind: &str,
        field: &str,
        is_controlled: bool,
        is_filled_in: impl Fn() -> bool,
        schemas: Schemas,
    ) -> Option<Keep> {
        Some(match (kind, field) {
            // What is over counts no more, and nodes say only here what they offer.
            ("Job", "status") => Keep::Status(&["conditions"]),
            ("Node", "status") => Keep::Status(&["allocatable", "capacity"]),
            ("Pod", "status") => Keep::Status(&["phase"]),
            (_, "status") => return None,
            ("Secret", "data" | "stringData") => Keep::Keys,
            // Pods that are made of a template say no more than it does, but for where they run and what they are labelled.
            ("Pod", "spec") if is_controlled => Keep::Only(&["nodeName"]),
            ("CustomResourceDefinition", "spec") => Keep::Definition(schemas),
            ("Deployment" | "StatefulSet", "spec") if is_filled_in() => Keep::UnlessOneReplica,
            _ => Keep::All,
        })
    }

    /// What is kept of the value under a key; `None` for nothing.
    pub(super) fn below(self, key: &str) -> Option<Keep> {
        match self {
            Keep::Only(fields) | Keep::Status(fields) => fields.contains(&key).then_some(Keep::All),
            Keep::Keys => Some(Keep::Concealed),
            Keep::UnlessOneReplica if key == "replicas" => Some(Keep::UnlessOne),
            Keep::Definition(schemas) if key == "versions" => Some(Keep::Versions(schemas)),
            Keep::Versions(Schemas::LeftOut) if key == "schema" => None,
            _ => Some(Keep::All),
        }
    }
}
