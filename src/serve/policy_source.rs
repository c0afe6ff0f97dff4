//! The policy, from a file or a ConfigMap, followed while the server runs; one that is not valid changes nothing.
//!
//! The baseline that a policy names lies beside it: in the same folder, or under another key of the same ConfigMap. Both
//! count together, so a baseline that is not valid leaves the old one and the old policy.

use super::events::{Events, Reason};
use super::metrics::Metrics;
use super::resources;
use crate::architecture;
use crate::check::baseline::Baseline;
use crate::load::Loaded;
use crate::load::read::decode;
use crate::load::read::mistake::Mistake;
use crate::load::read::split;
use crate::load::read::split::Chunk;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::policy::{Mode, Policy, RuleMode};
use crate::policy_file;
use crate::rule::RuleSet;
use crate::run::Run;
use crate::text::source::Source;
use crate::webhook::context::Context;
use crate::webhook::rulebook::Rulebook;
use kube::Client;
use serde_json::Value;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often the policy is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// The key of a ConfigMap that holds the policy.
const FILE: &str = "purlin.yaml";

/// Where the policy comes from.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// There is none: the defaults hold.
    None,
    /// A file, looked at every two seconds.
    File(PathBuf),
    /// The key `purlin.yaml` of a ConfigMap.
    ConfigMap {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// The policy that holds at the moment.
#[derive(Clone)]
pub(super) struct Current {
    policy: Arc<RwLock<Arc<InForce>>>,
}

/// A policy, with what is so while it holds.
#[derive(Debug)]
pub(super) struct InForce {
    /// The rules that there are.
    pub(super) rules: Arc<Rulebook>,
    /// What the user wants.
    pub(super) policy: Policy,
    /// The day, and the findings that are known.
    pub(super) run: Run,
}

impl InForce {
    /// What holds today by these rules where nobody says anything.
    pub(super) fn new(rules: Arc<Rulebook>) -> InForce {
        InForce { rules, policy: Policy::default(), run: today() }
    }

    /// What a verdict of this moment depends on.
    pub(super) fn context<'c>(&'c self, own_account: Option<&'c str>) -> Context<'c> {
        let InForce { rules, policy, run } = self;
        Context { rules, policy, run, own_account, now: jiff::Timestamp::now() }
    }
}

impl Current {
    pub(super) fn new(policy: InForce) -> Current {
        Current { policy: Arc::new(RwLock::new(Arc::new(policy))) }
    }

    pub(super) fn get(&self) -> Arc<InForce> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, policy: InForce) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}

/// Reads the policy once and follows it from then on.
///
/// # Errors
///
/// If there is none now, or it is not valid.
pub(super) async fn follow(
    source: PolicySource,
    rules: Arc<Rulebook>,
    mode: Option<Mode>,
    client: Client,
    events: Events,
    metrics: Arc<Metrics>,
) -> Result<Current, String> {
    let read = match source {
        PolicySource::ConfigMap { .. } => {
            resources::at_start(async || read(&source, &rules, mode, &client).await).await??
        }
        _ => read(&source, &rules, mode, &client).await??,
    };
    let mut seen = (read.texts, today().today);
    let current = Current::new(read.policy);
    if matches!(source, PolicySource::None) {
        return Ok(current);
    }
    let followed = current.clone();
    tokio::spawn(async move {
        let mut refused = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            // Exceptions expire, so another day makes another policy.
            match self::read(&source, &rules, mode, &client).await.flatten() {
                Ok(it) if (&it.texts, today().today) == (&seen.0, seen.1) => refused = None,
                Ok(it) => {
                    let before = followed.get();
                    let is_stricter = enforces_more(&before.policy, &it.policy.policy);
                    followed.set(it.policy);
                    seen = (it.texts, today().today);
                    refused = None;
                    metrics.policy_reloads.inc();
                    tracing::info!("the policy was replaced");
                    if is_stricter {
                        let message = "the new policy denies what the old one let pass: its mode is `enforce`";
                        let before = before.policy.admission.mode.name();
                        tracing::warn!(before, message);
                        events.warn(subject(&source), Reason::PolicyEnforces, message).await;
                    }
                }
                Err(why) if refused.as_ref() == Some(&why) => {}
                Err(why) => {
                    metrics.policy_failures.inc();
                    tracing::error!(why, "the new policy cannot be used; the old one stays");
                    let message = format!("the old policy stays: {why}");
                    events.warn(subject(&source), Reason::InvalidPolicy, &message).await;
                    refused = Some(why);
                }
            }
        }
    });
    Ok(current)
}

