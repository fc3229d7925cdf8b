//! What settings promise, beyond the messages that `tests/config_diagnostics.rs` holds.

mod agreement;
mod problems;
mod settings;
mod total;

use super::{Config, FixedEnv, Loaded};

/// A key long enough for HS256.
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn env() -> FixedEnv {
    FixedEnv::new().with_variable("JWT_SECRET", KEY)
}

fn load(files: &[(&str, &str)]) -> Loaded {
    Config::from_texts(files.iter().map(|(name, text)| (*name, *text)), &env())
}

/// Settings that must be right.
fn config(files: &[(&str, &str)]) -> Config {
    let (config, problems) = load(files).finish();
    config.unwrap_or_else(|| panic!("{}", problems.render(false)))
}

/// The one-line forms of what is wrong.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    load(files).problems.lines().lines().map(str::to_owned).collect()
}
