//! Keys of every sort, good and bad; the pairs are those of `tests/fixtures/keys`.

use bytes::Bytes;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::*;

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}

fn signed(algorithm: Algorithm, message: &[u8]) -> (VerifyingKey, String) {
    let pair =
        |name: &str| (fixture(&format!("{name}.private.pem")), fixture(&format!("{name}.pem")));
    let (private, public) = match algorithm.kind() {
        Kind::Secret => {
            let key = EncodingKey::from_secret(b"secret");
            let signature = jsonwebtoken::crypto::sign(message, &key, algorithm.of_library());
            return (VerifyingKey::from_secret(b"secret"), signature.expect("signed"));
        }
        Kind::Rsa => pair("rsa"),
        Kind::P256 => pair("p256"),
        Kind::P384 => pair("p384"),
        Kind::Ed25519 => pair("ed25519"),
    };
    let private = match algorithm.kind() {
        Kind::Rsa => EncodingKey::from_rsa_pem(private.as_bytes()),
        Kind::Ed25519 => EncodingKey::from_ed_pem(private.as_bytes()),
        _ => EncodingKey::from_ec_pem(private.as_bytes()),
    };
    let private = private.expect("a private key");
    let signature = jsonwebtoken::crypto::sign(message, &private, algorithm.of_library());
    (VerifyingKey::from_text(&public).expect("a public key"), signature.expect("signed"))
}

#[test]
fn a_key_verifies_its_owners_signatures_by_its_own_algorithms_only() {
    for algorithm in Algorithm::ALL {
        let (key, signature) = signed(algorithm, b"message");
        assert!(key.verifies(algorithm, b"message", &signature), "{algorithm:?}");
        assert!(!key.verifies(algorithm, b"massage", &signature), "{algorithm:?}");
        assert!(!key.verifies(algorithm, b"message", ""), "{algorithm:?}");
        assert!(!key.verifies(algorithm, b"message", "not base64!"), "{algorithm:?}");
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(!key.verifies(other, b"message", &signature), "{algorithm:?} as {other:?}");
            assert!(
                !signed(other, b"").0.verifies(algorithm, b"message", &signature) || {
                    // RS and PS, and the HS, share their keys.
                    other.kind() == algorithm.kind()
                }
            );
        }
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    let jwks: Value = serde_json::from_str(&fixture("jwks.json")).expect("JSON");
    for name in ["rsa", "p256", "p384", "ed25519"] {
        let text = fixture(&format!("{name}.pem"));
        let key = VerifyingKey::from_text(&text).expect("a key");
        let number = |of: &str| {
            let number = jwks[name][of].as_str().unwrap_or_default();
            decode_url(number.as_bytes()).expect("base64url")
        };
        let (x, y) = (number("x"), number("y"));
        let secrets = [
            text.clone().into_bytes(),
            text.trim().to_owned().into_bytes(),
            jwks[name].to_string().into_bytes(),
            number("n"),
            [&[4], &*x, &*y].concat(),
            [&*x, &*y].concat(),
            x,
        ];
        for secret in secrets {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let secret = EncodingKey::from_secret(&secret);
                let signature = jsonwebtoken::crypto::sign(b"m", &secret, algorithm.of_library());
                assert!(!key.verifies(algorithm, b"m", &signature.expect("signed")), "{name}");
            }
        }
    }
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    let jwks: Value = serde_json::from_str(&fixture("jwks.json")).expect("JSON");
    for (name, kind) in
        [("rsa", Kind::Rsa), ("p256", Kind::P256), ("p384", Kind::P384), ("ed25519", Kind::Ed25519)]
    {
        let key = VerifyingKey::from_text(&fixture(&format!("{name}.pem"))).expect("PEM");
        assert_eq!(key.kind(), kind);
        assert_eq!(VerifyingKey::from_text(&jwks[name].to_string()).as_ref(), Ok(&key), "{name}");
        let explained = format!("kept by: somebody\n{}\nend\n", fixture(&format!("{name}.pem")));
        assert_eq!(VerifyingKey::from_text(&explained.replace('\n', "\r\n")), Ok(key));
    }
    let rsa = VerifyingKey::from_text(&fixture("rsa.pem")).expect("PEM");
    assert_eq!(VerifyingKey::from_text(&fixture("rsa-pkcs1.pem")).as_ref(), Ok(&rsa));
    let mut zero = jwks["rsa"].clone();
    let n = decode_url(zero["n"].as_str().expect("text").as_bytes()).expect("base64url");
    zero["n"] = json!(encode(&[&[0, 0], &*n].concat()));
    assert_eq!(VerifyingKey::from_text(&zero.to_string()), Ok(rsa));
    assert!(!format!("{:?}", VerifyingKey::from_secret(b"abc")).contains("97"));
}

