//! `purlin.yaml`: each kind of mistake with its place, what the settings do, and exceptions in all their forms.

use crate::support::{load_texts, only, run};
use purlin::api::network::Plugin;
use purlin::check::{Outcome, Selection, check, is_on};
use purlin::documents::Read;
use purlin::finding::Severity;
use purlin::load::Loaded;
use purlin::model::Model;
use purlin::policy::{Mode, Policy, Preset};
use purlin::policy_file;
use purlin::rules::built_in;
use purlin::run::Run;
use purlin::text::source::Source;
use std::sync::Arc;

/// What every policy begins with; what is tested starts on line 3.
const HEAD: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\n";

fn read(text: &str) -> Result<Policy, Vec<String>> {
    let text: Arc<str> = Arc::from(text);
    policy_file::read(&text, purlin::rules::built_in()).map(|it| it.value).map_err(|mistakes| {
        let source = Source::new("purlin.yaml".into(), text.clone());
        let lines = mistakes.iter().map(|it| {
            let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
            let place = source.position(it.span.start);
            format!("{place} `{}`: {}{help}", &text[it.span.range()], it.message)
        });
        lines.collect()
    })
}

fn mistakes(body: &str) -> Vec<String> {
    read(&format!("{HEAD}{body}")).err().unwrap_or_default()
}

