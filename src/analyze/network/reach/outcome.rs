//! What may come of asking policies about a port: several things, where something is not known.

use super::verdict::{Reason, Truth, Verdict};

/// The outcomes that are possible, and why there is more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Outcome {
    bits: u8,
    reason: Option<Reason>,
}

impl Outcome {
    /// It is let through; nobody else is asked.
    pub(super) const ALLOW: Outcome = Outcome { bits: 1, reason: None };
    /// It is held up; nobody else is asked.
    pub(super) const DENY: Outcome = Outcome { bits: 2, reason: None };
    /// The rest of the tier is left out.
    pub(super) const PASS: Outcome = Outcome { bits: 4, reason: None };
    /// Nothing fits: the next in line is asked.
    pub(super) const NEXT: Outcome = Outcome { bits: 8, reason: None };

    const EACH: [Outcome; 4] = [Outcome::ALLOW, Outcome::DENY, Outcome::PASS, Outcome::NEXT];

    /// Whether this is possible.
    pub(super) fn may(self, it: Outcome) -> bool {
        self.bits & it.bits != 0
    }

    /// The one or the other.
    pub(super) fn or(self, other: Outcome) -> Outcome {
        let reason = match (self.reason, other.reason) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Outcome { bits: self.bits | other.bits, reason }
    }

    /// The one or the other, for this reason.
    pub(super) fn or_for(self, other: Outcome, reason: Reason) -> Outcome {
        if other.bits & !self.bits == 0 {
            return self;
        }
        self.or(Outcome { bits: other.bits, reason: Some(reason) })
    }

    /// What comes of it where whoever is asked next says this.
    pub(super) fn then(self, next: Outcome) -> Outcome {
        if !self.may(Outcome::NEXT) {
            return self;
        }
        let rest = self.bits & !Outcome::NEXT.bits;
        if rest == 0 { next } else { Outcome { bits: rest, reason: self.reason }.or(next) }
    }

    /// At the end of a tier a pass means the next tier.
    pub(super) fn end_of_tier(self) -> Outcome {
        if !self.may(Outcome::PASS) {
            return self;
        }
        let bits = self.bits & !Outcome::PASS.bits | Outcome::NEXT.bits;
        Outcome { bits, reason: self.reason }
    }

    /// What comes of two policies of one priority.
    pub(super) fn beside(self, other: Outcome) -> Outcome {
        let mut both: Option<Outcome> = None;
        for a in Outcome::EACH.into_iter().filter(|it| self.may(*it)) {
            for b in Outcome::EACH.into_iter().filter(|it| other.may(*it)) {
                let one = match (a == Outcome::NEXT, b == Outcome::NEXT) {
                    (true, _) => b,
                    (_, true) => a,
                    _ if a == b => a,
                    _ => a.or_for(b, Reason::SamePriority),
                };
                both = Some(both.map_or(one, |it| it.or(one)));
            }
        }
        let both = both.unwrap_or(Outcome::NEXT);
        let reason =
            Outcome { bits: 0, reason: self.reason }.or(Outcome { bits: 0, reason: other.reason });
        both.or(reason)
    }

    /// This if something holds, else that the next is asked.
    pub(super) fn provided(self, truth: Truth) -> Outcome {
        match truth {
            Truth::Yes => self,
            Truth::No => Outcome::NEXT,
            Truth::Maybe(reason) => self.or_for(Outcome::NEXT, reason),
        }
    }

    /// The verdict where nobody is left to ask.
    pub(super) fn verdict(self) -> Verdict {
        let reason = self.reason.unwrap_or(Reason::SamePriority);
        match (self.may(Outcome::ALLOW), self.may(Outcome::DENY)) {
            (true, true) => Verdict::Undefined(reason),
            (_, true) => Verdict::Deny,
            _ => Verdict::Allow,
        }
    }
}
