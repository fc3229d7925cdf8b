//! What it costs to know who is asking: tokens that come for the first time, and again.

#![allow(missing_docs, reason = "criterion's macros write public functions without them")]

use std::fs;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use futures::FutureExt as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use onedoor::config::{Config, FixedEnv, SecretFile};
use onedoor::identity::{Authenticator, ReadClaims};
use serde_json::json;
use tokio::time::Instant;

const SECRET: &str = "one secret of thirty-two bytes or more";

fn fixture(name: &str) -> Vec<u8> {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys");
    fs::read(keys.join(name)).expect("a fixture")
}

fn authenticator(key: &str, algorithm: Algorithm, room: &str) -> Authenticator {
    let file = |name| SecretFile { bytes: fixture(name), world_readable: true };
    let keys = ["rsa.pem", "p256.pem", "ed25519.pem"];
    let env =
        keys.into_iter().fold(FixedEnv::new().with_variable("SECRET", SECRET), |env, name| {
            env.with_secret_file(name, file(name))
        });
    let text = format!(
        "[auth]\ntoken_cache = \"{room}\"\n[[auth.jwt]]\nissuer = \"https://id.example\"\n\
         audience = \"shop\"\nalgorithms = [\"{algorithm:?}\"]\n{key}\n"
    );
    let (config, problems) = Config::from_texts([("onedoor.toml", text)], &env).finish();
    let config = config.unwrap_or_else(|| panic!("{}", problems.render(false)));
    Authenticator::new(&config.auth, ReadClaims::default())
}

fn headers(key: &EncodingKey, algorithm: Algorithm) -> HeaderMap {
    let claims = json!({
        "iss": "https://id.example", "aud": "shop", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "iat": 1_700_000_000_u64, "exp": 4_000_000_000_u64, "azp": "my-client",
        "scope": "openid profile email orders:read orders:write",
    });
    let token = encode(&Header::new(algorithm), &claims, key).expect("signed");
    let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("ASCII");
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

fn verify(criterion: &mut Criterion) {
    let rsa = || EncodingKey::from_rsa_pem(&fixture("rsa.private.pem")).expect("a key");
    let p256 = EncodingKey::from_ec_pem(&fixture("p256.private.pem")).expect("a key");
    let ed25519 = EncodingKey::from_ed_pem(&fixture("ed25519.private.pem")).expect("a key");
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    for (algorithm, signs, verifies) in [
        (Algorithm::RS256, rsa(), "public_key_file = \"rsa.pem\""),
        (Algorithm::PS256, rsa(), "public_key_file = \"rsa.pem\""),
        (Algorithm::ES256, p256, "public_key_file = \"p256.pem\""),
        (Algorithm::EdDSA, ed25519, "public_key_file = \"ed25519.pem\""),
        (Algorithm::HS256, secret, "secret = \"${SECRET}\""),
    ] {
        let headers = headers(&signs, algorithm);
        for (how, room) in [("first", "0B"), ("again", "16MiB")] {
            let authenticator = authenticator(verifies, algorithm, room);
            criterion.bench_function(&format!("{algorithm:?}/{how}"), |bench| {
                bench.iter(|| {
                    let identified = authenticator.authenticate(&headers, Instant::now());
                    identified.now_or_never().expect("no wait").expect("a good token")
                });
            });
        }
    }
}

criterion_group!(benches, verify);
criterion_main!(benches);
