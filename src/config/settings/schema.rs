//! The JSON Schema of the settings files, for editors and `onedoor schema --settings`.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{GatewaySettings, UpstreamSettings};

/// A kind of settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingsFile {
    /// `onedoor.toml`.
    Gateway,
    /// `upstreams/*.toml`.
    Upstream,
}

/// The JSON Schema (draft 2020-12) of one kind of settings file: every key that works, its
/// description, its default and its form.
#[must_use]
pub fn settings_json_schema(file: SettingsFile) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = match file {
        SettingsFile::Gateway => generator.into_root_schema_for::<GatewaySettings>(),
        SettingsFile::Upstream => generator.into_root_schema_for::<UpstreamSettings>(),
    };
    schema.into()
}
