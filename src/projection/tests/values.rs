//! Scalars, enums, lists, abstract types and roots.

use super::*;

fn leaf(kind: Kind, text: &str) -> String {
    let shape = req(object("T", [prop("x", req(kind))]));
    let got = shown(&of(&shape, &format!("{{\"x\": {text} }}")));
    match got.strip_prefix("{\"x\":").and_then(|got| got.strip_suffix('}')) {
        Some(value) => value.to_owned(),
        None => got.rsplit(": ").next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn integers_are_those_of_32_bits() {
    assert_eq!(leaf(INT, "2147483647"), "2147483647");
    assert_eq!(leaf(INT, "-2147483648"), "-2147483648");
    assert_eq!(leaf(INT, "1.0"), "1");
    assert_eq!(leaf(INT, "-0"), "0");
    for text in ["1.5", "2147483648", "1e400", "1e2"] {
        let said =
            "the upstream gave a number that is no integer within 32 bits where Int is declared";
        assert_eq!(leaf(INT, text), said, "{text}");
    }
    assert_eq!(leaf(INT, "\"1\""), "the upstream gave a string where Int is declared");
    assert_eq!(leaf(INT, "true"), "the upstream gave a Boolean where Int is declared");
}

#[test]
fn floats_keep_their_digits_and_are_finite() {
    for text in ["1", "1.50", "-0.0", "1E+2", "123456789012345678901234567890"] {
        assert_eq!(leaf(FLOAT, text), text);
    }
    let said = "the upstream gave a number beyond the range of a double where Float is declared";
    assert_eq!(leaf(FLOAT, "1e999"), said);
    assert_eq!(leaf(FLOAT, &"9".repeat(400)), said);
    assert_eq!(leaf(FLOAT, "\"1\""), "the upstream gave a string where Float is declared");
}

#[test]
fn strings_keep_their_escapes_and_nothing_else_becomes_one() {
    for text in [r#""""#, r#""a""#, r#""\u00e9\n\"""#, "\"é😀\""] {
        assert_eq!(leaf(STRING, text), text);
    }
    assert_eq!(leaf(STRING, "1"), "the upstream gave a number where String is declared");
    assert_eq!(leaf(STRING, "[]"), "the upstream gave an array where String is declared");
}

#[test]
fn booleans_are_true_or_false() {
    assert_eq!(leaf(BOOLEAN, "true"), "true");
    assert_eq!(leaf(BOOLEAN, "false"), "false");
    assert_eq!(leaf(BOOLEAN, "0"), "the upstream gave a number where Boolean is declared");
    assert_eq!(leaf(BOOLEAN, "\"true\""), "the upstream gave a string where Boolean is declared");
}

#[test]
fn an_id_is_a_string_on_the_way_out() {
    assert_eq!(leaf(ID, "\"a\\u0062\""), "\"a\\u0062\"");
    assert_eq!(leaf(ID, "12345678901234567890"), "\"12345678901234567890\"");
    assert_eq!(leaf(ID, "-7"), "\"-7\"");
    assert_eq!(leaf(ID, "1.0"), "\"1\"");
    assert_eq!(leaf(ID, "-0"), "\"0\"");
    for text in ["1.5", "1e3"] {
        assert_eq!(
            leaf(ID, text),
            "the upstream gave a number that is no integer where ID is declared"
        );
    }
    assert_eq!(leaf(ID, "{}"), "the upstream gave an object where ID is declared");
}

#[test]
fn enum_values_are_renamed_whichever_way_they_are_escaped() {
    assert_eq!(leaf(colour(), "\"red\""), "\"RED\"");
    assert_eq!(leaf(colour(), "\"r\\u0065d\""), "\"RED\"");
    assert_eq!(leaf(colour(), "\"dark \\\"green\\\"\""), "\"DARK_GREEN\"");
    let said =
        "the upstream gave a string that is none of the enum's values where an enum is declared";
    assert_eq!(leaf(colour(), "\"RED\""), said);
    assert_eq!(leaf(colour(), "1"), "the upstream gave a number where an enum is declared");
}

#[test]
fn custom_scalars_pass_as_they_are() {
    for text in ["{ \"a\" : [1, 2e5] }", "[ ]", "\"x\"", "1e999", "false"] {
        assert_eq!(leaf(ANY, text), text);
    }
    assert_eq!(leaf(ANY, "null"), "the upstream gave null where a scalar! is declared");
}

#[test]
fn a_null_in_a_list_stands_or_nulls_the_list() {
    let shape = req(object("T", [prop("x", opt(list(opt(INT)))), prop("y", opt(list(req(INT))))]));
    let got = shown(&of(&shape, r#"{"x": [1, null, "a"], "y": [1, null, 3]}"#));
    let expected = "{\"x\":[1,null,null],\"y\":null}\n\
        x.2: UPSTREAM_BAD_ANSWER: T.x: the upstream gave a string where Int is declared\n\
        y.1: UPSTREAM_BAD_ANSWER: T.y: the upstream gave null where Int! is declared";
    assert_eq!(got, expected);
}

#[test]
fn lists_nest() {
    let shape = req(list(opt(list(req(INT)))));
    assert_eq!(shown(&of(&shape, "[[1 , 2], [], null, [3]]")), "[[1,2],[],null,[3]]");
    let got = shown(&of(&shape, "[[1, null, {}], 5, [2]]"));
    let expected = "[null,null,[2]]\n\
        0.1: UPSTREAM_BAD_ANSWER: the upstream gave null where Int! is declared\n\
        1: UPSTREAM_BAD_ANSWER: the upstream gave a number where [Int!] is declared";
    assert_eq!(got, expected);
}

#[test]
fn the_discriminator_tells_the_type_by_its_text() {
    let cases = Kind::Abstract(Arc::new(Cases {
        type_name: "Payment".into(),
        discriminator: path("meta.kind"),
        cases: ["card", "1", "true"]
            .map(|name| {
                let fields =
                    [field("__typename", FieldValue::Typename, false), prop("a", opt(INT))];
                (name.into(), Arc::new(selection(&format!("T{name}"), fields, &[])))
            })
            .into(),
    }));
    let shape = req(list(opt(cases)));
    let text = r#"[
        {"meta": {"kind": "c\u0061rd"}, "a": 1}, {"meta": {"kind": 1}}, {"meta": {"kind": true}},
        {"meta": {"kind": "cash"}}, {"meta": {"kind": null}}, {}, "card", null
    ]"#;
    let unknown = "UPSTREAM_BAD_ANSWER: the upstream does not say which type of Payment it gave";
    let expected = format!(
        "[{{\"__typename\":\"Tcard\",\"a\":1}},{{\"__typename\":\"T1\",\"a\":null}},\
        {{\"__typename\":\"Ttrue\",\"a\":null}},null,null,null,null,null]\n\
        3: {unknown}\n4: {unknown}\n5: {unknown}\n\
        6: UPSTREAM_BAD_ANSWER: the upstream gave a string where Payment is declared"
    );
    assert_eq!(shown(&of(&shape, text)), expected);
}

#[test]
fn a_root_is_null_missing_or_failed_and_then_has_no_bytes() {
    let shape = req(object("T", [prop("x", req(INT))]));
    let bare = |answer| project(&answer, &shape, &INPUTS, &service(), &mut Layouts::default());
    assert_eq!(shown(&of(&shape, "null")), "null");
    assert_eq!(shown(&bare(Answer::Null)), "null");
    assert_eq!(shown(&bare(Answer::Missing)), "missing");
    let failed = of(&shape, r#"{"x": {}}"#);
    let said =
        "failed x: UPSTREAM_BAD_ANSWER: T.x: the upstream gave an object where Int is declared";
    assert_eq!(shown(&failed), said);
    assert!(failed.bytes.is_empty() && failed.errors.is_empty());
    let Outcome::Failed(failed) = failed.outcome else { panic!("no failure") };
    assert_eq!(failed.failure.upstream.as_ref().map(|up| &*up.service), Some("shop"));
    assert_eq!(failed.locations, [Location { line: 120, column: 1 }]);
}

#[test]
fn rows_are_written_as_a_list() {
    let text = body(r#"[{"x": 1}, {"x": 2}, {"x": "3"}]"#);
    let rows: Vec<Place> = text.root().items().map(Value::place).collect();
    let object = object("T", [prop("x", req(INT))]);
    let projected = |rows: &[Place], shape: &Shape| {
        let answer = Answer::Rows(text.clone(), rows.to_vec());
        shown(&project(&answer, shape, &INPUTS, &service(), &mut Layouts::default()))
    };
    let strict = req(list(req(object.clone())));
    assert_eq!(projected(&[], &strict), "[]");
    assert_eq!(projected(&[rows[1], rows[0]], &strict), "[{\"x\":2},{\"x\":1}]");
    let said = "UPSTREAM_BAD_ANSWER: T.x: the upstream gave a string where Int is declared";
    assert_eq!(projected(&rows, &strict), format!("failed 2.x: {said}"));
    let lenient = req(list(opt(object)));
    assert_eq!(projected(&rows[1..], &lenient), format!("[{{\"x\":2}},null]\n1.x: {said}"));
    assert_eq!(projected(&rows, &req(ANY)), r#"[{"x": 1},{"x": 2},{"x": "3"}]"#);
}

#[test]
fn a_fragment_over_the_limit_fails_as_a_whole() {
    let aliases = (0..50).map(|n| prop_at(&format!("x{n}"), "x", opt(STRING))).collect::<Vec<_>>();
    let shape = req(list(opt(object("T", aliases))));
    let text = format!("[{}]", vec![format!("{{\"x\":\"{}\"}}", "y".repeat(100)); 30].join(","));
    let inputs = Inputs { max_bytes: 20_000, ..INPUTS };
    let fragment = project(&answer(&text), &shape, &inputs, &service(), &mut Layouts::default());
    let said = "failed : RESPONSE_TOO_LARGE: the response would be larger than allowed";
    assert_eq!(shown(&fragment), said);
    assert_eq!(fragment.bytes.capacity(), 0);
    let inputs = Inputs { max_bytes: 200_000, ..INPUTS };
    let fragment = project(&answer(&text), &shape, &inputs, &service(), &mut Layouts::default());
    assert!(matches!(fragment.outcome, Outcome::Value));
}
