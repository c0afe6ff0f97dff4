//! One document's text to a [`Tree`], by the events of granit-parser, with the outcome that kubectl would have.

use super::DuplicateKey;
use super::scalar::{Resolved, resolve};
use crate::source::Span;
use crate::tree::{Builder, MAX_CELLS, Number, Piece, Tree, Written};
use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use granit_parser::{Event, Options, Parser, ScalarStyle, Tag};
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The place, in bytes of the whole source.
    pub span: Span,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// A document that was read.
#[derive(Debug)]
pub struct Parsed {
    /// What it holds.
    pub tree: Tree,
    /// Keys that stand twice in one mapping.
    pub duplicate_keys: Vec<DuplicateKey>,
    /// The `...` after which text was dropped.
    pub dropped: Option<Span>,
}

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// YAML, where go-yaml refuses escapes of UTF-16 surrogates.
    Yaml,
    /// JSON, where they come in pairs.
    Json,
}

const NAMESPACE: &str = "tag:yaml.org,2002:";

/// Go ignores the bits that a last character has to spare.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// As deep as kubectl reads.
const NESTING: usize = 10_000;

/// Reads the document in these bytes of a source; `None` if it holds nothing.
///
/// # Errors
///
/// Where kubectl would refuse it, with the place.
pub fn parse(
    text: &Arc<str>,
    range: Range<usize>,
    syntax: Syntax,
) -> Result<Option<Parsed>, Mistake> {
    let base = range.start;
    let chunk = &text[range.clone()];
    if let Some(at) = chunk.bytes().take(8192).position(|it| it == 0) {
        let span = Span::new(base + at, base + at + 1);
        return Err(Mistake {
            span,
            message: "a NUL byte: this is a binary file, not YAML".into(),
            help: None,
        });
    }
    if chunk.starts_with('%') {
        let span = Span::new(base, base + chunk.lines().next().map_or(0, str::len));
        return Err(Mistake {
            span,
            message: "a YAML directive: kubectl cuts documents before it reads directives".into(),
            help: Some("remove the line".into()),
        });
    }
    let mut reader = Reader {
        builder: Builder::new(text.clone(), chunk.len()),
        base,
        syntax,
        open: Vec::new(),
        anchors: FxHashMap::default(),
        duplicate_keys: Vec::new(),
        decoded: 0,
        aliased: 0,
    };
    let mut dropped = None;
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(chunk, options()) {
        let (event, span) = event.map_err(|error| {
            let at = base + error.marker().byte_offset().unwrap_or(0);
            let end = text[at..range.end].chars().next().map_or(at, |it| at + it.len_utf8());
            Mistake { span: Span::new(at, end), message: error.info(), help: None }
        })?;
        let span = span
            .byte_range()
            .map_or(Span::new(base, base), |it| Span::new(base + it.start, base + it.end));
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    // kubectl reads one document from each piece and drops what follows `...`.
                    let end = text[..span.start as usize].rfind("...").unwrap_or(base);
                    dropped = Some(Span::new(end, end + 3));
                    break;
                }
            }
            event => reader.event(event, span)?,
        }
    }
    if reader.builder.is_empty() {
        return Ok(None);
    }
    Ok(Some(Parsed {
        tree: reader.builder.finish(),
        duplicate_keys: reader.duplicate_keys,
        dropped,
    }))
}

fn options() -> Options {
    granit_parser::options! { emit_comments: false, flow_nesting_limit: NESTING, block_nesting_limit: NESTING }
}

/// A collection that is being read.
struct Open {
    anchor: usize,
    children: u32,
    is_map: bool,
    has_merge: bool,
}

