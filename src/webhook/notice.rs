//! Something that a request makes worse, as data: what is wrong, where, and on what it rests.

use super::key::Key;
use crate::finding::Severity;
use std::collections::BTreeSet;

/// Something that the request makes worse.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; the first is the primary place.
    pub places: Vec<Spot>,
    /// Why, and the sums.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// The objects that it rests on, that of the request included where it is one of them. A denial holds only as far
    /// as these are what the snapshot says they are.
    pub objects: Vec<Key>,
    /// Whether the policy's baseline knows it.
    pub is_known: bool,
    /// Whether it rests on a write that was allowed and that nothing has shown yet. It denies only once a read of the
    /// objects has found that write.
    pub is_unconfirmed: bool,
}

/// A field of an object and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The object, as findings write it.
    pub object: String,
    /// The path of the field.
    pub path: String,
    /// What to say; may be empty.
    pub text: String,
}

impl Notice {
    /// Whether two notices say the same of the same objects.
    pub(super) fn is_same(&self, other: &Notice) -> bool {
        (self.rule, &self.message, &self.objects) == (other.rule, &other.message, &other.objects)
    }

    /// The same, where it rests on one of `objects`, for somebody who may not read these: its words quote them.
    pub fn concealing(&self, own: &Key, objects: &BTreeSet<Key>) -> Notice {
        if self.objects.iter().all(|it| it == own || !objects.contains(it)) {
            return self.clone();
        }
        let of_own = self.places.iter().filter(|it| it.object == own.to_string());
        Notice {
            message: format!("`{own}` does not fit objects that the user who asks may not read"),
            places: of_own.map(|it| Spot { text: String::new(), ..it.clone() }).collect(),
            notes: Vec::new(),
            help: Some("the log of purlin names them, and so does `purlin check --cluster` to whoever may read them".into()),
            objects: vec![own.clone()],
            ..self.clone()
        }
    }
}
