//! What is known of the cluster, shared by those who watch and those who judge, and how fresh it is.

use super::metrics::{Metrics, OfKind};
use super::resources::Resource;
use crate::api::kind::{KINDS, Kind};
use crate::api::version::KubernetesVersion;
use crate::load::cluster::live::Live;
use crate::load::cluster::live::items::Unreadable;
use crate::text::source::SourceId;
use crate::webhook::key::Key;
use crate::webhook::overlay::{DOUBT, EXPIRY};
use crate::webhook::rulebook::Rulebook;
use crate::webhook::state::State;
use crate::webhook::subscriptions::is_subscribed;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The source of all that comes from the API server.
pub(super) const CLUSTER: SourceId = SourceId(0);

/// How far the watch of a kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Nothing was listed yet.
    Unlisted,
    /// The watch is open.
    Open,
    /// The watch broke off then.
    Broken(Instant),
    /// The API server does not let us see it.
    Forbidden,
    /// The API server does not serve it, so there is none.
    Unserved,
}

impl Freshness {
    /// Whether a verdict may have to wait for it.
    fn is_unsettled(self) -> bool {
        matches!(self, Freshness::Unlisted | Freshness::Broken(_))
    }
}

/// What is known of the cluster.
pub(super) struct Knowledge {
    state: Mutex<State>,
    /// By namespace, how often a watch showed something that nobody had asked us about.
    changes: Mutex<FxHashMap<Box<str>, u64>>,
    kinds: Mutex<BTreeMap<Kind, (Freshness, Option<Resource>)>>,
    /// How many kinds were not listed yet or are no longer watched, which every review asks.
    unsettled: AtomicUsize,
    opened: Mutex<Option<Instant>>,
    /// The objects that are there and cannot be read.
    unreadable: Mutex<BTreeMap<Kind, BTreeSet<Key>>>,
    /// How often the API server was found to have gone back in time.
    restored: AtomicUsize,
    /// The kinds that the API server asks about.
    asked_about: BTreeSet<Kind>,
    metrics: Arc<Metrics>,
}

impl Knowledge {
    pub(super) fn new(
        rules: &Rulebook,
        kinds: impl IntoIterator<Item = Kind>,
        metrics: Arc<Metrics>,
    ) -> Knowledge {
        let asked_about = KINDS.iter().map(|it| it.kind).filter(|it| is_subscribed(rules, *it));
        let kinds = kinds.into_iter().map(|it| (it, (Freshness::Unlisted, None)));
        let kinds: BTreeMap<_, _> = kinds.collect();
        Knowledge {
            state: Mutex::new(State::new(rules)),
            changes: Mutex::default(),
            unsettled: AtomicUsize::new(kinds.len()),
            kinds: Mutex::new(kinds),
            opened: Mutex::default(),
            unreadable: Mutex::default(),
            restored: AtomicUsize::new(0),
            asked_about: asked_about.collect(),
            metrics,
        }
    }

    /// The state. Should a writer panic, what it wrote last may be half done, and yet the rest is better than nothing:
    /// the next list of that kind puts it right.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kinds(&self) -> MutexGuard<'_, BTreeMap<Kind, (Freshness, Option<Resource>)>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how far the watch of a kind is.
    pub(super) fn set(&self, kind: Kind, freshness: Freshness) {
        let mut kinds = self.kinds();
        let Some((known, _)) = kinds.get_mut(&kind) else { return };
        // It is stale since the first break.
        if !matches!((*known, freshness), (Freshness::Broken(_), Freshness::Broken(_))) {
            *known = freshness;
        }
        let unsettled = kinds.values().filter(|it| it.0.is_unsettled()).count();
        self.unsettled.store(unsettled, Ordering::Release);
        drop(kinds);
        match freshness {
            Freshness::Open => {
                *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
            Freshness::Unserved => self.state().observe_list(kind, "", Vec::new()),
            Freshness::Forbidden => {
                let mut state = self.state();
                state.observe_list(kind, "", Vec::new());
                state.set_complete(kind, false);
            }
            Freshness::Unlisted | Freshness::Broken(_) => {}
        }
    }

    /// Says which version the API server is of.
    pub(super) fn set_server(&self, version: KubernetesVersion) {
        self.state().set_server(version);
    }

    /// When the API server let us see a kind last.
    pub(super) fn opened(&self) -> Option<Instant> {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where the objects of a kind are.
    pub(super) fn locate(&self, resource: &Resource) {
        if let Some((_, at)) = self.kinds().get_mut(&resource.kind) {
            *at = Some(resource.clone());
        }
    }

    /// Where the objects of a kind are.
    pub(super) fn resource(&self, kind: Kind) -> Option<Resource> {
        self.kinds().get(&kind).and_then(|it| it.1.clone())
    }

    /// Whether every kind is listed and watched, or not to be had.
    pub(super) fn is_settled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire) == 0
    }

