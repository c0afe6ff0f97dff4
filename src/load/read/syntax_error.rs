//! Mistakes in YAML, said so that one sees what to do.
//!
//! The parser tells where it could not go on; the mistake is often on the line before, and nearly always one of a few.

use super::lines::{indentation, is_blank, line_end, line_start, lines, text_column};
use super::mistake::{Mistake, a_template, char_at};
use granit_parser::ErrorKind;

/// Where and in the middle of what the parser stopped.
#[derive(Debug)]
pub struct SyntaxError {
    /// The parser's own name for it.
    pub kind: ErrorKind,
    /// Where the document begins.
    pub start: usize,
    /// Where the parser stopped.
    pub at: usize,
    /// Where the last thing that it understood ends.
    pub last: usize,
    /// Where the collections begin that are open, outermost first.
    pub open: Vec<usize>,
}

impl SyntaxError {
    /// The innermost bracket that is open, and where.
    pub fn bracket(&self, text: &str) -> Option<(usize, char)> {
        // The parser holds back what may yet turn out to be a key.
        let mut pending = Vec::new();
        let mut quote = None;
        for (offset, letter) in text[self.last.min(self.at)..self.at].char_indices() {
            match (quote, letter) {
                (None, '[' | '{') => pending.push((self.last + offset, letter)),
                (None, ']' | '}') => drop(pending.pop()),
                (None, '"' | '\'') => quote = Some(letter),
                (Some(open), _) if open == letter => quote = None,
                _ => {}
            }
        }
        pending.pop().or_else(|| {
            self.open.iter().rev().find_map(|at| match text.as_bytes().get(*at)? {
                b'[' => Some((*at, '[')),
                b'{' => Some((*at, '{')),
                _ => None,
            })
        })
    }

    /// The mistake behind it. `text` is the source up to the document's end.
    pub fn explain(&self, text: &str) -> Mistake {
        let mut mistake = self
            .conflict(text)
            .or_else(|| self.template(text))
            .or_else(|| self.tab(text))
            .or_else(|| self.quote(text))
            .or_else(|| self.flow(text))
            .or_else(|| self.scalar(text))
            .or_else(|| self.line(text))
            .unwrap_or_else(|| self.other(text));
        // A place is made of whole characters.
        let mut end = (mistake.span.end as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        mistake.span.end = end as u32;
        mistake
    }

    /// What git leaves behind.
    fn conflict(&self, text: &str) -> Option<Mistake> {
        let mut lines = lines(text, self.start);
        let (at, line) =
            lines.find(|(_, line)| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))?;
        let mistake = Mistake::new((at, at + line.len()), "a marker of a merge conflict");
        Some(
            mistake.help(
                "resolve the conflict and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`",
            ),
        )
    }

    fn template(&self, text: &str) -> Option<Mistake> {
        let end = line_end(text, self.at);
        let near = lines(&text[..end], line_start(text, self.last)).find_map(|(at, line)| {
            let inside = line.find("{{").or_else(|| line.find("{%"))?;
            let quotes = line[..inside].matches(['"', '\'']).count();
            (quotes % 2 == 0 && !line[..inside].contains(" #")).then_some(at + inside)
        });
        let block = || {
            let mut lines = lines(&text[..end], self.start);
            lines
                .find(|(_, line)| line.trim_start().starts_with("{{"))
                .map(|(at, line)| at + indentation(line))
        };
        near.or_else(block).map(|at| a_template(text, at))
    }

    fn tab(&self, text: &str) -> Option<Mistake> {
        use ErrorKind as K;
        let end = match self.kind {
            K::TabInPlainScalar
            | K::TabInBlockIndentation
            | K::TabInIndentation
            | K::TabNotAllowed => text.len(),
            K::ExpectedBlockMappingKey
            | K::ExpectedBlockSequenceEntry
            | K::MappingValueNotAllowed
            | K::SimpleKeyExpected => line_end(text, self.at),
            _ => return None,
        };
        let (at, tabs) =
            lines(&text[..end], line_start(text, self.last)).find_map(|(at, line)| {
                let lead = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
                let tab = line[..lead].find('\t')?;
                Some((at + tab, line[tab..lead].bytes().take_while(|it| *it == b'\t').count()))
            })?;
        let mistake =
            Mistake::new((at, at + tabs), "a tab in the indentation: YAML indents with spaces");
        Some(mistake.help("replace the tab with spaces"))
    }

