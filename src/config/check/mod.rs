//! From settings as written to a `Config`: what no single value can know. Each check reports and
//! goes on.

mod cors;
mod gateway;
mod headers;
mod jwt;
mod mock;
mod route;
mod upstream;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use http::HeaderName;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::Loaded;
use super::env::Env;
use super::files::SettingsText;
use super::name::ServiceName;
use super::problem::{Problem, Problems, SourceId};
use super::reader::{self, Located, Read};
use super::settings::{GatewaySettings, UpstreamSettings};
use super::text::Text;

/// Whether a client may be given an upstream's header of that name: the gateway does not write it
/// itself, and it is true of a response that is made of several answers.
pub(crate) fn may_be_returned(name: &HeaderName) -> bool {
    headers::not_returned(name).is_none()
}

/// What the checks of one file need.
struct Checks<'a> {
    source: SourceId,
    root: &'a Path,
    env: &'a dyn Env,
    problems: &'a mut Problems,
    across: &'a mut Across,
}

/// What the files must agree on.
#[derive(Default)]
struct Across {
    /// The ports that are taken on this machine, and by whom.
    ports: BTreeMap<u16, String>,
    /// The paths at which the gateway answers.
    paths: route::Paths,
    /// Whether there is an issuer of tokens, or was meant to be one.
    takes_tokens: bool,
}

/// Reads and checks files that were added to `problems`.
pub(super) fn check(
    files: &[SettingsText],
    root: &Path,
    env: &dyn Env,
    mut problems: Problems,
) -> Loaded {
    let sorted = sort_out(files, &mut problems);
    let mut across = Across::default();
    let (mut config, deadline) = match sorted.gateway {
        Some(file) => {
            let read = read::<GatewaySettings>(file, env, &mut problems);
            let known = !["limits", "deadline"].iter().any(|key| read.mistakes.touch(key));
            let source = file.source;
            let mut checks =
                Checks { source, root, env, problems: &mut problems, across: &mut across };
            (gateway::check(read, &mut checks), known)
        }
        None => (gateway::defaults(), true),
    };
    let deadline = deadline.then(|| config.limits.deadline.get());
    across.ports.insert(config.listen.port(), "the gateway itself".to_owned());
    across.paths.take_for_graphql(&config.graphql);
    for (name, file) in sorted.upstreams {
        let read = read::<UpstreamSettings>(file, env, &mut problems);
        let source = file.source;
        let mut checks = Checks { source, root, env, problems: &mut problems, across: &mut across };
        if let Some(upstream) = upstream::check(&name, &read, deadline, &mut checks) {
            config.upstreams.insert(name, upstream);
        }
    }
    problems.sort();
    Loaded { draft: config, problems }
}

fn read<T: DeserializeOwned + JsonSchema + Default>(
    file: SettingsText,
    env: &dyn Env,
    problems: &mut Problems,
) -> Read<T> {
    if file.readable { reader::read(file.source, env, problems) } else { Read::nothing() }
}

/// Files by what they are.
#[derive(Default)]
struct Sorted {
    gateway: Option<SettingsText>,
    upstreams: BTreeMap<ServiceName, SettingsText>,
}

fn sort_out(files: &[SettingsText], problems: &mut Problems) -> Sorted {
    let mut sorted = Sorted::default();
    for &file in files {
        let name = problems.sources.get(file.source).map_or(String::new(), |of| of.name.clone());
        if let Err((message, help)) = sorted.add(file, &name) {
            problems.push(Problem::error(file.source, 0..0, message).with_help(help));
        }
    }
    sorted
}

impl Sorted {
    /// Puts a file where it belongs; otherwise, what is wrong and what to do.
    fn add(&mut self, file: SettingsText, name: &str) -> Result<(), (String, String)> {
        let stem = name.strip_prefix("upstreams/").and_then(|name| name.strip_suffix(".toml"));
        let other = match stem.map(|stem| (stem, stem.parse::<ServiceName>())) {
            Some((_, Ok(service))) => self.upstreams.insert(service, file),
            Some((stem, Err(error))) => {
                let message = format!("`{stem}` cannot be a service's name");
                return Err((message, format!("rename the file: {error}")));
            }
            None if name == "onedoor.toml" => self.gateway.replace(file),
            None => {
                let help = "settings are `onedoor.toml` and `upstreams/NAME.toml`";
                return Err((format!("`{name}` is not a settings file"), help.to_owned()));
            }
        };
        match other {
            Some(_) => {
                Err((format!("there are two files `{name}`"), "keep one of them".to_owned()))
            }
            None => Ok(()),
        }
    }
}

impl Checks<'_> {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::error(self.source, span, message).with_help(help));
    }

    fn warning(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::warning(self.source, span, message).with_help(help));
    }

    fn text(&self, located: &Located<String>) -> Text {
        Text::new(located, self.source, &self.problems.sources)
    }

    /// A text that must say something.
    fn not_empty(&mut self, located: &Located<String>, what: &str) -> bool {
        let empty = located.value.is_empty();
        if empty {
            self.error(located.span(), format!("{what} is empty"), "write it, or take out the key");
        }
        !empty
    }
}
