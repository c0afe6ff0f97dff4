//! Names of pods that the input does not hold: those whom policies name, a namespace, labels.

use purlin::analyze::Facts;
use purlin::analyze::network::reach::stranger::{Stranger, StrangerId, strangers};
use std::cell::RefCell;

/// The pods that are asked about and that the input does not hold: those whom policies name, and more on the way.
pub(super) struct Strangers<'d> {
    all: RefCell<Vec<Stranger<'d>>>,
}

/// Labels that hold a name.
const NAMES: [&str; 5] =
    ["app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/component", "name"];

/// Controllers that run in a namespace of their own name by their documentation.
const KNOWN: [&str; 2] = ["ingress-nginx", "traefik"];

impl<'d> Strangers<'d> {
    pub(super) fn new(facts: &Facts<'d>) -> Strangers<'d> {
        Strangers { all: RefCell::new(strangers(facts)) }
    }

    /// All of them, when nobody else is asked about.
    pub(super) fn into_all(self) -> Vec<Stranger<'d>> {
        self.all.into_inner()
    }

    /// Who is meant by a name; nothing where it names nobody of the kind.
    pub(super) fn find(
        &self,
        facts: &Facts<'d>,
        name: &'d str,
    ) -> Result<Option<StrangerId>, String> {
        let rest = match name.split_once('/') {
            Some((kind, rest)) if kind.eq_ignore_ascii_case("namespace") => Some(rest),
            _ => None,
        };
        if rest.is_some() || name.contains('=') {
            return parse(rest, name).map(|it| Some(self.id(self.as_named(it))));
        }
        if name.contains('/') {
            return Ok(None);
        }
        let found = self.called(name);
        match found.as_slice() {
            [] if facts.namespaces().get(name).is_some() || KNOWN.contains(&name) => {
                let namespace = Some(name);
                Ok(Some(self.id(Stranger { namespace, ..Stranger::default() })))
            }
            [] => Ok(None),
            [one] => Ok(Some(self.id(one.clone()))),
            // Several pods of one namespace of that name: any of it.
            several if several.iter().all(|it| it.namespace == Some(name)) => {
                let namespace = Some(name);
                Ok(Some(self.id(Stranger { namespace, ..Stranger::default() })))
            }
            several => {
                let names: Vec<_> = several.iter().take(6).map(ToString::to_string).collect();
                Err(format!("`{name}` may be any of {}", names.join(", ")))
            }
        }
    }

    /// Those whom policies name so: by their namespace, or by a label.
    fn called(&self, name: &str) -> Vec<Stranger<'d>> {
        let is_it = |it: &&Stranger<'d>| {
            let is_label = |(key, value): &(&str, &str)| NAMES.contains(key) && *value == name;
            it.namespace == Some(name)
                || it.namespace_labels.iter().any(|it| it.0 == "name" && it.1 == name)
                || it.labels.iter().any(is_label)
        };
        self.all.borrow().iter().filter(is_it).cloned().collect()
    }

    /// Labels without a namespace are those of the only pods that policies name so.
    fn as_named(&self, stranger: Stranger<'d>) -> Stranger<'d> {
        if stranger.namespace.is_some() || !stranger.namespace_labels.is_empty() {
            return stranger;
        }
        let all = self.all.borrow();
        let found: Vec<_> = all.iter().filter(|it| it.labels == stranger.labels).collect();
        match found.as_slice() {
            [one] => (*one).clone(),
            _ => stranger,
        }
    }

    fn id(&self, stranger: Stranger<'d>) -> StrangerId {
        let mut all = self.all.borrow_mut();
        let at = all.iter().position(|it| *it == stranger).unwrap_or_else(|| {
            all.push(stranger);
            all.len() - 1
        });
        StrangerId(at as u32)
    }
}

/// `Namespace/NAME`, `Namespace/key=value`, and either with `/key=value,…` for pods; `NAME/key=value,…`, `key=value,…`.
fn parse<'d>(of_namespace: Option<&'d str>, name: &'d str) -> Result<Stranger<'d>, String> {
    let mut stranger = Stranger::default();
    let pods = match of_namespace {
        Some(rest) => {
            let (namespace, pods) = split(rest);
            match namespace.contains('=') {
                true => stranger.namespace_labels = labels(namespace)?,
                false => stranger.namespace = Some(namespace),
            }
            pods
        }
        None => match split(name) {
            (namespace, Some(pods)) if !namespace.contains('=') => {
                stranger.namespace = Some(namespace);
                Some(pods)
            }
            _ => Some(name),
        },
    };
    if let Some(pods) = pods {
        stranger.labels = labels(pods)?;
    }
    Ok(stranger)
}

/// A namespace, and labels of pods: the prefix of a label's key has a dot, and the name of a namespace has none.
fn split(text: &str) -> (&str, Option<&str>) {
    let mut from = 0;
    while let Some(slash) = text[from..].find('/').map(|it| from + it) {
        let before = text[..slash].rsplit([',', '/']).next().unwrap_or_default();
        if before.contains('=') || !before.contains('.') {
            return (&text[..slash], Some(&text[slash + 1..]));
        }
        from = slash + 1;
    }
    (text, None)
}

fn labels(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let pair = |it: &'_ str| -> Result<(usize, usize), String> {
        let at = it.find('=').filter(|at| *at > 0);
        at.map(|at| (at, at + 1)).ok_or_else(|| format!("`{it}` is no label: it is `key=value`"))
    };
    text.split(',').map(|it| pair(it).map(|(end, start)| (&it[..end], &it[start..]))).collect()
}
