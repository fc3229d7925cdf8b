//! Bodies.

use super::*;

#[track_caller]
fn gives(template: &str, with: With<'_>, expected: &str) {
    assert_eq!(body(post(template), with), Ok(expected.to_owned()), "{template}");
}

#[track_caller]
fn fails(template: &str, with: With<'_>, expected: RenderError) {
    assert_eq!(body(post(template), with), Err(expected), "{template}");
}

#[test]
fn one_reference_is_the_value_itself() {
    let with = With {
        args: r#"{"input": {"a": [1, 2.50, "x\u00e9"], "b": null},
            "n": 12345678901234567890, "s": "x"}"#,
        this: r#"{"draft": {"t": true}}"#,
        claims: r#"{"sub": "me"}"#,
        headers: &[("x-a", "\"q\"")],
        ..NOTHING
    };
    gives("{args.input}", with, r#"{"a": [1, 2.50, "x\u00e9"], "b": null}"#);
    gives("  {args.n}\n", with, "12345678901234567890");
    gives("{args.s}", with, "\"x\"");
    gives("{args}", with, with.args);
    gives("{this.draft}", with, r#"{"t": true}"#);
    gives("{this}", with, with.this);
    gives("{claims.sub}", with, "\"me\"");
    gives("{headers.x-a}", with, r#""\"q\"""#);
    gives("{key}", With { key: "5", ..with }, "5");
    gives("{args.input.a[*]}", with, r#"[1,2.50,"x\u00e9"]"#);
}

#[test]
fn a_json_text_holds_templates_in_its_strings() {
    let with = With {
        args: r#"{"name": "Ada \"A\"", "n": 1.0, "list": [1, 2], "null": null}"#,
        claims: r#"{"sub": 7}"#,
        ..NOTHING
    };
    gives(
        r#" {"note": "hi {args.name}", "n": "{args.n}", "by": "{claims.sub}",
            "x": [true, null, 1e3]} "#,
        with,
        r#"{"note":"hi Ada \"A\"","n":1.0,"by":7,"x":[true,null,1e3]}"#,
    );
    gives(
        r#"["{args.list}", "{args.list:,}", "<{args.list: }>"]"#,
        with,
        r#"[[1, 2],"1,2","<1 2>"]"#,
    );
    gives(r#"{"a": {"b": [{"c": "{args.n}"}]}}"#, with, r#"{"a":{"b":[{"c":1.0}]}}"#);
    gives(
        r#"{"a": "{{args.n}} {{}}", "": "", "{{x}}": 1}"#,
        with,
        r#"{"a":"{args.n} {}","":"","{x}":1}"#,
    );
    gives(r#"{"tab\t\"": "\u00e9\n{args.n}"}"#, with, "{\"tab\\t\\\"\":\"é\\n1.0\"}");
    gives(r#"{"t": "{env.TOKEN}"}"#, with, r#"{"t":"s3cr3t/="}"#);
    gives("{}", with, "{}");
}

#[test]
fn an_absent_argument_is_absent_and_a_null_is_null() {
    let with = args(r#"{"null": null, "x": 1}"#);
    gives(r#"{"a": "{args.a}", "n": "{args.null}", "x": "{args.x}"}"#, with, r#"{"n":null,"x":1}"#);
    gives(r#"{"x": "{args.x}", "a": "{args.a}"}"#, with, r#"{"x":1}"#);
    gives(r#"{"a": "{args.a}"}"#, with, "{}");
    gives(r#"["{args.a}", "{args.x}", "{args.a}", "{args.null}"]"#, with, "[1,null]");
    gives(
        r#"{"a": "hi {args.a}", "n": "hi {args.null}!", "x": "hi {args.x}"}"#,
        with,
        r#"{"n":null,"x":"hi 1"}"#,
    );
    gives(r#"{"o": {"a": "{args.a}"}, "h": "{headers.x-none}"}"#, with, r#"{"o":{}}"#);
    gives("{args.null}", with, "null");
    let request = request(post("{args.a}"), with).unwrap();
    assert_eq!((request.body, request.headers), (None, Vec::new()));
}

#[test]
fn nulls_of_others_make_no_request() {
    for template in
        ["{this.a}", r#"{"a": "{this.a}"}"#, r#"{"a": "x{this.a}"}"#, r#"{"a": "{key}"}"#]
    {
        fails(template, this(r#"{"a": null}"#), RenderError::Null);
        fails(template, NOTHING, RenderError::Null);
    }
    fails(r#"{"a": "{claims.sub}"}"#, claims("{}"), unauthenticated("sub"));
    let with = claims(r#"{"sub": 1}"#);
    let error = refused("argument `a` is null, but stands beside values that must be sent");
    fails(r#"{"a": "{claims.sub}{args.a}"}"#, with, error);
}

#[test]
fn objects_and_bare_lists_are_no_part_of_a_text() {
    let with = args(r#"{"o": {}, "l": [1]}"#);
    fails(r#"{"a": "x{args.o}"}"#, with, refused("argument `o` is no single value"));
    fails(r#"{"a": "x{args.l}"}"#, with, refused("argument `l` is a list, but part of a text"));
    gives(r#"{"a": "{args.l:,}"}"#, with, r#"{"a":"1"}"#);
}

#[test]
fn the_content_type_is_said_unless_the_author_says_it() {
    let named = |written| {
        let request = request(written, args(r#"{"a": 1}"#)).unwrap();
        let header = request.headers.iter().find(|(name, _)| name == "content-type").cloned();
        String::from_utf8(header.unwrap().1.as_bytes().to_vec()).unwrap()
    };
    assert_eq!(named(post("{args}")), "application/json");
    assert_eq!(named(form("{args}")), "application/x-www-form-urlencoded");
    let headers = &[("Content-Type", "application/merge-patch+json")];
    assert_eq!(named(Written { headers, ..post("{args}") }), "application/merge-patch+json");
}

#[test]
fn a_form_has_fields() {
    let with = args(r#"{"name": "a b&c=d+ü", "list": ["x", 2], "null": null, "o": {"a": 1}}"#);
    let cases = [
        (r#"{"name": "{args.name}", "k y": "v&w"}"#, "name=a%20b%26c%3Dd%2B%C3%BC&k%20y=v%26w"),
        (r#"{"l": "{args.list}", "n": 1.50, "t": true}"#, "l=x&l=2&n=1.50&t=true"),
        (
            r#"{"l": "{args.list:,}", "x": "hi {args.name}!"}"#,
            "l=x,2&x=hi%20a%20b%26c%3Dd%2B%C3%BC%21",
        ),
        (r#"{"a": "{args.absent}", "n": "{args.null}", "z": "1"}"#, "z=1"),
        ("{args.o}", "a=1"),
    ];
    for (template, expected) in cases {
        assert_eq!(body(form(template), with), Ok(expected.to_owned()), "{template}");
    }
    let whole = args(r#"{"a b": "1&2", "l": [1, "x"], "n": null}"#);
    assert_eq!(body(form("{args}"), whole), Ok("a%20b=1%262&l=1&l=x".to_owned()));
    let nested = body(form("{args}"), with);
    assert_eq!(nested, Err(refused("property `o` of the arguments is no single value")));
}
