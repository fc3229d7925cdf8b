//! CEL expressions.

#![expect(clippy::too_many_lines, reason = "a table of cases is as long as it is")]

use proptest::prelude::*;

use super::*;

struct Given<'t> {
    args: &'t str,
    this: &'t str,
    claims: Option<&'t str>,
    answer: Option<&'t str>,
}

const GIVEN: Given<'static> = Given {
    args: r#"{"n": 3, "s": "é", "none": null, "list": [1, 2, 3]}"#,
    this: r#"{"first": "Ada", "last": "L", "total": 1250, "rate": 0.5, "whole": 2.0,
        "big": 18446744073709551615, "huge": 123456789012345678901234567890,
        "ok": true, "none": null,
        "address": {"city": "Ulm", "zip": null}, "odd.name": 1, "tags": ["a", "b"],
        "items": [{"p": 2, "n": 3}, {"p": 5, "n": 1}]}"#,
    claims: Some(r#"{"sub": "me", "roles": ["admin"]}"#),
    answer: Some(r#"{"rows": [{"id": 1}], "count": 1}"#),
};

fn with_values<T>(
    text: &str,
    given: &Given<'_>,
    use_it: impl FnOnce(&Expression, &ComputedValues<'_>) -> T,
) -> T {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let this = expression.references().iter().filter(|read| read.root == Root::This);
    let (args, parent) = (json(given.args), json(given.this));
    let claims = given.claims.map(json);
    let answer = given.answer.map(json);
    let this: Vec<_> = this.map(|read| read.path.eval(parent.root())).collect();
    let values = ComputedValues {
        args: args.root(),
        this: &this,
        claims: claims.as_ref().map(Body::root),
        answer: answer.as_ref().map(Body::root),
    };
    use_it(&expression, &values)
}

fn evaluate_with(text: &str, given: &Given<'_>) -> Result<String, String> {
    with_values(text, given, |expression, values| {
        expression.evaluate(values).map(|json| String::from_utf8(json).unwrap())
    })
}

#[track_caller]
fn gives(text: &str, expected: &str) {
    assert_eq!(evaluate_with(text, &GIVEN), Ok(expected.to_owned()), "{text}");
}

#[test]
fn an_expression_gives_json() {
    gives("this.first + ' ' + this.last", "\"Ada L\"");
    gives("this.total / 100", "12");
    gives("this.total * args.n", "3750");
    gives("double(this.total) / 100.0", "12.5");
    gives("this.rate * this.whole", "1.0");
    gives("this.whole", "2.0");
    gives("this.big", "18446744073709551615");
    gives("1e300 * 10.0", "1e301");
    gives("this.ok && !this.ok", "false");
    gives("null", "null");
    gives("this.tags + ['c']", r#"["a","b","c"]"#);
    gives("this.items.map(i, i.p * i.n)", "[6,5]");
    gives("this.items.filter(i, i.p > 2)", r#"[{"n":1,"p":5}]"#);
    gives("{'z': 1, 'a': [args.s, \"\\\"\\n\"]}", r#"{"a":["é","\"\n"],"z":1}"#);
    gives("this.address", r#"{"city":"Ulm","zip":null}"#);
    gives("size(this.tags) == 2 && 'a' in this.tags", "true");
    gives("this['odd.name'] + 1", "2");
    gives("this.address['city']", "\"Ulm\"");
    gives("this.items[1].p", "5");
    gives("claims.sub in ['me'] && 'admin' in claims.roles", "true");
    gives("answer.rows[0].id + answer.count", "2");
    gives("this.first.matches('^A.a$') && this.first.startsWith('A')", "true");
    gives("this.first.lowerAscii().replace('a', '-')", "\"-d-\"");
    gives("this.tags.join(', ')", "\"a, b\"");
    gives("math.greatest(args.list) + math.abs(-1)", "4");
    gives("type(this.total) == int && type(this.first) == string", "true");
    gives("string(this.total) + args.s", "\"1250é\"");
    gives("args.list.all(x, args.list.exists(y, y == x))", "true");
    gives("this.ok ? 'yes' : 'no'", "\"yes\"");
}

#[test]
fn what_is_absent_reads_as_null() {
    gives("this.nick", "null");
    gives("this.nick == null ? this.first : this.nick", "\"Ada\"");
    gives("this.nick.deep.deeper == null", "true");
    gives("this.none.deep == null", "true");
    gives("this.address.street == null", "true");
    gives(
        "this.address == null ? 'none' : this.address.street == null ? 'no street' : 'x'",
        "\"no street\"",
    );
    gives("this.address.zip == null", "true");
    gives("args.absent == null && args.none == null", "true");
    gives("claims.absent == null", "true");
    gives("answer.absent.deep == null", "true");
    gives("size(this) > 5 && this.nick == null", "true");
    let anonymous = Given { claims: None, answer: None, ..GIVEN };
    assert_eq!(evaluate_with("claims.sub == null", &anonymous), Ok("true".to_owned()));
    assert_eq!(evaluate_with("claims == null", &anonymous), Ok("true".to_owned()));
    assert_eq!(evaluate_with("answer.rows", &anonymous), Ok("null".to_owned()));
}

#[test]
fn has_tells_absent_from_there() {
    gives("has(this.nick)", "false");
    gives("has(this.first)", "true");
    gives("has(this.none)", "true");
    gives("has(this.address.city) && !has(this.address.street)", "true");
    gives("has(this.nope.deep)", "false");
    gives("has(this.nick) ? this.nick : this.first", "\"Ada\"");
    gives("has(this.address) && this.address.city == 'Ulm'", "true");
    gives("has(this.nope) && this.nope.city == 'Ulm'", "false");
    gives("has(args.n) && !has(args.absent) && !has(claims.x)", "true");
}

#[test]
fn a_property_is_the_same_by_name_and_by_index_and_a_loop_has_names_of_its_own() {
    for (name, index) in [
        ("this.total + 1", "this['total'] + 1"),
        ("this.address.city", "this['address'].city"),
        ("this.address.zip", "this.address['zip']"),
        ("this.none.deep", "this['none'].deep"),
        ("this.nope.deep.er", "this['nope'].deep.er"),
        ("this.first.size() + this.tags.size()", "this['first'].size() + this.tags.size()"),
        ("this.items.map(i, i.p)", "this['items'].map(i, i.p)"),
        ("this.address.city + string(this.address)", "this['address'].city + string(this.address)"),
        ("[this.address, this.address.city]", "[this['address'], this.address.city]"),
    ] {
        assert_eq!(evaluate_with(name, &GIVEN), evaluate_with(index, &GIVEN), "{name}");
    }
    gives("args.list.map(this, this + 1)", "[2,3,4]");
    gives("[{'total': 1}].map(this, this.total)[0] + this.total", "1251");
}

#[test]
fn only_what_is_read_is_asked_for() {
    let reads = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        let told = |found: &ExpressionReference| {
            format!("{} {} {}", found.root.name(), found.path, &text[found.span.clone()])
        };
        expression.references().iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(reads("this.a.b + args.c"), ["args c args", "this a.b this"]);
    assert_eq!(reads("this.a + this.a.b + this.a"), ["this a this"]);
    assert_eq!(reads("this.items[0].p"), ["this items this"]);
    assert_eq!(reads("this['odd.name'].x"), ["this ['odd.name'].x this"]);
    assert_eq!(reads("this[args.k]"), ["this . this", "args k args"]);
    assert_eq!(reads("this.map(k, k)"), ["this . this"]);
    assert_eq!(reads("size(this) + this.a"), ["this . this"]);
    assert_eq!(reads("has(this.a.b)"), ["this a.b this"]);
    assert_eq!(reads("args.l.map(this, this.x)"), ["args l args"]);
    assert_eq!(reads("'é' + this.a"), ["this a this"]);
    assert_eq!(reads("1 + 1"), [""; 0]);
}

#[test]
fn an_expression_without_a_value_says_why() {
    let fails = |text: &str| evaluate_with(text, &GIVEN).unwrap_err();
    assert!(fails("this.total / 0").contains("zero"));
    assert!(fails("this.first + 1").contains("Unsupported"));
    assert!(fails("this.nick + 'x'").contains("Unsupported"));
    assert!(fails("9223372036854775807 + args.n").contains("Overflow"));
    assert!(fails("-9223372036854775807 - 2").contains("Overflow"));
    assert_eq!(fails("1.0 / 0.0"), "inf is no JSON number");
    assert_eq!(fails("{1: 2}"), "the result has the key 1, which is no string");
    assert_eq!(fails("b'a'"), "the result is of type bytes, which is no JSON");
    assert!(fails("this.tags[7]").contains("bounds"));
    assert!(fails("answer.rows.map(r, r.nope)").contains("No such key"));
    gives("type(1)", "\"int\"");
    gives("this.huge", "1.2345678901234568e29");
}

#[test]
fn a_condition_must_be_a_boolean() {
    let holds = |text: &str, given: &Given<'_>| {
        with_values(text, given, |expression, values| expression.holds(values))
    };
    assert_eq!(holds("claims.sub == 'me'", &GIVEN), Ok(true));
    assert_eq!(holds("this.ok == false", &GIVEN), Ok(false));
    assert!(holds("claims.sub", &GIVEN).is_err());
    assert!(holds("this.nick", &GIVEN).is_err());
    let anonymous = Given { claims: None, ..GIVEN };
    assert_eq!(holds("claims.sub == 'me'", &anonymous), Ok(false));
}

#[test]
fn mistakes_are_found_at_start() {
    let tells = |text: &str| {
        let error = match Expression::parse(text) {
            Ok(_) => panic!("{text} was taken"),
            Err(error) => error,
        };
        let place = text.get(error.span.clone()).unwrap_or_else(|| panic!("{text}: {error:?}"));
        (place.to_owned(), error.message, error.help.unwrap_or_default())
    };
    let told = |place: &str, message: &str, help: &str| {
        (place.to_owned(), message.to_owned(), help.to_owned())
    };
    assert_eq!(
        tells("'é' + thi.x"),
        told("thi", "nothing is called `thi` in an expression", "did you mean `this`?")
    );
    assert_eq!(
        tells("userId == 1"),
        told(
            "userId",
            "nothing is called `userId` in an expression",
            "`this.userId` is a property of the object around, `args.userId` an argument"
        )
    );
    let (_, message, help) = tells("this.a.startWith('x')");
    assert_eq!(
        (&*message, &*help),
        ("there is no function `startWith` here", "did you mean `startsWith`?")
    );
    for text in ["timestamp('x')", "lists.range(9)", "'%s'.format([1])", "optional.of(1)", "foo(1)"]
    {
        assert!(tells(text).1.starts_with("there is no function"), "{text}");
    }
    let (place, message, _) = tells("this.a.matches(args.p)");
    assert!(message == "the pattern of `matches` must be written out", "{place} {message}");
    assert_eq!(tells("matches(this.a, this.b)").1, "the pattern of `matches` must be written out");
    assert!(tells("this.a.matches('(')").1.starts_with("this is no regular expression: "));
    assert_eq!(
        tells("this.a.replace('a', args.p)").1,
        "the replacement of `replace` must be written out"
    );
    assert_eq!(tells("this.a.join(args.p)").1, "the separator of `join` must be written out");
    let nested = "args.a.map(a, args.a.map(b, args.a.map(c, 1)))";
    assert_eq!(tells(nested).1, "more than 2 loops within each other");
    assert!(Expression::parse("args.a.map(a, args.a.map(b, 1)) + args.a.map(c, 1)").is_ok());
    assert_eq!(tells("Foo{a: 1}").1, "there are no message types here");
    let (place, message, _) = tells("'éé' + )");
    assert_eq!(place, ")");
    assert_eq!(message, "this is no CEL: `)` cannot stand here");
    assert_eq!(tells("1 +\n  'é' + #").0, "#");
    for text in ["", "this.", "this.a +", "(", "'", "a b", "this.?a", "\u{1}", "{", "é"] {
        assert!(!tells(text).1.is_empty(), "{text}");
    }
}

#[test]
fn long_and_deep_expressions_are_refused_not_suffered() {
    for text in [
        "(".repeat(4000),
        "1+".repeat(4000) + "1",
        "1+".repeat(40_000) + "1",
        format!("{}1{}", "[".repeat(3000), "]".repeat(3000)),
        format!("this{}", ".a".repeat(4000)),
        "true?1:".repeat(1000) + "1",
        format!("this{}", "[0]".repeat(2000)),
        format!("this{}", "['a']".repeat(1000)),
        format!("this{}", ".size()".repeat(1000)),
        "a.b(".repeat(2000),
        "[].map(a,".repeat(800),
        "1+".repeat(64) + "1",
    ] {
        let start: String = text.chars().take(20).collect();
        assert!(Expression::parse(&text).is_err(), "{start}");
    }
    for text in [
        "!".repeat(8000) + "true",
        "true&&".repeat(1000) + "true",
        "1+".repeat(60) + "1",
        format!("[{}1]", "1,".repeat(4000)),
    ] {
        let start: String = text.chars().take(20).collect();
        assert!(evaluate_with(&text, &GIVEN).is_ok(), "{start}");
    }
}

#[test]
fn deep_values_are_refused_not_suffered() {
    let deep = format!("{}1{}", "[".repeat(126), "]".repeat(126));
    let deep = format!(r#"{{"a": {deep}}}"#);
    let given = Given { args: &deep, ..GIVEN };
    assert!(evaluate_with("args.a", &given).is_ok());
    let deeper = format!("args.a.map(x, {}x{})", "[".repeat(44), "]".repeat(44));
    assert!(evaluate_with(&deeper, &given).is_err());
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Expression>();
    shared::<RequestTemplate>();
    shared::<Rendered>();
    shared::<HeaderTemplate>();
}

/// Expressions that are mostly well-formed, and seldom well-typed.
fn expressions() -> impl Strategy<Value = String> {
    let leaves = proptest::sample::select(vec![
        "this",
        "args",
        "claims",
        "answer",
        "this.a",
        "this.s",
        "args.a.a",
        "args['é']",
        "x",
        "1",
        "0",
        "1u",
        "-1",
        "1.5",
        "1e308",
        "'x'",
        "'é'",
        "''",
        "b'x'",
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "9223372036854775807",
        "-9223372036854775808",
        "has(this.a)",
        "has(args.a.b)",
        "@",
        "(",
    ]);
    let around = proptest::sample::select(vec![
        "$ + $",
        "$ - $",
        "$ * $",
        "$ / $",
        "$ % $",
        "$ == $",
        "$ < $",
        "$ >= $",
        "$ in $",
        "$ ? $ : $",
        "$ && $",
        "$ || $",
        "!$",
        "-$",
        "($)",
        "[$, $]",
        "{'k': $}",
        "{$: $}",
        "$[$]",
        "$.a",
        "$.size()",
        "$.map(x, $)",
        "$.filter(x, $)",
        "$.all(x, $)",
        "$.exists(x, $)",
        "$.exists_one(x, $)",
        "$.map(x, $, $)",
        "size($)",
        "int($)",
        "uint($)",
        "double($)",
        "string($)",
        "bool($)",
        "bytes($)",
        "dyn($)",
        "type($)",
        "math.abs($)",
        "math.sqrt($)",
        "math.greatest($, $)",
        "math.least($)",
        "math.sign($)",
        "math.round($)",
        "math.isNaN($)",
        "$.matches('a+|é')",
        "$.split($)",
        "$.split('', $)",
        "$.join('-')",
        "$.join()",
        "$.trim()",
        "$.substring($)",
        "$.substring($, $)",
        "$.charAt($)",
        "$.indexOf('x', $)",
        "$.reverse()",
        "$.lastIndexOf('x', $)",
        "$.replace('', 'y')",
        "$.replace($, 'y', $)",
        "$.contains($)",
        "$.startsWith($)",
        "$.lowerAscii()",
        "strings.quote($)",
    ]);
    leaves.prop_map(str::to_owned).prop_recursive(5, 24, 3, move |inner| {
        (around.clone(), proptest::collection::vec(inner, 3)).prop_map(|(around, inner)| {
            let mut inner = inner.into_iter();
            let fill = |part: &str| format!("{part}{}", inner.next().unwrap_or_default());
            let parts: Vec<&str> = around.split('$').collect();
            match parts.split_last() {
                Some((last, parts)) => parts.iter().copied().map(fill).collect::<String>() + last,
                None => String::new(),
            }
        })
    })
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn no_expression_is_too_odd_to_be_parsed_or_evaluated(
        text in expressions(),
        value in proptest::sample::select(vec![
            "null", "1", "-9223372036854775808", "18446744073709551615", "0.5", "\"éx\"", "true",
            "[]", "[1, \"x\", null]", r#"{"a": 1}"#, r#"{"a": {"a": [0]}, "s": "x", "é": 1e400}"#,
        ]),
    ) {
        match Expression::parse(&text) {
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some(), "{text:?} {error:?}");
                prop_assert!(error.message != "this cannot be read as CEL", "{text:?}");
            }
            Ok(expression) => {
                let value = json(value);
                let this = expression.references().iter().filter(|read| read.root == Root::This);
                let this: Vec<_> = this.map(|read| read.path.eval(value.root())).collect();
                let values = ComputedValues {
                    args: value.root(),
                    this: &this,
                    claims: Some(value.root()),
                    answer: None,
                };
                if let Ok(result) = expression.evaluate(&values) {
                    prop_assert!(Body::parse(result.into()).is_ok(), "{text:?}");
                }
            }
        }
    }
}
