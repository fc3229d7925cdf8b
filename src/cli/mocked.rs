//! The mocks that a project's settings ask for: their data read and checked, nothing served yet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::config::suggest::{listed, nearest};
use crate::config::{self, Config, Problem, Problems, ServiceName, Text};

use super::mock::{self, Mock, Options, Stream};

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
            Err(mistakes) => problems.extend(mistakes),
        }
    }
    mocks
}

/// How a mock behaves whose settings say this.
impl From<&config::Mock> for Options {
    fn from(settings: &config::Mock) -> Self {
        let streams = settings.streams.iter().map(|stream| Stream {
            path: stream.path.as_str().to_owned(),
            rows: stream.rows.as_str().to_owned(),
            kind: stream.kind.clone(),
            every: stream.every,
        });
        Self {
            latency: settings.latency,
            failure_rate: settings.failure_rate,
            id: settings.id.clone(),
            streams: streams.collect(),
            ..Self::default()
        }
    }
}

fn read_one(root: &Path, settings: &config::Mock) -> Result<Mocked, Vec<Problem>> {
    let file = settings.data.as_str();
    let told = |at: &Text, message: String, help: String| {
        Problem::error(at.source(), at.span(), message).with_help(help)
    };
    let text = fs::read_to_string(root.join(file)).map_err(|error| {
        let help = "a path is relative to the project's root; take out `[mock]` to mock nothing";
        let message = format!("`{file}` cannot be read: {error}");
        vec![told(&settings.data, message, help.to_owned())]
    })?;
    let data = serde_json::from_str(&text).map_err(|error| {
        let help = "it holds an object of collections: `{\"orders\": [{\"id\": 1}]}`";
        vec![told(&settings.data, format!("`{file}` is not JSON: {error}"), help.to_owned())]
    })?;
    let options = Options::from(settings);
    let mock = Mock::new(data, options.clone()).map_err(|error| {
        let mistakes = error.problems.iter();
        let stream = |at: &str| settings.streams.iter().find(|stream| stream.path.as_str() == at);
        let told = |mistake: &mock::Problem| match mistake {
            mock::Problem::BadStream { path, why } if let Some(stream) = stream(path) => {
                let help = "choose another path, such as `/events`";
                told(&stream.path, format!("no stream can be at `{path}`: {why}"), help.to_owned())
            }
            mock::Problem::StreamOfNothing { path, rows, known }
                if let Some(stream) = stream(path) =>
            {
                let help = match nearest(rows, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", listed(known.iter().map(String::as_str))),
                };
                let message = format!("there is no collection `{rows}` in `{file}`");
                told(&stream.rows, message, help)
            }
            _ => {
                let help = format!("mend `{file}`");
                told(&settings.data, format!("in `{file}`, {mistake}"), help)
            }
        };
        mistakes.map(told).collect::<Vec<_>>()
    })?;
    let made_from = MadeFrom { data: text.into(), options };
    Ok(Mocked { mock, port: settings.port, file: file.to_owned(), made_from })
}
