//! The JSON Schema of a document, from the types that read it.

use super::{API_VERSION, Kind};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The JSON Schema of a kind of document. Fields may be there without a value, which is to lack them.
pub fn schema<T: Kind + JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = format!("purlin {}", T::NAME).into();
    nullable(&mut schema);
    let properties = schema["properties"].as_object_mut().expect("a document is a mapping");
    properties.insert("apiVersion".into(), json!({"const": API_VERSION}));
    properties.insert("kind".into(), json!({"const": T::NAME}));
    let required = &mut schema["required"];
    let mut names: Vec<Value> = required.as_array().cloned().unwrap_or_default();
    names.extend(super::HEAD.map(Value::from));
    *required = names.into();
    schema
}

/// Lets fields that may be absent stand without a value, here and below.
fn nullable(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(nullable),
        Value::Object(fields) => {
            fields.values_mut().for_each(nullable);
            let required = fields.get("required").cloned();
            let is_required = |name: &str| {
                required
                    .as_ref()
                    .and_then(Value::as_array)
                    .is_some_and(|it| it.iter().any(|it| it == name))
            };
            let is_struct = fields.get("additionalProperties") == Some(&Value::Bool(false));
            let properties = fields.get_mut("properties").filter(|_| is_struct);
            let properties = properties.and_then(Value::as_object_mut).into_iter().flatten();
            for (_, field) in properties.filter(|(name, _)| !is_required(name)) {
                or_null(field);
            }
        }
        _ => {}
    }
}

fn or_null(field: &mut Value) {
    let null = json!("null");
    let has_choices = field.get("enum").is_some() || field.get("const").is_some();
    match field.get_mut("type").filter(|_| !has_choices) {
        Some(Value::Array(types)) if types.contains(&null) => {}
        Some(Value::Array(types)) => types.push(null),
        Some(one) => *one = json!([one.take(), "null"]),
        None => {
            let Some(fields) = field.as_object_mut() else { return };
            let about: Vec<_> = ["description", "default"]
                .iter()
                .filter_map(|it| fields.remove_entry(*it))
                .collect();
            let inner = field.take();
            *field = json!({"anyOf": [inner, {"type": "null"}]});
            about.into_iter().for_each(|(key, value)| field[key] = value);
        }
    }
}
