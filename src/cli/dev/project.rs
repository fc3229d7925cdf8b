//! A project as `dev` reads it: with the data of its mocks, and what it was read from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::mocked::{self, Mocked};
use crate::config::{Config, Problems, ProcessEnv, ServiceName};
use crate::gateway::{EXAMPLES, Project};

/// What came of reading.
#[derive(Debug)]
pub(super) struct Read {
    /// The project, unless the problems hold an error.
    pub(super) good: Option<Good>,
    /// Everything that is wrong or doubtful.
    pub(super) problems: Problems,
    /// What was read.
    pub(super) files: Files,
}

/// A project without mistakes.
#[derive(Debug)]
pub(super) struct Good {
    /// Settings and schema.
    pub(super) project: Project,
    /// The mocks that stand in for upstreams.
    pub(super) mocked: BTreeMap<ServiceName, Mocked>,
}

/// The texts of one reading, by which it is known whether anything has changed since.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Files {
    texts: BTreeMap<String, Arc<str>>,
    /// What was wrong; a file that cannot be read has no text.
    told: String,
}

/// Reads a project; the upstreams in `real` are not mocked.
pub(super) fn read(root: &Path, real: &[String]) -> Read {
    let mut mocked = BTreeMap::new();
    let (project, problems) = Project::load_with(root, &ProcessEnv, |config, problems| {
        mocked = mocked::read(root, config, problems);
    });
    let sources = problems.sources.iter();
    let mut texts: BTreeMap<String, Arc<str>> =
        sources.map(|(_, file)| (file.name.clone(), Arc::clone(&file.text))).collect();
    let examples = project.iter().flat_map(|project| &project.examples);
    texts.extend(examples.map(|example| {
        let variables = example.variables.as_deref().unwrap_or_default();
        (example.file.clone(), format!("{}{variables}", example.query).into())
    }));
    texts.extend(mocked.values().map(|mock| (mock.file.clone(), Arc::clone(&mock.made_from.data))));
    let files = Files { texts, told: problems.lines() };
    mocked.retain(|name, _| !real.iter().any(|real| real == name.as_str()));
    let good = project.map(|project| Good { project, mocked });
    Read { good, problems, files }
}

/// The folders in which a change may concern the project; true: with all folders below.
pub(super) fn folders(root: &Path, config: &Config) -> BTreeMap<PathBuf, bool> {
    let mocks = config.upstreams.values().filter_map(|upstream| upstream.mock.as_ref());
    let data = mocks.map(|mock| root.join(mock.data.as_str()));
    let mut folders: BTreeMap<PathBuf, bool> =
        data.filter_map(|file| Some((file.parent()?.to_path_buf(), false))).collect();
    folders.insert(root.to_path_buf(), false);
    folders.insert(root.join("upstreams"), false);
    folders.insert(root.join(EXAMPLES), false);
    folders.insert(root.join("schema"), true);
    folders
}

impl Files {
    /// The names of what differs from an earlier reading.
    pub(super) fn changed_since<'a>(&'a self, earlier: &'a Self) -> Vec<&'a str> {
        let names = self.texts.keys().chain(earlier.texts.keys());
        let differs = |name: &&String| self.texts.get(*name) != earlier.texts.get(*name);
        let mut changed: Vec<_> = names.filter(differs).map(String::as_str).collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}
