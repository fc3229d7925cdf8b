//! Lists whose members have weights (RFC 9110 section 12.4.2), as `Accept` and its relatives are.
//! What the members mean is for whoever reads them.

use http::header::{HeaderMap, HeaderName};

/// A member of such a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted<'a> {
    /// As it was sent, without parameters; never empty.
    pub(super) name: &'a str,
    /// Thousandths; what is no weight counts as 0.
    pub(super) quality: u16,
    parameters: &'a str,
}

/// The members of all lines of a header. Lines that are not ASCII have none.
pub(super) fn weighted<'a>(
    headers: &'a HeaderMap,
    header: &HeaderName,
) -> impl Iterator<Item = Weighted<'a>> + use<'a> {
    let lists = headers.get_all(header).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).filter_map(Weighted::read)
}

impl<'a> Weighted<'a> {
    fn read(member: &'a str) -> Option<Self> {
        let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
        let name = Some(name.trim()).filter(|name| !name.is_empty())?;
        let unweighted = Self { name, quality: 1000, parameters };
        let quality = unweighted.parameter("q").map_or(1000, thousandths);
        Some(Self { quality, ..unweighted })
    }

    /// The value of its first parameter of that name.
    pub(super) fn parameter(&self, wanted: &str) -> Option<&'a str> {
        parameter(self.parameters, wanted)
    }
}

/// The value of the first parameter of that name, without quotes (RFC 9110 section 5.6.6).
pub(super) fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
    Some(value.trim().trim_matches('"'))
}

/// `.5` is none by the grammar, but Java's own client sends such.
fn thousandths(weight: &str) -> u16 {
    if !weight.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return 0;
    }
    match weight.parse::<f32>() {
        Ok(weight) if weight <= 1.0 => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, HeaderValue};

    use super::*;

    #[test]
    fn members_are_read_line_by_line_with_their_weights() {
        let mut headers = HeaderMap::new();
        for line in ["a;q=0.5, b ; Q=1;x=y", ",, c;x=\"q\";q=.2", "d;q=0, e;q=0.0004"] {
            headers.append(ACCEPT, HeaderValue::from_static(line));
        }
        let read: Vec<_> = weighted(&headers, &ACCEPT).map(|of| (of.name, of.quality)).collect();
        assert_eq!(read, [("a", 500), ("b", 1000), ("c", 200), ("d", 0), ("e", 0)]);
        let b = weighted(&headers, &ACCEPT).nth(1).expect("b");
        assert_eq!((b.parameter("X"), b.parameter("z")), (Some("y"), None));
    }

    #[test]
    fn what_is_no_weight_counts_as_none_wanted() {
        for weight in ["", "x", "-1", "+1", "1.1", "2", "1e-1", "inf", "nan", "0.5.5", "."] {
            assert_eq!(thousandths(weight), 0, "{weight}");
        }
        for (weight, expected) in [("1", 1000), ("1.000", 1000), ("0.001", 1), ("0.", 0)] {
            assert_eq!(thousandths(weight), expected, "{weight}");
        }
    }
}
