//! Whatever a value holds, it stays the value: nothing in it reaches what is around it.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;

const BASE: &str = "http://orders.example:8080/base";

/// Any text, but often made of what means something to URLs, headers and JSON.
fn text() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(vec![
        "/",
        "\\",
        "?",
        "#",
        "%",
        "&",
        "=",
        "+",
        " ",
        ".",
        "..",
        "%2e",
        "%2F",
        "\r\n",
        "\0",
        "\n",
        "\t",
        "@",
        ":",
        ";",
        ",",
        "|",
        "\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "ü",
        "😀",
        "\u{feff}",
        "//evil.example",
        "http://",
        "a",
        "1",
        "",
    ]);
    let any = proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter);
    let mixed = proptest::collection::vec(
        prop_oneof![3 => special.prop_map(str::to_owned), 1 => any],
        0..6,
    );
    mixed.prop_map(|parts| parts.concat())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The URL as a client library reads it, once joined to the upstream's own.
fn read(path_and_query: &str) -> ::url::Url {
    let read = ::url::Url::parse(&format!("{BASE}{path_and_query}")).unwrap();
    assert_eq!(read.host_str(), Some("orders.example"));
    assert_eq!((read.port(), read.username(), read.password()), (Some(8080), "", None));
    assert_eq!(read.fragment(), None);
    assert!(path_and_query.parse::<http::uri::PathAndQuery>().is_ok(), "{path_and_query}");
    assert!(path_and_query.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{path_and_query}");
    read
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn segments(url: &::url::Url) -> Vec<String> {
    url.path_segments().unwrap().map(decoded).collect()
}

/// Names and values as they stand, without the rule of forms that `+` is a space.
fn parameters(url: &::url::Url) -> Vec<(String, String)> {
    let query = url.query().unwrap_or_default();
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (decoded(name), decoded(value))
    };
    query.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_value_is_one_segment_and_one_parameter(value in text()) {
        let json = format!(r#"{{"x": {}}}"#, quoted(&value));
        let path = "/a/{args.x}/b?c={args.x}&d=e{args.x}f";
        match url(path, args(&json)) {
            Ok(rendered) => {
                let read = read(&rendered);
                prop_assert_eq!(segments(&read), ["base", "a", &value, "b"]);
                prop_assert_eq!(
                    parameters(&read),
                    [pair("c", &value), pair("d", &format!("e{value}f"))]
                );
            }
            Err(RenderError::Refused { .. }) => {
                prop_assert!(matches!(value.as_str(), "" | "." | ".."));
            }
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn values_side_by_side_are_still_one_segment(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![".", "..", "2e", "%2e", "%", "/", "\\", "a", ""]), 3),
    ) {
        let [x, y, z] = [parts[0], parts[1], parts[2]].map(quoted);
        let json = format!(r#"{{"x": {x}, "y": {y}, "z": {z}}}"#);
        for path in ["/a/{args.x}{args.y}/b", "/{args.x}/{args.y}/{args.z}", "/a/{args.x}%2e/b"] {
            if let Ok(rendered) = url(path, args(&json)) {
                prop_assert_eq!(segments(&read(&rendered)).len(), 4, "{}", rendered);
            }
        }
    }

    #[test]
    fn a_list_is_so_many_parameters(values in proptest::collection::vec(text(), 1..5)) {
        let list = serde_json::to_string(&values).unwrap();
        let json = format!(r#"{{"x": {list}}}"#);
        let rendered = url("/a?p[]=<{args.x}>&z=1", args(&json)).unwrap();
        let mut expected: Vec<_> =
            values.iter().map(|value| pair("p[]", &format!("<{value}>"))).collect();
        expected.push(pair("z", "1"));
        prop_assert_eq!(parameters(&read(&rendered)), expected);
        match url("/a?p={args.x:,}&z=1", args(&json)) {
            Ok(rendered) => {
                let expected = [pair("p", &values.join(",")), pair("z", "1")];
                prop_assert_eq!(parameters(&read(&rendered)), expected);
            }
            Err(_) => prop_assert!(values.iter().any(|value| value.contains(','))),
        }
    }

    #[test]
    fn keys_are_so_many_values(values in proptest::collection::vec(text(), 1..5)) {
        let list = serde_json::to_string(&values).unwrap();
        let rendered = url("/a?id={keys}&z=1", keys(&list)).unwrap();
        let mut expected: Vec<_> = values.iter().map(|value| pair("id", value)).collect();
        expected.push(pair("z", "1"));
        prop_assert_eq!(parameters(&read(&rendered)), expected);
        match url("/a/{keys:;}/b", keys(&list)) {
            Ok(rendered) => prop_assert_eq!(
                segments(&read(&rendered)),
                ["base", "a", &values.join(";"), "b"]
            ),
            Err(_) => {
                let bad = |text: &String| text.contains(';') || ["", ".", ".."].contains(&&**text);
                prop_assert!(values.iter().any(bad));
            }
        }
        let sent = body(post(r#"{"ids": "{keys}"}"#), keys(&list)).unwrap();
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        prop_assert_eq!(sent, serde_json::json!({ "ids": values }));
    }

    #[test]
    fn a_header_holds_the_value_or_is_refused(value in text()) {
        let json = format!(r#"{{"x": {}}}"#, quoted(&value));
        match headers(&[("x-a", "<{args.x}>"), ("x-b", "b")], args(&json)) {
            Ok(sent) => {
                let a = ("x-a".to_owned(), format!("<{value}>"));
                prop_assert_eq!(sent, [a, ("x-b".to_owned(), "b".to_owned())]);
            }
            Err(_) => prop_assert!(value.chars().any(|char| char.is_ascii_control())),
        }
    }

    #[test]
    fn a_body_stays_the_json_it_is(value in text()) {
        let json = format!(r#"{{"x": {}}}"#, quoted(&value));
        let sent = body(post(r#"{"a": "{args.x}", "b": "<{args.x}>", "c": 1}"#), args(&json));
        let sent: serde_json::Value = serde_json::from_str(&sent.unwrap()).unwrap();
        let expected = serde_json::json!({ "a": value, "b": format!("<{value}>"), "c": 1 });
        prop_assert_eq!(sent, expected);
        let sent = body(form(r#"{"a": "{args.x}", "b": "<{args.x}>"}"#), args(&json)).unwrap();
        let read = ::url::form_urlencoded::parse(sent.as_bytes());
        let read: Vec<_> = read.map(|(name, value)| pair(&name, &value)).collect();
        prop_assert_eq!(read, [pair("a", &value), pair("b", &format!("<{value}>"))]);
        let sent = body(form("{args}"), args(&json)).unwrap();
        let read = ::url::form_urlencoded::parse(sent.as_bytes());
        prop_assert_eq!(read.into_owned().collect::<Vec<_>>(), [pair("x", &value)]);
    }

    #[test]
    fn other_values_are_another_request(a in text(), b in text(), c in text(), d in text()) {
        let render = |x: &str, y: &str| {
            let json = format!(r#"{{"x": {}, "y": {}}}"#, quoted(x), quoted(y));
            let path = "/a?x={args.x}&y={args.y}&id={keys}";
            rendered(get(path), args(&json)).unwrap()
        };
        prop_assert_eq!(render(&a, &b) == render(&c, &d), (&a, &b) == (&c, &d));
    }

    #[test]
    fn no_template_is_too_odd_to_be_parsed(
        parts in proptest::collection::vec(
            prop_oneof![
                4 => proptest::sample::select(vec![
                    "{", "}", "{{", "}}", "{args.x}", "{keys}", "{key}", "{keys:,}",
                    "{this.a[*].b}",
                    "{claims.sub}", "{env.TOKEN}", "{headers.x-a}", "/", "?", "&", "=", "#", "%",
                    "\\", "\n", "[", "]", "\"", ":", ",", "'", "é", "{args.l:,}", "{a'}", "a", ".",
                ]).prop_map(str::to_owned),
                1 => text(),
            ],
            0..12,
        ),
        mode in proptest::sample::select(vec![KeyMode::None, KeyMode::One, KeyMode::Many]),
    ) {
        let text = parts.concat();
        let slashed = format!("/{text}");
        let headers = [("x", text.as_str()), (&text, "x")];
        for written in [
            get(&slashed),
            get(&text),
            post(&text),
            form(&text),
            post(&format!(r#"{{"a": {}, "b": ["{text}"]}}"#, quoted(&text))),
            Written { headers: &headers[..1], ..get("/") },
            Written { headers: &headers, ..get("/") },
        ] {
            for PartError { part, error } in parse(written, mode).err().unwrap_or_default() {
                let source = match part {
                    Part::Path => written.path,
                    Part::Body => written.body.unwrap(),
                    Part::HeaderName(index) => written.headers[index].0,
                    Part::HeaderValue(index) => written.headers[index].1,
                };
                prop_assert!(source.get(error.span.clone()).is_some(), "{source:?} {error:?}");
            }
            if parse(written, mode_of(&written)).is_ok() {
                let with = With { args: r#"{"x": "v", "l": [1]}"#, keys: "[1]", ..NOTHING };
                if let Ok(request) = request(written, with) {
                    read(&request.path_and_query);
                }
            }
        }
        if let Err(error) = KeyPath::parse(&text) {
            prop_assert!(text.get(error.span).is_some());
        }
        let _ = HeaderTemplate::parse(&text, &environment);
    }
}
