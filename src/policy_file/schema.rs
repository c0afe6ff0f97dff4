//! The JSON Schema of `purlin.yaml`: of the types that read it, and of the rules and parameters that there are.

use crate::documents;
use crate::policy::{Demand, OF_DEMANDS, Policy};
use crate::rule::{Rule, RuleSet};
use serde_json::{Map, Value, json};

/// The JSON Schema of a policy file about these rules.
pub fn schema(rules: &RuleSet) -> Value {
    let mut schema = documents::schema::<Policy>();
    schema["properties"]["rules"]["properties"] = each(rules, setting);
    schema["properties"]["rules"]["additionalProperties"] = false.into();
    let modes = &mut schema["$defs"]["Admission"]["properties"]["rules"];
    let mode = modes["additionalProperties"].take();
    modes["properties"] = each(rules, |_| mode.clone());
    modes["additionalProperties"] = false.into();
    let names = rules.iter().map(|it| json!(it.id)).chain([json!("*")]);
    schema["$defs"]["Exception"]["properties"]["rule"]["enum"] = names.collect();
    schema
}

fn each(rules: &RuleSet, of: impl Fn(&Rule) -> Value) -> Value {
    rules.iter().map(|rule| (rule.id.to_string(), of(rule))).collect::<Map<_, _>>().into()
}

fn demand() -> Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Demand>();
    schema.remove("$schema");
    schema.into()
}

fn setting(rule: &Rule) -> Value {
    let level = json!({"$ref": "#/$defs/Level"});
    let plain = json!(["string", "number", "boolean"]);
    let mut properties = Map::new();
    properties.insert("severity".into(), level.clone());
    properties.insert(
        "worlds".into(),
        json!({
            "description": "The severity in worlds of these names, `*` standing for anything; the first that fits counts.",
            "type": "object",
            "additionalProperties": level,
        }),
    );
    for parameter in rule.parameters {
        let given = match rule.id {
            OF_DEMANDS => json!([{"type": "array", "items": demand()}]),
            _ => json!([{"type": plain}, {"type": "array", "items": {"type": plain}}]),
        };
        properties.insert(
            parameter.name.into(),
            json!({
                "description": parameter.about,
                "default": parameter.default,
                "anyOf": given
            }),
        );
    }
    json!({
        "description": rule.title,
        "anyOf": [level, {"type": "object", "properties": properties, "additionalProperties": false}]
    })
}
