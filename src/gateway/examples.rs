//! A project's example queries: what GraphiQL's first tabs hold, and `dev` shows one of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::door::ConsoleExample;

/// Where a project keeps queries, relative to its root: `NAME.graphql`, and beside it the variables
/// in `NAME.json`.
pub const EXAMPLES: &str = "examples/queries";

/// More are not read.
const MOST: usize = 100;

/// An example, as it is on the disk: nothing says that it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its file, relative to the project's root.
    pub file: String,
    /// The document.
    pub query: Box<str>,
    /// The text of the file beside it.
    pub variables: Option<Box<str>>,
}

impl From<Example> for ConsoleExample {
    fn from(example: Example) -> Self {
        let name = Path::new(&example.file).file_stem().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        Self { name, query: example.query, variables: example.variables }
    }
}

/// The examples of a project, by name. One that cannot be read is left out.
pub(super) fn read(root: &Path) -> Vec<Example> {
    let entries = fs::read_dir(root.join(EXAMPLES)).into_iter().flatten().flatten();
    let is_query = |file: &PathBuf| file.extension().is_some_and(|of| of == "graphql");
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(is_query).collect();
    files.sort();
    let example = |file: &PathBuf| {
        Some(Example {
            file: file.strip_prefix(root).unwrap_or(file).display().to_string(),
            query: fs::read_to_string(file).ok()?.into(),
            variables: fs::read_to_string(file.with_extension("json")).ok().map(Into::into),
        })
    };
    files.iter().take(MOST).filter_map(example).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_come_by_name_each_with_the_variables_beside_it() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(read(root.path()), [], "a project need not have any");
        let folder = root.path().join(EXAMPLES);
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in [("b.graphql", "{ b }"), ("a.graphql", "{ a }"), ("b.json", "{}")] {
            fs::write(folder.join(name), text).expect("a file");
        }
        let example = |name: &str, variables: Option<&str>| Example {
            file: format!("examples/queries/{name}.graphql"),
            query: format!("{{ {name} }}").into(),
            variables: variables.map(Into::into),
        };
        assert_eq!(read(root.path()), [example("a", None), example("b", Some("{}"))]);
    }
}
