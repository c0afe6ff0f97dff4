//! Label selectors with their full semantics, over the labels that pods will carry.
//!
//! `k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go`, LabelSelectorAsSelector.

use super::labels::{self, Labels};
use crate::text::tree::Node;
use std::fmt;

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement<'d> {
    /// The label's key.
    pub key: &'d str,
    /// What its value has to be.
    pub operator: Operator<'d>,
}

/// What a requirement asks of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operator<'d> {
    /// One of these values; `matchLabels` is this with one.
    In(Vec<&'d str>),
    /// None of these values; an absent label is none of them.
    NotIn(Vec<&'d str>),
    /// Any value.
    Exists,
    /// No such label.
    DoesNotExist,
}

/// A label selector: all of its requirements hold. Without any it selects everything; what an *absent* selector means
/// differs from field to field, so that is the caller's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Selector<'d> {
    /// What has to hold.
    pub requirements: Vec<Requirement<'d>>,
    /// The API server refuses it, so nothing is ever selected by it.
    pub invalid: bool,
}

/// How many of the pods of one template a selector selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selects {
    /// None of them.
    None,
    /// Some, or it depends on a label whose value only the controller knows.
    Some,
    /// Every one.
    All,
}

/// The labels of the pods of one template.
#[derive(Clone, Debug, Default)]
pub struct PodLabels<'d> {
    /// Those written in the template.
    pub written: Labels<'d>,
    /// Keys that the controller adds, with values of its own.
    pub added: &'static [&'static str],
    /// The workload's name, from which the controller makes some of those values.
    pub owner: &'d str,
    /// Whether there may be more, of which nobody knows.
    pub has_more: bool,
    /// The labels of each pod, where these are known one by one and differ; `written` has what they share.
    pub each: Vec<Vec<(&'d str, &'d str)>>,
}

/// What a label of a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LabelValue<'d> {
    /// This, on every pod.
    Is(&'d str),
    /// There, with a value that differs from pod to pod or that only the controller knows.
    Varies,
    /// Not there.
    Absent,
    /// There or not, with whatever value.
    MayBe,
}

impl<'d> PodLabels<'d> {
    /// The label under `key`.
    pub fn get(&self, key: &str) -> LabelValue<'d> {
        if self.added.contains(&key) {
            return LabelValue::Varies;
        }
        match self.written.value(key) {
            Some(value) => LabelValue::Is(value),
            None if self.varying().any(|it| it == key) => LabelValue::Varies,
            None if self.has_more => LabelValue::MayBe,
            None => LabelValue::Absent,
        }
    }

    /// The labels that all pods have.
    pub fn of_all(written: Vec<(&'d str, &'d str)>, owner: &'d str) -> PodLabels<'d> {
        PodLabels { written: written.into(), owner, ..PodLabels::default() }
    }

    /// The labels of pods that are known one by one.
    pub fn of_each(mut each: Vec<Vec<(&'d str, &'d str)>>, owner: &'d str) -> PodLabels<'d> {
        let mut written = each.first().cloned().unwrap_or_default();
        if each.len() > 1 {
            written.retain(|label| each.iter().all(|it| it.contains(label)));
        }
        if each.iter().all(|it| it.len() == written.len()) {
            each.clear();
        }
        PodLabels { written: written.into(), owner, each, ..PodLabels::default() }
    }

    /// The keys of labels that differ from pod to pod, where the pods are known one by one; some more than once.
    pub fn varying(&self) -> impl Iterator<Item = &'d str> {
        let all = self.each.iter().flatten().filter(|it| !self.written.has(**it));
        all.map(|(key, _)| *key)
    }
}

impl<'d> Selector<'d> {
    /// Reads a LabelSelector (`matchLabels`, `matchExpressions`).
    pub fn parse(node: Node<'d>) -> Selector<'d> {
        let mut selector = match node.get("matchLabels") {
            Some(labels) => Selector::parse_map(labels),
            None => Selector::default(),
        };
        for expression in node.list("matchExpressions") {
            match requirement(expression) {
                Some(it) => selector.requirements.push(it),
                None => selector.invalid = true,
            }
        }
        selector
    }

    /// Reads a plain mapping, as Services have it.
    pub fn parse_map(node: Node<'d>) -> Selector<'d> {
        let requirements = node
            .pairs()
            .map(|(key, value)| Requirement {
                key,
                operator: Operator::In(value.str().into_iter().collect()),
            })
            .collect();
        Selector { requirements, invalid: false }
    }

    /// What selects this label.
    pub fn of_label(key: &'d str, value: &'d str) -> Selector<'d> {
        let requirement = Requirement { key, operator: Operator::In(vec![value]) };
        Selector { requirements: vec![requirement], invalid: false }
    }

    /// The labels that have to be there with one value.
    pub fn labels(&self) -> impl Iterator<Item = (&'d str, &'d str)> {
        self.requirements.iter().filter_map(|it| match &it.operator {
            Operator::In(values) if values.len() == 1 => Some((it.key, values[0])),
            _ => None,
        })
    }

    /// Whether it has no requirements.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty() && !self.invalid
    }

