//! Line and column of an offset in a document (specification section 7.1.8: both from 1).

use super::Location;

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Box<[u32]>,
}

impl Lines {
    /// Finds the line terminators of a text: `\n`, `\r\n` and `\r` (specification section 2.1.2).
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let after_terminator = bytes.iter().enumerate().filter_map(|(at, byte)| match byte {
            b'\n' => Some(at + 1),
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => Some(at + 1),
            _ => None,
        });
        let starts = std::iter::once(0).chain(after_terminator).map(saturate).collect();
        Self { starts }
    }

    /// The location of a byte offset of the text that these lines were made from. An offset within
    /// a character is that character's.
    pub(super) fn location(&self, text: &str, offset: usize) -> Location {
        let line = self.starts.partition_point(|start| *start as usize <= offset);
        let start = self.starts.get(line.saturating_sub(1)).map_or(0, |start| *start as usize);
        let before = text.as_bytes().get(start..offset.min(text.len())).unwrap_or_default();
        let is_continuation = |byte: &u8| byte & 0xC0 == 0x80;
        let characters = before.iter().filter(|byte| !is_continuation(byte)).count();
        Location { line: saturate(line), column: saturate(characters + 1) }
    }
}

fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let text = "ab\ncé d\r\ne\rf";
        let lines = Lines::new(text);
        let at = |needle: &str| {
            let Location { line, column } = lines.location(text, text.find(needle).unwrap());
            (line, column)
        };
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("b"), (1, 2));
        assert_eq!(at("c"), (2, 1));
        assert_eq!(at("d"), (2, 4));
        assert_eq!(at("e"), (3, 1));
        assert_eq!(at("f"), (4, 1));
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let lines = Lines::new("ab");
        assert_eq!(lines.location("ab", 99), Location { line: 1, column: 3 });
        assert_eq!(Lines::new("").location("", 0), Location { line: 1, column: 1 });
    }
}
