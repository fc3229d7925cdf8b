//! Validation (specification section 5): the compiler's rules, and beside them those in which it
//! is mistaken or silent, which [`literals`], [`merging`], [`roots`], [`uses`] and [`delivery`] hold.

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticData, Valid};
use apollo_compiler::{Schema, ast};

use super::document::{RequestError, Source};
use super::places::Places;
use super::size::Cycles;
use super::{delivery, literals, merging, roots, uses, walk};
use crate::failure::Code;
use crate::schema::Catalog;

/// So many errors are told of one document.
pub(super) const MOST_ERRORS: usize = 100;

/// Longer names are not compared with known ones.
const LONGEST_MISSPELLING: usize = 64;

/// The compiler's rules whose place others of ours have taken.
const OURS: [&str; 15] = [
    "ConflictingFieldArgument",
    "ConflictingFieldName",
    "ConflictingFieldType",
    "DeferInSubscriptionMustBeConditional",
    "DeferLabelMustNotBeVariable",
    "DeferOnRootMutationOrSubscriptionField",
    "DisallowedVariableUsage",
    "DuplicateDeferLabel",
    "SubscriptionUsesConditionalSelection",
    "SubscriptionUsesIntrospection",
    "SubscriptionUsesMultipleFields",
    "UndefinedInputValue",
    "UndefinedVariable",
    "UnusedFragment",
    "UnusedVariable",
];

/// Validates a parsed document, of which the cycles are known already.
pub(super) fn validate(
    catalog: &Catalog,
    mut document: ast::Document,
    cycles: Cycles,
    source: &Source,
    suggestions: bool,
) -> Result<Valid<ExecutableDocument>, Vec<RequestError>> {
    let written = as_written(catalog, &document, source);
    let mut errors = cycles.open(&mut document);
    let suggest = suggestions.then_some(&*catalog.public);
    let validated = document.to_executable_validate(&catalog.public);
    let (understood, faults) = match &validated {
        Ok(valid) => (&**valid, None),
        Err(failed) => (&failed.partial, Some(&failed.errors)),
    };
    let literals = literals::check(catalog, understood, source, suggestions);
    let theirs = |error: &DiagnosticData| {
        let free = error.location().is_some_and(|at| literals.free.contains(&at.offset()));
        let name = error.unstable_error_name().unwrap_or_default();
        !OURS.contains(&name) && (name != "UnsupportedValueType" || !free)
    };
    let faults = faults.into_iter().flat_map(|faults| faults.iter()).map(|it| it.error.clone());
    let faults: Vec<_> = faults.filter(theirs).collect();
    if !faults.is_empty() {
        let places = Places::of(&document, source.text());
        let matter = |error: &&DiagnosticData| places.matters(&catalog.public, error);
        errors.extend(told(faults.iter().filter(matter), source, &places, suggest));
    }
    errors.extend(written);
    errors.extend(literals.errors);
    errors.extend(merging::check(&catalog.public, understood, source));
    errors.extend(delivery::lists(understood, source));
    if errors.is_empty() {
        errors = told(faults.iter(), source, &Places::default(), suggest);
    }
    errors.truncate(MOST_ERRORS);
    match validated {
        _ if !errors.is_empty() => Err(errors),
        Ok(valid) => Ok(valid),
        // Nothing but what our rules know better.
        Err(failed) => Ok(Valid::assume_valid(failed.partial)),
    }
}

/// What is wrong with a document that may hold cycles of fragments, and fields that are not known.
fn as_written(catalog: &Catalog, document: &ast::Document, source: &Source) -> Vec<RequestError> {
    let fragments = walk::fragments(document);
    let mut errors = uses::check(document, &fragments, source);
    errors.extend(roots::check(&catalog.public, document, &fragments, source));
    errors.extend(delivery::check(document, &fragments, source));
    errors
}

/// The compiler's errors as clients read them, with suggestions from a schema.
fn told<'e>(
    errors: impl Iterator<Item = &'e DiagnosticData>,
    source: &Source,
    places: &Places<'_>,
    suggest: Option<&Schema>,
) -> Vec<RequestError> {
    let told = errors.take(MOST_ERRORS).map(|error| {
        let mut message = error.to_string();
        if let Some(schema) = suggest {
            message.push_str(&suggestion(schema, error, &message));
        }
        let locations = source.locations_at(places.of_error(error));
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
        Some("UndefinedEnumValue") => nearest(first, values(schema, second)),
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

fn values<'s>(schema: &'s Schema, ty: &str) -> impl Iterator<Item = &'s str> {
    let values = schema.get_enum(ty).map(|ty| &ty.values);
    values.into_iter().flat_map(|values| values.keys().map(|name| name.as_str()))
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
