//! Reading is total: whatever the text, there is an answer and no panic.

use proptest::prelude::*;

use super::{env, load};
use crate::config::Config;

/// Pieces of settings, so that most texts get past the TOML parser.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "listen",
        "auth",
        "jwt",
        "graphql",
        "limits",
        "deadline",
        "log",
        "level",
        "dev",
        "token",
        "claims",
        "secret",
        "url",
        "identity",
        "headers",
        "forward",
        "return",
        "mock",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ".",
        ",",
        " = ",
        "\n",
        "\"",
        "\"\"\"",
        "'",
        "${",
        "}",
        "$${",
        ":-",
        "JWT_SECRET",
        "1",
        "-1",
        "1.5",
        "true",
        "1979-05-27",
        "\"2s\"",
        "\"1MiB\"",
        "\"http://a:b@c\"",
        "é",
        "\u{1b}",
        "\\u0000",
        "#",
    ];
    prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"]
}

/// `key = value` lines below headers: always TOML, hardly ever settings.
fn line() -> impl Strategy<Value = String> {
    let names = || prop::sample::select(vec!["auth", "jwt", "limits", "log", "mock", "url", "é"]);
    let value = prop::sample::select(vec![
        "1",
        "true",
        "\"x\"",
        "\"${\"",
        "[]",
        "{}",
        "[1, {a = 2}]",
        "{jwt = [{}, 1]}",
        "1.5",
    ]);
    prop_oneof![
        names().prop_map(|name| format!("['{name}']\n")),
        (names(), names()).prop_map(|(a, b)| format!("[['{a}'.'{b}']]\n")),
        (names(), value).prop_map(|(name, value)| format!("'{name}' = {value}\n")),
    ]
}

fn check(text: &str) {
    for name in ["onedoor.toml", "upstreams/users.toml"] {
        let loaded = load(&[(name, text)]);
        let shown = loaded.problems.render(true) + &loaded.problems.render(false);
        assert_eq!(shown.is_empty(), loaded.problems.is_empty());
        assert_eq!(
            loaded.problems.lines().lines().count(),
            loaded.problems.iter().len(),
            "{text:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_pieces_are_read(pieces in prop::collection::vec(piece(), 0..40)) {
        check(&pieces.concat());
    }

    #[test]
    fn any_toml_is_read(lines in prop::collection::vec(line(), 0..12)) {
        check(&lines.concat());
    }
}

#[test]
fn a_thousand_mistakes_are_all_told() {
    let values: String = (0..1_000).map(|n| format!("n{n} = {n}\n")).collect();
    let text = format!("url = \"http://a\"\n[identity.headers]\n{values}");
    let loaded = Config::from_texts([("upstreams/a.toml", text.as_str())], &env());
    assert_eq!(loaded.problems.error_count(), 1_000);
}
