//! Header names, and tables of headers.

use std::borrow::Cow;
use std::fmt;

use http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{FromText, Mistake, written_as_text};
use crate::config::reader::Located;

/// The name of a header, in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Header(pub(crate) HeaderName);

/// Headers and their values, in the order of their names. Two spellings of one name both stand
/// here, so that the second can be refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HeaderTable(pub(crate) Vec<(Located<Header>, Located<String>)>);

impl FromText for Header {
    const EXPECTED: &'static str = "a header's name such as \"accept-language\"";
    const PATTERN: Option<&'static str> = Some("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        HeaderName::from_bytes(text.as_bytes()).map(Self).map_err(|_| {
            Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "a header's name is letters, digits and `-` (RFC 9110 section 5.1)",
            )
        })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

written_as_text!(Header);

impl<'de> Deserialize<'de> for HeaderTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderTableVisitor)
    }
}

struct HeaderTableVisitor;

impl<'de> Visitor<'de> for HeaderTableVisitor {
    type Value = HeaderTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<HeaderTable, A::Error> {
        let mut headers = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            headers.push(entry);
        }
        Ok(HeaderTable(headers))
    }
}

impl JsonSchema for HeaderTable {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HeaderTable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": "string"}})
    }
}
