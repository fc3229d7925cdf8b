//! JSON as upstreams write it: every number and string by its text, and objects that may name a
//! property twice.

use std::borrow::Cow;

use crate::random::Random;

/// A piece of JSON text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    /// A scalar, as it is written.
    Raw(Cow<'static, str>),
    List(Vec<Tree>),
    Object(Vec<(Cow<'static, str>, Tree)>),
}

/// How an upstream likes to write.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// White space wherever it may stand.
    pub(crate) spaced: bool,
    /// An escape in every property's name.
    pub(crate) escaped: bool,
}

pub(crate) const NULL: Tree = Tree::Raw(Cow::Borrowed("null"));

pub(crate) fn raw(text: &'static str) -> Tree {
    Tree::Raw(Cow::Borrowed(text))
}

pub(crate) fn string(text: &str) -> Tree {
    Tree::Raw(serde_json::Value::from(text).to_string().into())
}

pub(crate) fn number(number: impl ToString) -> Tree {
    Tree::Raw(number.to_string().into())
}

pub(crate) fn list(items: impl IntoIterator<Item = Tree>) -> Tree {
    Tree::List(items.into_iter().collect())
}

pub(crate) fn object<const N: usize>(members: [(&'static str, Tree); N]) -> Tree {
    Tree::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

impl Tree {
    /// A property; of equal ones the last.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree> {
        let Self::Object(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a key: a string's content, a number or Boolean as written.
    pub(crate) fn key(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Raw(text) if text == "null" => None,
            Self::Raw(text) if text.starts_with('"') && !text.contains('\\') => {
                Some(Cow::Borrowed(&text[1..text.len() - 1]))
            }
            Self::Raw(text) if text.starts_with('"') => {
                Some(Cow::Owned(serde_json::from_str(text).expect("rows are valid JSON")))
            }
            Self::Raw(text) => Some(Cow::Borrowed(text)),
            Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The keys of a row under a name: one, or those of a list.
    pub(crate) fn keys(&self, name: &str) -> Vec<Cow<'_, str>> {
        match self.get(name) {
            Some(Self::List(items)) => items.iter().filter_map(Self::key).collect(),
            found => found.and_then(Self::key).into_iter().collect(),
        }
    }

    /// The same with one more property.
    pub(crate) fn with(mut self, name: &'static str, value: Tree) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.into(), value));
        }
        self
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>, style: Style) {
        let space: &[u8] = if style.spaced { b" \n\t" } else { b"" };
        match self {
            Self::Raw(text) => out.extend_from_slice(text.as_bytes()),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"," } else { b"" });
                    out.extend_from_slice(space);
                    item.write(out, style);
                }
                out.extend_from_slice(space);
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"," } else { b"" });
                    out.extend_from_slice(space);
                    write_name(out, name, style);
                    out.extend_from_slice(space);
                    out.push(b':');
                    value.write(out, style);
                }
                out.push(b'}');
            }
        }
    }

    /// The text.
    pub(crate) fn bytes(&self, style: Style) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        self.write(&mut out, style);
        out
    }
}

fn write_name(out: &mut Vec<u8>, name: &str, style: Style) {
    let mut chars = name.chars();
    match chars.next().filter(|first| style.escaped && first.is_ascii_alphanumeric()) {
        Some(first) => {
            out.extend_from_slice(format!("\"\\u{:04X}", u32::from(first)).as_bytes());
            let rest = serde_json::Value::from(chars.as_str()).to_string();
            out.extend_from_slice(&rest.as_bytes()[1..]);
        }
        None => out.extend_from_slice(serde_json::Value::from(name).to_string().as_bytes()),
    }
}

/// Where an upstream has written something it should not have.
pub(crate) struct Dirt<'r> {
    pub(crate) random: &'r mut Random,
    /// How many values in ten thousand are not what they should be.
    pub(crate) chance: usize,
}

/// Values that few fields expect.
const ODD: [&str; 30] = [
    "null",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1.0",
    "-0.0",
    "1.50",
    "1e2",
    "1E+2",
    "1e400",
    "-1e400",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9007199254740993",
    "12345678901234567890123",
    "100.000",
    "\"\"",
    "\"1\"",
    "\"open\"",
    "\"\\u0031\"",
    "\"a\\/b\\n\\u00e9\\ud83d\\ude00\"",
    "\"\u{7f}\u{2028}é😀\"",
    "\".\"",
    "\"card\"",
    "\"x,y|z\"",
    "\"..\"",
];

impl Dirt<'_> {
    /// An object of which some values are not what they should be.
    pub(crate) fn object<const N: usize>(&mut self, members: [(&'static str, Tree); N]) -> Tree {
        let mut out = Vec::with_capacity(N + 2);
        for (name, value) in members {
            if self.random.often(self.chance) {
                self.soil(&mut out, name, value);
            } else {
                out.push((name.into(), value));
            }
        }
        Tree::Object(out)
    }

    /// What may be a key has no exponent: `serde_json` writes `1e2` as `1e+2`.
    fn odd_for(&mut self, name: &str) -> Tree {
        const KEYS: [&str; 5] = ["id", "owner", "users", "lang", "shop"];
        loop {
            let odd = self.odd();
            let text = odd.bytes(Style::default()).to_ascii_lowercase();
            let is_key = KEYS.contains(&name) || name.ends_with("Id") || name.ends_with("Ids");
            if !is_key || !text.windows(2).any(|pair| pair == b"1e") {
                return odd;
            }
        }
    }

    fn soil(&mut self, out: &mut Vec<(Cow<'static, str>, Tree)>, name: &'static str, value: Tree) {
        match self.random.below(8) {
            // The property is not there.
            0 => {}
            // Of duplicates the last counts, whatever stands between.
            1 => {
                out.push((name.into(), self.odd_for(name)));
                if self.random.percent(50) {
                    out.push(("other".into(), self.odd_for(name)));
                }
                out.push((name.into(), value));
            }
            2 => {
                out.push((name.into(), value));
                out.push((name.into(), self.odd_for(name)));
            }
            3 => {
                if let Tree::List(mut items) = value {
                    let odd = self.odd_for(name);
                    let at = self.random.below(items.len() + 1);
                    items.insert(at, odd);
                    out.push((name.into(), Tree::List(items)));
                } else {
                    out.push((name.into(), list([value])));
                }
            }
            4 => out.push((name.into(), NULL)),
            _ => out.push((name.into(), self.odd_for(name))),
        }
    }

    /// A value of any kind.
    pub(crate) fn odd(&mut self) -> Tree {
        match self.random.below(36) {
            30 => list([]),
            31 => list([NULL]),
            32 => list([self.odd()]),
            33 => object([]),
            34 => object([("id", string("1")), ("lines", list([])), ("kind", string("card"))]),
            35 => list([raw("1"), string("2")]),
            at => raw(ODD[at]),
        }
    }

    /// Rows of which some are duplicates, have no key, or are no rows at all.
    pub(crate) fn rows(
        &mut self,
        rows: Vec<Tree>,
        mut again: impl FnMut(&mut Self, usize) -> Tree,
    ) -> Vec<Tree> {
        let mut out = Vec::with_capacity(rows.len() + 2);
        for (index, row) in rows.into_iter().enumerate() {
            if self.random.often(self.chance) {
                match self.random.below(4) {
                    0 => continue,
                    1 => {
                        let odd = self.odd();
                        out.push(odd);
                    }
                    _ => {
                        let twin = again(self, index);
                        out.push(twin);
                    }
                }
            }
            out.push(row);
        }
        out
    }
}
