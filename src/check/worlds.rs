//! Several worlds in one report: each is judged by itself, and what is found in several at the same places is told once.

use crate::analyze::world::{Neighbour, neighbours};
use crate::check::exceptions::{annotation_of, stale_exceptions};
use crate::check::fingerprint::fingerprint;
use crate::check::locate::{Location, Locator};
use crate::check::{self, Judged, Outcome, Selection, judge, selected, sort};
use crate::finding::{Finding, Label, Place, Unknown};
use crate::load::Loaded;
use crate::model::Model;
use crate::policy::Policy;
use crate::rule::Rule;
use crate::run::Run;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// Checks everything that was loaded, world by world; objects without a namespace go to `default_namespace` where
/// their world does not name one. The model is for reports: it holds the objects of all worlds.
pub fn check<'d>(
    loaded: &'d Loaded,
    default_namespace: &'d str,
    policy: &Policy,
    run: &Run,
    selection: &Selection,
) -> (Model<'d>, Outcome) {
    let mut models: Vec<Model<'d>> =
        loaded.worlds.iter().map(|it| Model::of_world(loaded, it, default_namespace)).collect();
    if models.len() <= 1 {
        let model = models.pop().unwrap_or_else(|| Model::new(loaded, default_namespace));
        let outcome = check::check(&model, policy, run, selection);
        return (model, outcome);
    }
    let selected = selected(policy, selection);
    let facts: Vec<_> = models.iter().map(|it| check::facts(it, policy)).collect();
    let each = models.iter().zip(&facts).zip(&loaded.worlds);
    let each = each.map(|((model, facts), world)| Neighbour { name: &world.name, model, facts });
    let each: Vec<_> = each.collect();
    let neighbours = neighbours(&each);
    let judged = each.par_iter().zip(&neighbours);
    let judged: Vec<Judged> =
        judged.map(|(it, neighbours)| judge(*it, neighbours, (policy, run), &selected)).collect();
    let all = Model::together(loaded, &models);
    let mut outcome = together(&all, &models, judged, (policy, run), &selected);
    outcome.rules = selected.iter().map(|it| it.id).collect();
    outcome.objects = all.len();
    outcome.worlds = loaded.worlds.iter().map(|it| it.name.clone()).collect();
    sort(&all, &mut outcome);
    fingerprint(&all, &mut outcome.findings);
    (all, outcome)
}

fn together(
    all: &Model<'_>,
    models: &[Model<'_>],
    judged: Vec<Judged>,
    (policy, run): (&Policy, &Run),
    selected: &[&'static Rule],
) -> Outcome {
    let locator = Locator::new(all);
    let mut findings = Once::new(all, &locator);
    let mut accepted = Once::new(all, &locator);
    let mut unknown: Vec<Unknown> = Vec::new();
    let mut asked: FxHashMap<(&str, String, String), usize> = FxHashMap::default();
    let mut used = vec![false; policy.exceptions.len()];
    let mut idle: Vec<(u32, Finding)> = Vec::new();
    let mut used_annotations: FxHashSet<Location> = FxHashSet::default();
    let mut base = 0;
    for (world, (model, it)) in (0..).zip(models.iter().zip(judged)) {
        for (used, here) in used.iter_mut().zip(&it.applied.used) {
            *used |= here;
        }
        let own = it.applied.idle_annotations(model, policy, selected);
        idle.extend(own.into_iter().map(|it| (world, moved(it, base))));
        let of_used = it.applied.annotations.iter().filter_map(|(id, rule)| {
            let place = annotation_of(model.object(*id), rule)?;
            Some(locator.locate(&moved_place(place, base)))
        });
        used_annotations.extend(of_used);
        it.findings.into_iter().for_each(|it| findings.add(moved(it, base), world));
        it.applied.accepted.into_iter().for_each(|it| accepted.add(moved(it, base), world));
        for it in it.unknown {
            let object = it.object.moved(base);
            let key = (it.rule, all.object(object).to_string(), it.missing.clone());
            let at = *asked.entry(key).or_insert(unknown.len());
            if at == unknown.len() {
                unknown.push(Unknown { object, ..it });
            }
            if unknown[at].worlds.last() != Some(&world) {
                unknown[at].worlds.push(world);
            }
        }
        base += model.ids();
    }
    // An annotation of a base that accepts something in one world is not idle in the others.
    for (world, it) in idle {
        let at = it.labels.first().map(|it| locator.locate(&it.place));
        if at.is_none_or(|at| !used_annotations.contains(&at)) {
            findings.add(it, world);
        }
    }
    let mut findings = findings.list;
    findings.extend(stale_exceptions(all, (policy, run), selected, &used));
    Outcome { findings, unknown, accepted: accepted.list.len(), ..Outcome::default() }
}

/// Findings, those of several worlds that say the same of the same places put together.
struct Once<'o, 'd> {
    all: &'o Model<'d>,
    locator: &'o Locator<'o, 'd>,
    list: Vec<Finding>,
    seen: FxHashMap<Key, usize>,
}

/// What makes findings of two worlds the same.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    rule: &'static str,
    texts: Vec<String>,
    places: Vec<At>,
}

#[derive(PartialEq, Eq, Hash)]
enum At {
    Lines(Location),
    /// A field of an object that was rendered from this file; its lines are nobody's.
    Rendered(String, String),
}

impl<'o, 'd> Once<'o, 'd> {
    fn new(all: &'o Model<'d>, locator: &'o Locator<'o, 'd>) -> Once<'o, 'd> {
        Once { all, locator, list: Vec::new(), seen: FxHashMap::default() }
    }

    fn add(&mut self, mut finding: Finding, world: u32) {
        let at = *self.seen.entry(self.key(&finding)).or_insert(self.list.len());
        if at == self.list.len() {
            finding.worlds = vec![world];
            self.list.push(finding);
        } else if self.list[at].worlds.last() == Some(&world) {
            // Two of one world are two.
            finding.worlds = vec![world];
            self.list.push(finding);
        } else {
            self.list[at].worlds.push(world);
        }
    }

    fn key(&self, finding: &Finding) -> Key {
        let labels = finding.labels.iter();
        let texts = std::iter::once(&finding.message)
            .chain(&finding.notes)
            .chain(&finding.help)
            .chain(labels.clone().map(|it| &it.text))
            .cloned();
        let places = labels.map(|it| self.at(&it.place));
        Key { rule: finding.rule, texts: texts.collect(), places: places.collect() }
    }

    fn at(&self, place: &Place) -> At {
        let location = self.locator.locate(place);
        let source = self.all.loaded.sources.get(location.source);
        match place {
            Place::Field { object, path } if !source.has_lines() => {
                At::Rendered(source.name.clone(), format!("{} {path}", self.all.object(*object)))
            }
            _ => At::Lines(location),
        }
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
