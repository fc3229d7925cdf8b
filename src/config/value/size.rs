//! A number of bytes with its unit: `"500B"`, `"64KiB"`, `"1MiB"`.

use std::fmt;

use super::{FromText, Mistake, written_as_text};

const UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// From `MIN` to `MAX` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Size<MIN, MAX> {
    /// The nearest size that is within bounds: for defaults.
    pub(crate) const fn of_bytes(bytes: u64) -> Self {
        Self(if bytes < MIN {
            MIN
        } else if bytes > MAX {
            MAX
        } else {
            bytes
        })
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0 as usize
    }
}

impl<const MIN: u64, const MAX: u64> FromText for Size<MIN, MAX> {
    const EXPECTED: &'static str = "a size such as \"500B\", \"64KiB\" or \"1MiB\"";
    const PATTERN: Option<&'static str> = Some("[0-9]+(?:B|KiB|MiB|GiB)");

    fn from_text(text: &str) -> Result<Self, Mistake> {
        let bytes = parse(text).ok_or_else(|| {
            Mistake::new(
                format!("expected {}", Self::EXPECTED),
                "write one whole number and its unit: B, KiB, MiB or GiB (1KiB is 1024B)",
            )
        })?;
        if (MIN..=MAX).contains(&bytes) {
            return Ok(Self(bytes));
        }
        let (least, most) = (written(MIN), written(MAX));
        Err(Mistake::new(
            if bytes < MIN {
                format!("this is smaller than {least}")
            } else {
                format!("this is larger than {most}")
            },
            format!("write a size from {least} to {most}"),
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
fn written(bytes: u64) -> String {
    UNITS
        .iter()
        .rev()
        .find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor))
        .map_or_else(|| format!("{bytes}B"), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

impl<const MIN: u64, const MAX: u64> fmt::Display for Size<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.0))
    }
}

written_as_text!(Size<MIN, MAX>, const MIN: u64, const MAX: u64);
