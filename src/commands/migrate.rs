//! `purlin migrate`.

use super::{done, fail, print, tell};
use crate::cli::{Migrate, MigratedTool};
use purlin::migrate::{self, Draft, Tool};
use purlin::text::source::Source;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Prints a policy that says what the configuration of another linter says.
pub(super) fn run(args: &Migrate) -> ExitCode {
    match &args.tool {
        MigratedTool::KubeLinter { config } => of_file(Tool::KubeLinter, config),
        MigratedTool::Polaris { config } => of_file(Tool::Polaris, config),
        MigratedTool::KubeScore { flags } => written(&migrate::kube_score(flags)),
    }
}

fn of_file(tool: Tool, path: &Path) -> ExitCode {
    let name = path.display();
    let text: Arc<str> = match std::fs::read_to_string(path) {
        Ok(text) => text.into(),
        Err(error) => return fail(format!("cannot read {name}: {error}")),
    };
    match migrate::of_file(tool, &text) {
        Ok(draft) => written(&draft),
        Err(mistake) => {
            let source = Source::new(name.to_string(), text);
            let at = source.position(mistake.span.start);
            fail(format!("{name}:{}:{}: {}", at.line, at.column, mistake.message))
        }
    }
}

fn written(draft: &Draft) -> ExitCode {
    for (what, why) in draft.without_equal() {
        tell(&format!("no equal: {what}: {why}"));
    }
    done(print(draft.text().as_bytes()))
}
