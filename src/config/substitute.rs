//! `${VAR}` and `${VAR:-default}` in the strings of settings; `$${` stands for `${` itself.
//!
//! As in a shell, `:-` also replaces a variable that is set to nothing. What a variable holds is
//! never read again for further variables.

use std::ops::Range;

use super::env::{Env, NotUtf8};

/// A string with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Substituted {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// Where a value's text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// From the file as it stands there.
    Written,
    /// From the environment, wholly or in part.
    Environment,
    /// A variable was not set and the default written beside it stands in.
    Default,
}

/// Why a string could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfilled {
    pub(crate) message: String,
    pub(crate) help: String,
    /// The bytes of the string that are at fault.
    pub(crate) range: Range<usize>,
}

/// Fills in a string's variables.
pub(crate) fn substitute(text: &str, env: &dyn Env) -> Result<Substituted, Unfilled> {
    let mut filled = String::with_capacity(text.len());
    let mut origin = Origin::Written;
    let mut from = 0;
    while let Some(dollar) = text.get(from..).and_then(|rest| rest.find("${")).map(|n| from + n) {
        let before = text.get(from..dollar).unwrap_or_default();
        if let Some(literal) = before.strip_suffix('$') {
            filled.push_str(literal);
            filled.push_str("${");
            from = dollar + 2;
            continue;
        }
        filled.push_str(before);
        let inside = text.get(dollar + 2..).unwrap_or_default();
        let Some(length) = inside.find('}') else {
            return Err(unclosed(dollar..text.len()));
        };
        let end = dollar + 2 + length + 1;
        let reference = inside.get(..length).unwrap_or_default();
        let (value, value_origin) = look_up(reference, dollar..end, env)?;
        filled.push_str(&value);
        origin = origin.max(value_origin);
        from = end;
    }
    filled.push_str(text.get(from..).unwrap_or_default());
    Ok(Substituted { text: filled, origin })
}

fn look_up(
    reference: &str,
    range: Range<usize>,
    env: &dyn Env,
) -> Result<(String, Origin), Unfilled> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if !is_variable_name(name) {
        return Err(no_name(range));
    }
    match (env.variable(name), default) {
        (Ok(Some(value)), Some(_)) if !value.is_empty() => Ok((value, Origin::Environment)),
        (Ok(Some(value)), None) => Ok((value, Origin::Environment)),
        (Ok(_), Some(default)) => Ok((default.to_owned(), Origin::Default)),
        (Ok(None), None) => Err(unset(name, range)),
        (Err(NotUtf8), _) => Err(no_text(name, range)),
    }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unset(name: &str, range: Range<usize>) -> Unfilled {
    Unfilled {
        message: format!("the variable `{name}` is not set"),
        help: format!("set it in the environment, or give a default: `${{{name}:-value}}`"),
        range,
    }
}

fn no_text(name: &str, range: Range<usize>) -> Unfilled {
    Unfilled {
        message: format!("the variable `{name}` is not valid UTF-8"),
        help: "set it to text".to_owned(),
        range,
    }
}

fn no_name(range: Range<usize>) -> Unfilled {
    Unfilled {
        message: "`${...}` does not name a variable".to_owned(),
        help: "a name is letters, digits and `_`, and does not begin with a digit: `${VAR}` or \
               `${VAR:-default}`; write `$${` for a literal `${`"
            .to_owned(),
        range,
    }
}

fn unclosed(range: Range<usize>) -> Unfilled {
    Unfilled {
        message: "`${` has no closing `}`".to_owned(),
        help: "write `${VAR}` or `${VAR:-default}`; write `$${` for a literal `${`".to_owned(),
        range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FixedEnv;

    fn filled(text: &str) -> Result<(String, Origin), (String, Range<usize>)> {
        let env = FixedEnv::new()
            .with_variable("HOST", "users")
            .with_variable("NONE", "")
            .with_variable("NESTED", "${HOST}");
        match substitute(text, &env) {
            Ok(Substituted { text, origin }) => Ok((text, origin)),
            Err(Unfilled { message, range, help: _ }) => Err((message, range)),
        }
    }

    #[test]
    fn variables_defaults_and_escapes_are_filled_in() {
        let cases = [
            ("plain $ and } and {x}", "plain $ and } and {x}", Origin::Written),
            ("http://${HOST}:80", "http://users:80", Origin::Environment),
            ("${HOST}${HOST}", "usersusers", Origin::Environment),
            ("${HOST:-other}", "users", Origin::Environment),
            ("${NOBODY:-other}", "other", Origin::Default),
            ("${NOBODY:-}", "", Origin::Default),
            ("${NOBODY:-a:-b}", "a:-b", Origin::Default),
            ("${NONE:-other}", "other", Origin::Default),
            ("${NONE}", "", Origin::Environment),
            ("${HOST}/${NOBODY:-x}", "users/x", Origin::Default),
            ("$${HOST}", "${HOST}", Origin::Written),
            ("$$${HOST}", "$${HOST}", Origin::Written),
            ("$${HOST} ${HOST}", "${HOST} users", Origin::Environment),
        ];
        for (text, expected, origin) in cases {
            assert_eq!(filled(text), Ok((expected.to_owned(), origin)), "{text}");
        }
    }

    #[test]
    fn what_a_variable_holds_is_not_filled_in_again() {
        assert_eq!(filled("${NESTED}"), Ok(("${HOST}".to_owned(), Origin::Environment)));
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_told_with_its_place() {
        let cases = [
            ("é ${NOBODY}", "the variable `NOBODY` is not set", 3..12),
            ("a ${HOST", "`${` has no closing `}`", 2..8),
            ("${}", "`${...}` does not name a variable", 0..3),
            ("${:-x}", "`${...}` does not name a variable", 0..6),
            ("${A-B}", "`${...}` does not name a variable", 0..6),
        ];
        for (text, message, range) in cases {
            assert_eq!(filled(text), Err((message.to_owned(), range)), "{text}");
        }
    }
}
