//! Chance that repeats: which answers fail, and ids that are not numbers.
//!
//! A number is drawn from the seed and a count alone, so a test that counts requests knows what
//! each of them gets.

/// The `n`th number of the sequence of `seed` (SplitMix64, which may be entered at any place).
pub(super) fn draw(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Whether the `n`th answer fails, at a `rate` from 0 (never) to 1 (always).
pub(super) fn fails(seed: u64, n: u64, rate: f64) -> bool {
    // The upper 53 bits are exact in an f64, and the quotient is below 1.
    let share = (draw(seed, n) >> 11) as f64 / (1_u64 << 53) as f64;
    share < rate
}

/// The `n`th id of seven letters and digits.
pub(super) fn id(seed: u64, n: u64) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bits = draw(!seed, n);
    (0..7).map(|i| char::from(LETTERS[(bits >> (5 * i)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_nothing_never_fails_and_of_one_always_does() {
        assert!((0..1000).all(|n| !fails(7, n, 0.0)));
        assert!((0..1000).all(|n| fails(7, n, 1.0)));
    }

    #[test]
    fn about_the_asked_share_of_answers_fails() {
        let failed = (0..10_000).filter(|&n| fails(1, n, 0.25)).count();
        assert!((2_300..2_700).contains(&failed), "{failed}");
    }

    #[test]
    fn another_seed_fails_other_answers() {
        let of = |seed| (0..64).map(|n| fails(seed, n, 0.5)).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
