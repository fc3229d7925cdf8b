//! Known scalars: which URLs name them, and what is a value of each.

use apollo_compiler::ast::{FloatValue, IntValue};

use super::*;
use crate::json::Body;

#[test]
fn a_url_names_a_known_specification_in_each_of_its_spellings() {
    for (url, known) in [
        ("https://scalars.graphql.org/andimarek/date-time.html", Scalar::Text(Text::DateTime)),
        ("http://scalars.graphql.org/andimarek/date-time", Scalar::Text(Text::DateTime)),
        ("https://scalars.graphql.org/andimarek/local-date", Scalar::Text(Text::Date)),
        ("https://scalars.graphql.org/chillicream/decimal.html", Scalar::Number(Number::Decimal)),
        ("http://scalars.graphql.org/jakobmerrild/long.html", Scalar::Number(Number::Long)),
        ("https://www.rfc-editor.org/rfc/rfc3339#section-5.6", Scalar::Text(Text::DateTime)),
        ("https://datatracker.ietf.org/doc/html/rfc9562", Scalar::Text(Text::Uuid)),
        ("https://tools.ietf.org/html/rfc4122", Scalar::Text(Text::Uuid)),
        ("https://datatracker.ietf.org/doc/rfc3986/", Scalar::Text(Text::Url)),
        ("https://www.rfc-editor.org/rfc/rfc5321.txt", Scalar::Text(Text::EmailAddress)),
        ("https://scalars.graphql.org/andimarek/date-times", Scalar::Any),
        ("https://example.com/rfc3339", Scalar::Any),
        ("https://www.rfc-editor.org/rfc/rfc33390", Scalar::Any),
        ("rfc3339", Scalar::Any),
    ] {
        assert_eq!(Scalar::specified_by(url), known, "{url}");
    }
}

/// Whether a scalar takes a JSON value for its own. Of the same literal it must say the same.
fn holds(scalar: Scalar, json: &str) -> bool {
    let body = Body::parse(json.to_owned().into()).expect("JSON");
    let value = body.root();
    let literal = match (value.kind(), value.as_str(), value.as_number()) {
        (_, Some(text), _) => Literal::String(text.into_owned()),
        (_, _, Some(token)) if token.contains(['.', 'e', 'E']) => {
            Literal::Float(FloatValue::new_parsed(token))
        }
        (_, _, Some(token)) => Literal::Int(IntValue::new_parsed(token)),
        (Kind::Array, ..) => Literal::List(Vec::new()),
        (Kind::Object, ..) => Literal::Object(Vec::new()),
        _ => Literal::Boolean(json == "true"),
    };
    let held = scalar.holds(value);
    assert_eq!(scalar.holds_literal(&literal), held, "{scalar:?}: {json} as a literal");
    held
}

fn all(scalar: Scalar, right: &[&str], wrong: &[&str]) {
    for json in right {
        assert!(holds(scalar, json), "{scalar:?} is not {json}");
    }
    for json in wrong {
        assert!(!holds(scalar, json), "{scalar:?} is {json}");
    }
}

#[test]
fn a_date_time_is_one_of_rfc_3339() {
    all(
        Scalar::Text(Text::DateTime),
        &[
            r#""2024-03-01T10:15:00Z""#,
            r#""2024-02-29t23:59:59.123456789z""#,
            r#""1996-12-19T16:39:57-08:00""#,
            r#""1990-12-31T23:59:60Z""#,
            r#""1990-12-31T15:59:60-08:00""#,
            r#""1937-01-01T12:00:27.87+00:20""#,
            r#""2024-03-01T10:15:00\u005a""#,
            r#""0000-01-01T00:00:00-00:00""#,
            r#""1985-04-12t23:20:50.52z""#,
            r#""2024-03-01T10:15:00.123456789012Z""#,
            r#""2024-03-01T10:15:00.5+23:59""#,
            r#""2000-02-29T00:00:00Z""#,
            r#""2024-03-31T23:59:60.999Z""#,
            r#""9999-12-31T23:59:59-23:59""#,
            r#""9999-12-31T23:59:60Z""#,
        ],
        &[
            r#""2024-03-01""#,
            r#""2024-03-01T10:15:00""#,
            r#""2024-03-01T10:15Z""#,
            r#""2024-03-01 10:15:00Z""#,
            r#""2023-02-29T10:15:00Z""#,
            r#""1900-02-29T10:15:00Z""#,
            r#""2024-13-01T10:15:00Z""#,
            r#""2024-04-31T10:15:00Z""#,
            r#""2024-03-00T10:15:00Z""#,
            r#""2024-03-01T24:00:00Z""#,
            r#""2024-03-01T10:60:00Z""#,
            r#""2024-03-01T10:15:61Z""#,
            r#""2024-03-01T10:15:60Z""#,
            r#""2024-03-01T10:15:00.Z""#,
            r#""2024-03-01T10:15:00+24:00""#,
            r#""2024-03-01T10:15:00+01:60""#,
            r#""2024-03-01T10:15:00+0100""#,
            r#""2024-03-01T10:15:00ZZ""#,
            r#""2024-03-01T10:15:0é""#,
            r#""2024-03-01é10:15:00Z""#,
            r#""2024-03-01_10:15:00Z""#,
            r#""2024-03-01T10:15:00,5Z""#,
            r#""2024-03-01T10:15:00-24:00""#,
            r#""2024-03-01T10:15:00+01""#,
            r#""2024-03-01T10:15:00+01:00:00""#,
            r#""2024-03-01T10:15:00−01:00""#,
            r#""2024-03-01T10:15:00Z[UTC]""#,
            r#""2024-03-01T10:15:00 Z""#,
            r#"" 2024-03-01T10:15:00Z""#,
            r#""20240301T101500Z""#,
            r#""+02024-03-01T10:15:00Z""#,
            r#""2024-3-01T10:15:00Z""#,
            r#""1990-12-31T22:59:60Z""#,
            r#""1990-12-31T23:59:60-08:00""#,
            r#""1990-12-31T23:59:61Z""#,
            r#""1990-12-30T23:59:60Z""#,
            r#""""#,
            "1709288100",
            "true",
            "[]",
            "{}",
        ],
    );
}