#[test]
fn mistakes_have_places_and_help() {
    let cases: &[(&str, &[&str])] = &[
        // Fields.
        ("rulez: {}", &["3:1 `rulez`: unknown field `rulez`; did you mean `rules`?"]),
        (
            "zzz: 1",
            &[
                "3:1 `zzz`: unknown field `zzz`; known are apiVersion, kind, metadata, extends, targets, exclude, kubernetesVersion, allowRemote, rules, external, references, complete, exceptions, baseline, network, admission, flows, architecture",
            ],
        ),
        (
            "1: 1",
            &[
                "3:1 `1`: unknown field `1`; known are apiVersion, kind, metadata, extends, targets, exclude, kubernetesVersion, allowRemote, rules, external, references, complete, exceptions, baseline, network, admission, flows, architecture",
            ],
        ),
        ("rules: []", &["3:8 `[]`: `rules` is a mapping, and this is a list"]),
        ("rules: {}\nrules: {}", &["4:1 `rules`: `rules` stands twice in one mapping"]),
        // How far the webhook goes.
        ("admission: warn", &["3:12 `warn`: `admission` is a mapping, and this is a string"]),
        ("admission: {mod: warn}", &["3:13 `mod`: unknown field `mod`; did you mean `mode`?"]),
        ("admission: {mode: deny}", &["3:19 `deny`: unknown mode `deny`; did you mean `enforce`?"]),
        ("admission: {mode: wran}", &["3:19 `wran`: unknown mode `wran`; did you mean `warn`?"]),
        (
            "admission: {mode: 1}",
            &["3:19 `1`: a mode is audit, warn or enforce, and this is a number"],
        ),
        (
            "admission: {grace: soon}",
            &["3:20 `soon`: not a duration: `grace` is written as 10m or 1h30m"],
        ),
        (
            "admission: {grace: -5m}",
            &["3:20 `-5m`: not a duration: `grace` is written as 10m or 1h30m"],
        ),
        (
            "admission: {rules: {pdb-block-drain: warn}}",
            &[
                "3:21 `pdb-block-drain`: unknown rule `pdb-block-drain`; did you mean `pdb-blocks-drain`?",
            ],
        ),
        (
            "admission: {rules: {pdb-blocks-drain: {grase: 1m}}}",
            &["3:40 `grase`: unknown field `grase`; did you mean `grace`?"],
        ),
        (
            "admission: {annotations: some}",
            &["3:26 `some`: unknown value `some`; known are none, own, all"],
        ),
        (
            "admission: {exempt: [{reason: it}]}",
            &[
                "3:22 `{reason: it}`: this exempts every request; name at least one of users, groups, serviceAccounts, owners, labels",
            ],
        ),
        ("admission: {exempt: [{users: [it]}]}", &["3:22 `{users`: `reason` is missing"]),
        (
            "admission: {exempt: [{users: [it], reason: it, rules: [no-such]}]}",
            &["3:56 `no-such`: unknown rule `no-such`"],
        ),
        (
            "admission: {recreate: day}",
            &["3:23 `day`: not a duration: `recreate` is written as 10m or 1h30m"],
        ),
        ("admission: {rules: []}", &["3:20 `[]`: `rules` is a mapping, and this is a list"]),
        (
            "admission: {namespaces: [shop]}",
            &["3:25 `[shop]`: `namespaces` is a mapping, and this is a list"],
        ),
        // Rules and their severities.
        (
            "rules: {pdb-block-drain: error}",
            &[
                "3:9 `pdb-block-drain`: unknown rule `pdb-block-drain`; did you mean `pdb-blocks-drain`?",
            ],
        ),
        (
            "rules: {pdb-blocks-drain: fatal}",
            &["3:27 `fatal`: unknown severity `fatal`; known are off, note, warning, error"],
        ),
        (
            "rules: {pdb-blocks-drain: warn}",
            &["3:27 `warn`: unknown severity `warn`; did you mean `warning`?"],
        ),
        (
            "rules: {pdb-blocks-drain: true}",
            &["3:27 `true`: a severity is off, note, warning or error, and this is a boolean"],
        ),
        (
            "rules: {pdb-blocks-drain: [error]}",
            &["3:27 `[error]`: a severity is off, note, warning or error, and this is a list"],
        ),
        // Parameters.
        (
            "rules: {image-tag-latest: {tag: [main]}}",
            &["3:28 `tag`: unknown parameter of `image-tag-latest` `tag`; did you mean `tags`?"],
        ),
        (
            "rules: {image-tag-latest: {severty: note}}",
            &[
                "3:28 `severty`: unknown parameter of `image-tag-latest` `severty`; did you mean `severity`?",
            ],
        ),
        (
            "rules: {image-tag-latest: {tags: [[main]]}}",
            &["3:35 `[main]`: a plain value is needed, and this is a list"],
        ),
        // Objects.
        ("external: Secret/a", &["3:11 `Secret/a`: `external` is a list, and this is a string"]),
        (
            "external: [Secret]",
            &[
                "3:12 `Secret`: not an object: write `Kind/name` or `Kind/namespace/name`, with `*` for any",
            ],
        ),
        (
            "external: [Secret//a]",
            &[
                "3:12 `Secret//a`: not an object: write `Kind/name` or `Kind/namespace/name`, with `*` for any",
            ],
        ),
        (
            "external: [{kind: Secret}]",
            &["3:12 `{kind: Secret}`: a plain value is needed, and this is a mapping"],
        ),
        (
            "external: [Secert/a]",
            &["3:12 `Secert/a`: unknown kind `Secert`; did you mean `Secret`?"],
        ),
        (
            "external: [secret/a]",
            &["3:12 `secret/a`: unknown kind `secret`; did you mean `Secret`?"],
        ),
        (
            "external: [deployments/shop/*]",
            &["3:12 `deployments/shop/*`: unknown kind `deployments`; did you mean `Deployment`?"],
        ),
        ("external: [cm/a]", &["3:12 `cm/a`: unknown kind `cm`; did you mean `ConfigMap`?"]),
        ("external: [thing/a]", &["3:12 `thing/a`: unknown kind `thing`"]),
        (
            "external: [StorageClass/shop/gp3]",
            &[
                "3:12 `StorageClass/shop/gp3`: `StorageClass` has no namespace; write `StorageClass/gp3`",
            ],
        ),
        // Namespaces.
        ("complete: shop", &["3:11 `shop`: `complete` is a list, and this is a string"]),
        ("complete: [{a: b}]", &["3:12 `{a: b}`: a plain value is needed, and this is a mapping"]),
        // Targets.
        (
            "targets: [overlays/production]",
            &["3:11 `overlays/production`: a target is a mapping, and this is a string"],
        ),
        ("targets: [{name: a}]", &["3:11 `{name`: `path` is missing"]),
        (
            "targets: [{path: a, pat: b}]",
            &["3:21 `pat`: unknown field `pat`; did you mean `path`?"],
        ),
        (
            "targets: [{path: a, blueprints: architecture.yaml}]",
            &[
                "3:21 `blueprints`: unknown field `blueprints`; known are name, path, values, release, set, kubeVersion, apiVersions, helm, namespace, architecture",
            ],
        ),
        // Network plugins.
        ("network: calico", &["3:10 `calico`: `network` is a mapping, and this is a string"]),
        (
            "network: {plugin: calicoo}",
            &["3:19 `calicoo`: unknown network plugin `calicoo`; did you mean `calico`?"],
        ),
        (
            "network: {plugin: flannel}",
            &[
                "3:19 `flannel`: unknown network plugin `flannel`; known are generic, calico, cilium, antrea, ovn-kubernetes, aws-vpc",
            ],
        ),
        (
            "network: {plugin: [calico]}",
            &["3:19 `[calico]`: a network plugin is a name, and this is a list"],
        ),
        (
            "network: {plugins: calico}",
            &["3:11 `plugins`: unknown field `plugins`; did you mean `plugin`?"],
        ),
        // Exceptions.
        (
            "exceptions: [pdb-blocks-drain]",
            &["3:14 `pdb-blocks-drain`: an exception is a mapping, and this is a string"],
        ),
        ("exceptions:\n  - rule: pdb-blocks-drain", &["4:5 `rule`: `object` is missing"]),
        (
            "exceptions: [{rule: pdb-blocks-drain, object: Pod/a, reason: ' '}]",
            &["3:62 `' '`: `reason` is empty"],
        ),
        (
            "exceptions: [{rule: pdb-blocks-drain, object: Pod/a, reason: 7}]",
            &["3:62 `7`: `reason` is a string, and this is a number"],
        ),
        (
            "exceptions: [{rule: pdb-blocks-drai, object: Pod/a, reason: b}]",
            &[
                "3:21 `pdb-blocks-drai`: unknown rule `pdb-blocks-drai`; did you mean `pdb-blocks-drain`?",
            ],
        ),
        (
            "exceptions: [{rule: '*', object: Deploymnt/a, reason: b}]",
            &["3:34 `Deploymnt/a`: unknown kind `Deploymnt`; did you mean `Deployment`?"],
        ),
        (
            "exceptions: [{rule: '*', object: Pod/a, reason: b, expires: tomorrow}]",
            &["3:61 `tomorrow`: not a date: `expires` is written as 2027-03-31"],
        ),
        (
            "exceptions: [{rule: '*', object: Pod/a, reason: b, expires: 2027-02-30}]",
            &["3:61 `2027-02-30`: not a date: `expires` is written as 2027-03-31"],
        ),
        (
            "exceptions: [{rule: '*', object: Pod/a, reason: b, until: 2027-02-03}]",
            &[
                "3:52 `until`: unknown field `until`; known are rule, object, world, reason, expires",
            ],
        ),
        // Documents.
        (
            "---\napiVersion: v1",
            &["4:1 `apiVersion: v1`: a second document: a policy file holds one"],
        ),
        // Of a document itself.
        ("metadata: shop", &["3:11 `shop`: `metadata` is a mapping, and this is a string"]),
        ("metadata: {labels: {a: b}}", &["3:12 `labels`: unknown field `labels`; known are name"]),
        // Flows.
        (
            "flows: [{from: a, to: b, ports: 80}]",
            &["3:33 `80`: `ports` is a list, and this is a number"],
        ),
        (
            "flows: [{from: a, to: b, ports: [0]}]",
            &["3:34 `0`: not a port: one is written as 5432, 53/UDP or 8000-8080, from 1 to 65535"],
        ),
        ("flows: [{from: a}]", &["3:9 `{from`: `to` is missing"]),
        ("flows: [{from: a, to: }]", &["3:9 `{from`: `to` is missing"]),
        (
            "allowRemote: yes please",
            &["3:14 `yes please`: `allowRemote` is true or false, and this is a string"],
        ),
        // Fields without a value have to be fields all the same.
        ("rulez:", &["3:1 `rulez`: unknown field `rulez`; did you mean `rules`?"]),
        (
            "rules: {image-tag-latest: {tag: }}",
            &[
                "3:28 `tag`: unknown parameter of `image-tag-latest` `tag`; did you mean `tags`?",
                "3:31 ``: `tag` is a plain value or a list of them, and this is null",
            ],
        ),
        // Several in one mapping, and below what is wrong.
        (
            "exceptions: [{rule: 7, object: Pod, reason: ' ', expires: soon}, {rule: '*', object: Pod/a, reason: b, until: 1}]",
            &[
                "3:21 `7`: `rule` is a string, and this is a number",
                "3:32 `Pod`: not an object: write `Kind/name` or `Kind/namespace/name`, with `*` for any",
                "3:45 `' '`: `reason` is empty",
                "3:59 `soon`: not a date: `expires` is written as 2027-03-31",
                "3:104 `until`: unknown field `until`; known are rule, object, world, reason, expires",
            ],
        ),
        // All of them at once.
        (
            "rulez: {}\ncomplete: 1\nnetwork: {plugin: x}",
            &[
                "3:1 `rulez`: unknown field `rulez`; did you mean `rules`?",
                "4:11 `1`: `complete` is a list, and this is a number",
                "5:19 `x`: unknown network plugin `x`; known are generic, calico, cilium, antrea, ovn-kubernetes, aws-vpc",
            ],
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(mistakes(body), *expected, "{body}");
    }
}

#[test]
fn a_policy_says_what_it_is() {
    let wrong = |text: &str| read(text).unwrap_err();
    assert_eq!(
        wrong("rules: {}"),
        [
            "1:1 ``: `apiVersion: purlin.dev/v1alpha1` is missing",
            "1:1 ``: `kind: Policy` is missing"
        ]
    );
    assert_eq!(
        wrong("apiVersion: v1\nkind: Policy"),
        ["1:13 `v1`: `apiVersion` is `purlin.dev/v1alpha1` in a policy file"]
    );
    assert_eq!(wrong("- a"), ["1:1 `- a`: a policy is a mapping, and this is a list"]);
    assert_eq!(wrong("a: {").len(), 1, "what does not parse has a place too");
}

#[test]
fn what_is_right_is_read() {
    let policy = read(
        "---\n# what we want\napiVersion: purlin.dev/v1alpha1\nkind: Policy\nmetadata: {name: shop}\n\
         targets:\n  - {name: production, path: overlays/production}\n  - path: charts/shop\n\
         rules:\n  pdb-blocks-drain: warning\n  duplicate-key: off\n  invalid-yaml: 'off'\n  image-tag-latest: {severity: note, tags: [main, 1]}\n\
         external: [Secret/*, ConfigMap/shop/feature-flags, Cluster/db, '*/anything']\n\
         complete: [shop, 7]\n\
         exceptions:\nnetwork: {plugin: ovn-kubernetes}\n",
    );
    let policy = policy.unwrap();
    let targets: Vec<_> = policy.targets.iter().map(|it| (it.name(), it.path.as_str())).collect();
    assert_eq!(targets, [("production", "overlays/production"), ("charts/shop", "charts/shop")]);
    assert_eq!(policy.level("duplicate-key"), policy.level("invalid-yaml"));
    assert_eq!(policy.parameter("image-tag-latest", "tags").unwrap(), &["main", "1"]);
    assert!(policy.is_external("Secret", "anywhere", "any"));
    assert!(policy.is_external("ConfigMap", "shop", "feature-flags"));
    assert!(!policy.is_external("ConfigMap", "other", "feature-flags"));
    assert!(policy.is_external("Service", "shop", "anything"));
    assert!(policy.is_complete("shop") && policy.is_complete("7") && !policy.is_complete("other"));
    assert_eq!(policy.network.plugin, Plugin::OvnKubernetes);
    assert!(read("").is_ok() && read("# nothing yet\n").is_ok());
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: shop
  annotations: {ANNOTATION}
spec:
  template:
    metadata: {annotations: {ON_PODS}}
    spec: {containers: [{name: api, image: api}]}
";

fn deployment(annotation: &str, on_pods: &str) -> String {
    DEPLOYMENT.replace("ANNOTATION", annotation).replace("ON_PODS", on_pods)
}

fn judge(manifest: &str, body: &str, selection: &Selection) -> Outcome {
    let mut loaded: Loaded = load_texts(&[("a.yaml", manifest)]);
    let text: Arc<str> = format!("{HEAD}{body}").into();
    let Read { value, tree } = policy_file::read(&text, purlin::rules::built_in()).unwrap();
    let document = loaded.add_own(Source::new("purlin.yaml".into(), text), tree);
    let model = Model::new(&loaded, "default");
    check(&model, &value, &Run { policy: Some(document), ..run() }, selection)
}

/// `rule: message`, with the severity where it is not a warning.
fn found(outcome: &Outcome) -> Vec<String> {
    let line = |it: &purlin::finding::Finding| match it.severity.unwrap() {
        Severity::Warning => format!("{}: {}", it.rule, it.message),
        other => format!("{} {other}: {}", it.rule, it.message),
    };
    outcome.findings.iter().map(line).collect()
}

fn select(rules: &[&str]) -> Selection {
    Selection {
        only: rules.iter().map(|it| (*it).to_string()).collect(),
        skip: Vec::new(),
        ..Selection::default()
    }
}

fn with_exceptions() -> Selection {
    select(&["image-tag-latest", "unused-exception", "expired-exception"])
}

const LATEST: &str = "image-tag-latest: `Deployment/shop/api`: container `api` runs `api`, which has no tag and so is `api:latest`";

#[test]
fn severities_and_parameters_are_obeyed() {
    let manifest = deployment("", "");
    let run = |body: &str, selection: &Selection| found(&judge(&manifest, body, selection));
    let asked = only("image-tag-latest");
    assert_eq!(run("", &asked), [LATEST]);
    let error = LATEST.replacen(':', " error:", 1);
    assert_eq!(run("rules: {image-tag-latest: error}", &asked), [error.as_str()]);
    assert_eq!(run("rules: {image-tag-latest: {severity: error}}", &asked), [error.as_str()]);
    assert_eq!(run("rules: {image-tag-latest: {tags: [main]}}", &asked), [""; 0]);
    // Off, unless asked for by name.
    let group = only("object");
    assert!(run("", &group).contains(&LATEST.to_string()));
    assert!(!run("rules: {image-tag-latest: off}", &group).contains(&LATEST.to_string()));
    assert_eq!(run("rules: {image-tag-latest: off}", &asked), [LATEST]);
}

#[test]
fn presets_and_settings_say_which_rules_are_on() {
    let on = |body: &str| {
        let policy = read(&format!("{HEAD}{body}")).unwrap();
        built_in().iter().filter(|it| is_on(it, &policy)).collect::<Vec<_>>()
    };
    let by_default = on("");
    assert!(by_default.iter().any(|it| it.id == "pdb-missing"));
    assert_eq!(by_default, on("extends: recommended"));
    assert!(on("extends: invariants").iter().all(|it| by_default.contains(it)));
    assert!(by_default.iter().all(|it| on("extends: [strict]").contains(it)));
    let of_pods = on("extends: pod-security-baseline");
    assert!(of_pods.iter().all(|it| it.presets.contains(&Preset::PodSecurityBaseline)));
    let one_more = on("extends: pod-security-baseline\nrules: {pdb-missing: warning}");
    assert_eq!(one_more.len(), of_pods.len() + 1);
    assert_eq!(on("rules: {pdb-missing: off}").len(), by_default.len() - 1);
    let here = on("rules: {pdb-missing: {severity: off, worlds: {production: error}}}");
    assert_eq!(here, by_default);
    assert_eq!(
        mistakes("extends: strickt"),
        ["3:10 `strickt`: unknown preset `strickt`; did you mean `strict`?"]
    );
}

#[test]
fn annotations_accept_findings() {
    let run = |annotation: &str, on_pods: &str| {
        found(&judge(&deployment(annotation, on_pods), "", &with_exceptions()))
    };
    for (annotation, on_pods) in [
        ("purlin.dev/ignore.image-tag-latest: built on the spot", ""),
        ("ignore-check.kube-linter.io/latest-tag: built on the spot", ""),
        ("ignore-check.kube-linter.io/latest-tag: ''", ""),
        ("kube-linter.io/ignore-all: ''", ""),
        ("kube-score/ignore: container-image-tag", ""),
        ("kube-score/ignore: 'pod-networkpolicy, container-image-tag'", ""),
        ("", "kube-score/ignore: container-image-tag"),
        ("polaris.fairwinds.com/tagNotSpecified-exempt: 'true'", ""),
        ("polaris.fairwinds.com/tagNotSpecified-exempt: 'True'", ""),
        ("polaris.fairwinds.com/exempt: 'true'", ""),
    ] {
        assert_eq!(run(annotation, on_pods), [""; 0], "{annotation}{on_pods}");
    }
    for (annotation, on_pods) in [
        ("ignore-check.kube-linter.io/no-latest: x", ""),
        ("kube-score/ignore: container-image-pull-policy", ""),
        ("polaris.fairwinds.com/tagNotSpecified-exempt: 'false'", ""),
        ("polaris.fairwinds.com/hostIPCSet-exempt: 'true'", ""),
        ("polaris.fairwinds.com/exempt: ''", ""),
        ("", "ignore-check.kube-linter.io/latest-tag: x"),
    ] {
        assert_eq!(run(annotation, on_pods), [LATEST], "{annotation}{on_pods}");
    }
}

#[test]
fn annotations_that_accept_nothing_are_reported() {
    let run = |annotation: &str, on_pods: &str| {
        found(&judge(&deployment(annotation, on_pods), "", &with_exceptions()))
    };
    let no_reason = "unused-exception: `purlin.dev/ignore.image-tag-latest` gives no reason and so accepts nothing";
    for blank in ["''", "' '", ""] {
        let annotation = format!("purlin.dev/ignore.image-tag-latest: {blank}");
        assert_eq!(run(&annotation, ""), [no_reason, LATEST], "{blank:?}");
    }
    assert_eq!(
        run("purlin.dev/ignore.image-tag-lates: why", ""),
        ["unused-exception: `purlin.dev/ignore.image-tag-lates` names no rule", LATEST]
    );
    assert_eq!(
        run("", "purlin.dev/ignore.image-tag-latest: why"),
        [
            "unused-exception: `purlin.dev/ignore.image-tag-latest` stands on the pods of `Deployment/shop/api` and so accepts nothing",
            LATEST
        ]
    );
    // Only of rules that were run.
    let other = "purlin.dev/ignore.pdb-blocks-drain: why";
    assert_eq!(run(other, ""), [LATEST]);
    let selection = select(&["pdb-blocks-drain", "unused-exception"]);
    assert_eq!(
        found(&judge(&deployment(other, ""), "", &selection)),
        [
            "unused-exception: `purlin.dev/ignore.pdb-blocks-drain` accepts nothing: `Deployment/shop/api` has no such finding"
        ]
    );
}

#[test]
fn exceptions_accept_findings_and_are_reported_when_they_do_not() {
    let run = |exception: &str, selection: &Selection| {
        let body = format!("exceptions: [{{{exception}, reason: why}}]");
        found(&judge(&deployment("", ""), &body, selection))
    };
    let all = with_exceptions();
    for exception in [
        "rule: image-tag-latest, object: Deployment/shop/api",
        "rule: image-tag-latest, object: Deployment/api",
        "rule: image-tag-latest, object: '*/shop/*'",
        "rule: '*', object: Deployment/a*i",
        "rule: image-tag-latest, object: Deployment/api, expires: 2026-06-01",
    ] {
        assert_eq!(run(exception, &all), [""; 0], "{exception}");
    }
    let unused = "unused-exception: this exception for `image-tag-latest` accepts nothing";
    for exception in [
        "rule: image-tag-latest, object: StatefulSet/shop/api",
        "rule: image-tag-latest, object: Deployment/other/api",
        "rule: image-tag-latest, object: Deployment/ap",
    ] {
        assert_eq!(run(exception, &all), [LATEST, unused], "{exception}");
    }
    assert_eq!(
        run("rule: image-tag-latest, object: Deployment/api, expires: 2026-05-31", &all),
        [LATEST, "expired-exception: this exception for `image-tag-latest` expired on 2026-05-31"]
    );
    // What was not run, or not wholly, accepts nothing this time; that is no news.
    assert_eq!(run("rule: pdb-blocks-drain, object: Pod/a", &all), [LATEST]);
    assert_eq!(run("rule: '*', object: Pod/a", &all), [LATEST]);
    let unused = "unused-exception: this exception for `*` accepts nothing".to_string();
    assert!(run("rule: '*', object: Pod/a", &Selection::default()).contains(&unused));
}

#[test]
fn exceptions_cover_every_object_of_a_finding_and_text_inside_objects() {
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: 1\n  x: 2\n";
    let manifest = format!("{}---\n{twice}", deployment("", ""));
    let selection = only("duplicate-key");
    let run = |body: &str| found(&judge(&manifest, body, &selection)).len();
    assert_eq!(run(""), 1);
    assert_eq!(run("exceptions: [{rule: duplicate-key, object: ConfigMap/a, reason: why}]"), 0);
    assert_eq!(run("exceptions: [{rule: duplicate-key, object: Deployment/api, reason: why}]"), 1);
}

#[test]
fn the_milder_of_a_rules_and_a_namespaces_mode_counts() {
    let policy = read(&format!(
        "{HEAD}admission:\n  mode: warn\n  grace: 1h30m\n  rules:\n    pdb-missing: audit\n    pdb-blocks-drain: {{mode: enforce, grace: 10m}}\n  namespaces: {{prod: enforce, \"team-*-dev\": audit, \"*\": enforce}}\n"
    ))
    .unwrap();
    let mode = |rule, namespace| policy.admission.mode(rule, namespace);
    assert_eq!(mode("pdb-blocks-drain", "prod"), Mode::Enforce);
    assert_eq!(mode("pdb-blocks-drain", "team-a-dev"), Mode::Audit);
    assert_eq!(mode("pdb-missing", "prod"), Mode::Audit);
    assert_eq!(mode("single-replica", "team-dev"), Mode::Enforce);
    let grace = |rule| policy.admission.grace(rule).map(|it| it.as_mins());
    assert_eq!((grace("pdb-blocks-drain"), grace("pdb-missing")), (Some(10), Some(90)));
    assert_eq!(Policy::default().admission.mode("pdb-missing", "prod"), Mode::Enforce);
    let only_mode = read(&format!("{HEAD}admission: {{mode: warn}}\n")).unwrap();
    assert_eq!(only_mode.admission.mode("pdb-missing", "prod"), Mode::Warn);
}

#[test]
fn the_version_of_kubernetes_is_a_string() {
    let version = |text: &str| {
        let policy = read(&format!("{HEAD}kubernetesVersion: {text}\n"));
        policy.expect("it is a version").kubernetes_version
    };
    assert_eq!(version("\"1.30\"").map(|it| it.to_string()).as_deref(), Some("1.30"));
    assert_eq!(version("v1.33.4").map(|it| it.to_string()).as_deref(), Some("1.33"));
    assert!(mistakes("kubernetesVersion: 1.30\n")[0].contains("a string in quotes"));
    assert!(mistakes("kubernetesVersion: newest\n")[0].contains("not a version of Kubernetes"));
}
