//! What names an object in a cluster.

use crate::api::kind::{KINDS, Kind, group};
use crate::model::Names;
use crate::text::tree::Node;
use serde_json::{Value, json};
use std::fmt;

/// Kind, namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its namespace; empty where the kind has none.
    pub namespace: Box<str>,
    /// Its kind.
    pub kind: Kind,
    /// `group/Kind` of a custom kind; empty for all others.
    pub custom: Box<str>,
    /// Its name; empty where the API server has yet to make one (`generateName`).
    pub name: Box<str>,
}

impl Key {
    /// The key of the object that a document holds; `None` if it holds none.
    pub fn of(root: Node<'_>) -> Option<Key> {
        Some(Key::named(&Names::of(root, root.text("apiVersion")?, root.text("kind")?)))
    }

    /// The key of the object with these names. What is in a cluster says in which namespace it is.
    pub(super) fn named(names: &Names<'_>) -> Key {
        let Names { kind, api_version, kind_name, .. } = names;
        let custom = match kind {
            Kind::Custom => format!("{}/{kind_name}", group(api_version)),
            _ => String::new(),
        };
        Key {
            namespace: names.namespace("").into(),
            kind: *kind,
            custom: custom.into(),
            name: names.name().into(),
        }
    }

    /// As it is stored.
    pub(super) fn to_json(&self) -> Value {
        let Key { namespace, kind, custom, name } = self;
        json!({"kind": kind.name(), "custom": custom, "namespace": namespace, "name": name})
    }

    /// What [`Key::to_json`] has written.
    pub(super) fn of_json(stored: &Value) -> Option<Key> {
        let text = |field: &str| stored[field].as_str();
        let kind = text("kind")?;
        let kind = KINDS.iter().find(|it| it.name == kind).map_or(Kind::Custom, |it| it.kind);
        let key = Key::known(kind, text("namespace")?, text("name")?);
        Some(Key { custom: text("custom")?.into(), ..key })
    }

    /// An object of a custom kind.
    pub fn custom(group: &str, kind: &str, namespace: &str, name: &str) -> Key {
        Key {
            namespace: namespace.into(),
            kind: Kind::Custom,
            custom: format!("{group}/{kind}").into(),
            name: name.into(),
        }
    }

    /// An object of a known kind.
    pub fn known(kind: Kind, namespace: &str, name: &str) -> Key {
        Key { namespace: namespace.into(), kind, custom: "".into(), name: name.into() }
    }
}

/// `Deployment/production/api`, as findings write it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.custom.rsplit_once('/') {
            Some((_, kind)) => f.write_str(kind)?,
            None => f.write_str(self.kind.name())?,
        }
        if !self.namespace.is_empty() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", self.name)
    }
}