    /// Which of the pods with these labels it selects.
    pub fn selects(&self, labels: &PodLabels<'_>) -> Selects {
        if self.invalid {
            return Selects::None;
        }
        if let Some(count) = self.count(labels) {
            return match count {
                0 => Selects::None,
                all if all == labels.each.len() => Selects::All,
                _ => Selects::Some,
            };
        }
        let each = self.requirements.iter().map(|it| it.selects(labels.get(it.key), labels.owner));
        each.min().unwrap_or(Selects::All)
    }

    /// How many pods it selects, where these are known one by one.
    pub fn count(&self, labels: &PodLabels<'_>) -> Option<usize> {
        if labels.each.is_empty() {
            return None;
        }
        Some(labels.each.iter().filter(|it| self.matches(it)).count())
    }

    /// Whether it would select pods with these labels once they carried more: it asks for one of them at least, and
    /// contradicts none.
    pub fn selects_with_more(&self, labels: &PodLabels<'_>) -> bool {
        let selects = |it: &Requirement<'_>| it.selects(labels.get(it.key), labels.owner);
        !self.invalid
            && self.requirements.iter().any(|it| selects(it) != Selects::None)
            && self
                .requirements
                .iter()
                .all(|it| labels.get(it.key) == LabelValue::Absent || selects(it) != Selects::None)
    }

    /// Whether it selects an object with these labels.
    pub fn matches(&self, labels: &[(&str, &str)]) -> bool {
        let index = labels::index(labels, self.requirements.len());
        let value = |key: &str| {
            let value = labels::value(labels, index.as_ref(), key);
            value.map_or(LabelValue::Absent, LabelValue::Is)
        };
        !self.invalid
            && self.requirements.iter().all(|it| it.selects(value(it.key), "") == Selects::All)
    }
}

fn requirement<'d>(node: Node<'d>) -> Option<Requirement<'d>> {
    let key = node.text("key").filter(|it| !it.is_empty())?;
    let values: Vec<_> = node.list("values").filter_map(Node::str).collect();
    let operator = match (node.text("operator")?, values.is_empty()) {
        ("In", false) => Operator::In(values),
        ("NotIn", false) => Operator::NotIn(values),
        ("Exists", true) => Operator::Exists,
        ("DoesNotExist", true) => Operator::DoesNotExist,
        _ => return None,
    };
    Some(Requirement { key, operator })
}

impl Requirement<'_> {
    /// How many of the pods with such a label it holds of.
    pub(in crate::analyze) fn selects(&self, label: LabelValue<'_>, owner: &str) -> Selects {
        let all_or_none = |it: bool| if it { Selects::All } else { Selects::None };
        match (&self.operator, label) {
            (Operator::In(values), LabelValue::Is(value)) => all_or_none(values.contains(&value)),
            (Operator::In(values), LabelValue::Varies) => {
                if values.iter().any(|value| may_be(self.key, owner, value)) {
                    Selects::Some
                } else {
                    Selects::None
                }
            }
            (Operator::In(_), LabelValue::Absent) => Selects::None,
            (Operator::NotIn(values), LabelValue::Is(value)) => {
                all_or_none(!values.contains(&value))
            }
            (Operator::NotIn(values), LabelValue::Varies) => {
                if values.iter().any(|value| may_be(self.key, owner, value)) {
                    Selects::Some
                } else {
                    Selects::All
                }
            }
            (Operator::NotIn(_), LabelValue::Absent) => Selects::All,
            (_, LabelValue::MayBe) => Selects::Some,
            (Operator::Exists, label) => all_or_none(label != LabelValue::Absent),
            (Operator::DoesNotExist, label) => all_or_none(label == LabelValue::Absent),
        }
    }
}

/// Whether the controller may give a pod of `owner` this value. Where it makes the value of the owner's name, we know.
fn may_be(key: &str, owner: &str, value: &str) -> bool {
    match key {
        "statefulset.kubernetes.io/pod-name" => value
            .strip_prefix(owner)
            .and_then(|it| it.strip_prefix('-'))
            .is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit())),
        "apps.kubernetes.io/pod-index" => value.bytes().all(|it| it.is_ascii_digit()),
        "job-name" | "batch.kubernetes.io/job-name" => value.starts_with(owner),
        _ => true,
    }
}

/// `app=api,tier in (a, b)`, as kubectl prints selectors.
impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.requirements.is_empty() {
            return f.write_str("everything");
        }
        for (at, it) in self.requirements.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            match &it.operator {
                Operator::In(values) if values.len() == 1 => write!(f, "{}={}", it.key, values[0])?,
                Operator::In(values) => write!(f, "{} in ({})", it.key, values.join(", "))?,
                Operator::NotIn(values) => write!(f, "{} notin ({})", it.key, values.join(", "))?,
                Operator::Exists => f.write_str(it.key)?,
                Operator::DoesNotExist => write!(f, "!{}", it.key)?,
            }
        }
        Ok(())
    }
}
