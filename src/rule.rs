//! What a rule is, what it sees and what it says.
//!
//! A rule is a function of the model and the facts. It cannot fail and changes nothing; it names places by object and
//! field path, or by a span where no object came to be.

use crate::analyze::Facts;
use crate::analyze::selection::workloads::Workload;
use crate::analyze::world::Around;
use crate::api::kind::Kind;
use crate::api::version::KubernetesVersion;
use crate::architecture::Promise;
use crate::architecture::statements::Section;
pub use crate::finding::{Finding, Label, Place, Severity, Shows, Unknown};
use crate::model::{Model, ObjId, Object};
use crate::policy::Policy;
pub use crate::policy::Preset;
use crate::run::Run;

/// What a rule is about; `--only` and `--skip` take these names too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Staying up through drains, failures and rollouts.
    Disruption,
    /// Replicas, requests, quotas and room.
    Scaling,
    /// Who may talk to whom.
    Network,
    /// Names that point to other objects.
    Routing,
    /// What pods may do.
    Security,
    /// Who may do what to the API.
    Access,
    /// One object at a time.
    Object,
    /// The input itself.
    Input,
    /// What an architecture document promises.
    Architecture,
}

impl Group {
    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Group::Disruption => "disruption",
            Group::Scaling => "scaling",
            Group::Network => "network",
            Group::Routing => "routing",
            Group::Security => "security",
            Group::Access => "access",
            Group::Object => "object",
            Group::Input => "input",
            Group::Architecture => "architecture",
        }
    }
}

/// What the webhook does with a finding of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A contradiction, true whichever object comes last.
    Deny,
    /// An absence that a later object may fill.
    Warn,
    /// Needs the whole cluster; told in reports only.
    Audit,
}

impl Admission {
    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Admission::Deny => "deny",
            Admission::Warn => "warn",
            Admission::Audit => "audit",
        }
    }
}

/// How much of an image's name a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImagePart {
    /// The repository, whatever tag and digest follow.
    Repository,
    /// The tag and the digest as well.
    Whole,
}

/// A value that `purlin.yaml` may set for a rule, under `rules.<id>.<name>`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// What it is for, one sentence.
    pub about: &'static str,
    /// What it is when not set: a list of strings or numbers, written as text.
    pub default: &'static [&'static str],
}

/// An invariant.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case; names the problem; never changes.
    pub id: &'static str,
    /// One line: what is wrong where it finds something.
    pub title: &'static str,
    /// Of its findings, unless a finding says otherwise.
    pub severity: Severity,
    /// What it is about.
    pub group: Group,
    /// What the webhook does with its findings.
    pub admission: Admission,
    /// The presets that have it, the smallest of each kind; without any it is off until `purlin.yaml` sets it.
    pub presets: &'static [Preset],
    /// The kinds it looks at, apart from workloads, which every rule may read.
    pub reads: &'static [Kind],
    /// The checks of other tools that it covers, as `tool:check`; their annotations switch it off as well.
    pub like: &'static [&'static str],
    /// What `purlin.yaml` may set.
    pub parameters: &'static [Parameter],
    /// Its page, in Markdown.
    pub page: &'static str,
    /// What of the images of containers its findings may depend on. To all other rules a new image changes nothing, nor
    /// does a new tag, which is what most updates bring, to those that read the repository alone.
    pub reads_images: Option<ImagePart>,
    /// What it looks at, and what finds there what is wrong.
    pub checks: &'static [Check],
}

/// What a rule looks at in one go. What only needs one object is shared out over objects, and asked of the webhook
/// without a look at any other.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// One object of the kinds that the rule `reads`.
    Object(fn(&Cx<'_, '_>, &Object<'_>, &mut Out)),
    /// One workload with its pods, whatever kind runs them.
    Workload(fn(&Cx<'_, '_>, &Workload<'_>, &mut Out)),
    /// All objects.
    World(fn(&Cx<'_, '_>, &mut Out)),
    /// All objects, for what a section of an architecture document promises of them.
    Section(Section, fn(&Cx<'_, '_>, &mut Out)),
}

/// Rules are told apart by their ids.
impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl Rule {
    /// Whether what it finds in an object follows from that object alone.
    pub fn is_of_one_object(&self) -> bool {
        // What the check itself finds, such as an exception that is not used, has no function and is of no object.
        let is_of_many = |it: &Check| matches!(it, Check::World(_) | Check::Section(..));
        !self.checks.is_empty() && !self.checks.iter().any(is_of_many)
    }

    /// The section of an architecture document that it holds objects to, if it does.
    pub fn section(&self) -> Option<Section> {
        self.checks.iter().find_map(|it| match it {
            Check::Section(section, _) => Some(*section),
            Check::Object(_) | Check::Workload(_) | Check::World(_) => None,
        })
    }

    /// All that it finds, one object after the other.
    pub fn run(&self, cx: &Cx<'_, '_>, out: &mut Out) {
        for check in self.checks {
            match check {
                Check::World(check) | Check::Section(_, check) => check(cx, out),
                Check::Workload(check) => {
                    cx.facts.workloads().iter().for_each(|it| check(cx, it, out));
                }
                Check::Object(check) => {
                    let objects = self.reads.iter().flat_map(|kind| cx.model.of_kind(*kind));
                    objects.for_each(|it| check(cx, it, out));
                }
            }
        }
    }
}

/// Rules by id: those that purlin brings, or some of them, or others beside them.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<&'static Rule>,
}

impl RuleSet {
    /// These rules; no two of them have the same id.
    pub fn new(rules: impl IntoIterator<Item = &'static Rule>) -> RuleSet {
        let mut rules: Vec<_> = rules.into_iter().collect();
        rules.sort_by_key(|it| it.id);
        RuleSet { rules }
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static Rule> + Clone {
        self.rules.iter().copied()
    }

    /// Their ids, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.iter().map(|it| it.id)
    }

    /// The place of the rule of this id among them.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.rules.binary_search_by_key(&id, |it| it.id).ok()
    }

    /// The rule of this id.
    pub fn find(&self, id: &str) -> Option<&'static Rule> {
        self.position(id).map(|at| self.rules[at])
    }
}

