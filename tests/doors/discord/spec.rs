//! Discord's own description of its API, held against what was sent.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{Call, items, word};

/// What is wrong with these requests by Discord's own description of its API (`discord-openapi.json` in that folder).
pub fn check_against_spec(calls: &[Call], specs: &Path) -> Vec<String> {
    let read = fs::read_to_string(specs.join("discord-openapi.json")).map_err(|error| error.to_string());
    let spec: Value = match read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(spec) => spec,
        Err(error) => return vec![error],
    };
    let mut faults = Vec::new();
    for (method, path, body) in calls.iter().filter(|(_, _, body)| !body.is_null()) {
        let Some(schema) = schema_of(&spec, method, path) else { continue };
        faults.extend(walk(&spec, schema, body, "").into_iter().map(|fault| format!("{method} {path} {fault}")));
    }
    faults
}

/// The schema of a request's body; of several paths that fit, the one with the fewest blanks.
fn schema_of<'a>(spec: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let parts: Vec<_> = path.split('?').next()?.split('/').collect();
    let blank = |part: &str| part.starts_with('{');
    let fits = |known: &str| {
        let known: Vec<_> = known.split('/').collect();
        known.len() == parts.len() && known.iter().zip(&parts).all(|(known, part)| blank(known) || known == part)
    };
    let paths = spec["paths"].as_object()?.iter().filter(|(known, _)| fits(known));
    let (_, best) = paths.min_by_key(|(known, _)| known.matches('{').count())?;
    best[method.to_lowercase()].pointer("/requestBody/content/application~1json/schema")
}

/// What is wrong with a value by a schema. A null, false or empty list nobody asked for says nothing, so it is let pass.
fn walk(spec: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return spec.pointer(name.trim_start_matches('#')).map_or(vec![], |schema| walk(spec, schema, value, at));
    }
    if schema["format"] == "snowflake" && value.is_u64() {
        return vec![]; // the docs write small ones, such as an attachment's, as numbers
    }
    let mut faults: Vec<_> = items(&schema["allOf"]).iter().flat_map(|part| walk(spec, part, value, at)).collect();
    for any in ["oneOf", "anyOf"].map(|key| items(&schema[key])) {
        let ways = any.iter().filter(|way| value.is_null() || way["type"] != "null");
        let kind = format!("{at}.type:");
        let worst = |faults: &Vec<String>| (faults.iter().any(|fault| fault.starts_with(&kind)), faults.len());
        faults.extend(ways.map(|way| walk(spec, way, value, at)).min_by_key(worst).unwrap_or_default());
    }
    let mut must = |so: bool, what: &str| {
        if !so {
            faults.push(format!("{at}: {what}"))
        }
    };
    must(is_of(&schema["type"], value), &format!("is not {}", schema["type"]));
    must(schema.get("const").is_none_or(|only| only == value), &format!("is not {}", schema["const"]));
    must(schema["enum"].is_null() || items(&schema["enum"]).contains(value), &format!("is none of {}", schema["enum"]));
    let within = |size: f64, least: &str, most: &str| {
        schema[least].as_f64().is_none_or(|least| size >= least)
            && schema[most].as_f64().is_none_or(|most| size <= most)
    };
    match value {
        Value::String(text) => {
            must(within(text.chars().count() as f64, "minLength", "maxLength"), "is too short or too long");
            let digits = text.chars().all(|letter| letter.is_ascii_digit());
            must(digits || schema["format"] != "snowflake", "is no snowflake");
        }
        Value::Number(size) => must(within(size.as_f64().unwrap_or(0.0), "minimum", "maximum"), "is out of range"),
        Value::Array(list) => {
            must(within(list.len() as f64, "minItems", "maxItems"), "has too few or too many items");
            let inner =
                list.iter().enumerate().flat_map(|(n, item)| walk(spec, &schema["items"], item, &format!("{at}.{n}")));
            faults.extend(inner);
        }
        Value::Object(_) => faults.extend(walk_object(spec, schema, value, at)),
        _ => {}
    }
    faults
}

fn walk_object(spec: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let required = items(&schema["required"]).iter().map(word).filter(|key| value.get(key).is_none());
    let mut faults: Vec<_> = required.map(|key| format!("{at}.{key}: is missing")).collect();
    for (key, value) in value.as_object().into_iter().flatten() {
        let (inner, open) = (&schema["properties"][key], &schema["additionalProperties"]);
        let silent = matches!(value, Value::Null | Value::Bool(false)) || value == &json!([]);
        let outside = key == "default_member_permissions"; // a number here, a text in the docs
        match (inner, open) {
            _ if outside => {}
            (Value::Object(_), _) => faults.extend(walk(spec, inner, value, &format!("{at}.{key}"))),
            (_, Value::Object(_)) => faults.extend(walk(spec, open, value, &format!("{at}.{key}"))),
            _ if silent || schema["properties"].is_null() || *open == true => {}
            _ => faults.push(format!("{at}.{key}: is unknown")),
        }
    }
    faults
}

fn is_of(kind: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("null") => value.is_null(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    kind.as_array().map_or(is(kind), |kinds| kinds.iter().any(is))
}
