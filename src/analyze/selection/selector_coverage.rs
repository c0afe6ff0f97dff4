//! Whether selectors together select every pod that there could be, whatever its labels.

use super::selector::{Operator, Requirement, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What selectors leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover<'d> {
    /// Nothing: one of them selects any pod.
    Every,
    /// Such a pod, for one.
    AllBut(Escape<'d>),
    /// They are too many to tell.
    CannotTell,
}

/// The labels of a pod that none of some selectors selects. It has no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Escape<'d>(Vec<(&'d str, Value<'d>)>);

/// The value of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'d> {
    Absent,
    Is(&'d str),
    /// One that no selector names.
    Other,
}

/// How many decisions are tried. Selectors that leave it open after that are nobody's default.
const STEPS: usize = 2_000;

/// What selectors leave out.
pub fn cover<'d>(selectors: &[&Selector<'d>]) -> Cover<'d> {
    let valid: Vec<_> = selectors.iter().copied().filter(|it| !it.invalid).collect();
    if valid.iter().any(|it| it.is_empty()) {
        return Cover::Every;
    }
    // Nearly always nothing selects a pod without labels.
    if !valid.iter().any(|it| it.matches(&[])) {
        return Cover::AllBut(Escape::default());
    }
    let mut search = Search { selectors: &valid, steps: 0 };
    match search.escape(0, &BTreeMap::new()) {
        Some(labels) => Cover::AllBut(labels),
        None if search.steps > STEPS => Cover::CannotTell,
        None => Cover::Every,
    }
}

/// What a label may still be.
#[derive(Clone, Debug)]
struct Domain<'d> {
    absent: bool,
    /// These values alone; `None` for all,
    only: Option<BTreeSet<&'d str>>,
    /// without those.
    without: BTreeSet<&'d str>,
}

impl<'d> Domain<'d> {
    const ANY: Domain<'static> = Domain { absent: true, only: None, without: BTreeSet::new() };

    /// What is left where a requirement is not to hold.
    fn against(&self, operator: &Operator<'d>) -> Domain<'d> {
        let mut domain = self.clone();
        match operator {
            Operator::In(values) => domain.without.extend(values),
            Operator::NotIn(values) => {
                domain.absent = false;
                let keeps = |it: &&str| domain.only.as_ref().is_none_or(|only| only.contains(it));
                domain.only = Some(values.iter().copied().filter(keeps).collect());
            }
            Operator::Exists => domain.only = Some(BTreeSet::new()),
            Operator::DoesNotExist => domain.absent = false,
        }
        domain
    }

    /// A value that it has.
    fn value(&self) -> Option<Value<'d>> {
        if self.absent {
            return Some(Value::Absent);
        }
        match &self.only {
            None => Some(Value::Other),
            Some(only) => only.difference(&self.without).next().map(|it| Value::Is(it)),
        }
    }
}

struct Search<'s, 'd> {
    selectors: &'s [&'s Selector<'d>],
    steps: usize,
}

impl<'d> Search<'_, 'd> {
    /// Labels that none of the selectors from `at` on selects, within these domains.
    fn escape(&mut self, at: usize, domains: &BTreeMap<&'d str, Domain<'d>>) -> Option<Escape<'d>> {
        self.steps += 1;
        if self.steps > STEPS {
            return None;
        }
        let Some(selector) = self.selectors.get(at) else {
            let values = domains.iter().filter_map(|(key, it)| Some((*key, it.value()?)));
            return Some(Escape(values.collect()));
        };
        selector.requirements.iter().find_map(|Requirement { key, operator }| {
            let domain = domains.get(key).unwrap_or(&Domain::ANY).against(operator);
            domain.value()?;
            let mut narrower = domains.clone();
            narrower.insert(key, domain);
            self.escape(at + 1, &narrower)
        })
    }
}

