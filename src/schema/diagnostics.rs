//! The parser's and validator's diagnostics -> [`Problem`]s: at the name at fault instead of a
//! whole definition, with the nearest name, without what only follows from another mistake.

use apollo_compiler::Schema;
use apollo_compiler::ast::OperationType;
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{FileId, SourceSpan};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticData, DiagnosticList};

use super::definitions::RESERVED;
use super::files::{Files, Place};
use super::nearest::{did_you_mean, one_of};
use super::roots;
use crate::config::{Problem, SourceId};

/// Diagnostics of one schema.
pub(super) struct Diagnostics<'s> {
    schema: &'s Schema,
    files: &'s Files,
    lists: &'s [DiagnosticList],
    /// The span of each definition -> the span of its name.
    names: HashMap<Span, SourceSpan>,
    /// Files that are no GraphQL.
    broken: HashSet<SourceId>,
    /// Where directives are given arguments they do not have.
    unknown_arguments: Vec<SourceSpan>,
}

type Span = (FileId, usize, usize);

/// What is said instead of the validator's words.
struct Said {
    message: String,
    help: Option<String>,
}

impl<'s> Diagnostics<'s> {
    pub(super) fn new(schema: &'s Schema, files: &'s Files, lists: &'s [DiagnosticList]) -> Self {
        let of_syntax = lists.iter().flat_map(DiagnosticList::iter).filter(|diagnostic| {
            diagnostic.error.location().is_some() && is_syntax(diagnostic.error)
        });
        let broken =
            of_syntax.filter_map(|found| Some(files.place(found.error.location())?.source));
        let broken = broken.collect();
        let all = lists.iter().flat_map(DiagnosticList::iter).map(|diagnostic| diagnostic.error);
        let unknown = all.filter(|error| error.unstable_error_name() == Some("UndefinedArgument"));
        let unknown_arguments = unknown.filter_map(ToCliReport::location).collect();
        Self { schema, files, lists, names: names(schema), broken, unknown_arguments }
    }

    /// The files whose syntax is wrong: what they say beyond that is not to be trusted.
    pub(super) fn broken(&self) -> &HashSet<SourceId> {
        &self.broken
    }

