//! Several worlds in one report: each is judged by itself, and what is found in several at the same places is told once.

use crate::analyze::world::{Kinship, Neighbour, Worlds};
use crate::check::exceptions::{annotation_of, stale_exceptions};
use crate::check::fingerprint::{fingerprint, fingerprint_questions};
use crate::check::locate::{Location, Locator};
use crate::check::{
    self, AS_IT_STANDS, Judged, Outcome, Selection, judge, running, selected, sort,
};
use crate::finding::{Finding, Label, Place, Severity, Unknown};
use crate::load::Loaded;
use crate::model::{Model, Object};
use crate::policy::Policy;
use crate::rule::{Rule, RuleSet};
use crate::run::Run;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Checks everything that was loaded, world by world; objects without a namespace go to `default_namespace` where
/// their world does not name one. The model is for reports: it holds the objects of all worlds.
pub fn check<'d>(
    loaded: &'d Loaded,
    default_namespace: &'d str,
    policy: &Policy,
    run: &Run,
    selection: &Selection,
) -> (Model<'d>, Outcome) {
    let alike = alike(loaded, policy.tells_worlds_apart());
    let mut models = models(loaded, &alike, default_namespace);
    if loaded.worlds.len() <= 1 {
        let model = models.pop().unwrap_or_else(|| Model::new(loaded, default_namespace));
        let outcome = check::check(&model, policy, run, selection);
        return (model, outcome);
    }
    let selected = selected(policy, selection);
    let run = &running(run, &selected);
    // What neighbours are asked for is little; all that follows from a world lives only while that is judged.
    let facts: Vec<_> = models.iter().map(|it| check::facts(it, policy, run)).collect();
    let each = models.iter().zip(&facts).zip(&alike);
    let each = each.map(|((model, facts), alike)| Neighbour {
        name: &loaded.worlds[alike[0] as usize].name,
        model,
        facts,
    });
    let each: Vec<_> = each.collect();
    let of: Vec<_> = alike.iter().map(|it| &loaded.worlds[it[0] as usize]).collect();
    let kinship = Kinship::new(models.iter());
    let beside = kinship.beside(loaded, &of, &models, default_namespace);
    let beside_facts: Vec<_> =
        beside.iter().map(|it| check::facts(&it.model, policy, run)).collect();
    let worlds = Worlds::new(&kinship, &each, &beside, &beside_facts);
    let judged = each.par_iter().zip(&of).enumerate();
    let judged: Vec<Judged> = judged
        .map(|(at, (it, of))| {
            let facts = check::facts(it.model, policy, run);
            let around = kinship.around(at, (loaded, of), &worlds);
            judge(Neighbour { facts: &facts, ..*it }, &around, (policy, run), &selected)
        })
        .collect();
    let all = Model::together(loaded, &of_all(&alike, &models));
    let mut outcome =
        together(&all, &models, &alike, judged, (policy, run), (&selection.rules, &selected));
    outcome.rule_set = selection.rules.clone();
    outcome.rules = selected.iter().map(|it| it.id).collect();
    outcome.objects = all.len();
    outcome.worlds = loaded.worlds.iter().map(|it| it.name.clone()).collect();
    sort(&all, &mut outcome);
    fingerprint(&all, &mut outcome.findings);
    fingerprint_questions(&all, &mut outcome.unknown);
    fold(&all, &mut outcome.findings);
    (all, outcome)
}

/// The objects of all worlds, nothing of which is checked.
pub fn model<'d>(loaded: &'d Loaded, default_namespace: &'d str) -> Model<'d> {
    let alike = alike(loaded, false);
    let models = models(loaded, &alike, default_namespace);
    match loaded.worlds.is_empty() {
        true => Model::new(loaded, default_namespace),
        false => Model::together(loaded, &of_all(&alike, &models)),
    }
}

/// The models of the first world of each row.
fn models<'d>(
    loaded: &'d Loaded,
    alike: &[Vec<u32>],
    default_namespace: &'d str,
) -> Vec<Model<'d>> {
    let first = alike.iter().map(|it| &loaded.worlds[it[0] as usize]);
    first.map(|it| Model::of_world(loaded, it, default_namespace)).collect()
}

