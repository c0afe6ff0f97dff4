//! Which rules a request concerns, and which of them need no more than its object.

use crate::api::kind::{KINDS, Kind, WORKLOADS};
use crate::check;
use crate::load::Document;
use crate::policy::Policy;
use crate::rule::{Admission, Rule};
use crate::rules::built_in;
use crate::text::tree::{Node, Value};
use std::sync::LazyLock;

/// Rules that a request concerns.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Those that look at one object.
    pub(super) alone: Vec<&'static Rule>,
    /// Those that look at others as well.
    pub(super) together: Vec<&'static Rule>,
}

/// By kind, the rules that look at objects of it. Every rule may read workloads.
static BY_KIND: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    let kinds = KINDS.iter().map(|it| it.kind).chain([Kind::Custom]);
    let of_kind = |kind: Kind| {
        let is_workload = WORKLOADS.contains(&kind) || kind == Kind::Custom;
        let rules = built_in().iter().filter(|it| it.admission != Admission::Audit);
        let rules = rules.filter(|it| is_workload || it.reads.contains(&kind));
        let (alone, together) = rules.partition(|it| it.is_of_one_object());
        Rules { alone, together }
    };
    kinds.map(of_kind).collect()
});

/// The rules that may find something else once an object of this kind is the one of the two and no longer the other;
/// `None` where it is not there.
pub(super) fn concerned(
    kind: Kind,
    before: Option<&Document>,
    after: Option<&Document>,
    policy: &Policy,
) -> Rules {
    // What no longer runs pods needs nothing of what others have.
    if kind == Kind::Custom && after.is_none() {
        return Rules::default();
    }
    let only_images = match (before, after) {
        (Some(before), Some(after)) if WORKLOADS.contains(&kind) => {
            only_images_differ(before.tree.root(), after.tree.root())
        }
        _ => false,
    };
    let is_concerned =
        |it: &&'static Rule| check::is_on(it, policy) && (!only_images || it.reads_images);
    let Rules { alone, together } = &BY_KIND[kind as usize];
    let concerned = |rules: &[&'static Rule]| rules.iter().copied().filter(is_concerned).collect();
    Rules { alone: concerned(alone), together: concerned(together) }
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