    fn quote(&self, text: &str) -> Option<Mistake> {
        use ErrorKind as K;
        let escape = matches!(
            self.kind,
            K::UnknownQuotedScalarEscape
                | K::InvalidQuotedScalarHexEscape
                | K::InvalidUnicodeEscape
                | K::InvalidLowSurrogateHexEscape
                | K::InvalidLowSurrogate
                | K::MissingLowSurrogate
                | K::UnpairedLowSurrogate
        );
        let trailing = matches!(
            self.kind,
            K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar
        );
        let unclosed = matches!(
            self.kind,
            K::UnclosedQuotedScalar
                | K::InvalidQuotedScalarIndent
                | K::DocumentIndicatorInQuotedScalar
        );
        if !(escape || trailing || unclosed) {
            return None;
        }
        let open = self.last + text[self.last..].find(['"', '\''])?;
        let quote = &text[open..=open];
        if escape {
            let at = bad_escape(text, open + 1).unwrap_or(open);
            let end = text[at..].char_indices().nth(2).map_or(text.len(), |(it, _)| at + it);
            let mistake =
                Mistake::new((at, end), format!("`{}` is no escape of YAML", &text[at..end]));
            return Some(
                mistake.help("write `\\\\` for a backslash, or put the text in single quotes"),
            );
        }
        if trailing && text[open..self.at].contains('\n') {
            let line = 1 + text[..self.at].matches('\n').count();
            let message = format!(
                "this quote is not closed where it seems: the next one, in line {line}, ends it"
            );
            return Some(
                Mistake::new((open, open + 1), message)
                    .help(format!("write `{quote}` where the text ends")),
            );
        }
        if !trailing {
            let mistake = Mistake::new((open, open + 1), "this quote is never closed");
            return Some(mistake.help(format!("write `{quote}` where the text ends")));
        }
        let rest = &text[self.at..line_end(text, self.at)];
        let rest = rest.find(" #").map_or(rest, |comment| &rest[..comment]).trim_end();
        let rest = (self.at, self.at + rest.len());
        if self.bracket(text).is_some() && text[self.at..].starts_with(['"', '\'']) {
            return Some(Mistake::new((self.at, self.at + 1), "a `,` is missing before this"));
        }
        let help = match quote {
            "'" => {
                "inside single quotes write `''` for one of them, or put the text in double quotes"
            }
            _ => {
                "inside double quotes write `\\\"` for one of them, or put the text in single quotes"
            }
        };
        Some(Mistake::new(rest, "text after the closing quote").help(help))
    }

    /// Brackets.
    fn flow(&self, text: &str) -> Option<Mistake> {
        use ErrorKind as K;
        let one = (self.at, self.at + char_at(text, self.at).map_or(0, char::len_utf8));
        match self.kind {
            K::UnclosedFlowCollection { open } => Some(unclosed(self.at, open)),
            K::MisplacedFlowCollectionEnd => {
                let message = format!("this `{}` closes nothing", &text[one.0..one.1]);
                Some(Mistake::new(one, message).help("remove it"))
            }
            K::MismatchedFlowCollectionEnd { open, close } => {
                let message = format!("this `{close}` stands where `{open}` is to be closed");
                Some(Mistake::new(one, message).help(format!("write `{}`", closing(open))))
            }
            K::ExpectedFlowMappingSeparator
            | K::ExpectedFlowSequenceSeparator
            | K::InvalidColonPlacement
            | K::BlockEntryInFlowCollection
            | K::UnexpectedEofFlowMapping
            | K::UnexpectedEofFlowSequence
            | K::UnexpectedEofImplicitFlowMapping => {
                let (open, bracket) = self.bracket(text)?;
                if text[open..self.at].contains('\n') {
                    return Some(unclosed(open, bracket));
                }
                let message = format!("a `,` or `{}` is missing before this", closing(bracket));
                Some(Mistake::new(one, message).help(format!("if this is text, put it in quotes; `{bracket}` opens here a collection that ends with `{}`", closing(bracket))))
            }
            _ => None,
        }
    }

