//! What the rules about nodes have in common.

/// `1 node`, `3 nodes`.
pub(super) fn count(nodes: usize) -> String {
    if nodes == 1 { "1 node".into() } else { format!("{nodes} nodes") }
}
