//! Rows by key.

use super::*;
use crate::schema::{Batch, By, ErrorRule};
use crate::template::Key;

fn batch(by: &str, value: &str) -> Batch {
    let by = if by == "@key" { By::Name } else { By::Property(path(by)) };
    Batch { key: None, by, value: path(value), first: None, max: 100 }
}

fn rows(text: &str, at: &str, batch: &Batch) -> Groups {
    split(&body(text), &path(at), batch, &ErrorRule::default()).expect("rows")
}

fn key(text: &str) -> Key {
    Key::from_json(body(text).root()).expect("a key")
}

fn shown(answer: Result<Answer, FailedRow>) -> String {
    let text =
        |body: &Body, place: Place| String::from_utf8_lossy(body.at(place).raw()).into_owned();
    match answer {
        Ok(Answer::Value(body, span)) => text(&body, span),
        Ok(Answer::Rows(body, rows)) => {
            let rows: Vec<String> = rows.into_iter().map(|row| text(&body, row)).collect();
            format!("[{}]", rows.join(","))
        }
        Ok(Answer::Null) => "null".to_owned(),
        Ok(Answer::Missing) => "missing".to_owned(),
        Err(FailedRow(_)) => "failed".to_owned(),
    }
}

#[test]
fn rows_go_to_their_keys_in_order_whatever_the_order_of_keys() {
    let groups =
        rows(r#"[{"u":2,"n":1},{"u":1,"n":2},{"u":2,"n":3},{"u":9,"n":4}]"#, ".", &batch("u", "."));
    assert_eq!(shown(groups.list(&key("2"), None)), r#"[{"u":2,"n":1},{"u":2,"n":3}]"#);
    assert_eq!(shown(groups.list(&key("1"), None)), r#"[{"u":1,"n":2}]"#);
    assert_eq!(shown(groups.list(&key("3"), None)), "[]");
    assert_eq!(shown(groups.one(&key("2"))), r#"{"u":2,"n":1}"#);
    assert_eq!(shown(groups.one(&key("3"))), "missing");
    assert!(groups.has_several(&key("2")));
    assert!(!groups.has_several(&key("1")) && !groups.has_several(&key("3")));
    assert_eq!(groups.without_key(), 0);
}

#[test]
fn keys_are_compared_as_text() {
    let text =
        r#"[{"k":1},{"k":"1"},{"k":1.0},{"k":true},{"k":"tr\u0075e"},{"k":"é"},{"k":"\u00e9"}]"#;
    let groups = rows(text, ".", &batch("k", "k"));
    assert_eq!(shown(groups.list(&key("\"1\""), None)), r#"[1,"1"]"#);
    assert_eq!(shown(groups.list(&key("1.0"), None)), "[1.0]");
    assert_eq!(shown(groups.list(&key("true"), None)), r#"[true,"tr\u0075e"]"#);
    assert_eq!(shown(groups.list(&key("\"\\u00e9\""), None)), r#"["é","\u00e9"]"#);
}

#[test]
fn a_row_with_several_keys_joins_each_of_them_once() {
    let text =
        r#"[{"n":1,"t":["a","b","a"]},{"n":2,"t":["b"]},{"n":3,"t":[]},{"n":4,"t":[null,"c"]}]"#;
    for by in ["t", "t[*]"] {
        let groups = rows(text, ".", &batch(by, "n"));
        assert_eq!(shown(groups.list(&key("\"a\""), None)), "[1]");
        assert_eq!(shown(groups.list(&key("\"b\""), None)), "[1,2]");
        assert_eq!(shown(groups.list(&key("\"c\""), None)), "[4]");
        assert_eq!(groups.without_key(), 1);
    }
}

#[test]
fn a_row_without_a_key_is_dropped_and_counted() {
    let groups = rows(r#"[{"k":null},{},{"k":{}},null,7,{"k":7}]"#, ".", &batch("k", "."));
    assert_eq!(groups.without_key(), 5);
    assert_eq!(shown(groups.list(&key("7"), None)), r#"[{"k":7}]"#);
    let groups = rows("[7, 8]", ".", &batch(".", "."));
    assert_eq!(shown(groups.one(&key("8"))), "8");
}

#[test]
fn an_object_of_rows_is_keyed_by_name() {
    let text = r#"{"data": {"a": {"n":1}, "b": null, "\u0063": [1, null], "a": {"n":2}}}"#;
    let groups = rows(text, "data", &batch("@key", "."));
    assert_eq!(shown(groups.one(&key("\"a\""))), r#"{"n":2}"#);
    assert!(!groups.has_several(&key("\"a\"")));
    assert_eq!(shown(groups.one(&key("\"b\""))), "null");
    assert_eq!(shown(groups.list(&key("\"b\""), None)), "[]");
    assert_eq!(shown(groups.list(&key("\"c\""), None)), "[1,null]");
    assert_eq!(shown(groups.one(&key("\"c\""))), "[1, null]");
    assert_eq!(shown(groups.one(&key("\"d\""))), "missing");
}

#[test]
fn the_wanted_part_of_rows_is_handed_out_and_lists_are_joined() {
    let text =
        r#"[{"k":1,"v":[1,2]},{"k":1,"v":null},{"k":1},{"k":1,"v":3},{"k":1,"v":[[4],null]}]"#;
    let groups = rows(text, ".", &batch("k", "v"));
    assert_eq!(shown(groups.list(&key("1"), None)), "[1,2,3,[4],null]");
    assert_eq!(shown(groups.list(&key("1"), Some(3))), "[1,2,3]");
    assert_eq!(shown(groups.list(&key("1"), Some(1))), "[1]");
    assert_eq!(shown(groups.list(&key("1"), Some(0))), "[]");
    assert_eq!(shown(groups.one(&key("1"))), "[1,2]");
    let groups = rows(text, ".", &batch("k", "v[*]"));
    assert_eq!(shown(groups.list(&key("1"), None)), "[1,2,[4],null]");
    let groups = rows(text, ".", &batch("k", "w.x"));
    assert_eq!(shown(groups.one(&key("1"))), "null");
}

#[test]
fn nothing_where_the_rows_should_be_is_no_rows_and_another_kind_is_an_error() {
    let by_id = batch("id", ".");
    for text in ["{}", r#"{"rows": null}"#, r#"{"rows": []}"#, "null", "3"] {
        let groups = rows(text, "rows", &by_id);
        assert_eq!(shown(groups.list(&key("1"), None)), "[]");
    }
    let error = |text: &str, batch: &Batch| {
        let error = split(&body(text), &path("rows"), batch, &ErrorRule::default());
        error.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let said = "the upstream gave an object where a batch expects an array of rows";
    assert_eq!(error(r#"{"rows": {"id": 1}}"#, &by_id), said);
    let said = "the upstream gave an array where a batch expects an object of rows";
    assert_eq!(error(r#"{"rows": []}"#, &batch("@key", ".")), said);
    let groups = rows(r#"[{"rows":[{"id":1}]},{"rows":[{"id":2}]}]"#, "[*].rows[*]", &by_id);
    assert_eq!(shown(groups.one(&key("2"))), r#"{"id":2}"#);
}

#[test]
fn a_row_that_reports_a_failure_fails_its_own_key() {
    let rule = ErrorRule { when: Some(path("error")), ..ErrorRule::default() };
    let text = r#"[{"k":1,"error":{"m":"no"}},{"k":1},{"k":2,"error":null},{"k":3,"error":""},
        {"k":4,"error":false},{"k":5,"error":[]},{"k":6,"error":{}},{"k":7,"error":0}]"#;
    let groups = split(&body(text), &path("."), &batch("k", "k"), &rule).expect("rows");
    let failed = |groups: &Groups, text| {
        let row = groups.one(&key(text)).err().map(|FailedRow(row)| row);
        row.map(|row| String::from_utf8_lossy(groups.body().at(row).raw()).into_owned())
    };
    assert_eq!(failed(&groups, "1").as_deref(), Some(r#"{"k":1,"error":{"m":"no"}}"#));
    assert_eq!(shown(groups.list(&key("1"), Some(0))), "failed");
    for ok in ["2", "3", "4", "5", "6"] {
        assert_eq!(shown(groups.one(&key(ok))), ok);
    }
    assert_eq!(shown(groups.one(&key("7"))), "failed");
    let text = r#"{"a":{"error":"x"},"b":{"error":"x"},"b":{"ok":1}}"#;
    let groups = split(&body(text), &path("."), &batch("@key", "."), &rule).expect("rows");
    assert_eq!(failed(&groups, "\"a\"").as_deref(), Some(r#"{"error":"x"}"#));
    assert_eq!(shown(groups.one(&key("\"b\""))), r#"{"ok":1}"#);
}

#[test]
fn thousands_of_keys_are_told_apart() {
    let text: Vec<String> =
        (0..3000).map(|n| format!("{{\"k\":{},\"n\":{n}}}", n % 1000)).collect();
    let groups = rows(&format!("[{}]", text.join(",")), ".", &batch("k", "n"));
    for n in 0..1000 {
        let expected = format!("[{n},{},{}]", n + 1000, n + 2000);
        assert_eq!(shown(groups.list(&key(&n.to_string()), None)), expected);
    }
}