fn subject(source: &PolicySource) -> Option<(&str, &str)> {
    match source {
        PolicySource::ConfigMap { namespace, name } => Some((namespace, name)),
        _ => None,
    }
}

/// A policy, and what it was read from.
struct Read {
    policy: InForce,
    /// The policy, and the baseline that it names.
    texts: Vec<Arc<str>>,
}

/// Reads the policy and its baseline. The inner error is what is wrong with them; the outer one, that they cannot be read
/// now.
async fn read(
    source: &PolicySource,
    rules: &Arc<Rulebook>,
    mode: Option<Mode>,
    client: &Client,
) -> Result<Result<Read, String>, String> {
    if matches!(source, PolicySource::None) {
        let mut policy = InForce::new(rules.clone());
        policy.policy.admission.mode = mode.unwrap_or_default();
        return Ok(Ok(Read { policy, texts: Vec::new() }));
    }
    let text = text(source, client, None).await?;
    let (name, default) = (name(source, None), mode.unwrap_or(Mode::Audit));
    let mut policy = match parse(name, &text, rules.set(), default) {
        Ok(policy) => InForce { policy, ..InForce::new(rules.clone()) },
        Err(why) => return Ok(Err(why)),
    };
    let mut texts = vec![text];
    if let Some(beside) = policy.policy.baseline.as_deref() {
        let text = self::text(source, client, Some(beside)).await?;
        match Baseline::parse(&text) {
            Ok(it) => policy.run.known = it.fingerprints(),
            Err((line, why)) => {
                let name = self::name(source, Some(beside));
                return Ok(Err(format!("the baseline is not valid: {name}:{line}: {why}")));
            }
        }
        texts.push(text);
    }
    if let Some(beside) = policy.policy.architecture.clone() {
        let text = self::text(source, client, Some(&beside)).await?;
        let name = self::name(source, Some(&beside));
        if let Err(why) = promise(&mut policy, Source::new(name, text.clone())) {
            return Ok(Err(why));
        }
        texts.push(text);
    }
    Ok(Ok(Read { policy, texts }))
}

/// Lets the policy and the run know what the architecture beside it promises, and in which modes.
fn promise(in_force: &mut InForce, source: Source) -> Result<(), String> {
    let name = source.shown_name().to_string();
    let mut loaded = Loaded::default();
    // The worlds of requests begin with this one, too.
    loaded.sources.add(Source::cluster("cluster".into()));
    let lines = Source::new(name.clone(), source.text.clone());
    let told = |mistakes: &[Mistake]| {
        let lines = mistakes
            .iter()
            .map(|it| format!("{name}:{}: {}", lines.position(it.span.start), it.message));
        format!("the architecture is not valid\n{}", lines.collect::<Vec<_>>().join("\n"))
    };
    loaded.add_architecture(source).map_err(|it| told(&[it]))?;
    let gathered = architecture::gather(&mut loaded);
    if !gathered.mistakes.is_empty() {
        let mistakes: Vec<_> = gathered.mistakes.into_iter().map(|it| it.1).collect();
        return Err(told(&mistakes));
    }
    architecture::govern(&mut in_force.policy, &gathered.promises)
        .map_err(|it| format!("`{}` stands in the policy and in {name}", it.section))?;
    let rules = in_force.rules.clone();
    for rule in rules.set().iter() {
        let Some(section) = rule.section() else { continue };
        let modes = gathered.promises.iter().filter_map(|it| it.value.mode.of(section));
        // Of several architectures the mildest counts.
        let mode = modes.map(admission_mode).min();
        if mode.is_some() {
            let of_rule = RuleMode { mode, ..RuleMode::default() };
            in_force.policy.admission.rules.entry(rule.id.into()).or_insert(of_rule);
        }
    }
    in_force.run.beside = loaded.beside();
    in_force.run.architecture = gathered;
    Ok(())
}

/// What a section's mode is to the rules that hold objects to it.
fn admission_mode(mode: architecture::statements::Mode) -> Mode {
    match mode {
        architecture::statements::Mode::Shadow => Mode::Audit,
        architecture::statements::Mode::Enforce => Mode::Enforce,
    }
}