    /// The kinds that nobody has listed yet.
    pub(super) fn unlisted(&self) -> Vec<Kind> {
        let kinds = self.kinds();
        kinds.iter().filter(|(_, it)| it.0 == Freshness::Unlisted).map(|(kind, _)| *kind).collect()
    }

    /// The kinds of which nothing was heard for longer than this, with the time.
    pub(super) fn stale(&self, limit: Duration) -> Vec<(Kind, Duration)> {
        let kinds = self.kinds();
        let ages = kinds.iter().filter_map(|(kind, (freshness, _))| match freshness {
            Freshness::Broken(since) => Some((*kind, since.elapsed())),
            _ => None,
        });
        ages.filter(|(_, it)| *it > limit).collect()
    }

    /// Tells the metrics how much is known and how fresh it is.
    pub(super) fn measure(&self) {
        for (kind, (freshness, _)) in self.kinds().iter() {
            let seconds = match freshness {
                Freshness::Broken(since) => since.elapsed().as_secs_f64(),
                Freshness::Unlisted | Freshness::Forbidden => f64::INFINITY,
                Freshness::Open | Freshness::Unserved => 0.0,
            };
            let kind = OfKind { kind: kind.name().into() };
            self.metrics.staleness.get_or_create(&kind).set(seconds);
        }
        for (kind, keys) in self.unreadable().iter() {
            let kind = OfKind { kind: kind.name().into() };
            self.metrics.unreadable.get_or_create(&kind).set(keys.len() as i64);
        }
        let state = self.state();
        self.metrics.objects.set(state.len() as i64);
        self.metrics.overlay.set(state.pending() as i64);
    }

    /// The API server shows all objects of a kind.
    pub(super) fn observe_list(
        &self,
        resource: &Resource,
        objects: Vec<Live>,
        unreadable: Vec<Unreadable>,
    ) {
        let kind = resource.kind;
        objects.iter().for_each(|it| note_cut(resource, it));
        let documents = objects.into_iter().map(|it| (it.version(), it.document));
        let documents = documents.map(|(version, document)| (document, version)).collect();
        self.state().observe_list(kind, "", documents);
        self.unreadable().insert(kind, BTreeSet::new());
        unreadable.iter().for_each(|it| self.observe_unreadable(resource, it));
    }

    /// The API server shows an object.
    pub(super) fn observe(&self, resource: &Resource, object: Live) {
        note_cut(resource, &object);
        let version = object.version();
        let Some(key) = Key::of(object.document.tree.root()) else { return };
        self.change(&key, |state| state.observe(object.document, version));
        self.is_readable(&key);
    }

    /// The API server shows an object that cannot be read: it is there, and nothing else is known of it, so nothing is
    /// known to be missing of its kind as long as it stays so.
    pub(super) fn observe_unreadable(&self, resource: &Resource, it: &Unreadable) {
        let key = resource.key(&it.namespace, &it.name);
        self.change(&key, |state| {
            state.observe_deletion(&key);
            state.set_complete(key.kind, false);
        });
        if self.unreadable().entry(key.kind).or_default().insert(key.clone()) {
            tracing::error!(%key, why = it.why, "an object cannot be read");
        }
    }

    /// An object can be read, or is gone.
    fn is_readable(&self, key: &Key) {
        let mut unreadable = self.unreadable();
        let Some(of_kind) = unreadable.get_mut(&key.kind) else { return };
        if of_kind.remove(key) && of_kind.is_empty() {
            drop(unreadable);
            self.state().set_complete(key.kind, true);
        }
    }

