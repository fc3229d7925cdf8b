//! Who gets in: bearer tokens as a table, what becomes of one that is valid, and what upstreams are
//! told of its caller.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey};
use onedoor::cache::Clock;
use onedoor::config::{Config, FixedEnv, Problems};
use onedoor::failure::Code;
use onedoor::identity::{
    Authenticator, ClientHeaders, Error, Identity, Outbound, ReadClaims, Reason, Refusal, mint,
};
use onedoor::json::Path;
use serde_json::{Map, Value, json};

const SECRET: &str = "one secret of sixty-four bytes or more, as HS512 would like to have";
const OTHER: &str = "another secret of sixty-four bytes or more, of somebody else's own!";
const NOW: u64 = 1_800_000_000;

fn config(auth: &str, users: &str) -> Config {
    let upstream = format!("url = \"http://127.0.0.1:1\"\n{users}");
    let files = [("onedoor.toml", auth), ("upstreams/users.toml", &upstream)];
    let env = FixedEnv::new().with_variable("SECRET", SECRET).with_variable("OTHER", OTHER);
    let (config, problems) = Config::from_texts(files, &env).finish();
    config.unwrap_or_else(|| panic!("{:?}", problems.iter().collect::<Vec<_>>()))
}

fn authenticator(auth: &str) -> Authenticator {
    at(UNIX_EPOCH + Duration::from_secs(NOW), auth, ReadClaims::default())
}

fn at(now: SystemTime, auth: &str, read: ReadClaims) -> Authenticator {
    Authenticator::new(&config(auth, "").auth, read).with_clock(Clock::told(move || now))
}

/// One issuer, as plainly as it can be set.
const PLAIN: &str = r#"
    [[auth.jwt]]
    secret = "${SECRET}"
    algorithms = ["HS256", "HS512"]
    leeway = "10s"
"#;

/// One issuer with a name and audiences.
const NAMED: &str = r#"
    [[auth.jwt]]
    issuer = "https://id.example"
    audience = ["shop", "till"]
    secret = "${SECRET}"
"#;

/// Two issuers with keys of their own.
const TWO: &str = r#"
    [[auth.jwt]]
    issuer = "one"
    secret = "${SECRET}"
    [[auth.jwt]]
    issuer = "two"
    secret = "${OTHER}"
    algorithms = ["HS384"]
