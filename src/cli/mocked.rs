//! The mocks that a project's settings ask for: their data read and checked, nothing served yet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::config::{self, Config, Problem, Problems, ServiceName};

use super::mock::{Mock, Options};

/// The stand-in for one upstream.
#[derive(Debug)]
pub(super) struct Mocked {
    /// Ready to be served.
    pub(super) mock: Mock,
    /// The port that the settings say.
    pub(super) port: Option<u16>,
    /// The data's file, as the settings say.
    pub(super) file: String,
    /// What it was made from: while it is the same, a running mock need not be replaced.
    pub(super) made_from: MadeFrom,
}

/// The data and the behaviour of a mock.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MadeFrom {
    /// The file's text.
    pub(super) data: Arc<str>,
    /// How it behaves.
    pub(super) options: Options,
}

/// Every mock of a project; one whose data is wrong is reported and left out.
pub(super) fn read(
    root: &Path,
    config: &Config,
    problems: &mut Problems,
) -> BTreeMap<ServiceName, Mocked> {
    let mut mocks = BTreeMap::new();
    for (name, upstream) in &config.upstreams {
        let Some(settings) = &upstream.mock else { continue };
        match read_one(root, settings) {
            Ok(mock) => {
                mocks.insert(name.clone(), mock);
            }
            Err(mistakes) => {
                let (source, span) = (settings.data.source(), settings.data.span());
                problems.extend(mistakes.into_iter().map(|(message, help)| {
                    Problem::error(source, span.clone(), message).with_help(help)
                }));
            }
        }
    }
    mocks
}

type Mistake = (String, String);

fn read_one(root: &Path, settings: &config::Mock) -> Result<Mocked, Vec<Mistake>> {
    let file = settings.data.as_str();
    let text = fs::read_to_string(root.join(file)).map_err(|error| {
        let help = "a path is relative to the project's root; take out `[mock]` to mock nothing";
        vec![(format!("`{file}` cannot be read: {error}"), help.to_owned())]
    })?;
    let data = serde_json::from_str(&text).map_err(|error| {
        let help = "it holds an object of collections: `{\"orders\": [{\"id\": 1}]}`";
        vec![(format!("`{file}` is not JSON: {error}"), help.to_owned())]
    })?;
    let options = Options {
        latency: settings.latency,
        failure_rate: settings.failure_rate,
        id: settings.id.clone(),
        ..Options::default()
    };
    let mock = Mock::new(data, options.clone()).map_err(|error| {
        let mistakes = error.problems.iter();
        let help = || format!("mend `{file}`");
        mistakes.map(|mistake| (format!("in `{file}`, {mistake}"), help())).collect::<Vec<_>>()
    })?;
    let made_from = MadeFrom { data: text.into(), options };
    Ok(Mocked { mock, port: settings.port, file: file.to_owned(), made_from })
}
