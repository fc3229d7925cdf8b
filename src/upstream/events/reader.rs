//! Bytes into events, as they come: the parser of the WHATWG's HTML standard, sections 9.2.5 and
//! 9.2.6. Pure: no input or output, no clock.
//!
//! It is ours because its memory must have a bound whatever an upstream sends: the parsers that one
//! can have buffer a line or an event until it ends. Here a line that is too long is cut while it
//! comes, and an event that is too large is told of in its place, once, and holds nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};

use super::{Event, TooLarge};

#[cfg(test)]
mod tests;

/// What a line may have beside a value that is within bounds: a byte order mark and the longest name
/// of a field. The value of a line that was cut is therefore always out of bounds.
const AROUND_VALUE: usize = 16;

/// The longest id, in bytes; a longer one is ignored. It comes back in a header, and servers refuse
/// long ones: an id that cannot be sent would end the stream for good.
const MAX_ID: usize = 4096;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads events from the pieces of a stream. However the stream is cut into pieces, the events are
/// the same. It holds no more than a few times `max`, or the longest id.
#[derive(Debug)]
pub struct EventReader {
    /// The most bytes that an event's type and data may have together.
    max: usize,
    /// The begin of a line whose end has not come, and whether some of it was left out.
    line: Vec<u8>,
    cut: bool,
    /// Whether the line feed that may come next belongs to the carriage return before it.
    after_return: bool,
    /// Whether no line has ended yet.
    first: bool,
    event: Unfinished,
    /// The last id that was read; it counts as soon as its event has ended.
    id: Option<Arc<str>>,
    last_event_id: Option<Arc<str>>,
    retry: Option<Duration>,
}

/// An event whose blank line has not come.
#[derive(Debug, Default)]
struct Unfinished {
    kind: String,
    data: Data,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    /// The lines so far, with a line feed between them.
    Lines(String),
    /// It has data, and more than it may.
    TooLarge,
}

impl EventReader {
    /// A reader at the begin of a stream that goes on after the event with this id.
    #[must_use]
    pub fn new(max: usize, last_event_id: Option<&str>) -> Self {
        // The standard forgets the id where a new stream begins, and then the stream's first event
        // without one makes all that came before come again. As browsers do, we keep it.
        let id: Option<Arc<str>> = last_event_id.filter(|id| !id.is_empty()).map(Into::into);
        Self {
            max,
            line: Vec::new(),
            cut: false,
            after_return: false,
            first: true,
            event: Unfinished::default(),
            last_event_id: id.clone(),
            id,
            retry: None,
        }
    }

    /// The next event, of as much of this piece as it takes; `None`: the piece is read, and another
    /// one is needed. What has no blank line behind it when the stream ends is no event.
    pub fn next_event(&mut self, piece: &mut Bytes) -> Option<Event> {
        loop {
            if self.after_return && !piece.is_empty() {
                self.after_return = false;
                if piece.first() == Some(&b'\n') {
                    piece.advance(1);
                }
            }
            let Some(end) = memchr::memchr2(b'\r', b'\n', piece) else {
                self.keep(&std::mem::take(piece));
                return None;
            };
            let last = piece.split_to(end);
            self.after_return = piece.first() == Some(&b'\r');
            piece.advance(1);
            if let Some(event) = self.end_line(&last) {
                return Some(event);
            }
        }
    }

    /// The id of the last event that was read, or that the stream began after; `None`: there is
    /// none, or the upstream took it back.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// How long the upstream wants one to wait before one connects again.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Keeps the begin of a line, as much of it as can matter.
    fn keep(&mut self, part: &[u8]) {
        let room = self.longest_line().saturating_sub(self.line.len());
        let kept = part.get(..room).unwrap_or(part);
        self.cut |= kept.len() < part.len();
        self.line.extend_from_slice(kept);
    }

    fn longest_line(&self) -> usize {
        // An id is kept whatever data is.
        self.max.max(MAX_ID).saturating_add(AROUND_VALUE)
    }

    /// A line ended; `last` is what came of it since the last piece.
    fn end_line(&mut self, last: &[u8]) -> Option<Event> {
        if self.line.is_empty() && last.len() <= self.longest_line() {
            return self.take_line(last, false);
        }
        self.keep(last);
        let line = std::mem::take(&mut self.line);
        let cut = std::mem::take(&mut self.cut);
        self.take_line(&line, cut)
    }

    fn take_line(&mut self, mut line: &[u8], cut: bool) -> Option<Event> {
        if std::mem::take(&mut self.first) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // A comment has the empty name, and goes the way of all unknown ones.
        match name {
            b"data" => self.event.add(value, self.max),
            b"event" => self.event.kind = String::from_utf8_lossy(value).into_owned(),
            b"id" if !cut => self.set_id(value),
            b"retry" if !cut => self.set_retry(value),
            _ => {}
        }
        None
    }

    /// A blank line: the event goes out, if it has data. Its id counts even if it has none.
    fn end_event(&mut self) -> Option<Event> {
        self.last_event_id.clone_from(&self.id);
        let Unfinished { kind, data } = std::mem::take(&mut self.event);
        let data = match data {
            Data::None => return None,
            Data::Lines(text) if within(&kind, &text, self.max) => Ok(text.into()),
            Data::Lines(_) | Data::TooLarge => Err(TooLarge(self.max)),
        };
        let kind = if kind.is_empty() { "message".into() } else { kind.into() };
        Some(Event { kind, data, id: self.last_event_id.clone() })
    }

    fn set_id(&mut self, value: &[u8]) {
        if value.len() <= MAX_ID && !value.contains(&0) {
            let id = String::from_utf8_lossy(value);
            self.id = (!id.is_empty()).then(|| id.into());
        }
    }

    fn set_retry(&mut self, value: &[u8]) {
        if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
            let milliseconds = value.iter().fold(0_u64, |number, digit| {
                number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
            });
            self.retry = Some(Duration::from_millis(milliseconds));
        }
    }
}

impl Unfinished {
    /// A line of data.
    fn add(&mut self, value: &[u8], max: usize) {
        let value = String::from_utf8_lossy(value);
        let text = match std::mem::take(&mut self.data) {
            Data::TooLarge => None,
            Data::None => Some(value.into_owned()),
            Data::Lines(mut text) => {
                text.push('\n');
                text.push_str(&value);
                Some(text)
            }
        };
        self.data = match text {
            Some(text) if text.len() <= max => Data::Lines(text),
            _ => Data::TooLarge,
        };
    }
}

fn within(kind: &str, data: &str, max: usize) -> bool {
    kind.len().saturating_add(data.len()) <= max
}
