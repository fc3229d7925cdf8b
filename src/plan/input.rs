//! Arguments: literals of a document in the wire's names, with places for variables
//! (specification sections 3.10, 6.4.1).

use std::sync::Arc;

use bytes::Bytes;

use super::variables::Variables;
use super::{Args, Input};
use crate::failure::{Code, Failure};
use crate::json::{Body, write_string};

impl Args {
    /// Arguments by name, in the order of the schema.
    #[must_use]
    pub fn new(values: Vec<(Box<str>, Input)>) -> Self {
        let mut args = Self { values, ready: None };
        let has_variables = args.values.iter().any(|(_, value)| !value.is_literal());
        if !has_variables {
            args.ready = args.write(&Variables::default()).ok();
        }
        args
    }

    /// The coerced arguments as a JSON object (`CoerceArgumentValues`). An argument whose variable
    /// is absent and that has no default is absent.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`: a variable is null where null may not stand. It fails the field.
    pub fn render(&self, variables: &Variables) -> Result<Body, Arc<Failure>> {
        match &self.ready {
            Some(ready) => Ok(ready.clone()),
            None => self.write(variables).map_err(Arc::new),
        }
    }

    fn write(&self, variables: &Variables) -> Result<Body, Failure> {
        let mut out = Vec::new();
        let written = write_object(&self.values, variables, &mut out);
        written.map_err(|NullRefused { at }| {
            Failure::new(Code::BadUserInput, format!("Null is not allowed for `{at}`."))
        })?;
        Body::parse(Bytes::from(out))
            .map_err(|_| Failure::new(Code::BadUserInput, "The arguments are nested too deep."))
    }
}

/// A null where null may not stand.
struct NullRefused {
    /// Names from the argument down, joined by dots.
    at: String,
}

impl NullRefused {
    fn within(mut self, name: &str) -> Self {
        let dot = if self.at.is_empty() { "" } else { "." };
        self.at = format!("{name}{dot}{}", self.at);
        self
    }
}

impl Input {
    /// JSON text, ready.
    pub(super) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Literal(text.into().into_boxed_slice())
    }

    /// The whole number that this comes to; `None`: it is none.
    pub(super) fn number(&self, variables: &Variables) -> Option<i64> {
        let text = match self {
            Self::Literal(text) => text,
            Self::Variable { index, default, .. } => variables.get(*index).or(default.as_deref())?,
            Self::List(_) | Self::Object(_) => return None,
        };
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// A JSON string, ready.
    pub(super) fn string(text: &str) -> Self {
        let mut out = Vec::with_capacity(text.len() + 2);
        write_string(&mut out, text);
        Self::text(out)
    }

    /// A list; made ready if all its items are.
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(items).ready()
    }

    /// An object; made ready if all its members are.
    pub(super) fn object(members: Vec<(Box<str>, Self)>) -> Self {
        Self::Object(members).ready()
    }

    fn ready(self) -> Self {
        let is_ready = match &self {
            Self::List(items) => items.iter().all(Self::is_literal),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_literal()),
            Self::Literal(_) | Self::Variable { .. } => return self,
        };
        let mut out = Vec::new();
        match is_ready && self.write(&Variables::default(), &mut out).is_ok() {
            true => Self::text(out),
            false => self,
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// Writes the value; `false`: there is none.
    fn write(&self, variables: &Variables, out: &mut Vec<u8>) -> Result<bool, NullRefused> {
        match self {
            Self::Literal(text) => out.extend_from_slice(text),
            Self::Variable { index, default, nullable } => {
                match variables.get(*index).or(default.as_deref()) {
                    Some(b"null") if !nullable => return Err(NullRefused { at: String::new() }),
                    Some(text) => out.extend_from_slice(text),
                    None if !nullable => return Err(NullRefused { at: String::new() }),
                    None => return Ok(false),
                }
            }
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    if !item.write(variables, out)? {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
            Self::Object(members) => write_object(members, variables, out)?,
        }
        Ok(true)
    }
}

fn write_object(
    members: &[(Box<str>, Input)],
    variables: &Variables,
    out: &mut Vec<u8>,
) -> Result<(), NullRefused> {
    out.push(b'{');
    let mut empty = true;
    for (name, value) in members {
        let before = out.len();
        if !empty {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        if value.write(variables, out).map_err(|refused| refused.within(name))? {
            empty = false;
        } else {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}
