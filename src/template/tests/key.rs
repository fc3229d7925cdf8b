//! Keys and their places, key paths.

use super::*;

fn key(text: &str) -> Key {
    Key::from_json(json(text).root()).unwrap()
}

#[test]
fn keys_are_compared_as_text_and_sent_with_their_type() {
    assert_eq!(key("1"), key("\"1\""));
    assert_eq!(key("true"), key("\"true\""));
    assert_eq!(key("\"a\""), key("\"\\u0061\""));
    assert_ne!(key("1.0"), key("1"));
    assert_ne!(key("\"A\""), key("\"a\""));
    assert_eq!(key("1").json(), "1");
    assert_eq!(key("\"1\"").json(), "\"1\"");
    assert_eq!(key("\"a\\n\"").text(), "a\n");
    for text in ["null", "[]", "{}"] {
        assert!(Key::from_json(json(text).root()).is_none(), "{text}");
    }
}

#[test]
fn keys_are_ordered_by_length_first() {
    let mut keys = keys_of(r#"["10", 9, "b", "aa", 2]"#);
    keys.sort();
    let sorted: Vec<&str> = keys.iter().map(Key::text).collect();
    assert_eq!(sorted, ["2", "9", "b", "10", "aa"]);
}

#[test]
fn equal_keys_hash_alike() {
    let set: std::collections::HashSet<Key> = keys_of(r#"[1, "1", 2]"#).into_iter().collect();
    assert_eq!(set.len(), 2);
}

#[test]
fn keys_go_where_the_template_says() {
    let with = keys(r#"["a b", 2, "c&d"]"#);
    let cases = [
        ("/u?id={keys}", "/u?id=a%20b&id=2&id=c%26d"),
        ("/u?x=1&id[]=eq.{keys}.&y=2", "/u?x=1&id[]=eq.a%20b.&id[]=eq.2.&id[]=eq.c%26d.&y=2"),
        ("/u?id={keys:,}&y=2", "/u?id=a%20b,2,c%26d&y=2"),
        ("/u?id=in.({keys:,})", "/u?id=in.(a%20b,2,c%26d)"),
        ("/u?id={keys:|}", "/u?id=a%20b%7C2%7Cc%26d"),
        ("/u/{keys:,}/x?y=1", "/u/a%20b,2,c%26d/x?y=1"),
        ("/u/v{keys:;}.json", "/u/va%20b;2;c%26d.json"),
    ];
    for (path, expected) in cases {
        assert_eq!(url(path, with), Ok(expected.to_owned()), "{path}");
    }
}

#[test]
fn keys_keep_their_json_types_in_a_body() {
    let with = keys(r#"["a\"b", 2, true]"#);
    let cases = [
        ("{keys}", r#"["a\"b",2,true]"#),
        (r#"{"ids": "{keys}", "x": [1]}"#, r#"{"ids":["a\"b",2,true],"x":[1]}"#),
        (r#"{"q": "in {keys:,}!"}"#, r#"{"q":"in a\"b,2,true!"}"#),
        (r#"[["{keys:|}"]]"#, r#"[["a\"b|2|true"]]"#),
    ];
    for (template, expected) in cases {
        assert_eq!(body(post(template), with), Ok(expected.to_owned()), "{template}");
    }
    let cases = [
        (r#"{"id": "{keys}", "x": 1}"#, "id=a%22b&id=2&id=true&x=1"),
        (r#"{"x": "a b", "id": "{keys:,}"}"#, "x=a%20b&id=a%22b,2,true"),
    ];
    for (template, expected) in cases {
        assert_eq!(body(form(template), with), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn a_key_that_cannot_be_sent_is_told_by_name() {
    let fault = |path: &str, key: &str| {
        let rendered = rendered(get(path), NOTHING).unwrap();
        rendered.check_key(&keys_of(&format!("[{key}]"))[0])
    };
    let bad = |key: &str, message: &str| {
        Err(RenderError::Key { key: key.to_owned(), message: message.to_owned() })
    };
    assert_eq!(
        fault("/u?id={keys:,}", "\"a,b\""),
        bad("a,b", "a key holds the separator of its list")
    );
    assert_eq!(fault("/u?id={keys}", "\"a,b\""), Ok(()));
    assert_eq!(fault("/u/{keys:,}", "\"\""), bad("", "a key is empty, but part of a path"));
    assert_eq!(fault("/u/{keys:,}", "\"..\""), bad("..", "a key is a dot, but part of a path"));
    assert_eq!(fault("/u/{keys:,}", "\"...\""), Ok(()));
    let finished = request(get("/u?id={keys:,}"), keys(r#"["x", "a,b"]"#));
    assert_eq!(
        finished,
        bad("a,b", "a key holds the separator of its list").map(|()| unreachable())
    );
}

fn unreachable() -> Request {
    panic!("an error has no request")
}

#[test]
fn the_length_of_a_url_is_known_before_it_is_written() {
    let keys = keys_of(r#"["a b", 2, "c&d,", "ü"]"#);
    for path in [
        "/u?id={keys}",
        "/u?x=1&id=eq.{keys}.z&y=2",
        "/u?id={keys:|}",
        "/u/x{keys:;}/y?z=1",
        "/u?a=1",
    ] {
        let rendered = rendered(get(path), NOTHING).unwrap();
        for count in 1..=keys.len() {
            let some: Vec<&Key> = keys.iter().take(count).collect();
            let written = rendered.finish(&some).unwrap().path_and_query;
            assert_eq!(
                rendered.url_len(&some),
                written.len(),
                "{path} with {count} keys: {written}"
            );
        }
    }
}

#[test]
fn parents_share_a_request_when_all_but_the_keys_is_equal() {
    let path = get("/u?id={keys}&tenant={this.tenant}&status={args.status}");
    let render = |this, args| rendered(path, With { this, args, ..NOTHING }).unwrap();
    let one = render(r#"{"tenant": 1}"#, r#"{"status": "a"}"#);
    assert_eq!(one, render(r#"{"tenant": "1"}"#, r#"{"status": "a", "other": 1}"#));
    assert_ne!(one, render(r#"{"tenant": 2}"#, r#"{"status": "a"}"#));
    assert_ne!(one, render(r#"{"tenant": 1}"#, r#"{"status": "b"}"#));
    assert_ne!(one, render(r#"{"tenant": 1}"#, r#"{}"#));
    assert!(one.has_keys());
}

#[test]
fn a_missing_parameter_before_the_keys_moves_them() {
    let path = get("/u?a={args.a}&id={keys}&b={args.b}");
    let finish = |args| request(path, With { args, keys: "[1, 2]", ..NOTHING });
    assert_eq!(finish("{}").unwrap().path_and_query, "/u?id=1&id=2");
    assert_eq!(finish(r#"{"a": "&?"}"#).unwrap().path_and_query, "/u?a=%26%3F&id=1&id=2");
    assert_eq!(finish(r#"{"a": 0, "b": 3}"#).unwrap().path_and_query, "/u?a=0&id=1&id=2&b=3");
}

#[test]
fn equal_paths_of_the_parent_share_a_slot() {
    let mut template =
        parse(get("/{this.a}/{this.b.c}/{this.a}?x={this.l[*].id}"), KeyMode::None).unwrap();
    let mut captures = vec![Path::parse("b.c").unwrap()];
    template.bind_this(&mut captures);
    let texts: Vec<String> = captures.iter().map(Path::to_string).collect();
    assert_eq!(texts, ["b.c", "a", "l"]);
}
