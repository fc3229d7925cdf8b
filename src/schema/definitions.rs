//! The directives that map a schema to requests, as GraphQL text, and which names are theirs.

use std::sync::LazyLock;

use apollo_compiler::ast::{Definition, Document};
use apollo_compiler::collections::HashSet;

/// The definitions of Onedoor's directives and their input types, for editors. They are part of
/// every schema while it is checked, and of none that clients see.
#[must_use]
pub fn directives_sdl() -> &'static str {
    include_str!("directives.graphql")
}

/// Directives that are declared, so that editors know them, and refused wherever they are used.
pub(super) const NOT_YET: [&str; 5] =
    ["invalidates", "requiresScopes", "allow", "cost", "listSize"];

/// Names of directives that are kept free.
pub(super) const RESERVED: [&str; 1] = ["provides"];

struct Own {
    directives: HashSet<String>,
    types: HashSet<String>,
}

static OWN: LazyLock<Own> = LazyLock::new(|| {
    // Text of ours: what does not parse would be seen by the first test.
    let document = match Document::parse(directives_sdl(), "") {
        Ok(document) => document,
        Err(failed) => failed.partial,
    };
    let mut own = Own { directives: HashSet::default(), types: HashSet::default() };
    for definition in &document.definitions {
        let Some(name) = definition.name() else { continue };
        match definition {
            Definition::DirectiveDefinition(_) => own.directives.insert(name.to_string()),
            _ => own.types.insert(name.to_string()),
        };
    }
    own
});

/// Whether the directive of this name (without `@`) is Onedoor's.
pub(super) fn is_own_directive(name: &str) -> bool {
    OWN.directives.contains(name)
}

/// Whether the type of this name belongs to Onedoor's directives.
pub(super) fn is_own_type(name: &str) -> bool {
    OWN.types.contains(name)
}

/// Whether a type, or a directive written with its `@`, is Onedoor's.
pub(super) fn is_own(name: &str) -> bool {
    name.strip_prefix('@').map_or_else(|| is_own_type(name), is_own_directive)
}

/// What an input type of ours is called where it is written.
pub(super) fn written_as(input: &str) -> Option<&'static str> {
    match input {
        "OnedoorHeader" => Some("a header"),
        "OnedoorBatch" => Some("`batch`"),
        "OnedoorError" => Some("`error`"),
        _ => None,
    }
}
