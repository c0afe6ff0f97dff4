//! The report for people: whatever the input holds, it fits the terminal and gives it nothing to obey.

use crate::support::load_texts;
use proptest::prelude::*;
use purlin::check::Outcome;
use purlin::finding::{Finding, Place, Severity, Unknown};
use purlin::load::Loaded;
use purlin::model::{Model, ObjId};
use purlin::report::human::{self, Extent, Style};
use purlin::text::source::{SourceId, Span};
use textwrap::core::display_width;

/// Findings as a test writes them: the message, the labels (source, start, end, text), notes and help.
type Drawn<'t> = (&'t str, Vec<(u32, usize, usize, &'t str)>, Vec<&'t str>);

fn draw(loaded: &Loaded, (message, labels, notes): Drawn<'_>, style: Style) -> String {
    let mut labels = labels.into_iter().map(|(source, start, end, text)| {
        (Place::Text { source: SourceId(source), span: Span::new(start, end) }, text)
    });
    let (place, text) = labels.next().unwrap();
    let mut finding = Finding::new(message, place, text).severity(Severity::Error);
    finding.rule = "a-rule";
    for (place, text) in labels {
        finding = finding.label(place, text);
    }
    for note in notes {
        finding = finding.note(note);
    }
    let outcome = Outcome { findings: vec![finding], ..Outcome::default() };
    human::render(&Model::new(loaded, "default"), &outcome, style)
}

fn plain(width: usize) -> Style {
    Style { width, colour: false, extent: Extent::Folded }
}

#[test]
fn each_excerpt_is_headed_by_the_place_of_its_label() {
    let loaded = load_texts(&[("a.yaml", "é: 1\nb: 2\n"), ("b.yaml", "x\ny\nz: {a: 1, b: 2}\n")]);
    let labels = vec![(1, 11, 12, "one"), (0, 4, 5, "two"), (1, 17, 18, "three")];
    let drawn = draw(&loaded, ("it does not fit", labels, vec!["1 + 1", "2 + 2"]), plain(80));
    let expected = "\
error[a-rule]

  × it does not fit
   ╭─[b.yaml:3:8]
 2 │ y
 3 │ z: {a: 1, b: 2}
   ·        ┬     ┬
   ·        │     ╰── three
   ·        ╰── one
   ╰────
   ╭─[a.yaml:1:4]
 1 │ é: 1
   ·    ┬
   ·    ╰── two
 2 │ b: 2
   ╰────
  note: 1 + 1
  note: 2 + 2
";
    assert!(drawn.starts_with(expected), "{drawn}");
}

