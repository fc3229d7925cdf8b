//! A project's files, read and checked: settings, upstreams and schema, with every mistake of all
//! of them at once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, Env, Loaded, Problem, Problems, ServiceName, Sources, Text};
use crate::identity::{Outbound, ReadClaims};
use crate::json;
use crate::schema::{self, Catalog, Defaults, ErrorRule};
use crate::template::{Condition, Environment};

use super::examples::{self, Example};

/// The folder of the schema below a project's root.
const SCHEMA: &str = "schema";

/// A project without mistakes. There is no other way to one than [`Project::load`] and
/// [`Project::from_texts`].
#[derive(Debug)]
pub struct Project {
    /// The settings.
    pub config: Config,
    /// The schema.
    pub catalog: Catalog,
    /// The name of its folder, if it was read from one.
    pub name: Option<String>,
    /// Queries to try, by the names of their files.
    pub examples: Vec<Example>,
    /// What each upstream is told of the caller.
    pub(super) outbound: BTreeMap<ServiceName, Outbound>,
    /// Who may ask for plan and trace, where the settings say so by an expression.
    pub(super) trace: Option<Condition>,
}

impl Project {
    /// Reads `onedoor.toml`, `upstreams/*.toml` and `schema/*.graphql` below a root.
    ///
    /// There is a project if the problems hold no error; warnings may stand beside one.
    #[must_use]
    pub fn load(root: &Path, env: &dyn Env) -> (Option<Self>, Problems) {
        Self::load_with(root, env, |_, _| ())
    }

    /// The same with checks of the caller's own. They are given the settings, with defaults where
    /// something is wrong, and add problems that point into the settings' files.
    #[must_use]
    pub fn load_with(
        root: &Path,
        env: &dyn Env,
        checks: impl FnOnce(&Config, &mut Problems),
    ) -> (Option<Self>, Problems) {
        let mut settings = Config::load(root, env);
        checks(&settings.draft, &mut settings.problems);
        let mut problems = Problems::new();
        let sources = read_schema(root, &mut problems);
        let (project, problems) = check(settings, sources, problems, env);
        let read = |project| Self { name: name(root), examples: examples::read(root), ..project };
        (project.map(read), problems)
    }

    /// The same from texts: settings by name (`upstreams/users.toml`) and schema files by name.
    #[must_use]
    pub fn from_texts(
        settings: impl IntoIterator<Item = (String, String)>,
        schema: impl IntoIterator<Item = (String, String)>,
        env: &dyn Env,
    ) -> (Option<Self>, Problems) {
        let settings = Config::from_texts(settings, env);
        let mut sources = Sources::default();
        for (name, text) in schema {
            sources.add(name, text);
        }
        check(settings, sources, Problems::new(), env)
    }

    /// Every claim that a template or expression reads on the way to an answer: part of what keeps
    /// callers apart. The condition of `trace` is not on that way: no answer depends on it.
    pub(super) fn read_claims(&self) -> ReadClaims {
        let mut read = ReadClaims::default();
        let headers = self.outbound.values().flat_map(Outbound::claims);
        headers.for_each(|path| read.add(path));
        self.catalog.claims().for_each(|path| read.add(path));
        if self.outbound.values().any(Outbound::sends_token) {
            read.add_token();
        }
        read
    }
}

fn check(
    settings: Loaded,
    schema: Sources,
    mut problems: Problems,
    env: &dyn Env,
) -> (Option<Project>, Problems) {
    let Loaded { draft: config, problems: mut found } = settings;
    let lookup = |name: &str| env.variable(name).ok().flatten();
    let env: Environment<'_> = &lookup;
    let outbound = Outbound::of_all(&config, env, &mut found);
    let trace = condition(config.graphql.trace.callers(), &mut found);
    let services = config
        .upstreams
        .iter()
        .map(|(name, upstream)| {
            let error = ErrorRule {
                when: path(upstream.error.condition.as_ref(), &mut found),
                message: path(upstream.error.message.as_ref(), &mut found),
                code: path(upstream.error.code.as_ref(), &mut found),
            };
            (name.clone(), Defaults { body: upstream.body, error })
        })
        .collect();
    let (catalog, of_schema) = schema::load(schema, &services, env);
    found.merge(of_schema);
    problems.merge(found);
    problems.sort();
    let project = match catalog {
        Some(catalog) if !problems.has_errors() => {
            Some(Project { config, catalog, name: None, examples: Vec::new(), outbound, trace })
        }
        _ => None,
    };
    (project, problems)
}

fn name(root: &Path) -> Option<String> {
    let root = fs::canonicalize(root).ok()?;
    Some(root.file_name()?.to_string_lossy().into_owned())
}

/// The condition of `[graphql] trace`.
fn condition(text: Option<&Text>, problems: &mut Problems) -> Option<Condition> {
    let text = text?;
    Condition::parse(text.as_str())
        .map_err(|error| {
            let span = text.span_of(error.span);
            let problem = Problem::error(text.source(), span, error.message);
            problems.push(Problem { help: error.help, ..problem });
        })
        .ok()
}

/// A path of `[error]`.
fn path(text: Option<&Text>, problems: &mut Problems) -> Option<json::Path> {
    let text = text?;
    match json::Path::parse(text.as_str()) {
        Ok(path) if path.is_single() => Some(path),
        Ok(_) => {
            let message = "a path of `[error]` leads to one value; it cannot hold `[*]`";
            problems.push(Problem::error(text.source(), text.span(), message));
            None
        }
        Err(error) => {
            let span = text.span_of(error.span);
            let problem = Problem::error(text.source(), span, error.message);
            problems.push(Problem { help: error.help, ..problem });
            None
        }
    }
}

/// Every `*.graphql` file of the schema's folder and the folders below, by name.
fn read_schema(root: &Path, problems: &mut Problems) -> Sources {
    let mut sources = Sources::default();
    let mut files = Vec::new();
    if let Err(error) = collect(&root.join(SCHEMA), 0, &mut files) {
        let problem = format!("the schema's folder `{SCHEMA}` cannot be read: {error}");
        let help = "a project has its GraphQL files in `schema/`; is this its root?";
        problems.push(Problem::without_file(problem).with_help(help));
        return sources;
    }
    files.sort();
    if files.is_empty() {
        let problem = format!("there is no `*.graphql` file in `{SCHEMA}/`");
        problems.push(Problem::without_file(problem));
    }
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        match fs::read_to_string(&file) {
            Ok(text) => {
                sources.add(name, Arc::<str>::from(text));
            }
            Err(error) => {
                problems.push(Problem::without_file(format!("`{name}` cannot be read: {error}")));
            }
        }
    }
    sources
}

/// How deep folders of schema files may lie within each other.
const DEPTH: usize = 8;

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if depth < DEPTH {
                collect(&path, depth + 1, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "graphql") {
            files.push(path);
        }
    }
    Ok(())
}
