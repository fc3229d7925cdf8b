//! Fields: where they are found, null propagation, holes with their instances and scopes.

use super::*;

#[test]
fn fields_come_in_response_order_whatever_the_upstreams_order() {
    let shape = req(object("T", [prop("a", opt(INT)), prop("b", opt(INT)), prop("c", opt(INT))]));
    for text in [
        r#"{"a":1,"b":2,"c":3}"#,
        r#"{"c":3,"b":2,"a":1}"#,
        r#"{"x":{"a":9},"b":2,"y":[],"a":1,"z":"","c":3}"#,
    ] {
        assert_eq!(shown(&of(&shape, text)), r#"{"a":1,"b":2,"c":3}"#);
    }
    assert_eq!(shown(&of(&shape, r#"{"b":2}"#)), r#"{"a":null,"b":2,"c":null}"#);
    assert_eq!(shown(&of(&shape, "{}")), r#"{"a":null,"b":null,"c":null}"#);
}

#[test]
fn of_duplicate_properties_the_last_wins_also_over_a_failing_one() {
    let shape = req(object("T", [prop("a", req(INT)), prop("b", req(INT))]));
    assert_eq!(shown(&of(&shape, r#"{"a":1,"b":2,"a":3}"#)), r#"{"a":3,"b":2}"#);
    assert_eq!(shown(&of(&shape, r#"{"a":"x","b":2,"\u0061":3}"#)), r#"{"a":3,"b":2}"#);
    let said = "failed a: UPSTREAM_BAD_ANSWER: T.a: the upstream gave null where Int! is declared";
    assert_eq!(shown(&of(&shape, r#"{"a":1,"b":2,"a":null}"#)), said);
}

#[test]
fn names_are_compared_unescaped() {
    let shape = req(object("T", [prop_at("a", "['n \"é']", opt(INT))]));
    assert_eq!(shown(&of(&shape, r#"{"\u006e \"\u00e9": 1}"#)), r#"{"a":1}"#);
}

#[test]
fn many_names_are_told_apart() {
    let names: Vec<String> =
        (0..300).flat_map(|n| [format!("a{n}z"), format!("a{n:03}")]).collect();
    let fields = names.iter().map(|name| prop(name, opt(INT))).collect::<Vec<_>>();
    let shape = req(object("T", fields));
    let text = |names: &mut dyn Iterator<Item = (usize, &String)>| {
        let members: Vec<String> = names.map(|(n, name)| format!("\"{name}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let reversed = text(&mut names.iter().enumerate().rev());
    assert_eq!(shown(&of(&shape, &reversed)), text(&mut names.iter().enumerate()));
}

#[test]
fn paths_dig_below_the_object() {
    let page =
        object("Page", [prop_at("last", "data[-1].id", opt(ID)), prop("more", opt(BOOLEAN))]);
    let fields = [
        prop_at("city", "address.city", opt(STRING)),
        prop_at("page", ".", opt(page)),
        prop_at("first", "data[0].id", opt(INT)),
        prop_at("none", "data[9].id", opt(INT)),
        prop_at("ids", "data[*].id", opt(list(opt(INT)))),
        prop_at("tags", "data[*].tags[*]", req(list(req(STRING)))),
    ];
    let shape = req(object("T", fields));
    let text = r#"{"more": true, "address": {"city": "Ulm"},
        "data": [{"id": 1, "tags": ["a", "b"]}, {"tags": []}, {"id": null}, {"id": 4, "tags": ["c"]}]}"#;
    let expected = r#"{"city":"Ulm","page":{"last":"4","more":true},"first":1,"none":null,"#
        .to_owned()
        + r#""ids":[1,null,4],"tags":["a","b","c"]}"#;
    assert_eq!(shown(&of(&shape, text)), expected);
}

#[test]
fn where_a_path_over_many_finds_no_list_there_is_none() {
    let shape = req(object(
        "T",
        [
            prop_at("a", "data[*].id", opt(list(opt(INT)))),
            prop_at("b", "list.data[*].id", opt(list(opt(INT)))),
            prop_at("c", "data[*]", opt(INT)),
        ],
    ));
    assert_eq!(shown(&of(&shape, r#"{"data": null}"#)), r#"{"a":null,"b":null,"c":null}"#);
    let got = shown(&of(&shape, r#"{"data": {"id": 1}, "list": {"data": []}}"#));
    let expected = "{\"a\":null,\"b\":[],\"c\":null}\n\
        a: UPSTREAM_BAD_ANSWER: T.a: the upstream gave an object where [Int] is declared\n\
        c: UPSTREAM_BAD_ANSWER: T.c: the upstream gave an object where Int is declared";
    assert_eq!(got, expected);
}

#[test]
fn a_missing_property_is_told_from_null_where_neither_may_be() {
    let shape = req(list(opt(object("T", [prop("a", req(INT))]))));
    let expected = "[null,null]\n\
        0.a: UPSTREAM_BAD_ANSWER: T.a: the upstream gave nothing where Int! is declared\n\
        1.a: UPSTREAM_BAD_ANSWER: T.a: the upstream gave null where Int! is declared";
    assert_eq!(shown(&of(&shape, r#"[{}, {"a": null}]"#)), expected);
}

#[test]
fn one_error_stands_for_a_nulled_value_and_none_beneath_it() {
    let inner = object("I", [prop("ok", opt(INT)), prop("x", req(INT)), prop("y", req(INT))]);
    let shape = req(object(
        "T",
        [prop("before", opt(INT)), prop("i", opt(inner)), prop("after", opt(INT))],
    ));
    let text = r#"{"before": "b", "i": {"ok": "o", "x": "x", "y": "y"}, "after": "a"}"#;
    let wrong = |place: &str, field: &str| {
        format!(
            "{place}: UPSTREAM_BAD_ANSWER: {field}: the upstream gave a string where Int is declared"
        )
    };
    let expected = [
        r#"{"before":null,"i":null,"after":null}"#.to_owned(),
        wrong("before", "T.before"),
        wrong("i.x", "I.x"),
        wrong("after", "T.after"),
    ];
    assert_eq!(shown(&of(&shape, text)), expected.join("\n"));
}

#[test]
fn guarded_fields_are_refused_to_the_anonymous_with_all_beneath() {
    let fields = [
        guarded(opt_hole("h", 0)),
        guarded(prop("a", opt(object("I", [prop("x", req(INT))])))),
        prop("b", opt(object("J", [guarded(prop("y", req(INT)))]))),
        guarded(field("t", FieldValue::Typename, true)),
    ];
    let shape = req(object("T", fields));
    let text = r#"{"a": {"x": "wrong"}, "b": {"y": 1}}"#;
    let anonymous = Inputs { authenticated: false, ..INPUTS };
    let fragment = project(&answer(text), &shape, &anonymous, &service(), &mut Layouts::default());
    let expected = "{\"h\":null,\"a\":null,\"b\":null,\"t\":null}\n\
        h: UNAUTHENTICATED: T.h: sign in to read this field\n\
        a: UNAUTHENTICATED: T.a: sign in to read this field\n\
        b.y: UNAUTHENTICATED: J.y: sign in to read this field\n\
        t: UNAUTHENTICATED: T.t: sign in to read this field";
    assert_eq!(shown(&fragment), expected);
    assert!(fragment.holes.is_empty());
    let fragment = of(&shape, r#"{"a": {"x": 1}, "b": {"y": 1}}"#);
    assert_eq!(shown(&fragment), r#"{"h":_,"a":{"x":1},"b":{"y":1},"t":"T"}"#);
}

#[test]
fn holes_know_their_place_and_what_their_object_says() {
    let order = selection(
        "Order",
        [opt_hole("buyer", 0), prop("n", opt(INT))],
        &["userId", "meta.tenant", ".", "lines[0]"],
    );
    let shape = req(object("T", [prop("orders", opt(list(opt(Kind::Object(Arc::new(order))))))]));
    let fragment = of(
        &shape,
        r#"{"orders": [{"n": 1, "userId": 7, "meta": {"tenant": "x"}}, null,
            {"userId": 1, "lines": [[2]], "userId": null}]}"#,
    );
    let expected = r#"{"orders":[{"buyer":_,"n":1},null,{"buyer":_,"n":null}]}"#;
    assert_eq!(shown(&fragment), expected);
    let seen: Vec<_> = fragment
        .holes
        .iter()
        .map(|hole| {
            let captures = (0..5).map(|slot| {
                let value = fragment.capture(hole.instance, slot)?;
                Some(String::from_utf8_lossy(value.raw()).into_owned())
            });
            (place(&fragment.paths.steps(hole.path)), captures.collect::<Vec<_>>())
        })
        .collect();
    let captured = |texts: [Option<&str>; 5]| texts.map(|text| text.map(str::to_owned)).to_vec();
    let whole = r#"{"n": 1, "userId": 7, "meta": {"tenant": "x"}}"#;
    let third = r#"{"userId": 1, "lines": [[2]], "userId": null}"#;
    assert_eq!(
        seen,
        [
            (
                "orders.0.buyer".to_owned(),
                captured([Some("7"), Some("\"x\""), Some(whole), None, None])
            ),
            (
                "orders.2.buyer".to_owned(),
                captured([Some("null"), None, Some(third), Some("[2]"), None])
            ),
        ]
    );
}

#[test]
fn only_holes_that_may_not_be_null_have_scopes_and_these_link_outward() {
    let inner = selection("I", [opt_hole("free", 0), req_hole("bound", 0)], &["id"]);
    let middle = object("M", [prop("i", req(Kind::Object(Arc::new(inner))))]);
    let shape = req(object("T", [prop("m", opt(list(opt(middle))))]));
    let fragment = of(&shape, r#"{"m": [{"i": {}}, {"i": {}}]}"#);
    assert_eq!(
        shown(&fragment),
        r#"{"m":[{"i":{"free":_,"bound":_}},{"i":{"free":_,"bound":_}}]}"#
    );
    let scopes: Vec<_> = fragment.holes.iter().map(|hole| hole.scope).collect();
    assert_eq!(scopes, [None, Some(1), None, Some(2)]);
    let text = |scope: &Scope| {
        String::from_utf8_lossy(&fragment.bytes[scope.start as usize..scope.end as usize])
            .into_owned()
    };
    let item = r#"{"i":{"free":,"bound":}}"#;
    assert_eq!(text(&fragment.scopes[0]), format!("[{item},{item}]"));
    assert_eq!(text(&fragment.scopes[1]), item);
    assert_eq!(text(&fragment.scopes[2]), item);
    let parents: Vec<_> = fragment.scopes.iter().map(|scope| scope.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(0)]);
}

#[test]
fn what_a_nulled_value_held_is_gone_and_what_was_around_stays_right() {
    let item = selection("I", [req_hole("h", 0), prop("x", req(INT))], &["id"]);
    let shape = req(object("T", [prop("l", opt(list(opt(Kind::Object(Arc::new(item))))))]));
    let fragment = of(&shape, r#"{"l": [{"x": "bad"}, {"x": 1, "id": 5}]}"#);
    let expected = "{\"l\":[null,{\"h\":_,\"x\":1}]}\n\
        l.0.x: UPSTREAM_BAD_ANSWER: I.x: the upstream gave a string where Int is declared";
    assert_eq!(shown(&fragment), expected);
    assert_eq!((fragment.captures.places.len(), fragment.scopes.len()), (1, 2));
    let hole = &fragment.holes[0];
    assert_eq!(place(&fragment.paths.steps(hole.path)), "l.1.h");
    let capture = fragment.capture(hole.instance, 0).map(|value| value.raw().to_vec());
    assert_eq!(capture, Some(b"5".to_vec()));
    assert_eq!(fragment.scopes[1].parent, Some(0));
    assert_eq!(fragment.bytes[fragment.scopes[0].end as usize..], *b"}");
}

#[test]
fn an_answer_that_only_leads_on_is_one_hole() {
    let hole = hole(1, false, Some(ItemNullable(true)));
    let through = Through { captures: vec![path("id"), path("gone")], hole };
    let shape = req(Kind::Through(Arc::new(through)));
    let fragment = of(&shape, r#"{"id": [1, 2]}"#);
    assert_eq!(shown(&fragment), "_");
    assert_eq!(fragment.holes[0].path, PathId::ROOT);
    assert_eq!(fragment.holes[0].scope, None);
    let instance = fragment.holes[0].instance;
    assert_eq!(
        fragment.capture(instance, 0).map(|value| value.raw().to_vec()),
        Some(b"[1, 2]".to_vec())
    );
    assert!(fragment.capture(instance, 1).is_none());
    assert_eq!(
        shown(&project(&Answer::Missing, &shape, &INPUTS, &service(), &mut Layouts::default())),
        "missing"
    );
    let text = body(r#"[{"id": 1}, {"id": 2}]"#);
    let rows = text.root().items().map(Value::place).collect();
    let through = Through { captures: vec![path(".")], hole: self::hole(1, true, None) };
    let shape = req(Kind::Through(Arc::new(through)));
    let fragment =
        project(&Answer::Rows(text, rows), &shape, &INPUTS, &service(), &mut Layouts::default());
    let seen = fragment.capture(fragment.holes[0].instance, 0).map(|value| value.raw().to_vec());
    assert_eq!(seen, Some(br#"[{"id": 1},{"id": 2}]"#.to_vec()));
}

#[test]
fn computed_values_read_the_object_the_arguments_and_the_claims() {
    let args = [Ok(body(r#"{"plus": 10}"#))];
    let claims = body(r#"{"sub": "ada"}"#);
    let inputs = Inputs { args: &args, claims: Some(claims.root()), ..INPUTS };
    let value = |cel: &str, shape| {
        let slot = if cel.contains("this.b") { 1 } else { 0 };
        FieldValue::Computed(computed(cel, &[slot]), shape)
    };
    let fields = [
        field("sum", value("int(this.a) + args.plus", req(INT)), false),
        field("mine", value("this.a == 1 && claims.sub == 'ada'", req(BOOLEAN)), false),
        field("wrong", value("'text'", opt(INT)), true),
        field("gone", value("this.b", opt(INT)), true),
        field("broken", value("int('x')", opt(INT)), true),
    ];
    let shape = req(Kind::Object(Arc::new(selection("T", fields, &["a", "b"]))));
    let fragment =
        project(&answer(r#"{"a": 1}"#), &shape, &inputs, &service(), &mut Layouts::default());
    let got = shown(&fragment);
    assert!(
        got.starts_with(r#"{"sum":11,"mine":true,"wrong":null,"gone":null,"broken":null}"#),
        "{got}"
    );
    let paths: Vec<_> = fragment.errors.iter().map(|error| place(&error.failed.path)).collect();
    assert!(paths.contains(&"wrong".to_owned()) && paths.contains(&"broken".to_owned()), "{got}");
    assert!(fragment.captures.bodies.is_empty());
}

#[test]
fn a_computed_answer_is_projected_as_if_it_had_come() {
    let args = [Ok(body("{}"))];
    let inputs = Inputs { args: &args, ..INPUTS };
    let shape = opt(object("T", [prop("n", req(INT))]));
    let kind = Kind::Computed(computed("{'n': answer.items.size()}", &[]), Box::new(shape));
    let shape = opt(kind);
    let got = |text: &str| {
        shown(&project(&answer(text), &shape, &inputs, &service(), &mut Layouts::default()))
    };
    assert_eq!(got(r#"{"items": [1, 2, 3]}"#), r#"{"n":3}"#);
    let said = "failed : UPSTREAM_BAD_ANSWER: the value could not be computed";
    assert_eq!(got(r#"{"items": 5}"#), said);
    assert_eq!(got("null"), said);
    let lost = project(&answer("{}"), &shape, &INPUTS, &service(), &mut Layouts::default());
    assert!(shown(&lost).starts_with("failed : INTERNAL_ERROR"));
    let refused = Arc::new(Failure::new(Code::BadUserInput, "no"));
    let args = [Err(refused)];
    let inputs = Inputs { args: &args, ..INPUTS };
    let refused = project(&answer("{}"), &shape, &inputs, &service(), &mut Layouts::default());
    assert_eq!(shown(&refused), "failed : BAD_USER_INPUT: no");
}

#[test]
fn an_expression_is_evaluated_for_a_null_answer_too() {
    let args = [Ok(body("{}"))];
    let inputs = Inputs { args: &args, ..INPUTS };
    let shape = Box::new(req(BOOLEAN));
    let shape = opt(Kind::Computed(computed("answer == null", &[]), shape));
    let got = |text: &str| {
        shown(&project(&answer(text), &shape, &inputs, &service(), &mut Layouts::default()))
    };
    assert_eq!(got("null"), "true");
    assert_eq!(got("{}"), "false");
}

#[test]
fn root_fields_are_read_from_nothing() {
    let introspection = [("s".into(), b"{\"types\":[]}".as_slice().into())];
    let inputs = Inputs { introspection: &introspection, ..INPUTS };
    let fields = [
        field("t", FieldValue::Typename, false),
        req_hole("h", 0),
        field("s", FieldValue::Introspection, false),
        field("u", FieldValue::Introspection, true),
    ];
    let root = selection("Query", fields, &[]);
    let fragment = project_root(&root, &inputs);
    let expected = "{\"t\":\"Query\",\"h\":_,\"s\":{\"types\":[]},\"u\":null}\n\
        u: INTERNAL_ERROR: the schema's description is missing";
    assert_eq!(shown(&fragment), expected);
    assert_eq!(fragment.holes[0].scope, None);
    assert_eq!(place(&fragment.paths.steps(fragment.holes[0].path)), "h");
    let root = selection("Query", [guarded(prop("x", req(INT)))], &[]);
    let anonymous = Inputs { authenticated: false, ..INPUTS };
    let said = "failed x: UNAUTHENTICATED: Query.x: sign in to read this field";
    assert_eq!(shown(&project_root(&root, &anonymous)), said);
}
