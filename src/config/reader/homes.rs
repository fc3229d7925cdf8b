//! Where a key belongs that stands in the wrong table: below a header too late, mostly.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The tables of a file that have a key of that name, as a user writes them: `[limits]`.
pub(super) fn homes<T: JsonSchema>(key: &str) -> Vec<String> {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = Value::from(settings.into_generator().into_root_schema_for::<T>());
    let mut found = Vec::new();
    search(&schema, key, &Table { path: String::new(), list: false }, &mut found);
    found
}

struct Table {
    path: String,
    list: bool,
}

fn search(schema: &Value, key: &str, table: &Table, found: &mut Vec<String>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    if properties.contains_key(key) {
        found.push(table.written());
    }
    for (name, inner) in properties {
        let items = inner.get("items");
        let below = Table { path: table.below(name), list: items.is_some() };
        search(items.unwrap_or(inner), key, &below, found);
    }
}

impl Table {
    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn written(&self) -> String {
        match (self.path.as_str(), self.list) {
            ("", _) => "the top of the file, before the first `[table]`".to_owned(),
            (path, true) => format!("`[[{path}]]`"),
            (path, false) => format!("`[{path}]`"),
        }
    }
}