    /// Text without quotes that needs some, and marks for what YAML has beyond text.
    fn scalar(&self, text: &str) -> Option<Mistake> {
        use ErrorKind as K;
        let word_end = self.at
            + text[self.at..]
                .find([' ', '\t', '\r', '\n', ',', ']', '}'])
                .unwrap_or(text.len() - self.at);
        let word = &text[self.at..word_end];
        let rest = text[self.at..line_end(text, self.at)].trim_end();
        let line = (self.at, self.at + rest.len());
        let whole = if self.bracket(text).is_some() { word } else { rest };
        let quoted = || format!("put it in quotes: `{}`", in_quotes(whole));
        match self.kind {
            K::UnexpectedCharacter { character } if character.is_control() => {
                let message = format!(
                    "a control character, U+{:04X}: YAML takes it only as an escape",
                    character as u32
                );
                let at = text[self.at..].find(character).map_or(self.at, |it| self.at + it);
                let mistake = Mistake::new((at, at + character.len_utf8()), message);
                Some(mistake.help(format!(
                    "remove it, or write `\\x{:02x}` in double quotes",
                    character as u32
                )))
            }
            K::UnexpectedCharacter { character: '`' } => Some(
                Mistake::new(line, "text without quotes cannot begin with a backtick")
                    .help("put it in quotes"),
            ),
            K::UnexpectedCharacter { character } => Some(
                Mistake::new(line, format!("text without quotes cannot begin with `{character}`"))
                    .help(quoted()),
            ),
            K::UnexpectedEofBlockMapping | K::ExpectedNodeContent
                if rest.starts_with([',', ']', '}']) =>
            {
                Some(
                    Mistake::new(
                        line,
                        format!("text without quotes cannot begin with `{}`", &rest[..1]),
                    )
                    .help(quoted()),
                )
            }
            K::UnknownAnchor => {
                let name = word.trim_start_matches('*');
                let is_name =
                    name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
                let message = if is_name {
                    format!("no `&{name}` stands before this `*{name}` in its document")
                } else {
                    "text without quotes cannot begin with `*`".into()
                };
                Some(
                    Mistake::new((self.at, word_end), message)
                        .help(format!("if this is text, {}", quoted())),
                )
            }
            K::BomInsideDocument => Some(
                Mistake::new((self.at, self.at + 3), "a byte order mark in the middle of the text")
                    .help("remove it"),
            ),
            K::MissingAnchorOrAliasName => {
                let mistake = Mistake::new((self.at, word_end), format!("`{word}` names nothing"));
                Some(mistake.help(format!("if this is text, {}", quoted())))
            }
            K::InvalidBlockScalarHeader => Some(
                Mistake::new(line, "text on the line that begins a block of text")
                    .help("begin the text on the next line"),
            ),
            K::UndeclaredTagHandle => {
                let mistake = Mistake::new(
                    (self.at, word_end),
                    format!("the tag `{word}` is declared nowhere"),
                );
                Some(mistake.help(format!("if this is text, {}", quoted())))
            }
            K::RecursionLimitExceeded => Some(Mistake::new(
                (self.at, self.at + 1),
                "nested deeper than 10000 levels, where kubectl gives up",
            )),
            _ => None,
        }
    }

    /// Keys, colons, dashes and indentation.
    fn line(&self, text: &str) -> Option<Mistake> {
        use ErrorKind as K;
        let start = line_start(text, self.at);
        let line = &text[start..line_end(text, self.at)];
        let lead = indentation(line);
        let content = (start + lead, start + line.trim_end().len());
        match self.kind {
            K::MappingValueNotAllowed => {
                let key = text[start + lead..self.at].trim_start_matches(['-', ' ']);
                if let Some(colon) = key.find(": ") {
                    let value = text[self.at - key.len() + colon + 2..content.1].trim();
                    let mistake =
                        Mistake::new((self.at, self.at + 1), "`: ` in text without quotes");
                    return Some(mistake.help(format!(
                        "put the text in quotes: `{}: {}`",
                        &key[..colon],
                        in_quotes(value)
                    )));
                }
                let before =
                    lines(&text[..start], self.start).filter(|(_, it)| !is_blank(it)).last()?;
                missing_colon(before).or_else(|| {
                    let mistake = Mistake::new(
                        (start, start + lead),
                        "indented deeper than the key before it, which has its value already",
                    );
                    Some(mistake.help(format!(
                        "indent it by {}, as the line before",
                        spaces(text_column(before.1))
                    )))
                })
            }
            K::SimpleKeyExpected | K::InvalidSimpleKey => {
                let above =
                    lines(&text[..start], self.start).filter(|(_, it)| !is_blank(it)).last();
                if above.is_some_and(|(_, it)| opens_block_text(it)) {
                    let mistake = Mistake::new(
                        content,
                        "text that is not indented deeper than the key it belongs to",
                    );
                    return Some(mistake.help("indent it by two spaces more"));
                }
                missing_colon((start, line))
            }
            K::ExpectedBlockMappingKey | K::ExpectedBlockSequenceEntry => {
                Some(self.misplaced(text, start, content))
            }
            _ => None,
        }
    }

