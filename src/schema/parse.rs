//! Files -> a schema that may still be wrong, and what the parser and its validation say of it.

use apollo_compiler::Schema;
use apollo_compiler::collections::HashSet;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;

use super::diagnostics::Diagnostics;
use super::directives_sdl;
use super::files::Files;
use super::syntax::{self, Incomplete};
use crate::config::{Problem, Problems, SourceId, Sources};

/// Everything the files say, as far as it could be understood.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) schema: Schema,
    pub(super) files: Files,
    /// Files whose syntax is wrong: what seems to be missing may stand there.
    pub(super) broken: HashSet<SourceId>,
}

/// Parses all files and validates them as one schema (specification section 3). Mistakes go to
/// `problems`; whatever of the schema is sound is returned for further checks.
pub(super) fn parse(sources: &Sources, problems: &mut Problems) -> Parsed {
    let mut builder = Schema::builder();
    Parser::new().parse_into_schema_builder(directives_sdl(), "", &mut builder);
    for (_, file) in sources.iter() {
        Parser::new().parse_into_schema_builder(&*file.text, &file.name, &mut builder);
    }
    let (schema, built) = match builder.build() {
        Ok(schema) => (schema, None),
        Err(failed) => (failed.partial, Some(failed.errors)),
    };
    let files = Files::new(&schema.sources, sources);
    let (schema, invalid) = match schema.validate() {
        Ok(valid) => (valid.into_inner(), None),
        Err(failed) => (failed.partial, Some(failed.errors)),
    };
    let lists: Vec<DiagnosticList> = built.into_iter().chain(invalid).collect();
    let diagnostics = Diagnostics::new(&schema, &files, &lists);
    problems.extend(diagnostics.problems());
    let broken = diagnostics.broken().clone();
    for (source, file) in sources.iter().filter(|(source, _)| !broken.contains(source)) {
        for Incomplete { name, place, .. } in syntax::incomplete(&file.text) {
            let message = format!("`{name}` has no value");
            let help = format!("write `{name}: ` and the value, or leave `{name}` out");
            problems.push(Problem::error(source, place, message).with_help(help));
        }
    }
    Parsed { schema, files, broken }
}
