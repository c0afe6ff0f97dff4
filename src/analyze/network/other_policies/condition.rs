//! Whom a policy of another kind selects, as a condition on pods: its parts hold, do not, or cannot be told.

use crate::analyze::Facts;
use crate::analyze::selection::namespaces::{NAME_LABEL, Namespace};
use crate::analyze::selection::selector::{
    LabelValue, Operator, PodLabels, Requirement, Selector, Selects,
};
use crate::analyze::selection::workloads::Workload;
use crate::text::tree::Node;

/// A condition on a pod and its namespace.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::analyze) enum Condition<'d> {
    /// It always holds.
    Yes,
    /// Nobody here can tell.
    Unknown,
    /// A label of the pod.
    Label(Requirement<'d>),
    /// A label of its namespace.
    NamespaceLabel(Requirement<'d>),
    /// A label of the pod whose value looks so.
    LabelText(&'d str, Text<'d>),
    /// The same of its namespace.
    NamespaceLabelText(&'d str, Text<'d>),
    /// The name of its namespace, with `*` and `?` for any characters and one.
    NamespaceName(&'d str),
    /// Its service account is one of these.
    ServiceAccount(Vec<&'d str>),
    /// All of them hold.
    All(Vec<Condition<'d>>),
    /// One of them holds.
    Any(Vec<Condition<'d>>),
    /// It does not hold.
    Not(Box<Condition<'d>>),
}

/// What the value of a label looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analyze) enum Text<'d> {
    Contains(&'d str),
    StartsWith(&'d str),
    EndsWith(&'d str),
}

impl Text<'_> {
    fn fits(self, value: &str) -> bool {
        match self {
            Text::Contains(it) => value.contains(it),
            Text::StartsWith(it) => value.starts_with(it),
            Text::EndsWith(it) => value.ends_with(it),
        }
    }
}

/// What a condition is asked of.
pub(in crate::analyze) struct Place<'p, 'd> {
    namespace: &'p str,
    /// `None` where the input does not define it: only its name is known.
    namespace_labels: Option<&'p [(&'d str, &'d str)]>,
    /// `None` for any pod that there might be.
    labels: Option<&'p PodLabels<'d>>,
    service_account: Option<&'p str>,
}

impl<'p, 'd> Place<'p, 'd> {
    /// The pods of a workload.
    pub(in crate::analyze) fn new(
        facts: &'p Facts<'d>,
        workload: &'p Workload<'d>,
    ) -> Place<'p, 'd> {
        let account = workload.pod.text("serviceAccountName");
        Place {
            labels: Some(&workload.labels),
            service_account: Some(account.filter(|it| !it.is_empty()).unwrap_or("default")),
            ..Place::anywhere(facts, workload.namespace)
        }
    }

    /// Pods with these labels.
    pub(super) fn labelled(
        facts: &'p Facts<'d>,
        namespace: &'p str,
        labels: &'p PodLabels<'d>,
    ) -> Place<'p, 'd> {
        Place { labels: Some(labels), ..Place::anywhere(facts, namespace) }
    }

    /// Any pod of a namespace.
    pub(in crate::analyze) fn anywhere(facts: &'p Facts<'d>, namespace: &'p str) -> Place<'p, 'd> {
        let known: Option<&Namespace<'d>> = facts.namespaces().get(namespace);
        let defined = known.filter(|it| it.object.is_some());
        Place {
            namespace,
            namespace_labels: defined.map(|it| it.labels.as_slice()),
            labels: None,
            service_account: None,
        }
    }

    fn namespace_label(&self, key: &str) -> Option<LabelValue<'_>> {
        // Calico gives namespaces a label of its own with their name.
        if [NAME_LABEL, "projectcalico.org/name"].contains(&key) {
            return Some(LabelValue::Is(self.namespace));
        }
        let labels = self.namespace_labels?;
        let written = labels.iter().find(|it| it.0 == key);
        Some(written.map_or(LabelValue::Absent, |it| LabelValue::Is(it.1)))
    }
}

impl<'d> Condition<'d> {
    /// All requirements of a selector of labels; one that cannot be read asks for nothing that is known.
    pub(in crate::analyze) fn labels(node: Option<Node<'d>>) -> Condition<'d> {
        Condition::of_selector(node, Condition::Label)
    }

    /// The same of the labels of namespaces.
    pub(in crate::analyze) fn namespace_labels(node: Option<Node<'d>>) -> Condition<'d> {
        Condition::of_selector(node, Condition::NamespaceLabel)
    }

    fn of_selector(
        node: Option<Node<'d>>,
        of: impl Fn(Requirement<'d>) -> Condition<'d>,
    ) -> Condition<'d> {
        let Some(node) = node else { return Condition::Yes };
        let selector = Selector::parse(node);
        let mut all: Vec<_> = selector.requirements.into_iter().map(of).collect();
        if selector.invalid || !node.is_map() {
            all.push(Condition::Unknown);
        }
        Condition::All(all)
    }

    /// Whether it may hold.
    pub(in crate::analyze) fn may_hold(&self, place: &Place<'_, '_>) -> bool {
        self.holds(place) != Selects::None
    }

    fn holds(&self, place: &Place<'_, '_>) -> Selects {
        let all_or_none = |it: bool| if it { Selects::All } else { Selects::None };
        match self {
            Condition::Yes => Selects::All,
            Condition::Unknown => Selects::Some,
            Condition::Label(it) => match place.labels {
                Some(labels) => it.selects(labels.get(it.key), labels.owner),
                None => Selects::Some,
            },
            Condition::LabelText(key, text) => match place.labels.map(|it| it.get(key)) {
                Some(it) => of_text(it, *text),
                None => Selects::Some,
            },
            Condition::NamespaceLabel(it) => match place.namespace_label(it.key) {
                Some(label) => it.selects(label, ""),
                None => Selects::Some,
            },
            Condition::NamespaceLabelText(key, text) => match place.namespace_label(key) {
                Some(label) => of_text(label, *text),
                None => Selects::Some,
            },
            Condition::NamespaceName(glob) => all_or_none(fits_glob(glob, place.namespace)),
            Condition::ServiceAccount(names) => match place.service_account {
                Some(it) => all_or_none(names.contains(&it)),
                None => Selects::Some,
            },
            Condition::All(all) => {
                all.iter().map(|it| it.holds(place)).min().unwrap_or(Selects::All)
            }
            Condition::Any(any) => {
                any.iter().map(|it| it.holds(place)).max().unwrap_or(Selects::None)
            }
            Condition::Not(it) => match it.holds(place) {
                Selects::All => Selects::None,
                Selects::Some => Selects::Some,
                Selects::None => Selects::All,
            },
        }
    }

    /// The labels without which it does not hold.
    pub(in crate::analyze) fn needed_labels(&self) -> Selector<'d> {
        let mut selector = Selector::default();
        let mut open = vec![self];
        while let Some(it) = open.pop() {
            match it {
                Condition::All(all) => open.extend(all),
                Condition::Label(it) if matches!(it.operator, Operator::In(_)) => {
                    selector.requirements.push(it.clone());
                }
                _ => {}
            }
        }
        selector
    }
}

fn of_text(label: LabelValue<'_>, text: Text<'_>) -> Selects {
    match label {
        LabelValue::Is(it) if text.fits(it) => Selects::All,
        LabelValue::Is(_) | LabelValue::Absent => Selects::None,
        LabelValue::Varies | LabelValue::MayBe => Selects::Some,
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters and `?` for one. What is substituted later
/// (`{{…}}`) may be anything.
pub(in crate::analyze) fn fits_glob(pattern: &str, text: &str) -> bool {
    if pattern.contains("{{") || pattern.contains("${") {
        return true;
    }
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut of) = (0, 0);
    // The last `*`, and how much of the text it stands for.
    let mut star: Option<(usize, usize)> = None;
    while of < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(it) if *it == b'?' || *it == text[of] => (at, of) = (at + 1, of + 1),
            _ => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    (at, of) = (back + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|it| *it == b'*')
}
