//! What stands inside `{..}`: one value, named by a root and a path below it.
//!
//! Knows which roots there are and what may follow each; not where the reference stands, nor
//! whether the name exists.

use std::ops::Range;

use http::HeaderName;

use super::{Environment, Error};
use crate::json::{Path, Segment};

/// Where a reference begins to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Root {
    /// The field's arguments.
    Args,
    /// The parent's upstream object.
    This,
    /// The caller's claims.
    Claims,
    /// A header of the client's request.
    Headers(HeaderName),
    /// The key of a lookup that asks for one at a time.
    Key,
    /// The keys of a batch.
    Keys,
    /// The answer of the `@rest` beside it (key paths and expressions only).
    Answer,
}

impl Root {
    /// The word a template writes.
    pub fn name(&self) -> &'static str {
        match self {
            Root::Args => "args",
            Root::This => "this",
            Root::Claims => "claims",
            Root::Headers(_) => "headers",
            Root::Key => "key",
            Root::Keys => "keys",
            Root::Answer => "answer",
        }
    }
}

/// One `{..}` of a template.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    /// Where it begins to read.
    pub root: Root,
    /// The path below the root; `.` for the root itself.
    pub path: Path,
    /// The separator of `{args.list:,}`.
    pub join: Option<char>,
    /// Its bytes in the template's text, braces included.
    pub span: Range<usize>,
    pub(super) written: Box<str>,
    pub(super) slot: Slot,
}

impl Reference {
    /// The reference as written, without braces and separator: `args.status`.
    pub fn as_written(&self) -> &str {
        &self.written
    }
}

/// Where a `this` reference finds its value among the parent's captured values.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Slot {
    /// Index of the captured value.
    pub(super) index: usize,
    /// What to read below it: the path from its first `[*]` on.
    pub(super) below: Option<Path>,
}

impl Slot {
    /// Finds or adds the captured path that `path` is read from. A capture is one value, so a path
    /// over many (`items[*].id`) is captured up to its first `[*]`.
    pub(super) fn bind(path: &Path, captures: &mut Vec<Path>) -> Slot {
        let (captured, below) = definite(path);
        let index = captures.iter().position(|known| *known == captured);
        let index = index.unwrap_or_else(|| {
            captures.push(captured);
            captures.len() - 1
        });
        Slot { index, below }
    }
}

/// What a `{..}` turned out to be.
pub(super) enum Parsed {
    /// A value known at start.
    Known(String),
    /// A value of each request.
    Reference(Reference),
}

/// The separators a joined list may have: none of them is a delimiter of a URL or of JSON.
const SEPARATORS: &str = ",;|: .-_~!*";

/// Parses the text between the braces; `span` is where the braces stand.
pub(super) fn parse(
    inner: &str,
    span: Range<usize>,
    env: Environment<'_>,
) -> Result<Parsed, Error> {
    if inner.trim().is_empty() {
        let error = Error::new(span, "`{}` names nothing");
        return Err(error.help("name a value as in `{args.id}`, or write `{{` for a brace"));
    }
    let (name, join) = split_join(inner, &span)?;
    let (root, rest) = split_root(name);
    let base = span.start + 1 + root.len();
    let at = base..base + rest.len();
    let known = |text| Ok(Parsed::Known(text));
    let reference = |root, path| {
        let written = name.into();
        let slot = Slot::default();
        Ok(Parsed::Reference(Reference { root, path, join, span: span.clone(), written, slot }))
    };
    match root {
        "args" => reference(Root::Args, path(rest, base)?),
        "this" => reference(Root::This, path(rest, base)?),
        "claims" if rest.is_empty() => Err(bare(root, span)),
        "claims" => reference(Root::Claims, path(rest, base)?),
        "headers" => reference(Root::Headers(header(rest, span.clone())?), Path::root()),
        "env" if join.is_some() => Err(Error::new(span, "a variable is one text, not a list")),
        "env" => variable(rest, span, env).and_then(known),
        "key" | "keys" if !rest.is_empty() => {
            Err(Error::new(at, format!("`{{{root}}}` has no parts"))
                .help("a key is a string, a number or a boolean"))
        }
        "key" if join.is_some() => {
            Err(Error::new(span, "`{key}` is one value").help("`{keys:,}` joins those of a batch"))
        }
        "key" => reference(Root::Key, Path::root()),
        "keys" => reference(Root::Keys, Path::root()),
        _ => Err(unknown(inner, root, span)),
    }
}

