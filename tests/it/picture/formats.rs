//! What is written of pictures.

use super::scenes::{add, any_scene, flow, scene, shop};
use crate::support::{fixture, snapshot};
use proptest::prelude::*;
use purlin::graph::scene::{ComponentKind, Scene, State};
use purlin::graph::{condense, dot, mermaid, svg};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn the_shop_is_drawn_as_before() {
    let scene = condense(shop());
    snapshot(&fixture("picture/shop.svg"), &svg::render(&scene));
    snapshot(&fixture("picture/shop.mmd"), &mermaid::render(&scene));
    snapshot(&fixture("picture/shop.dot"), &dot::render(&scene));
}

/// Names that mean something in XML, Mermaid, Graphviz or HTML.
fn odd_names() -> Vec<&'static str> {
    vec![
        "end",
        "a\"]",
        "</text><script>alert(1)</script>",
        "]]>",
        "&amp;",
        "&",
        "'",
        "`code`",
        "#35;",
        "a\\",
        "a\\n\\\"",
        "c0 --> c1",
        "%%{init: {}}%%",
        "a;b",
        "line\nbreak",
        "\u{1b}[31m",
        "\u{0}",
        "\u{ffff}",
        "\u{202e}abc",
        "文字",
        "👩‍💻",
        "",
        "subgraph",
        "{rank=same}",
        "<br/>",
        "|x|",
    ]
}

fn odd() -> Scene {
    let names = odd_names();
    let mut it = scene(names[2], &names);
    for (at, name) in names.iter().enumerate() {
        let component = add(&mut it, Some(at), ComponentKind::Workload, name, name);
        flow(&mut it, 0, component, &[80], State::Missing);
    }
    it.notes = names.iter().map(|it| (*it).to_string()).collect();
    it
}

/// The texts of an XML document; panics where it is none.
fn texts(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut texts = Vec::new();
    let mut text = String::new();
    let mut open = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(it) => {
                open += 1;
                for attribute in it.attributes() {
                    attribute.unwrap();
                }
                text.clear();
            }
            Event::End(_) => {
                open -= 1;
                texts.push(std::mem::take(&mut text));
            }
            Event::Text(it) => text.push_str(&it.decode().unwrap()),
            Event::GeneralRef(it) => {
                let reference = format!("&{};", it.decode().unwrap());
                text.push_str(&quick_xml::escape::unescape(&reference).unwrap());
            }
            Event::Empty(it) => it.attributes().for_each(|it| drop(it.unwrap())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(open, 0);
    texts
}

#[test]
fn odd_names_are_only_text_in_svg() {
    let drawn = svg::render(&odd());
    assert!(!drawn.contains("<script"));
    let texts = texts(&drawn);
    for name in odd_names().into_iter().filter(|it| !it.is_empty() && it.len() < 12) {
        let is_shape = |it: char| !it.is_control() && it != '\u{ffff}';
        if name.chars().all(is_shape) {
            assert!(texts.iter().any(|it| it == name), "{name:?} is not in {texts:?}");
        }
    }
    let is_allowed = |it: char| it == '\n' || !it.is_control() && !"\u{fffe}\u{ffff}".contains(it);
    assert!(drawn.chars().all(is_allowed));
}

#[test]
fn odd_names_are_only_text_in_mermaid() {
    let written = mermaid::render(&odd());
    let count = odd_names().len();
    // A line for the head and one for the title; two for each box, one for each component, arrow and note; one for colours.
    assert_eq!(written.lines().count(), 2 + 5 * count + 1, "{written}");
    for line in written.lines() {
        let mut parts = line.split('"');
        let outside: String = parts.clone().step_by(2).collect();
        let inside = parts.nth(1).unwrap_or_default().replace("<br/>", "");
        let is_plain = |it: char| it.is_alphanumeric() || " -_./:,→–…#;".contains(it);
        assert!(inside.chars().all(is_plain), "{line}");
        assert!(line.matches('"').count() <= 2, "{line}");
        let is_arrow = outside.contains("-.->");
        assert!(is_arrow || !outside.contains('|'), "{line}");
    }
}

#[test]
fn odd_names_are_only_text_in_dot() {
    let written = dot::render(&odd());
    for line in written.lines() {
        assert!(line.trim_start().starts_with("//") || are_quotes_closed(line), "{line}");
    }
    parse_with_graphviz(&written);
}

/// Whether every quoted string of a line ends in it, with no backslash before the quote.
fn are_quotes_closed(line: &str) -> bool {
    let mut is_open = false;
    let mut characters = line.chars();
    while let Some(it) = characters.next() {
        match it {
            '"' => is_open = !is_open,
            '\\' if is_open => drop(characters.next()),
            _ => {}
        }
    }
    !is_open
}

/// Graphviz itself has the last word, where it is installed.
fn parse_with_graphviz(written: &str) {
    let dot =
        Command::new("dot").arg("-Tcanon").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut dot) = dot else {
        println!("Graphviz is not installed: only the quotes were checked");
        return;
    };
    dot.stdin.take().unwrap().write_all(written.as_bytes()).unwrap();
    assert!(dot.wait_with_output().unwrap().status.success());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_svg_is_xml(scene in any_scene(12), title in any::<String>(), note in any::<String>()) {
        let scene = Scene { title, notes: vec![note], ..scene };
        let drawn = svg::render(&scene);
        prop_assert!(!texts(&drawn).is_empty());
        let flows = drawn.split("class=\"legend\"").next().unwrap().matches("<g class=\"flow ").count();
        prop_assert_eq!(flows, scene.flows.len());
        prop_assert_eq!(drawn, svg::render(&scene));
    }
}
