//! Settings that are right, and what they mean.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{KEY, config, env, load, told};
use crate::config::{
    BodyFormat, Config, GraphqlAuth, JwtAlgorithm, LogFormat, Mode, ProcessEnv, RouteAuth,
    SecretFile, Switch, TokenForwarding, TraceFor,
};

const UPSTREAM: &str = "url = \"http://127.0.0.1:3001\"\n";

#[test]
fn without_a_file_everything_has_its_default() {
    let config = config(&[]);
    assert_eq!(config.listen.to_string(), "127.0.0.1:4000");
    assert_eq!(config.graphql.path.as_str(), "/graphql");
    assert_eq!(config.graphql.auth, GraphqlAuth::Optional);
    assert_eq!(config.limits.deadline.get(), Duration::from_secs(30));
    assert_eq!(config.limits.request_body.bytes(), 1 << 20);
    assert_eq!(config.limits.query_tokens.get(), 10_000);
    assert_eq!(config.log.level.as_str(), "info");
    assert_eq!(config.log.format, LogFormat::Auto);
    assert!(config.auth.jwt.is_empty() && config.upstreams.is_empty());
}

#[test]
fn introspection_is_on_in_dev_and_off_in_serve_unless_set() {
    let auto = config(&[]).graphql.introspection;
    assert!(auto.is_on(Mode::Dev) && !auto.is_on(Mode::Serve));
    assert!(Switch::On.is_on(Mode::Serve) && !Switch::Off.is_on(Mode::Dev));
}

#[test]
fn who_may_ask_for_a_trace_is_a_switch_or_an_expression_that_counts_in_serve() {
    let issuer = "[[auth.jwt]]\nsecret = \"${JWT_SECRET}\"\n";
    for (trace, in_dev, in_serve, expression) in [
        ("", true, false, None),
        ("trace = \"auto\"", true, false, None),
        ("trace = \"on\"", true, true, None),
        ("trace = \"off\"", false, false, None),
        ("trace = \"claims.admin == true\"", true, false, Some("claims.admin == true")),
        ("trace = \"${NOT_SET:-claims.a == 1}\"", true, false, Some("claims.a == 1")),
        ("trace = \"${NOT_SET:-on}\"", true, true, None),
    ] {
        let text = format!("[graphql]\n{trace}\n{issuer}");
        let trace: TraceFor = config(&[("onedoor.toml", &text)]).graphql.trace;
        let everybody = (trace.is_everybody(Mode::Dev), trace.is_everybody(Mode::Serve));
        assert_eq!(everybody, (in_dev, in_serve), "{text}");
        assert_eq!(trace.callers().map(ToString::to_string).as_deref(), expression, "{text}");
    }
}

#[test]
fn an_issuer_is_read_with_all_it_has() {
    let text = "[[auth.jwt]]\nissuer = \"https://a.example\"\naudience = \"shop\"\n\
                algorithms = [\"HS256\", \"HS256\"]\nsecret = \"${JWT_SECRET}\"\nleeway = \"0s\"";
    let jwt = &config(&[("onedoor.toml", text)]).auth.jwt[0];
    assert_eq!(jwt.issuer.as_deref(), Some("https://a.example"));
    assert_eq!(jwt.audience, ["shop"]);
    assert_eq!(jwt.algorithms, [JwtAlgorithm::HS256]);
    assert_eq!(jwt.secret().unwrap().expose(), KEY.as_bytes());
    assert_eq!(jwt.leeway, Duration::ZERO);
}

#[test]
fn one_line_end_after_a_secret_in_a_file_is_not_part_of_it() {
    let text = "[[auth.jwt]]\nsecret_file = \"jwt.key\"\n";
    for (end, kept) in [("", ""), ("\n", ""), ("\r\n", ""), ("\n\n", "\n"), (" \n", " ")] {
        let bytes = format!("{KEY}{end}").into_bytes();
        let file = SecretFile { bytes, world_readable: false };
        let env = env().with_secret_file("jwt.key", file);
        let (config, _) = Config::from_texts([("onedoor.toml", text)], &env).finish();
        let secret = config.unwrap().auth.jwt[0].secret().unwrap().clone();
        assert_eq!(secret.expose(), format!("{KEY}{kept}").as_bytes());
    }
}

#[cfg(unix)]
#[test]
fn a_secret_file_that_all_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = tempfile::tempdir().unwrap();
    let key = project.path().join("jwt.key");
    let settings = "[[auth.jwt]]\nsecret_file = \"jwt.key\"\n";
    std::fs::write(project.path().join("onedoor.toml"), settings).unwrap();
    std::fs::write(&key, KEY).unwrap();
    for (mode, warnings) in [(0o600, 0), (0o640, 0), (0o644, 1)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let (config, problems) = Config::load(project.path(), &ProcessEnv).finish();
        assert!(config.is_some());
        assert_eq!(problems.warning_count(), warnings, "{mode:o}");
    }
}