struct Reader {
    builder: Builder,
    base: usize,
    syntax: Syntax,
    open: Vec<Open>,
    anchors: FxHashMap<usize, Piece>,
    duplicate_keys: Vec<DuplicateKey>,
    decoded: usize,
    aliased: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(text, style, anchor, tag.as_deref(), span)
            }
            Event::SequenceStart(_, anchor, _) => self.open(anchor, false, span),
            Event::MappingStart(_, anchor, _) => self.open(anchor, true, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Mistake> {
        self.count(span)?;
        // Text that stands in the source as it is has no escapes.
        let may_escape = style == ScalarStyle::DoubleQuoted && matches!(text, Cow::Owned(_));
        if may_escape && self.syntax == Syntax::Yaml {
            self.refuse_surrogates(span)?;
        }
        let at = self.builder.len() as u32;
        let unpacked;
        let (text, resolved) = match tag {
            None if style == ScalarStyle::Plain => (text.as_ref(), resolve(&text)),
            None => (text.as_ref(), Resolved::Str),
            Some(tag) if tag.suffix_in_namespace(NAMESPACE).as_deref() == Some("binary") => {
                unpacked = unpack(&text).map_err(|message| mistake(span, message))?;
                (unpacked.as_str(), Resolved::Str)
            }
            Some(tag) => {
                let name = tag.suffix_in_namespace(NAMESPACE);
                (
                    text.as_ref(),
                    tagged(&text, name.as_deref()).map_err(|message| mistake(span, message))?,
                )
            }
        };
        if self.is_key() {
            self.key(text, style, resolved, span)?;
        } else {
            match resolved {
                Resolved::Null => self.builder.null(span),
                Resolved::Bool(it) => self.builder.bool(it, span),
                Resolved::Number(it) => self.builder.number(it, span),
                Resolved::Str => {
                    let written = self.written(text, span);
                    self.builder.str(written, span);
                }
                Resolved::NotFinite => {
                    return Err(mistake(
                        span,
                        format!("`{text}` is a number that JSON cannot say"),
                    ));
                }
            }
        }
        self.child();
        self.anchor(anchor, at);
        Ok(())
    }

    /// A key is a string to JSON; numbers and truth values are spelled out, null and collections are refused.
    fn key(
        &mut self,
        text: &str,
        style: ScalarStyle,
        resolved: Resolved,
        span: Span,
    ) -> Result<(), Mistake> {
        let spelled = match resolved {
            Resolved::Str => {
                if style == ScalarStyle::Plain && text == "<<" {
                    self.open.last_mut().expect("a key stands in a mapping").has_merge = true;
                }
                let written = self.written(text, span);
                self.builder.str(written, span);
                return Ok(());
            }
            Resolved::Bool(it) => it.to_string(),
            Resolved::Number(Number::Int(it)) => it.to_string(),
            Resolved::Number(Number::Float(it)) => it.to_string(),
            Resolved::Null | Resolved::NotFinite => {
                return Err(mistake(
                    span,
                    "a key that is null or not a number: keys are strings".into(),
                ));
            }
        };
        self.builder.str(Written::Owned(&spelled), span);
        Ok(())
    }

    /// Where the text of a scalar stands in the source, so that it need not be stored.
    fn written<'t>(&self, text: &'t str, span: Span) -> Written<'t> {
        let source = &self.builder.source()[span.range()];
        if source == text {
            Written::Plain
        } else if source.len() == text.len() + 2
            && source.is_char_boundary(1)
            && source[1..].starts_with(text)
        {
            Written::Quoted
        } else {
            Written::Owned(text)
        }
    }

    /// go-yaml refuses `\ud83d`, the half of a character.
    fn refuse_surrogates(&self, span: Span) -> Result<(), Mistake> {
        let source = &self.builder.source()[span.range()];
        let half = source.match_indices("\\u").find(|(at, _)| {
            let escaped =
                source[..*at].bytes().rev().take_while(|it| *it == b'\\').count() % 2 == 1;
            let digits = source.get(at + 2..at + 6).and_then(|it| u32::from_str_radix(it, 16).ok());
            !escaped && digits.is_some_and(|it| (0xD800..0xE000).contains(&it))
        });
        match half {
            None => Ok(()),
            Some((at, _)) => {
                let at = span.start as usize + at;
                let message = "half a character: YAML has no UTF-16 surrogates".into();
                Err(Mistake {
                    span: Span::new(at, at + 6),
                    message,
                    help: Some("write the character itself, or `\\U` and eight digits".into()),
                })
            }
        }
    }

    fn open(&mut self, anchor: usize, is_map: bool, span: Span) -> Result<(), Mistake> {
        self.count(span)?;
        if self.is_key() {
            let template = self.builder.source()[span.start as usize..].starts_with('{');
            return Err(Mistake {
                span: Span { start: span.start, end: span.start + 1 },
                message: "a key that is a mapping or a list: keys are strings".into(),
                help: template.then(|| {
                    "if this is a template (`{{ … }}`), render it first, as `helm template` does; text takes quotes".into()
                }),
            });
        }
        let span = Span { start: span.start, end: span.start };
        if is_map {
            self.builder.open_map(span);
        } else {
            self.builder.open_seq(span);
        }
        self.open.push(Open { anchor, children: 0, is_map, has_merge: false });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Mistake> {
        let open = self.open.pop().expect("the parser closes only what it opened");
        let count = if open.is_map { open.children / 2 } else { open.children };
        let at = self.builder.close(count, span.end);
        if open.is_map {
            if open.has_merge {
                self.merge(at)?;
            }
            self.last_key_wins(at);
        }
        self.child();
        self.anchor(open.anchor, at);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Mistake> {
        let Some(piece) = self.anchors.get(&anchor) else {
            return Err(mistake(span, "an alias to a value that contains it".into()));
        };
        self.decoded += piece.len();
        self.aliased += piece.len();
        // The bound of go-yaml v2: the larger a document, the less of it may come from aliases.
        let allowed = match self.decoded {
            0..=400_000 => 0.99,
            4_000_000.. => 0.10,
            it => 0.99 - 0.89 * (it - 400_000) as f64 / 3_600_000.0,
        };
        let excessive = self.aliased > 100 && self.decoded > 1000;
        if excessive && self.aliased as f64 / self.decoded as f64 > allowed
            || self.decoded > MAX_CELLS
        {
            return Err(mistake(
                span,
                "aliases multiply this document beyond what kubectl reads".into(),
            ));
        }
        if self.is_key() && !piece.is_scalar() {
            return Err(mistake(
                span,
                "a key that is a mapping or a list: keys are strings".into(),
            ));
        }
        self.builder.repeat(piece);
        self.child();
        Ok(())
    }

    /// `<<: *defaults`, or a list of them: keys that the mapping has itself win, then earlier ones.
    fn merge(&mut self, at: u32) -> Result<(), Mistake> {
        let map = self.builder.node(at);
        let mut own = Vec::new();
        let mut merged = Vec::new();
        for (key, value) in map.entries() {
            if key.str() != Some("<<") || key.span().end - key.span().start != 2 {
                own.push((key, value));
            } else if value.is_map() {
                merged.push(value);
            } else if value.is_seq() && value.items().all(|it| it.is_map()) {
                merged.extend(value.items());
            } else {
                return Err(mistake(key.span(), "`<<` merges mappings, and this is none".into()));
            }
        }
        let mut seen: FxHashSet<String> =
            own.iter().filter_map(|(key, _)| key.str()).map(String::from).collect();
        for (key, value) in merged.into_iter().flat_map(|it| it.entries()) {
            if seen.insert(key.str().unwrap_or_default().to_string()) {
                own.push((key, value));
            }
        }
        let entries: Vec<_> = own.iter().map(|(key, value)| (key.index(), value.index())).collect();
        self.builder.replace_entries(at, &entries);
        Ok(())
    }

    /// Keeps the last of equal keys, and notes both.
    fn last_key_wins(&mut self, at: u32) {
        let map = self.builder.node(at);
        if !has_equal_keys(map) {
            return;
        }
        let mut entries: Vec<(u32, u32)> = Vec::new();
        let mut places: FxHashMap<&str, usize> = FxHashMap::default();
        let mut found = Vec::new();
        for (key, value) in map.entries() {
            let entry = (key.index(), value.index());
            match places.get(key.str().unwrap_or_default()) {
                None => {
                    places.insert(key.str().unwrap_or_default(), entries.len());
                    entries.push(entry);
                }
                Some(place) => {
                    let first = self.builder.node(entries[*place].0).span();
                    let key_text = key.str().unwrap_or_default().to_string();
                    found.push(DuplicateKey { key: key_text, first, last: key.span() });
                    entries[*place] = entry;
                }
            }
        }
        self.builder.replace_entries(at, &entries);
        self.duplicate_keys.extend(found);
    }

    fn is_key(&self) -> bool {
        self.open.last().is_some_and(|it| it.is_map && it.children % 2 == 0)
    }

    fn child(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.children += 1;
        }
    }

    fn anchor(&mut self, anchor: usize, at: u32) {
        if anchor > 0 {
            let piece = self.builder.piece(at);
            self.anchors.insert(anchor, piece);
        }
    }

    fn count(&mut self, span: Span) -> Result<(), Mistake> {
        self.decoded += 1;
        if self.decoded > MAX_CELLS {
            return Err(mistake(
                Span::new(self.base, span.end as usize),
                "a document too large to read".into(),
            ));
        }
        Ok(())
    }
}

