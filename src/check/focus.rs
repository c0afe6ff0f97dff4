//! What a change touches: everything is checked, and what has nothing to do with the change is left out of the report.

use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::check::provenance::touches;
use crate::finding::{Finding, Unknown};
use crate::model::{Key, Model, ObjId, Object};
use crate::text::source::SourceId;
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is of interest.
#[derive(Debug, Default)]
pub struct Focus<'d> {
    /// What was touched.
    objects: FxHashSet<ObjId>,
    /// The same by world and name: of a finding that several worlds share, only the objects of the first are at hand.
    named: FxHashSet<(u32, Key<'d>)>,
    /// Files that were touched.
    sources: FxHashSet<SourceId>,
    /// What was found and asked before the change.
    before: Option<Before>,
}

/// What a check said.
#[derive(Debug, Default)]
struct Before {
    /// The worlds that there were.
    worlds: FxHashSet<String>,
    /// The findings, each with its worlds.
    findings: FxHashMap<String, FxHashSet<String>>,
    unknown: FxHashSet<(&'static str, String, String)>,
}

impl<'d> Focus<'d> {
    /// On what was read from certain sources.
    pub fn on(model: &Model<'d>, sources: FxHashSet<SourceId>) -> Focus<'d> {
        let touched = model.objects().filter(|it| {
            sources.contains(&it.document.source) || touches(model.loaded, it, &sources)
        });
        let focus = Focus::of(model, touched);
        Focus { sources, ..focus }
    }

    /// On what changed since an earlier check of the same world: objects that are new or hold other data, texts that
    /// do not parse and are new or other, and whatever was not found then.
    pub fn since(model: &Model<'d>, earlier: &Model<'_>, outcome: &Outcome) -> Focus<'d> {
        let before = Objects::of(earlier);
        let objects = model.objects().filter(|it| before.differ(model, it));
        let texts: FxHashMap<&str, &str> =
            earlier.loaded.sources.iter().map(|(_, it)| (it.name.as_str(), &*it.text)).collect();
        let broken = model.loaded.broken.iter().map(|it| it.source).filter(|id| {
            let source = model.loaded.sources.get(*id);
            texts.get(source.name.as_str()) != Some(&&*source.text)
        });
        let name = |at: &u32| outcome.worlds[*at as usize].clone();
        let mut findings: FxHashMap<_, FxHashSet<_>> = FxHashMap::default();
        for it in &outcome.findings {
            for fingerprint in it.fingerprints() {
                let worlds = findings.entry(fingerprint.clone()).or_default();
                worlds.extend(it.worlds.iter().map(name));
            }
        }
        let before = Before {
            worlds: outcome.worlds.iter().cloned().collect(),
            findings,
            unknown: outcome.unknown.iter().map(|it| question(earlier, it)).collect(),
        };
        Focus { sources: broken.collect(), before: Some(before), ..Focus::of(model, objects) }
    }

    fn of<'o>(model: &Model<'d>, objects: impl Iterator<Item = &'o Object<'d>>) -> Focus<'d>
    where
        'd: 'o,
    {
        let mut focus = Focus::default();
        for object in objects {
            focus.objects.insert(object.id);
            if let Some(world) = model.world(object.id).filter(|_| !object.name.is_empty()) {
                focus.named.insert((world, object.key()));
            }
        }
        focus
    }

    /// Leaves out what has nothing to do with it, and counts the findings among that.
    pub fn apply(&self, model: &Model<'_>, outcome: &mut Outcome) {
        let locator = Locator::new(model);
        let all = outcome.findings.len();
        let worlds = &outcome.worlds;
        outcome.findings.retain(|it| self.is_new(it, worlds) || self.touches(&locator, it));
        let left_out = all - outcome.findings.len();
        outcome.outside_focus = Some(outcome.outside_focus.unwrap_or(0) + left_out);
        outcome.unknown.retain(|it| {
            let was_asked = |before: &Before| before.unknown.contains(&question(model, it));
            self.has(model, it.object, &it.worlds)
                || self.before.as_ref().is_some_and(|it| !was_asked(it))
        });
    }

    /// Whether something was not found before, or not in a world that there was.
    fn is_new(&self, finding: &Finding, worlds: &[String]) -> bool {
        let Some(before) = &self.before else { return false };
        finding.fingerprints().any(|it| {
            let Some(then) = before.findings.get(it) else { return true };
            let mut worlds = finding.worlds.iter().map(|it| &worlds[*it as usize]);
            worlds.any(|it| before.worlds.contains(it) && !then.contains(it))
        })
    }

    /// Whether a finding is about anything that was touched, on whichever side.
    fn touches(&self, locator: &Locator<'_, '_>, finding: &Finding) -> bool {
        finding.labels.iter().any(|it| {
            let object = locator.object(&it.place);
            object.is_some_and(|it| self.has(locator.model(), it, &finding.worlds))
                || self.sources.contains(&locator.locate(&it.place).source)
        })
    }

    /// Whether an object was touched, in one of these worlds.
    fn has(&self, model: &Model<'_>, object: ObjId, worlds: &[u32]) -> bool {
        let key = model.object(object).key();
        self.objects.contains(&object) || worlds.iter().any(|it| self.named.contains(&(*it, key)))
    }
}

/// Objects by what identifies them, each with its world.
struct Objects<'d> {
    by_key: FxHashMap<Key<'d>, Vec<(&'d str, Node<'d>)>>,
    worlds: FxHashSet<&'d str>,
}

impl<'d> Objects<'d> {
    fn of(model: &Model<'d>) -> Objects<'d> {
        let mut all = Objects { by_key: FxHashMap::default(), worlds: FxHashSet::default() };
        for object in model.objects() {
            let world = model.world_name(object.id);
            all.by_key.entry(object.key()).or_default().push((world, object.root));
            all.worlds.insert(world);
        }
        all
    }

    /// Whether none of them is this object with the same data. Those without a name are known by their data alone, and
    /// where a world was not there, or had another name, those of all worlds are looked at.
    fn differ(&self, model: &Model<'_>, object: &Object<'_>) -> bool {
        let world = model.world_name(object.id);
        let is_here = |it: &str| it == world || !self.worlds.contains(world);
        let same = self.by_key.get(&object.key()).into_iter().flatten();
        !same.into_iter().any(|(it, root)| is_here(it) && root.same(object.root))
    }
}

fn question(model: &Model<'_>, it: &Unknown) -> (&'static str, String, String) {
    (it.rule, model.object(it.object).to_string(), it.missing.clone())
}
