//! The wording of a message apart from what it is about: its names, which stand in backticks, and its numbers.

use std::ops::Range;

/// A message and where its names and numbers are.
pub(super) struct Wording<'m> {
    message: &'m str,
    /// In order, names without their backticks.
    parts: Vec<Range<usize>>,
}

/// Longer words between two names or numbers are left out of what a message says of its own.
const MOST_BETWEEN: usize = 12;

impl<'m> Wording<'m> {
    /// Of this message.
    pub(super) fn new(message: &'m str) -> Wording<'m> {
        let mut parts = Vec::new();
        let mut at = 0;
        for (number, piece) in message.split('`').enumerate() {
            match number % 2 {
                0 => numbers(piece, at, &mut parts),
                _ => parts.push(at..at + piece.len()),
            }
            at += piece.len() + 1;
        }
        Wording { message, parts }
    }

    /// The message without names and numbers; a list of names is as good as one.
    pub(super) fn template(&self) -> String {
        let mut template = String::new();
        let mut end = 0;
        for part in &self.parts {
            let between = self.message[end..part.start].trim_matches('`');
            let is_list = !template.is_empty() && matches!(between, ", " | " and " | " or ");
            if !is_list {
                template.push_str(between);
                template.push('#');
            }
            end = part.end;
        }
        template.push_str(self.message[end..].trim_start_matches('`'));
        template
    }

    /// What the message says of its own: the names and numbers that are not the same in all, with the few words between
    /// them. `None` where it is worded otherwise than they are.
    pub(super) fn own(&self, common: &Common) -> Option<String> {
        if self.template() != common.template {
            return None;
        }
        let differs = |at: usize| common.differs.get(at).is_none_or(|it| *it);
        // One number of two says little: `2 of 3`.
        let is_own = |at: &usize| {
            differs(*at)
                || *at > 0 && differs(at - 1) && self.is_pair(at - 1)
                || self.is_pair(*at) && differs(at + 1)
        };
        let mut own = String::new();
        let mut last: Option<usize> = None;
        for at in (0..self.parts.len()).filter(is_own) {
            if let Some(last) = last {
                own.push_str(self.between(last, at));
            }
            own.push_str(&self.message[self.shown(at)]);
            last = Some(at);
        }
        Some(own)
    }

    /// Whether a part and the next one are two numbers with no more than a short word between them.
    fn is_pair(&self, at: usize) -> bool {
        let [first, second] = [at, at + 1].map(|it| self.parts.get(it));
        let (Some(first), Some(second)) = (first, second) else { return false };
        let between = &self.message[first.end..second.start];
        !between.contains('`') && between.len() <= " of ".len()
    }

    fn part(&self, at: usize) -> Option<&'m str> {
        self.parts.get(at).map(|it| &self.message[it.clone()])
    }

    /// The words between two parts, where they are few.
    fn between(&self, first: usize, second: usize) -> &'m str {
        let words = &self.message[self.shown(first).end..self.shown(second).start];
        if words.len() > MOST_BETWEEN { " … " } else { words }
    }

    /// A part with the backticks around it, if it has some.
    fn shown(&self, at: usize) -> Range<usize> {
        let Range { start, end } = self.parts[at];
        let is_tick = |it: usize| self.message.as_bytes().get(it) == Some(&b'`');
        let is_name = start > 0 && is_tick(start - 1) && is_tick(end);
        if is_name { start - 1..end + 1 } else { start..end }
    }
}

/// What messages of one wording have in common.
pub(super) struct Common {
    template: String,
    /// Whether names and numbers differ, by their place; empty where there are not as many in each.
    differs: Vec<bool>,
}

impl Common {
    /// Of these, as far as they are worded as the first is.
    pub(super) fn of(all: &[Wording<'_>]) -> Common {
        let Some(first) = all.first() else {
            return Common { template: String::new(), differs: Vec::new() };
        };
        let template = first.template();
        let alike: Vec<_> = all.iter().filter(|it| it.template() == template).collect();
        let is_list = alike.iter().any(|it| it.parts.len() != first.parts.len());
        let count = if is_list { 0 } else { first.parts.len() };
        let differs = |at: usize| alike.iter().any(|it| it.part(at) != first.part(at));
        Common { template, differs: (0..count).map(differs).collect() }
    }
}

/// Adds the words of a text that have a digit, without the punctuation around them.
fn numbers(text: &str, base: usize, parts: &mut Vec<Range<usize>>) {
    let mut at = base;
    for word in text.split(' ') {
        let trimmed = word.trim_matches(|it: char| !it.is_alphanumeric() && it != '%');
        if trimmed.contains(|it: char| it.is_ascii_digit()) {
            let start = at + (trimmed.as_ptr() as usize - word.as_ptr() as usize);
            parts.push(start..start + trimmed.len());
        }
        at += word.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_do_not_count() {
        let template = |it: &str| Wording::new(it).template();
        let first = template("`PodDisruptionBudget/a/b` lets no pod be evicted: it keeps 2 of 1");
        assert_eq!(first, "# lets no pod be evicted: it keeps # of #");
        assert_eq!(first, template("`b` lets no pod be evicted: it keeps 10 of 100%"));
        assert_eq!(template("`a`, `b` and `c` are not there"), "# are not there");
        assert_ne!(template("`a` is not there"), template("`a` are not there"));
        assert_eq!(template("a `name that has no end, 1"), "a #");
    }

    #[test]
    fn what_differs_is_told_with_the_words_between() {
        let messages = [
            "`Budget/shop/a` lets no pod be evicted: it keeps 2 of 1 in `shop`",
            "`Budget/shop/b` lets no pod be evicted: it keeps 3 of 3 in `shop`",
            "something else of `c`",
            "`Budget/shop/d` lets no pod be evicted: it keeps 2 of 1 in `shop`",
        ];
        let all = messages.map(Wording::new);
        let common = Common::of(&all);
        let own = all.iter().map(|it| it.own(&common));
        let expected = [
            Some("`Budget/shop/a` … 2 of 1"),
            Some("`Budget/shop/b` … 3 of 3"),
            None,
            Some("`Budget/shop/d` … 2 of 1"),
        ];
        assert_eq!(own.collect::<Vec<_>>(), expected.map(|it| it.map(String::from)));
        let lists =
            ["`a` and `b` are not there", "`a`, `b` and `c` are not there"].map(Wording::new);
        let own = lists[1].own(&Common::of(&lists));
        assert_eq!(own.as_deref(), Some("`a`, `b` and `c`"));
        let halves = ["`a` keeps 2 of 1", "`b` keeps 2 of 2"].map(Wording::new);
        assert_eq!(halves[1].own(&Common::of(&halves)).as_deref(), Some("`b` keeps 2 of 2"));
        let same = ["no name", "no name"].map(Wording::new);
        assert_eq!(same[0].own(&Common::of(&same)).as_deref(), Some(""));
    }

    #[test]
    fn any_text_has_a_wording() {
        for text in ["", "`", "``", "1", "`1", "é1` ü", "a  2 ", "`a``b`"] {
            let wording = Wording::new(text);
            assert!(wording.own(&Common::of(&[Wording::new(text)])).is_some(), "{text}");
        }
    }
}
