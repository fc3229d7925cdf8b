//! The reader and the JSON Schema know the same keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::load;
use crate::config::{SettingsFile, settings_json_schema};

/// A table of a settings file as the JSON Schema has it.
struct Table {
    header: String,
    keys: BTreeSet<String>,
}

fn tables(file: SettingsFile) -> Vec<Table> {
    let schema = settings_json_schema(file);
    let mut found = Vec::new();
    collect(&schema, &schema, "", false, &mut found);
    found
}

fn collect(root: &Value, schema: &Value, path: &str, list: bool, found: &mut Vec<Table>) {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    assert_eq!(schema["additionalProperties"], false, "unknown keys of `{path}` pass the schema");
    let header = match (path, list) {
        ("", _) => String::new(),
        (path, true) => format!("[[{path}]]\n"),
        (path, false) => format!("[{path}]\n"),
    };
    found.push(Table { header, keys: properties.keys().cloned().collect() });
    for (name, inner) in properties {
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match inner.get("items") {
            Some(items) => collect(root, items, &below, true, found),
            None => collect(root, inner, &below, false, found),
        }
    }
}

fn files() -> [(SettingsFile, &'static str); 2] {
    [(SettingsFile::Gateway, "onedoor.toml"), (SettingsFile::Upstream, "upstreams/users.toml")]
}

#[test]
fn every_key_of_the_json_schema_is_read() {
    for (kind, name) in files() {
        for Table { header, keys } in tables(kind) {
            for key in keys {
                // No setting is a date, so whoever reads the key refuses this one.
                let text = format!("{header}{key} = 1979-05-27\n");
                let problems = load(&[(name, &text)]).problems;
                let place = text.find("1979").unwrap();
                assert!(
                    problems.iter().any(|problem| problem.span.start == place
                        && problem.message.ends_with("found a date")),
                    "{name}: {text}{}",
                    problems.lines()
                );
            }
        }
    }
}

#[test]
fn every_key_that_is_read_is_in_the_json_schema() {
    for (kind, name) in files() {
        let tables = tables(kind);
        assert!(tables.len() >= 5, "the tables of the schema were not found");
        for Table { header, keys } in tables {
            let text = format!("{header}xyzzyxyzzyxyzzy = 1\n");
            let problems = load(&[(name, &text)]).problems;
            let help = problems
                .iter()
                .find(|problem| problem.message == "unknown key `xyzzyxyzzyxyzzy`")
                .and_then(|problem| problem.help.clone())
                .unwrap();
            let read: BTreeSet<String> =
                help.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            assert_eq!(read, keys, "{name}: {header}");
        }
    }
}

#[test]
fn every_setting_is_described_and_has_its_default_or_none() {
    let without_default = [
        // Of onedoor.toml: nothing is there by itself.
        "auth",
        "jwt",
        "dev",
        "token",
        "issuer",
        "audience",
        "secret",
        "secret_file",
        "algorithms",
        // Of upstreams/*.toml.
        "url",
        "identity",
        "headers",
        "error",
        "mock",
        "if",
        "message",
        "code",
        "data",
        "port",
        "forward",
        "return",
        "claims",
        "route",
        "path",
        "to",
        "rows",
        "stream",
        "timeout",
        "max_body",
        "cors",
    ];
    for (kind, _) in files() {
        let schema = settings_json_schema(kind);
        let tables = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for (key, setting) in tables.filter_map(|table| table["properties"].as_object()).flatten() {
            assert!(setting["description"].is_string(), "`{key}` has no description");
            assert!(
                setting.get("default").is_some() || without_default.contains(&key.as_str()),
                "`{key}` has no default"
            );
        }
    }
}

#[test]
fn the_json_schema_tells_the_defaults_that_are_used() {
    let schema = settings_json_schema(SettingsFile::Gateway);
    let used = super::config(&[("onedoor.toml", "")]);
    assert_eq!(schema["properties"]["listen"]["default"], used.listen.to_string());
    let limits = serde_json::to_value(&used.limits).unwrap();
    assert_eq!(schema["properties"]["limits"]["default"], limits);
    let upstream = settings_json_schema(SettingsFile::Upstream);
    assert_eq!(upstream["properties"]["timeout"]["default"], "2s");
    assert_eq!(upstream["required"], serde_json::json!(["url"]));
}
