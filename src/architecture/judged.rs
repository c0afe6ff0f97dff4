//! What the rules say of objects that come from statements: of the statements alone, and at their places.

use crate::finding::{Finding, Label, Place};
use crate::load::origin::{Origin, Stated};
use crate::model::Model;
use crate::text::path::{FieldPath, Found, Step};
use crate::text::tree::Node;

/// Turns findings about objects that come from an architecture document into findings about the document. What rests on a
/// field that nobody stated is left out: a statement that is absent is not checked.
pub fn point_into(model: &Model<'_>, findings: &mut Vec<Finding>) {
    findings.retain(|it| {
        // What one more object would mend is a statement that is absent.
        is_stated(model, &it.labels[0].place) && it.awaits.is_empty()
    });
    findings.retain(|it| !is_observed(model, &it.labels[0]));
    for finding in findings {
        for label in &mut finding.labels {
            if let Some((place, _)) = statement(model, label) {
                label.place = place;
            }
        }
    }
}

/// Whether a label is at a component, namespace or flow that nobody decided: what is wrong there is so where it was found.
fn is_observed(model: &Model<'_>, label: &Label) -> bool {
    let place = statement(model, label).map_or_else(|| label.place.clone(), |it| it.0);
    let Place::Field { object, path } = &place else { return false };
    let object = model.object(*object);
    let mut node = object.root;
    for step in path.steps() {
        let below = match step {
            Step::Key(key) => node.get(key),
            Step::Index(at) => node.item(*at as usize),
        };
        let Some(below) = below else { break };
        node = below;
        if node.get("observed").and_then(Node::bool) == Some(true) {
            return true;
        }
    }
    false
}

fn is_stated(model: &Model<'_>, place: &Place) -> bool {
    let label = Label { place: place.clone(), text: String::new(), is_hint: false };
    statement(model, &label).is_none_or(|(_, is_said)| is_said)
}

/// The place of the statement that a label's field comes from, and whether it says just that.
fn statement(model: &Model<'_>, label: &Label) -> Option<(Place, bool)> {
    let Place::Field { object, path } = &label.place else { return None };
    let Some(Origin::Stated(Stated { statements })) =
        model.object(*object).document.origin.as_deref()
    else {
        return None;
    };
    let (_, value, found) = path.resolve(model.object(*object).root);
    let statement = statements.get(value.index() as usize)?;
    let own = model.own(statement.document);
    let node = own.document.tree.node(statement.node);
    let path = FieldPath::between(own.root, node);
    let is_said = found == Found::Wholly && statement.is_said;
    Some((Place::Field { object: own.id, path }, is_said))
}
