//! Which files of a folder are read, and what becomes of the rest.

use purlin::load::left_out::Why;
use purlin::load::{Loaded, load, load_but};
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
    assert_eq!(loaded.skipped.templates, 3);
    // Two `Chart.yaml` and a `values.yaml`.
    assert_eq!(loaded.skipped.other_documents, 3);
    assert!(loaded.broken.is_empty() && loaded.failures.is_empty());
}

#[test]
fn patches_and_other_inputs_of_kustomizations_are_no_manifests() {
    let root = fixture("kustomize");
    let loaded = load(std::slice::from_ref(&root));
    assert_eq!(read_from(&loaded, &root), ["base/deployment.yaml", "component/service.yaml"]);
    assert_eq!(loaded.skipped.kustomize_inputs, 6);
    assert!(loaded.broken.is_empty() && loaded.failures.is_empty());
}

#[test]
fn assertions_of_tests_and_data_of_charts_are_no_manifests() {
    let folder = folder(&[
        "tests/00-install.yaml",
        "tests/00-assert.yaml",
        "tests/01-errors.yaml",
        "alone/00-assert.yaml",
        "chainsaw/expected.yaml",
        "chainsaw/input.yaml",
        "chart/files/seed.yaml",
        "chart/boards/one.yaml",
        "chart/examples/one.yaml",
    ]);
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write(
        "chainsaw/chainsaw-test.yaml",
        "apiVersion: chainsaw.kyverno.io/v1alpha1\nkind: Test\nmetadata: {name: t}\nspec:\n  steps:\n\
         \x20 - try:\n    - apply: {file: input.yaml}\n    - assert: {file: expected.yaml}\n",
    );
    write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
    write("chart/templates/a.yaml", "{{ (.Files.Glob \"boards/*.yaml\").AsConfig }}\n");
    let loaded = load(&[folder.path().to_path_buf()]);
    let expected = [
        "alone/00-assert.yaml",
        "chainsaw/input.yaml",
        "chart/examples/one.yaml",
        "tests/00-install.yaml",
    ];
    assert_eq!(read_from(&loaded, folder.path()), expected);
    assert_eq!(loaded.skipped.fragments, 3);
}

#[test]
fn what_belongs_to_other_tools_is_skipped_and_counted() {
    let root = fixture("others");
    let loaded = load(&[root]);
    assert!(loaded.documents.is_empty(), "{:?}", loaded.documents);
    assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
    // `.github` is hidden; of `odd.yaml` there are five; files without content count as nothing.
    assert_eq!(loaded.skipped.other_documents, 7 + 5);
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

/// What was left out below `root`, by the reason.
#[cfg(unix)]
fn left_out(loaded: &Loaded, root: &Path) -> Vec<(Why, String)> {
    let name = |it: &str| it.replace(&format!("{}/", root.display()), "");
    let mut all: Vec<_> = loaded.left_out.iter().map(|it| (it.why, name(&it.path))).collect();
    all.sort();
    all
}

#[cfg(unix)]
#[test]
fn links_stay_within_what_is_named() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["a/b.yaml", "elsewhere/c.yaml", "d/d.yaml"]);
    symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    symlink(folder.path().join("elsewhere"), folder.path().join("a/linked")).unwrap();
    symlink("/", folder.path().join("a/root")).unwrap();
    symlink("/proc", folder.path().join("a/state")).unwrap();
    symlink("../elsewhere/c.yaml", folder.path().join("a/file.yaml")).unwrap();
    symlink("itself.yaml", folder.path().join("d/itself.yaml")).unwrap();
    symlink("nothing", folder.path().join("d/dangling.yaml")).unwrap();
    symlink("nothing", folder.path().join("d/no-manifest")).unwrap();
    symlink(folder.path().join("d"), folder.path().join("d/again")).unwrap();

    let root = folder.path().join("a");
    let loaded = load(std::slice::from_ref(&root));
    assert_eq!(read_from(&loaded, &root), ["b.yaml", "file.yaml"]);
    let names: Vec<_> = left_out(&loaded, &root).into_iter().map(|it| it.1).collect();
    let real = fs::canonicalize(folder.path()).unwrap();
    let to = |name: &str, path: &Path| format!("{name} -> {}", path.display());
    assert_eq!(
        names,
        [
            to("linked", &real.join("elsewhere")),
            to("loop", &real),
            to("root", Path::new("/")),
            to("state", Path::new("/proc")),
        ]
    );
    assert!(loaded.left_out.iter().all(|it| it.why == Why::Link));

    // What is named beside it is read by its own name.
    fs::remove_file(root.join("file.yaml")).unwrap();
    let both = [root.clone(), folder.path().join("elsewhere")];
    let loaded = load(&both);
    assert_eq!(read_from(&loaded, folder.path()), ["a/b.yaml", "elsewhere/c.yaml"]);

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