    /// A line, from `start` and with this `content`, that is neither a key of its mapping nor an item of its list.
    fn misplaced(&self, text: &str, start: usize, content: (usize, usize)) -> Mistake {
        let lead = content.0 - start;
        let column = |at: usize| at - line_start(text, at);
        let innermost = self.open.last().map(|at| column(*at));
        if self.kind == ErrorKind::ExpectedBlockSequenceEntry && innermost == Some(lead) {
            return Mistake::new(content, "a key among the items of a list")
                .help("give it a `- ` or indent it less");
        }
        if self.at == content.0 + 2
            && text[content.0..].starts_with("- ")
            && innermost == Some(lead)
        {
            return Mistake::new(content, "a list item among the keys of a mapping")
                .help("a list needs a key of its own above it");
        }
        if self.at != content.0 {
            let rest = (self.at, content.1.max(self.at));
            return Mistake::new(rest, "text after a value that is complete")
                .help("put the whole value in quotes if it is one text");
        }
        let above = lines(&text[..start], self.start).filter(|(_, it)| !is_blank(it)).last();
        let mut columns: Vec<usize> = self.open.iter().map(|at| column(*at)).collect();
        columns.extend(above.map(|(_, line)| text_column(line)));
        columns.sort_unstable();
        columns.dedup();
        let columns: Vec<String> = columns.iter().map(usize::to_string).collect();
        let message = format!("indented by {}, which fits no line above", spaces(lead));
        Mistake::new((start, content.0), message)
            .help(format!("indent it by {} spaces", one_of(&columns)))
    }

    /// What is rare: the parser's own words.
    fn other(&self, text: &str) -> Mistake {
        let info = self.kind.to_string();
        let message = info.rsplit(", ").next().unwrap_or(&info).trim_end_matches('.');
        let end = self.at + char_at(text, self.at).map_or(0, char::len_utf8);
        Mistake::new((self.at, end), message.replace('\'', "`"))
    }
}

fn unclosed(at: usize, open: char) -> Mistake {
    let mistake = Mistake::new((at, at + 1), format!("this `{open}` is never closed"));
    mistake
        .help(format!("write `{}` where it ends; if it is text, put it in quotes", closing(open)))
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}

/// A line that is to be a key and has no `: `.
fn missing_colon((at, line): (usize, &str)) -> Option<Mistake> {
    let trimmed = line.trim();
    let place = (at + indentation(line), at + indentation(line) + trimmed.len());
    let item = trimmed.strip_prefix("- ").unwrap_or(trimmed);
    if let Some(rest) = item.strip_prefix('-').filter(|it| !it.starts_with(['-', ' '])) {
        return Some(
            Mistake::new(place, "a `-` without a space after it")
                .help(format!("write `- {}`", rest.trim_start())),
        );
    }
    if item.contains(": ") || item.ends_with(':') {
        return None;
    }
    if let Some((key, value)) = item.split_once(':').filter(|(_, value)| !value.starts_with("//")) {
        return Some(
            Mistake::new(place, "a `:` without a space after it")
                .help(format!("write `{key}: {value}`")),
        );
    }
    let help = match item.split_once(' ') {
        Some((key, value)) => format!("write `{key}: {}`", value.trim()),
        None => format!("write `{item}:`"),
    };
    Some(Mistake::new(place, "a key without `:`").help(help))
}

fn opens_block_text(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(['-', '+']);
    line.ends_with(": |") || line.ends_with(": >") || line.ends_with("- |") || line.ends_with("- >")
}

/// The first backslash from `at` on that escapes nothing, before the quote ends.
fn bad_escape(text: &str, at: usize) -> Option<usize> {
    let mut letters = text[at..].char_indices();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '"' => return None,
            '\\' => {
                let (_, escaped) = letters.next()?;
                let digits = match escaped {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    '\n' | '\r' | ' ' | '\t' => 0,
                    it if "0abtnvfre\"/\\N_LP".contains(it) => 0,
                    _ => return Some(at + offset),
                };
                let code = text.get(at + offset + 2..at + offset + 2 + digits);
                let code = code.and_then(|it| {
                    if digits > 0 { u32::from_str_radix(it, 16).ok() } else { Some(0) }
                });
                if code.and_then(char::from_u32).is_none() {
                    return Some(at + offset);
                }
            }
            _ => {}
        }
    }
    None
}

/// As a YAML string in the quotes that need no escapes.
fn in_quotes(text: &str) -> String {
    let text = text.trim_end();
    if text.contains(['"', '\\']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        format!("\"{text}\"")
    }
}

fn spaces(count: usize) -> String {
    if count == 1 { "1 space".into() } else { format!("{count} spaces") }
}

fn one_of(options: &[String]) -> String {
    match options {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