/// The root's name and all that follows it.
pub(super) fn split_root(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The path after a root's name: nothing, `.a.b` or `[0].a`.
pub(super) fn path(rest: &str, base: usize) -> Result<Path, Error> {
    let (text, skipped) = match rest.strip_prefix('.') {
        _ if rest.is_empty() => (".", 0),
        Some("") => {
            let error = Error::new(base..base + 1, "a name must follow the dot");
            return Err(error.help("leave the dot out to read the whole value"));
        }
        Some(below) => (below, 1),
        None if rest.starts_with('[') => (rest, 0),
        None => {
            let error = Error::new(base..base + rest.len(), format!("`{rest}` is no path"));
            return Err(error.help("a path begins with `.name` or `[0]`"));
        }
    };
    Path::parse(text).map_err(|error| {
        let start = base + skipped;
        let span = start + error.span.start..start + error.span.end;
        Error { span, message: error.message, help: error.help }
    })
}

/// The nearest of the known names, if one is near enough to be meant.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn split_join<'t>(inner: &'t str, span: &Range<usize>) -> Result<(&'t str, Option<char>), Error> {
    let mut quoted = false;
    let colon = inner.char_indices().find(|(_, char)| {
        quoted ^= *char == '\'';
        *char == ':' && !quoted
    });
    let Some((at, _)) = colon else { return Ok((inner, None)) };
    let (name, suffix) = inner.split_at_checked(at).unwrap_or((inner, ""));
    let mut chars = suffix.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some(char), None) if SEPARATORS.contains(char) => Ok((name, Some(char))),
        _ => {
            let start = span.start + 1 + at;
            let error = Error::new(start..start + suffix.len(), "this separates no list");
            Err(error
                .help(format!("one of `{SEPARATORS}` follows the colon, as in `{{{name}:,}}`")))
        }
    }
}

fn header(rest: &str, span: Range<usize>) -> Result<HeaderName, Error> {
    let Some(name) = rest.strip_prefix('.').filter(|name| !name.is_empty()) else {
        return Err(bare("headers", span));
    };
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(Error::new(span, format!("`{name}` is no header name")));
    };
    if matches!(name.as_str(), "authorization" | "cookie" | "proxy-authorization") {
        let message = format!("a template may not read the client's `{name}`");
        return Err(Error::new(span, message).help(
            "credentials never leave by a template: `token` in the upstream's `[identity]` \
             forwards or signs them, `{claims.x}` reads what they say",
        ));
    }
    Ok(name)
}

fn variable(rest: &str, span: Range<usize>, env: Environment<'_>) -> Result<String, Error> {
    let Some(name) = rest.strip_prefix('.').filter(|name| !name.is_empty()) else {
        return Err(bare("env", span));
    };
    env(name).ok_or_else(|| {
        Error::new(span, format!("the environment has no variable `{name}`"))
            .help(format!("set `{name}` before the start"))
    })
}

fn bare(root: &str, span: Range<usize>) -> Error {
    Error::new(span, format!("`{{{root}}}` alone is no value"))
        .help(format!("name one, as in `{{{root}.name}}`"))
}

fn unknown(inner: &str, root: &str, span: Range<usize>) -> Error {
    if inner.trim_start().starts_with('=') {
        return Error::new(span, "`{= ..}` is kept for later")
            .help("compute the value in a `@computed` field");
    }
    if inner.starts_with(['"', ' ', '\n']) || inner.contains('"') {
        return Error::new(span, "a `{..}` holds the name of a value")
            .help("write `{{` and `}}` for braces that are meant as such");
    }
    if root == "answer" {
        return Error::new(span, "a request cannot read its own answer")
            .help("`answer` is for `@ref` and `@computed` beside `@rest`");
    }
    let error = Error::new(span, format!("nothing is called `{root}` in a template"));
    let roots = ["args", "this", "claims", "headers", "env", "key", "keys"];
    match nearest(root, roots) {
        Some(near) => {
            let rest = inner.strip_prefix(root).unwrap_or_default();
            error.help(format!("did you mean `{{{near}{rest}}}`?"))
        }
        None => error.help(format!(
            "`{{args.{inner}}}` is an argument, `{{this.{inner}}}` a property of the parent"
        )),
    }
}

/// Splits a path before its first `[*]`.
pub(super) fn definite(path: &Path) -> (Path, Option<Path>) {
    let segments = path.segments();
    let each = segments.iter().position(|segment| *segment == Segment::Each);
    match each.and_then(|at| segments.split_at_checked(at)) {
        Some((captured, below)) => (path_of(captured), Some(path_of(below))),
        None => (path.clone(), None),
    }
}

/// The path of these steps, by way of its text.
pub(super) fn path_of(segments: &[Segment]) -> Path {
    let mut text = String::new();
    for segment in segments {
        let step = match segment {
            Segment::Property(name) => Path::property(name).to_string(),
            Segment::Index(index) => format!("[{index}]"),
            Segment::Each => "[*]".to_owned(),
        };
        if !text.is_empty() && !step.starts_with('[') {
            text.push('.');
        }
        text.push_str(&step);
    }
    if text.is_empty() { Path::root() } else { Path::parse(&text).unwrap_or_default() }
}
