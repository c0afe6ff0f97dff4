//! What Terraform makes in a cluster beside the manifests, as far as its files say: a ServiceAccount with the rights of a
//! cloud, a Secret, a Helm release.

use super::files;
use std::path::Path;

/// An object, or all that a release brings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// The file that says so.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The kind (`ServiceAccount`); `None` for whatever a Helm release or a manifest holds.
    pub kind: Option<String>,
    /// Its name; `None` where it is computed.
    pub name: Option<String>,
    /// Its namespace; `None` where it is computed or not said.
    pub namespace: Option<String>,
}

/// Whether a file is one of Terraform's, by its name.
pub(super) fn is_terraform(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "tf")
}

/// Larger ones hold no configuration that somebody wrote.
const MOST_BYTES: u64 = 1 << 20;

/// What the file at a path makes in a cluster.
pub(super) fn read(path: &Path) -> Vec<Made> {
    let is_small = std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MOST_BYTES);
    let text = is_small.then(|| std::fs::read_to_string(path).ok()).flatten();
    text.map(|it| made(&files::show(path), &it)).unwrap_or_default()
}

fn made(file: &str, text: &str) -> Vec<Made> {
    let lines: Vec<&str> = text.lines().collect();
    let mut made = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // Blocks begin at the margin, as `terraform fmt` writes them, and end with a brace there.
        let mut words = line.split(['"', ' ']).filter(|it| !it.is_empty());
        let kind = match (words.next(), words.next()) {
            (Some("resource"), Some(kind)) => kind,
            (Some("module"), _) => "module",
            _ => continue,
        };
        let end =
            lines[at..].iter().position(|it| it.starts_with('}')).map_or(lines.len(), |it| at + it);
        let body = lines.get(at + 1..end).unwrap_or_default();
        let kind = match kind {
            "helm_release" | "kubernetes_manifest" | "kubectl_manifest" => None,
            // It makes the account that it gives rights to (terraform-google-modules/kubernetes-engine).
            "module"
                if value(body, "source").is_some_and(|it| it.contains("workload-identity")) =>
            {
                Some("ServiceAccount".to_string())
            }
            kind => match kind.strip_prefix("kubernetes_") {
                Some(it) => Some(camel(it)),
                None => continue,
            },
        };
        let literal = |key| value(body, key).filter(|it| !it.contains("${"));
        made.push(Made {
            file: file.to_string(),
            line: at + 1,
            kind,
            name: literal("name").map(str::to_string),
            namespace: literal("namespace").map(str::to_string),
        });
    }
    made
}

/// The first `key = "value"` of a block.
fn value<'t>(body: &[&'t str], key: &str) -> Option<&'t str> {
    body.iter().find_map(|line| {
        let (its_key, value) = line.split_once('=')?;
        let its_key = its_key.trim().trim_matches('"').rsplit([' ', '{']).next()?;
        (its_key == key).then_some(())?;
        value.trim().strip_prefix('"')?.split('"').next()
    })
}

/// `service_account_v1` is a `ServiceAccount`.
fn camel(resource: &str) -> String {
    let words = resource.split('_').take_while(|it| !is_version(it));
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    words.map(capital).collect()
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_releases_are_read() {
        let text = r#"
resource "kubernetes_service_account_v1" "app" {
  metadata {
    name      = "app"
    namespace = "shop"
  }
}
resource "kubernetes_secret" "db" {
  metadata {
    name = "${var.prefix}-db"
  }
}
resource "aws_s3_bucket" "name" {
  name = "x"
}
resource "helm_release" "redis" {
  name = "redis"
}
"#;
        let found: Vec<_> = made("a.tf", text)
            .into_iter()
            .map(|it| (it.line, it.kind, it.name, it.namespace))
            .collect();
        let text = |it: &str| Some(it.to_string());
        assert_eq!(
            found,
            [
                (2, text("ServiceAccount"), text("app"), text("shop")),
                (8, text("Secret"), None, None),
                (16, None, text("redis"), None),
            ]
        );
    }
}
