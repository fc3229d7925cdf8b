//! The innermost loops: where a run of plain bytes ends.
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

/// The first byte that is not white space (RFC 8259 section 2).
#[inline(always)]
pub(super) fn space(text: &[u8], at: usize) -> usize {
    if byte(text, at) > b' ' { at } else { long_space(text, at) }
}

/// Pretty-printed text: a line end, then blanks by the eight.
fn long_space(text: &[u8], mut at: usize) -> usize {
    loop {
        while word(text, at) == Some(LOW * b' ' as u64) {
            at += 8;
        }
        match byte(text, at) {
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            _ => return at,
        }
    }
}

/// In text not yet checked: the first quote, backslash or control character, or the text's end.
#[inline(always)]
pub(super) fn string_break(text: &[u8], at: usize) -> usize {
    find(text, at, breaks_in, |byte| matches!(byte, b'"' | b'\\' | 0..=0x1f), |block| {
        block.iter().fold(0, |any, &byte| {
            any | u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < 0x20)
        }) != 0
    })
}

/// In checked text: the first quote or backslash, or the text's end.
#[inline(always)]
pub(super) fn quote_or_escape(text: &[u8], at: usize) -> usize {
    find(text, at, quotes_in, |byte| matches!(byte, b'"' | b'\\'), |block| {
        block.iter().fold(0, |any, &byte| {
            any | u8::from(byte == b'"') | u8::from(byte == b'\\')
        }) != 0
    })
}

/// In checked text outside of strings: the first quote or bracket, or the text's end.
#[inline(always)]
pub(super) fn quote_or_bracket(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(text, at) {
        let hits = brackets_in(word);
        if hits != 0 {
            return at + first(hits);
        }
        at += 8;
    }
    tail(text, at, |byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}'))
}

/// Most strings end within sixteen bytes; the long ones go by blocks that the compiler makes wide.
#[inline(always)]
fn find(
    text: &[u8],
    mut at: usize,
    hits: impl Fn(u64) -> u64,
    hit: impl Fn(u8) -> bool,
    any: impl Fn(&[u8; 32]) -> bool,
) -> usize {
    let short = at.saturating_add(16);
    while let Some(word) = word(text, at) {
        let found = hits(word);
        if found != 0 {
            return at + first(found);
        }
        at += 8;
        if at >= short {
            while block(text, at).is_some_and(|block| !any(block)) {
                at += 32;
            }
        }
    }
    tail(text, at, hit)
}

#[inline(always)]
fn tail(text: &[u8], at: usize, hit: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| hit(byte)).unwrap_or(rest.len())
}

#[inline(always)]
fn word(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

#[inline(always)]
fn block(text: &[u8], at: usize) -> Option<&[u8; 32]> {
    text.get(at..)?.first_chunk()
}

/// The index of the first byte marked. Subtraction borrows upward, so that the bytes above a hit
/// may be marked wrongly; the lowest mark is always right.
#[inline(always)]
fn first(hits: u64) -> usize {
    (hits.trailing_zeros() / 8) as usize
}

/// Marks the high bit of quotes, backslashes and control characters. `^ 2` brings the quote down
/// to 0x20 and keeps what is below there, so that one comparison finds both.
#[inline(always)]
fn breaks_in(word: u64) -> u64 {
    let quote_or_control = (word ^ (LOW * 0x02)).wrapping_sub(LOW * 0x21);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    (quote_or_control | backslash) & !word & HIGH
}

#[inline(always)]
fn quotes_in(word: u64) -> u64 {
    let quote = (word ^ (LOW * b'"' as u64)).wrapping_sub(LOW);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    (quote | backslash) & !word & HIGH
}

/// `| 0x20` makes square brackets curly; `& 0xf9` then makes the two kinds one. It also marks `y`
/// and DEL, which no checked text has outside of its strings.
#[inline(always)]
fn brackets_in(word: u64) -> u64 {
    let bracket = (((word | (LOW * 0x20)) ^ (LOW * b'{' as u64)) & (LOW * 0xf9)).wrapping_sub(LOW);
    let quote = (word ^ (LOW * b'"' as u64)).wrapping_sub(LOW);
    (bracket | quote) & !word & HIGH
}
