//! What one upstream is told of the caller.

use http::header::HeaderName;

use crate::config;
use crate::failure::{Code, Failure};
use crate::template::HeaderTemplate;
use crate::upstream::CallerHeaders;

use super::{ClientHeaders, Identity};

/// The identity headers and the forwarded headers of one upstream.
#[derive(Debug)]
pub struct Outbound {
    identity: Vec<(HeaderName, HeaderTemplate)>,
    forward: Vec<HeaderName>,
}

impl Outbound {
    /// As the upstream's settings say.
    #[must_use]
    pub fn new(upstream: &config::Upstream) -> Self {
        Self { identity: upstream.identity.clone(), forward: upstream.forward.clone() }
    }

    /// The names of the identity headers.
    pub fn identity_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.identity.iter().map(|(name, _)| name)
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
                Failure::new(Code::Unauthenticated, "A claim of the token cannot be sent as a header.")
            })?;
            headers.identity.push((name.clone(), value));
        }
        for name in &self.forward {
            for value in client.as_map().get_all(name) {
                headers.forwarded.append(name, value.clone());
            }
        }
        Ok(headers)
    }
}