/// The text of the policy, or of what lies beside it under this name.
async fn text(
    source: &PolicySource,
    client: &Client,
    beside: Option<&str>,
) -> Result<Arc<str>, String> {
    match source {
        PolicySource::None => Ok(Arc::from("")),
        PolicySource::File(path) => {
            let path = file(path, beside);
            let bytes = tokio::fs::read(&path).await;
            bytes
                .map_err(|why| why.to_string())
                .and_then(|it| decode::decode(it).map_err(|it| it.to_string()))
                .map_err(|why| format!("cannot read {}: {why}", path.display()))
        }
        PolicySource::ConfigMap { namespace, name } => {
            let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
            let map = resources::get(client, &path)
                .await
                .map_err(|why| format!("cannot read ConfigMap {namespace}/{name}: {why}"))?;
            let key = beside.unwrap_or(FILE);
            let text = map.get("data").and_then(|it| it.get(key)).and_then(Value::as_str);
            text.map(Arc::from)
                .ok_or_else(|| format!("ConfigMap {namespace}/{name} has no key `{key}`"))
        }
    }
}

/// The file of the policy, or one that is named from its folder.
fn file<'p>(policy: &'p Path, beside: Option<&str>) -> Cow<'p, Path> {
    match beside {
        None => Cow::Borrowed(policy),
        Some(name) => Cow::Owned(policy.parent().unwrap_or(Path::new("")).join(name)),
    }
}

/// What a person knows a text by.
fn name(source: &PolicySource, beside: Option<&str>) -> String {
    match source {
        PolicySource::None => String::new(),
        PolicySource::File(path) => file(path, beside).display().to_string(),
        PolicySource::ConfigMap { namespace, name } => {
            format!("{namespace}/{name}:{}", beside.unwrap_or(FILE))
        }
    }
}

/// Reads a policy; one that names no mode has this one.
fn parse(name: String, text: &Arc<str>, rules: &RuleSet, mode: Mode) -> Result<Policy, String> {
    let policy = policy_file::read(text, rules).map(|it| it.value);
    let mut policy = policy.map_err(|mistakes| {
        let source = Source::new(name.clone(), text.clone());
        let lines = mistakes.iter().map(|it| {
            let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
            format!(
                "{}:{}: {}{help}",
                source.shown_name(),
                source.position(it.span.start),
                it.message
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    let parsed = split::split(text).find_map(|it| match it {
        Chunk::Text(range) => yaml::parse(text, range, Syntax::Yaml).ok().flatten(),
        Chunk::Bad { .. } => None,
    });
    let root = parsed.as_ref().map(|it| it.tree.root());
    if root.is_none_or(|it| it.get("kind").is_none()) {
        return Err(format!("{name} holds no policy: it is empty"));
    }
    let is_said = root.and_then(|it| it.at(&["admission", "mode"])).is_some_and(|it| !it.is_null());
    if !is_said {
        policy.admission.mode = mode;
    }
    Ok(policy)
}

/// Whether a policy denies somewhere where the one before it did not: in general, for a rule or in a namespace.
fn enforces_more(before: &Policy, after: &Policy) -> bool {
    let (before, after) = (&before.admission, &after.admission);
    // The empty names stand for all that neither of them names.
    let both = || [before, after].into_iter();
    let rules = || both().flat_map(|it| it.rules.keys()).map(String::as_str).chain([""]);
    let namespaces = both().flat_map(|it| &it.namespaces).map(|it| it.0.as_str()).chain([""]);
    namespaces.into_iter().any(|namespace| {
        rules().any(|rule| {
            let [before, after] = [before, after].map(|it| it.mode(rule, namespace));
            before < Mode::Enforce && after == Mode::Enforce
        })
    })
}

/// What is so today.
fn today() -> Run {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    Run { today: Some(today), ..Run::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::built_in;

    fn policy(admission: &str) -> Policy {
        let text =
            format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\nadmission: {admission}\n");
        parse("it".into(), &text.into(), built_in(), Mode::Audit).unwrap()
    }

    #[test]
    fn what_is_denied_from_now_on_is_found_wherever_it_is_said() {
        let rule = "{mode: audit, rules: {pdb-overlap: enforce}}";
        let namespace = "{mode: enforce, namespaces: {'team-*': audit}}";
        for (before, after, is_more) in [
            ("{mode: warn}", "{mode: enforce}", true),
            ("{mode: enforce}", "{mode: audit}", false),
            ("{mode: audit}", rule, true),
            (rule, "{mode: enforce}", true),
            (rule, rule, false),
            (namespace, "{mode: enforce}", true),
            ("{mode: enforce}", namespace, false),
            (namespace, "{mode: enforce, namespaces: {'team-*': warn}}", false),
        ] {
            assert_eq!(enforces_more(&policy(before), &policy(after)), is_more, "{before} {after}");
        }
    }
}
