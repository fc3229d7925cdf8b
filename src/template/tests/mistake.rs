//! Mistakes are found at start, with their place and how to mend them.

#![expect(clippy::too_many_lines, reason = "a table of cases is as long as it is")]

use super::*;

/// The text at fault, the message and the help of each mistake.
fn mistakes(written: Written<'_>, mode: KeyMode) -> Vec<(String, String, String)> {
    let errors = parse(written, mode).err().unwrap_or_default();
    let told = |PartError { part, error }: PartError| {
        let text = match part {
            Part::Path => written.path,
            Part::Body => written.body.unwrap(),
            Part::HeaderName(index) => written.headers[index].0,
            Part::HeaderValue(index) => written.headers[index].1,
        };
        let place = text.get(error.span).unwrap_or("?").to_owned();
        (place, error.message, error.help.unwrap_or_default())
    };
    errors.into_iter().map(told).collect()
}

#[track_caller]
fn tells(written: Written<'_>, mode: KeyMode, expected: &[(&str, &str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(place, message, help)| {
            ((*place).to_owned(), (*message).to_owned(), (*help).to_owned())
        })
        .collect();
    assert_eq!(mistakes(written, mode), expected);
}

#[track_caller]
fn path_tells(path: &str, place: &str, message: &str, help: &str) {
    tells(get(path), KeyMode::None, &[(place, message, help)]);
}

#[test]
fn braces_that_do_not_pair() {
    let help = "close it as in `{args.id}`, or write `{{` for the character itself";
    path_tells("/a/{args.id", "{args.id", "`{` is not closed", help);
    path_tells("/a/{args.{x}", "{args.{x}", "`{` is not closed", help);
    path_tells("/a}b", "}", "`}` closes nothing", "write `}}` for the character itself");
    let help = "name a value as in `{args.id}`, or write `{{` for a brace";
    path_tells("/a/{}", "{}", "`{}` names nothing", help);
    path_tells("/a/{ }", "{ }", "`{}` names nothing", help);
}

#[test]
fn unknown_roots_get_a_suggestion() {
    let message = |root: &str| format!("nothing is called `{root}` in a template");
    path_tells("/{arg.x}", "{arg.x}", &message("arg"), "did you mean `{args.x}`?");
    path_tells("/{claim.sub}", "{claim.sub}", &message("claim"), "did you mean `{claims.sub}`?");
    path_tells(
        "/{THIS.x}",
        "{THIS.x}",
        &message("THIS"),
        "`{args.THIS.x}` is an argument, `{this.THIS.x}` a property of the parent",
    );
    path_tells(
        "/{id}",
        "{id}",
        &message("id"),
        "`{args.id}` is an argument, `{this.id}` a property of the parent",
    );
    path_tells(
        "/{answer.id}",
        "{answer.id}",
        "a request cannot read its own answer",
        "`answer` is for `@ref` and `@computed` beside `@rest`",
    );
    path_tells(
        "/{= 1 + 1}",
        "{= 1 + 1}",
        "`{= ..}` is kept for later",
        "compute the value in a `@computed` field",
    );
}

#[test]
fn bad_paths_and_separators() {
    let errors = mistakes(get("/{args.a..b}"), KeyMode::None);
    assert_eq!(errors.len(), 1, "{errors:?}");
    let help = "leave the dot out to read the whole value";
    path_tells("/{this.}", ".", "a name must follow the dot", help);
    path_tells("/{args-x}", "-x", "`-x` is no path", "a path begins with `.name` or `[0]`");
    let help = "one of `,;|: .-_~!*` follows the colon, as in `{args.l:,}`";
    for separator in ["", ",,", "&", "/", "=", "\u{e9}", "#", "%"] {
        let path = format!("/x?a={{args.l:{separator}}}");
        path_tells(&path, &format!(":{separator}"), "this separates no list", help);
    }
}

