//! The keys an issuer publishes: when they are fetched, and what becomes of requests when they
//! change, or cannot be had.
//!
//! Time is the runtime's, and paused: it passes only where a test says so, or where nothing else can
//! happen.

mod token_rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use futures::future::join_all;
use jsonwebtoken::Algorithm;
use onedoor::config::{Config, FixedEnv};
use onedoor::upstream::{Document, ErrorKind};
use serde_json::{Value, json};
use token_rig::{Door, NOW, Published, Signer, jwk, settle};
use tokio::net::TcpListener;
use tokio::time::{advance, sleep};
use url::Url;

const SETTINGS: &str = r#"
[[auth.jwt]]
jwks = "https://id.example/keys"
algorithms = ["ES256", "EdDSA"]
jwks_refresh = "10m"
jwks_refetch = "10s"
jwks_keep = "1h"
"#;

const SECOND: Duration = Duration::from_secs(1);

fn old_key() -> Value {
    jwk("p256", json!({"kid": "old"}))
}

fn new_key() -> Value {
    jwk("ed25519", json!({"kid": "new"}))
}

fn old() -> Signer {
    Signer::new("p256", Algorithm::ES256)
}

fn new() -> Signer {
    Signer::new("ed25519", Algorithm::EdDSA)
}

/// A token whose hour is longer than any test.
fn lasting(signer: &Signer, alg: &str, kid: &str) -> String {
    let header = json!({"alg": alg, "kid": kid}).to_string();
    signer.sign(header, json!({"sub": "ada", "exp": NOW + 1_000_000}).to_string())
}