/// Each leads to all others, so there are more ways through them than atoms in a grain of sand.
#[cfg(unix)]
#[test]
fn folders_that_link_to_each_other_are_read_once() {
    use std::os::unix::fs::symlink;
    let files: Vec<_> = (0..20).map(|it| format!("{it:02}/a.yaml")).collect();
    let folder = folder(&files.iter().map(String::as_str).collect::<Vec<_>>());
    for at in 0..20 {
        for other in 0..20 {
            let link = folder.path().join(format!("{at:02}/to-{other:02}"));
            symlink(format!("../{other:02}"), link).unwrap();
        }
    }
    let loaded = load(&[folder.path().to_path_buf()]);
    assert_eq!(read_from(&loaded, folder.path()), files);
    assert!(loaded.left_out.is_empty() && loaded.failures.is_empty());
}

/// As a volume of a ConfigMap is laid out.
#[cfg(unix)]
#[test]
fn a_link_leads_into_a_hidden_folder() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["..2026/a.yaml", ".other/b.yaml"]);
    symlink("..2026", folder.path().join("..data")).unwrap();
    symlink("..data/a.yaml", folder.path().join("a.yaml")).unwrap();
    symlink(".other", folder.path().join("other")).unwrap();
    let loaded = load(&[folder.path().to_path_buf()]);
    assert_eq!(read_from(&loaded, folder.path()), ["a.yaml", "other/b.yaml"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_where_it_is_named_and_counted_elsewhere() {
    use std::os::unix::net::UnixListener;
    let folder = folder(&["a.yaml"]);
    let pipe = folder.path().join("pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = folder.path().join("socket.yaml");
    let _listener = UnixListener::bind(&socket).unwrap();
    let loaded = load(&[pipe, socket, "/dev/zero".into()]);
    let why: Vec<_> = loaded.failures.iter().map(|it| it.why.as_str()).collect();
    assert_eq!(why, ["a device and no file", "a named pipe and no file", "a socket and no file"]);
    let loaded = load(&[folder.path().to_path_buf()]);
    assert_eq!(read_from(&loaded, folder.path()), ["a.yaml"]);
    let left_out = left_out(&loaded, folder.path());
    let expected = ["pipe.yaml", "socket.yaml"].map(|it| (Why::NoFile, it.to_string()));
    assert_eq!(left_out, expected);
}

#[cfg(unix)]
#[test]
fn hidden_and_ignored_manifests_are_named() {
    let folder = folder(&[".hidden/a.yaml", "out/b.yaml", "out/more/c.yaml", ".d.yaml", "e.yaml"]);
    fs::write(folder.path().join(".gitignore"), "out/\nignored.yaml\n").unwrap();
    fs::write(folder.path().join(".pre-commit-config.yaml"), "repos: []\n").unwrap();
    fs::copy(folder.path().join("e.yaml"), folder.path().join("ignored.yaml")).unwrap();
    let loaded = load(&[folder.path().to_path_buf()]);
    assert_eq!(read_from(&loaded, folder.path()), ["e.yaml"]);
    assert_eq!(
        left_out(&loaded, folder.path()),
        [
            (Why::Hidden, ".d.yaml".to_string()),
            (Why::Hidden, ".hidden/a.yaml".to_string()),
            (Why::Ignored, "ignored.yaml".to_string()),
            (Why::Ignored, "out/b.yaml".to_string()),
            (Why::Ignored, "out/more/c.yaml".to_string()),
        ]
    );
}

#[test]
fn a_folder_that_is_named_is_read_whatever_ignores_it() {
    let folder = folder(&["out/a.yaml", "out/b.secret.yaml", "own/c.yaml", "in/sub/d.yaml"]);
    let root = folder.path();
    fs::write(root.join(".gitignore"), "out/\n*.secret.yaml\nin/*\n").unwrap();
    fs::write(root.join("own/.gitignore"), "*\n").unwrap();
    let named = |name: &str| {
        let path = root.join(name);
        read_from(&load(std::slice::from_ref(&path)), root)
    };
    assert_eq!(named("out"), ["out/a.yaml", "out/b.secret.yaml"]);
    assert_eq!(named("own"), ["own/c.yaml"]);
    assert_eq!(named("in"), ["in/sub/d.yaml"]);
    assert_eq!(named("in/sub"), ["in/sub/d.yaml"]);
    assert_eq!(named("."), [] as [&str; 0]);
    fs::write(root.join(".gitignore"), "*.secret.yaml\n").unwrap();
    assert_eq!(named("out"), ["out/a.yaml"]);
}

#[cfg(unix)]
#[test]
fn what_the_policy_excludes_is_left_out() {
    let folder = folder(&["a.yaml", "third_party/b.yaml", "deep/third_party/c.yaml", "d.gen.yaml"]);
    let patterns = ["/third_party/".to_string(), "*.gen.yaml".to_string()];
    let loaded = load_but(&[folder.path().to_path_buf()], (folder.path(), &patterns));
    assert_eq!(read_from(&loaded, folder.path()), ["a.yaml", "deep/third_party/c.yaml"]);
    let expected = ["d.gen.yaml", "third_party"].map(|it| (Why::Excluded, it.to_string()));
    assert_eq!(left_out(&loaded, folder.path()), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_read_all_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&["good.yaml"]);
    let name = std::ffi::OsStr::from_bytes(b"b\xffd.yaml");
    fs::copy(folder.path().join("good.yaml"), folder.path().join(name)).unwrap();
    let loaded = load(&[folder.path().to_path_buf()]);
    assert_eq!(loaded.documents.len(), 2);
    assert!(loaded.failures.is_empty());
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
