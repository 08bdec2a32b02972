//! Whether what was sent is as Telegram's machine-readable specification has it.

use super::*;

/// Whether all that was sent is as Telegram's machine-readable specification has it; returns what is not.
pub fn check_against_spec(calls: &[Call], specs: &Path) -> Vec<String> {
    let read = std::fs::read(specs.join("telegram-bot-api.json")).map_err(|e| e.to_string());
    let spec: Value = match read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string())) {
        Ok(spec) => spec,
        Err(why) => return vec![format!("the specification cannot be read: {why}")],
    };
    let methods: Vec<(&String, &Value)> = spec["methods"].as_object().into_iter().flatten().collect();
    let check = |call: &Call| match methods.iter().find(|(name, _)| name.eq_ignore_ascii_case(&call.method)) {
        Some((name, method)) => misfits(&spec, method, &call.params, name),
        None => vec![format!("{}: no such method", call.method)],
    };
    calls.iter().flat_map(check).collect()
}

/// What is wrong with the fields of an object: missing, unknown, or of another type.
pub(super) fn misfits(spec: &Value, of: &Value, given: &Value, path: &str) -> Vec<String> {
    let Some(object) = given.as_object() else { return vec![format!("{path}: not an object but {given}")] };
    let fields = items(&of["fields"]);
    let unknown = object.keys().filter(|key| !fields.iter().any(|field| field["name"] == key.as_str()));
    let mut faults: Vec<String> = unknown.map(|key| format!("{path}.{key}: no such parameter")).collect();
    for field in fields {
        let (name, about) = (text(field, "name"), text(field, "description"));
        let path = format!("{path}.{name}");
        let must = about.split_once(", must be ").map(|(_, word)| word).filter(|_| name == "type");
        match object.get(&name) {
            None if field["required"] == true => faults.push(format!("{path}: missing")),
            None => {}
            Some(value) if must.is_some_and(|word| value != word) => {
                faults.push(format!("{path}: {value}, but {about}"))
            }
            Some(value) => faults.extend(misfit(spec, &field["types"], value, &path)),
        }
    }
    faults
}

/// What is wrong with a value by the type it comes nearest to.
pub(super) fn misfit(spec: &Value, types: &Value, value: &Value, path: &str) -> Vec<String> {
    let against = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        let entry = &spec["types"][name];
        let plain = match (name, name.strip_prefix("Array of "), value) {
            ("Integer", ..) => value.is_i64() || value.is_u64(),
            ("Float", ..) => value.is_number(),
            ("Boolean", ..) => value.is_boolean(),
            ("String" | "InputFile", ..) => value.is_string(),
            (_, Some(of), Value::Array(all)) => {
                let each = |(n, item)| misfit(spec, &json!([of]), item, &format!("{path}[{n}]"));
                return all.iter().enumerate().flat_map(each).collect();
            }
            (_, Some(_), _) => false,
            _ if entry["subtypes"].is_array() => return misfit(spec, &entry["subtypes"], value, path),
            _ => return misfits(spec, entry, value, path),
        };
        if plain { vec![] } else { vec![format!("{path}: {value} is not of type {name}")] }
    };
    let far = |faults: &Vec<String>| (faults.iter().any(|fault| fault.contains(", must be ")), faults.len());
    items(types).iter().map(against).min_by_key(far).unwrap_or_default()
}
