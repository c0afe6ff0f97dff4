//! Labels and selectors that outlive the documents they were read from, and the terms by which pods choose nodes.

use crate::analyze::selection::selector::{Operator, Selector};
use crate::text::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// What a requirement asks of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// One of these values.
    In(BTreeSet<String>),
    /// None of these values; an absent label has none.
    NotIn(BTreeSet<String>),
    /// Any value.
    Exists,
    /// No such label.
    DoesNotExist,
    /// A whole number above this one.
    Above(i64),
    /// A whole number below this one.
    Below(i64),
    /// What nobody can parse, which matches nothing.
    Never,
}

/// One condition on a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The label.
    pub key: String,
    /// What it has to be.
    pub asks: Asks,
}

impl Condition {
    /// Whether labels meet it.
    pub fn holds(&self, labels: &Labels) -> bool {
        self.holds_of(labels.get(&self.key).map(String::as_str))
    }

    fn holds_of(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|it| it.parse::<i64>().ok());
        match &self.asks {
            Asks::In(values) => value.is_some_and(|it| values.contains(it)),
            Asks::NotIn(values) => value.is_none_or(|it| !values.contains(it)),
            Asks::Exists => value.is_some(),
            Asks::DoesNotExist => value.is_none(),
            Asks::Above(bound) => number().is_some_and(|it| it > *bound),
            Asks::Below(bound) => number().is_some_and(|it| it < *bound),
            Asks::Never => false,
        }
    }
}

/// A label selector; without conditions it selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    /// All of them hold.
    pub conditions: Vec<Condition>,
}

impl LabelSelector {
    /// The same as a selector of a document.
    pub fn of(selector: &Selector<'_>) -> LabelSelector {
        let set = |values: &[&str]| values.iter().map(|it| (*it).to_string()).collect();
        let mut conditions: Vec<_> = selector
            .requirements
            .iter()
            .map(|it| Condition {
                key: it.key.to_string(),
                asks: match &it.operator {
                    Operator::In(values) => Asks::In(set(values)),
                    Operator::NotIn(values) => Asks::NotIn(set(values)),
                    Operator::Exists => Asks::Exists,
                    Operator::DoesNotExist => Asks::DoesNotExist,
                },
            })
            .collect();
        if selector.invalid {
            conditions.push(Condition { key: String::new(), asks: Asks::Never });
        }
        LabelSelector { conditions }
    }

    /// Whether it selects these labels.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.conditions.iter().all(|it| it.holds(labels))
    }

    /// Whether it has no conditions.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }
}

/// Labels of a mapping.
pub fn labels(node: Option<Node<'_>>) -> Labels {
    let pairs = node.into_iter().flat_map(Node::pairs);
    pairs.filter_map(|(key, it)| Some((key.to_string(), it.str()?.to_string()))).collect()
}

/// One of several ways in which a node may be chosen: all conditions hold of its labels and of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeTerm {
    /// On its labels.
    pub labels: Vec<Condition>,
    /// On its name (`matchFields`).
    pub name: Vec<Condition>,
}

impl NodeTerm {
    /// A NodeSelectorTerm, or a preference of one.
    pub fn parse(node: Node<'_>) -> NodeTerm {
        NodeTerm {
            labels: node.list("matchExpressions").map(condition).collect(),
            name: node.list("matchFields").map(condition).collect(),
        }
    }

    /// Whether it chooses a node. One without any condition chooses none
    /// (`component-helpers/scheduling/corev1/nodeaffinity`, isEmptyNodeSelectorTerm).
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        !(self.labels.is_empty() && self.name.is_empty())
            && self.labels.iter().all(|it| it.holds(labels))
            && self.name.iter().all(|it| it.key == "metadata.name" && it.holds_of(Some(name)))
    }
}

/// A NodeSelectorRequirement.
fn condition(node: Node<'_>) -> Condition {
    let values: Vec<_> = node.list("values").filter_map(Node::str).map(String::from).collect();
    let number = || match values.as_slice() {
        [value] => value.parse::<i64>().ok(),
        _ => None,
    };
    let asks = match (node.text("operator"), values.is_empty()) {
        (Some("In"), false) => Asks::In(values.into_iter().collect()),
        (Some("NotIn"), false) => Asks::NotIn(values.into_iter().collect()),
        (Some("Exists"), true) => Asks::Exists,
        (Some("DoesNotExist"), true) => Asks::DoesNotExist,
        (Some("Gt"), _) => number().map_or(Asks::Never, Asks::Above),
        (Some("Lt"), _) => number().map_or(Asks::Never, Asks::Below),
        _ => Asks::Never,
    };
    Condition { key: node.text("key").unwrap_or_default().to_string(), asks }
}
