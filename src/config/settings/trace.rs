//! `[graphql] trace`: who may ask how the gateway came to an answer.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Switch;
use crate::config::value::{self, FromText, Mistake};

/// One of a switch's words, or a CEL expression over the caller's claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TraceSetting {
    Switch(Switch),
    Callers(String),
}

const WORDS: [(&str, Switch); 3] =
    [("on", Switch::On), ("off", Switch::Off), ("auto", Switch::Auto)];

impl FromText for TraceSetting {
    const EXPECTED: &'static str = "\"on\", \"off\", \"auto\" or a CEL expression over `claims`";

    fn from_text(text: &str) -> Result<Self, Mistake> {
        if let Some((_, switch)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(Self::Switch(*switch));
        }
        // No single word is a condition, not even `claims`: another one of the switch was meant.
        if text.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "an expression says of whom it holds: \"claims.team == 'platform'\"",
            ));
        }
        Ok(Self::Callers(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for TraceSetting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::from_text(from)
    }
}

impl Serialize for TraceSetting {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Switch(switch) => switch.serialize(to),
            Self::Callers(expression) => to.serialize_str(expression),
        }
    }
}

impl JsonSchema for TraceSetting {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TraceSetting".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expression =
            "A CEL expression over the caller's `claims`: \"claims.team == 'platform'\".";
        json_schema!({"anyOf": [
            generator.subschema_for::<Switch>(),
            // What holds no sign is one of the words, and no expression.
            {"type": "string", "pattern": "[^A-Za-z0-9_\\s]", "description": expression},
        ]})
    }
}
