//! Which rules a request concerns, and which of them need no more than its object.

use super::context::Context;
use super::rulebook::Concerned;
use crate::api::image::Image;
use crate::api::kind::{Kind, WORKLOADS};
use crate::check;
use crate::load::Document;
use crate::rule::{ImagePart, Rule};
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
        _ => None,
    };
    // Where nothing is promised nothing differs, and the many kinds that promises are about need not be read.
    let is_promised = !run.architecture.promises.is_empty() || !policy.flows.is_empty();
    let is_concerned = |it: &&'static Rule| {
        check::is_on(it, policy)
            && only_images.is_none_or(|differs| it.reads_images.is_some_and(|it| it >= differs))
            && (is_promised || it.section().is_none())
    };
    let Concerned { alone, together } = context.rules.of_kind(kind);
    let concerned = |rules: &[&'static Rule]| rules.iter().copied().filter(is_concerned).collect();
    Concerned { alone: concerned(alone), together: concerned(together) }
}

/// What of the images of their containers is not the same, where two versions of a workload say the same but for these;
/// else `None`. Of keys in another order it is not said, though they mean the same.
fn only_images_differ(before: Node<'_>, after: Node<'_>) -> Option<ImagePart> {
    /// What a node is, as far as it matters here.
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        Other,
        Containers,
        Container,
    }
    let mut differs = ImagePart::Whole;
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
                        return None;
                    }
                    let is_image = part == Part::Container && key.str() == Some("image");
                    if is_image && let (Some(a), Some(b)) = (a.str(), b.str()) {
                        let is_same = Image::of(a).repository == Image::of(b).repository;
                        differs = if is_same { differs } else { ImagePart::Repository };
                        continue;
                    }
                    let below = match key.str() {
                        Some("containers" | "initContainers") => Part::Containers,
                        _ => Part::Other,
                    };
                    open.push((a, b, below));
                }
            }
            (Value::Seq | Value::Map, _) | (_, Value::Seq | Value::Map) => return None,
            (a, b) if a == b => {}
            _ => return None,
        }
    }
    Some(differs)
}
