//! Configurations of other linters as a policy: each reads one, and says what of it has no equal.

mod draft;
mod kube_linter;
mod kube_score;
mod polaris;

use crate::load::read::mistake::Mistake;
use crate::load::read::split::{self, Chunk};
use crate::load::read::yaml::{self, Syntax};
use crate::text::source::Span;
use crate::text::tree::Tree;
pub use draft::Draft;
pub use kube_score::of_flags as kube_score;
use std::sync::Arc;

/// A linter whose configuration is a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `.kube-linter.yaml`.
    KubeLinter,
    /// The configuration of Polaris.
    Polaris,
}

/// The policy that says the same as a configuration file.
///
/// # Errors
///
/// Where it cannot be read, or is not what that linter reads.
pub fn of_file(tool: Tool, text: &Arc<str>) -> Result<Draft, Mistake> {
    let tree = parse(text)?;
    let root = tree.root();
    if !root.is_map() && !root.is_null() {
        let message = "not a configuration: the file is no mapping".into();
        return Err(Mistake { span: root.span(), message, help: None });
    }
    Ok(match tool {
        Tool::KubeLinter => kube_linter::draft(root),
        Tool::Polaris => polaris::draft(root),
    })
}

fn parse(text: &Arc<str>) -> Result<Tree, Mistake> {
    let range = match split::split(text).next() {
        None => return Ok(Tree::null()),
        Some(Chunk::Text(range)) => range,
        Some(Chunk::Bad { span, message }) => return Err(Mistake { span, message, help: None }),
    };
    let parsed = yaml::parse(text, range, Syntax::Yaml)?;
    parsed.map(|it| it.tree).ok_or(Mistake {
        span: Span::new(0, 0),
        message: "the file says nothing".into(),
        help: None,
    })
}
