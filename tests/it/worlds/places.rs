//! Where a value of a rendered object is shown: at the line that set it, or at none.

use super::{CLOUD, DEPLOYMENT, check, folder, has_kustomize, names, place, read, team};
use crate::support::fixture;
use purlin::check::locate::Locator;
use purlin::text::path::FieldPath;
use purlin::text::tree::Node;

#[test]
fn a_field_is_shown_where_it_was_set_last() {
    if !has_kustomize() {
        return;
    }
    let folder = team();
    let root = folder.path().canonicalize().unwrap();
    let loaded = read(&root);
    assert_eq!(loaded.failures, []);
    assert_eq!(names(&loaded, &root), ["live"]);
    let (model, _) = check(&loaded);
    let object = "Deployment/shop/eu-api";
    let container = |name: &str| {
        let object = model.objects().find(|it| it.to_string() == object).unwrap();
        let list = object.field(&["spec", "template", "spec", "containers"]).unwrap();
        list.items().position(|it| it.text("name") == Some(name)).unwrap()
    };
    let api = format!("spec.template.spec.containers[{}]", container("api"));
    let sidecar = format!("spec.template.spec.containers[{}]", container("sidecar"));
    let variable = |name: &str| {
        let object = model.objects().find(|it| it.to_string() == object).unwrap();
        let list = FieldPath::parse(&format!("{api}.env")).resolve(object.root).1;
        let at = list.items().position(|it| it.text("name") == Some(name)).unwrap();
        format!("{api}.env[{at}].value")
    };
    let rows = [
        ("metadata.name", "base/api.yaml:4: api"),
        ("metadata.namespace", "live/kustomization.yaml:1: shop"),
        ("metadata.labels.team", "live/kustomization.yaml:21: blue"),
        ("spec.replicas", "part/kustomization.yaml:5: 3"),
        ("spec.selector", "base/api.yaml:7: selector"),
        ("spec.strategy", "base/api.yaml:5: spec"),
        ("spec.minReadySeconds", "live/kustomization.yaml:14: 7"),
        (&format!("{api}.image"), "live/kustomization.yaml:7: \"1.4\""),
        (&format!("{api}.resources.limits"), "base/api.yaml:12: name"),
        (&format!("{api}.args[0]"), "base/api.yaml:14: \"serve\""),
        (&format!("{sidecar}.image"), "live/mode.yaml:9: registry.example/sidecar:2"),
        (&variable("MODE"), "live/mode.yaml:11: live"),
        (&variable("LEVEL"), "live/kustomization.yaml:19: debug"),
        (
            &variable("HOST"),
            "live/kustomization.yaml:27: spec.template.spec.containers.[name=api].env.[name=HOST].value",
        ),
    ];
    let found: Vec<_> = rows.iter().map(|(path, _)| place(&model, &root, object, path)).collect();
    assert_eq!(found, rows.map(|(_, expected)| expected.to_string()));
    let settings = model.objects().find(|it| it.kind_name == "ConfigMap").unwrap().to_string();
    for (path, expected) in [
        ("metadata.name", "base/kustomization.yaml:3: settings"),
        ("data.COLOUR", "base/kustomization.yaml:5: COLOUR=blue"),
        ("data['notes.txt']", "base/kustomization.yaml:6: notes.txt"),
    ] {
        assert_eq!(place(&model, &root, &settings, path), expected);
    }
}

/// Names that are parts of others are common, and a line of somebody else is worse than none.
#[test]
fn a_name_that_is_a_part_of_another_is_another() {
    if !has_kustomize() {
        return;
    }
    let worker = DEPLOYMENT.replace("name: api\n", "name: api-worker\n");
    let worker = worker.replace("replicas: 1", "replicas: 5");
    let main = DEPLOYMENT.replace("name: api\n", "name: x-api\n");
    let settings = |name: &str| format!("- name: {name}\n  literals: [a={name}]\n");
    let generators = format!("configMapGenerator:\n{}{}", settings("set"), settings("set-b"));
    let folder = folder(&[
        ("base/all.yaml", &format!("{DEPLOYMENT}---\n{worker}---\n{main}")),
        (
            "base/kustomization.yaml",
            &format!("nameSuffix: -v1\nresources: [all.yaml]\n{generators}"),
        ),
        (
            "live/kustomization.yaml",
            "namePrefix: x-\nresources: [../base]\nreplicas: [{name: api, count: 5}]\npatches:\n- path: ready.yaml\n",
        ),
        (
            "live/ready.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api-v1}\nspec: {minReadySeconds: 7}\n",
        ),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let loaded = read(&root);
    assert_eq!(loaded.failures, []);
    let (model, _) = check(&loaded);
    for (object, path, expected) in [
        ("x-api-v1", "metadata.name", "base/all.yaml:4: api"),
        ("x-api-v1", "spec.replicas", "live/kustomization.yaml:3: 5"),
        ("x-api-v1", "spec.minReadySeconds", "live/ready.yaml:4: 7"),
        ("x-api-worker-v1", "metadata.name", "base/all.yaml:23: api-worker"),
        ("x-api-worker-v1", "spec.replicas", "base/all.yaml:25: 5"),
        ("x-x-api-v1", "metadata.name", "base/all.yaml:42: x-api"),
        ("x-x-api-v1", "spec.replicas", "base/all.yaml:44: 1"),
    ] {
        let object = format!("Deployment/default/{object}");
        assert_eq!(place(&model, &root, &object, path), expected, "{object} {path}");
    }
    for object in model.objects().filter(|it| it.kind_name == "ConfigMap") {
        let name = object.field(&["data", "a"]).unwrap().str().unwrap();
        let line = if name == "set" { 5 } else { 7 };
        let expected = format!("base/kustomization.yaml:{line}: a={name}");
        assert_eq!(place(&model, &root, &object.to_string(), "data.a"), expected);
    }
}

/// Every value that is shown in a file stands there: never a made-up line.
#[test]
fn what_is_shown_stands_there() {
    if !has_kustomize() {
        return;
    }
    let team = team();
    for root in [fixture(CLOUD), team.path().canonicalize().unwrap()] {
        let loaded = read(&root);
        let (model, _) = check(&loaded);
        let locator = Locator::new(&model);
        let (mut placed, mut all) = (0, 0);
        for object in model.objects() {
            let mut open: Vec<Node<'_>> = vec![object.root];
            while let Some(node) = open.pop() {
                open.extend(node.items().chain(node.entries().map(|(_, value)| value)));
                let Some(rendered) = node.scalar() else { continue };
                all += 1;
                let at = locator.locate(&object.place(node));
                let source = loaded.sources.get(at.source);
                if !source.has_lines() {
                    continue;
                }
                placed += 1;
                let text = &source.text[at.span.range()];
                let plain = text.trim_matches(['"', '\'']);
                let is_value = rendered.contains(plain);
                // A block of text begins at its `|`, a generator's entry holds more, and a replacement names the field.
                let is_other = text.starts_with(['|', '>'])
                    || source.name.ends_with("kustomization.yaml")
                    || rendered.contains('\n')
                    || text.contains('\\')
                    || text.contains('\n');
                assert!(is_value || is_other, "{object}: {rendered:?} is shown at {text:?}");
            }
        }
        assert!(placed * 10 > all * 9, "{placed} of {all} in {}", root.display());
    }
}
