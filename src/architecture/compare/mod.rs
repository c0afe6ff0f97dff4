//! A component as it is promised, against the workload that it is.

mod counts;
mod pods;
mod storage;

use super::Promise;
use super::statements::Component;
use crate::analyze::Facts;
use crate::analyze::selection::workloads::Workload;
use crate::api::quantity::Quantity;
use crate::model::{Model, Place};
use crate::text::tree::Node;

/// A number or a word that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What it is of: `replicas.max`, `requests.cpu`.
    pub what: String,
    /// What is promised.
    pub promised: String,
    /// What is there.
    pub found: String,
    /// Where it is promised.
    pub statement: Place,
    /// Where it is otherwise.
    pub place: Place,
}

/// All that differs.
pub fn differences<'d>(
    (model, facts): (&Model<'d>, &Facts<'d>),
    promise: &Promise,
    (name, component): (&str, &Component),
    workload: &Workload<'d>,
) -> Vec<Difference> {
    let Some(said) = promise.component(name) else { return Vec::new() };
    let mut compared =
        Compared { model, facts, promise, component, said, workload, found: Vec::new() };
    counts::compare(&mut compared);
    pods::compare(&mut compared);
    storage::compare(&mut compared);
    compared.found
}

/// A component and its workload, and what was found of them.
struct Compared<'c, 'd> {
    model: &'c Model<'d>,
    facts: &'c Facts<'d>,
    promise: &'c Promise,
    component: &'c Component,
    said: Node<'c>,
    workload: &'c Workload<'d>,
    found: Vec<Difference>,
}

impl<'c, 'd> Compared<'c, 'd> {
    /// The statement at a path of the component, if it is there.
    fn stated(&self, path: &[&str]) -> Option<Node<'c>> {
        self.said.at(path).filter(|it| !it.is_null())
    }

    /// The workload's object.
    fn object(&self) -> &'c crate::model::Object<'d> {
        self.model.object(self.workload.object)
    }

    /// The place of the workload that most is about.
    fn whole(&self) -> Place {
        self.object().whole()
    }

    /// The first container: the one that a component is about.
    fn main(&self) -> Option<Node<'d>> {
        self.workload.pod.list("containers").next()
    }

    /// Keeps what differs.
    fn differs(
        &mut self,
        what: &str,
        statement: Node<'_>,
        (promised, found): (impl Into<String>, impl Into<String>),
        place: Place,
    ) {
        self.found.push(Difference {
            what: what.into(),
            promised: promised.into(),
            found: found.into(),
            statement: self.promise.place(self.model, statement),
            place,
        });
    }

    /// The place of a node of the workload's own object.
    fn object_of(&self, node: Node<'d>) -> Option<Place> {
        let object = self.object();
        let is_own = object.document.tree.node(node.index()).span() == node.span();
        is_own.then(|| object.place(node))
    }
}

/// Whether two amounts are the same, whatever their units.
fn same(a: &str, b: &str) -> bool {
    a == b || matches!((Quantity::parse(a), Quantity::parse(b)), (Ok(a), Ok(b)) if a == b)
}