    /// Every diagnostic worth reading.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut stumbled = HashSet::default();
        for diagnostic in self.lists.iter().flat_map(DiagnosticList::iter) {
            let error = diagnostic.error;
            let file = error.location().map(|location| location.file_id());
            // After the first stumble the parser reads something else than was meant.
            let mut is_first = || file.is_none_or(|file| stumbled.insert(file));
            let wanted = if is_syntax(error) { is_first() } else { !self.follows(error) };
            if wanted {
                let problem = self.problem(error);
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems
    }

    /// Whether it is but a consequence of a syntax error, or found better elsewhere.
    fn follows(&self, error: &DiagnosticData) -> bool {
        let name = error.unstable_error_name();
        // `values` finds all unknown fields and not only the first.
        let elsewhere = name == Some("UndefinedInputValue");
        let about_missing = matches!(
            name,
            Some(
                "UndefinedDefinition"
                    | "QueryRootOperationType"
                    | "MissingInterfaceField"
                    | "TransitiveImplementedInterfaces"
                    | "UndefinedDirective"
            )
        ) || error.to_string().contains("for undefined type");
        // What a directive lacks is what it was given under a wrong name.
        let misnamed = name == Some("RequiredArgument")
            && error.location().is_some_and(|directive| {
                self.unknown_arguments.iter().any(|argument| {
                    argument.file_id() == directive.file_id()
                        && argument.offset() >= directive.offset()
                        && argument.end_offset() <= directive.end_offset()
                })
            });
        // Of the type that should be the root it is said why it is none.
        let misnamed_root = name == Some("QueryRootOperationType")
            && roots::misnamed(self.schema, OperationType::Query).is_some();
        let place = self.files.place(error.location());
        let in_broken = place.is_some_and(|place| self.broken.contains(&place.source));
        elsewhere
            || misnamed
            || misnamed_root
            || in_broken
            || (about_missing && !self.broken.is_empty())
    }

    fn problem(&self, error: &DiagnosticData) -> Problem {
        let message = error.to_string();
        let location = error.location().map(|span| {
            let key = (span.file_id(), span.offset(), span.end_offset());
            self.names.get(&key).copied().unwrap_or(span)
        });
        let place = self.files.place(location);
        let written = place.as_ref().map_or("", |place| self.files.written(place));
        let said = match error.unstable_error_name() {
            Some(name) => self.validation(name, &message, written),
            None => self.building(&message),
        };
        let Said { message, help } = said.unwrap_or(Said { message, help: None });
        let problem = match place {
            Some(place) => self.narrowed(&place).error(message),
            None => Problem::without_file(message),
        };
        Problem { help, ..problem }
    }

    /// A place of several lines: its first one.
    fn narrowed(&self, place: &Place) -> Place {
        let written = self.files.written(place);
        let first = written.find(['\n', '\r']).unwrap_or(written.len());
        Place { source: place.source, span: place.span.start..place.span.start + first }
    }

    fn validation(&self, name: &str, message: &str, written: &str) -> Option<Said> {
        let quoted = quoted(message);
        let first = quoted.first().copied().unwrap_or_default();
        let second = quoted.get(1).copied().unwrap_or_default();
        match name {
            "UndefinedDefinition" => Some(self.unknown_type(first)),
            "UndefinedDirective" => Some(self.unknown_directive(first)),
            "UndefinedArgument" => Some(self.unknown_argument(first, second)),
            "UndefinedEnumValue" => Some(self.unknown_value(first, second)),
            "RequiredArgument" => Some(required_argument(first)),
            "RequiredField" => Some(required_field(first)),
            "UnsupportedLocation" => self.misplaced(written, message),
            "UniqueDirective" => Some(Said {
                message: format!("`@{}` may stand here only once", directive_name(written)),
                help: None,
            }),
            "RootOperationObjectType" => Some(Said {
                message: format!("`{first}` is a root, and must be an object type"),
                help: None,
            }),
            "UnsupportedValueType" => Some(unsupported_value(message)),
            "TransitiveImplementedInterfaces" => Some(Said {
                message: format!(
                    "`{first}` implements `{second}`, so it must implement `{}` too",
                    quoted.get(2).copied().unwrap_or_default()
                ),
                help: None,
            }),
            "QueryRootOperationType" => Some(Said {
                message: "the schema has no query root".to_owned(),
                help: Some("write `type Query { .. }`".to_owned()),
            }),
            _ => Some(Said {
                message: message.to_owned(),
                help: advice(name).map(ToOwned::to_owned),
            }),
        }
    }

    fn unknown_type(&self, name: &str) -> Said {
        if self.schema.types.contains_key(name) {
            let help = "only interfaces can be implemented".to_owned();
            return Said { message: format!("`{name}` is no interface"), help: Some(help) };
        }
        let known =
            self.schema.types.keys().map(|known| known.as_str()).filter(|known| {
                !known.starts_with("__") && !super::definitions::is_own_type(known)
            });
        Said { message: format!("there is no type `{name}`"), help: did_you_mean(name, known) }
    }

    fn unknown_directive(&self, name: &str) -> Said {
        let bare = name.trim_start_matches('@');
        if RESERVED.contains(&bare) {
            return not_yet(&format!("`@{bare}`"));
        }
        let known = self.schema.directive_definitions.keys();
        let near = crate::config::suggest::nearest(bare, known.map(|known| known.as_str()));
        Said {
            message: format!("there is no directive `@{bare}`"),
            help: near.map(|near| format!("did you mean `@{near}`?")),
        }
    }

    fn unknown_argument(&self, name: &str, directive: &str) -> Said {
        if directive == "@ref" && matches!(name, "in" | "type") {
            return not_yet(&format!("`{name}` of `@ref`"));
        }
        let definition = self.schema.directive_definitions.get(directive.trim_start_matches('@'));
        let known: Vec<&str> = definition
            .iter()
            .flat_map(|definition| &definition.arguments)
            .map(|argument| argument.name.as_str())
            .collect();
        let help = did_you_mean(name, known.iter().copied())
            .or_else(|| (!known.is_empty()).then(|| format!("it has {}", one_of(&known, "and"))));
        Said { message: format!("`{directive}` has no argument `{name}`"), help }
    }

    fn unknown_value(&self, value: &str, of: &str) -> Said {
        let known: Vec<&str> = match self.schema.get_enum(of) {
            Some(of) => of.values.keys().map(|value| value.as_str()).collect(),
            None => Vec::new(),
        };
        let message = match of {
            "OnedoorMethod" => format!("`{value}` is no method that `@rest` can use"),
            _ if super::definitions::is_own_type(of) => format!("`{value}` may not stand here"),
            _ => format!("`{value}` is no value of `{of}`"),
        };
        let help = did_you_mean(value, known.iter().copied())
            .or_else(|| (known.len() < 8).then(|| format!("write {}", one_of(&known, "or"))));
        Said { message, help }
    }

    fn misplaced(&self, written: &str, message: &str) -> Option<Said> {
        let name = directive_name(written);
        let definition = self.schema.directive_definitions.get(name)?;
        let allowed: Vec<String> =
            definition.locations.iter().map(|at| location(&at.to_string())).collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        let here = message.split_whitespace().rev().nth(1).unwrap_or_default();
        Some(Said {
            message: format!("`@{name}` may not stand on {}", location(here)),
            help: Some(format!("it stands on {}", one_of(&allowed, "or"))),
        })
    }

    /// Errors of the syntax and of putting the definitions together; they have no name.
    fn building(&self, message: &str) -> Option<Said> {
        if message.starts_with(SYNTAX) {
            return Some(Said { message: with_signs(message), help: None });
        }
        let name = quoted(message).first().copied().unwrap_or_default();
        let help = if message.contains("defined multiple times") {
            match super::definitions::is_own(name) {
                true => Some("it is built in: leave the definition out".to_owned()),
                false => self.first_definition(name),
            }
        } else if message.contains("for undefined type") {
            let known = self.schema.types.keys().map(|known| known.as_str());
            did_you_mean(name, known)
        } else {
            None
        };
        Some(Said { message: message.to_owned(), help })
    }

    fn first_definition(&self, name: &str) -> Option<String> {
        let location = match name.strip_prefix('@') {
            Some(name) => self.schema.directive_definitions.get(name)?.name.location(),
            None => self.schema.types.get(name)?.name().location(),
        };
        let place = self.files.place(location)?;
        Some(format!(
            "the first one is at {}; rename one of them, or use `extend`",
            self.files.in_words(&place)
        ))
    }
}

/// How the parser's own errors begin; they have no name by which to know them.
const SYNTAX: &str = "syntax error: ";

fn is_syntax(error: &DiagnosticData) -> bool {
    let is_syntax =
        |message: &str| message.starts_with(SYNTAX) || message.contains("limit reached");
    error.unstable_error_name().is_none() && is_syntax(&error.to_string())
}

/// Tokens by their signs instead of the parser's names for them.
pub(crate) fn with_signs(message: &str) -> String {
    const SIGNS: [(&str, &str); 13] = [
        ("L_PAREN", "`(`"),
        ("R_PAREN", "`)`"),
        ("L_BRACK", "`[`"),
        ("R_BRACK", "`]`"),
        ("L_CURLY", "`{`"),
        ("R_CURLY", "`}`"),
        ("COLON", "`:`"),
        ("EQ", "`=`"),
        ("BANG", "`!`"),
        ("AT", "`@`"),
        ("PIPE", "`|`"),
        ("AMP", "`&`"),
        ("EOF", "the end of the text"),
    ];
    let sign = |word: &str| SIGNS.iter().find(|(name, _)| *name == word).map(|(_, sign)| *sign);
    let words = message.split(' ').map(|word| match word.strip_suffix(',') {
        Some(word) => format!("{},", sign(word).unwrap_or(word)),
        None => sign(word).unwrap_or(word).to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The name at the beginning of a directive.
fn directive_name(written: &str) -> &str {
    let name = written.trim_start_matches('@');
    let end = name.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// `expected value of type String!, found an integer`.
fn unsupported_value(message: &str) -> Said {
    let rest = message.strip_prefix("expected value of type ").unwrap_or(message);
    let (ty, found) = rest.split_once(", found ").unwrap_or((rest, "another value"));
    let expected = match ty.trim_matches(['[', ']', '!']) {
        "OnedoorHeader" => "a list of `{name: .., value: ..}`".to_owned(),
        "OnedoorBatch" => "`{key: .., by: ..}`".to_owned(),
        "OnedoorError" => "`{message: .., code: ..}`".to_owned(),
        name if super::definitions::is_own_type(name) => "one of its values".to_owned(),
        _ => format!("`{ty}`"),
    };
    Said { message: format!("expected {expected}, found {found}"), help: None }
}

fn not_yet(what: &str) -> Said {
    Said { message: format!("{what} does not work yet"), help: None }
}

/// `@rest(path:)`.
fn required_argument(coordinate: &str) -> Said {
    let (directive, argument) = coordinate.split_once('(').unwrap_or((coordinate, ""));
    let argument = argument.trim_end_matches([':', ')']);
    Said { message: format!("`{directive}` needs `{argument}`"), help: None }
}

/// `OnedoorBatch.by`.
fn required_field(coordinate: &str) -> Said {
    let (of, field) = coordinate.split_once('.').unwrap_or((coordinate, ""));
    let message = match super::definitions::written_as(of) {
        Some(argument) => format!("{argument} needs `{field}`"),
        None => format!("`{of}` needs `{field}`"),
    };
    let help = (of == "OnedoorBatch" && field == "by").then(|| {
        "name the property of a row that equals its key, or write `by: \"@key\"` for an answer \
         that is an object keyed by key"
            .to_owned()
    });
    Said { message, help }
}

/// A directive location in words.
fn location(name: &str) -> String {
    match name {
        "FIELD_DEFINITION" => "a field".to_owned(),
        "INPUT_FIELD_DEFINITION" => "an input field".to_owned(),
        "ARGUMENT_DEFINITION" => "an argument".to_owned(),
        "OBJECT" => "an object type".to_owned(),
        "INTERFACE" => "an interface".to_owned(),
        "INLINE_FRAGMENT" => "an inline fragment".to_owned(),
        "INPUT_OBJECT" => "an input type".to_owned(),
        "ENUM" => "an enum".to_owned(),
        "ENUM_VALUE" => "an enum value".to_owned(),
        "SCHEMA" => "the schema".to_owned(),
        "DIRECTIVE_DEFINITION" => "a directive definition".to_owned(),
        other => format!("a {}", other.to_lowercase().replace('_', " ")),
    }
}

fn advice(name: &str) -> Option<&'static str> {
    Some(match name {
        "MissingInterfaceField" => "a type declares every field of the interfaces it implements",
        "InvalidImplementationFieldType" => {
            "the field's type must be the interface's, or narrower: non-null, or a subtype"
        }
        "InvalidImplementationFieldArgumentType" => "the types of both arguments must be equal",
        "ExtraRequiredImplementationFieldArgument" => {
            "an argument the interface does not have must be nullable or have a default value"
        }
        "OneOfInputObjectFieldNonNull" | "UnsupportedDefault" => {
            "exactly one field of a `@oneOf` input is given, so each is nullable, without a default"
        }
        "OneOfDirectiveOnExtension" => "write `@oneOf` on the definition",
        "DeprecatedRequiredInputValue" => "make it nullable, give it a default, or keep it",
        "DeprecatedImplementationField" => "deprecate the interface's field too",
        "RecursiveInputObjectDefinition" => {
            "make one of the fields of the cycle nullable or a list"
        }
        "ReservedName" => "such names belong to introspection",
        "OutputType" => "a field returns a scalar, enum, object, interface or union",
        "InputType" => "an argument or input field is a scalar, an enum or an input type",
        "EmptyFieldSet" | "EmptyValueSet" | "EmptyMemberSet" | "EmptyInputValueSet" => {
            "define one at least, or leave the type out"
        }
        _ => return None,
    })
}

/// What stands in backticks.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// For every definition: where it stands -> where its name stands.
fn names(schema: &Schema) -> HashMap<Span, SourceSpan> {
    let mut names = HashMap::default();
    let mut add = |whole: Option<SourceSpan>, name: Option<SourceSpan>| {
        if let (Some(whole), Some(name)) = (whole, name) {
            names.insert((whole.file_id(), whole.offset(), whole.end_offset()), name);
        }
    };
    for directive in schema.directive_definitions.values() {
        add(directive.location(), directive.name.location());
        for argument in &directive.arguments {
            add(argument.location(), argument.name.location());
        }
    }
    for of in schema.types.values() {
        add(of.location(), of.name().location());
        let fields = match of {
            ExtendedType::Object(of) => Some(&of.fields),
            ExtendedType::Interface(of) => Some(&of.fields),
            _ => None,
        };
        for field in fields.into_iter().flat_map(|fields| fields.values()) {
            add(field.location(), field.name.location());
            for argument in &field.arguments {
                add(argument.location(), argument.name.location());
            }
        }
        if let ExtendedType::InputObject(of) = of {
            of.fields.values().for_each(|field| add(field.location(), field.name.location()));
        }
        if let ExtendedType::Enum(of) = of {
            of.values.values().for_each(|value| add(value.location(), value.value.location()));
        }
    }
    names
}
