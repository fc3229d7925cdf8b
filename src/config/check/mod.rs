//! From settings as written to a `Config`: what no single value can know. Each check reports and
//! goes on.

mod gateway;
mod headers;
mod jwt;
mod upstream;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::Loaded;
use super::env::Env;
use super::name::ServiceName;
use super::problem::{Problem, Problems, SourceId};
use super::reader::{self, Located};
use super::settings::{GatewaySettings, UpstreamSettings};
use super::text::Text;

/// What the checks of one file need.
struct Checks<'a> {
    source: SourceId,
    root: &'a Path,
    env: &'a dyn Env,
    problems: &'a mut Problems,
    /// The ports that are taken on this machine, and by whom.
    ports: &'a mut BTreeMap<u16, String>,
}

/// Reads and checks files that were added to `problems`.
pub(super) fn check(
    files: &[SourceId],
    root: &Path,
    env: &dyn Env,
    mut problems: Problems,
) -> Loaded {
    let sorted = sort_out(files, &mut problems);
    let mut ports = BTreeMap::new();
    let mut config = match sorted.gateway {
        Some(source) => {
            let read = reader::read::<GatewaySettings>(source, env, &mut problems);
            let mut checks = Checks {
                source,
                root,
                env,
                problems: &mut problems,
                ports: &mut ports,
            };
            gateway::check(read, &mut checks)
        }
        None => gateway::defaults(),
    };
    ports.insert(config.listen.port(), "the gateway itself".to_owned());
    for (name, source) in sorted.upstreams {
        let read = reader::read::<UpstreamSettings>(source, env, &mut problems);
        let mut checks = Checks {
            source,
            root,
            env,
            problems: &mut problems,
            ports: &mut ports,
        };
        if let Some(upstream) = upstream::check(&name, &read, &config.limits, &mut checks) {
            config.upstreams.insert(name, upstream);
        }
    }
    problems.sort();
    Loaded {
        draft: config,
        problems,
    }
}

/// Files by what they are.
struct Sorted {
    gateway: Option<SourceId>,
    upstreams: BTreeMap<ServiceName, SourceId>,
}

fn sort_out(files: &[SourceId], problems: &mut Problems) -> Sorted {
    let mut sorted = Sorted {
        gateway: None,
        upstreams: BTreeMap::new(),
    };
    for &source in files {
        let name = problems
            .sources
            .get(source)
            .map(|file| file.name.clone())
            .unwrap_or_default();
        let stem = name
            .strip_prefix("upstreams/")
            .and_then(|name| name.strip_suffix(".toml"));
        let taken = match stem.map(str::parse::<ServiceName>) {
            Some(Ok(service)) => sorted.upstreams.insert(service, source).is_some(),
            Some(Err(error)) => {
                let stem = stem.unwrap_or_default();
                problems.push(
                    Problem::error(source, 0..0, format!("`{stem}` cannot be a service's name"))
                        .with_help(format!("rename the file: {error}")),
                );
                false
            }
            None if name == "onedoor.toml" => sorted.gateway.replace(source).is_some(),
            None => {
                problems.push(
                    Problem::error(source, 0..0, format!("`{name}` is not a settings file"))
                        .with_help("settings are `onedoor.toml` and `upstreams/NAME.toml`"),
                );
                false
            }
        };
        if taken {
            problems.push(
                Problem::error(source, 0..0, format!("there are two files `{name}`"))
                    .with_help("keep one of them"),
            );
        }
    }
    sorted
}

impl Checks<'_> {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems
            .push(Problem::error(self.source, span, message).with_help(help));
    }

    fn warning(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems
            .push(Problem::warning(self.source, span, message).with_help(help));
    }

    fn text(&self, located: &Located<String>) -> Text {
        Text::new(located, self.source, &self.problems.sources)
    }

    /// A text that must say something.
    fn not_empty(&mut self, located: &Located<String>, what: &str) -> bool {
        let empty = located.value.is_empty();
        if empty {
            self.error(
                located.span(),
                format!("{what} is empty"),
                "write it, or take out the key",
            );
        }
        !empty
    }
}