"#;

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = |chunk: &[u8]| {
        let number = (0..3).fold(0, |n, at| n << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digits = (0..=chunk.len()).map(move |at| (number >> (18 - 6 * at)) as usize & 63);
        digits.map(|digit| char::from(ALPHABET[digit])).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

/// A token of any header and payload, signed properly.
fn signed(header: &str, payload: &str, secret: &str, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm);
    format!("{message}.{}", signature.expect("HMAC takes any key"))
}

fn hs256(header: &str, payload: &str) -> String {
    signed(header, payload, SECRET, Algorithm::HS256)
}

/// A token with this payload, all else in order.
fn with(payload: &str) -> String {
    hs256(r#"{"alg":"HS256","typ":"JWT"}"#, payload)
}

/// A token with this header, all else in order.
fn under(header: &str) -> String {
    hs256(header, &ada())
}

fn ada() -> String {
    format!(r#"{{"sub":"ada","exp":{}}}"#, NOW + 60)
}

fn ask(authenticator: &Authenticator, values: &[&str]) -> Result<Identity, Reason> {
    let mut headers = HeaderMap::new();
    for value in values {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
        headers.append(AUTHORIZATION, value);
    }
    identify(authenticator, &headers)
}

/// With a key of the settings nothing is waited for.
fn identify(authenticator: &Authenticator, headers: &HeaderMap) -> Result<Identity, Reason> {
    let identified = authenticator.authenticate(headers, tokio::time::Instant::now());
    identified.now_or_never().expect("no wait").map_err(|error| match error {
        Error::Refused(Refusal(reason)) => reason,
        Error::NoKeys => panic!("the key is in the settings"),
    })
}

/// Each of these is refused for its reason, where a good token is not.
fn refused(table: &[(&str, String, Reason)]) {
    let authenticator = authenticator(PLAIN);
    let good = format!("Bearer {}", with(&ada()));
    assert!(ask(&authenticator, &[&good]).is_ok(), "else the table shows nothing");
    for (case, value, reason) in table {
        assert_eq!(ask(&authenticator, &[value]).expect_err(case), *reason, "{case}");
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn an_authorization_header_that_is_no_bearer_token_keeps_its_caller_out() {
    let good = with(&ada());
    refused(&[
        ("empty", String::new(), Reason::NotBearer),
        ("the scheme alone", "Bearer".to_owned(), Reason::NotBearer),
        ("no token", "Bearer ".to_owned(), Reason::NotBearer),
        ("only spaces", "Bearer    ".to_owned(), Reason::NotBearer),
        ("another scheme", format!("Basic {good}"), Reason::NotBearer),
        ("no scheme", good.clone(), Reason::NotBearer),
        ("a tab after the scheme", format!("Bearer\t{good}"), Reason::NotBearer),
        ("a tab before the token", format!("Bearer \t{good}"), Reason::Malformed),
        ("a space before the scheme", format!(" Bearer {good}"), Reason::NotBearer),
        ("a space after the token", format!("Bearer {good} x"), Reason::Malformed),
        ("two tokens", format!("Bearer {good}, Bearer {good}"), Reason::Malformed),
        ("not ASCII", "Bearer é".to_owned(), Reason::NotBearer),
        ("a megabyte", bearer(&"a".repeat(1 << 20)), Reason::TooLong),
        ("a megabyte of dots", bearer(&".".repeat(1 << 20)), Reason::TooLong),
    ]);
}

#[test]
fn a_token_of_another_form_keeps_its_caller_out() {
    let good = with(&ada());
    let (message, signature) = good.rsplit_once('.').expect("a signature");
    let (header, payload) = message.split_once('.').expect("a payload");
    refused(&[
        ("garbage", bearer("garbage"), Reason::Malformed),
        ("dots", bearer(".."), Reason::Malformed),
        ("two parts", bearer(message), Reason::Malformed),
        ("no signature", bearer(&format!("{message}.")), Reason::Malformed),
        ("four parts", bearer(&format!("{good}.x")), Reason::Malformed),
        ("five parts (JWE)", bearer(&format!("{good}.x.y")), Reason::Malformed),
        ("padding", bearer(&format!("{message}.{signature}=")), Reason::Malformed),
        (
            "base64 of the other sort",
            bearer(&format!("{header}.{payload}.ab+/")),
            Reason::Malformed,
        ),
        ("header not base64", bearer(&format!("!.{payload}.{signature}")), Reason::Malformed),
    ]);
}

#[test]
fn a_token_whose_header_is_odd_keeps_its_caller_out() {
    let good = with(&ada());
    let (message, signature) = good.rsplit_once('.').expect("a signature");
    let (_, payload) = message.split_once('.').expect("a payload");
    refused(&[
        ("header not JSON", bearer(&under("alg: HS256")), Reason::BadHeader),
        ("header a list", bearer(&under(r#"["HS256"]"#)), Reason::BadHeader),
        (
            "header not UTF-8",
            bearer(&format!("{}.{payload}.{signature}", base64url(b"{\"\xff\":1}"))),
            Reason::BadHeader,
        ),
        (
            "header twice over",
            bearer(&under(r#"{"alg":"HS256"}{"alg":"HS256"}"#)),
            Reason::BadHeader,
        ),
        ("alg twice", bearer(&under(r#"{"alg":"HS256","alg":"HS256"}"#)), Reason::BadHeader),
        (
            "alg twice, once escaped",
            bearer(&under(r#"{"alg":"HS256","\u0061lg":"none"}"#)),
            Reason::BadHeader,
        ),
        ("no alg", bearer(&under(r#"{"typ":"JWT"}"#)), Reason::Algorithm),
        ("alg null", bearer(&under(r#"{"alg":null}"#)), Reason::Algorithm),
        ("alg a list", bearer(&under(r#"{"alg":["HS256"]}"#)), Reason::Algorithm),
        ("alg none", bearer(&under(r#"{"alg":"none"}"#)), Reason::Algorithm),
        ("alg None", bearer(&under(r#"{"alg":"None"}"#)), Reason::Algorithm),
        (
            "alg none, unsigned",
            bearer(&format!("{}.{payload}.", base64url(br#"{"alg":"none"}"#))),
            Reason::Malformed,
        ),
        ("alg in lower case", bearer(&under(r#"{"alg":"hs256"}"#)), Reason::Algorithm),
        ("alg asymmetric", bearer(&under(r#"{"alg":"RS256"}"#)), Reason::Algorithm),
        ("alg EdDSA", bearer(&under(r#"{"alg":"EdDSA"}"#)), Reason::Algorithm),
        (
            "alg not listed",
            bearer(&signed(r#"{"alg":"HS384"}"#, &ada(), SECRET, Algorithm::HS384)),
            Reason::Algorithm,
        ),
        (
            "crit",
            bearer(&under(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#)),
            Reason::NotUnderstood,
        ),
        ("crit, empty", bearer(&under(r#"{"alg":"HS256","crit":[]}"#)), Reason::NotUnderstood),
        ("enc", bearer(&under(r#"{"alg":"HS256","enc":"A128GCM"}"#)), Reason::NotUnderstood),
        ("zip", bearer(&under(r#"{"alg":"HS256","zip":"DEF"}"#)), Reason::NotUnderstood),
        ("b64", bearer(&under(r#"{"alg":"HS256","b64":false}"#)), Reason::NotUnderstood),
        (
            "another typ",
            bearer(&under(r#"{"alg":"HS256","typ":"dpop+jwt"}"#)),
            Reason::NotUnderstood,
        ),
        ("typ a number", bearer(&under(r#"{"alg":"HS256","typ":1}"#)), Reason::NotUnderstood),
    ]);
}

#[test]
fn a_token_that_somebody_else_signed_keeps_its_caller_out() {
    let good = with(&ada());
    let (message, signature) = good.rsplit_once('.').expect("a signature");
    let (header, _) = message.split_once('.').expect("a payload");
    refused(&[
        (
            "another's key",
            bearer(&signed(r#"{"alg":"HS256"}"#, &ada(), OTHER, Algorithm::HS256)),
            Reason::Signature,
        ),
        (
            "an empty key",
            bearer(&signed(r#"{"alg":"HS256"}"#, &ada(), "", Algorithm::HS256)),
            Reason::Signature,
        ),
        (
            "a key of its own (jwk)",
            bearer(&signed(
                r#"{"alg":"HS256","jwk":{"kty":"oct","k":""}}"#,
                &ada(),
                "",
                Algorithm::HS256,
            )),
            Reason::Signature,
        ),
        (
            "keys from elsewhere (jku)",
            bearer(&signed(
                r#"{"alg":"HS256","jku":"http://127.0.0.1:1/"}"#,
                &ada(),
                OTHER,
                Algorithm::HS256,
            )),
            Reason::Signature,
        ),
        (
            "a key's name that is a path",
            bearer(&signed(
                r#"{"alg":"HS256","kid":"../../dev/null"}"#,
                &ada(),
                "",
                Algorithm::HS256,
            )),
            Reason::Signature,
        ),
        (
            "another algorithm than it says",
            bearer(&signed(r#"{"alg":"HS512"}"#, &ada(), SECRET, Algorithm::HS256)),
            Reason::Signature,
        ),
        (
            "another payload",
            bearer(&format!(
                "{header}.{}.{signature}",
                base64url(br#"{"sub":"eve","exp":9999999999}"#)
            )),
            Reason::Signature,
        ),
        (
            "a signature cut short",
            bearer(&format!("{message}.{}", &signature[..signature.len() - 3])),
            Reason::Signature,
        ),
    ]);
}

#[test]
fn a_token_whose_claims_are_odd_keeps_its_caller_out() {
    let exp = NOW + 60;
    refused(&[
        ("payload not JSON", bearer(&with("sub=ada")), Reason::BadPayload),
        ("payload a string", bearer(&with(r#""ada""#)), Reason::BadPayload),
        ("payload null", bearer(&with("null")), Reason::BadPayload),
        ("payload cut short", bearer(&with(r#"{"sub":"ada""#)), Reason::BadPayload),
        (
            "sub twice",
            bearer(&with(&format!(r#"{{"sub":"ada","sub":"eve","exp":{exp}}}"#))),
            Reason::BadPayload,
        ),
        ("exp twice", bearer(&with(&format!(r#"{{"exp":1,"exp":{exp}}}"#))), Reason::BadPayload),
        ("no exp", bearer(&with(r#"{"sub":"ada"}"#)), Reason::NoExpiry),
        ("exp null", bearer(&with(r#"{"exp":null}"#)), Reason::NoExpiry),
        ("exp a string", bearer(&with(&format!(r#"{{"exp":"{exp}"}}"#))), Reason::NoExpiry),
        ("exp without end", bearer(&with(r#"{"exp":1e999}"#)), Reason::NoExpiry),
        ("exp long ago", bearer(&with(r#"{"exp":1}"#)), Reason::Expired),
        ("exp before 1970", bearer(&with(r#"{"exp":-1}"#)), Reason::Expired),
        (
            "exp passed, leeway too",
            bearer(&with(&format!(r#"{{"exp":{}}}"#, NOW - 10))),
            Reason::Expired,
        ),
        (
            "nbf to come, after leeway",
            bearer(&with(&format!(r#"{{"exp":{exp},"nbf":{}}}"#, NOW + 11))),
            Reason::NotYet,
        ),
        ("nbf a string", bearer(&with(&format!(r#"{{"exp":{exp},"nbf":"0"}}"#))), Reason::NotYet),
        ("sub a number", bearer(&with(&format!(r#"{{"exp":{exp},"sub":7}}"#))), Reason::Subject),
        ("sub null", bearer(&with(&format!(r#"{{"exp":{exp},"sub":null}}"#))), Reason::Subject),
    ]);
}

#[test]
fn two_authorization_headers_keep_their_caller_out() {
    let good = bearer(&with(&ada()));
    for two in [[good.as_str(), good.as_str()], [&good, ""], ["Basic x", &good]] {
        let refused = ask(&authenticator(PLAIN), &two).expect_err("two");
        assert_eq!(refused, Reason::SeveralHeaders);
    }
}

#[test]
fn a_valid_token_gets_its_caller_in() {
    let authenticator = authenticator(PLAIN);
    let exp = NOW + 60;
    let long = format!(r#"{{"exp":{exp},"x":"{}"}}"#, "x".repeat(9_000));
    let table = [
        ("a plain one", with(&ada())),
        ("without typ", under(r#"{"alg":"HS256"}"#)),
        ("of RFC 9068", under(r#"{"typ":"application/at+JWT","alg":"HS256"}"#)),
        (
            "with what is not looked at",
            under(r#"{"alg":"HS256","kid":"1","jku":"http://127.0.0.1:1/","x5t":"x"}"#),
        ),
        ("HS512", signed(r#"{"alg":"HS512"}"#, &ada(), SECRET, Algorithm::HS512)),
        ("exp with a fraction", with(&format!(r#"{{"exp":{NOW}.5}}"#))),
        ("exp as 1.8e9", with(r#"{"exp":18000000.6e2}"#)),
        ("exp passed, within leeway", with(&format!(r#"{{"exp":{}}}"#, NOW - 9))),
        ("nbf to come, within leeway", with(&format!(r#"{{"exp":{exp},"nbf":{}}}"#, NOW + 10))),
        ("any issuer and audience", with(&format!(r#"{{"exp":{exp},"iss":"x","aud":"y"}}"#))),
        ("with white space", with(&format!(" {{ \"exp\" : {exp} }}\n"))),
        ("of 12 KB", with(&long)),
    ];
    for (case, token) in table {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let identity = ask(&authenticator, &[&format!("{scheme} {token}")]);
            assert!(identity.expect(case).is_authenticated(), "{case}");
        }
    }
}

#[test]
fn without_a_token_the_caller_is_anonymous_and_without_issuers_no_token_is_valid() {
    for auth in [PLAIN, ""] {
        let identity = ask(&authenticator(auth), &[]).expect("nothing was sent");
        assert!(!identity.is_authenticated() && identity.claims().is_none());
        assert_eq!(identity.partition(), Identity::anonymous().partition());
    }
    let token = format!("Bearer {}", with(&ada()));
    assert_eq!(ask(&authenticator(""), &[&token]).expect_err("none is"), Reason::NoIssuers);
}

#[test]
fn a_token_is_for_the_issuer_and_audience_of_the_settings() {
    let authenticator = authenticator(NAMED);
    let exp = NOW + 60;
    let ask = |claims: &str| {
        ask(&authenticator, &[&format!("Bearer {}", with(&format!(r#"{{"exp":{exp}{claims}}}"#)))])
    };
    for claims in [
        r#","iss":"https://id.example","aud":"shop""#,
        r#","iss":"https:\/\/id.example","aud":["other","till"]"#,
    ] {
        assert!(ask(claims).is_ok(), "{claims}");
    }
    for (claims, reason) in [
        (r#","aud":"shop""#, Reason::Issuer),
        (r#","iss":"https://id.example/","aud":"shop""#, Reason::Issuer),
        (r#","iss":["https://id.example"],"aud":"shop""#, Reason::Issuer),
        (r#","iss":null,"aud":"shop""#, Reason::Issuer),
        (r#","iss":"https://id.example""#, Reason::Audience),
        (r#","iss":"https://id.example","aud":"Shop""#, Reason::Audience),
        (r#","iss":"https://id.example","aud":[]"#, Reason::Audience),
        (r#","iss":"https://id.example","aud":["other"]"#, Reason::Audience),
        (r#","iss":"https://id.example","aud":{"shop":true}"#, Reason::Audience),
        (r#","iss":"https://id.example","aud":[["shop"]]"#, Reason::Audience),
    ] {
        assert_eq!(ask(claims).expect_err(claims), reason, "{claims}");
    }
}

#[test]
fn a_token_is_verified_by_its_own_issuers_key_and_algorithms_only() {
    let authenticator = authenticator(TWO);
    let exp = NOW + 60;
    let ask = |iss: &str, secret: &str, algorithm: Algorithm| {
        let payload = format!(r#"{{"iss":"{iss}","exp":{exp}}}"#);
        let token = signed(&format!(r#"{{"alg":"{algorithm:?}"}}"#), &payload, secret, algorithm);
        ask(&authenticator, &[&format!("Bearer {token}")])
    };
    assert!(ask("one", SECRET, Algorithm::HS256).is_ok());
    assert!(ask("two", OTHER, Algorithm::HS384).is_ok());
    for (iss, secret, algorithm, reason) in [
        ("one", OTHER, Algorithm::HS256, Reason::Signature),
        ("two", SECRET, Algorithm::HS384, Reason::Signature),
        ("one", SECRET, Algorithm::HS384, Reason::Algorithm),
        ("two", OTHER, Algorithm::HS256, Reason::Algorithm),
        ("three", SECRET, Algorithm::HS256, Reason::Issuer),
    ] {
        assert_eq!(ask(iss, secret, algorithm).expect_err(iss), reason, "{iss} {algorithm:?}");
    }
}

#[test]
fn what_was_minted_is_accepted_now() {
    for auth in [PLAIN, NAMED, TWO] {
        let config = config(auth, "");
        let claims = Map::from_iter([("sub".to_owned(), json!("ada")), ("n".to_owned(), json!(7))]);
        let minted = mint(&config.auth.jwt[0], claims, Duration::from_secs(60)).expect("signed");
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {minted}")).expect("ASCII");
        headers.insert(AUTHORIZATION, value);
        let authenticator = at(SystemTime::now(), auth, ReadClaims::default());
        let identity = identify(&authenticator, &headers).expect("accepted");
        let claims = identity.claims().expect("claims");
        let claims: Map<String, Value> = serde_json::from_slice(claims.raw()).expect("an object");
        assert_eq!((&claims["sub"], &claims["n"]), (&json!("ada"), &json!(7)));
        let later = SystemTime::now() + Duration::from_secs(60 + 60);
        let authenticator = at(later, auth, ReadClaims::default());
        assert_eq!(identify(&authenticator, &headers).expect_err("expired"), Reason::Expired);
    }
    let given = Map::from_iter([("exp".to_owned(), json!(1)), ("iss".to_owned(), json!("me"))]);
    let config = config(NAMED, "");
    let minted = mint(&config.auth.jwt[0], given, Duration::from_secs(60)).expect("signed");
    let refused = ask(&authenticator(NAMED), &[&format!("Bearer {minted}")]);
    assert_eq!(refused.expect_err("what is given stays"), Reason::Issuer);
}

#[test]
fn callers_share_a_partition_only_if_all_that_is_read_of_them_is_equal() {
    let mut read = ReadClaims::default();
    for path in ["tenant", "address.city"] {
        read.add(&Path::parse(path).expect("a path"));
    }
    let authenticator = at(UNIX_EPOCH + Duration::from_secs(NOW), PLAIN, read);
    let identify = |claims: &str, exp: u64| {
        let token = with(&format!(r#"{{{claims},"exp":{exp}}}"#));
        ask(&authenticator, &[&format!("Bearer {token}")]).expect(claims)
    };
    let base = r#""iss":"i","sub":"ada","scope":"a","tenant":1,"address":{"city":"Oslo"}"#;
    let ada = identify(base, NOW + 60);
    let renewed = identify(&format!(r#"{base},"jti":"2","name":"Ada""#), NOW + 90);
    assert_eq!(ada.partition(), renewed.partition(), "a renewed token is the same caller");
    for (case, claims) in [
        ("issuer", r#""iss":"j","sub":"ada","scope":"a","tenant":1,"address":{"city":"Oslo"}"#),
        ("subject", r#""iss":"i","sub":"eve","scope":"a","tenant":1,"address":{"city":"Oslo"}"#),
        ("scopes", r#""iss":"i","sub":"ada","scope":"a b","tenant":1,"address":{"city":"Oslo"}"#),
        (
            "scp",
            r#""iss":"i","sub":"ada","scope":"a","scp":["a"],"tenant":1,"address":{"city":"Oslo"}"#,
        ),
        ("a claim", r#""iss":"i","sub":"ada","scope":"a","tenant":2,"address":{"city":"Oslo"}"#),
        ("its type", r#""iss":"i","sub":"ada","scope":"a","tenant":"1","address":{"city":"Oslo"}"#),
        ("a missing claim", r#""iss":"i","sub":"ada","scope":"a","address":{"city":"Oslo"}"#),
        (
            "a part of a claim",
            r#""iss":"i","sub":"ada","scope":"a","tenant":1,"address":{"city":"Rome"}"#,
        ),
    ] {
        assert_ne!(ada.partition(), identify(claims, NOW + 60).partition(), "{case}");
    }
    assert_ne!(ada.partition(), Identity::anonymous().partition());
    let shown = format!("{ada:?} {:?} {authenticator:?}", ada.partition());
    assert!(!shown.contains("ada") && !shown.contains("secret"), "{shown}");
}

fn outbound(settings: &str) -> Outbound {
    let config = config("", settings);
    let mut problems = Problems::new();
    let mut all = Outbound::of_all(&config, &|_| None, &mut problems);
    assert!(problems.is_empty(), "{:?}", problems.iter().collect::<Vec<_>>());
    all.remove("users").expect("its file is there")
}

fn caller(claims: &str) -> Identity {
    let token = with(&format!(r#"{{"exp":{}{claims}}}"#, NOW + 60));
    ask(&authenticator(PLAIN), &[&format!("Bearer {token}")]).expect(claims)
}

#[test]
fn identity_headers_are_the_claims_or_nothing() {
    let outbound = outbound(
        r#"[identity]
        headers = { x-user-id = "{claims.sub}", x-tenant = "t-{claims.org.id}", x-roles = "{claims.roles:,}" }"#,
    );
    let names: Vec<_> = outbound.identity_names().map(HeaderName::as_str).collect();
    assert_eq!(names, ["x-roles", "x-tenant", "x-user-id"]);
    for (identity, expected) in [
        (
            caller(r#","sub":"ada","org":{"id":7},"roles":["a","b"]"#),
            [Some("a,b"), Some("t-7"), Some("ada")],
        ),
        (caller(r#","sub":"ada","org":{}"#), [None, None, Some("ada")]),
        (caller(r#","org":null,"roles":null"#), [None, None, None]),
        (Identity::anonymous(), [None, None, None]),
    ] {
        let headers = outbound.headers(&identity, &ClientHeaders::default()).expect("all fit");
        let values = headers.identity.iter().map(|(_, value)| value.as_ref());
        let values: Vec<_> = values.map(|v| v.map(|v| v.to_str().expect("ASCII"))).collect();
        assert_eq!(values, expected);
    }
    for odd in [r#","sub":"a\nb""#, r#","sub":"a\u0000b""#, r#","org":{"id":{}}"#] {
        let failure = outbound.headers(&caller(odd), &ClientHeaders::default());
        assert_eq!(failure.expect_err(odd).code, Code::Unauthenticated, "{odd}");
    }
}

#[test]
fn only_listed_headers_of_the_client_go_along() {
    let outbound = outbound(
        "[identity]\nheaders = { x-user-id = \"{claims.sub}\" }\n\
         [headers]\nforward = [\"accept-language\", \"x-trace\"]",
    );
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("accept-language", "en"),
        ("accept-language", "de"),
        ("x-trace", "1"),
        ("x-user-id", "eve"),
        ("x_user_id", "eve"),
        ("authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("x-forwarded-for", "1.2.3.4"),
        ("connection", "x-trace, close"),
    ] {
        headers.append(name, HeaderValue::from_static(value));
    }
    let reserved: Vec<_> = outbound.identity_names().cloned().collect();
    let client = ClientHeaders::new(headers, &reserved);
    let mut left: Vec<_> = client.as_map().keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["accept-language", "x-forwarded-for"], "x-trace was for one connection");
    let sent = outbound.headers(&Identity::anonymous(), &client).expect("nothing to fail");
    let forwarded: Vec<_> = sent.forwarded.iter().collect();
    assert_eq!(forwarded.len(), 2);
    assert!(forwarded.iter().all(|(name, _)| *name == "accept-language"));
}

#[test]
fn a_mistake_in_an_identity_header_is_shown_where_it_stands() {
    let text =
        "url = \"http://127.0.0.1:1\"\n[identity]\nheaders = { x-user-id = \"{claim.sub}\" }";
    let loaded = Config::from_texts([("upstreams/users.toml", text)], &FixedEnv::new());
    let (config, mut problems) = (loaded.draft, loaded.problems);
    Outbound::of_all(&config, &|_| None, &mut problems);
    let problem = problems.iter().find(|problem| problem.message.contains("claim")).expect("found");
    let found = &text[problem.span.clone()];
    assert!(found.contains("claim"), "{found:?}: {problem:?}");
    assert!(problems.has_errors());
}
