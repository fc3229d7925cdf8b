//! Validation (specification section 5): the compiler's rules, then those it is silent about, which
//! [`literals`] and [`lists`] hold.

use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticData, Valid};
use apollo_compiler::{Schema, ast};

use super::document::{RequestError, Source};
use super::places::Places;
use super::{lists, literals};
use crate::failure::Code;
use crate::schema::Catalog;

/// So many errors are told of one document.
pub(super) const MOST_ERRORS: usize = 100;

/// Longer names are not compared with known ones.
const LONGEST_MISSPELLING: usize = 64;

/// Validates a parsed document.
pub(super) fn validate(
    catalog: &Catalog,
    document: &ast::Document,
    source: &Source,
    suggestions: bool,
) -> Result<Valid<ExecutableDocument>, Vec<RequestError>> {
    let valid = document.to_executable_validate(&catalog.public).map_err(|errors| {
        let places = Places::of(document, source.text());
        let all = || errors.errors.iter().map(|error| error.error.clone());
        let matters = |error: &DiagnosticData| places.matters(&catalog.public, error);
        let suggest = suggestions.then_some(&*catalog.public);
        let told = |errors: &mut dyn Iterator<Item = _>| told(errors, source, &places, suggest);
        let errors = told(&mut all().filter(matters));
        if errors.is_empty() { told(&mut all()) } else { errors }
    })?;
    let mut errors = literals::check(&catalog.public, &valid, source);
    if errors.is_empty() {
        errors = lists::check(&catalog.public, &valid, source);
    }
    errors.truncate(MOST_ERRORS);
    if errors.is_empty() { Ok(valid) } else { Err(errors) }
}

/// The compiler's errors as clients read them, with suggestions from a schema.
pub(super) fn told(
    errors: impl Iterator<Item = DiagnosticData>,
    source: &Source,
    places: &Places<'_>,
    suggest: Option<&Schema>,
) -> Vec<RequestError> {
    let told = errors.take(MOST_ERRORS).map(|error| {
        let mut message = error.to_string();
        if let Some(schema) = suggest {
            message.push_str(&suggestion(schema, &error, &message));
        }
        let locations = source.locations_at(places.of_error(&error));
        RequestError::new(Code::GraphqlValidationFailed, sentence(&message)).at(locations)
    });
    told.collect()
}

/// What may have been meant by an unknown name. The compiler tells the names only in its message.
fn suggestion(schema: &Schema, error: &DiagnosticData, message: &str) -> String {
    let (first, second) = quoted(message);
    let near = match error.unstable_error_name() {
        Some("UndefinedField") => nearest(second, fields(schema, first)),
        Some("UndefinedArgument") => nearest(first, arguments(schema, second)),
        Some("UndefinedEnumValue" | "UndefinedInputValue") => {
            nearest(first, members(schema, second))
        }
        Some("UndefinedDirective") => {
            let known = schema.directive_definitions.keys().map(|name| name.as_str());
            nearest(first.trim_start_matches('@'), known)
        }
        Some(
            "UndefinedDefinition"
            | "UndefinedTypeInNamedFragmentTypeCondition"
            | "UndefinedTypeInInlineFragmentTypeCondition",
        ) => {
            let known = schema.types.keys().map(|name| name.as_str());
            nearest(first, known.filter(|name| !name.starts_with("__")))
        }
        _ => None,
    };
    did_you_mean(near)
}

/// The first two names of a message, which are quoted.
pub(super) fn quoted(message: &str) -> (&str, &str) {
    let mut quoted = message.split('`').skip(1).step_by(2);
    (quoted.next().unwrap_or_default(), quoted.next().unwrap_or_default())
}

fn fields<'s>(schema: &'s Schema, ty: &str) -> impl Iterator<Item = &'s str> {
    let fields = match schema.types.get(ty) {
        Some(ExtendedType::Object(object)) => Some(&object.fields),
        Some(ExtendedType::Interface(interface)) => Some(&interface.fields),
        _ => None,
    };
    fields.into_iter().flat_map(|fields| fields.keys().map(|name| name.as_str()))
}

/// The arguments of `Type.field` or `@directive`.
fn arguments<'s>(schema: &'s Schema, coordinate: &str) -> impl Iterator<Item = &'s str> {
    let definitions = match (coordinate.strip_prefix('@'), coordinate.split_once('.')) {
        (Some(directive), _) => {
            schema.directive_definitions.get(directive).map(|directive| &directive.arguments)
        }
        (None, Some((ty, field))) => {
            schema.type_field(ty, field).ok().map(|field| &field.arguments)
        }
        (None, None) => None,
    };
    definitions.into_iter().flatten().map(|definition| definition.name.as_str())
}

/// The values of an enum, or the fields of an input object.
fn members<'s>(schema: &'s Schema, ty: &str) -> Box<dyn Iterator<Item = &'s str> + 's> {
    match schema.types.get(ty) {
        Some(ExtendedType::Enum(values)) => {
            Box::new(values.values.keys().map(|name| name.as_str()))
        }
        Some(ExtendedType::InputObject(object)) => {
            Box::new(object.fields.keys().map(|name| name.as_str()))
        }
        _ => Box::new(std::iter::empty()),
    }
}

/// The nearest of the known names, if one is near enough to be meant.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > LONGEST_MISSPELLING {
        return None;
    }
    known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| {
            let length = known.chars().count();
            *distance < length && *distance <= length.div_ceil(3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The compiler's words as a sentence.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if words.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// The end of a sentence that suggests a name.
pub(super) fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
