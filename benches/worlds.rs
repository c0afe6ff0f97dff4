//! A repository of 300 manifests: plain, against `git status` on the same tree, and as 20 kustomizations, against the
//! builds alone: `cargo bench --bench worlds`.
//!
//! Ratios within one run are what counts; seconds are the machine's. Needs git, and kubectl for the second part.

#[allow(dead_code, reason = "the other benches use the rest")]
mod measure;

use measure::{median, time};
use rayon::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, io};

const KUSTOMIZATIONS: usize = 20;
const MANIFESTS_EACH: usize = 15;
const ROUNDS: usize = 9;

fn main() -> io::Result<()> {
    plain()?;
    kustomized()
}

/// Plain manifests in a git repository.
fn plain() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    for team in 0..KUSTOMIZATIONS {
        write_team(&folder.path().join(format!("team-{team:02}")), team)?;
    }
    let git = |args: &[&str]| run(Command::new("git").args(args).current_dir(folder.path()));
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    let mut times = [const { Vec::new() }; 2];
    // Taking turns, so that what else runs on the machine disturbs both alike.
    for _ in 0..ROUNDS {
        times[0].push(time(|| git(&["status", "--porcelain"])));
        times[1].push(time(|| check(folder.path(), &[])));
    }
    let [git, check] = times.map(median);
    println!("{} plain manifests", KUSTOMIZATIONS * MANIFESTS_EACH);
    println!("  git status          {git:>9.1?}");
    println!("  purlin check        {check:>9.1?}  {:.1} × git status", ratio(check, git));
    Ok(())
}

/// The same manifests as bases, each with an overlay.
fn kustomized() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut overlays: Vec<PathBuf> = Vec::new();
    for team in 0..KUSTOMIZATIONS {
        let base = folder.path().join(format!("team-{team:02}/base"));
        let files = write_team(&base, team)?;
        let resources = files.iter().fold(String::new(), |mut text, it| {
            let _ = writeln!(text, "- {it}");
            text
        });
        fs::write(base.join("kustomization.yaml"), format!("resources:\n{resources}"))?;
        let overlay = folder.path().join(format!("team-{team:02}/production"));
        fs::create_dir_all(&overlay)?;
        let text = "resources: [../base]\nreplicas: [{name: app-0, count: 4}]\n";
        fs::write(overlay.join("kustomization.yaml"), text)?;
        overlays.push(overlay);
    }
    let cache = tempfile::tempdir()?;
    let build = |overlay: &PathBuf| run(Command::new("kubectl").arg("kustomize").arg(overlay));
    let builds = || overlays.par_iter().for_each(build);
    let kept = |command: &mut Command| {
        command.env("XDG_CACHE_HOME", cache.path());
    };
    let mut times = [const { Vec::new() }; 4];
    check_with(folder.path(), &[], kept);
    for _ in 0..ROUNDS {
        times[0].push(time(builds));
        times[1].push(time(|| check(folder.path(), &["--no-cache"])));
        times[2].push(time(|| check_with(folder.path(), &[], kept)));
        times[3].push(time(|| {
            run(Command::new("kubectl").args(["version", "--client", "--output=json"]))
        }));
    }
    let [builds, whole, kept, version] = times.map(median);
    let own = kept.saturating_sub(version);
    println!("{KUSTOMIZATIONS} kustomizations of {MANIFESTS_EACH} manifests");
    println!("  the builds alone    {builds:>9.1?}");
    println!("  purlin check        {whole:>9.1?}  {:.2} × the builds", ratio(whole, builds));
    println!("  from the cache      {kept:>9.1?}  of which kubectl's version is {version:.1?}");
    println!("  purlin's own share  {own:>9.1?}  {:.0} % of the whole", 100.0 * ratio(own, whole));
    Ok(())
}

/// Writes the manifests of a team and says what their files are called.
fn write_team(folder: &Path, team: usize) -> io::Result<Vec<String>> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for app in 0..MANIFESTS_EACH / 3 {
        let head = |kind: &str, version: &str| {
            format!(
                "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: app-{app}\n  namespace: team-{team:02}\n"
            )
        };
        let labels = format!("{{app: app-{app}}}");
        let deployment = format!(
            "{}spec:\n  replicas: 3\n  selector:\n    matchLabels: {labels}\n  template:\n    metadata:\n      labels: {labels}\n    spec:\n      containers:\n      - name: app\n        image: registry.example/app-{app}:1.{team}\n        ports:\n        - containerPort: 8080\n        resources:\n          requests: {{cpu: 100m, memory: 128Mi}}\n          limits: {{cpu: 500m, memory: 256Mi}}\n{}",
            head("Deployment", "apps/v1"),
            (0..20).map(|at| format!("        # a line of comment, {at}\n")).collect::<String>(),
        );
        let service = format!(
            "{}spec:\n  selector: {labels}\n  ports:\n  - port: 80\n    targetPort: 8080\n",
            head("Service", "v1")
        );
        let budget = format!(
            "{}spec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {labels}\n",
            head("PodDisruptionBudget", "policy/v1")
        );
        for (kind, text) in [("deployment", deployment), ("service", service), ("budget", budget)] {
            let file = format!("app-{app}-{kind}.yaml");
            fs::write(folder.join(&file), text)?;
            files.push(file);
        }
    }
    Ok(files)
}

fn check(folder: &Path, args: &[&str]) {
    check_with(folder, args, |_| {});
}

fn check_with(folder: &Path, args: &[&str], with: impl Fn(&mut Command)) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command.arg("check").args(args).arg(folder).args(["--fail-on", "never"]);
    with(&mut command);
    run(&mut command);
}

/// Runs a program that has to succeed.
fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|it| it.success()), "{command:?} fails");
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
