//! The reader of events beside a naive one, and its bounds.

use proptest::prelude::*;

use super::*;

const AMPLE: usize = 1 << 20;

/// All events of these pieces, and what the reader knows in the end.
fn read(
    max: usize,
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> (Vec<Event>, EventReader) {
    let mut reader = EventReader::new(max, None);
    let mut events = Vec::new();
    for piece in pieces {
        let mut piece = Bytes::copy_from_slice(piece.as_ref());
        events.extend(std::iter::from_fn(|| reader.next_event(&mut piece)));
        assert!(piece.is_empty(), "a piece is read to its end");
    }
    (events, reader)
}

fn event(kind: &str, data: &'static str, id: Option<&str>) -> Event {
    Event {
        kind: kind.into(),
        data: Ok(Bytes::from_static(data.as_bytes())),
        id: id.map(Into::into),
    }
}

fn lost(kind: &str, max: usize) -> Event {
    Event { kind: kind.into(), data: Err(TooLarge(max)), id: None }
}

#[test]
fn the_examples_of_the_standard_are_read_as_it_says() {
    let stream = "data: YHOO\ndata: +2\ndata: 10\n\n";
    assert_eq!(read(AMPLE, [stream]).0, [event("message", "YHOO\n+2\n10", None)]);

    let stream = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    let expected = [
        event("message", "first event", Some("1")),
        event("message", "second event", None),
        event("message", " third event", None),
    ];
    assert_eq!(read(AMPLE, [stream]).0, expected);

    let stream = "data\n\ndata\ndata\n\ndata:";
    assert_eq!(read(AMPLE, [stream]).0, [event("message", "", None), event("message", "\n", None)]);

    let stream = "data:test\n\ndata: test\n\n";
    let expected = [event("message", "test", None), event("message", "test", None)];
    assert_eq!(read(AMPLE, [stream]).0, expected);
}

#[test]
fn a_type_names_one_event_and_an_id_all_that_follow() {
    let stream = "event: a\nid: 1\ndata: x\n\ndata: y\n\nevent: b\nevent: c\nData: no\ndata: z\n\n";
    let expected =
        [event("a", "x", Some("1")), event("message", "y", Some("1")), event("c", "z", Some("1"))];
    assert_eq!(read(AMPLE, [stream]).0, expected);
}

#[test]
fn an_id_counts_when_its_event_ends_even_if_that_has_no_data() {
    let (events, reader) = read(AMPLE, ["event: a\nid: 1\n\nid: 2\n"]);
    assert_eq!((events, reader.last_event_id()), (vec![], Some("1")));
    for (ignored, stream) in [
        ("with NUL", "id: 1\n\nid: 2\x002\n\n".to_owned()),
        ("too long for a header", format!("id: 1\n\nid: {}\n\n", "x".repeat(4097))),
    ] {
        assert_eq!(read(AMPLE, [stream]).1.last_event_id(), Some("1"), "{ignored}");
    }
    assert_eq!(read(AMPLE, ["id: 1\n\nid:\n\n"]).1.last_event_id(), None, "taken back");
}

#[test]
fn a_stream_that_goes_on_after_an_id_has_it_until_another_comes() {
    let mut reader = EventReader::new(AMPLE, Some("7"));
    assert_eq!(reader.last_event_id(), Some("7"));
    let mut piece = Bytes::from_static(b": hello\n\ndata: x\n\ndata: y\nid: 8\n\n");
    assert_eq!(reader.next_event(&mut piece), Some(event("message", "x", Some("7"))));
    assert_eq!(reader.last_event_id(), Some("7"), "the next one has not been asked for");
    assert_eq!(reader.next_event(&mut piece), Some(event("message", "y", Some("8"))));
}

#[test]
fn a_time_to_wait_is_a_number_of_milliseconds_and_counts_at_once() {
    let retry = |stream: &str| read(AMPLE, [stream]).1.retry();
    assert_eq!(retry("retry: 2000\n"), Some(Duration::from_secs(2)));
    assert_eq!(
        retry("retry: 1\nretry: 2 \nretry: -3\nretry: 4s\nretry:\nretry:  5\n"),
        Some(Duration::from_millis(1))
    );
    assert_eq!(retry("retry: 99999999999999999999999\n"), Some(Duration::from_millis(u64::MAX)));
}

#[test]
fn lines_end_three_ways_and_one_mark_at_the_begin_is_no_part_of_them() {
    let expected = [event("message", "a\nb", None), event("message", "c", None)];
    for stream in [
        "data:a\ndata:b\n\ndata:c\n\n",
        "data:a\rdata:b\r\rdata:c\r\r",
        "data:a\r\ndata:b\r\n\r\ndata:c\r\n\r\n",
    ] {
        assert_eq!(read(AMPLE, [stream]).0, expected, "{stream:?}");
        assert_eq!(read(AMPLE, [format!("\u{feff}{stream}")]).0, expected, "{stream:?}");
    }
    assert_eq!(read(AMPLE, ["\u{feff}\u{feff}data:a\n\n"]).0, []);
    let bytes: [&[u8]; 1] = [b"data:\xF0\x9F\ndata:\xFFb\xC3\n\n"];
    assert_eq!(read(AMPLE, bytes).0, [event("message", "\u{fffd}\n\u{fffd}b\u{fffd}", None)]);
}

#[test]
fn an_event_goes_out_with_the_carriage_return_of_its_blank_line() {
    assert_eq!(read(AMPLE, ["data:a\r\n\r"]).0.len(), 1);
    assert_eq!(read(AMPLE, ["data:a\r\n\r", "\n", "data:b\r", "\r"]).0.len(), 2);
}

#[test]
fn an_event_that_is_too_large_is_told_of_once_and_the_next_one_comes() {
    let x = |times: usize| "x".repeat(times);
    let next = event("message", "y", None);
    for (case, kind, stream) in [
        ("one line", "a", format!("event:a\ndata:{}\n", x(10))),
        ("a type after it", "a", format!("data:{}\nevent:a\n", x(10))),
        ("far too long a line", "a", format!("event:a\ndata:{}\n", x(10_000))),
        ("many lines", "a", format!("event:a\n{}", "data:xx\n".repeat(1000))),
        ("many empty lines", "message", "data\n".repeat(12)),
    ] {
        let stream = format!("{stream}\ndata:y\n\n");
        for pieces in [1, 3, stream.len()] {
            let (events, reader) =
                read(10, stream.as_bytes().chunks(stream.len().div_ceil(pieces)));
            assert_eq!(events, [lost(kind, 10), next.clone()], "{case}");
            assert!(reader.line.capacity() < 100, "{case}");
        }
    }
    let long_type = format!("event:{}\ndata:y\n\n", x(10));
    assert_eq!(read(10, [&long_type]).0, [lost(&x(10), 10)]);
    let without_data = format!("event:{}\n\n", x(1000));
    assert_eq!(read(10, [&without_data]).0, [], "no event is none, however long");
    let harmless = format!(":{}\nother:{}\n{}\ndata:y\n\n", x(1000), x(1000), x(1000));
    assert_eq!(read(10, [&harmless]).0, [next]);
    let whole = format!("event:ab\ndata:{}\n\n", x(8));
    assert!(read(10, [&whole]).0[0].data.is_ok(), "exactly the limit");
}

#[test]
fn a_line_that_never_ends_is_not_kept() {
    let mut reader = EventReader::new(1000, None);
    for _ in 0..1000 {
        assert_eq!(reader.next_event(&mut Bytes::from_static(&[b'x'; 1000])), None);
    }
    assert!(reader.line.capacity() <= 16 * 1024, "{}", reader.line.capacity());
}

/// The standard's algorithm over a whole text, as one would write it without pieces or bounds.
fn naive(stream: &[u8]) -> (Vec<Event>, Option<String>) {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut data, mut kind, mut id, mut last) = (String::new(), "", "", "");
    let mut events = Vec::new();
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            _ if line.is_empty() => {
                last = id;
                let whole = std::mem::take(&mut data);
                if let Some(whole) = whole.strip_suffix('\n') {
                    let kind = if kind.is_empty() { "message" } else { kind };
                    let id = (!last.is_empty()).then(|| last.into());
                    let data = Ok(Bytes::copy_from_slice(whole.as_bytes()));
                    events.push(Event { kind: kind.into(), data, id });
                }
                kind = "";
            }
            "data" => data.extend([value, "\n"]),
            "event" => kind = value,
            "id" if !value.contains('\0') => id = value,
            _ => {}
        }
    }
    (events, (!last.is_empty()).then(|| last.to_owned()))
}