fn unknown(number: usize) -> String {
    old().token(&format!("unknown-{number}"), "eve")
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_at_the_start_and_no_request_waits_for_them() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(SETTINGS, &keys);
    settle().await;
    assert_eq!(keys.fetches(), 1, "before any request");
    keys.hold();
    for number in 0..10 {
        assert_eq!(door.status(&old().token("old", &number.to_string())).await, 200);
    }
    assert_eq!(keys.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_was_built_without_a_runtime_fetches_with_its_first_request() {
    let keys = Published::new(&[old_key()]);
    let door = {
        let keys = Arc::clone(&keys);
        // Another thread has no runtime.
        std::thread::spawn(move || Door::new(SETTINGS, &keys)).join().expect("built")
    };
    settle().await;
    assert_eq!(keys.fetches(), 0);
    assert_eq!(door.status(&old().token("old", "ada")).await, 200);
    assert_eq!(keys.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_that_need_the_first_keys_share_one_fetch() {
    let keys = Published::new(&[old_key()]);
    keys.hold();
    let door = Door::new(SETTINGS, &keys);
    let tokens: Vec<String> = (0..100).map(|n| old().token("old", &n.to_string())).collect();
    let requests = join_all(tokens.iter().map(|token| door.status(token)));
    let release = async {
        settle().await;
        assert_eq!((keys.fetches(), door.calls()), (1, 0));
        keys.let_through(1);
    };
    let (statuses, ()) = tokio::join!(requests, release);
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(keys.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_does_not_stop_the_fetch_for_others() {
    let keys = Published::new(&[old_key()]);
    keys.hold();
    let door = Arc::new(Door::new(SETTINGS, &keys));
    let leaves = tokio::spawn({
        let door = Arc::clone(&door);
        async move { door.status(&old().token("old", "leaves")).await }
    });
    settle().await;
    leaves.abort();
    settle().await;
    let stays = old().token("old", "stays");
    let (status, ()) = tokio::join!(door.status(&stays), async {
        settle().await;
        keys.let_through(1);
    });
    assert_eq!((status, keys.fetches()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn while_an_unknown_key_is_looked_for_known_keys_do_not_wait() {
    let keys = Published::new(&[old_key()]);
    let door = Arc::new(Door::new(SETTINGS, &keys));
    assert_eq!(door.status(&old().token("old", "ada")).await, 200);
    advance(11 * SECOND).await;
    keys.hold();
    let waits = tokio::spawn({
        let door = Arc::clone(&door);
        async move { door.status(&unknown(0)).await }
    });
    settle().await;
    assert_eq!(keys.fetches(), 2);
    for number in 0..10 {
        assert_eq!(door.status(&old().token("old", &number.to_string())).await, 200);
    }
    assert!(!waits.is_finished(), "it waits for the fetch that is held");
    keys.let_through(1);
    assert_eq!(waits.await.expect("no panic"), 401);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_tokens_with_unknown_keys_cause_one_fetch_in_each_interval() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(SETTINGS, &keys);
    assert_eq!(door.status(&old().token("old", "ada")).await, 200);
    assert_eq!(keys.fetches(), 1);
    for interval in 1..=3 {
        let tokens: Vec<String> = (0..300).map(unknown).collect();
        let statuses = join_all(tokens.iter().map(|token| door.status(token))).await;
        assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
        assert_eq!(keys.fetches(), interval, "the interval is not over");
        advance(Duration::from_millis(9_999)).await;
        assert_eq!(door.status(&unknown(0)).await, 401);
        assert_eq!(keys.fetches(), interval, "not quite");
        advance(Duration::from_millis(1)).await;
        assert_eq!(door.status(&unknown(0)).await, 401);
        assert_eq!(keys.fetches(), interval + 1, "now it is");
    }
    assert_eq!(door.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_anew_every_so_often_without_being_asked_for() {
    let keys = Published::new(&[old_key()]);
    let _door = Door::new(SETTINGS, &keys);
    settle().await;
    for fetches in 1..=4 {
        assert_eq!(keys.fetches(), fetches);
        sleep(Duration::from_secs(599)).await;
        assert_eq!(keys.fetches(), fetches);
        sleep(SECOND).await;
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_gone_fetches_no_more() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(SETTINGS, &keys);
    settle().await;
    drop(door);
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(keys.fetches(), 1);
    assert_eq!(Arc::strong_count(&keys), 1, "nothing of it is left");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_rotated_under_load_costs_no_valid_request() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(SETTINGS, &keys);
    settle().await;
    let kept = lasting(&old(), "ES256", "old");
    for tick in 0..400_usize {
        // At 20 s the issuer has a new key, and signs with it at once; at 30 s the old one is gone.
        if tick == 200 {
            keys.publish(&[old_key(), new_key()]);
        }
        if tick == 300 {
            keys.publish(&[new_key()]);
        }
        let sub = |n: usize| format!("{tick}-{n}");
        let mut tokens: Vec<String> = Vec::new();
        if tick < 200 {
            tokens.extend((0..3).map(|n| old().token("old", &sub(n))));
        } else {
            tokens.extend((0..3).map(|n| new().token("new", &sub(n))));
        }
        if tick < 300 {
            tokens.push(kept.clone());
        }
        let statuses = join_all(tokens.iter().map(|token| door.status(token))).await;
        assert!(statuses.iter().all(|status| *status == 200), "{tick}: {statuses:?}");
        advance(Duration::from_millis(100)).await;
    }
    assert_eq!(keys.fetches(), 2, "one at the start, one for the new key");
    // The old key goes with the next fetch, and with it the tokens that it verified, though they
    // have not expired and were taken a moment ago.
    assert_eq!(door.status(&kept).await, 200);
    sleep(Duration::from_secs(600)).await;
    settle().await;
    assert_eq!(keys.fetches(), 3);
    assert_eq!(door.status(&kept).await, 401);
    assert_eq!(door.status(&lasting(&new(), "EdDSA", "new")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_the_same_name_in_place_of_another_ends_the_others_tokens() {
    let keys = Published::new(&[jwk("rsa", json!({"kid": "k"}))]);
    let settings = SETTINGS.replace(r#""ES256", "EdDSA""#, r#""RS256""#);
    let door = Door::new(&settings, &keys);
    let token = |name| lasting(&Signer::new(name, Algorithm::RS256), "RS256", "k");
    let (first, second) = (token("rsa"), token("rsa-next"));
    assert_eq!((door.status(&first).await, door.status(&second).await), (200, 401));
    keys.publish(&[jwk("rsa-next", json!({"kid": "k"}))]);
    sleep(Duration::from_secs(600)).await;
    settle().await;
    assert_eq!((door.status(&first).await, door.status(&second).await), (401, 200));
    // A key that is no longer for this algorithm verifies no more either.
    keys.publish(&[jwk("rsa-next", json!({"kid": "k", "alg": "PS256"}))]);
    sleep(Duration::from_secs(600)).await;
    settle().await;
    assert_eq!((door.status(&first).await, door.status(&second).await), (401, 401));
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_away_costs_no_valid_request() {
    for bad in [
        None,
        Some((500, "{}".to_owned())),
        Some((302, json!({"keys": [new_key()]}).to_string())),
        Some((204, String::new())),
        Some((200, String::new())),
        Some((200, "<html>".to_owned())),
        Some((200, r#"{"keys":[]}"#.to_owned())),
        Some((200, r#"{"keys":[{"kty":"oct","k":"AA","kid":"old"}]}"#.to_owned())),
        Some((200, json!({"keys": vec![new_key(); 101]}).to_string())),
        Some((200, format!("{}{}", " ".repeat(1 << 20), json!({"keys": [new_key()]})))),
    ] {
        let keys = Published::new(&[old_key()]);
        let door = Door::new(SETTINGS, &keys);
        let kept = lasting(&old(), "ES256", "old");
        assert_eq!(door.status(&kept).await, 200);
        match &bad {
            Some((status, body)) => keys.answer(*status, body),
            None => keys.vanish(),
        }
        // The next fetch is due after 600 s; what was fetched stands for an hour.
        for tick in 0..350 {
            let token = old().token("old", &tick.to_string());
            assert_eq!(
                (door.status(&kept).await, door.status(&token).await),
                (200, 200),
                "{bad:?}"
            );
            sleep(10 * SECOND).await;
        }
        assert!(keys.fetches() > 100, "it is tried again and again: {}", keys.fetches());
        assert!(keys.fetches() < 310, "but not too often: {}", keys.fetches());
        // Longer than an hour nobody can tell whether these keys are still good.
        sleep(Duration::from_secs(110)).await;
        assert_eq!(door.status(&kept).await, 503, "{bad:?}");
        keys.publish(&[old_key()]);
        sleep(10 * SECOND).await;
        settle().await;
        assert_eq!(door.status(&kept).await, 200, "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_judged_without_keys_is_the_gateways_failure() {
    let keys = Published::new(&[old_key()]);
    keys.vanish();
    let door = Door::new(SETTINGS, &keys);
    settle().await;
    assert_eq!(keys.fetches(), 1);
    let token = old().token("old", "ada");
    for _ in 0..20 {
        let answer = door.present(&token).await;
        assert_eq!((answer.status.as_u16(), answer.challenge), (503, None));
        let error = &answer.body["errors"][0];
        assert_eq!(error["extensions"], json!({"code": "UPSTREAM_UNAVAILABLE"}));
        assert!(!answer.body.to_string().contains("id.example"), "{error}");
    }
    assert_eq!(keys.fetches(), 1, "not before the interval is over");
    // What can be judged without them is the client's failure still.
    for (header, payload) in [
        (r#"{"alg":"none","kid":"old"}"#, json!({"exp": NOW + 60})),
        (r#"{"alg":"HS256","kid":"old"}"#, json!({"exp": NOW + 60})),
        (r#"{"alg":"ES256","kid":"old"}"#, json!({"exp": 1})),
        (r#"{"alg":"ES256","kid":"old"}"#, json!({"exp": NOW + 60, "nbf": NOW + 999})),
    ] {
        assert_eq!(door.status(&old().sign(header, payload.to_string())).await, 401, "{header}");
    }
    keys.publish(&[old_key()]);
    sleep(10 * SECOND).await;
    settle().await;
    assert_eq!((keys.fetches(), door.status(&token).await), (2, 200));
    // With keys, a name that is unknown is one only if the newest were had.
    keys.vanish();
    advance(11 * SECOND).await;
    assert_eq!(door.status(&unknown(0)).await, 503);
    assert_eq!(door.status(&unknown(1)).await, 503);
    assert_eq!((keys.fetches(), door.status(&token).await), (3, 200));
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_keys_no_longer_than_its_deadline() {
    let keys = Published::new(&[old_key()]);
    keys.hold();
    let settings = format!("[limits]\ndeadline = \"2s\"\n{SETTINGS}");
    let door = Door::new(&settings, &keys);
    let began = tokio::time::Instant::now();
    assert_eq!(door.status(&old().token("old", "ada")).await, 503);
    assert_eq!(began.elapsed().as_secs(), 2);
    // A fetch that is not answered ends by itself, and is tried again.
    sleep(4 * SECOND).await;
    assert_eq!(door.status(&old().token("old", "ada")).await, 503);
    assert_eq!(began.elapsed().as_secs(), 6, "that one did not have to wait");
    keys.let_through(1);
    sleep(5 * SECOND).await;
    settle().await;
    assert_eq!((keys.fetches(), door.status(&old().token("old", "ada")).await), (2, 200));
}

#[tokio::test(start_paused = true)]
async fn a_token_without_a_name_is_for_the_only_key_that_fits() {
    let nameless = |signer: &Signer| {
        signer.sign(r#"{"alg":"ES256"}"#, json!({"exp": NOW + 1_000_000}).to_string())
    };
    let keys = Published::new(&[old_key(), new_key()]);
    let door = Door::new(SETTINGS, &keys);
    let token = nameless(&old());
    assert_eq!(door.status(&token).await, 200);
    // With a second one it could be either's: none is tried, also of what was taken before.
    keys.publish(&[old_key(), jwk("p256", json!({"kid": "other"}))]);
    sleep(Duration::from_secs(600)).await;
    settle().await;
    assert_eq!((keys.fetches(), door.status(&token).await), (2, 401));
    assert_eq!(keys.fetches(), 2, "no fetch would change that");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_verified_ends_when_it_expires() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(&format!("{SETTINGS}leeway = \"0s\"\n"), &keys);
    let until = |exp: u64| {
        old().sign(r#"{"alg":"ES256","kid":"old"}"#, json!({"sub": "ada", "exp": exp}).to_string())
    };
    let (short, long) = (until(NOW + 30), until(NOW + 60));
    assert_eq!((door.status(&short).await, door.status(&long).await), (200, 200));
    advance(Duration::from_millis(29_900)).await;
    assert_eq!((door.status(&short).await, door.status(&long).await), (200, 200));
    advance(Duration::from_millis(100)).await;
    assert_eq!((door.status(&short).await, door.status(&long).await), (401, 200));
    assert_eq!(door.status(&short).await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_verified_lets_no_other_in_that_begins_or_ends_like_it() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(SETTINGS, &keys);
    let good = old().token("old", "ada");
    assert_eq!(door.status(&good).await, 200);
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (header, _) = message.split_once('.').expect("three parts");
    let eve = token_rig::base64url(json!({"sub": "eve", "exp": NOW + 3600}).to_string().as_bytes());
    for other in [
        format!("{header}.{eve}.{signature}"),
        format!("{message}.{}", "A".repeat(signature.len())),
        format!("{good}A"),
        good[..good.len() - 1].to_owned(),
        good.to_uppercase(),
    ] {
        assert_eq!(door.status(&other).await, 401, "{other}");
    }
    assert_eq!(door.status(&good).await, 200);
}

#[tokio::test(start_paused = true)]
async fn without_room_for_verified_tokens_all_is_as_before() {
    let keys = Published::new(&[old_key()]);
    let door = Door::new(&format!("[auth]\ntoken_cache = \"0B\"\n{SETTINGS}"), &keys);
    let good = old().token("old", "ada");
    for _ in 0..3 {
        assert_eq!(door.status(&good).await, 200);
    }
    assert_eq!(door.status(&unknown(0)).await, 401);
}

#[test]
fn the_readme_shows_an_issuer_that_works_and_the_defaults() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).expect("it is there");
    let block = readme.split("## Who is asking").nth(1).and_then(|rest| rest.split("```").nth(1));
    let block = block.and_then(|block| block.strip_prefix("toml\n")).expect("a block of TOML");
    let issuer = |text: &str| {
        let (config, problems) =
            Config::from_texts([("onedoor.toml", text)], &FixedEnv::new()).finish();
        let config = config.unwrap_or_else(|| panic!("{}", problems.render(false)));
        format!("{:?}", config.auth.jwt[0])
    };
    let defaults = ["algorithms", "jwks_refresh", "jwks_refetch", "jwks_keep", "leeway"];
    let shown: Vec<&str> = block.lines().collect();
    let needed = shown.iter().filter(|line| !defaults.iter().any(|key| line.starts_with(key)));
    let needed: Vec<&str> = needed.copied().collect();
    assert_eq!(shown.len(), needed.len() + defaults.len());
    assert_eq!(issuer(block), issuer(&needed.join("\n")));
}

/// Serves these on loopback until the test ends.
async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}/keys")).expect("a URL")
}

const MAX: usize = 10_000;

#[tokio::test]
async fn keys_are_fetched_over_the_network() {
    let router =
        Router::new().route("/keys", get(async || json!({"keys": [old_key()]}).to_string()));
    let url = serve(router).await;
    let settings = SETTINGS.replace("https://id.example/keys", url.as_str());
    let door = Door::online(&format!("{settings}jwks_insecure_http = true\n"));
    assert_eq!(door.status(&old().token("old", "ada")).await, 200);
    assert_eq!(door.status(&new().token("old", "eve")).await, 401);
}

#[tokio::test]
async fn a_redirect_of_keys_is_not_followed() {
    let reached = Arc::new(AtomicUsize::new(0));
    let elsewhere = serve(Router::new().fallback({
        let reached = Arc::clone(&reached);
        move || {
            reached.fetch_add(1, Ordering::SeqCst);
            async { json!({"keys": [old_key()]}).to_string() }
        }
    }))
    .await;
    for status in [301, 302, 303, 307, 308] {
        let to = elsewhere.to_string();
        let redirect = get(async move || {
            let response = Response::builder().status(status).header("location", to);
            response.body(Body::from(json!({"keys": [old_key()]}).to_string())).expect("a response")
        });
        let url = serve(Router::new().route("/keys", redirect)).await;
        let document = Document::new(&url, 60 * SECOND, MAX).expect("a client");
        assert_eq!(document.get().await.expect("an answer").status, status);
        let settings = SETTINGS.replace("https://id.example/keys", url.as_str());
        let door = Door::online(&format!("{settings}jwks_insecure_http = true\n"));
        assert_eq!(door.status(&old().token("old", "ada")).await, 503, "{status}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_does_not_end_is_given_up() {
    let endless = get(async || {
        let piece = || futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1000]));
        Response::new(Body::from_stream(piece()))
    });
    let url = serve(Router::new().route("/keys", endless)).await;
    let error = Document::new(&url, 60 * SECOND, MAX).expect("a client").get().await;
    assert_eq!(error.expect_err("endless").kind, ErrorKind::TooLarge(MAX));

    let large = get(async || " ".repeat(MAX + 1));
    let url = serve(Router::new().route("/keys", large)).await;
    let error = Document::new(&url, 60 * SECOND, MAX).expect("a client").get().await;
    assert_eq!(error.expect_err("too large").kind, ErrorKind::TooLarge(MAX));
    let all = Document::new(&url, 60 * SECOND, MAX + 1).expect("a client").get().await;
    assert_eq!(all.expect("as large as may be").body.len(), MAX + 1);

    let silent = get(async || std::future::pending::<String>().await);
    let url = serve(Router::new().route("/keys", silent)).await;
    let error = Document::new(&url, SECOND / 20, MAX).expect("a client").get().await;
    assert_eq!(error.expect_err("silent").kind, ErrorKind::Timeout);

    let nowhere = Url::parse("http://127.0.0.1:1/keys").expect("a URL");
    let error = Document::new(&nowhere, 60 * SECOND, MAX).expect("a client").get().await;
    assert_eq!(error.expect_err("nobody listens").kind, ErrorKind::Unreachable);
}