#[test]
fn an_upstream_is_read_with_all_it_has() {
    let text = "url = \"https://orders.example/v1/\"\ntimeout = \"500ms\"\nbody = \"form\"\n\
                [identity]\nheaders = { x-user-id = \"{claims.sub}\" }\ntoken = \"forward\"\n\
                [headers]\nforward = [\"Accept-Language\"]\nreturn = [\"Set-Cookie\"]\n\
                [error]\nif = \"errors\"\ncode = \"errors[0].code\"\n\
                [mock]\ndata = \"mock/orders.json\"\nport = 3003\nlatency = \"20ms\"\n\
                failure_rate = 1\n";
    let jwt = "[[auth.jwt]]\nsecret = \"${JWT_SECRET}\"";
    let config = config(&[("onedoor.toml", jwt), ("upstreams/orders.toml", text)]);
    let orders = &config.upstreams["orders"];
    assert_eq!(orders.name.as_str(), "orders");
    assert_eq!(orders.url.to_string(), "https://orders.example/v1");
    assert!(orders.url.is_https());
    assert_eq!((orders.url.authority(), orders.url.port()), ("orders.example", 443));
    assert_eq!(orders.url.base_path(), "/v1");
    assert_eq!(orders.timeout, Duration::from_millis(500));
    assert_eq!(orders.body, BodyFormat::Form);
    assert_eq!(orders.identity_headers[0].name, "x-user-id");
    assert_eq!(orders.identity_headers[0].value.as_str(), "{claims.sub}");
    assert_eq!(orders.token, TokenForwarding::Forward);
    assert_eq!(orders.forward_headers, ["accept-language"]);
    assert_eq!(orders.return_headers, ["set-cookie"]);
    assert_eq!(orders.error.condition.as_ref().unwrap().as_str(), "errors");
    assert!(orders.error.message.is_none());
    let mock = orders.mock.as_ref().unwrap();
    assert_eq!((mock.data.as_str(), mock.id.as_str()), ("mock/orders.json", "id"));
    assert_eq!((mock.port, mock.latency), (Some(3003), Duration::from_millis(20)));
    assert!((mock.failure_rate - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_route_has_its_services_timeout_needs_a_token_and_has_no_limit_unless_it_says_otherwise() {
    let jwt = "[limits]\ndeadline = \"5s\"\n[[auth.jwt]]\nsecret = \"${JWT_SECRET}\"";
    let text = "url = \"http://a\"\ntimeout = \"3s\"\n\
                [[route]]\npath = \"/api/a\"\nto = \"/\"\n\
                [[route]]\npath = \"/\"\nto = \"/b\"\nauth = \"none\"\ntimeout = \"1m\"\n\
                max_body = \"0B\"\n";
    let config = config(&[("onedoor.toml", jwt), ("upstreams/a.toml", text)]);
    let routes: Vec<_> = config.upstreams["a"]
        .routes
        .iter()
        .map(|route| {
            let (path, to) = (route.path.as_str(), route.to.as_str());
            (path, to, route.auth, route.timeout.as_secs(), route.max_body)
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("/api/a", "/", RouteAuth::Required, 3, None),
            // Silence may last longer than a whole GraphQL request.
            ("/", "/b", RouteAuth::None, 60, Some(0)),
        ]
    );
}

#[test]
fn pages_of_other_origins_are_let_in_only_where_they_are_listed() {
    assert!(config(&[("onedoor.toml", "")]).cors.is_none());
    let text = "[cors]\norigins = [\"https://App.example.com:443\", \"https://*.example.com\"]";
    let cors = config(&[("onedoor.toml", text)]).cors.unwrap();
    let covers = |origin: &str| cors.origins.iter().any(|allowed| allowed.covers(origin));
    assert!(covers("https://app.example.com") && covers("https://a.b.example.com"));
    assert!(!covers("https://example.com") && !covers("null"));
    assert_eq!((cors.credentials, cors.max_age), (false, Duration::from_secs(600)));
}

#[test]
fn a_base_path_is_empty_or_has_no_slash_at_its_end() {
    for (written, path) in [
        ("http://a", ""),
        ("http://a/", ""),
        ("HTTP://a:80/v1", "/v1"),
        ("http://[::1]:3001/a/b//", "/a/b"),
    ] {
        let text = format!("url = \"{written}\"");
        let config = config(&[("upstreams/a.toml", &text)]);
        assert_eq!(config.upstreams["a"].url.base_path(), path, "{written}");
    }
}

#[test]
fn a_default_timeout_gives_way_to_a_shorter_deadline() {
    let files =
        [("onedoor.toml", "[limits]\ndeadline = \"1s\""), ("upstreams/users.toml", UPSTREAM)];
    assert_eq!(config(&files).upstreams["users"].timeout, Duration::from_secs(1));
}

#[test]
fn the_parts_of_a_text_are_found_in_its_file() {
    let parts = [
        // (literal, part of the value, what of the file it is)
        ("\"{claims.sub}\"", 1..7, "claims"),
        ("'{claims.sub}'", 1..7, "claims"),
        ("\"\"\"\n{claims.sub}\"\"\"", 1..7, "claims"),
        ("\"\\u007bclaims.sub}\"", 1..7, "\"\\u007bclaims.sub}\""),
        ("\"{claims.sub}${JWT_SECRET}\"", 1..7, "\"{claims.sub}${JWT_SECRET}\""),
    ];
    for (literal, part, expected) in parts {
        let text = format!("{UPSTREAM}[identity.headers]\nx-user-id = {literal}\n");
        let config = config(&[("upstreams/users.toml", &text)]);
        let value = &config.upstreams["users"].identity_headers[0].value;
        assert_eq!(text.get(value.span()).unwrap(), literal);
        assert_eq!(text.get(value.span_of(part)).unwrap(), expected);
    }
}

#[test]
fn the_claims_of_the_token_for_trying_out_are_json() {
    let text = "[[auth.jwt]]\nsecret = \"${JWT_SECRET}\"\n[dev.token]\nlifetime = \"5m\"\n\
                claims = { sub = \"${SUB:-7}\", n = 1, x = 1.5, on = true, \
                all = [1, { a = \"b\" }] }";
    let config = config(&[("onedoor.toml", text)]);
    assert_eq!(
        serde_json::Value::from(config.dev.token_claims),
        serde_json::json!({"sub": "7", "n": 1, "x": 1.5, "on": true, "all": [1, {"a": "b"}]})
    );
    assert_eq!(config.dev.token_lifetime, Duration::from_secs(300));
}

#[test]
fn a_file_that_is_wrong_leaves_its_service_known() {
    let files = [
        ("upstreams/broken.toml", "url = "),
        ("upstreams/nowhere.toml", "url = \"nowhere\""),
        ("upstreams/users.toml", UPSTREAM),
    ];
    let loaded = load(&files);
    let names: BTreeSet<_> = loaded.draft.upstreams.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["broken", "nowhere", "users"].map(str::to_owned).into());
    assert!(loaded.finish().0.is_none());
}

#[test]
fn files_of_other_names_are_refused() {
    let lines = told(&[
        ("onedor.toml", ""),
        ("upstreams/a/b.toml", UPSTREAM),
        ("upstreams/users.toml", UPSTREAM),
        ("upstreams/users.toml", UPSTREAM),
    ]);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].starts_with("onedor.toml:1:1: error: `onedor.toml` is not a settings file"));
    assert!(lines[1].starts_with("upstreams/a/b.toml:1:1: error: `a/b` cannot be a service's"));
    assert!(lines[2].contains("there are two files `upstreams/users.toml`"));
}

#[test]
fn a_mistake_is_not_told_again_as_something_missing() {
    let one_each = [
        ("onedoor.toml", "[[auth.jwt]]\nsecret = 5\n"),
        ("onedoor.toml", "[[auth.jwt]]\nsecrt = \"${JWT_SECRET}\"\n"),
        ("onedoor.toml", "[[auth.jwt]]\njwks = \"ftp://a.example\"\njwks_keep = \"1h\"\n"),
        ("onedoor.toml", "[auth]\njwtt = []\n[graphql]\nauth = \"required\"\n"),
        ("onedoor.toml", "auth = 1\n[dev]\ntoken = { claims = { a = 1 } }\n"),
        ("upstreams/a.toml", "url = \"ftp://a\"\n"),
        ("upstreams/a.toml", "ulr = \"http://a\"\n"),
        ("upstreams/a.toml", "[error]\nurl = \"http://a\"\n"),
        ("upstreams/a.toml", "url = \"http://a\"\n[mock]\ndata = 1\n"),
    ];
    for (name, text) in one_each {
        let lines = told(&[(name, text)]);
        assert_eq!(lines.len(), 1, "{text}{lines:#?}");
    }
}
