//! A shared secret: from where it comes, and whether it is long enough.

use super::super::Checks;
use super::keys::read_file;
use crate::config::reader::Located;
use crate::config::substitute::Origin;
use crate::config::{JwtAlgorithm, Secret};

/// A secret that stands in the settings, or comes from a variable there.
pub(super) fn written(
    secret: &Located<Secret>,
    algorithms: &[JwtAlgorithm],
    checks: &mut Checks<'_>,
) -> Option<Secret> {
    warn_of_written(secret, checks);
    let located = Located { value: (), place: secret.place.clone() };
    long_enough(secret.value.clone(), &located, algorithms, checks)
}

/// A secret in a file of its own. One line end at its end is the editor's.
pub(super) fn in_file(
    written: &Located<String>,
    algorithms: &[JwtAlgorithm],
    checks: &mut Checks<'_>,
) -> Option<Secret> {
    let file = read_file(written, "the secret file", checks)?;
    if file.world_readable {
        checks.warning(
            written.span(),
            "every user of this machine can read the secret file",
            "take that right from others: `chmod o-r` on the file",
        );
    }
    let mut bytes = file.bytes;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    let located = Located { value: (), place: written.place.clone() };
    long_enough(Secret::new(bytes), &located, algorithms, checks)
}

fn long_enough(
    secret: Secret,
    place: &Located<()>,
    algorithms: &[JwtAlgorithm],
    checks: &mut Checks<'_>,
) -> Option<Secret> {
    let needs = algorithms.iter().filter_map(|of| Some((of.secret_bytes()?, of)));
    let (needs, algorithm) = needs.max()?;
    let has = secret.expose().len();
    if has < needs {
        checks.error(
            place.span(),
            format!("a {algorithm:?} secret needs at least {needs} bytes (RFC 7518 section 3.2)"),
            format!("this one has {has}; `openssl rand -hex {needs}` makes a good one"),
        );
        return None;
    }
    Some(secret)
}

/// Whoever reads the file could sign tokens.
fn warn_of_written(secret: &Located<Secret>, checks: &mut Checks<'_>) {
    const HELP: &str = "whoever reads this file can sign tokens";
    match secret.place.as_ref().map(|place| place.origin) {
        Some(Origin::Written) => checks.warning(
            secret.span(),
            "the secret stands in the file itself",
            format!("{HELP}: write `\"${{JWT_SECRET}}\"`, or use `secret_file`"),
        ),
        Some(Origin::Default) => checks.warning(
            secret.span(),
            "the variable is not set, so the secret is the default in this file",
            format!("{HELP}: good enough to try things out, not to serve"),
        ),
        Some(Origin::Environment) | None => {}
    }
}
