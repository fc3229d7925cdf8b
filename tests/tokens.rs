//! Every way to forge or bend a token that is known, through the whole door: each is refused with 401
//! and a challenge, no service hears of it, and no key is fetched for it from where it says.

mod token_rig;

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use serde_json::json;
use token_rig::{Door, NOW, Published, Signer, base64url, fixture, jwk};

/// Keys that are fetched.
const FETCHED: &str = r#"
[[auth.jwt]]
issuer = "https://id.example"
audience = "shop"
jwks = "https://id.example/keys"
algorithms = ["RS256", "ES256"]
leeway = "10s"
"#;

/// The same key, in the settings.
const FIXED: &str = r#"
[[auth.jwt]]
issuer = "https://id.example"
audience = "shop"
public_key_file = "rsa.pem"
algorithms = ["RS256"]
leeway = "10s"
"#;

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"a"}"#;

fn keys() -> Arc<Published> {
    Published::new(&[
        jwk("rsa", json!({"kid": "a", "use": "sig", "alg": "RS256"})),
        jwk("p256", json!({"kid": "b"})),
    ])
}

/// Claims that are in order, but for these.
fn claims(more: &str) -> String {
    let exp = NOW + 600;
    format!(r#"{{"iss":"https://id.example","aud":"shop","sub":"ada","exp":{exp}{more}}}"#)
}

/// Claims that are in order, with others for `exp` and what follows it.
fn until(exp: &str) -> String {
    format!(r#"{{"iss":"https://id.example","aud":"shop","sub":"ada","exp":{exp}}}"#)
}

/// A case and the values of its `Authorization` headers.
type Case = (&'static str, Vec<Vec<u8>>);

fn case(name: &'static str, token: impl AsRef<[u8]>) -> Case {
    (name, vec![[b"Bearer ", token.as_ref()].concat()])
}

struct Forger {
    good: Signer,
    other: Signer,
}

impl Forger {
    fn new() -> Self {
        let rs256 = |name| Signer::new(name, Algorithm::RS256);
        Self { good: rs256("rsa"), other: rs256("rsa-next") }
    }

    fn token(&self) -> String {
        self.under(HEADER)
    }

    /// Properly signed under this header.
    fn under(&self, header: &str) -> String {
        self.good.sign(header, claims(""))
    }

    /// Properly signed with this payload.
    fn saying(&self, payload: impl AsRef<[u8]>) -> String {
        self.good.sign(HEADER, payload)
    }

    /// The three parts of a good token.
    fn parts(&self) -> [String; 3] {
        let token = self.token();
        let mut parts = token.split('.').map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap())
    }

    fn unsigned(&self) -> Vec<Case> {
        let [header, payload, signature] = self.parts();
        let none = |alg: &str| base64url(format!(r#"{{"alg":{alg}}}"#).as_bytes());
        let with = |alg: &str, signature: &str| format!("{}.{payload}.{signature}", none(alg));
        vec![
            case("alg none without signature", with(r#""none""#, "")),
            case("alg None without signature", with(r#""None""#, "")),
            case("alg NONE without signature", with(r#""NONE""#, "")),
            case("alg nOnE without signature", with(r#""nOnE""#, "")),
            case("alg none with a signature", with(r#""none""#, &signature)),
            case("alg none with another signature", with(r#""none""#, "AA")),
            case("alg empty", with(r#""""#, &signature)),
            case("alg null", with("null", &signature)),
            case("alg a list", with(r#"["RS256"]"#, &signature)),
            case("alg in lower case", self.under(r#"{"alg":"rs256","kid":"a"}"#)),
            case("alg with a space", self.under(r#"{"alg":"RS256 ","kid":"a"}"#)),
            case("no alg", self.under(r#"{"kid":"a"}"#)),
            case("no signature", format!("{header}.{payload}.")),
            case("no signature, no dot", format!("{header}.{payload}")),
            case("a signature of zeros", format!("{header}.{payload}.{}", base64url(&[0; 256]))),
            case("an empty payload", format!("{header}..{signature}")),
            case("an empty header", format!(".{payload}.{signature}")),
        ]
    }

    /// Algorithm confusion: what everybody knows is no secret.
    fn confused(&self) -> Vec<Case> {
        let pem = fixture("rsa.pem");
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64_bytes(&der);
        let modulus = jwk("rsa", json!({}))["n"].as_str().unwrap().to_owned();
        let by = |secret: &[u8], algorithm: Algorithm| {
            let header = format!(r#"{{"alg":"{algorithm:?}","kid":"a"}}"#);
            Signer::secret(secret, algorithm).sign(header, claims(""))
        };
        let hs256 = |secret: &[u8]| by(secret, Algorithm::HS256);
        let es256 = Signer::new("p256", Algorithm::ES256);
        vec![
            case("HS256 by the PEM", hs256(pem.as_bytes())),
            case("HS256 by the PEM without its line end", hs256(pem.trim_end().as_bytes())),
            case("HS384 by the PEM", by(pem.as_bytes(), Algorithm::HS384)),
            case("HS512 by the PEM", by(pem.as_bytes(), Algorithm::HS512)),
            case("HS256 by the DER", hs256(&der)),
            case("HS256 by the PKCS#1 PEM", hs256(fixture("rsa-pkcs1.pem").as_bytes())),
            case("HS256 by the modulus", hs256(modulus.as_bytes())),
            case("HS256 by the modulus' bytes", hs256(&base64_bytes(&modulus))),
            case("HS256 by the JWK", hs256(jwk("rsa", json!({})).to_string().as_bytes())),
            case("HS256 by nothing", hs256(b"")),
            case("HS256 in name, RS256 in truth", self.under(r#"{"alg":"HS256","kid":"a"}"#)),
            case(
                "RS512 by the right key, which is not accepted",
                Signer::new("rsa", Algorithm::RS512)
                    .sign(r#"{"alg":"RS512","kid":"a"}"#, claims("")),
            ),
            case(
                "PS256 by the right key, which is not accepted",
                Signer::new("rsa", Algorithm::PS256)
                    .sign(r#"{"alg":"PS256","kid":"a"}"#, claims("")),
            ),
            case(
                "PS256 in truth, RS256 in name",
                Signer::new("rsa", Algorithm::PS256).sign(HEADER, claims("")),
            ),
            case(
                "ES256 by the name of the RSA key",
                es256.sign(r#"{"alg":"ES256","kid":"a"}"#, claims("")),
            ),
            case(
                "RS256 by the name of the P-256 key",
                self.good.sign(r#"{"alg":"RS256","kid":"b"}"#, claims("")),
            ),
            case("EdDSA", self.under(r#"{"alg":"EdDSA","kid":"a"}"#)),
            case("ES256K", self.under(r#"{"alg":"ES256K","kid":"a"}"#)),
        ]
    }

    /// Keys of the forger's own.
    fn own_keys(&self) -> Vec<Case> {
        let jwk = jwk("rsa-next", json!({"kid": "a"}));
        let certificate = "MIIC";
        let by = |extra: &str| {
            self.other.sign(format!(r#"{{"alg":"RS256","kid":"a"{extra}}}"#), claims(""))
        };
        vec![
            case("another's key", by("")),
            case("jwk", by(&format!(r#","jwk":{jwk}"#))),
            case("jku", by(r#","jku":"https://evil.example/keys""#)),
            case("x5u", by(r#","x5u":"https://evil.example/cert""#)),
            case("x5c", by(&format!(r#","x5c":["{certificate}"]"#))),
            case("another's key, without kid", self.other.sign(r#"{"alg":"RS256"}"#, claims(""))),
        ]
    }

    /// Names of keys that the issuer does not have.
    fn kids(&self) -> Vec<Case> {
        let under = |kid: &str| self.under(&format!(r#"{{"alg":"RS256","kid":{kid}}}"#));
        vec![
            case("another kid", under(r#""c""#)),
            case("an empty kid", under(r#""""#)),
            case("the kid in upper case", under(r#""A""#)),
            case("the kid and a NUL", under(r#""a\u0000""#)),
            case("a kid that is a path", under(r#""../../../../dev/null""#)),
            case("a kid that is a file", under(r#""/etc/passwd""#)),
            case("a kid that is SQL", under(r#""a' UNION SELECT 'secret' -- ""#)),
            case("a kid that is a command", under(r#""a|sleep 10""#)),
            case("a kid that is a URL", under(r#""https://evil.example/key""#)),
            case("a kid of 8 KB", under(&format!(r#""{}""#, "a".repeat(8_000)))),
        ]
    }

    fn headers(&self) -> Vec<Case> {
        let under = |extra: &str| self.under(&format!(r#"{{"alg":"RS256","kid":"a"{extra}}}"#));
        let [_, payload, signature] = self.parts();
        let raw = |header: &[u8]| format!("{}.{payload}.{signature}", base64url(header));
        let nested = format!("{}1{}", "[".repeat(9_000), "]".repeat(9_000));
        vec![
            case("kid null", self.under(r#"{"alg":"RS256","kid":null}"#)),
            case("kid a number", self.under(r#"{"alg":"RS256","kid":1}"#)),
            case("kid a list", self.under(r#"{"alg":"RS256","kid":["a"]}"#)),
            case("crit", under(r#","crit":["exp"]"#)),
            case("crit, empty", under(r#","crit":[]"#)),
            case("crit b64", under(r#","crit":["b64"],"b64":true"#)),
            case("b64 false", under(r#","b64":false"#)),
            case("zip", under(r#","zip":"DEF""#)),
            case("enc", under(r#","enc":"A128GCM""#)),
            case("typ JWE", under(r#","typ":"JWE""#)),
            case("typ dpop+jwt", under(r#","typ":"dpop+jwt""#)),
            case("typ logout+jwt", under(r#","typ":"logout+jwt""#)),
            case("typ a list", under(r#","typ":["JWT"]"#)),
            case("cty JWT", under(r#","cty":"JWT""#)),
            case("alg twice", self.under(r#"{"alg":"none","alg":"RS256","kid":"a"}"#)),
            case("alg twice, escaped", self.under(r#"{"\u0061lg":"none","alg":"RS256"}"#)),
            case("kid twice", under(r#","kid":"b""#)),
            case("a list", self.under(r#"[{"alg":"RS256"}]"#)),
            case("no JSON", self.under("RS256")),
            case("cut short", self.under(r#"{"alg":"RS256","kid":"a""#)),
            case("two objects", self.under(&HEADER.repeat(2))),
            case("a byte order mark", self.under(&format!("\u{feff}{HEADER}"))),
            case("not UTF-8", raw(b"{\"alg\":\"RS256\",\"x\":\"\xff\"}")),
            case("deep", under(&format!(r#","x":{}"#, &nested[..1000]))),
        ]
    }

    fn payloads(&self) -> Vec<Case> {
        let saying = |more: &str| self.saying(claims(more));
        let until = |exp: &str| self.saying(until(exp));
        let in_a_minute = NOW + 60;
        let nested = format!(r#","x":{}{}"#, "[".repeat(2_000), "]".repeat(2_000));
        vec![
            case("exp a second ago, leeway over", until(&(NOW - 10).to_string())),
            case("exp long ago", until("1")),
            case("exp zero", until("0")),
            case("exp negative", until("-1")),
            case("exp very negative", until("-1e300")),
            case("exp a fraction, over", until("1799999989.9")),
            case("exp a string", until(r#""1900000000""#)),
            case("exp NaN", until("NaN")),
            case("exp Infinity", until("Infinity")),
            case("exp without end", until("1e999")),
            case("exp null", until("null")),
            case("exp true", until("true")),
            case("exp a list", until("[1900000000]")),
            case("exp an object", until(r#"{"t":1900000000}"#)),
            case("exp with a leading zero", until("01900000000")),
            case("exp in hex", until("0x7fffffff")),
            case("exp twice", saying(r#","exp":1"#)),
            case("no exp", self.saying(r#"{"iss":"https://id.example","aud":"shop"}"#)),
            case("nbf in a minute", saying(&format!(r#","nbf":{in_a_minute}"#))),
            case("nbf a string", saying(r#","nbf":"0""#)),
            case("nbf null", saying(r#","nbf":null"#)),
            case("sub a number", self.saying(claims("").replace(r#""ada""#, "7"))),
            case("sub twice", saying(r#","sub":"eve""#)),
            case("sub twice, escaped", saying(r#","s\u0075b":"eve""#)),
            case("deep", saying(&nested)),
            case("a list", self.saying(format!("[{}]", claims("")))),
            case("a token", self.saying(self.token())),
            case("a string", self.saying(format!("\"{}\"", self.token()))),
            case("cut short", self.saying(&claims("")[1..])),
            case("two objects", self.saying(claims("").repeat(2))),
            case("not UTF-8", self.saying([claims(r#","x":""#).as_bytes(), b"\xff\"}"].concat())),
        ]
    }

    fn strangers(&self) -> Vec<Case> {
        let iss = |iss: &str| {
            let payload = claims("").replace(r#""iss":"https://id.example","#, iss);
            self.saying(payload)
        };
        let aud = |aud: &str| self.saying(claims("").replace(r#""aud":"shop","#, aud));
        vec![
            case("another iss", iss(r#""iss":"https://evil.example","#)),
            case("iss with a slash", iss(r#""iss":"https://id.example/","#)),
            case("iss in upper case", iss(r#""iss":"https://ID.example","#)),
            case("iss a list", iss(r#""iss":["https://id.example"],"#)),
            case("iss null", iss(r#""iss":null,"#)),
            case("no iss", iss("")),
            case("another aud", aud(r#""aud":"till","#)),
            case("aud in upper case", aud(r#""aud":"Shop","#)),
            case("aud a part", aud(r#""aud":"shop till","#)),
            case("aud a list of others", aud(r#""aud":["till","bank"],"#)),
            case("aud an empty list", aud(r#""aud":[],"#)),
            case("aud a list in a list", aud(r#""aud":[["shop"]],"#)),
            case("aud an object", aud(r#""aud":{"shop":true},"#)),
            case("no aud", aud("")),
        ]
    }

    fn forms(&self) -> Vec<Case> {
        let token = self.token();
        let [header, payload, signature] = self.parts();
        let cut = &token[..token.len() - 4];
        let eve = base64url(claims("").replace("ada", "eve").as_bytes());
        vec![
            case("a signature cut short", cut),
            case("a signature too long", format!("{token}AAAA")),
            case("another's signature", format!("{header}.{eve}.{signature}")),
            case(
                "another header",
                format!(
                    "{}.{payload}.{signature}",
                    base64url(br#"{"alg":"RS256","kid":"a","typ":"JWT"}"#,)
                ),
            ),
            case("four parts", format!("{token}.AA")),
            case("four parts, the last empty", format!("{token}.")),
            case("five parts (JWE)", format!("{header}.{payload}.{payload}.{payload}.{signature}")),
            case("a dot before", format!(".{token}")),
            case("two dots", format!("{header}..{payload}.{signature}")),
            case("a signature with padding", format!("{token}==")),
            case("a payload with padding", format!("{header}.{payload}=.{signature}")),
            case("a header with padding", format!("{header}==.{payload}.{signature}")),
            case("base64 of the other sort", format!("{header}.{payload}.+/{}", &signature[2..])),
            case("percent signs", token.replace('.', "%2E")),
            case("a signature with spare bits", format!("{header}.{payload}.{}", bent(&signature))),
            case("spaces within", token.replace('.', " . ")),
            case(
                "JSON serialization",
                format!(
                    r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
                ),
            ),
            case("as it stands in quotes", format!("\"{token}\"")),
            case("only dots", ".".repeat(2)),
            case("many dots", ".".repeat(16_000)),
            case("garbage", "garbage"),
            case("17 KB", self.saying(claims(&format!(r#","x":"{}""#, "x".repeat(17_000))))),
            case("a megabyte", "a".repeat(1 << 20)),
        ]
    }

    fn authorization(&self) -> Vec<Case> {
        let token = self.token();
        let one = |name, value: String| (name, vec![value.into_bytes()]);
        let good = format!("Bearer {token}").into_bytes();
        vec![
            one("nothing", String::new()),
            one("the scheme alone", "Bearer".to_owned()),
            one("a space after it", "Bearer ".to_owned()),
            one("many spaces", "Bearer      ".to_owned()),
            one("no scheme", token.clone()),
            one("Basic", format!("Basic {token}")),
            one("Token", format!("Token {token}")),
            one("Bearer with a colon", format!("Bearer: {token}")),
            one("a tab for the space", format!("Bearer\t{token}")),
            one("a tab after the space", format!("Bearer \t{token}")),
            one("a tab at the end", format!("Bearer {token}\t")),
            one("a space at the end", format!("Bearer {token} ")),
            one("a space before", format!(" Bearer {token}")),
            one("two tokens", format!("Bearer {token}, Bearer {token}")),
            one("a parameter", format!("Bearer token=\"{token}\"")),
            one("not ASCII", format!("Bearer {token}é")),
            ("not UTF-8", vec![[&good, &b"\xff"[..]].concat()]),
            ("twice the same", vec![good.clone(), good.clone()]),
            ("a good and an empty one", vec![good.clone(), Vec::new()]),
            ("a good after a basic one", vec![b"Basic YTpi".to_vec(), good.clone()]),
            ("a good and a bad one", vec![good, b"Bearer garbage".to_vec()]),
        ]
    }
}

/// The bytes of base64 of either sort.
fn base64_bytes(text: &str) -> Vec<u8> {
    let bits = text.bytes().filter_map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    });
    let bits: Vec<u8> = bits.flat_map(|six| (0..6).rev().map(move |at| six >> at & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect()
}

/// The same bytes in another text: 256 bytes leave four bits of the last character unused.
fn bent(signature: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = signature.split_at(signature.len() - 1);
    let at = ALPHABET.find(last).unwrap();
    format!("{rest}{}", &ALPHABET[at + 1..at + 2])
}

/// Each case is refused where a good token is not, and nothing is called or fetched for it.
async fn refused(settings: &str, cases: &[Case]) {
    let keys = keys();
    let door = Door::new(settings, &keys);
    let good = Forger::new().token();
    assert_eq!(door.status(&good).await, 200, "else the cases show nothing");
    let (calls, fetches) = (door.calls(), keys.fetches());
    for (name, authorization) in cases {
        let answer = door.ask(authorization).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(answer.challenge.as_deref(), Some(r#"Bearer error="invalid_token""#), "{name}");
        assert!(answer.body.get("data").is_none(), "{name}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{name}");
        assert_eq!(door.calls(), calls, "{name}: a service was called");
        assert_eq!(keys.fetches(), fetches, "{name}: keys were fetched");
    }
    assert_eq!(door.status(&good).await, 200, "and it still is not");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nobody_signed_is_refused() {
    let cases = Forger::new().unsigned();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_by_another_algorithm_is_refused() {
    let cases = Forger::new().confused();
    refused(FETCHED, &cases).await;
    let only_by_name = ["RS256 by the name of the P-256 key"];
    let cases: Vec<Case> =
        cases.into_iter().filter(|(name, _)| !only_by_name.contains(name)).collect();
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_by_a_key_it_brings_along_is_refused_and_the_key_is_not_fetched() {
    let cases = Forger::new().own_keys();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_by_a_key_that_the_issuer_does_not_have_is_refused() {
    refused(FETCHED, &Forger::new().kids()).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_header_is_bent_is_refused() {
    let cases = Forger::new().headers();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_claims_are_bent_is_refused() {
    let cases = Forger::new().payloads();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_issuer_or_for_another_audience_is_refused() {
    let cases = Forger::new().strangers();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_in_compact_form_is_refused() {
    let cases = Forger::new().forms();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn any_other_authorization_than_one_bearer_token_is_refused() {
    let cases = Forger::new().authorization();
    refused(FETCHED, &cases).await;
    refused(FIXED, &cases).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_in_order_gets_its_caller_in_and_the_service_is_told_who_it_is() {
    let forger = Forger::new();
    let es256 = Signer::new("p256", Algorithm::ES256);
    let token = forger.token();
    let bearer = |token: String| format!("Bearer {token}");
    let cases = [
        ("plain", bearer(token.clone())),
        ("in lower case", format!("bearer {token}")),
        ("in upper case", format!("BEARER {token}")),
        ("with more spaces", format!("Bearer   {token}")),
        ("of RFC 9068", bearer(forger.under(r#"{"alg":"RS256","kid":"a","typ":"at+jwt"}"#))),
        ("without kid, of one fitting key", bearer(forger.under(r#"{"alg":"RS256"}"#))),
        (
            "with what is not looked at",
            bearer(forger.under(
                r#"{"alg":"RS256","kid":"a","jku":"https://evil.example","x5t":"x","jwk":{}}"#,
            )),
        ),
        (
            "several audiences",
            bearer(forger.saying(claims("").replace(r#""shop""#, r#"["till","shop"]"#))),
        ),
        ("exp a fraction", bearer(forger.saying(until("1800000600.5")))),
        ("exp within leeway", bearer(forger.saying(until("1799999991")))),
        ("nbf within leeway", bearer(forger.saying(claims(r#","nbf":1800000010"#)))),
    ];
    for settings in [FETCHED, FIXED] {
        let keys = keys();
        let door = Door::new(settings, &keys);
        for (name, authorization) in &cases {
            let answer = door.ask(&[authorization]).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            assert_eq!(answer.body, json!({"data": {"whoami": {"sub": "ada"}}}), "{name}");
        }
        assert_eq!(door.calls(), cases.len());
        assert_eq!(keys.fetches(), usize::from(settings == FETCHED));
    }
    let door = Door::new(FETCHED, &keys());
    for header in [r#"{"alg":"ES256","kid":"b"}"#, r#"{"alg":"ES256"}"#] {
        assert_eq!(door.status(&es256.sign(header, claims(""))).await, 200, "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_key_verifies_its_own_algorithms() {
    use Algorithm::*;
    for (name, algorithms) in [
        ("rsa", &[RS256, RS384, RS512, PS256, PS384, PS512][..]),
        ("p256", &[ES256]),
        ("p384", &[ES384]),
        ("ed25519", &[EdDSA]),
    ] {
        let keys = Published::new(&[jwk(name, json!({"kid": "k"}))]);
        for algorithm in algorithms {
            let settings = format!(
                "[[auth.jwt]]\njwks = \"https://id.example/keys\"\nalgorithms = [\"{algorithm:?}\"]\n"
            );
            let door = Door::new(&settings, &keys);
            let token = Signer::new(name, *algorithm).token("k", "ada");
            assert_eq!(door.status(&token).await, 200, "{algorithm:?}");
            assert_eq!(door.calls(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_fetched_to_let_the_anonymous_in() {
    let keys = keys();
    keys.vanish();
    let door = Door::new(FETCHED, &keys);
    let answer = door.ask::<&str>(&[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({"data": {"whoami": {"sub": null}}}));
    let door = Door::new(&format!("[graphql]\nauth = \"required\"\n{FETCHED}"), &keys);
    let answer = door.ask::<&str>(&[]).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.challenge.as_deref(), Some("Bearer"));
    assert_eq!(door.calls(), 0);
}