#[test]
fn roots_that_need_a_name() {
    let alone = |root: &str| format!("`{{{root}}}` alone is no value");
    let help = |root: &str| format!("name one, as in `{{{root}.name}}`");
    for root in ["claims", "headers", "env"] {
        let reference = format!("{{{root}}}");
        path_tells(&format!("/{reference}"), &reference, &alone(root), &help(root));
    }
    for root in ["args", "this"] {
        let reference = format!("{{{root}}}");
        let help = format!("name a part of it, as in `{{{root}.id}}`; a body may take it whole");
        let message = format!("`{reference}` is an object");
        path_tells(&format!("/x?a={reference}"), &reference, &message, &help);
        let body = format!(r#"{{"a": "x{reference}"}}"#);
        tells(post(&body), KeyMode::None, &[(&reference, &message, &help)]);
    }
}

#[test]
fn credentials_of_the_client_cannot_be_read() {
    for name in ["authorization", "Authorization", "cookie", "proxy-authorization"] {
        for written in [
            get(&format!("/x?a={{headers.{name}}}")),
            post(&format!("{{headers.{name}}}")),
            Written { headers: &[("x", &format!("{{headers.{name}}}"))], ..get("/") },
        ] {
            let errors = mistakes(written, KeyMode::None);
            let message = format!("a template may not read the client's `{}`", name.to_lowercase());
            assert_eq!(errors.len(), 1);
            assert_eq!((&errors[0].0, &errors[0].1), (&format!("{{headers.{name}}}"), &message));
        }
    }
}

#[test]
fn the_environment_must_have_what_is_read() {
    path_tells(
        "/x?a={env.NONE}",
        "{env.NONE}",
        "the environment has no variable `NONE`",
        "set `NONE` before the start",
    );
    path_tells("/x/{env.EMPTY}", "{env.EMPTY}", "the variable is empty, but part of a path", "");
    let headers = &[("x", "a{env.LINES}")];
    let message = "this is one line without control characters";
    tells(Written { headers, ..get("/") }, KeyMode::None, &[("{env.LINES}", message, "")]);
}

#[test]
fn urls_that_would_lead_elsewhere() {
    let help = "it is relative to the upstream's own URL";
    for (path, place) in
        [("", ""), ("users", "users"), ("http://x/", "http:"), ("{args.a}/b", "{args.a}")]
    {
        path_tells(path, place, "a path begins with `/`", help);
    }
    path_tells(
        "//evil/x",
        "//",
        "a path begins with one `/`",
        "after two a host's name would follow",
    );
    for path in ["/a/../b", "/a/.", "/%2e%2E/b", "/.%2e"] {
        let errors = mistakes(get(path), KeyMode::None);
        assert_eq!(errors.len(), 1, "{path}");
        assert_eq!(errors[0].1, "`.` and `..` are no segments", "{path}");
    }
    path_tells("/a#b", "#", "a fragment is never sent", "write `%23` for the character itself");
    path_tells(
        "/a\\b",
        "\\",
        "a backslash is no part of a path",
        "write `/` between segments, `%5C` for the character itself",
    );
    path_tells("/a?b=100%", "%", "`%` without two digits", "write `%25` for the character itself");
    path_tells(
        "/a?{args.b}=1",
        "{args.b}",
        "a parameter's name cannot be a value",
        "write `name={args.name}`",
    );
    path_tells("/a?=1", "=", "a parameter has no name", "");
}

#[test]
fn keys_stand_once_and_where_they_may() {
    let tells_keys = |path, mode, place: &str, message: &str, help: &str| {
        tells(get(path), mode, &[(place, message, help)]);
    };
    tells_keys(
        "/u/{key}",
        KeyMode::None,
        "{key}",
        "`{key}` is for the lookup of a type",
        "`{args.id}` is an argument",
    );
    tells_keys(
        "/u?id={keys}",
        KeyMode::None,
        "{keys}",
        "`{keys}` needs a batch",
        r#"add `batch: {key: "this.id", by: "id"}` to the `@rest`"#,
    );
    tells_keys(
        "/u?id={keys}",
        KeyMode::One,
        "{keys}",
        "`{keys}` needs a batch",
        r#"add `batch: {by: "id"}`, or ask one at a time with `{key}`"#,
    );
    tells_keys(
        "/u/{key}",
        KeyMode::Many,
        "{key}",
        "a batch sends many keys",
        "write `{keys}`, or `{keys:,}` to join them",
    );
    tells_keys(
        "/u?a={keys}&b={keys}",
        KeyMode::Many,
        "{keys}",
        "the keys go to one place only",
        "leave this `{keys}` out",
    );
    tells_keys(
        "/u",
        KeyMode::One,
        "/u",
        "a lookup must send the `{key}`",
        "as in `/users/{key}`, or `/users?id={keys}` with a `batch`",
    );
    tells_keys(
        "/u",
        KeyMode::Many,
        "/u",
        "a batch must send the `{keys}`",
        "as in `/users?id={keys}`, or `\"{keys}\"` in a body",
    );
    tells_keys(
        "/u/{keys}",
        KeyMode::Many,
        "{keys}",
        "a path takes keys joined only",
        "write `{keys:,}`",
    );
    tells_keys(
        "/u/{key.x}",
        KeyMode::One,
        ".x",
        "`{key}` has no parts",
        "a key is a string, a number or a boolean",
    );
    tells_keys(
        "/u/{key:,}",
        KeyMode::One,
        "{key:,}",
        "`{key}` is one value",
        "`{keys:,}` joins those of a batch",
    );
    assert!(parse(get("/u/{key}?again={key}"), KeyMode::One).is_ok());
    let headers = &[("x-ids", "{keys:,}")];
    tells(
        Written { headers, ..get("/u") },
        KeyMode::Many,
        &[("{keys:,}", "keys do not go here", "put `{keys}` in the path, the query or the body")],
    );
    tells(
        post(r#"{"q": "in {keys}"}"#),
        KeyMode::Many,
        &[(
            "{keys}",
            "a text takes keys joined only",
            "write `{keys:,}`, or `\"{keys}\"` alone for an array",
        )],
    );
}

#[test]
fn bodies_that_are_none() {
    let none = KeyMode::None;
    let help = "a body is one `{..}`, or a JSON object or array whose strings may be templates";
    let message = |body| mistakes(post(body), none).first().map(|(_, message, _)| message.clone());
    for body in ["hello", "\"{args.x}\"", "42", "{args.a}{args.b}", ""] {
        assert!(message(body).is_some(), "{body}");
    }
    let unquoted = mistakes(post(r#"{"ids": {args.ids}}"#), none);
    assert!(unquoted[0].2.starts_with("put a value in quotes"), "{unquoted:?}");
    let doubled = mistakes(post(r#"{{"ids": "{args.ids}"}}"#), none);
    assert!(doubled[0].2.contains("are not doubled"), "{doubled:?}");
    let cut = mistakes(post(r#"{"ids": "{args.ids}""#), none);
    assert_eq!(cut[0].2, help);
    tells(
        Written { body: Some("{args}"), ..get("/") },
        none,
        &[("{args}", "a GET has no body", "write `method: POST`, or use the query")],
    );
    tells(
        post(r#"{"{args.x}": 1}"#),
        none,
        &[("1", "a property's name is no template", "only values may hold `{..}`")],
    );
    tells(post(r#"{"a": 1, "a": 2}"#), none, &[("2", "this property is written twice", "")]);
    tells(
        post(r#"{"a": "é{args.}", "b": "{arg.x}"}"#),
        none,
        &[
            (".", "a name must follow the dot", "leave the dot out to read the whole value"),
            ("{arg.x}", "nothing is called `arg` in a template", "did you mean `{args.x}`?"),
        ],
    );
    tells(
        post(r#"{"a": "\t{arg.x}"}"#),
        none,
        &[(r#""\t{arg.x}""#, "nothing is called `arg` in a template", "did you mean `{args.x}`?")],
    );
    tells(
        post("{args.l:,}"),
        none,
        &[("{args.l:,}", "a body is not joined text", "leave the separator out to send an array")],
    );
    tells(form("[1]"), none, &[("[1]", "a form is an object: its fields by name", "")]);
    tells(
        form(r#"{"a": [1]}"#),
        none,
        &[("[1]", "a form's field is text", "a list comes from a value: `\"{args.ids}\"`")],
    );
    tells(
        form("{keys}"),
        KeyMode::Many,
        &[("{keys}", "a form's keys need a name", r#"write `{"ids": "{keys}"}`"#)],
    );
}

#[test]
fn headers_that_are_the_gateways_own() {
    for name in ["Host", "content-length", "transfer-encoding", "connection", "te", "upgrade"] {
        let headers = &[(name, "x")];
        let message = format!("the header `{name}` is the gateway's own");
        tells(
            Written { headers, ..get("/") },
            KeyMode::None,
            &[(name, &message, "it belongs to the connection, not to the request")],
        );
    }
    let headers = &[("x a", "1"), ("{args.x}", "1"), ("x", "1"), ("X", "2"), ("y", "a\nb")];
    let told = mistakes(Written { headers, ..get("/") }, KeyMode::None);
    let messages: Vec<&str> = told.iter().map(|(_, message, _)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`x a` is no header name",
            "`{args.x}` is no header name",
            "this header is written twice",
            "this is one line without control characters",
        ]
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let written = Written {
        method: "POST",
        path: "/{arg.a}/x#?b={env.NONE}",
        headers: &[("host", "{thiss.x}")],
        body: Some("{}}"),
        encoding: BodyEncoding::Json,
    };
    assert!(mistakes(written, KeyMode::None).len() >= 6);
}

#[test]
fn key_paths_are_checked() {
    let tells = |text: &str, place: &str, message: &str, help: &str| {
        let error = KeyPath::parse(text).unwrap_err();
        let told = (text.get(error.span).unwrap(), error.message, error.help.unwrap_or_default());
        assert_eq!(told, (place, message.to_owned(), help.to_owned()));
    };
    tells("arg.id", "arg", "nothing is called `arg` in a key path", "did you mean `args.id`?");
    tells(
        "userId",
        "userId",
        "nothing is called `userId` in a key path",
        "`this.userId` is a property of the parent, `args.userId` an argument",
    );
    tells(
        "{this.id}",
        "{this.id}",
        "a key path has no braces",
        "write `this.userId`, not `{this.userId}`",
    );
    tells("args", "args", "`args` alone is no key", "name one of them, as in `args.id`");
    assert!(KeyPath::parse("").is_err() && KeyPath::parse("this.a b").is_err());
    assert!(KeyPath::parse("this").is_ok() && KeyPath::parse("answer[*]").is_ok());
}

#[test]
fn what_is_seldom_meant_is_warned_of() {
    let warned = |path: &str, mode| {
        let template = parse(get(path), mode).unwrap();
        let told = |warning: &Warning| {
            (path.get(warning.span.clone()).unwrap().to_owned(), warning.argument.is_some())
        };
        template.warnings().iter().map(told).collect::<Vec<_>>()
    };
    let argument = |text: &str| vec![(text.to_owned(), true)];
    assert_eq!(warned("/x?$filter=name eq '{args.x}'", KeyMode::None), argument("{args.x}"));
    assert_eq!(warned("/x?status=eq.{args.x}", KeyMode::None), argument("{args.x}"));
    assert_eq!(warned("/x?a={args.x}&b={args.y:,}&c=eq.{this.z}", KeyMode::None), []);
    assert_eq!(warned("/x/eq.{args.x}", KeyMode::None), []);
    let names = ["limit", "_limit", "page", "per_page", "offset", "first", "page[size]", "$top"];
    for name in names {
        let path = format!("/x?id={{keys}}&{name}={{args.n}}");
        assert_eq!(warned(&path, KeyMode::Many), [("{args.n}".to_owned(), false)], "{path}");
        let path = format!("/x?{name}={{args.n}}");
        assert_eq!(warned(&path, KeyMode::None), [], "{path}");
    }
    assert_eq!(warned("/x?id={keys}&status={args.n}", KeyMode::Many), []);
}

#[test]
fn references_are_told_in_order_with_their_part() {
    let written = Written {
        method: "POST",
        path: "/{this.a}/x?b={args.b:,}",
        headers: &[("x", "{claims.c}")],
        body: Some(r#"{"d": "{headers.x-d}", "e": ["<{args.e.f}>"]}"#),
        encoding: BodyEncoding::Json,
    };
    let mut template = parse(written, KeyMode::None).unwrap();
    let told = |template: &RequestTemplate| -> Vec<String> {
        let told = |(place, found): (Place, &Reference)| {
            format!("{place:?} {} {} {:?}", found.root.name(), found.path, found.join)
        };
        template.places().map(told).collect()
    };
    assert_eq!(
        told(&template),
        [
            "Segment this a None",
            "Parameter args b Some(',')",
            "Header(0) claims c None",
            "Json headers . None",
            "Text args e.f None",
        ]
    );
    let in_path: Vec<bool> =
        template.references().map(|(_, found)| template.is_in_path(found)).collect();
    assert_eq!(in_path, [true, false, false, false, false]);
    template.rename_args(&mut |path| Path::parse(&format!("wire.{path}")).unwrap());
    assert_eq!(told(&template)[4], "Text args wire.e.f None");
    assert_eq!(told(&template)[0], "Segment this a None");
    let template = parse(form(r#"{"a": "{args.a}"}"#), KeyMode::None).unwrap();
    assert_eq!(told(&template), ["Field args a None"]);
    let template = parse(form("{args}"), KeyMode::None).unwrap();
    assert_eq!(told(&template), ["Fields args . None"]);
}
