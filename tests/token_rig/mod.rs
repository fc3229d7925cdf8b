//! A gateway before one service, and an issuer of tokens of any form: what the service is asked and
//! how often the issuer's keys are fetched is counted. The keys are those of `tests/fixtures/keys`.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::{Algorithm, EncodingKey};
use onedoor::cache::Clock;
use onedoor::config::{Auth, FixedEnv, SecretFile};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::identity::{Authenticator, KeySource, ReadClaims};
use onedoor::upstream::{Error, ErrorKind, InMemory, Reply, Transport, outbound};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// When every test begins, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

const SCHEMA: &str = r#"
type Query { whoami: Account @rest(upstream: "users", path: "/account") }
type Account { sub: String }
"#;

const USERS: &str = r#"
url = "http://hidden-host.internal"
[identity]
headers = { x-user-id = "{claims.sub}" }
"#;

pub fn fixture(name: &str) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys");
    fs::read_to_string(keys.join(name)).unwrap()
}

/// A gateway with a clock that goes with the runtime's.
pub struct Door {
    router: TowerToHyperService<Router>,
    told: Arc<Mutex<Vec<Option<String>>>>,
}

/// How a request was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub challenge: Option<String>,
    pub body: Value,
}

impl Door {
    /// With these settings, and keys of a JWKS from there.
    pub fn new(settings: &str, keys: &Arc<Published>) -> Self {
        Self::over(settings, |auth, read| {
            Authenticator::over(auth, read, |_| Arc::clone(keys) as Arc<dyn KeySource>)
        })
    }

    /// With keys over the network.
    pub fn online(settings: &str) -> Self {
        Self::over(settings, |auth, read| Authenticator::online(auth, read).unwrap())
    }

    fn over(
        settings: &str,
        authenticator: impl FnOnce(&Auth, ReadClaims) -> Authenticator,
    ) -> Self {
        let mut env = FixedEnv::new();
        for name in ["rsa.pem", "p256.pem", "ed25519.pem"] {
            let file = SecretFile { bytes: fixture(name).into(), world_readable: true };
            env = env.with_secret_file(PathBuf::from(name), file);
        }
        let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let files = [text("onedoor.toml", settings), text("upstreams/users.toml", USERS)];
        let schema = [text("schema/all.graphql", SCHEMA)];
        let (project, problems) = Project::from_texts(files, schema, &env);
        let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let told: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let users = InMemory::new({
            let told = Arc::clone(&told);
            move |request: &onedoor::template::Request, context: &_| {
                let headers = outbound(request, context);
                let sub = headers.get("x-user-id").map(|id| id.to_str().unwrap().to_owned());
                told.lock().unwrap().push(sub.clone());
                Ok(Reply::json(StatusCode::OK, json!({ "sub": sub }).to_string()))
            }
        });
        let users: Arc<dyn Transport> = Arc::new(users);
        let began = Instant::now();
        let clock = Clock::told(move || UNIX_EPOCH + Duration::from_secs(NOW) + began.elapsed());
        let authenticator =
            |auth: &Auth, read: ReadClaims| authenticator(auth, read).with_clock(clock);
        let gateway =
            Gateway::over_with(project, Mode::Serve, authenticator, |_| Some(Arc::clone(&users)));
        Self { router: TowerToHyperService::new(gateway.router()), told }
    }

    /// Asks who it is, with these `Authorization` headers.
    pub async fn ask<T: AsRef<[u8]>>(&self, authorization: &[T]) -> Answer {
        let mut request = Request::post("/graphql")
            .header(CONTENT_TYPE, "application/json")
            .header("accept", "application/graphql-response+json")
            .body(Body::from(r#"{"query":"{ whoami { sub } }"}"#))
            .unwrap();
        for value in authorization {
            let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
            request.headers_mut().append(AUTHORIZATION, value);
        }
        let (parts, body) = self.router.call(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let challenge = parts.headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap());
        Answer {
            status: parts.status,
            challenge: challenge.map(str::to_owned),
            body: serde_json::from_slice(&body).unwrap(),
        }
    }

    /// Asks who it is, with this token.
    pub async fn present(&self, token: &str) -> Answer {
        self.ask(&[format!("Bearer {token}")]).await
    }

    /// The status alone.
    pub async fn status(&self, token: &str) -> u16 {
        self.present(token).await.status.as_u16()
    }

    /// How often the service was called.
    pub fn calls(&self) -> usize {
        self.told.lock().unwrap().len()
    }
}

/// Lets everything that can go on do so, without the clock.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// What an issuer publishes.
#[derive(Debug)]
pub struct Published {
    answer: Mutex<Option<Reply>>,
    fetches: AtomicUsize,
    /// How many fetches may be answered.
    gate: Semaphore,
}

impl Published {
    /// These keys.
    pub fn new(keys: &[Value]) -> Arc<Self> {
        let published = Self {
            answer: Mutex::default(),
            fetches: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        };
        published.publish(keys);
        Arc::new(published)
    }

    pub fn publish(&self, keys: &[Value]) {
        self.answer(200, json!({ "keys": keys }).to_string());
    }

    /// Any answer.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        let reply = Reply::json(StatusCode::from_u16(status).unwrap(), body.into());
        *self.answer.lock().unwrap() = Some(reply);
    }

    /// From here on there is no answer.
    pub fn vanish(&self) {
        *self.answer.lock().unwrap() = None;
    }

    /// From here on no fetch is answered until it is let through.
    pub fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets so many fetches be answered.
    pub fn let_through(&self, fetches: usize) {
        self.gate.add_permits(fetches);
    }

    /// How many fetches were begun.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl KeySource for Published {
    async fn fetch(&self) -> Result<Reply, Error> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        let unreachable = || Error::new(ErrorKind::Unreachable, &Method::GET, "https://id.example");
        self.answer.lock().unwrap().clone().ok_or_else(unreachable)
    }
}

/// A published key of this name.
pub fn jwk(name: &str, with: Value) -> Value {
    let mut keys: Value = serde_json::from_str(&fixture("jwks.json")).unwrap();
    let mut key = keys[name].take();
    for (name, value) in with.as_object().unwrap() {
        key[name] = value.clone();
    }
    key
}

/// Who signs.
pub struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Signer {
    pub fn new(name: &str, algorithm: Algorithm) -> Self {
        let pem = fixture(&format!("{name}.private.pem"));
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem.as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        };
        Self { key: key.unwrap(), algorithm }
    }

    pub fn secret(secret: impl AsRef<[u8]>, algorithm: Algorithm) -> Self {
        Self { key: EncodingKey::from_secret(secret.as_ref()), algorithm }
    }

    /// A token of any header and payload.
    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", base64url(header.as_ref()), base64url(payload.as_ref()));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm);
        format!("{message}.{}", signature.unwrap())
    }

    /// A good token of this key for this subject, for an hour.
    pub fn token(&self, kid: &str, sub: &str) -> String {
        let header = json!({"alg": format!("{:?}", self.algorithm), "kid": kid});
        let payload = json!({"sub": sub, "exp": NOW + 3600});
        self.sign(header.to_string(), payload.to_string())
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = |chunk: &[u8]| {
        let number = (0..3).fold(0, |n, at| n << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digits = (0..=chunk.len()).map(move |at| (number >> (18 - 6 * at)) as usize & 63);
        digits.map(|digit| char::from(ALPHABET[digit])).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}
