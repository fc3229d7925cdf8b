//! Settings that are designed and do not work yet: refused by name, so that nobody takes them for
//! a slip of spelling, nor believes them to have an effect. A feature that lands deletes its row.

/// What is said of a setting that does not work yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Later(Option<&'static str>);

impl Later {
    /// What to do meanwhile.
    pub(crate) fn help(self) -> &'static str {
        self.0.unwrap_or("leave it out for now")
    }
}

type Row = (&'static str, &'static [&'static str], Later);

const PLAIN: Later = Later(None);

/// Keys, by the struct that will have them.
const KEYS: &[Row] = &[
    ("GatewaySettings", &["rate_limit", "telemetry", "tls"], PLAIN),
    ("AuthSettings", &["api_keys", "introspection"], PLAIN),
    ("UpstreamSettings", &["retry", "breaker", "balance", "health", "cache"], PLAIN),
];

/// Values, by the enum that will have them.
const VALUES: &[Row] =
    &[("TokenForwarding", &["signed"], Later(Some("write `\"none\"` or `\"forward\"` for now")))];

/// Whether a key will be known to a struct one day.
pub(crate) fn key(owner: &str, name: &str) -> Option<Later> {
    find(KEYS, owner, name)
}

/// Whether a value will be known to an enum one day.
pub(crate) fn value(owner: &str, name: &str) -> Option<Later> {
    find(VALUES, owner, name)
}

fn find(rows: &[Row], owner: &str, name: &str) -> Option<Later> {
    rows.iter()
        .find(|(of, names, _)| *of == owner && names.contains(&name))
        .map(|(_, _, later)| *later)
}