/// Base64url, for what a test writes itself.
fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = |chunk: &[u8]| {
        let number = (0..3).fold(0, |n, at| n << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digits = (0..=chunk.len()).map(move |at| (number >> (18 - 6 * at)) as usize & 63);
        digits.map(|digit| char::from(ALPHABET[digit])).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

#[test]
fn what_is_no_sound_public_key_is_refused_for_its_reason() {
    use KeyError::*;
    for (name, why) in [
        ("rsa.private.pem", Private),
        ("rsa-pkcs1.private.pem", Private),
        ("ec-sec1.private.pem", Private),
        ("ed25519.private.pem", Private),
        ("rsa-1024.pem", TooShort),
        ("rsa-8192.pem", TooLong),
        ("certificate.pem", Certificate),
        ("openssh.pub", OpenSsh),
        ("p521.pem", Unsupported),
        ("ed448.pem", Unsupported),
        ("p256-compressed.pem", Unsupported),
    ] {
        assert_eq!(VerifyingKey::from_text(&fixture(name)).expect_err(name), why, "{name}");
    }
    let one = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":";
    for (text, why) in [
        ("", Unreadable),
        ("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA", Unreadable),
        ("[]", Unreadable),
        ("{", Unreadable),
        ("{}", DamagedJwk),
        ("{\"keys\":[]}", Set),
        ("-----BEGIN PUBLIC KEY-----", DamagedPem),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", DamagedPem),
        ("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----", DamagedPem),
        ("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----", DamagedPem),
        ("-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----", Unsupported),
        (&format!("{one}\"AA\"}}"), Invalid),
        (&format!("{one}1}}"), DamagedJwk),
        (&format!("{one}\"AA==\"}}"), DamagedJwk),
        (&format!("{one}\"{}\"}}", "A".repeat(44)), Invalid),
    ] {
        assert_eq!(VerifyingKey::from_text(text).expect_err(text), why, "{text}");
    }
}

#[test]
fn any_byte_of_a_pem_may_be_changed_without_a_panic() {
    for name in ["rsa.pem", "rsa-pkcs1.pem", "p256.pem", "p384.pem", "ed25519.pem"] {
        let text = fixture(name);
        for at in 0..text.len() {
            for byte in [b'A', b'/', b'=', b'-', b'\n'] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                let _ = VerifyingKey::from_text(&String::from_utf8(bytes).expect("ASCII"));
            }
            let _ = VerifyingKey::from_text(&text[..at]);
        }
    }
}

fn known(name: &str, with: Value) -> Value {
    let mut jwks: Value = serde_json::from_str(&fixture("jwks.json")).expect("JSON");
    let mut key = jwks[name].take();
    for (name, value) in with.as_object().expect("an object") {
        key[name] = value.clone();
    }
    key
}

fn set(keys: &[Value]) -> Result<(KeySet, Vec<(usize, KeyError)>), SetError> {
    KeySet::parse(Bytes::from(json!({ "keys": keys }).to_string()))
}

#[test]
fn a_set_leaves_out_the_keys_it_cannot_use() {
    use KeyError::*;
    let good = known("rsa", json!({"kid": "good"}));
    for (key, why) in [
        (json!(7), DamagedJwk),
        (json!({}), DamagedJwk),
        (json!({"kty": 7}), DamagedJwk),
        (json!({"kty": "RSA"}), DamagedJwk),
        (json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "s"}), Symmetric),
        (json!({"kty": "AKP", "alg": "ML-DSA-44"}), Unsupported),
        (json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}), Unsupported),
        (json!({"kty": "OKP", "crv": "X25519", "x": "AA"}), Unsupported),
        (known("rsa-1024", json!({})), TooShort),
        (known("rsa", json!({"use": "enc"})), OtherUse),
        (known("rsa", json!({"use": "SIG"})), OtherUse),
        (known("rsa", json!({"use": 1})), DamagedJwk),
        (known("rsa", json!({"key_ops": ["encrypt"]})), OtherUse),
        (known("rsa", json!({"key_ops": []})), OtherUse),
        (known("rsa", json!({"key_ops": "verify"})), OtherUse),
        (known("rsa", json!({"alg": "RSA-OAEP"})), OtherAlgorithm),
        (known("rsa", json!({"alg": "ES256"})), OtherAlgorithm),
        (known("rsa", json!({"alg": "HS256"})), OtherAlgorithm),
        (known("rsa", json!({"alg": null})), DamagedJwk),
        (known("rsa", json!({"kid": 1})), DamagedJwk),
        (known("rsa", json!({"d": "AA"})), Private),
        (known("rsa", json!({"e": "AQ"})), Invalid),
        (known("rsa", json!({"e": "Ag"})), Invalid),
        (known("rsa", json!({"e": "AQAAAAAAAAE"})), Invalid),
        (known("p256", json!({"crv": "P-384"})), Invalid),
        (known("p384", json!({"crv": "P-256"})), Invalid),
        (known("p256", json!({"y": "AA"})), Invalid),
        (known("p256", json!({"y": "A".repeat(43)})), Invalid),
    ] {
        let shown = key.to_string();
        let (keys, left_out) = set(&[key.clone(), good.clone()]).expect("one is good");
        assert_eq!((keys.n_keys(), left_out), (1, vec![(0, why)]), "{shown}");
        assert_eq!(set(&[key]).expect_err("none is good"), SetError::NoneUsable, "{shown}");
    }
    let twice = known("rsa", json!({})).to_string().replace("\"n\"", "\"n\":\"AA\",\"n\"");
    let text = format!("{{\"keys\":[{twice}]}}");
    assert_eq!(KeySet::parse(text.into()).expect_err("n twice"), SetError::NoneUsable);
}

