//! What `purlin install` and `purlin uninstall` print.

use super::manifests::{file, purlin};
use crate::support::load_texts;
use purlin::model::Model;

/// The objects of a text, in its order.
fn titles(text: &str) -> Vec<String> {
    let loaded = load_texts(&[("it.yaml", text)]);
    assert!(loaded.broken.is_empty());
    let model = Model::new(&loaded, "default");
    let of = |it: &purlin::model::Object<'_>| [it.kind_name, it.namespace, it.name].join("/");
    model.objects().map(of).collect()
}

/// The files of the kustomization, one after the other.
fn base() -> String {
    let kustomization = file("base/kustomization.yaml");
    let names = kustomization.lines().filter_map(|it| it.strip_prefix("  - "));
    names.map(|it| file(&format!("base/{it}"))).collect::<Vec<_>>().join("---\n")
}

#[test]
fn it_prints_the_manifests_and_the_webhook_last() {
    let printed = purlin(&["install"]);
    let objects = titles(&printed);
    assert_eq!(objects, titles(&base()), "the kustomization lists the files in the same order");
    assert_eq!(objects.first().unwrap(), "Namespace//purlin-system");
    assert_eq!(objects.last().unwrap(), "ValidatingWebhookConfiguration//purlin");
    assert!(printed.contains("kubectl delete validatingwebhookconfiguration purlin"));
    let same: Vec<_> = printed.lines().filter(|it| !it.starts_with('#')).collect();
    let base = format!("---\n{}", base());
    let expected: Vec<_> = base.lines().filter(|it| !it.starts_with('#')).collect();
    assert_eq!(same, expected, "without options nothing is changed");
}

#[test]
fn it_changes_what_it_is_told_and_nothing_else() {
    let plain = purlin(&["install"]);
    let image = "registry.example.com/tools/purlin@sha256:0123";
    let printed =
        purlin(&["install", "--failure-policy", "fail", "--mode", "enforce", "--image", image]);
    let changed: Vec<_> = printed
        .lines()
        .zip(plain.lines())
        .filter(|(new, old)| new != old)
        .map(|it| it.0.trim())
        .collect();
    let image = format!("image: \"{image}\"");
    assert_eq!(changed, ["mode: enforce", image.as_str(), "failurePolicy: Fail"]);
    assert_eq!(printed.lines().count(), plain.lines().count());
}

#[test]
fn uninstalling_begins_with_the_webhook_and_ends_with_the_namespace() {
    let printed = purlin(&["uninstall"]);
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(
        lines[0],
        "kubectl delete --ignore-not-found validatingwebhookconfigurations.admissionregistration.k8s.io purlin"
    );
    assert_eq!(
        *lines.last().unwrap(),
        "kubectl delete --ignore-not-found namespaces purlin-system"
    );
    assert_eq!(lines.len(), titles(&base()).len());
    let elsewhere = purlin(&["uninstall", "--context", "it's mine"]);
    assert!(
        elsewhere.lines().all(|it| it.starts_with(r"kubectl --context 'it'\''s mine' delete "))
    );
}
