//! Which rules a request concerns, and which of them need no more than its object.

use super::context::Context;
use super::rulebook::Concerned;
use crate::api::kind::{Kind, WORKLOADS};
use crate::check;
use crate::load::Document;
use crate::rule::Rule;
use crate::text::tree::{Node, Value};

/// The rules that may find something else once an object of this kind is the one of the two and no longer the other;
/// `None` where it is not there.
pub(super) fn concerned(
    kind: Kind,
    before: Option<&Document>,
    after: Option<&Document>,
    context: &Context<'_>,
) -> Concerned {
    let Context { policy, run, .. } = context;
    // What no longer runs pods needs nothing of what others have.
    if kind == Kind::Custom && after.is_none() {
        return Concerned::default();
    }
    let only_images = match (before, after) {
        (Some(before), Some(after)) if WORKLOADS.contains(&kind) => {
            only_images_differ(before.tree.root(), after.tree.root())
        }
        _ => false,
    };
    // Where nothing is promised nothing differs, and the many kinds that promises are about need not be read.
    let is_promised = !run.architecture.promises.is_empty() || !policy.flows.is_empty();
    let is_concerned = |it: &&'static Rule| {
        check::is_on(it, policy)
            && (!only_images || it.reads_images)
            && (is_promised || it.section().is_none())
    };
    let Concerned { alone, together } = context.rules.of_kind(kind);
    let concerned = |rules: &[&'static Rule]| rules.iter().copied().filter(is_concerned).collect();
    Concerned { alone: concerned(alone), together: concerned(together) }
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
