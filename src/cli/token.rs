//! `onedoor token`: a token that this project's gateway takes, for trying things out.

use std::time;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};
use serde_json::{Map, Value};

use crate::config::{Config, Duration};
use crate::identity::{MintError, mint};

use super::ending::Ending;
use super::root::Root;
use super::terminal;

const EXAMPLES: &str = "\
Examples:
  onedoor token                               the claims of `[dev.token]` in onedoor.toml
  onedoor token --claim sub=7 --expires 5m    another user, for a short time
  onedoor token --claim 'roles=[\"staff\"]'     a value is JSON if it reads as JSON, else text;
                                              `sub`, `iss` and `jti` are always text

  curl -H \"authorization: Bearer $(onedoor token)\" ..";

/// Print a token that the gateway accepts
///
/// It is signed with the secret of the first `[[auth.jwt]]` in onedoor.toml that has one; `iss`, `aud` and times
/// are filled in.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A claim, beside or instead of one of `[dev.token]`; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    claims: Vec<(String, Value)>,
    /// How long it is valid, up to 720h [default: `[dev.token] lifetime`]
    #[arg(long, value_name = "DURATION", value_parser = parse_lifetime)]
    expires: Option<time::Duration>,
}

/// Mints and prints it; nothing else goes to standard output.
///
/// # Errors
/// If the settings have mistakes, or no issuer whose secret they know.
pub(super) fn run(args: &Args, root: &Root) -> Result<(), Ending> {
    let (config, problems) = root.settings()?;
    // Among them, that the secret is one that everybody can read.
    terminal::show_briefly(&problems);
    let token = minted(&config, &args.claims, args.expires)?.ok_or_else(|| {
        if !config.auth.jwt.is_empty() {
            return Ending::failed(MintError::NoSecret.to_string())
                .with_help("get one from the issuer: whatever signs people in there gives it out");
        }
        Ending::failed("these settings know no issuer of tokens").with_help(
            "add it to onedoor.toml, with a secret of 32 bytes or more in the environment:\n\
             \n    [[auth.jwt]]\n    issuer = \"https://login.example.com\"\n    \
             secret = \"${JWT_SECRET}\"",
        )
    })?;
    Ok(terminal::print(&format!("{token}\n"))?)
}

/// A token of the first issuer that has a secret; `None`: there is none.
///
/// # Errors
/// If it cannot be signed.
pub(super) fn minted(
    config: &Config,
    claims: &[(String, Value)],
    lifetime: Option<time::Duration>,
) -> Result<Option<String>, Ending> {
    let mut issuers = config.auth.jwt.iter();
    let Some(issuer) = issuers.find(|issuer| issuer.secret().is_some()) else { return Ok(None) };
    let mut all: Map<String, Value> = config.dev.token_claims.clone();
    all.extend(claims.iter().cloned());
    let lifetime = lifetime.unwrap_or(config.dev.token_lifetime);
    let token = mint(issuer, all, lifetime).map_err(|error| Ending::failed(error.to_string()))?;
    Ok(Some(token))
}

/// Claims that are text whatever they look like (RFC 7519 section 4.1).
const TEXT: [&str; 3] = ["iss", "sub", "jti"];

fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() || !text.contains('=') {
        return Err("write the claim's name, `=` and its value: `sub=7`".to_owned());
    }
    let json = serde_json::from_str(value).ok().filter(|_| !TEXT.contains(&name));
    Ok((name.to_owned(), json.unwrap_or_else(|| value.into())))
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

/// As `[dev.token] lifetime` is written.
fn parse_lifetime(text: &str) -> Result<time::Duration, Error> {
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    Duration::<SECOND, { 720 * HOUR }>::deserialize(text).map(Duration::get)
}