#[test]
fn a_date_is_a_day_that_there_is() {
    all(
        Scalar::Text(Text::Date),
        &[r#""2024-02-29""#, r#""2000-02-29""#, r#""9999-12-31""#, r#""0000-01-01""#],
        &[
            r#""2023-02-29""#,
            r#""1900-02-29""#,
            r#""2024-13-01""#,
            r#""2024-00-01""#,
            r#""2024-01-00""#,
            r#""2024-2-9""#,
            r#""20240229""#,
            r#""2024-060""#,
            r#""2024-W09-4""#,
            r#""+2024-02-29""#,
            r#""-0001-02-01""#,
            r#""12024-02-29""#,
            r#"" 2024-02-29""#,
            r#""2024-02-29 ""#,
            r#""2024-02-29T""#,
            r#""2024-02-29Z""#,
            r#""2024-02-29T00:00:00Z""#,
            r#""2024-02-29T00:00:00""#,
            r#""""#,
            "20",
        ],
    );
}

#[test]
fn a_uuid_has_its_hyphens_in_place() {
    all(
        Scalar::Text(Text::Uuid),
        &[
            r#""f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#,
            r#""F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6""#,
            r#""00000000-0000-0000-0000-000000000000""#,
            r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#,
            r#""f81d4fae-7DEC-11d0-A765-00a0c91e6bf6""#,
        ],
        &[
            r#""f81d4fae7dec11d0a76500a0c91e6bf6""#,
            r#""f81d4fae-7dec-11d0-a765-00a0c91e6bfg""#,
            r#""{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}""#,
            r#""f81d4fae-7dec-11d0-a76500-a0c91e6bf6""#,
            r#""urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#,
            r#""f81d4fae-7dec-11d0-a765-00a0c91e6bf""#,
            r#""f81d4fae-7dec-11d0-a765-00a0c91e6bf6 ""#,
            r#""f81d4fae–7dec-11d0-a765-00a0c91e6b""#,
            r#""""#,
            "0",
        ],
    );
}

#[test]
fn a_decimal_is_a_number_or_a_string_that_is_one() {
    all(
        Scalar::Number(Number::Decimal),
        &[
            "12.50",
            "-0",
            "1e400",
            "9007199254740993.10",
            r#""12.50""#,
            r#""-1""#,
            r#""1E+2""#,
            r#""0.10e-7""#,
            r#""1\u00302""#,
        ],
        &[
            r#""12,50""#,
            r#""""#,
            r#""+1""#,
            r#""01""#,
            r#""1.""#,
            r#"".5""#,
            r#""1e""#,
            r#"" 1""#,
            r#""1 ""#,
            r#""1e+""#,
            r#""-""#,
            r#""-01""#,
            r#""1.5.5""#,
            r#""0x1""#,
            r#""1_000""#,
            r#""NaN""#,
            r#""Infinity""#,
            "true",
        ],
    );
}

#[test]
fn a_long_is_whole_and_of_64_bits() {
    all(
        Scalar::Number(Number::Long),
        &[
            "0",
            "-0",
            "-9223372036854775808",
            "9223372036854775807",
            r#""-9223372036854775808""#,
            r#""9223372036854775807""#,
            r#""9007199254740993""#,
        ],
        &[
            "9223372036854775808",
            "-9223372036854775809",
            r#""9223372036854775808""#,
            r#""-9223372036854775809""#,
            "1.0",
            "1e3",
            r#""1.0""#,
            r#""""#,
            r#""+1""#,
            r#""007""#,
            r#""1 ""#,
            "null",
            "[1]",
        ],
    );
}

#[test]
fn a_url_is_one_of_rfc_3986_with_a_scheme() {
    all(
        Scalar::Text(Text::Url),
        &[
            r#""https://example.com""#,
            r#""https://user:pass@example.com:8080/a%20b?q=1&r=/?#top""#,
            r#""http://[2001:db8::7]:80/""#,
            r#""mailto:ada@example.com""#,
            r#""urn:isbn:0451450523""#,
            r#""file:///etc/hosts""#,
            r#""https:\/\/example.com\/a""#,
            r#""HTTPS://EXAMPLE.COM""#,
            r#""https://example.com:""#,
            r#""https://example.com:99999/""#,
            r#""https://a%41.example/%7Eada/?a=%20#b%20""#,
            r#""http://256.256.256.256/""#,
            r#""http://[::ffff:192.0.2.1]/""#,
            r#""http://[v1.a:b]/""#,
            r#""file:""#,
            r#""mailto:""#,
            r#""a+b-c.1:x""#,
        ],
        &[
            r#""/orders/1""#,
            r#""example.com/a""#,
            r#""https://""#,
            r#""https:example.com""#,
            r#""https://exa mple.com""#,
            r#""https://example.com/a b""#,
            r#""https://example.com/%zz""#,
            r#""https://example.com/%4""#,
            r#""https://example.com:port/""#,
            r#""http://[2001:db8::g]/""#,
            r#""http://[::1""#,
            r#""https://example.com/#a#b""#,
            r#""1https://example.com""#,
            r#""https://exämple.com""#,
            r#""https://example.com/ä""#,
            r#""https://example.com/%""#,
            r##""https://example.com/##""##,
            r#""https://example.com/a\tb""#,
            r#""https://example.com/a\\b""#,
            r#""https://example.com/a|b""#,
            r#""https://example.com/{id}""#,
            r#""https://example.com/[a]""#,
            r#""https://example.com/?[a]""#,
            r#""https:///a""#,
            r#""https://:80/""#,
            r#""https://user@/""#,
            r#""https://user@:80/""#,
            r#""HTTP:///a""#,
            r#""http:/example.com""#,
            r#""https://a@b@example.com/""#,
            r#""https://a:b:c/""#,
            r#""https://example.com:-1/""#,
            r#""http://::1/""#,
            r#""http://[::1]a/""#,
            r#""http://[fe80::1%25eth0]/""#,
            r#""http://[fe80::1%eth0]/""#,
            r#""http://[1:2:3:4:5:6:7]/""#,
            r#""//example.com/a""#,
            r#""a_b:c""#,
            r#""""#,
            "7",
        ],
    );
}

#[test]
fn an_email_address_has_a_mailbox_and_a_domain() {
    let address = |local: usize, domain: &[usize]| {
        let labels: Vec<_> = domain.iter().map(|length| "b".repeat(*length)).collect();
        format!("\"{}@{}\"", "a".repeat(local), labels.join("."))
    };
    all(
        Scalar::Text(Text::EmailAddress),
        &[
            r#""ada@example.com""#,
            r#""a.b+c@x-y.example.co""#,
            r#""o'neil@localhost""#,
            r#""!#$%&'*+-/=?^_`{|}~@example.com""#,
            r#""ada@192.0.2.1""#,
            r#""Ada@EXAMPLE.com""#,
            &address(64, &[7, 3]),
            &address(1, &[63, 3]),
            &address(64, &[63, 63, 61]),
        ],
        &[
            r#""ada""#,
            r#""@example.com""#,
            r#""ada@""#,
            r#""ada@-x.com""#,
            r#""ada@x-.com""#,
            r#""ada@x..com""#,
            r#""ada@.com""#,
            r#""ada@example.com.""#,
            r#"".ada@example.com""#,
            r#""ada.@example.com""#,
            r#""a..b@example.com""#,
            r#""a b@example.com""#,
            r#""a@b@example.com""#,
            r#""a,b@example.com""#,
            r#""ada@example.com ""#,
            r#""ada@exa_mple.com""#,
            r#""ada@exa!mple.com""#,
            r#""\"ada\"@example.com""#,
            r#""\"a@b\"@example.com""#,
            r#""ada@[192.0.2.1]""#,
            r#""ada@[IPv6:::1]""#,
            r#""adä@example.com""#,
            r#""ada@exämple.com""#,
            r#""Ada <ada@example.com>""#,
            r#""<ada@example.com>""#,
            &address(65, &[7, 3]),
            &address(1, &[64, 3]),
            &address(64, &[63, 63, 62]),
            "7",
        ],
    );
}