    fn unreadable(&self) -> MutexGuard<'_, BTreeMap<Kind, BTreeSet<Key>>> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often the API server was found to have gone back in time.
    pub(super) fn restored(&self) -> usize {
        self.restored.load(Ordering::Acquire)
    }

    /// The API server has gone back in time, as after its store was restored from a backup: versions that are lower than
    /// those that are known are the newer ones, so every kind is listed anew. `known` is how often that was known to have
    /// happened.
    pub(super) fn restore(&self, known: usize) {
        let next = known + 1;
        if self.restored.compare_exchange(known, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
        {
            tracing::error!("the API server has gone back in time; everything is listed anew");
            self.metrics.restorations.inc();
            self.state().forget_versions(Instant::now());
        }
    }

    /// The API server shows that an object is gone.
    pub(super) fn observe_deletion(&self, key: &Key) {
        self.change(key, |state| state.observe_deletion(key));
        self.is_readable(key);
    }

    /// The version in which an object is known.
    pub(super) fn version(&self, key: &Key) -> Option<u64> {
        self.state().version(key)
    }

    /// Whether a write to an object was allowed that nothing has shown yet.
    pub(super) fn is_expected(&self, key: &Key) -> bool {
        self.state().is_expected(key)
    }

    /// A read that began at `asked`, when an object was known in the version `known`, shows it, or that it is not there.
    pub(super) fn observe_live(
        &self,
        resource: &Resource,
        key: &Key,
        (known, asked): (Option<u64>, Instant),
        object: Option<Live>,
    ) {
        let version = object.as_ref().map_or(0, Live::version);
        // Of one object versions only grow, unless the API server has gone back in time.
        if version != 0 && known.is_some_and(|it| version < it) && self.version(key) == known {
            self.restore(self.restored());
        }
        object.iter().for_each(|it| note_cut(resource, it));
        let shown = object.map(|it| (it.document, version));
        self.change(key, |state| state.observe_read(key, (known, asked), shown));
    }

    /// Some of the allowed writes that no watch has shown in time.
    pub(super) fn doubtful(&self, now: Instant, most: usize) -> Vec<Key> {
        self.state().unseen(DOUBT, now).take(most).map(|(_, key)| key.clone()).collect()
    }

    /// Takes back the allowed writes of which nothing could be learnt for too long.
    pub(super) fn expire(&self, now: Instant) {
        let expired: Vec<Key> =
            self.state().unseen(EXPIRY, now).map(|(_, key)| key.clone()).collect();
        for key in expired {
            self.change(&key, |state| state.forget(&key));
        }
    }

    /// By namespace, when the first of the allowed writes was entered that no watch has shown yet.
    pub(super) fn unseen_since(&self, now: Instant) -> FxHashMap<Box<str>, Instant> {
        let mut since = FxHashMap::default();
        for (entered, key) in self.state().unseen(Duration::ZERO, now) {
            since.entry(key.namespace.clone()).or_insert(entered);
        }
        since
    }

    /// Whether the API server asks about objects of this kind.
    pub(super) fn is_asked_about(&self, kind: Kind) -> bool {
        self.asked_about.contains(&kind)
    }

    fn change(&self, key: &Key, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        state.set_time(jiff::Timestamp::now());
        let before = state.namespace_revision(&key.namespace);
        change(&mut state);
        // Who was never asked about could not be held up, so it raced with nobody.
        if self.is_asked_about(key.kind) && state.namespace_revision(&key.namespace) != before {
            *self.changes_mut().entry(key.namespace.clone()).or_default() += 1;
        }
    }

    fn changes_mut(&self) -> MutexGuard<'_, FxHashMap<Box<str>, u64>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often a watch showed something in a namespace that we had not allowed ourselves.
    pub(super) fn changes(&self, namespace: &str) -> u64 {
        self.changes_mut().get(namespace).copied().unwrap_or(0)
    }
}

/// Says that an object was read only down to some depth: no rule reads anything below it.
fn note_cut(resource: &Resource, object: &Live) {
    if object.is_cut {
        let kind = resource.kind.name();
        let key = Key::of(object.document.tree.root()).map(|it| it.to_string());
        tracing::warn!(kind, object = key, "what is nested too deep in an object is not read");
    }
}
