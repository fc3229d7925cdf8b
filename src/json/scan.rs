//! The innermost loops of the check: where a run of plain bytes ends.
//!
//! Knows bytes and words of eight bytes, not JSON values. Every function takes the whole text and
//! a position, never panics whatever either is, and returns a position not before the one given.

/// The eight bytes' lowest bits, and their highest.
const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The byte at `at`, or 0 past the end: a byte that has no meaning in JSON outside of strings.
#[inline(always)]
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    match text.get(at) {
        Some(byte) => *byte,
        None => 0,
    }
}

/// The position of the first byte that is not white space (RFC 8259 section 2).
#[inline(always)]
pub(super) fn space(text: &[u8], at: usize) -> usize {
    token(text, at).0
}

/// The first byte that is not white space, with its position.
#[inline(always)]
pub(super) fn token(text: &[u8], at: usize) -> (usize, u8) {
    match byte(text, at) {
        0..=b' ' => long_space(text, at),
        first => (at, first),
    }
}

/// Pretty-printed text: a line end, then a run of blanks, counted by the eight.
#[inline(never)]
fn long_space(text: &[u8], mut at: usize) -> (usize, u8) {
    loop {
        match byte(text, at) {
            b'\n' | b'\r' | b'\t' => at += 1,
            b' ' => match word(text, at) {
                Some(word) => at += first(word ^ (LOW * b' ' as u64)),
                None => at += 1,
            },
            first => return (at, first),
        }
    }
}

/// The first quote, backslash or control character, or the text's end. Most strings end within
/// sixteen bytes.
#[inline(always)]
pub(super) fn string_break(text: &[u8], at: usize) -> usize {
    let start = text.get(at..).and_then(|rest| rest.first_chunk::<16>());
    if let Some(([one, two], _)) = start.map(|start| start.as_chunks::<8>()) {
        let hits = hits(u64::from_le_bytes(*one));
        if hits != 0 {
            return at + first(hits);
        }
        let hits = self::hits(u64::from_le_bytes(*two));
        if hits != 0 {
            return at + 8 + first(hits);
        }
        return far_break(text, at + 16);
    }
    near_break(text, at)
}

/// Passes over blocks of 32 bytes, which the compiler compares as a whole.
#[inline(never)]
fn far_break(text: &[u8], mut at: usize) -> usize {
    let (blocks, _) = text.get(at..).unwrap_or_default().as_chunks::<32>();
    for block in blocks {
        let mut hits = [0; 32];
        hits.iter_mut().zip(block).for_each(|(hit, byte)| *hit = self::hit(*byte));
        if hits.iter().fold(0, |any, hit| any | hit) != 0 {
            break;
        }
        at += 32;
    }
    near_break(text, at)
}

/// Goes by words of eight bytes.
#[inline(always)]
fn near_break(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(text, at) {
        let hits = hits(word);
        if hits != 0 {
            return at + first(hits);
        }
        at += 8;
    }
    last_break(text, at)
}

/// The last bytes of the text.
#[inline(never)]
fn last_break(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| hit(byte) != 0).unwrap_or(rest.len())
}

#[inline(always)]
fn word(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

/// The index of the first byte marked.
#[inline(always)]
fn first(hits: u64) -> usize {
    (hits.trailing_zeros() / 8) as usize
}

/// Marks the high bit of quotes, backslashes and control characters; marks above the lowest one may
/// be wrong. `^ 2` brings the quote down to 0x20 and keeps what is below there, so that one
/// comparison finds both.
#[inline(always)]
fn hits(word: u64) -> u64 {
    let quote_or_control = (word ^ (LOW * 0x02)).wrapping_sub(LOW * 0x21) & !word & HIGH;
    quote_or_control | equal(word, b'\\')
}

/// Marks the bytes equal to this one, if both are ASCII. The subtraction borrows upward only, so
/// that the lowest mark is right.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    (word ^ (LOW * byte as u64)).wrapping_sub(LOW) & !word & HIGH
}

/// 1 for a quote, backslash or control character, else 0. Numbers, and minima instead of
/// alternatives, for the compiler to compare many bytes at once.
#[inline(always)]
fn hit(byte: u8) -> u8 {
    u8::from((byte ^ b'"').min(byte ^ b'\\').min(byte & 0xe0) == 0)
}
