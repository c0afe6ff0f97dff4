//! What a rule is, what it sees and what it says.
//!
//! A rule is a function of the model and the facts. It cannot fail and changes nothing; it names places by object and
//! field path, or by a span where no object came to be.

use crate::analyze::Facts;
use crate::model::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::path::FieldPath;
use crate::policy::Policy;
use crate::source::{SourceId, Span};
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Advice.
    Note,
    /// A real risk.
    Warning,
    /// Will break, or cannot hold.
    Error,
}

impl Severity {
    /// The severity of this name.
    pub fn parse(text: &str) -> Option<Severity> {
        Some(match text {
            "note" => Severity::Note,
            "warning" => Severity::Warning,
            "error" => Severity::Error,
            _ => return None,
        })
    }

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
    /// One object at a time.
    Object,
    /// The input itself.
    Input,
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
            Group::Object => "object",
            Group::Input => "input",
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
    /// The kinds it looks at, apart from workloads, which every rule may read.
    pub reads: &'static [Kind],
    /// The checks of other tools that it covers, as `tool:check`; their annotations switch it off as well.
    pub like: &'static [&'static str],
    /// What `purlin.yaml` may set.
    pub parameters: &'static [Parameter],
    /// Its page, in Markdown.
    pub page: &'static str,
    /// Finds what is wrong.
    pub check: fn(&Cx<'_, '_>, &mut Out),
}

/// Where a finding points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A field of an object; may be absent, then the innermost field that is there is meant.
    Field {
        /// The object.
        object: ObjId,
        /// The field.
        path: FieldPath,
    },
    /// Text that is no object.
    Text {
        /// Its source.
        source: SourceId,
        /// Its bytes.
        span: Span,
    },
}

/// A place and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What, in a few words; may be empty.
    pub text: String,
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's id; filled in by the check.
    pub rule: &'static str,
    /// Filled in by the check unless the rule chose one.
    pub severity: Option<Severity>,
    /// What: lower case, no full stop, names in backticks.
    pub message: String,
    /// Where; the first is the primary one.
    pub labels: Vec<Label>,
    /// Why, and the sums.
    pub notes: Vec<String>,
    /// What to do, with the computed value.
    pub help: Option<String>,
}

impl Finding {
    /// A finding with its primary place.
    pub fn new(message: impl Into<String>, place: Place, text: impl Into<String>) -> Finding {
        Finding {
            rule: "",
            severity: None,
            message: message.into(),
            labels: vec![Label { place, text: text.into() }],
            notes: Vec::new(),
            help: None,
        }
    }

    /// Another place that is part of it.
    pub fn label(mut self, place: Place, text: impl Into<String>) -> Finding {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// Why, or the sum.
    pub fn note(mut self, text: impl Into<String>) -> Finding {
        self.notes.push(text.into());
        self
    }

    /// What to do.
    pub fn help(mut self, text: impl Into<String>) -> Finding {
        self.help = Some(text.into());
        self
    }

    /// Another severity than the rule's.
    pub fn severity(mut self, severity: Severity) -> Finding {
        self.severity = Some(severity);
        self
    }
}

/// A question that the input does not answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// The rule's id; filled in by the check.
    pub rule: &'static str,
    /// The object that it is asked of.
    pub object: ObjId,
    /// What cannot be told and what would settle it: lower case, no full stop.
    pub missing: String,
}

/// What a rule sees.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'c, 'd> {
    /// The objects.
    pub model: &'c Model<'d>,
    /// What follows from them together.
    pub facts: &'c Facts<'d>,
    /// What the user wants.
    pub policy: &'c Policy,
    /// The rule that is run.
    pub rule: &'static Rule,
}

impl<'c, 'd> Cx<'c, 'd> {
    /// The object of this id.
    pub fn object(&self, id: ObjId) -> &'c Object<'d> {
        self.model.object(id)
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

    /// The input does not tell; `missing` says what would.
    pub fn cannot_tell(&mut self, object: &Object<'_>, missing: impl Into<String>) {
        self.unknown.push(Unknown { rule: "", object: object.id, missing: missing.into() });
    }
}