#[test]
fn what_is_no_set_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "{\"keys\":null}",
        "{\"keys\":{}}",
        "{\"keys\":[]",
        "<html>",
        "{\"keys\":[],\"keys\":[]}",
    ] {
        assert_eq!(KeySet::parse(text.into()).expect_err(text), SetError::NotASet, "{text}");
    }
    assert_eq!(set(&[]).expect_err("empty"), SetError::NoneUsable);
    let many: Vec<Value> =
        (0..101).map(|kid| known("ed25519", json!({"kid": kid.to_string()}))).collect();
    assert_eq!(set(&many).expect_err("too many"), SetError::TooMany);
    assert_eq!(set(&many[..100]).expect("as many as there may be").0.n_keys(), 100);
}

#[test]
fn a_token_finds_its_key_by_name_and_algorithm_or_not_at_all() {
    let (keys, _) = set(&[
        known("rsa", json!({"kid": "a", "use": "sig", "key_ops": ["sign", "verify"]})),
        known("rsa-next", json!({"kid": "b", "alg": "RS256"})),
        known("p256", json!({"kid": "a"})),
        known("ed25519", json!({})),
        known("ed25519", json!({})),
    ])
    .expect("a set");
    assert_eq!(keys.n_keys(), 4, "one is there twice");
    let chosen = |kid: Option<&str>, algorithm| match keys.choose(kid, algorithm) {
        Choice::One(key) => Some(key.key().kind()),
        Choice::None => None,
        Choice::Several => panic!("several: {kid:?} {algorithm:?}"),
    };
    assert_eq!(chosen(Some("a"), Algorithm::RS256), Some(Kind::Rsa));
    assert_eq!(chosen(Some("a"), Algorithm::PS512), Some(Kind::Rsa));
    assert_eq!(chosen(Some("a"), Algorithm::ES256), Some(Kind::P256), "kinds tell names apart");
    assert_eq!(chosen(Some("b"), Algorithm::RS256), Some(Kind::Rsa));
    assert_eq!(chosen(Some("b"), Algorithm::RS384), None, "it is for RS256 only");
    assert_eq!(chosen(Some("b"), Algorithm::HS256), None);
    assert_eq!(chosen(Some("A"), Algorithm::RS256), None);
    assert_eq!(chosen(Some(""), Algorithm::RS256), None);
    assert_eq!(chosen(None, Algorithm::RS384), Some(Kind::Rsa), "b is not for it");
    assert_eq!(chosen(None, Algorithm::ES256), Some(Kind::P256));
    assert_eq!(chosen(None, Algorithm::EdDSA), Some(Kind::Ed25519));
    assert_eq!(chosen(Some("c"), Algorithm::EdDSA), None, "a key without a name has no name");
    assert_eq!(keys.choose(None, Algorithm::RS256), Choice::Several);
    let same = [known("rsa", json!({"kid": "a"})), known("rsa-next", json!({"kid": "a"}))];
    let (keys, _) = set(&same).expect("a set");
    assert_eq!(keys.choose(Some("a"), Algorithm::RS256), Choice::Several, "one name, two keys");
}

#[test]
fn keys_that_stay_are_shared_and_others_are_not() {
    let key = |name, kid: &str, alg: Option<&str>| {
        known(name, alg.map_or(json!({"kid": kid}), |alg| json!({"kid": kid, "alg": alg})))
    };
    let (old, _) = set(&[key("rsa", "a", None), key("p256", "b", None)]).expect("a set");
    let (new, _) = set(&[key("rsa-next", "a", None), key("p256", "b", None)]).expect("a set");
    let new = new.sharing(&old);
    let address = |set: &KeySet, kid, algorithm| match set.choose(Some(kid), algorithm) {
        Choice::One(key) => std::sync::Arc::as_ptr(&key),
        other => panic!("{other:?}"),
    };
    let stays = |kid, algorithm| address(&old, kid, algorithm) == address(&new, kid, algorithm);
    assert!(stays("b", Algorithm::ES256) && !stays("a", Algorithm::RS256));
    let (narrowed, _) = set(&[key("rsa", "a", Some("RS256"))]).expect("a set");
    let narrowed = narrowed.sharing(&old);
    assert_ne!(address(&old, "a", Algorithm::RS256), address(&narrowed, "a", Algorithm::RS256));
}