/// ``a pod without labels``, ``a pod labelled `app: web` ``.
impl fmt::Display for Escape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pod")?;
        let is_labelled = |it: &&(&str, Value<'_>)| it.1 != Value::Absent;
        let labelled: Vec<_> = self.0.iter().filter(is_labelled).collect();
        if labelled.is_empty() {
            return f.write_str(" without labels");
        }
        for (at, (key, value)) in labelled.iter().enumerate() {
            f.write_str(if at == 0 { " labelled " } else { ", " })?;
            match value {
                Value::Is(value) => write!(f, "`{key}: {value}`")?,
                _ => write!(f, "`{key}` with a value that no policy names")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of(key: &'static str, values: &[&'static str]) -> Requirement<'static> {
        is(key, Operator::In(values.to_vec()))
    }

    fn none_of(key: &'static str, values: &[&'static str]) -> Requirement<'static> {
        is(key, Operator::NotIn(values.to_vec()))
    }

    fn is(key: &'static str, operator: Operator<'static>) -> Requirement<'static> {
        Requirement { key, operator }
    }

    fn found(selectors: &[&[Requirement<'static>]]) -> String {
        let all: Vec<Selector<'_>> = selectors
            .iter()
            .map(|it| Selector { requirements: it.to_vec(), invalid: false })
            .collect();
        match cover(&all.iter().collect::<Vec<_>>()) {
            Cover::Every => "every".into(),
            Cover::AllBut(it) => it.to_string(),
            Cover::CannotTell => "cannot tell".into(),
        }
    }

    #[test]
    fn selectors_add_up() {
        assert_eq!(found(&[]), "a pod without labels");
        assert_eq!(found(&[&[one_of("a", &["x"])]]), "a pod without labels");
        assert_eq!(found(&[&[one_of("a", &["x"])], &[]]), "every");
        let exists = || is("a", Operator::Exists);
        let lacks = || is("a", Operator::DoesNotExist);
        assert_eq!(found(&[&[exists()], &[lacks()]]), "every");
        assert_eq!(found(&[&[lacks()]]), "a pod labelled `a` with a value that no policy names");
        assert_eq!(found(&[&[none_of("a", &["x"])]]), "a pod labelled `a: x`");
        assert_eq!(found(&[&[none_of("a", &["x"])], &[one_of("a", &["x", "y"])]]), "every");
        assert_eq!(
            found(&[&[none_of("a", &["x"])], &[one_of("a", &["x"]), one_of("b", &["y"])]]),
            "a pod labelled `a: x`"
        );
        assert_eq!(
            found(&[
                &[none_of("a", &["x"])],
                &[one_of("a", &["x"]), is("b", Operator::Exists)],
                &[is("b", Operator::DoesNotExist)],
            ]),
            "every"
        );
        assert_eq!(
            found(&[
                &[none_of("a", &["x"])],
                &[one_of("a", &["x"]), is("b", Operator::DoesNotExist)]
            ]),
            "a pod labelled `a: x`, `b` with a value that no policy names"
        );
    }

    /// Seven doves in six holes, each in one of them and none with another: no labels satisfy that, and finding it out
    /// takes longer than it may.
    #[test]
    fn it_gives_up_in_time() {
        let name = |dove: usize, hole: usize| -> &'static str {
            Box::leak(format!("{dove}-in-{hole}").into_boxed_str())
        };
        let mut selectors: Vec<Vec<Requirement<'_>>> = Vec::new();
        for dove in 0..7 {
            let holes = (0..6).map(|hole| is(name(dove, hole), Operator::DoesNotExist));
            selectors.push(holes.collect());
            for (hole, other) in (0..6).flat_map(|hole| (0..dove).map(move |it| (hole, it))) {
                let both = [name(dove, hole), name(other, hole)];
                selectors.push(both.map(|it| is(it, Operator::Exists)).to_vec());
            }
        }
        let slices: Vec<&[Requirement<'_>]> = selectors.iter().map(Vec::as_slice).collect();
        assert_eq!(found(&slices), "cannot tell");
    }
}
