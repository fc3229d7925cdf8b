//! A length of time with its unit: `"200ms"`, `"2s"`, `"1m"`, `"1h"`.

use std::fmt;
use std::time;

use super::{FromText, Mistake, written_as_text};

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// A length of time from `MIN` to `MAX` milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Duration<MIN, MAX> {
    /// The nearest length that is within bounds: for defaults.
    pub(crate) const fn of_millis(millis: u64) -> Self {
        Self(if millis < MIN {
            MIN
        } else if millis > MAX {
            MAX
        } else {
            millis
        })
    }

    /// The length as the standard library has it.
    #[must_use]
    pub const fn get(self) -> time::Duration {
        time::Duration::from_millis(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> FromText for Duration<MIN, MAX> {
    const EXPECTED: &'static str = "a duration such as \"200ms\", \"2s\", \"1m\" or \"1h\"";
    const PATTERN: Option<&'static str> = Some("[0-9]+(?:ms|s|m|h)");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        let millis = parse(text).ok_or_else(|| {
            Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "write one whole number and its unit: ms, s, m or h",
            )
        })?;
        if (MIN..=MAX).contains(&millis) {
            return Ok(Self(millis));
        }
        let (least, most) = (written(MIN), written(MAX));
        Err(Mistake::new(
            if millis < MIN {
                format!("this is shorter than {least}")
            } else {
                format!("this is longer than {most}")
            },
            format!("write a duration from {least} to {most}"),
        ))
    }
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok().map(|number| number.saturating_mul(*factor))
}

/// In the largest unit that needs no fraction.
fn written(millis: u64) -> String {
    UNITS.iter().rev().find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor)).map_or_else(
        || format!("{millis}ms"),
        |(unit, factor)| format!("{}{unit}", millis / factor),
    )
}

impl<const MIN: u64, const MAX: u64> fmt::Display for Duration<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.0))
    }
}

written_as_text!(Duration<MIN, MAX>, const MIN: u64, const MAX: u64);

/// Any duration as settings write it: for messages.
pub(crate) fn in_words(duration: time::Duration) -> String {
    written(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
