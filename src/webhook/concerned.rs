//! Which rules a request concerns, and which of them need no more than its object.

use crate::load::Document;
use crate::model::kind::{Kind, WORKLOADS};
use crate::rule::{Admission, Rule};
use crate::rules::RULES;
use crate::tree::{Node, Value};

/// Rules whose findings on an object follow from that object alone, so that no other has to be looked at.
const ALONE: [&str; 5] = [
    "image-tag-latest",
    "invalid-network-policy",
    "invalid-quantity",
    "secret-in-repository",
    "selector-mismatch",
];

/// Rules that look at the images of containers. To all others a new image, which is what most updates bring, changes
/// nothing.
const OF_IMAGES: [&str; 3] = ["image-tag-latest", "pdb-breaks-quorum", "service-spans-workloads"];

/// Whether what a rule finds in an object follows from that object alone.
pub fn is_alone(rule: &Rule) -> bool {
    ALONE.contains(&rule.id)
}

/// Whether what a rule finds may depend on the images of containers.
pub fn is_of_images(rule: &Rule) -> bool {
    OF_IMAGES.contains(&rule.id)
}

/// The rules that may find something else once an object of this kind is the one of the two and no longer the other;
/// `None` where it is not there. Every rule may read workloads.
pub(super) fn concerned(
    kind: Kind,
    before: Option<&Document>,
    after: Option<&Document>,
) -> impl Iterator<Item = &'static Rule> {
    let is_workload = WORKLOADS.contains(&kind) || after.is_some() && kind == Kind::Custom;
    let only_images = match (before, after) {
        (Some(before), Some(after)) if WORKLOADS.contains(&kind) => {
            only_images_differ(before.tree.root(), after.tree.root())
        }
        _ => false,
    };
    let is_concerned = move |it: &&&Rule| {
        it.admission != Admission::Audit
            && (is_workload || it.reads.contains(&kind))
            && (!only_images || is_of_images(it))
    };
    RULES.iter().filter(is_concerned).copied()
}

/// Whether two versions of a workload say the same but for the images of their containers. Of keys in another order it
/// is not said, though they mean the same.
fn only_images_differ(before: Node<'_>, after: Node<'_>) -> bool {
    /// What a node is, as far as it matters here.
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        Other,
        Containers,
        Container,
    }
    let mut open = vec![(before, after, Part::Other)];
    while let Some((a, b, part)) = open.pop() {
        match (a.value(), b.value()) {
            (Value::Seq, Value::Seq) if a.count() == b.count() => {
                let below = if part == Part::Containers { Part::Container } else { Part::Other };
                open.extend(a.items().zip(b.items()).map(|(a, b)| (a, b, below)));
            }
            (Value::Map, Value::Map) if a.count() == b.count() => {
                for ((key, a), (other, b)) in a.entries().zip(b.entries()) {
                    if key.str() != other.str() {
                        return false;
                    }
                    let is_image = part == Part::Container && key.str() == Some("image");
                    if is_image && a.str().is_some() && b.str().is_some() {
                        continue;
                    }
                    let below = match key.str() {
                        Some("containers" | "initContainers") => Part::Containers,
                        _ => Part::Other,
                    };
                    open.push((a, b, below));
                }
            }
            (Value::Seq | Value::Map, _) | (_, Value::Seq | Value::Map) => return false,
            (a, b) if a == b => {}
            _ => return false,
        }
    }
    true
}
