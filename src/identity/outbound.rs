//! What one upstream is told of the caller.

use std::collections::BTreeMap;

use http::header::{AUTHORIZATION, HeaderName};

use crate::config::{Config, Problem, Problems, ServiceName, TokenForwarding, Upstream};
use crate::failure::{Code, Failure};
use crate::json::Path;
use crate::template::{Environment, HeaderTemplate};
use crate::upstream::CallerHeaders;

use super::{ClientHeaders, Identity};

/// The identity headers, the token and the forwarded headers of one upstream.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    identity: Vec<(HeaderName, HeaderTemplate)>,
    token: TokenForwarding,
    forward: Vec<HeaderName>,
}

impl Outbound {
    /// Those of every upstream, by name. Mistakes in templates are added to the problems; what is
    /// returned is then not to be used.
    pub fn of_all(
        config: &Config,
        env: Environment<'_>,
        problems: &mut Problems,
    ) -> BTreeMap<ServiceName, Self> {
        let upstreams = config.upstreams.iter();
        upstreams.map(|(name, of)| (name.clone(), Self::new(of, env, problems))).collect()
    }

    fn new(upstream: &Upstream, env: Environment<'_>, problems: &mut Problems) -> Self {
        let mut identity = Vec::with_capacity(upstream.identity_headers.len());
        for header in &upstream.identity_headers {
            let text = &header.value;
            match HeaderTemplate::parse(text.as_str(), env) {
                Ok(template) => identity.push((header.name.clone(), template)),
                Err(errors) => problems.extend(errors.into_iter().map(|error| {
                    let span = text.span_of(error.span);
                    Problem {
                        help: error.help,
                        ..Problem::error(text.source(), span, error.message)
                    }
                })),
            }
        }
        Self { identity, token: upstream.token, forward: upstream.forward_headers.clone() }
    }

    /// The names of the identity headers.
    pub fn identity_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.identity.iter().map(|(name, _)| name)
    }

    /// Whether it is sent the caller's own token.
    #[must_use]
    pub fn sends_token(&self) -> bool {
        self.token == TokenForwarding::Forward
    }

    /// The claims that they read.
    pub fn claims(&self) -> impl Iterator<Item = &Path> {
        self.identity.iter().flat_map(|(_, template)| template.claims())
    }

    /// The headers for one request. A missing claim leaves its header out.
    ///
    /// # Errors
    /// If a claim is there but cannot stand in a header: to leave it out would make the caller a
    /// stranger. Such a caller cannot ask this upstream anything.
    pub fn headers(
        &self,
        identity: &Identity,
        client: &ClientHeaders,
    ) -> Result<CallerHeaders, Failure> {
        let mut headers = CallerHeaders::default();
        for (name, template) in &self.identity {
            let value = template.render(identity.claims()).map_err(|_| {
                let message = "A claim of the token cannot be sent as a header.";
                Failure::new(Code::Unauthenticated, message)
            })?;
            headers.identity.push((name.clone(), value));
        }
        if self.sends_token() {
            // Without a token too: then nothing may stand there.
            headers.identity.push((AUTHORIZATION, identity.credential().cloned()));
        }
        for name in &self.forward {
            for value in client.as_map().get_all(name) {
                headers.forwarded.append(name, value.clone());
            }
        }
        Ok(headers)
    }
}
