//! What the rules say of objects that come from statements: of the statements alone, and at their places.

use crate::finding::{Finding, Label, Place};
use crate::load::origin::{Origin, Stated};
use crate::model::Model;
use crate::text::path::{FieldPath, Found};

/// Turns findings about objects that come from an architecture document into findings about the document. What rests on a
/// field that nobody stated is left out: a statement that is absent is not checked.
pub fn point_into(model: &Model<'_>, findings: &mut Vec<Finding>) {
    findings.retain(|it| {
        // What one more object would mend is a statement that is absent.
        is_stated(model, &it.labels[0].place) && it.awaits.is_empty()
    });
    for finding in findings {
        for label in &mut finding.labels {
            if let Some((place, _)) = statement(model, label) {
                label.place = place;
            }
        }
    }
}

fn is_stated(model: &Model<'_>, place: &Place) -> bool {
    let label = Label { place: place.clone(), text: String::new(), is_hint: false };
    statement(model, &label).is_none_or(|(_, is_said)| is_said)
}

/// The place of the statement that a label's field comes from, and whether it says just that.
fn statement(model: &Model<'_>, label: &Label) -> Option<(Place, bool)> {
    let Place::Field { object, path } = &label.place else { return None };
    let Some(Origin::Stated(Stated { document, statements })) =
        model.object(*object).document.origin.as_deref()
    else {
        return None;
    };
    let (_, value, found) = path.resolve(model.object(*object).root);
    let statement = statements.get(value.index() as usize)?;
    let own = model.own(*document);
    let node = own.document.tree.node(statement.node);
    let path = FieldPath::between(own.root, node);
    let is_said = found == Found::Wholly && statement.is_said;
    Some((Place::Field { object: own.id, path }, is_said))
}