/// Bytes of which streams are made, and some that break them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just(&b"\n"[..]),
        3 => Just(&b"\r"[..]),
        3 => Just(&b"\r\n"[..]),
        4 => Just(&b"data"[..]),
        2 => Just(&b"event"[..]),
        2 => Just(&b"id"[..]),
        1 => Just(&b"retry"[..]),
        5 => Just(&b":"[..]),
        3 => Just(&b" "[..]),
        3 => Just(&b"x"[..]),
        1 => Just(&b"12"[..]),
        1 => Just(&b"\0"[..]),
        1 => Just("\u{feff}".as_bytes()),
        1 => Just("\u{1f6aa}".as_bytes()),
        1 => Just(&b"\xF0\x9F"[..]),
        1 => Just(&b"\xFF"[..]),
    ];
    let marked = prop::bool::weighted(0.2);
    (marked, prop::collection::vec(part, 0..60)).prop_map(|(marked, parts)| {
        let mark = if marked { "\u{feff}" } else { "" };
        [mark.as_bytes(), &parts.concat()].concat()
    })
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_its_events_are_the_same(
        stream in stream(),
        cuts in prop::collection::vec(0_usize..200, 0..8),
        max in 0_usize..12,
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect();
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        for max in [max, AMPLE] {
            let (whole, known) = read(max, [&stream]);
            for cut in [&pieces, &single] {
                let (events, reader) = read(max, cut);
                prop_assert_eq!(&events, &whole);
                prop_assert_eq!(reader.last_event_id(), known.last_event_id());
                prop_assert_eq!(reader.retry(), known.retry());
            }
        }
    }

    #[test]
    fn a_stream_within_bounds_is_read_as_the_standard_reads_it(stream in stream()) {
        let (events, reader) = read(AMPLE, [&stream]);
        let (expected, last) = naive(&stream);
        prop_assert_eq!(events, expected);
        prop_assert_eq!(reader.last_event_id(), last.as_deref());
    }

    #[test]
    fn a_bound_changes_no_event_but_those_beyond_it(stream in stream(), max in 0_usize..12) {
        let (all, _) = read(AMPLE, [&stream]);
        let (bounded, _) = read(max, [&stream]);
        let beyond = |event: &Event| {
            let data = event.data.as_ref().expect("within an ample bound");
            let kind = if &*event.kind == "message" { 0 } else { event.kind.len() };
            kind + data.len() > max
        };
        prop_assert_eq!(all.len(), bounded.len());
        for (event, bounded) in all.iter().zip(&bounded) {
            let data = if beyond(event) { Err(TooLarge(max)) } else { event.data.clone() };
            prop_assert_eq!(&bounded.data, &data);
            prop_assert_eq!(&bounded.id, &event.id);
        }
    }
}
