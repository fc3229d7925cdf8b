//! What GraphQL's scalars ask of a number, answered from its text.
//!
//! The texts are number tokens of checked bodies; of any other text the answer is no.

use super::validate;

/// Whether a text is one number as JSON writes it.
pub fn is_number(text: &str) -> bool {
    validate::number(text.as_bytes(), 0) == Ok(text.len())
}

/// The canonical text of an integer within 32 bits, as part of the token; `None` if it is none.
///
/// A fraction of zeros does not count (`1.0` is `1`; GraphQL section 3.5.1, result coercion) and
/// zero has no sign. A number with an exponent is a float, whatever its value.
pub fn canonical_i32(token: &str) -> Option<&str> {
    let (integer, fraction) = token.split_once('.').unwrap_or((token, "0"));
    let digits = integer.strip_prefix('-').unwrap_or(integer);
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain(digits) || !fraction.bytes().all(|b| b == b'0') || fraction.is_empty() {
        return None;
    }
    let number: i32 = integer.parse().ok()?;
    Some(if number == 0 { "0" } else { integer })
}

/// Whether a number is an integer within 32 bits, as [`canonical_i32`] sees it.
pub fn fits_i32(token: &str) -> bool {
    canonical_i32(token).is_some()
}

/// Whether a number is within the range of a double: `1e999` is not.
pub fn is_finite_f64(token: &str) -> bool {
    token.parse().is_ok_and(f64::is_finite)
}
