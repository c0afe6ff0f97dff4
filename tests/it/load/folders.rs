//! Which files of a folder are read, and what becomes of the rest.

use purlin::load::{Loaded, load};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of a fixture.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/load/folders").join(name)
}

/// The names of files that objects were read from, below `root`.
fn read_from(loaded: &Loaded, root: &Path) -> Vec<String> {
    let mut names: Vec<String> = loaded
        .documents
        .iter()
        .map(|it| Path::new(&loaded.sources.get(it.source).name))
        .map(|it| it.strip_prefix(root).unwrap_or(it).display().to_string().replace('\\', "/"))
        .collect();
    names.dedup();
    names
}

/// A folder with these files, each holding one object.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").expect("a file");
    }
    folder
}

#[test]
fn the_templates_of_charts_are_left_out_and_the_rest_is_read() {
    let root = fixture("chart");
    let loaded = load(std::slice::from_ref(&root));
    assert_eq!(
        read_from(&loaded, &root),
        ["charts/sub/crds/things.yaml", "crds/things.yaml", "extra.yaml"]
    );
    assert_eq!(loaded.passed_over.templates, 3);
    // Two `Chart.yaml` and a `values.yaml`.
    assert_eq!(loaded.passed_over.other_documents, 3);
    assert!(loaded.broken.is_empty() && loaded.failures.is_empty());
}

#[test]
fn patches_and_other_inputs_of_kustomizations_are_no_manifests() {
    let root = fixture("kustomize");
    let loaded = load(std::slice::from_ref(&root));
    assert_eq!(read_from(&loaded, &root), ["base/deployment.yaml", "component/service.yaml"]);
    assert_eq!(loaded.passed_over.kustomize_inputs, 6);
    assert!(loaded.broken.is_empty() && loaded.failures.is_empty());
}

#[test]
fn what_belongs_to_other_tools_is_passed_over_and_counted() {
    let root = fixture("others");
    let loaded = load(&[root]);
    assert!(loaded.documents.is_empty(), "{:?}", loaded.documents);
    assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
    // `.github` is hidden; of `odd.yaml` there are five; files without content count as nothing.
    assert_eq!(loaded.passed_over.other_documents, 7 + 5);
}

#[test]
fn gitignore_and_hidden_folders_are_respected() {
    let folder = folder(&[
        "a.yaml",
        "b.yml",
        "c.json.txt",
        ".hidden/d.yaml",
        "out/e.yaml",
        "node_modules/f.yaml",
    ]);
    fs::write(folder.path().join(".gitignore"), "out/\n").unwrap();
    let loaded = load(&[folder.path().to_path_buf()]);
    assert_eq!(read_from(&loaded, folder.path()), ["a.yaml", "b.yml"]);
}

#[test]
fn a_file_that_is_named_is_read_whatever_it_is_called_and_once() {
    let folder = folder(&["a.txt", "b.yaml"]);
    let (a, b) = (folder.path().join("a.txt"), folder.path().join("b.yaml"));
    let loaded = load(&[a.clone(), b, folder.path().to_path_buf(), a]);
    assert_eq!(read_from(&loaded, folder.path()), ["a.txt", "b.yaml"]);
}

#[test]
fn an_empty_folder_holds_nothing() {
    let folder = folder(&[]);
    let loaded = load(&[folder.path().to_path_buf()]);
    assert!(loaded.documents.is_empty() && loaded.failures.is_empty() && holds_no_text(&loaded));
}

#[test]
fn what_cannot_be_read_is_a_failure_with_a_name() {
    let folder = folder(&["a.yaml", "good.yaml"]);
    // Permissions do not stop root, so this is a path below a file, and one that is not there.
    let below = folder.path().join("a.yaml/b.yaml");
    let missing = folder.path().join("missing.yaml");
    let loaded = load(&[below.clone(), missing.clone(), folder.path().join("good.yaml")]);
    assert_eq!(loaded.documents.len(), 1);
    let failures: Vec<_> =
        loaded.failures.iter().map(|it| (it.path.as_str(), it.why.as_str())).collect();
    assert_eq!(
        failures,
        [
            (below.to_str().unwrap(), "not a directory"),
            (missing.to_str().unwrap(), "no such file or directory")
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&["a.yaml"]);
    let path = folder.path().join("a.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let loaded = load(std::slice::from_ref(&path));
    // Root reads it all the same.
    if fs::read(&path).is_ok() {
        assert_eq!(loaded.documents.len(), 1);
    } else {
        assert_eq!(loaded.failures[0].why, "permission denied");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_those_that_lead_nowhere_said() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["a/b.yaml", "elsewhere/c.yaml", "d/d.yaml"]);
    symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    symlink(folder.path().join("elsewhere"), folder.path().join("a/linked")).unwrap();
    symlink("itself.yaml", folder.path().join("d/itself.yaml")).unwrap();
    symlink("nothing", folder.path().join("d/dangling.yaml")).unwrap();
    symlink("nothing", folder.path().join("d/no-manifest")).unwrap();
    symlink(folder.path().join("d"), folder.path().join("d/again")).unwrap();

    let root = folder.path().join("a");
    let loaded = load(std::slice::from_ref(&root));
    assert_eq!(read_from(&loaded, &root), ["b.yaml", "linked/c.yaml", "loop/d/d.yaml"]);

    let root = folder.path().join("d");
    let loaded = load(std::slice::from_ref(&root));
    assert_eq!(read_from(&loaded, &root), ["d.yaml"]);
    let failures: Vec<_> =
        loaded.failures.iter().map(|it| it.path.rsplit('/').next().unwrap()).collect();
    assert_eq!(failures, ["dangling.yaml", "itself.yaml"]);
    assert_eq!(
        loaded.failures[0].why,
        "a link to something that is not there (no such file or directory)"
    );
}

#[test]
fn a_huge_file_is_refused_unread() {
    let folder = folder(&[]);
    let path = folder.path().join("huge.yaml");
    fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let loaded = load(&[folder.path().to_path_buf()]);
    assert!(holds_no_text(&loaded));
    assert_eq!(loaded.failures[0].why, "1024 MiB is too large for a manifest (at most 256 MiB)");
}

fn holds_no_text(loaded: &Loaded) -> bool {
    loaded.sources.iter().all(|(_, it)| it.text.is_empty())
}
