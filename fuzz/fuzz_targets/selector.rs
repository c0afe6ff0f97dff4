//! Any selector over any labels, against the table of `k8s.io/apimachinery/pkg/labels/selector.go` written out.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use purlin::analyze::selector::{Operator, PodLabels, Selector, Selects};
use purlin::load::yaml::{Syntax, parse};

const NAMES: [&str; 4] = ["app", "tier", "a/b", "x"];
const OPERATORS: [&str; 5] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt"];

#[derive(Arbitrary, Debug)]
struct Input {
    labels: Vec<(u8, u8)>,
    equal: Vec<(u8, u8)>,
    expressions: Vec<(u8, u8, Vec<u8>)>,
    text: String,
}

fn name(at: u8) -> &'static str {
    NAMES[at as usize % NAMES.len()]
}

fn read(text: &str) -> Option<purlin::load::yaml::Parsed> {
    let text = text.into();
    parse(&text, 0..text.len(), Syntax::Yaml).ok().flatten()
}

fuzz_target!(|input: Input| {
    let mut labels: Vec<(&str, &str)> = Vec::new();
    for (key, value) in &input.labels {
        if !labels.iter().any(|(it, _)| *it == name(*key)) {
            labels.push((name(*key), name(*value)));
        }
    }
    // As it is written by hand, but not by a hand that knows what is valid.
    let mut text = String::from("matchLabels: {");
    for (key, value) in &input.equal {
        text.push_str(&format!("{}: {}, ", name(*key), name(*value)));
    }
    text.push_str("}\nmatchExpressions: [");
    for (key, operator, values) in &input.expressions {
        let values: Vec<&str> = values.iter().map(|it| name(*it)).collect();
        let operator = OPERATORS[*operator as usize % OPERATORS.len()];
        text.push_str(&format!(
            "{{key: {}, operator: {operator}, values: [{}]}}, ",
            name(*key),
            values.join(", ")
        ));
    }
    text.push(']');
    let parsed = read(&text).expect("it is YAML");
    let selector = Selector::parse(parsed.tree.root());

    let holds = selector.requirements.iter().all(|it| {
        let value = labels.iter().find(|(key, _)| *key == it.key).map(|(_, value)| *value);
        match &it.operator {
            Operator::In(values) => value.is_some_and(|it| values.contains(&it)),
            Operator::NotIn(values) => value.is_none_or(|it| !values.contains(&it)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    });
    let expected = holds && !selector.invalid;
    assert_eq!(selector.matches(&labels), expected, "{text}");
    let pods = PodLabels { written: labels.clone(), ..PodLabels::default() };
    assert_eq!(selector.selects(&pods) == Selects::All, expected, "{text}");
    assert_ne!(selector.selects(&pods), Selects::Some, "{text}");
    let varying = PodLabels { written: labels, added: &["x"], owner: "web" };
    selector.selects(&varying);

    if let Some(any) = read(&input.text) {
        Selector::parse(any.tree.root()).selects(&pods);
        Selector::parse_map(any.tree.root()).selects(&pods);
    }
});
