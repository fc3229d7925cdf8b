//! Checks of `[cors]`.

use http::HeaderName;

use super::Checks;
use crate::config::Cors;
use crate::config::reader::{Located, Mistakes};
use crate::config::settings::CorsSettings;
use crate::config::value::Header;

/// What pages of other origins may do; `None`: nothing, since there is no `[cors]`.
pub(super) fn check(
    settings: &Located<CorsSettings>,
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Option<Cors> {
    settings.place.as_ref()?;
    let span = settings.span();
    let CorsSettings { origins, credentials, headers, methods, expose, max_age } = &settings.value;
    if origins.is_empty() {
        if !mistakes.touch("origins") {
            checks.error(
                span,
                "this `[cors]` lists no origin, and so lets no page in",
                "add `origins = [\"https://app.example.com\"]`, or take out the table",
            );
        }
        return None;
    }
    if let Some(any) = origins.iter().find(|origin| origin.value.is_any())
        && *credentials
    {
        checks.error(
            any.span(),
            "any page at all could act with its visitor's credentials",
            "list the origins, or take out `credentials`; a token in `Authorization` needs none",
        );
    }
    Some(Cors {
        origins: origins.iter().map(|origin| origin.value.clone()).collect(),
        credentials: *credentials,
        headers: names(headers, checks),
        methods: methods.iter().map(|method| method.0.clone()).collect(),
        expose: names(expose, checks),
        max_age: max_age.get(),
    })
}

/// Browsers take `*` for a header's name as soon as there are credentials, and never count
/// `Authorization` in.
fn names(headers: &[Located<Header>], checks: &mut Checks<'_>) -> Vec<HeaderName> {
    for star in headers.iter().filter(|header| header.value.0.as_str() == "*") {
        checks.error(star.span(), "`*` is not a header", "list the headers by their names");
    }
    headers.iter().map(|header| header.value.0.clone()).collect()
}
