//! Reads a settings file through serde, and finds every mistake of it instead of the first.
//!
//! serde stops at its first error. So the mistaken value is reported and taken out of the document,
//! and the rest is read again, until nothing is wrong any more; what was taken out has its default.
//! Unknown keys are seen by the deserializer itself, since serde tells it the known ones. The
//! `Settings` structs thus stay the only declaration of what a file may hold.
//!
//! It knows TOML and serde, nothing of what any setting means.

mod access;
mod error;
mod homes;
mod located;
mod node;

use std::cell::RefCell;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

pub(crate) use error::Mistake;
pub(crate) use located::{Located, verbatim_start};

use super::env::Env;
use super::problem::{Problem, Problems, SourceId};
use error::Step;
use node::Node;

/// What one reading needs and gathers.
pub(super) struct Reading<'a> {
    source: SourceId,
    text: &'a str,
    /// The tables that have a key of a name.
    homes: fn(&str) -> Vec<String>,
    env: &'a dyn Env,
    found: RefCell<Vec<Problem>>,
    mistakes: RefCell<Vec<Mistaken>>,
}

/// A file as it was read.
pub(crate) struct Read<T> {
    pub(crate) settings: T,
    pub(crate) mistakes: Mistakes,
}

/// The settings that were given wrongly and therefore have their defaults. A check that misses a
/// setting asks here, lest it calls missing what is only mistaken.
#[derive(Debug)]
pub(crate) enum Mistakes {
    /// The file is not TOML: nobody knows what it was meant to say.
    Everything,
    These(Vec<Mistaken>),
}

/// A setting that was given wrongly.
#[derive(Debug)]
pub(crate) struct Mistaken {
    /// Where the table begins that holds the setting.
    table: usize,
    /// The keys that lead to it, itself the last.
    keys: Vec<String>,
}

impl<T: Default> Read<T> {
    /// Of a file that could not be read: defaults, and nobody knows what it was meant to say.
    pub(crate) fn nothing() -> Self {
        Self { settings: T::default(), mistakes: Mistakes::Everything }
    }
}

impl Mistakes {
    /// Whether a key of the table that begins there is mistaken.
    pub(crate) fn has(&self, table: usize, key: &str) -> bool {
        self.any(|mistaken| {
            mistaken.table == table && mistaken.keys.last().is_some_and(|last| last == key)
        })
    }

    /// Whether anything by that name, or in it, is mistaken.
    pub(crate) fn touch(&self, key: &str) -> bool {
        self.any(|mistaken| mistaken.keys.iter().any(|of| of == key))
    }

    fn any(&self, is_it: impl Fn(&Mistaken) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::These(mistaken) => mistaken.iter().any(is_it),
        }
    }
}

/// Reads a file that was added to `problems`. Mistaken values are reported and left at their
/// defaults; if the file is not TOML at all, everything is.
pub(crate) fn read<T: DeserializeOwned + JsonSchema + Default>(
    source: SourceId,
    env: &dyn Env,
    problems: &mut Problems,
) -> Read<T> {
    let text = problems.sources.get(source).map(|file| file.text.clone()).unwrap_or_default();
    let Some(root) = parse(source, &text, problems) else {
        return Read::nothing();
    };
    let reading = Reading {
        source,
        text: &text,
        homes: homes::homes::<T>,
        env,
        found: RefCell::default(),
        mistakes: RefCell::default(),
    };
    let settings = read_all(root, &reading);
    problems.extend(reading.found.into_inner());
    Read { settings, mistakes: Mistakes::These(reading.mistakes.into_inner()) }
}

fn read_all<T: DeserializeOwned + Default>(
    mut root: Spanned<DeValue<'_>>,
    reading: &Reading<'_>,
) -> T {
    loop {
        let error = match T::deserialize(Node::new(&root, reading)) {
            Ok(settings) => return settings,
            Err(error) => error,
        };
        reading.report(error.problem(reading.source));
        let path = error.path();
        let keys = path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Item(_) => None,
        });
        reading.mistake(error.table(), keys.collect());
        // Each round takes one value out, so this ends.
        if !take_out(root.get_mut(), &path) {
            return T::default();
        }
    }
}

impl Reading<'_> {
    /// Keeps a problem, once: a document is read several times.
    fn report(&self, problem: Problem) {
        let mut found = self.found.borrow_mut();
        if !found.contains(&problem) {
            found.push(problem);
        }
    }

    fn mistake(&self, table: usize, keys: Vec<String>) {
        self.mistakes.borrow_mut().push(Mistaken { table, keys });
    }
}

/// Parses a file. A key that stands twice is reported and does no further harm; of other
/// syntax errors only the first is told, since what follows is guesswork, and there is no document.
fn parse<'t>(
    source: SourceId,
    text: &'t str,
    problems: &mut Problems,
) -> Option<Spanned<DeValue<'t>>> {
    const TWICE: &str = "duplicate key";
    let (root, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    errors.dedup();
    let broken = errors.iter().position(|error| error.message() != TWICE);
    let told = broken.map_or(errors.len(), |first| first + 1);
    for error in errors.iter().take(told) {
        let span = error.span().unwrap_or_default();
        problems.push(if error.message() == TWICE {
            let key = text.get(span.clone()).unwrap_or_default();
            Problem::error(source, span, format!("`{key}` is written twice"))
                .with_help("keep one of them; a table's keys stand under one header")
        } else {
            // The parser's bare literals are no advice: "expected nothing".
            let message = error.message().trim_end_matches(", expected nothing");
            let message = message.trim_end_matches(", expected literal string");
            Problem::error(source, span, format!("this is not valid TOML: {message}"))
                .with_help("nothing else of this file was checked")
        });
    }
    let span = root.span();
    broken.is_none().then(|| Spanned::new(span, DeValue::Table(root.into_inner())))
}

/// Takes a value out of the document; false if there is none at the path.
fn take_out(value: &mut DeValue<'_>, path: &[Step]) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return false;
    };
    match (value, step) {
        (DeValue::Table(table), Step::Key(key)) if rest.is_empty() => {
            table.remove(key.as_str()).is_some()
        }
        (DeValue::Table(table), Step::Key(key)) => {
            table.get_mut(key.as_str()).is_some_and(|inner| take_out(inner.get_mut(), rest))
        }
        (DeValue::Array(items), Step::Item(index)) if rest.is_empty() => {
            let before = items.len();
            let all = std::mem::replace(items, DeArray::new()).into_iter().enumerate();
            *items = all.filter(|(n, _)| n != index).map(|(_, item)| item).collect();
            items.len() < before
        }
        (DeValue::Array(items), Step::Item(index)) => {
            items.get_mut(*index).is_some_and(|inner| take_out(inner.get_mut(), rest))
        }
        _ => false,
    }
}