/// A scalar with a tag. One that go-yaml does not know leaves the text as it is.
fn tagged(text: &str, tag: Option<&str>) -> Result<Resolved, String> {
    let resolved = resolve(text);
    match (tag, resolved) {
        (Some("bool"), Resolved::Bool(_))
        | (Some("int"), Resolved::Number(Number::Int(_)))
        | (Some("float"), Resolved::Number(_) | Resolved::NotFinite)
        | (Some("null"), Resolved::Null) => Ok(resolved),
        (Some(tag @ ("bool" | "int" | "float" | "null")), _) => {
            Err(format!("`{text}` is no `!!{tag}`"))
        }
        _ => Ok(Resolved::Str),
    }
}

/// The text of a `!!binary`.
fn unpack(text: &str) -> Result<String, String> {
    let packed = text.replace(['\r', '\n'], "");
    let bytes =
        BASE64.decode(packed).map_err(|error| format!("`!!binary` is not base64: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn mistake(span: Span, message: String) -> Mistake {
    Mistake { span, message, help: None }
}

/// Small mappings are compared pair by pair, which needs no memory.
fn has_equal_keys(map: crate::tree::Node<'_>) -> bool {
    if map.count() > 16 {
        let mut seen = FxHashSet::default();
        return map.entries().any(|(key, _)| !seen.insert(key.str()));
    }
    let mut keys = [""; 16];
    for (count, (key, _)) in map.entries().enumerate() {
        let key = key.str().unwrap_or_default();
        if keys[..count].contains(&key) {
            return true;
        }
        keys[count] = key;
    }
    false
}
