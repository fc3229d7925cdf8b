//! Custom scalars whose specification is known by the URL that `@specifiedBy` names, and what their
//! values are. A check reads a value and never changes it.

mod forms;

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::schema::ScalarType;

use crate::json::{Kind, Value, number};

/// How a custom scalar's values are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Any JSON passes byte for byte.
    Any,
    /// A string of this form.
    Text(Text),
    /// A number, or a string that is one.
    Number(Number),
}

/// What the string of a known scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// `date-time` of RFC 3339, section 5.6.
    DateTime,
    /// `full-date` of RFC 3339, section 5.6.
    Date,
    /// RFC 9562, section 4.
    Uuid,
    /// A URI with its scheme, RFC 3986.
    Url,
    /// `Dot-string "@" Domain` of RFC 5321, section 4.1.2, without quotes and address literals.
    EmailAddress,
}

/// What the number of a known scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// Any number as JSON writes it, of any size and precision.
    Decimal,
    /// A whole number of 64 bits, with a sign and without a fraction or an exponent.
    Long,
}

/// Pages of scalars.graphql.org whose scalars are known.
const PAGES: &[(&str, Scalar)] = &[
    ("andimarek/date-time", Scalar::Text(Text::DateTime)),
    ("chillicream/date-time", Scalar::Text(Text::DateTime)),
    ("andimarek/local-date", Scalar::Text(Text::Date)),
    ("chillicream/date", Scalar::Text(Text::Date)),
    ("chillicream/local-date", Scalar::Text(Text::Date)),
    ("chillicream/uuid", Scalar::Text(Text::Uuid)),
    ("chillicream/uri", Scalar::Text(Text::Url)),
    ("chillicream/url", Scalar::Text(Text::Url)),
    ("chillicream/decimal", Scalar::Number(Number::Decimal)),
    ("chillicream/long", Scalar::Number(Number::Long)),
    ("jakobmerrild/long", Scalar::Number(Number::Long)),
];

/// RFCs that specify a scalar. A scalar `Date` by RFC 3339 is that document's `full-date`.
const RFCS: &[(&str, Scalar)] = &[
    ("rfc3339", Scalar::Text(Text::DateTime)),
    ("rfc4122", Scalar::Text(Text::Uuid)),
    ("rfc9562", Scalar::Text(Text::Uuid)),
    ("rfc3986", Scalar::Text(Text::Url)),
    ("rfc5321", Scalar::Text(Text::EmailAddress)),
];

/// Where RFCs are read.
const LIBRARIES: [&str; 6] = [
    "www.rfc-editor.org/rfc/",
    "www.rfc-editor.org/info/",
    "rfc-editor.org/rfc/",
    "datatracker.ietf.org/doc/html/",
    "datatracker.ietf.org/doc/",
    "tools.ietf.org/html/",
];

impl Scalar {
    /// What this definition says of its values.
    pub(crate) fn of(definition: &ScalarType) -> Self {
        let url = definition.directives.get("specifiedBy");
        let url = url.and_then(|it| it.specified_argument_by_name("url")?.as_str());
        match url.map(Self::specified_by) {
            Some(Self::Text(Text::DateTime)) if definition.name == "Date" => Self::Text(Text::Date),
            Some(known) => known,
            None => Self::Any,
        }
    }

    /// The scalar that is specified at this URL.
    fn specified_by(url: &str) -> Self {
        let known = |table: &[(&str, Self)], page: &str| {
            table.iter().find(|(known, _)| *known == page).map_or(Self::Any, |(_, known)| *known)
        };
        let Some(page) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))
        else {
            return Self::Any;
        };
        let page = page.split('#').next().unwrap_or_default();
        let page = page.strip_suffix(".html").or_else(|| page.strip_suffix(".txt")).unwrap_or(page);
        if let Some(page) = page.strip_prefix("scalars.graphql.org/") {
            return known(PAGES, page);
        }
        let rfc = LIBRARIES.iter().find_map(|library| page.strip_prefix(library));
        rfc.map_or(Self::Any, |rfc| known(RFCS, rfc.trim_end_matches('/')))
    }

    /// Whether JSON that is not null is such a value.
    #[inline]
    pub(crate) fn holds(self, value: Value<'_>) -> bool {
        match (self, value.as_raw_string()) {
            (Self::Any, _) => true,
            (Self::Text(_), None) => false,
            (Self::Number(number), None) => value.as_number().is_some_and(|it| number.holds(it)),
            (_, Some(text)) => self.holds_text(&text.unescape()),
        }
    }

    /// Whether a literal without variables is such a value; null is always.
    pub(crate) fn holds_literal(self, literal: &Literal) -> bool {
        match (self, literal) {
            (Self::Any, _) | (_, Literal::Null | Literal::Variable(_)) => true,
            (_, Literal::String(text)) => self.holds_text(text),
            (Self::Number(number), Literal::Int(token)) => number.holds(token.as_str()),
            (Self::Number(number), Literal::Float(token)) => number.holds(token.as_str()),
            _ => false,
        }
    }

    fn holds_text(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(Text::DateTime) => forms::is_date_time(text),
            Self::Text(Text::Date) => forms::is_date(text),
            Self::Text(Text::Uuid) => forms::is_uuid(text),
            Self::Text(Text::Url) => forms::is_url(text),
            Self::Text(Text::EmailAddress) => forms::is_email_address(text),
            Self::Number(number) => number.holds(text),
        }
    }

    /// What a message calls a value of this kind that is none, with its article.
    pub(crate) fn found(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (_, Kind::String) => "another string",
            (Self::Number(_), Kind::Number) => "another number",
            (_, kind) => kind.name(),
        }
    }

    /// What a message calls such a value, with its article.
    pub(crate) fn called(self) -> &'static str {
        match self {
            Self::Any => "a scalar",
            Self::Text(Text::DateTime) => "a date and time as in RFC 3339",
            Self::Text(Text::Date) => "a date as in RFC 3339",
            Self::Text(Text::Uuid) => "a UUID",
            Self::Text(Text::Url) => "a URL with its scheme",
            Self::Text(Text::EmailAddress) => "an email address",
            Self::Number(Number::Decimal) => "a decimal number",
            Self::Number(Number::Long) => "a whole number of 64 bits",
        }
    }
}

impl Number {
    fn holds(self, token: &str) -> bool {
        let fits = match self {
            Self::Decimal => true,
            Self::Long => token.parse::<i64>().is_ok(),
        };
        fits && number::is_number(token)
    }
}

#[cfg(test)]
mod tests;
