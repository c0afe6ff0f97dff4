//! What `purlin install` and `purlin uninstall` print.

use super::manifests::{file, purlin};
use crate::apiserver::certificates::Authority;
use crate::support::load_texts;
use purlin::model::Model;
use std::path::PathBuf;
use std::process::Command;

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

/// A file with an authority, and one with a certificate that it has issued.
fn authority() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (leaf, _) = Authority::new(folder.path()).issue("leaf", "kube-apiserver", &[]);
    let authority = folder.path().join("ca.crt");
    (folder, authority, leaf)
}

#[test]
fn with_an_authority_the_server_asks_for_a_certificate_and_the_other_side_is_printed() {
    let (_folder, authority, _) = authority();
    let printed = purlin(&["install", "--client-ca", authority.to_str().unwrap()]);
    for part in [
        "--admission-control-config-file=",
        "name: ValidatingAdmissionWebhook",
        "kubeConfigFile: ",
        "name: purlin.purlin-system.svc",
        "client-certificate: ",
    ] {
        let is_comment = |it: &str| it.starts_with("# ") && it.contains(part);
        assert!(printed.lines().any(is_comment), "{part}: {printed}");
    }
    let loaded = load_texts(&[("it.yaml", &printed)]);
    let model = Model::new(&loaded, "default");
    let object = |kind: &str, name: &str| {
        let mut objects = model.objects();
        objects.find(|it| it.kind_name == kind && it.name == name).unwrap().root
    };
    let held = object("ConfigMap", "purlin-client-ca").at(&["data", "ca.crt"]).unwrap();
    assert_eq!(held.str().unwrap(), std::fs::read_to_string(&authority).unwrap());
    let pod = object("Deployment", "purlin").at(&["spec", "template", "spec"]).unwrap();
    let container = pod.list("containers").next().unwrap();
    let args: Vec<_> = container.list("args").filter_map(|it| it.str()).collect();
    assert_eq!(*args.last().unwrap(), "--client-ca=/etc/purlin/client-ca/ca.crt", "{args:?}");
    let mount = container.list("volumeMounts").next().unwrap();
    assert_eq!(mount.text("mountPath"), Some("/etc/purlin/client-ca"));
    let volume = pod.list("volumes").next().unwrap();
    assert_eq!(volume.text("name"), mount.text("name"));
    assert_eq!(volume.at(&["configMap", "name"]).unwrap().str(), Some("purlin-client-ca"));
}

#[test]
fn what_vouches_for_nobody_is_no_authority() {
    let (folder, authority, leaf) = authority();
    let key = folder.path().join("with-key");
    let all = [&authority, &folder.path().join("leaf.key")].map(|it| std::fs::read(it).unwrap());
    std::fs::write(&key, all.concat()).unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let missing = folder.path().join("missing");
    for (file, why) in [
        (&leaf, "is no authority"),
        (&key, "a private key is among them"),
        (&empty, "no certificate in it"),
        (&missing, "No such file"),
    ] {
        for apply in [&[][..], &["--apply", "--image", "registry.example/purlin:1"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
                .args(["install", "--client-ca", file.to_str().unwrap()])
                .args(apply)
                .env_clear()
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(2));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("`--client-ca ") && said.contains(why), "{why}: {said}");
            assert!(output.stdout.is_empty());
        }
    }
}
