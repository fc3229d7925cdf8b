//! What `dev` says once it runs: where everything is, and a query to try.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;

use crate::cli::size::Size;
use crate::config::in_words;
use crate::door::CONSOLE_PATH;

use super::sample::Sample;

/// The greeting.
pub(super) struct Hello<'a> {
    /// How large the project is.
    pub(super) size: Size,
    /// Where the gateway listens.
    pub(super) address: SocketAddr,
    /// The path of GraphQL.
    pub(super) path: &'a str,
    /// Whether the whole of GraphiQL was built in; `None`: it is off.
    pub(super) console: Option<bool>,
    /// Each plain path, with the service it goes to.
    pub(super) routes: Vec<(String, String)>,
    /// Name, address and file of each mock.
    pub(super) mocks: Vec<(String, SocketAddr, String)>,
    /// A token that is accepted; `None`: the settings have no issuer.
    pub(super) token: Option<String>,
    /// How long it is valid.
    pub(super) lifetime: Duration,
    /// A query to try.
    pub(super) sample: Sample,
    /// Why changes of files are not noticed, if they are not.
    pub(super) unwatched: Option<String>,
}

impl fmt::Display for Hello<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let here = reachable(self.address);
        writeln!(f, "Onedoor {}: {}\n", env!("CARGO_PKG_VERSION"), self.size)?;
        writeln!(f, "  GraphQL   http://{here}{}", self.path)?;
        if let Some(whole) = self.console {
            let lacking = if whole { "" } else { "  (built without npm: it says how to have it)" };
            writeln!(f, "  GraphiQL  http://{here}{CONSOLE_PATH}{lacking}")?;
        }
        writeln!(f, "  health    http://{here}/health/ready")?;
        let path = self.routes.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
        for (nth, (route, service)) in self.routes.iter().enumerate() {
            let label = if nth == 0 { "REST" } else { "" };
            writeln!(f, "  {label:8}  http://{here}{route:path$}  {service}")?;
        }
        let name = self.mocks.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let address = self.mocks.iter().map(|(_, at, _)| at.to_string().len()).max().unwrap_or(0);
        for (nth, (mock, at, file)) in self.mocks.iter().enumerate() {
            let label = if nth == 0 { "mocks" } else { "" };
            writeln!(f, "  {label:8}  {mock:name$}  http://{:address$}  {file}", at.to_string())?;
        }
        if let Some(token) = &self.token {
            writeln!(f, "\nA token, valid for {} (`onedoor token` makes others):\n", {
                in_words(self.lifetime)
            })?;
            writeln!(f, "  {token}")?;
        }
        writeln!(f, "\nTry {}:\n\n  {}\n", self.sample.name, self.curl(here))?;
        match &self.unwatched {
            None => {
                writeln!(f, "A change of the project's files takes effect at once. Ctrl-C ends.")
            }
            Some(why) => writeln!(f, "Changes of files are not noticed: {why}. Ctrl-C ends."),
        }
    }
}

impl Hello<'_> {
    /// A line for a POSIX shell.
    fn curl(&self, here: SocketAddr) -> String {
        let mut body = json!({ "query": self.sample.query });
        if let Some(variables) = &self.sample.variables {
            body["variables"] = variables.clone();
        }
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}"));
        let headers = ["content-type: application/json".to_owned()].into_iter().chain(token);
        let headers: String = headers.map(|header| format!(" -H {}", quoted(&header))).collect();
        let url = quoted(&format!("http://{here}{}", self.path));
        format!("curl -s {url}{headers} -d {}", quoted(&body.to_string()))
    }
}

/// Who listens at every address is found at this machine's own.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// One word for a POSIX shell (XCU section 2.2.2).
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    if text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_quoted_text_as_it_was() {
        assert_eq!(quoted("http://127.0.0.1:4000/graphql"), "http://127.0.0.1:4000/graphql");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn who_listens_everywhere_is_called_at_this_machine() {
        let shown = |address: &str| reachable(address.parse().expect("an address")).to_string();
        assert_eq!(shown("0.0.0.0:4000"), "127.0.0.1:4000");
        assert_eq!(shown("[::]:4000"), "[::1]:4000");
        assert_eq!(shown("10.0.0.1:4000"), "10.0.0.1:4000");
    }
}