/// The worlds of which each holds just what the others of its row hold: one of them is judged for all. `by_name`
/// where those of several names are judged by themselves.
fn alike(loaded: &Loaded, by_name: bool) -> Vec<Vec<u32>> {
    let mut rows: FxHashMap<_, usize> = FxHashMap::default();
    let mut alike: Vec<Vec<u32>> = Vec::new();
    for (at, world) in (0..).zip(&loaded.worlds) {
        let documents = loaded.documents[world.documents.clone()].iter().map(Arc::as_ptr);
        let broken = loaded.broken[world.broken.clone()].iter().map(|it| (it.source, it.span));
        let start = world.documents.start;
        let namespaces = world.namespaces.iter().map(|(from, it)| (from - start, it.as_deref()));
        let holds = (
            Some(&world.name).filter(|_| by_name),
            namespaces.collect::<Vec<_>>(),
            documents.collect::<Vec<_>>(),
            broken.collect::<Vec<_>>(),
        );
        let row = *rows.entry(holds).or_insert(alike.len());
        if row == alike.len() {
            alike.push(Vec::new());
        }
        alike[row].push(at);
    }
    alike
}

/// The model of each world.
fn of_all<'m, 'd>(alike: &[Vec<u32>], models: &'m [Model<'d>]) -> Vec<&'m Model<'d>> {
    let mut each: Vec<(u32, &Model<'d>)> = Vec::new();
    for (alike, model) in alike.iter().zip(models) {
        each.extend(alike.iter().map(|world| (*world, model)));
    }
    each.sort_unstable_by_key(|(world, _)| *world);
    each.into_iter().map(|(_, model)| model).collect()
}

fn together(
    all: &Model<'_>,
    models: &[Model<'_>],
    alike: &[Vec<u32>],
    judged: Vec<Judged>,
    (policy, run): (&Policy, &Run),
    rules: (&RuleSet, &[&'static Rule]),
) -> Outcome {
    let locator = Locator::new(all);
    let mut findings = Once::new(&locator);
    let mut accepted = Once::new(&locator);
    let mut unknown: Vec<Unknown> = Vec::new();
    let mut asked: FxHashMap<(&str, String, String), usize> = FxHashMap::default();
    let mut used = vec![false; policy.exceptions.len()];
    let mut idle: Vec<(&[u32], Finding)> = Vec::new();
    let mut used_annotations: FxHashSet<Location> = FxHashSet::default();
    for ((worlds, model), it) in alike.iter().zip(models).zip(judged) {
        let base = all.start(worlds[0]);
        for (used, here) in used.iter_mut().zip(&it.applied.used) {
            *used |= here;
        }
        let own = it.applied.idle_annotations(model, policy, rules);
        idle.extend(own.into_iter().map(|it| (worlds.as_slice(), moved(it, base))));
        let of_used = it.applied.annotations.iter().filter_map(|(id, rule)| {
            let place = annotation_of(model.object(*id), rule)?;
            Some(locator.locate(&moved_place(place, base)))
        });
        used_annotations.extend(of_used);
        it.findings.into_iter().for_each(|it| findings.add(moved(it, base), worlds));
        it.applied.accepted.into_iter().for_each(|it| accepted.add(moved(it, base), worlds));
        for it in it.unknown {
            let object = it.object.moved(base);
            let key = (it.rule, all.object(object).to_string(), it.missing.clone());
            let at = *asked.entry(key).or_insert(unknown.len());
            if at == unknown.len() {
                unknown.push(Unknown { object, ..it });
            }
            unknown[at].worlds.extend(worlds);
        }
    }
    for it in &mut unknown {
        it.worlds.sort_unstable();
        it.worlds.dedup();
    }
    // An annotation of a base that accepts something in one world is not idle in the others.
    for (worlds, it) in idle {
        let at = it.labels.first().map(|it| locator.locate(&it.place));
        if at.is_none_or(|at| !used_annotations.contains(&at)) {
            findings.add(it, worlds);
        }
    }
    let (mut findings, accepted) = (findings.list(), accepted.list());
    findings.extend(stale_exceptions(all, (policy, run), rules, &used));
    Outcome { findings, unknown, accepted: accepted.len(), ..Outcome::default() }
}

/// What worlds say of the same places, each once and in other words only because names differ (each has a namespace or a
/// prefix of its own), is one finding.
fn fold(all: &Model<'_>, findings: &mut Vec<Finding>) {
    let locator = Locator::new(all);
    let mut groups: FxHashMap<Key, usize> = FxHashMap::default();
    let mut alike: Vec<Vec<usize>> = Vec::new();
    for (at, finding) in findings.iter().enumerate().filter(|(_, it)| !it.worlds.is_empty()) {
        let group = *groups.entry(Key::but_names(&locator, finding)).or_insert(alike.len());
        if group == alike.len() {
            alike.push(Vec::new());
        }
        alike[group].push(at);
    }
    alike.retain(|it| {
        let worlds = it.iter().flat_map(|at| &findings[*at].worlds);
        let mut seen = FxHashSet::default();
        it.len() > 1 && worlds.into_iter().all(|world| seen.insert(*world))
    });
    let mut is_folded = vec![false; findings.len()];
    for (first, others) in alike.iter().filter_map(|it| it.split_first()) {
        for at in others {
            is_folded[*at] = true;
            let worlds = std::mem::take(&mut findings[*at].worlds);
            let fingerprint = std::mem::take(&mut findings[*at].fingerprint);
            findings[*first].worlds.extend(worlds);
            findings[*first].also.push(fingerprint);
        }
        findings[*first].worlds.sort_unstable();
    }
    let mut is_folded = is_folded.into_iter();
    findings.retain(|_| is_folded.next() != Some(true));
}

/// Findings, those of several worlds that say the same of the same places put together.
struct Once<'o, 'd> {
    locator: &'o Locator<'o, 'd>,
    list: Vec<Finding>,
    seen: FxHashMap<Key, Seen>,
}

/// Findings that are the same, in the worlds that were looked at last up to the next one.
#[derive(Default)]
struct Seen {
    list: Vec<usize>,
    world: Option<u32>,
    next: usize,
}

/// What makes findings of two worlds the same.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    rule: &'static str,
    severity: Option<Severity>,
    texts: Vec<String>,
    places: Vec<At>,
}

#[derive(PartialEq, Eq, Hash)]
enum At {
    Lines(Location),
    /// A field of an object that was rendered from this file; its lines are nobody's.
    Rendered(String, String),
}

impl Key {
    /// All of it.
    fn of(locator: &Locator<'_, '_>, finding: &Finding) -> Key {
        Key::with(locator, finding, |it| it.to_string(), |it| it.to_string())
    }

    /// But for names: texts have them in backticks.
    fn but_names(locator: &Locator<'_, '_>, finding: &Finding) -> Key {
        let words = |it: &str| it.split('`').step_by(2).collect::<Vec<_>>().join("`");
        Key::with(locator, finding, words, |it| it.kind_name.to_string())
    }

    fn with(
        locator: &Locator<'_, '_>,
        finding: &Finding,
        text: impl Fn(&str) -> String,
        object: impl Fn(&Object<'_>) -> String,
    ) -> Key {
        let labels = finding.labels.iter();
        let texts = std::iter::once(&finding.message)
            .chain(finding.notes.iter().filter(|it| *it != AS_IT_STANDS))
            .chain(&finding.help)
            .chain(labels.clone().map(|it| &it.text))
            .map(|it| text(it));
        let model = locator.model();
        let places = labels.map(|it| {
            let location = locator.locate(&it.place);
            let source = model.loaded.sources.get(location.source);
            match &it.place {
                Place::Field { object: id, path } if !source.has_lines() => At::Rendered(
                    source.name.clone(),
                    format!("{} {path}", object(model.object(*id))),
                ),
                _ => At::Lines(location),
            }
        });
        Key {
            rule: finding.rule,
            severity: finding.severity,
            texts: texts.collect(),
            places: places.collect(),
        }
    }
}

impl<'o, 'd> Once<'o, 'd> {
    fn new(locator: &'o Locator<'o, 'd>) -> Once<'o, 'd> {
        Once { locator, list: Vec::new(), seen: FxHashMap::default() }
    }

    fn add(&mut self, mut finding: Finding, worlds: &[u32]) {
        let seen = self.seen.entry(Key::of(self.locator, &finding)).or_default();
        if seen.world != worlds.first().copied() {
            (seen.world, seen.next) = (worlds.first().copied(), 0);
        }
        // Two of one world are two.
        match seen.list.get(seen.next) {
            Some(at) => {
                let first = &mut self.list[*at];
                first.worlds.extend(worlds);
                // Where it is found in something that was rendered, it stands.
                if !finding.notes.iter().any(|it| it == AS_IT_STANDS) {
                    first.notes.retain(|it| it != AS_IT_STANDS);
                }
            }
            None => {
                finding.worlds = worlds.to_vec();
                seen.list.push(self.list.len());
                self.list.push(finding);
            }
        }
        seen.next += 1;
    }

    /// Each, with its worlds in order.
    fn list(mut self) -> Vec<Finding> {
        self.list.iter_mut().for_each(|it| it.worlds.sort_unstable());
        self.list
    }
}

/// A finding of one world among the objects of all.
fn moved(finding: Finding, base: u32) -> Finding {
    let labels = finding.labels.into_iter();
    let labels = labels.map(|it| Label { place: moved_place(it.place, base), ..it }).collect();
    Finding { labels, ..finding }
}

fn moved_place(place: Place, base: u32) -> Place {
    match place {
        Place::Field { object, path } => Place::Field { object: object.moved(base), path },
        text @ Place::Text { .. } => text,
    }
}
