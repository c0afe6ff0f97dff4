//! The embedded definitions: one compressed text, whose form `tests/schemas/generate.py` describes.

use super::kinds::KindVersion;
use super::{Definition, Field, Keyed, Type};
use crate::api::version::KubernetesVersion;
use rustc_hash::FxHashMap;
use std::sync::{LazyLock, OnceLock};

static COMPRESSED: &[u8] = include_bytes!("definitions.z");

/// All that is embedded, its lines told apart.
pub(super) struct Stored {
    /// Of each definition, from which minor version on it has which body.
    runs: Vec<&'static str>,
    bodies: Vec<&'static str>,
    /// In the order of their versions and names.
    pub(super) kinds: Vec<KindVersion>,
    by_name: FxHashMap<(&'static str, &'static str), usize>,
    versions: Vec<OnceLock<Schemas>>,
    oldest: u32,
}

pub(super) static STORED: LazyLock<Stored> = LazyLock::new(|| {
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(COMPRESSED);
    let text = bytes.ok().and_then(|it| String::from_utf8(it).ok());
    // It is read once and kept to the end, so that definitions can borrow from it.
    Stored::new(Box::leak(text.expect("the generator writes compressed text").into_boxed_str()))
});

impl Stored {
    fn new(text: &'static str) -> Stored {
        let mut stored = Stored {
            runs: Vec::new(),
            bodies: Vec::new(),
            kinds: Vec::new(),
            by_name: FxHashMap::default(),
            versions: Vec::new(),
            oldest: 0,
        };
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("D", runs)) => stored.runs.push(runs),
                Some(("B", body)) => stored.bodies.push(body),
                Some(("K", kind)) => stored.kinds.extend(KindVersion::read(kind)),
                Some(("versions", range)) => {
                    let mut ends = range.split(' ').filter_map(|it| it.parse().ok());
                    let (first, last) = (ends.next().unwrap_or(0), ends.next().unwrap_or(0));
                    stored.oldest = first;
                    stored.versions.resize_with((last - first + 1) as usize, OnceLock::new);
                }
                _ => {}
            }
        }
        let names = stored.kinds.iter().map(|it| (it.api_version, it.kind));
        stored.by_name = names.zip(0..).collect();
        stored
    }

    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<&KindVersion> {
        self.by_name.get(&(api_version, kind)).map(|at| &self.kinds[*at])
    }

    /// The body that a definition has in a version.
    fn body(&self, id: DefinitionId, minor: u32) -> &'static str {
        let runs = self.runs.get(id.0 as usize).copied().unwrap_or_default();
        let runs = runs.split(' ').filter_map(|it| it.split_once(':'));
        let begun = runs.take_while(|(from, _)| from.parse().is_ok_and(|it: u32| it <= minor));
        let body = begun.last().and_then(|(_, body)| body.parse::<usize>().ok());
        body.and_then(|it| self.bodies.get(it)).copied().unwrap_or_default()
    }
}

/// A definition by its number, the same in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DefinitionId(u32);

/// The definitions of one version.
#[derive(Debug)]
pub struct Schemas {
    minor: u32,
    compiled: Vec<OnceLock<Definition>>,
}

/// The definitions of a version; of the nearest that is known, where it is older or newer than those.
pub fn schemas(version: KubernetesVersion) -> &'static Schemas {
    let stored = &*STORED;
    let newest = stored.oldest + stored.versions.len() as u32 - 1;
    let minor = version.minor.clamp(stored.oldest, newest);
    stored.versions[(minor - stored.oldest) as usize].get_or_init(|| Schemas {
        minor,
        compiled: stored.runs.iter().map(|_| OnceLock::new()).collect(),
    })
}

impl Schemas {
    /// What one kind looks like.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&Definition> {
        let kind = STORED.kind(api_version, kind)?;
        kind.is_known(self.minor).then_some(())?;
        kind.definition.map(|it| self.definition(it))
    }

    /// A definition by its number.
    pub fn definition(&self, id: DefinitionId) -> &Definition {
        self.compiled[id.0 as usize].get_or_init(|| compile(STORED.body(id, self.minor)))
    }
}

impl DefinitionId {
    pub(super) fn read(text: &str) -> Option<DefinitionId> {
        text.parse().ok().map(DefinitionId)
    }
}

fn compile(body: &'static str) -> Definition {
    let fields = body.split(';').filter_map(field);
    Definition { fields: fields.collect() }
}

/// One field: `protocol:s|SCTP,TCP,UDP=TCP`.
fn field(text: &'static str) -> Option<Field> {
    let (name, rest) = text.split_once(':')?;
    let (rest, default) = match rest.split_once('=') {
        Some((rest, default)) => (rest, Some(default)),
        None => (rest, None),
    };
    let (of, words) = rest.split_once('|').unwrap_or((rest, ""));
    Some(Field {
        name: name.trim_end_matches('!'),
        of: type_of(of),
        is_required: name.ends_with('!'),
        words: words.split(',').filter(|it| !it.is_empty()).collect(),
        default,
    })
}

fn type_of(text: &'static str) -> Type {
    match text.as_bytes().first() {
        Some(b's') => Type::Str,
        Some(b'i') => Type::Int32,
        Some(b'l') => Type::Int64,
        Some(b'n') => Type::Number,
        Some(b'b') => Type::Bool,
        Some(b'x') => Type::IntOrString,
        Some(b'q') => Type::Quantity,
        Some(b't') => Type::Time,
        Some(b'y') => Type::Bytes,
        Some(b'{') => Type::Map(Box::new(type_of(&text[1..]))),
        Some(b'[') => list_of(&text[1..]),
        _ => DefinitionId::read(text).map_or(Type::Any, Type::Object),
    }
}

fn list_of(text: &'static str) -> Type {
    if let Some((of, keys)) = text.rsplit_once('^') {
        return Type::List(Box::new(type_of(of)), Keyed::By(keys.split(',').collect()));
    }
    match text.strip_suffix('~') {
        Some(of) => Type::List(Box::new(type_of(of)), Keyed::Whole),
        None => Type::List(Box::new(type_of(text)), Keyed::Not),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_is_compiled_in_every_version() {
        for minor in KubernetesVersion::OLDEST.minor..=KubernetesVersion::NEWEST.minor {
            let schemas = schemas(KubernetesVersion::minor(minor));
            assert_eq!(schemas.minor, minor);
            for id in 0..STORED.runs.len() as u32 {
                let definition = schemas.definition(DefinitionId(id));
                assert!(definition.fields.is_sorted_by_key(|it| it.name));
            }
        }
    }

    #[test]
    fn fields_come_and_go_with_versions() {
        let pod = |minor| {
            let schemas = schemas(KubernetesVersion::minor(minor));
            let pod = schemas.kind("v1", "Pod").expect("there are pods");
            let Type::Object(spec) = pod.field("spec").expect("of a spec").of else { panic!() };
            schemas.definition(spec)
        };
        assert!(pod(28).field("resources").is_none());
        let resources = pod(37).field("resources").expect("pods have resources since 1.32");
        assert!(matches!(resources.of, Type::Object(_)));
        let policy = pod(37).field("restartPolicy").expect("pods restart");
        assert_eq!(*policy.words, ["Always", "Never", "OnFailure"]);
        let Type::List(_, Keyed::By(keys)) = &pod(37).field("containers").expect("some").of else {
            panic!()
        };
        assert_eq!(**keys, ["name"]);
    }
}
