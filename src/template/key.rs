//! Join keys and key paths: what `@ref(key:)`, `batch: {key, first}` and `by` compare and read.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::reference;
use super::{Error, Root};
use crate::json::{Kind, Path, Value};

/// A join key: compared as text, so that `1` is `"1"` and `1.0` is not `1`; sent with the JSON
/// type first seen.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Key {
    json: Arc<str>,
    /// The text of a string that is written with escapes.
    unescaped: Option<Arc<str>>,
}

impl Key {
    /// The key a value is: a string, a number or a boolean. `None` for null, arrays and objects.
    pub fn from_json(value: Value<'_>) -> Option<Key> {
        let unescaped = match value.kind() {
            Kind::String => value.as_raw_string().filter(|text| text.is_escaped()),
            Kind::Number | Kind::Boolean => None,
            Kind::Null | Kind::Array | Kind::Object => return None,
        };
        let json = std::str::from_utf8(value.raw()).ok()?.into();
        Some(Key { json, unescaped: unescaped.map(|text| text.unescape().into()) })
    }

    /// The text that is compared: a string's content, the digits of a number as written.
    pub fn text(&self) -> &str {
        let json = &*self.json;
        let within = || json.strip_prefix('"')?.strip_suffix('"');
        self.unescaped.as_deref().or_else(within).unwrap_or(json)
    }

    /// The JSON text that is sent in a body.
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

/// Shorter text first, then by bytes: `2` before `10`, so that a batch's URL is the same each time
/// and reads well.
impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        let (text, other) = (self.text(), other.text());
        text.len().cmp(&other.len()).then_with(|| text.cmp(other))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a key, or a number of rows, is read from: one path below one root, without braces, as in
/// `this.userId`, `args.id`, `claims.sub`, `answer[*].id`.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyPath {
    /// Where it begins to read: `args`, `this`, `claims` or `answer`.
    pub root: Root,
    /// The path below the root.
    pub path: Path,
}

impl KeyPath {
    /// Parses `this.userId`.
    ///
    /// # Errors
    /// Where and why the text is no key path, with the nearest root.
    pub fn parse(text: &str) -> Result<KeyPath, Error> {
        let (name, rest) = reference::split_root(text);
        let root = match name {
            "args" => Root::Args,
            "this" => Root::This,
            "claims" => Root::Claims,
            "answer" => Root::Answer,
            _ => return Err(unknown(text, name)),
        };
        let path = reference::path(rest, name.len())?;
        if rest.is_empty() && matches!(root, Root::Args | Root::Claims) {
            return Err(Error::new(0..text.len(), format!("`{name}` alone is no key"))
                .help(format!("name one of them, as in `{name}.id`")));
        }
        Ok(KeyPath { root, path })
    }

    /// Turns the names of an argument's path into those on the wire.
    pub fn rename_args(&mut self, rename: &mut dyn FnMut(&Path) -> Path) {
        if self.root == Root::Args {
            self.path = rename(&self.path);
        }
    }

    /// What is to be captured of the object that the path is read from, and what to read of that:
    /// the path split before its first `[*]`.
    pub fn split(&self) -> (Path, Option<Path>) {
        reference::definite(&self.path)
    }
}

fn unknown(text: &str, name: &str) -> Error {
    if text.contains('{') {
        return Error::new(0..text.len(), "a key path has no braces")
            .help("write `this.userId`, not `{this.userId}`");
    }
    let error = Error::new(0..name.len(), format!("nothing is called `{name}` in a key path"));
    match reference::nearest(name, ["args", "this", "claims", "answer"]) {
        Some(near) => {
            let rest = text.strip_prefix(name).unwrap_or_default();
            error.help(format!("did you mean `{near}{rest}`?"))
        }
        None => error
            .help(format!("`this.{text}` is a property of the parent, `args.{text}` an argument")),
    }
}
