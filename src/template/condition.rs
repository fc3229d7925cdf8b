//! Conditions on the caller alone (`[graphql] trace`).

use super::{ComputedValues, Error, Expression};
use crate::json::{Body, Value};

/// A checked CEL expression over `claims`, and over nothing else.
#[derive(Debug)]
pub struct Condition(Expression);

impl Condition {
    /// Parses and checks a condition.
    ///
    /// # Errors
    /// The first mistake: those of an [`Expression`], another root than `claims`, no claim at all.
    pub fn parse(text: &str) -> Result<Condition, Error> {
        let expression = Expression::parse_over_claims(text)?;
        if expression.references().is_empty() {
            let error = Error::new(0..text.len(), "this is the same for every caller");
            return Err(error.help("name a claim, as in `claims.team == 'platform'`"));
        }
        Ok(Condition(expression))
    }

    /// Whether it is true of these claims. A claim that is missing reads as null.
    ///
    /// # Errors
    /// Why it is neither true nor false, which means no. It may hold what the claims say.
    pub fn holds(&self, claims: Value<'_>) -> Result<bool, String> {
        let Condition(expression) = self;
        let none = Body::null();
        let values =
            ComputedValues { args: none.root(), this: &[], claims: Some(claims), answer: None };
        expression.holds(&values)
    }
}