#[test]
fn long_lines_are_cropped_around_their_labels() {
    let text = format!("{{\"a\":\"{}\",\"b\":1,\"c\":\"{}\"}}", "x".repeat(9000), "y".repeat(9000));
    let loaded = load_texts(&[("min.json", &text)]);
    let at = text.find("\"b\"").unwrap();
    let labels = vec![(0, at, at + 3, "the key"), (0, 1, 4, "far from it")];
    let drawn = draw(&loaded, ("m", labels, vec![]), plain(60));
    let expected = "\
   ╭─[min.json:1:9009]
 1 │ …xxxxxxxxx\",\"b\":1,\"c\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
   ·             ─┬─
   ·              ╰── the key
   ╰────
   ╭─[min.json:1:2]
 1 │ {\"a\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
   ·  ─┬─
   ·   ╰── far from it
   ╰────
";
    assert!(drawn.contains(expected), "{drawn}");
}

#[test]
fn many_labels_are_counted() {
    let loaded = load_texts(&[("a.yaml", &"key: value\n".repeat(60))]);
    let labels = (0..60).map(|it| (0, it * 11, it * 11 + 3, "here")).collect();
    let drawn = draw(&loaded, ("m", labels, vec![]), plain(80));
    assert_eq!(drawn.matches("╰── here").count(), 4, "{drawn}");
    assert!(drawn.contains("\n  more: and 56 more places; `--full` shows more"), "{drawn}");
}

#[test]
fn labels_on_one_place_are_one() {
    let loaded = load_texts(&[("a.yaml", "a: 1\n")]);
    let labels = vec![(0, 0, 1, "this"), (0, 0, 1, "that"), (0, 0, 1, "")];
    let drawn = draw(&loaded, ("m", labels, vec![]), plain(80));
    assert!(drawn.contains("╰── this; that\n"), "{drawn}");
}

#[test]
fn what_cannot_be_told_is_listed_by_what_would_settle_it() {
    let loaded = load_texts(&[("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")]);
    let unknown = |rule, missing: &str| {
        let object = ObjId(0);
        Unknown { rule, ..Unknown::new(object, missing) }
    };
    let outcome = Outcome {
        unknown: vec![
            unknown("rule-a", "Secret `a: b` of namespace `c`: not in the input; add it"),
            unknown("rule-a", "the node pools"),
            unknown("rule-b", "Secret `a: b` of namespace `c`: not in the input; add it"),
            unknown("rule-b", "Secret `b` of namespace `c`: not in the input; add it"),
        ],
        objects: 1,
        rules: vec!["rule-a", "rule-b"],
        accepted: 1,
        ..Outcome::default()
    };
    let model = Model::new(&loaded, "default");
    let folded = "\
cannot tell: 4 questions

  ? 3 × Secret `a: b` of namespace `c` and 1 more: not in the input; add it (rule-a, rule-b; the
    first at a.yaml:3)
  ? the node pools (rule-a at a.yaml:3)
    `--full` lists each question with its place

1 object: nothing to report; 4 questions cannot be told; 1 finding accepted
";
    assert_eq!(human::render(&model, &outcome, plain(96)), folded);
    let full = "\
cannot tell: 4 questions

  ? Secret `a: b` of namespace `c`: not in the input; add it (rule-a at a.yaml:3)
  ? the node pools (rule-a at a.yaml:3)
  ? Secret `a: b` of namespace `c`: not in the input; add it (rule-b at a.yaml:3)
  ? Secret `b` of namespace `c`: not in the input; add it (rule-b at a.yaml:3)

1 object: nothing to report; 4 questions cannot be told; 1 finding accepted
";
    let style = Style { extent: Extent::Full, ..plain(96) };
    assert_eq!(human::render(&model, &outcome, style), full);
}

/// Findings of one rule, each with its message and the line that it points to.
fn drawn_of(findings: &[(&'static str, Severity, &str, usize)], style: Style) -> String {
    let loaded = load_texts(&[("a.yaml", &"key: value\n".repeat(60))]);
    let each = findings.iter().map(|(rule, severity, message, line)| {
        let at = (line - 1) * 11;
        let place = Place::Text { source: SourceId(0), span: Span::new(at, at + 3) };
        let mut finding = Finding::new(*message, place, "here").severity(*severity);
        finding.rule = rule;
        finding
    });
    let outcome = Outcome { findings: each.collect(), ..Outcome::default() };
    human::render(&Model::new(&loaded, "default"), &outcome, style)
}

#[test]
fn findings_of_one_cause_are_one_block() {
    let (error, warning) = (Severity::Error, Severity::Warning);
    let findings = [
        ("rule-b", warning, "`Pod/a` keeps 2 of 1", 1),
        ("rule-b", warning, "`Pod/b` keeps 3 of 3", 11),
        // The same place in other words.
        ("rule-b", warning, "`Pod/a` keeps nothing", 1),
        ("rule-a", warning, "`Pod/b` keeps 3 of 3", 21),
        ("rule-b", error, "`Pod/c` keeps 5 of 1", 31),
    ];
    let drawn = drawn_of(&findings, plain(80));
    let expected = "\
error[rule-b]

  × `Pod/c` keeps 5 of 1
    ╭─[a.yaml:31:1]
 30 │ key: value
 31 │ key: value
    · ─┬─
    ·  ╰── here
 32 │ key: value
    ╰────

warning[rule-b]

  ⚠ `Pod/a` keeps 2 of 1
   ╭─[a.yaml:1:1]
 1 │ key: value
   · ─┬─
   ·  ╰── here
 2 │ key: value
   ╰────
  2 more like this:
    a.yaml:11  `Pod/b` keeps 3 of 3
    a.yaml:1  `Pod/a` keeps nothing

warning[rule-a]

  ⚠ `Pod/b` keeps 3 of 3
    ╭─[a.yaml:21:1]
 20 │ key: value
 21 │ key: value
    · ─┬─
    ·  ╰── here
 22 │ key: value
    ╰────

    1 error     rule-b
    3 warnings  rule-b
    1 warning   rule-a
`purlin explain RULE` says more about each of these rules
";
    assert!(drawn.starts_with(expected), "{drawn}");
    let full = drawn_of(&findings, Style { extent: Extent::Full, ..plain(80) });
    assert_eq!(full.matches("╰── here").count(), 5, "{full}");
    assert!(!full.contains("more like this"), "{full}");
}

#[test]
fn a_long_block_is_cut_and_comes_after_slips() {
    let habit: Vec<_> = (1..=30).map(|it| format!("`Pod/{it}` runs `latest`")).collect();
    let habit =
        habit.iter().zip(1..).map(|(it, line)| ("habit", Severity::Error, it.as_str(), line));
    let mut findings: Vec<_> = habit.collect();
    findings.push(("slip", Severity::Error, "`Service/a` leads nowhere", 60));
    let drawn = drawn_of(&findings, plain(80));
    assert!(drawn.starts_with("error[slip]"), "{drawn}");
    assert!(drawn.contains("\n  29 more like this:\n    a.yaml:2  `Pod/2`\n"), "{drawn}");
    assert!(drawn.contains("\n    … and 21 more; `--full` draws them all\n"), "{drawn}");
    assert!(drawn.lines().count() < 40, "{drawn}");
}

/// Characters whose width everybody agrees on, and those that must not be shown.
fn a_text() -> impl Strategy<Value = String> {
    let nasty = "[a-z \\t{}:\u{e9}\u{4e1c}\u{1f600}\u{1b}\u{7}\u{7f}\u{85}\u{9b}\u{ad}\u{301}\u{200b}\u{200d}\u{202e}\u{2066}\u{feff}\r\n\"`-]{0,80}";
    prop_oneof![4 => nasty, 1 => "[a-z ]{100,400}"]
}

type Label = (usize, usize, usize, String);

fn labels(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<Label>> {
    prop::collection::vec((any::<usize>(), any::<usize>(), 0usize..30, text), 1..14)
}

fn draw_any(texts: &[String], labels: &[Label], said: &str, style: Style) -> String {
    let named: Vec<_> = texts.iter().map(|it| ("a\u{1b}\u{202e}.yaml", it.as_str())).collect();
    let labels = labels.iter().map(|(source, start, length, text)| {
        let source = source % texts.len();
        let start = start % (texts[source].len() + 2);
        (source as u32, start, start + length, text.as_str())
    });
    draw(&load_texts(&named), (said, labels.collect(), vec![said]), style)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_fits_the_width(
        texts in prop::collection::vec(a_text(), 1..3),
        labels in labels(a_text()),
        said in a_text(),
        width in 0usize..130,
    ) {
        let drawn = draw_any(&texts, &labels, &said, plain(width));
        for line in drawn.lines() {
            let columns: usize = line.chars().map(|it| display_width(&it.to_string())).sum();
            // The header of an excerpt is a file's name, and that cannot be broken.
            let fits = columns <= width.max(40) || line.contains("╭─[");
            prop_assert!(fits, "{columns} > {width}: {line}");
        }
    }

    #[test]
    fn nothing_in_the_input_is_obeyed_by_a_terminal(
        texts in prop::collection::vec(any::<String>(), 1..3),
        labels in labels(any::<String>()),
        said in prop_oneof![any::<String>(), a_text()],
        colour in any::<bool>(),
    ) {
        let drawn = draw_any(&texts, &labels, &said, Style { width: 80, colour, extent: Extent::Full });
        for line in drawn.split('\n') {
            let shown = if colour { without_styles(line) } else { line.to_string() };
            prop_assert!(!shown.chars().any(is_obeyed), "{shown:?}");
        }
    }
}

fn is_obeyed(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The line without the colours that the report itself sets.
fn without_styles(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (style, rest) = part.split_once('m').expect("the report only sets colours");
        assert!(style.bytes().all(|it| it.is_ascii_digit() || it == b';'), "{style:?}");
        out.push_str(rest);
    }
    out
}
