//! Any bytes: decoded, loaded, and every node walked to and back by its path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin::load::{decode, load_texts};
use purlin::path::{FieldPath, Found};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = decode::decode(bytes.to_vec()) else { return };
    let loaded = load_texts(vec![("a.yaml".into(), text.clone()), ("a.json".into(), text)]);
    for broken in &loaded.broken {
        let source = loaded.sources.get(broken.source);
        assert!(source.text.get(broken.span.range()).is_some(), "a place is made of characters");
        source.position(broken.span.start);
    }
    for document in &loaded.documents {
        let source = loaded.sources.get(document.source);
        let root = document.tree.root();
        let mut open = vec![root];
        // Paths cost what their mappings hold, so a large document is not walked to its end.
        for _ in 0..2000 {
            let Some(node) = open.pop() else { break };
            assert!(
                source.text.get(node.span().range()).is_some(),
                "a place is made of characters"
            );
            let path = FieldPath::between(root, node);
            let (key, value, found) = path.resolve(root);
            assert_eq!(found, Found::Wholly, "{path}");
            assert!(
                value.index() == node.index() || key.is_some_and(|it| it.index() == node.index()),
                "{path}"
            );
            open.extend(node.items());
            open.extend(node.entries().flat_map(|(key, value)| [key, value]));
        }
        assert!(root.same(root));
    }
});
