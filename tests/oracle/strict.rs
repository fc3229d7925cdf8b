//! The gateway's response, read more strictly than clients would.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::naive::Fail;

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    /// `None`: null propagated to the root.
    pub(crate) data: Option<Value>,
    pub(crate) errors: Vec<Reported>,
}

/// One of its errors.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) path: Vec<Value>,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Service and status, where they are told.
    pub(crate) upstream: Option<(String, Option<u16>)>,
}

impl Response {
    /// Reads the response to a query that must have been executed.
    pub(crate) fn parse(body: &[u8], query: &str) -> Result<Self, String> {
        let broken = |error| format!("the response is not strictly JSON: {error}");
        serde_json::from_slice::<Unique>(body).map_err(broken)?;
        let Value::Object(mut members) = serde_json::from_slice(body).map_err(broken)? else {
            return Err("the response is no object".to_owned());
        };
        let data = members.remove("data").ok_or("the request was refused")?;
        let errors = match members.remove("errors") {
            None => Vec::new(),
            Some(Value::Array(errors)) if !errors.is_empty() => {
                errors.iter().map(|error| Reported::read(error, query)).collect::<Result<_, _>>()?
            }
            Some(_) => return Err("`errors` is no list of errors".to_owned()),
        };
        match members.keys().next() {
            Some(other) => Err(format!("the response holds `{other}`")),
            None => Ok(Self { data: Some(data).filter(|data| !data.is_null()), errors }),
        }
    }
}

impl Reported {
    fn read(error: &Value, query: &str) -> Result<Self, String> {
        let incomplete = || format!("an error is not complete: {error}");
        let path = error.get("path").and_then(Value::as_array).ok_or_else(incomplete)?;
        let key = path.iter().rev().find_map(Value::as_str).ok_or_else(incomplete)?;
        let locations = error.get("locations").and_then(Value::as_array).ok_or_else(incomplete)?;
        if locations.is_empty() || !locations.iter().all(|it| points_at(it, query, key)) {
            return Err(format!("an error is not located where `{key}` stands: {error}"));
        }
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let extensions = error.get("extensions").ok_or_else(incomplete)?;
        let upstream = extensions.get("upstream");
        Ok(Self {
            path: path.clone(),
            code: text(extensions.get("code")).ok_or_else(incomplete)?,
            message: text(error.get("message")).ok_or_else(incomplete)?,
            upstream: upstream.and_then(|upstream| {
                let status = upstream.get("status").and_then(Value::as_u64);
                Some((text(upstream.get("service"))?, status.map(|status| status as u16)))
            }),
        })
    }

    /// Whether this is the oracle's failure. Where it knows of no message or upstream, the gateway
    /// may say what it likes.
    pub(crate) fn is(&self, path: &[Value], fail: &Fail) -> bool {
        let Fail { code, message, upstream } = fail;
        let told = self.upstream.as_ref().map(|(service, status)| (service.as_str(), *status));
        self.path == path
            && self.code == *code
            && message.as_ref().is_none_or(|message| *message == self.message)
            && (upstream.is_none() || *upstream == told)
    }
}

/// Whether a field of this response key begins at a location.
fn points_at(location: &Value, query: &str, key: &str) -> bool {
    let number = |name: &str| location.get(name).and_then(Value::as_u64).map(|it| it as usize);
    let (Some(line), Some(column)) = (number("line"), number("column")) else { return false };
    let text = query.lines().nth(line.wrapping_sub(1)).unwrap_or_default();
    let rest: String = text.chars().skip(column.wrapping_sub(1)).collect();
    let after = rest.strip_prefix(key).and_then(|rest| rest.chars().next());
    after.is_some_and(|char| !char.is_ascii_alphanumeric() && char != '_')
}

/// JSON in which no object names a property twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unique)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Unique)) = members.next_entry::<String, Unique>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("`{name}` stands twice")));
            }
            names.insert(name);
        }
        Ok(Unique)
    }
}
