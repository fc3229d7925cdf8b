//! The project a document runs in: its own files, or those of the project it lies in, or both.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::suggest::nearest;
use crate::config::{Config, Env, FixedEnv, NotUtf8, Problems, SecretFile, ServiceName};
use crate::gateway::Project;

use super::document::{Document, File};
use super::problem::DocumentProblem;

/// Signs the tokens of documents that name no secret of their own, or none in their text.
const SECRET: &str = "this-signs-the-tokens-of-spec-documents-and-nothing-but-those-tokens";

/// What a document's files came to.
pub(super) struct Loaded {
    /// The project; `None` if it has errors.
    pub(super) project: Option<Project>,
    /// Mistakes and doubts.
    pub(super) problems: Problems,
}

/// The root of the project that a path lies in: the nearest directory with an `onedoor.toml`.
#[must_use]
pub fn project_root(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    path.ancestors().find(|folder| folder.join("onedoor.toml").is_file()).map(Path::to_owned)
}

/// Reads and checks a document's files.
///
/// # Errors
/// Why there is nothing to read.
pub(super) fn load(document: &Document, root: Option<&Path>) -> Result<Loaded, DocumentProblem> {
    let env = DocumentEnv::new(&document.env);
    let (project, problems) = if document.needs_project() {
        in_project(document, root, &env)?
    } else {
        let settings = own_settings(document, &env);
        Project::from_texts(settings, texts(&document.schema), &env)
    };
    Ok(Loaded { project, problems })
}

/// The project's files; of those that the document has too, the document's.
fn in_project(
    document: &Document,
    root: Option<&Path>,
    env: &DocumentEnv,
) -> Result<(Option<Project>, Problems), DocumentProblem> {
    let root = root.ok_or_else(|| {
        DocumentProblem::new(1, "the document has no schema, and lies in no project")
            .help("add a ```graphql schema, or move it below a folder with an `onedoor.toml`")
    })?;
    let (project, problems) = Project::load(root, env);
    if let Some(project) = &project {
        known_upstreams(document, &project.config)?;
    }
    // What cannot be read has no text.
    let unread = problems.iter().any(|problem| problem.source.is_none());
    if document.settings.is_empty() || unread {
        return Ok((project, problems));
    }
    let (mut settings, mut schema) = (texts(&document.settings), Vec::new());
    for (_, file) in problems.sources.iter() {
        let text = (file.name.clone(), file.text.to_string());
        if file.name.ends_with(".graphql") {
            schema.push(text);
        } else if !settings.iter().any(|(name, _)| *name == file.name) {
            settings.push(text);
        }
    }
    Ok(Project::from_texts(settings, schema, env))
}

fn known_upstreams(document: &Document, config: &Config) -> Result<(), DocumentProblem> {
    let known = || config.upstreams.keys().map(ServiceName::as_str);
    let has = |name: &ServiceName| {
        config.upstreams.contains_key(name)
            || document.settings.iter().any(|file| file.name == file_name(name.as_str()))
    };
    let Some(exchange) = document.exchanges.iter().find(|exchange| !has(&exchange.upstream)) else {
        return Ok(());
    };
    let name = exchange.upstream.as_str();
    let message = format!("the project has no upstream `{name}`");
    let problem = DocumentProblem::new(exchange.line, message);
    Err(match nearest(name, known()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    })
}

/// The document's settings, with the least that is needed for upstreams and tokens it only uses.
fn own_settings(document: &Document, env: &DocumentEnv) -> Vec<(String, String)> {
    let mut settings = texts(&document.settings);
    let lists_upstreams = settings.iter().any(|(name, _)| name.starts_with("upstreams/"));
    let called = document.exchanges.iter().map(|exchange| exchange.upstream.as_str().to_owned());
    let mut used: Vec<String> = called.collect();
    // Where the document says which upstreams there are, a wrong name in the schema is a mistake.
    if !lists_upstreams {
        used.extend(document.schema.iter().flat_map(|file| upstreams_of(&file.text)));
    }
    for name in used {
        let file = file_name(&name);
        if !settings.iter().any(|(known, _)| *known == file) {
            settings.push((file, format!("url = \"http://{name}.test\"\n")));
        }
    }
    let claims = document.requests.iter().any(|request| request.claims.is_some());
    if claims && Config::from_texts(settings.clone(), env).draft.auth.jwt.is_empty() {
        let issuer = format!("\n[[auth.jwt]]\nsecret = \"{SECRET}\"\n");
        match settings.iter_mut().find(|(name, _)| name == "onedoor.toml") {
            Some((_, text)) => text.push_str(&issuer),
            None => settings.push(("onedoor.toml".to_owned(), issuer)),
        }
    }
    settings
}

fn file_name(upstream: &str) -> String {
    format!("upstreams/{upstream}.toml")
}

fn texts(files: &[File]) -> Vec<(String, String)> {
    files.iter().map(|file| (file.name.clone(), file.text.clone())).collect()
}

/// The names that stand after `upstream:` in a schema, those that can be names. One in a comment
/// does no harm: nothing calls it.
fn upstreams_of(schema: &str) -> Vec<String> {
    let after = schema.split("upstream").skip(1);
    let names = after.filter_map(|text| {
        let text = text.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        let (name, _) = text.split_once('"')?;
        name.parse::<ServiceName>().ok().map(|name| name.to_string())
    });
    names.collect()
}

/// A document's environment: the variables it names. A secret of production is no matter of
/// documents, so that any secret file holds a secret of their own.
struct DocumentEnv(FixedEnv);

impl DocumentEnv {
    fn new(variables: &[(String, String)]) -> Self {
        let env = variables
            .iter()
            .fold(FixedEnv::new(), |env, (name, value)| env.with_variable(name, value));
        Self(env)
    }
}

impl Env for DocumentEnv {
    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        self.0.variable(name)
    }

    fn secret_file(&self, _: &Path) -> io::Result<SecretFile> {
        Ok(SecretFile { bytes: SECRET.into(), world_readable: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstreams_of_a_schema_are_found_in_its_text() {
        let schema = r#"
            a: A @rest(upstream: "users", path: "/a")
            b: B @rest(path: "/upstream/b", upstream :
              "orders-2")
            c: C @rest(upstream: "No Name", path: "/c")
        "#;
        assert_eq!(upstreams_of(schema), ["users", "orders-2"]);
    }
}
