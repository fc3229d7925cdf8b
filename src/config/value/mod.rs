//! Settings' own types: each is right once it exists, says what it expects, and describes itself in
//! the JSON Schema. Units stand in the value (`"200ms"`, `"1MiB"`).

mod address;
mod duration;
mod header;
mod jwks_url;
mod log_filter;
mod method;
mod number;
mod one_or_many;
mod origin;
mod size;
mod url;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, Visitor};

pub use address::HttpPath;
pub(crate) use address::ListenAddress;
pub use duration::Duration;
pub(crate) use duration::in_words;
pub(crate) use header::Header;
pub(crate) use header::HeaderTable;
pub use jwks_url::JwksUrl;
pub use log_filter::LogFilter;
pub(crate) use method::PageMethod;
pub(crate) use number::Share;
pub use number::Whole;
pub(crate) use one_or_many::OneOrMany;
pub use origin::AllowedOrigin;
pub use size::Size;
pub use url::UpstreamUrl;

pub(crate) use super::reader::Mistake;

/// A type that is written as a string.
pub(crate) trait FromText: Sized {
    /// What belongs here, as in "expected ...".
    const EXPECTED: &'static str;

    /// A regular expression for editors; `None` where the rule is no regular one.
    const PATTERN: Option<&'static str> = None;

    /// Reads the text. A mistake never quotes it: it may come from the environment.
    fn from_text(text: &str) -> Result<Self, Mistake>;
}

/// Reads a [`FromText`] from serde.
pub(crate) fn from_text<'de, T: FromText, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(TextVisitor(PhantomData))
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }
}

/// The JSON Schema of a [`FromText`]. A pattern also admits `${VAR}`.
pub(crate) fn text_schema<T: FromText>() -> schemars::Schema {
    let mut schema = schemars::json_schema!({"type": "string"});
    if let Some(pattern) = T::PATTERN {
        schema.insert("pattern".to_owned(), format!(r"^(?:{pattern})$|\$\{{").into());
    }
    schema
}

/// serde and schemars for a [`FromText`] that has `Display`.
macro_rules! written_as_text {
    ($type:ty $(, $($generics:tt)+)?) => {
        impl<'de $(, $($generics)+)?> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::config::value::from_text(from)
            }
        }

        impl$(<$($generics)+>)? serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl$(<$($generics)+>)? schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::config::value::text_schema::<Self>()
            }
        }
    };
}
use written_as_text;
