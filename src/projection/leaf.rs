//! Result coercion of scalars and enums (GraphQL sections 3.5 and 3.9), from JSON text to JSON
//! text. Numbers keep their digits and strings their escapes.

use crate::json::{Kind, Value, number};
use crate::plan::Leaf;

/// Why a value is not what the schema declares: what the upstream gave instead.
pub(super) type Given = &'static str;

/// Writes a value that is not null, of this text, as the leaf it must be.
#[inline]
pub(super) fn write(
    out: &mut Vec<u8>,
    leaf: &Leaf,
    value: Value<'_>,
    raw: &[u8],
) -> Result<(), Given> {
    let kind = Kind::of(raw.first().copied().unwrap_or_default());
    match (leaf, kind) {
        (Leaf::String | Leaf::Id, Kind::String) | (Leaf::Boolean, Kind::Boolean) => {}
        (Leaf::Custom(scalar), _) if scalar.holds(value) => {}
        (Leaf::Custom(scalar), kind) => return Err(scalar.found(kind)),
        (Leaf::Int | Leaf::Float | Leaf::Id, Kind::Number) => return write_number(out, leaf, raw),
        (Leaf::Enum(names), Kind::String) => return write_enum(out, names, value, raw),
        (_, kind) => return Err(kind.name()),
    }
    out.extend_from_slice(raw);
    Ok(())
}

fn write_number(out: &mut Vec<u8>, leaf: &Leaf, raw: &[u8]) -> Result<(), Given> {
    match leaf {
        Leaf::Int if is_short_natural(raw) => out.extend_from_slice(raw),
        Leaf::Int => {
            let digits = number::canonical_i32(token(raw))
                .ok_or("a number that is no integer within 32 bits")?;
            out.extend_from_slice(digits.as_bytes());
        }
        Leaf::Id => {
            let digits = integer(token(raw)).ok_or("a number that is no integer")?;
            out.push(b'"');
            out.extend_from_slice(digits.as_bytes());
            out.push(b'"');
        }
        _ if is_finite(raw) => out.extend_from_slice(raw),
        _ => return Err("a number beyond the range of a double"),
    }
    Ok(())
}

fn token(raw: &[u8]) -> &str {
    std::str::from_utf8(raw).unwrap_or_default()
}

/// Most integers: digits only, and too few of them to leave 32 bits.
fn is_short_natural(raw: &[u8]) -> bool {
    raw.len() <= 9 && raw.iter().all(u8::is_ascii_digit)
}

/// The digits of an integer of any size. A fraction of zeros does not count, as for `Int`.
fn integer(token: &str) -> Option<&str> {
    let (integer, fraction) = token.split_once('.').unwrap_or((token, ""));
    let digits = integer.strip_prefix('-').unwrap_or(integer);
    let whole = digits.bytes().all(|b| b.is_ascii_digit()) && fraction.bytes().all(|b| b == b'0');
    whole.then_some(if digits == "0" { "0" } else { integer })
}

/// A double holds 308 digits before the point, so that only long tokens and those with an exponent
/// need a closer look.
fn is_finite(raw: &[u8]) -> bool {
    let plain = raw.len() <= 308 && !raw.iter().any(|byte| matches!(byte, b'e' | b'E'));
    plain || number::is_finite_f64(token(raw))
}

fn write_enum(
    out: &mut Vec<u8>,
    names: &[(Box<str>, Box<str>)],
    value: Value<'_>,
    raw: &[u8],
) -> Result<(), Given> {
    let plain = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    let found = if plain.contains(&b'\\') {
        let text = value.as_str().unwrap_or_default();
        names.iter().find(|(wire, _)| **wire == *text)
    } else {
        names.iter().find(|(wire, _)| wire.as_bytes() == plain)
    };
    let (_, name) = found.ok_or("a string that is none of the enum's values")?;
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    Ok(())
}
