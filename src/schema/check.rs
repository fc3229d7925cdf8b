//! The checks of the directives, and what they are the material of: one [`Check`] walks the whole
//! schema, reports every mistake and builds the catalog's parts.

use std::collections::BTreeMap;

use apollo_compiler::collections::HashSet;
use apollo_compiler::{Name, Schema};

use super::Defaults;
use super::catalog::{Catalog, EndpointId};
use super::files::{Files, Place};
use super::parse::Parsed;
use super::text::Text;
use super::{builtin, public, roots, values, walk};
use crate::config::{Problem, Problems, ServiceName, SourceId};
use crate::json::Path;
use crate::template::Environment;

/// One reading of a schema.
pub(super) struct Check<'s> {
    pub(super) schema: &'s Schema,
    pub(super) files: &'s Files,
    pub(super) upstreams: &'s BTreeMap<ServiceName, Defaults>,
    pub(super) env: Environment<'s>,
    /// Object types that stand at the root like the root itself; see [`Check::groups`].
    pub(super) groups: HashSet<Name>,
    broken: &'s HashSet<SourceId>,
    problems: &'s mut Problems,
    endpoints: u32,
}

/// A mistake was reported, and what it is in cannot be built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused;

/// Checks everything and builds the catalog; `None` if there is an error, here or before.
pub(super) fn check(
    parsed: &Parsed,
    upstreams: &BTreeMap<ServiceName, Defaults>,
    env: Environment<'_>,
    problems: &mut Problems,
) -> Option<Catalog> {
    let mut check = Check {
        schema: &parsed.schema,
        files: &parsed.files,
        upstreams,
        env,
        groups: HashSet::default(),
        broken: &parsed.broken,
        problems,
        endpoints: 0,
    };
    check.groups = check.groups();
    check.refuse_later_directives();
    check.refuse_lone_cache_control();
    for left_out in [values::problems, builtin::problems, roots::problems] {
        left_out(check.schema, check.files).into_iter().for_each(|problem| check.push(problem));
    }
    let wire = check.wire();
    let lookups = check.lookups(&wire.inputs);
    check.interface_fields();
    let objects = check.objects(&lookups, &wire.inputs);
    let streams = check.streams();
    let abstracts = check.abstracts();
    if check.problems.has_errors() {
        return None;
    }
    let public = match public::public(check.schema) {
        Ok(public) => public,
        Err(errors) => {
            let message = format!("the schema is not valid without its directives: {errors}");
            check.push(Problem::without_file(message));
            return None;
        }
    };
    let implementers = public.implementers_map();
    let super::wire::Wire { enums, inputs, scalars } = wire;
    Some(Catalog { public, implementers, objects, abstracts, enums, inputs, scalars, streams })
}

impl Check<'_> {
    /// Adds a problem. Those of files whose syntax is wrong have been told of that already.
    pub(super) fn push(&mut self, problem: Problem) {
        if !problem.source.is_some_and(|source| self.broken.contains(&source)) {
            self.problems.push(problem);
        }
    }

    /// Reports an error.
    pub(super) fn refuse(&mut self, place: Option<&Place>, message: impl Into<String>) -> Refused {
        self.push(match place {
            Some(place) => place.error(message),
            None => Problem::without_file(message),
        });
        Refused
    }

    /// Reports an error with advice.
    pub(super) fn refuse_with(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Refused {
        self.push(place.error(message).with_help(help));
        Refused
    }

    /// Whether a type is defined in a file whose syntax is wrong, and may say more than was read.
    pub(super) fn is_half_read(&self, name: &Name) -> bool {
        let location = self.schema.types.get(name).and_then(|of| of.name().location());
        self.files.place(location).is_some_and(|place| self.broken.contains(&place.source))
    }

    pub(super) fn next_endpoint(&mut self) -> EndpointId {
        let id = EndpointId(self.endpoints);
        self.endpoints += 1;
        id
    }

    /// Reads a path below an upstream's value.
    pub(super) fn path(&mut self, text: &Text) -> Option<Path> {
        match Path::parse(text.as_str()) {
            Ok(path) => Some(path),
            Err(error) => {
                let problem = text.at(&error.span).error(error.message);
                self.push(Problem { help: error.help, ..problem });
                None
            }
        }
    }

    fn refuse_later_directives(&mut self) {
        let later = walk::directive_lists(self.schema).into_iter().flat_map(|list| list.iter());
        for directive in later {
            if super::definitions::NOT_YET.contains(&directive.name.as_str())
                && let Some(place) = super::directives::place(directive, self.files)
            {
                self.refuse(Some(&place), format!("`@{}` does not work yet", directive.name));
            }
        }
    }

    /// Answers are kept by the request that brings them, so `@cacheControl` stands beside a `@rest`.
    fn refuse_lone_cache_control(&mut self) {
        for list in walk::directive_lists(self.schema) {
            if list.has("rest") {
                continue;
            }
            let lone = list.get("cacheControl");
            if let Some(place) = lone.and_then(|lone| super::directives::place(lone, self.files)) {
                let message = "`@cacheControl` stands beside the `@rest` whose answers it is about";
                let help = "what a `@ref` fetches is kept as the type's own `@cacheControl` says";
                self.refuse_with(&place, message, help);
            }
        }
    }
}
