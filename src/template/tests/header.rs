//! Header templates.

use super::*;

#[test]
fn headers_are_rendered_in_order() {
    let with = With {
        args: r#"{"a": "x", "list": ["p", 1], "null": null}"#,
        claims: r#"{"sub": "me"}"#,
        headers: &[("accept-language", "de")],
        ..NOTHING
    };
    let written = [
        ("X-User", "{claims.sub}"),
        ("Authorization", "Bearer {env.TOKEN}"),
        ("x-list", "{args.list:,}"),
        ("x-none", "a{args.null}"),
        ("x-absent", "{headers.x-nothing}"),
        ("accept-language", "{headers.accept-language};q=0.9"),
        ("x-mix", "<{args.a}> {{ü}}"),
    ];
    let expected = [
        ("x-user", "me"),
        ("authorization", "Bearer s3cr3t/="),
        ("x-list", "p,1"),
        ("accept-language", "de;q=0.9"),
        ("x-mix", "<x> {ü}"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers(&written, with), Ok(expected.to_vec()));
}

#[test]
fn control_characters_are_refused() {
    for bad in ["a\\r\\nx-evil: 1", "a\\nb", "a\\u0000", "\\u007f", "\\u001b"] {
        let text = format!(r#"{{"a": "{bad}"}}"#);
        let error = Err(refused("argument `a` holds a control character"));
        assert_eq!(headers(&[("x", "v{args.a}")], args(&text)), error, "{bad}");
        let error = Err(bad_answer("`this.a` holds a control character"));
        assert_eq!(headers(&[("x", "{this.a}")], this(&text)), error, "{bad}");
        let error = Err(unauthenticated("a"));
        assert_eq!(headers(&[("x", "{claims.a}")], claims(&text)), error, "{bad}");
    }
    let with = args(r#"{"a": "\tü€😀"}"#);
    let sent = Ok(vec![("x".to_owned(), "\tü€😀".to_owned())]);
    assert_eq!(headers(&[("x", "{args.a}")], with), sent);
}

#[test]
fn a_list_must_be_joined_and_an_object_is_refused() {
    let with = args(r#"{"l": [1], "o": {}}"#);
    let error = Err(refused("argument `l` is a list, but part of a text"));
    assert_eq!(headers(&[("x", "{args.l}")], with), error);
    let error = Err(refused("argument `o` is no single value"));
    assert_eq!(headers(&[("x", "{args.o}")], with), error);
    assert_eq!(headers(&[("x", "{this.a}")], this("{}")), Err(RenderError::Null));
}

#[test]
fn an_identity_header_is_left_out_where_a_claim_is_missing() {
    let render = |text: &str, claims: Option<&str>| {
        let template = HeaderTemplate::parse(text, &environment).unwrap();
        let body = claims.map(json);
        let value = template.render(body.as_ref().map(Body::root))?;
        Ok(value.map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap()))
    };
    let sent = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(render("{claims.sub}", Some(r#"{"sub": 7}"#)), sent("7"));
    assert_eq!(render("u:{claims.sub}", Some(r#"{"sub": "x"}"#)), sent("u:x"));
    assert_eq!(render("{claims.roles:,}", Some(r#"{"roles": ["a", "b"]}"#)), sent("a,b"));
    assert_eq!(render("key {env.TOKEN}", None), sent("key s3cr3t/="));
    assert_eq!(render("u:{claims.sub}", None), Ok(None));
    assert_eq!(render("u:{claims.sub}", Some("{}")), Ok(None));
    assert_eq!(render("{claims.a}{claims.sub}", Some(r#"{"sub": null, "a": 1}"#)), Ok(None));
    for bad in [r#"{"sub": {}}"#, r#"{"sub": "a\nb"}"#, r#"{"sub": ["a"]}"#] {
        assert_eq!(render("{claims.sub}", Some(bad)), Err(unauthenticated("sub")), "{bad}");
    }
}

#[test]
fn an_identity_header_reads_claims_and_the_environment_only() {
    let message = |text: &str| {
        let errors = HeaderTemplate::parse(text, &environment).unwrap_err();
        errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(message("{args.x}"), ["`args` is not known here"]);
    assert_eq!(message("{headers.x-a}"), ["`headers` is not known here"]);
    assert_eq!(
        message("{headers.authorization}"),
        ["a template may not read the client's `authorization`"]
    );
    assert_eq!(message("{key}{env.NONE}").len(), 2);
}

#[test]
fn secrets_do_not_print() {
    let written =
        Written { headers: &[("authorization", "Bearer {env.TOKEN}")], ..get("/x?k={env.TOKEN}") };
    let rendered = rendered(written, NOTHING).unwrap();
    let request = rendered.finish(&[]).unwrap();
    let template = parse(written, KeyMode::None).unwrap();
    let identity = HeaderTemplate::parse("{env.TOKEN}", &environment).unwrap();
    let printed = format!("{rendered:?}{request:?}{template:?}{identity:?}{:?}", request.headers);
    assert!(!printed.contains("s3cr3t"), "{printed}");
}

#[test]
fn a_line_of_text_is_rendered_as_it_is() {
    let mut template =
        TextTemplate::parse("orders:{claims.sub}/{this.a} {args.x}", &environment).unwrap();
    let mut captures = Vec::new();
    template.bind_this(&mut captures);
    template.rename_args(&mut |_| Path::parse("wire").unwrap());
    assert_eq!(captures, [Path::parse("a").unwrap()]);
    assert_eq!(template.references().count(), 3);
    let (args, claims, parent) = (json(r#"{"wire": "&/?"}"#), json(r#"{"sub": 1}"#), json("true"));
    let headers = HeaderMap::new();
    let this = [Some(parent.root())];
    let values = Values {
        args: args.root(),
        this: &this,
        claims: Some(claims.root()),
        headers: &headers,
        key: None,
    };
    assert_eq!(template.render(&values), Ok(Some("orders:1/true &/?".to_owned())));
    let args = json("{}");
    assert!(template.render(&Values { args: args.root(), ..values }).is_err());
    assert!(TextTemplate::parse("{keys}", &environment).is_err());
}
