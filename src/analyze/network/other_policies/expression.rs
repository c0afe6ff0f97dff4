//! Selectors of Calico: `app == 'web' && has(tier) && !(zone in {'a', 'b'})`
//! (<https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors>, `libcalico-go/lib/selector`).

use super::condition::{Condition, Text};
use crate::analyze::selection::selector::{Operator, Requirement};

/// A selector of pods; `None` where it cannot be read.
pub(in crate::analyze) fn pods(text: &str) -> Option<Condition<'_>> {
    parse(text, false)
}

/// A selector of namespaces; `None` where it cannot be read.
pub(in crate::analyze) fn namespaces(text: &str) -> Option<Condition<'_>> {
    parse(text, true)
}

fn parse(text: &str, of_namespaces: bool) -> Option<Condition<'_>> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, of_namespaces, depth: 0 };
    let condition = parser.either()?;
    parser.tokens.is_empty().then_some(condition)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'d> {
    /// A label's key, a word or the name of a function.
    Word(&'d str),
    /// In quotes.
    Text(&'d str),
    /// One of `( ) { } , ! == != && ||`.
    Sign(&'static str),
}

const SIGNS: [&str; 10] = ["==", "!=", "&&", "||", "(", ")", "{", "}", ",", "!"];

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|it| rest.starts_with(**it)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if matches!(first, '\'' | '"') {
            let (inner, after) = rest[1..].split_once(first)?;
            tokens.push(Token::Text(inner));
            rest = after;
        } else {
            let is_word = |it: char| it.is_ascii_alphanumeric() || "_./-".contains(it);
            let end = rest.find(|it| !is_word(it)).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            tokens.push(Token::Word(&rest[..end]));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

/// More brackets within each other than this nobody writes.
const DEEPEST: usize = 64;

struct Parser<'t, 'd> {
    tokens: &'t [Token<'d>],
    of_namespaces: bool,
    depth: usize,
}

impl<'d> Parser<'_, 'd> {
    fn next(&mut self) -> Option<Token<'d>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let is_there = self.tokens.first() == Some(&Token::Sign(sign));
        if is_there {
            self.tokens = &self.tokens[1..];
        }
        is_there
    }

    fn either(&mut self) -> Option<Condition<'d>> {
        let mut any = vec![self.both()?];
        while self.take("||") {
            any.push(self.both()?);
        }
        if any.len() == 1 { any.pop() } else { Some(Condition::Any(any)) }
    }

    fn both(&mut self) -> Option<Condition<'d>> {
        let mut all = vec![self.one()?];
        while self.take("&&") {
            all.push(self.one()?);
        }
        if all.len() == 1 { all.pop() } else { Some(Condition::All(all)) }
    }

    fn one(&mut self) -> Option<Condition<'d>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let found = if self.take("!") {
            self.one().map(|it| Condition::Not(Box::new(it)))
        } else if self.take("(") {
            self.either().filter(|_| self.take(")"))
        } else {
            self.condition()
        };
        self.depth -= 1;
        found
    }

    fn condition(&mut self) -> Option<Condition<'d>> {
        let Token::Word(word) = self.next()? else { return None };
        if self.take("(") {
            return self.function(word);
        }
        let text = match self.next()? {
            Token::Word("contains") => Text::Contains(self.text()?),
            Token::Word("starts") => Text::StartsWith(self.with()?),
            Token::Word("ends") => Text::EndsWith(self.with()?),
            sign => {
                let operator = self.operator(sign)?;
                return Some(self.label(word, operator));
            }
        };
        Some(self.label_text(word, text))
    }

    fn operator(&mut self, sign: Token<'d>) -> Option<Operator<'d>> {
        Some(match sign {
            Token::Sign("==") => Operator::In(vec![self.text()?]),
            // An absent label is not equal either.
            Token::Sign("!=") => Operator::NotIn(vec![self.text()?]),
            Token::Word("in") => Operator::In(self.list()?),
            Token::Word("not") if self.next()? == Token::Word("in") => {
                Operator::NotIn(self.list()?)
            }
            _ => return None,
        })
    }

    /// `with 'text'` after `starts` or `ends`.
    fn with(&mut self) -> Option<&'d str> {
        let is_with = self.next()? == Token::Word("with");
        self.text().filter(|_| is_with)
    }

    fn function(&mut self, name: &str) -> Option<Condition<'d>> {
        let found = match name {
            "all" => Condition::Yes,
            // Whatever is in no namespace, which pods are not.
            "global" => Condition::Any(Vec::new()),
            "has" => {
                let Token::Word(key) = self.next()? else { return None };
                self.label(key, Operator::Exists)
            }
            _ => return None,
        };
        self.take(")").then_some(found)
    }

    fn text(&mut self) -> Option<&'d str> {
        match self.next()? {
            Token::Text(it) => Some(it),
            _ => None,
        }
    }

    fn list(&mut self) -> Option<Vec<&'d str>> {
        let mut texts = Vec::new();
        if !self.take("{") {
            return None;
        }
        while !self.take("}") {
            texts.push(self.text()?);
            self.take(",");
        }
        Some(texts)
    }

    fn label(&self, key: &'d str, operator: Operator<'d>) -> Condition<'d> {
        // Calico gives pods labels with the names of their orchestrator and namespace.
        if !self.of_namespaces && key == "projectcalico.org/orchestrator" {
            return Condition::Unknown;
        }
        let requirement = Requirement { key, operator };
        match self.of_namespaces || key == "projectcalico.org/namespace" {
            true => Condition::NamespaceLabel(match key {
                "projectcalico.org/namespace" => {
                    Requirement { key: "projectcalico.org/name", ..requirement }
                }
                _ => requirement,
            }),
            false => Condition::Label(requirement),
        }
    }

    fn label_text(&self, key: &'d str, text: Text<'d>) -> Condition<'d> {
        match (self.of_namespaces, key) {
            (true, _) => Condition::NamespaceLabelText(key, text),
            (false, "projectcalico.org/namespace") => {
                Condition::NamespaceLabelText("projectcalico.org/name", text)
            }
            (false, _) => Condition::LabelText(key, text),
        }
    }
}
