//! The nodes that the input holds, by address and by label.

use super::blocks::Blocks;
use super::verdict::{Reason, Truth};
use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::model::Model;
use crate::text::tree::Node;
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// The nodes, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Nodes<'d> {
    /// The addresses of all of them; empty where one of them tells none.
    pub(super) addresses: Vec<IpNet>,
    /// The addresses of each kind of node that no block tells apart; empty where that is one kind.
    pub(super) alike: Vec<Vec<IpNet>>,
    labels: Vec<Vec<(&'d str, &'d str)>>,
    /// The addresses of each, by its name.
    of_node: FxHashMap<&'d str, Vec<IpNet>>,
}

impl<'d> Nodes<'d> {
    pub(super) fn new(model: &Model<'d>) -> Nodes<'d> {
        let mut nodes = Nodes::default();
        let mut is_told = true;
        for object in model.of_kind(Kind::Node) {
            let listed = object.field(&["status", "addresses"]);
            let listed = listed.into_iter().flat_map(Node::items);
            let own = listed.filter_map(|it| it.text("address")?.parse::<IpAddr>().ok());
            let own: Vec<_> = own.map(IpNet::from).collect();
            is_told &= !own.is_empty();
            nodes.addresses.extend(&own);
            nodes.of_node.insert(object.name, own);
            nodes.labels.push(object.labels());
        }
        if !is_told {
            nodes.addresses.clear();
        }
        nodes
    }

    /// Groups the nodes by the smallest blocks that policies name around their addresses.
    pub(super) fn group(&mut self, blocks: &Blocks) {
        if self.addresses.is_empty() {
            return;
        }
        let around = |own: &Vec<IpNet>| -> Vec<IpNet> {
            own.iter().map(|it| blocks.around(it.addr())).collect()
        };
        let mut alike: Vec<_> = self.of_node.values().map(around).collect();
        alike.sort_unstable();
        alike.dedup();
        if alike.len() > 1 {
            self.alike = alike;
        }
    }

    /// The addresses of a node, if the input tells them.
    pub(super) fn of(&self, node: &str) -> &[IpNet] {
        self.of_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// Whether a selector means the nodes.
    pub(super) fn fit(&self, selector: &Selector<'_>) -> Truth {
        if selector.invalid {
            return Truth::No;
        }
        if selector.is_empty() {
            return Truth::Yes;
        }
        let fitting = self.labels.iter().filter(|it| selector.matches(it)).count();
        match fitting {
            _ if self.labels.is_empty() => Truth::Maybe(Reason::NodeLabels),
            0 => Truth::No,
            _ if fitting == self.labels.len() => Truth::Yes,
            _ => Truth::Maybe(Reason::NodeLabels),
        }
    }
}
