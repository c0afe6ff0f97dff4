//! Long sequences and mappings: what is found by the index against what is found by counting.

use proptest::prelude::*;
use purlin::load::load_texts;
use purlin::text::tree::Node;
use std::fmt::Write;

/// Different keys, in any order.
fn keys() -> impl Strategy<Value = Vec<String>> {
    let keys = prop::collection::btree_set("[a-z]{1,3}", 50..90);
    keys.prop_map(|it| it.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

fn index(node: Option<Node<'_>>) -> Option<u32> {
    node.map(Node::index)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Of all lengths around the one from which on the index is asked.
    #[test]
    fn the_index_finds_what_counting_finds(keys in keys(), items in 50usize..90) {
        let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nseq:\n");
        for it in 0..items {
            let _ = writeln!(text, "- {{x: {it}}}");
        }
        text += "map:\n";
        for it in &keys {
            let _ = writeln!(text, "  '{it}': [1, {{y: z}}]");
        }
        let loaded = load_texts(vec![("a.yaml".to_string(), text.into())]);
        let tree = &loaded.documents[0].tree;
        let (seq, map) = (tree.root().get("seq").unwrap(), tree.root().get("map").unwrap());
        let below = |it: Node<'_>| it.index() + 1..it.index() + it.cells() as u32;
        for number in 0..items + 2 {
            prop_assert_eq!(index(seq.item(number)), index(seq.items().nth(number)));
        }
        for cell in below(seq) {
            let around = seq.items().enumerate().take_while(|(_, it)| it.index() <= cell).last();
            let found = seq.item_around(tree.node(cell));
            prop_assert_eq!(found.map(|it| (it.0, it.1.index())), around.map(|it| (it.0, it.1.index())));
        }
        for key in keys.iter().map(String::as_str).chain(["", "zzzz"]) {
            let found = map.entries().find(|it| it.0.str() == Some(key));
            prop_assert_eq!(index(map.entry(key).map(|it| it.1)), index(found.map(|it| it.1)));
        }
        for cell in below(map) {
            let around = map.entries().take_while(|(key, _)| key.index() <= cell).last();
            let found = map.entry_around(tree.node(cell));
            prop_assert_eq!(index(found.map(|it| it.1)), index(around.map(|it| it.1)));
        }
    }
}
