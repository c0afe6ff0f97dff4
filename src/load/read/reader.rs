//! The events of one document to its tree, with the outcome that kubectl would have.

use super::entries;
use super::mistake::Mistake;
use super::scalar::{Resolved, resolve};
use super::yaml::Syntax;
use crate::load::DuplicateKey;
use crate::text::source::Span;
use crate::text::tree::builder::{Builder, Piece, Written};
use crate::text::tree::{MAX_CELLS, Number};
use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use granit_parser::{Event, ScalarStyle, Tag};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

const NAMESPACE: &str = "tag:yaml.org,2002:";

/// Go ignores the bits that a last character has to spare.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The most that merges may lie within each other; kubectl has no bound, and nobody comes near this one.
const MERGES: usize = 100;

/// Builds a tree, event by event.
pub(super) struct Reader {
    pub(super) builder: Builder,
    base: usize,
    syntax: Syntax,
    open: Vec<Open>,
    anchors: FxHashMap<usize, Anchored>,
    pub(super) duplicate_keys: Vec<DuplicateKey>,
    decoded: usize,
    aliased: usize,
}

impl Reader {
    pub(super) fn new(text: Arc<str>, bytes: usize, base: usize, syntax: Syntax) -> Reader {
        Reader {
            builder: Builder::new(text, bytes),
            base,
            syntax,
            open: Vec::new(),
            anchors: FxHashMap::default(),
            duplicate_keys: Vec::new(),
            decoded: 0,
            aliased: 0,
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
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
            self.refuse_escapes(span)?;
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
            let merges = text == "<<" && style == ScalarStyle::Plain && tag.is_none();
            self.open_mut().merges = merges;
            self.open_mut().has_merge |= merges;
            self.key(text, resolved, span)?;
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
    fn key(&mut self, text: &str, resolved: Resolved, span: Span) -> Result<(), Mistake> {
        let spelled = match resolved {
            Resolved::Str => {
                let written = self.written(text, span);
                self.builder.str(written, span);
                return Ok(());
            }
            Resolved::Bool(it) => it.to_string(),
            Resolved::Number(Number::Int(it)) => it.to_string(),
            Resolved::Number(Number::Float(it)) => it.to_string(),
            Resolved::Null | Resolved::NotFinite => {
                let what = if resolved == Resolved::Null { "null" } else { "not a finite number" };
                let message = format!("a key that is {what}: keys are strings");
                let help = Some("if this is text, put it in quotes".into());
                return Err(Mistake { span, message, help });
            }
        };
        self.builder.str(Written::Owned(&spelled), span);
        Ok(())
    }

    /// Where the text of a scalar stands in the source, so that it need not be stored.
    fn written<'t>(&self, text: &'t str, span: Span) -> Written<'t> {
        let source = &self.builder.source()[span.range()];
        if source == text {
            Written::Plain(text)
        } else if source.len() == text.len() + 2
            && source.is_char_boundary(1)
            && source[1..].starts_with(text)
        {
            Written::Quoted(text)
        } else {
            Written::Owned(text)
        }
    }

    /// go-yaml refuses `\ud83d`, the half of a character, and `\/`, which only JSON has.
    fn refuse_escapes(&self, span: Span) -> Result<(), Mistake> {
        let source = &self.builder.source()[span.range()];
        let mut rest = 0;
        while let Some(found) = source[rest..].find('\\') {
            let at = span.start as usize + rest + found;
            let escape = &self.builder.source()[at + 1..];
            let digits =
                escape.strip_prefix('u').and_then(|it| u32::from_str_radix(it.get(..4)?, 16).ok());
            if digits.is_some_and(|it| (0xD800..0xE000).contains(&it)) {
                return Err(Mistake {
                    span: Span::new(at, at + 6),
                    message: "half a character: YAML has no UTF-16 surrogates".into(),
                    help: Some("write the character itself, or `\\U` and eight digits".into()),
                });
            }
            if escape.starts_with('/') {
                return Err(Mistake {
                    span: Span::new(at, at + 2),
                    message: "`\\/` is an escape of JSON, not of YAML as kubectl reads it".into(),
                    help: Some("write `/`".into()),
                });
            }
            rest += found + 1 + escape.chars().next().map_or(0, char::len_utf8);
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, is_map: bool, span: Span) -> Result<(), Mistake> {
        self.count(span)?;
        if self.is_key() {
            return Err(Mistake::collection_as_key(self.builder.source(), span.start as usize));
        }
        // Each level looks at all that it gets from the ones below.
        if self.is_merged() && self.open.iter().filter(|it| it.merges).count() > MERGES {
            return Err(mistake(span, format!("`<<` within `<<`, more than {MERGES} times")));
        }
        let span = Span { start: span.start, end: span.start };
        if is_map {
            self.builder.open_map(span);
        } else {
            self.builder.open_seq(span);
        }
        // A list under `<<` holds mappings to merge; what stands below those is none of the merge's business.
        let merges = !is_map && self.is_merged();
        self.open.push(Open { anchor, children: 0, is_map, has_merge: false, merges });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Mistake> {
        let open = self.open.pop().expect("the parser closes only what it opened");
        let count = if open.is_map { open.children / 2 } else { open.children };
        let at = self.builder.close(count, span.end);
        if open.is_map {
            entries::settle(&mut self.builder, at, open.has_merge, &mut self.duplicate_keys)?;
        }
        self.child();
        self.anchor(open.anchor, at);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Mistake> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(mistake(span, "an alias to a value that contains it".into()));
        };
        let (cells, is_scalar) = match anchored {
            Anchored::At(index) => {
                let node = self.builder.node(*index);
                (node.cells(), !node.is_map() && !node.is_seq())
            }
            Anchored::Piece(piece) => (piece.cells(), piece.is_scalar()),
        };
        self.decoded += cells;
        self.aliased += cells;
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
        if self.is_key() && !is_scalar {
            return Err(Mistake::collection_as_key(self.builder.source(), span.start as usize));
        }
        match anchored {
            Anchored::At(index) => self.builder.repeat(*index),
            Anchored::Piece(piece) => self.builder.add_piece(piece),
        }
        self.child();
        Ok(())
    }

    fn open_mut(&mut self) -> &mut Open {
        self.open.last_mut().expect("a key stands in a mapping")
    }

    /// Whether the node that has just been closed, or comes next, is the value of `<<` or an item of it.
    fn is_merged(&self) -> bool {
        self.open.last().is_some_and(|it| it.merges)
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
            let anchored = if self.is_merged() {
                Anchored::Piece(self.builder.piece(at))
            } else {
                Anchored::At(at)
            };
            self.anchors.insert(anchor, anchored);
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

/// A collection that is being read.
struct Open {
    anchor: usize,
    children: u32,
    is_map: bool,
    /// Whether a mapping has a key `<<`.
    has_merge: bool,
    /// Whether the value that comes next, or the items, are merged into a mapping around.
    merges: bool,
}

/// What an alias stands for.
enum Anchored {
    /// The subtree at this index.
    At(u32),
    /// This one, whose original is merged into another mapping.
    Piece(Piece),
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