/// What a rule sees.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'c, 'd> {
    /// The objects.
    pub model: &'c Model<'d>,
    /// What follows from them together.
    pub facts: &'c Facts<'d>,
    /// What may share the cluster with this world.
    pub around: &'c Around<'c, 'd>,
    /// What the user wants.
    pub policy: &'c Policy,
    /// What is so this time.
    pub run: &'c Run,
    /// The rule that is run.
    pub rule: &'static Rule,
}

impl<'c, 'd> Cx<'c, 'd> {
    /// The object of this id.
    pub fn object(&self, id: ObjId) -> &'c Object<'d> {
        self.model.object(id)
    }

    /// Whether the rule is to find what a preset has it for: that preset is chosen, or the rule was asked for by its name.
    /// For rules of which a small preset has only a part.
    pub fn asks_for(&self, preset: Preset) -> bool {
        self.policy.is_configured(self.rule.id)
            || self.policy.has_preset(preset)
            || !self.rule.presets.iter().any(|it| self.policy.has_preset(*it))
    }

    /// The version of Kubernetes that the objects are meant for: that of `purlin.yaml`, else that of the cluster that was
    /// asked, else the newest that purlin knows.
    pub fn kubernetes_version(&self) -> KubernetesVersion {
        let server = self.model.loaded.coverage.as_ref().and_then(|it| it.server);
        self.policy.kubernetes_version(server)
    }

    /// The architecture that states the objects of this world, if one does.
    pub fn stated(&self) -> Option<&'c Promise> {
        let at = self.model.architecture?;
        self.run.architecture.promises.get(at).map(|it| &**it)
    }

    /// The architectures that this world has to keep; none where its objects are only stated.
    pub fn promises(&self) -> impl Iterator<Item = &'c Promise> {
        let Model { name, .. } = *self.model;
        let is_real = !self.model.is_stated();
        let all = self.run.architecture.promises.iter();
        all.filter(move |it| is_real && it.is_for(name)).map(|it| &**it)
    }

    /// The values of one of the rule's parameters: those of `purlin.yaml`, else its default.
    pub fn parameter(&self, name: &str) -> Vec<&'c str> {
        if let Some(values) = self.policy.parameter(self.rule.id, name) {
            return values.iter().map(String::as_str).collect();
        }
        let declared = self.rule.parameters.iter().find(|it| it.name == name);
        declared.map(|it| it.default.to_vec()).unwrap_or_default()
    }
}

/// How much a rule tells of one object that is wrong in many places.
pub const MAX_REPORTED: usize = 20;

/// Where a rule puts what it found.
#[derive(Debug, Default)]
pub struct Out {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What cannot be told.
    pub unknown: Vec<Unknown>,
}

impl Out {
    /// Something is wrong.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Some things are wrong with one object, in the same way: the first are told, and that there are more. No place is
    /// computed of what is not told.
    pub fn find_some(&mut self, findings: impl IntoIterator<Item = Finding>) {
        let mut findings = findings.into_iter();
        let told: Vec<_> = findings.by_ref().take(MAX_REPORTED).collect();
        let more = findings.next().is_some();
        self.findings.extend(told.into_iter().map(|it| match more {
            true => it.note(format!("only the first {MAX_REPORTED} of this object are reported")),
            false => it,
        }));
    }

    /// The input does not tell; `missing` says what would.
    pub fn cannot_tell(&mut self, object: &Object<'_>, missing: impl Into<String>) {
        self.unknown.push(Unknown::new(object.id, missing));
    }
}
