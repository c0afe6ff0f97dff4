//! What is said: findings with their places, and questions that the input does not answer.

use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::ObjId;
pub use crate::model::Place;
use std::fmt;

/// A place and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What, in a few words; may be empty.
    pub text: String,
    /// Whether a finding is known again without it: it shows what may be meant, or is one of many.
    pub is_hint: bool,
}

impl Label {
    /// A place without a word.
    pub fn at(place: Place) -> Label {
        Label { place, text: String::new(), is_hint: false }
    }
}

/// How much of the source a report may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The lines as they stand.
    Everything,
    /// Keys only: the values are secrets, and reports end up in logs.
    Keys,
}

/// How far something is over its bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// What, within the primary object: `requests.cpu`.
    pub of: String,
    /// By how much.
    pub by: Quantity,
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
    /// By how much what is over its bound; what the webhook compares to tell whether a change makes it worse.
    pub over: Vec<Over>,
    /// Kinds of objects of which one more would mend it; empty where nothing that is added does.
    pub awaits: &'static [Kind],
    /// Whether it is told by names and forms that may deceive; the webhook denies nothing for it.
    pub is_guess: bool,
    /// Whether two objects of it do the same in one namespace, as before and after a new name; the webhook denies nothing
    /// for it.
    pub is_rename: bool,
    /// Whether another finding says it of the whole that this is a part of: the reports of a terminal leave it out.
    pub is_told: bool,
    /// How much of the source a report may show.
    pub shows: Shows,
    /// The worlds in which it was found, as places in the outcome's list; empty where that says nothing.
    pub worlds: Vec<u32>,
    /// What it is known by from one run to the next; filled in by the check.
    pub fingerprint: String,
    /// The same where other worlds of it have it under another name.
    pub also: Vec<String>,
}

impl Finding {
    /// A finding with its primary place.
    pub fn new(message: impl Into<String>, place: Place, text: impl Into<String>) -> Finding {
        Finding {
            rule: "",
            severity: None,
            message: message.into(),
            labels: vec![Label { place, text: text.into(), is_hint: false }],
            notes: Vec::new(),
            help: None,
            over: Vec::new(),
            awaits: &[],
            is_guess: false,
            is_rename: false,
            is_told: false,
            shows: Shows::Everything,
            worlds: Vec::new(),
            fingerprint: String::new(),
            also: Vec::new(),
        }
    }

    /// All that it is known by.
    pub fn fingerprints(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.fingerprint).chain(&self.also)
    }

    /// Another place that is part of it.
    pub fn label(mut self, place: Place, text: impl Into<String>) -> Finding {
        self.labels.push(Label { place, text: text.into(), is_hint: false });
        self
    }

    /// A place that is not part of it and may help to mend it: what comes near to what is missing. Which one that is
    /// depends on all that is there, so a finding is known again without it.
    pub fn hint(mut self, place: Place, text: impl Into<String>) -> Finding {
        self.labels.push(Label { place, text: text.into(), is_hint: true });
        self
    }

    /// Says whether another finding tells it of the whole.
    pub fn told(mut self, is_told: bool) -> Finding {
        self.is_told = is_told;
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

    /// By how much something is over its bound. `of` names it within the primary object, whatever else changes there;
    /// of what there is or is not, such as a missing field, it is one.
    pub fn over(mut self, of: impl Into<String>, by: Quantity) -> Finding {
        self.over.push(Over { of: of.into(), by });
        self
    }

    /// Its primary place is a field that the API server fills in, and may as well be absent: the finding is known again
    /// without it.
    pub fn filled_in(mut self) -> Finding {
        self.labels[0].is_hint = true;
        self
    }

    /// One more object of one of these kinds would mend it. An apply has an order, so the webhook warns of it, and denies
    /// only where an object of such a kind is changed and so no longer does what it did.
    pub fn awaits(mut self, kinds: &'static [Kind]) -> Finding {
        self.awaits = kinds;
        self
    }

    /// It is told by names and forms that may deceive, so the webhook only warns of it.
    pub fn guessed(mut self) -> Finding {
        self.is_guess = true;
        self
    }

    /// Two of its objects do the same in one namespace: most likely one is the other under a new name, and the old one
    /// goes last. The webhook warns of it where the second is created.
    pub fn renamed(mut self, is_rename: bool) -> Finding {
        self.is_rename = is_rename;
        self
    }

    /// Keeps the values at its places out of reports.
    pub fn concealed(mut self) -> Finding {
        self.shows = Shows::Keys;
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
    /// The worlds in which it is asked, as places in the outcome's list; empty where that says nothing.
    pub worlds: Vec<u32>,
    /// What it is known by from one run to the next; filled in by the check.
    pub fingerprint: String,
}

impl Unknown {
    /// A question about an object.
    pub fn new(object: ObjId, missing: impl Into<String>) -> Unknown {
        let (missing, fingerprint) = (missing.into(), String::new());
        Unknown { rule: "", object, missing, worlds: Vec::new(), fingerprint }
    }
}

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
