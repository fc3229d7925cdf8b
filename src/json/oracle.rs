//! Reading held against two oracles: serde_json says what is JSON at all, and trees made before
//! their text say what a reading must find.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value as Serde;

use super::{Body, Foreseen, Kind, Value};

/// A value from which a text is written. Members may repeat names.
#[derive(Clone, Debug)]
enum Tree {
    /// `null`, `true`, `false` or a number.
    Token(String),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

fn strings() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        6 => prop::char::range(' ', '~'),
        1 => Just('"'),
        1 => Just('\\'),
        1 => prop::char::range('\0', '\x1f'),
        1 => any::<char>(),
    ];
    prop_oneof![
        2 => "[a-d]{1,2}",
        1 => "one longer name[a-d]{0,2}",
        1 => prop::collection::vec(char, 0..90).prop_map(String::from_iter),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        1 => prop::sample::select(vec!["null", "true", "false"])
            .prop_map(|token| Tree::Token(token.into())),
        2 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?".prop_map(Tree::Token),
        2 => strings().prop_map(Tree::String),
    ];
    leaf.prop_recursive(5, 120, 9, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..9).prop_map(Tree::Array),
            prop::collection::vec((strings(), inner), 0..9).prop_map(Tree::Object),
        ]
    })
}

/// Writes a tree, and chooses by a seed what may be written in several ways.
struct Writer {
    seed: u64,
    spaced: bool,
    out: String,
}

impl Writer {
    fn text(tree: &Tree, seed: u64) -> String {
        let spaced = seed.is_multiple_of(3);
        let mut writer = Writer { seed: seed | 1, spaced, out: String::new() };
        writer.space();
        writer.tree(tree);
        writer.space();
        writer.out
    }

    fn choose(&mut self, of: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % of
    }

    fn space(&mut self) {
        if self.spaced {
            let blanks = ["", " ", "\n          ", "\r\n", "\t", "        "];
            let choice = self.choose(6) as usize;
            self.out.push_str(blanks[choice]);
        }
    }

    fn tree(&mut self, tree: &Tree) {
        match tree {
            Tree::Token(token) => self.out.push_str(token),
            Tree::String(string) => self.string(string),
            Tree::Array(items) => {
                self.list('[', items, |writer, item| writer.tree(item));
                self.out.push(']');
            }
            Tree::Object(members) => {
                self.list('{', members, |writer, (name, value)| {
                    writer.string(name);
                    writer.space();
                    writer.out.push(':');
                    writer.space();
                    writer.tree(value);
                });
                self.out.push('}');
            }
        }
    }

    fn list<T>(&mut self, open: char, items: &[T], write: impl Fn(&mut Writer, &T)) {
        self.out.push(open);
        self.space();
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.out.push(',');
                self.space();
            }
            write(self, item);
            self.space();
        }
    }

    fn string(&mut self, string: &str) {
        self.out.push('"');
        for char in string.chars() {
            let escape = matches!(char, '"' | '\\' | '\0'..='\x1f') || self.choose(16) == 0;
            let short = self.choose(2) == 0;
            match (escape, short, char) {
                (false, ..) => self.out.push(char),
                (true, true, '"' | '\\' | '/') => self.out.extend(['\\', char]),
                (true, true, '\n') => self.out.push_str("\\n"),
                (true, true, '\t') => self.out.push_str("\\t"),
                (true, true, '\r') => self.out.push_str("\\r"),
                (true, true, '\x08') => self.out.push_str("\\b"),
                (true, true, '\x0c') => self.out.push_str("\\f"),
                (true, true, _) => {
                    char.encode_utf16(&mut [0; 2])
                        .iter()
                        .for_each(|unit| self.out.push_str(&format!("\\u{unit:04x}")));
                }
                (true, false, _) => {
                    char.encode_utf16(&mut [0; 2])
                        .iter()
                        .for_each(|unit| self.out.push_str(&format!("\\u{unit:04X}")));
                }
            }
        }
        self.out.push('"');
    }
}

/// The value and all below it are what the tree says, by every way of asking.
fn assert_same(value: Value<'_>, tree: &Tree) {
    let body = value.body();
    assert_eq!(body.bytes().get(value.span().range()), Some(value.raw()));
    assert_eq!(body.at(value.place()).span(), value.span());
    match tree {
        Tree::Token(token) => {
            assert_eq!(value.raw(), token.as_bytes());
            assert_eq!(value.is_null(), token == "null");
            assert_eq!(value.as_bool(), token.parse().ok());
            let number = token.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            assert_eq!(value.as_number(), number.then_some(token.as_str()));
            assert_eq!(value.as_str(), None);
        }
        Tree::String(string) => {
            assert_eq!(value.as_str().as_deref(), Some(string.as_str()));
            assert_eq!((value.as_number(), value.as_bool()), (None, None));
        }
        Tree::Array(items) => {
            assert_eq!(value.items().count(), items.len());
            value.items().zip(items).for_each(|(value, tree)| assert_same(value, tree));
            assert_eq!(value.members().count(), 0);
        }
        Tree::Object(members) => {
            assert_eq!(value.members().count(), members.len());
            for ((key, value), (name, tree)) in value.members().zip(members) {
                assert!(key == *name.as_str());
                assert_eq!(key.unescape(), name.as_str());
                assert_same(value, tree);
            }
            for (name, _) in members {
                let last = members.iter().rev().find(|(other, _)| other == name);
                let found = value.get(name).expect("a member is found by its name");
                last.into_iter().for_each(|(_, tree)| assert_same(found, tree));
            }
            assert!(value.get("no member has this name").is_none());
            assert_eq!(value.items().count(), 0);
        }
    }
}

/// Reads all objects with names foreseen, rightly or wrongly, and checks what is met.
fn wander(value: Value<'_>, tree: &Tree, choices: &mut Writer) {
    match tree {
        Tree::Object(tree) => {
            let foreseen: Vec<_> = value.members().map(|(name, _)| Foreseen::new(name)).collect();
            let mut members = value.members();
            for (name, tree) in tree {
                let guess = foreseen.get(choices.choose(9) as usize % foreseen.len());
                let ready = guess.and_then(|guess| members.next_is(guess));
                let value = ready.unwrap_or_else(|| {
                    let (key, value) = members.next().expect("a member follows");
                    assert!(key == *name.as_str());
                    value
                });
                wander(value, tree, choices);
            }
            assert!(foreseen.iter().all(|name| members.next_is(name).is_none()));
            assert!(members.next().is_none() && members.next().is_none());
        }
        Tree::Array(items) => {
            value.items().zip(items).for_each(|(value, tree)| wander(value, tree, choices));
        }
        Tree::Token(token) => assert_eq!(value.raw(), token.as_bytes()),
        Tree::String(string) => assert_eq!(value.as_str().as_deref(), Some(string.as_str())),
    }
}

/// Accepted exactly if serde_json reads it; then serde_json finds the same.
fn assert_judged_alike(text: &[u8]) -> Result<(), TestCaseError> {
    let ours = Body::parse(text.to_vec().into());
    match (&ours, serde_json::from_slice::<Serde>(text)) {
        (Ok(body), Ok(theirs)) => assert_reads_like(body.root(), &theirs),
        (Err(fault), Err(_)) => prop_assert!(fault.offset <= text.len()),
        (Ok(_), Err(error)) => prop_assert!(false, "serde_json alone refuses: {error}"),
        (Err(fault), Ok(_)) => prop_assert!(false, "serde_json alone accepts; {fault}"),
    }
    Ok(())
}

fn assert_reads_like(value: Value<'_>, theirs: &Serde) {
    match theirs {
        Serde::Null => assert!(value.is_null()),
        Serde::Bool(flag) => assert_eq!(value.as_bool(), Some(*flag)),
        // serde_json keeps a number's digits but rewrites `E5` to `e+5`.
        Serde::Number(number) => {
            let ours = value.as_number().map(|token| token.parse().expect("a number"));
            assert_eq!(ours.as_ref(), Some(number));
        }
        Serde::String(string) => assert_eq!(value.as_str().as_deref(), Some(string.as_str())),
        Serde::Array(items) => {
            assert_eq!(value.items().count(), items.len());
            value.items().zip(items).for_each(|(value, item)| assert_reads_like(value, item));
        }
        Serde::Object(members) => {
            assert_eq!(value.kind(), Kind::Object);
            for (key, _) in value.members() {
                assert!(members.contains_key(key.unescape().as_ref()));
            }
            for (name, member) in members {
                assert_reads_like(value.get(name).expect("a member"), member);
            }
        }
    }
}

/// Changes a text at a place, in a way chosen by a byte.
fn mutate(text: &mut Vec<u8>, (place, how, byte): (prop::sample::Index, u8, u8)) {
    let interesting = b"{}[]\",:\\u0019eE+-.tfn \n\x00\x1f\x7f\x80\xed\xff";
    let byte = interesting.get(byte as usize).copied().unwrap_or(byte);
    let at = place.index(text.len() + 1);
    match how % 5 {
        0 => text.insert(at, byte),
        1 => text.truncate(at),
        2 if at < text.len() => drop(text.remove(at)),
        3 if at < text.len() => text[at] = byte,
        _ => {
            let copied: Vec<u8> = text[at..].iter().take(usize::from(byte) % 12).copied().collect();
            text.splice(at..at, copied);
        }
    }
}

/// The same cases at each run, so that a failure is a change's and not the day's.
fn config() -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(8259);
    ProptestConfig { cases: 600, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_written_is_what_is_read(tree in trees(), seed: u64) {
        let text = Writer::text(&tree, seed);
        let body = Body::parse(text.clone().into()).expect("a tree is written as JSON");
        assert_same(body.root(), &tree);
        prop_assert!(serde_json::from_str::<Serde>(&text).is_ok());
    }

    #[test]
    fn names_that_are_foreseen_lead_to_the_same_values(tree in trees(), seed: u64, ways: u64) {
        let text = Writer::text(&tree, seed);
        let body = Body::parse(text.into()).expect("a tree is written as JSON");
        let mut choices = Writer { seed: ways | 1, spaced: false, out: String::new() };
        wander(body.root(), &tree, &mut choices);
    }

    #[test]
    fn mutated_json_is_judged_as_serde_json_does(
        tree in trees(),
        seed: u64,
        mutations in prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..4),
    ) {
        let mut text = Writer::text(&tree, seed).into_bytes();
        mutations.into_iter().for_each(|mutation| mutate(&mut text, mutation));
        assert_judged_alike(&text)?;
    }

    #[test]
    fn soups_of_tokens_are_judged_as_serde_json_does(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", " ", "\n", "0", "1", "-", "+", ".",
            "e", "E", "true", "false", "null", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\udc00",
            "{\"k\":", "[1,", "\u{7f}", "\u{e9}", "\x0b",
        ]), 0..12),
    ) {
        assert_judged_alike(tokens.concat().as_bytes())?;
    }

    #[test]
    fn strings_of_odd_bytes_are_judged_as_serde_json_does(
        before in "[a-z]{0,40}",
        odd in prop::collection::vec(any::<u8>(), 0..6),
        after in "[a-z]{0,40}",
    ) {
        let text = [b"\"", before.as_bytes(), &odd, after.as_bytes(), b"\""].concat();
        assert_judged_alike(&text)?;
    }

    #[test]
    fn random_bytes_are_judged_as_serde_json_does(
        text in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        assert_judged_alike(&text)?;
    }

    #[test]
    fn the_place_of_another_bodys_value_is_harmless(
        tree in trees(),
        other in prop::collection::vec(trees(), 1..4),
        seed: u64,
    ) {
        let body = Body::parse(Writer::text(&tree, seed).into()).expect("a tree is JSON");
        let other = Writer::text(&Tree::Array(other), seed);
        let other = Body::parse(other.into()).expect("a tree is JSON");
        let place = other.root().items().last().expect("one tree or more").place();
        let value = body.at(place);
        let _ = (value.raw(), value.as_str(), value.as_number(), value.get("a").is_some());
        let reach = value.members().count() + value.items().count();
        prop_assert!(reach <= 2 * body.bytes().len() + 2);
    }

    #[test]
    fn a_written_string_reads_back(string in strings()) {
        let mut out = b"before".to_vec();
        super::write_string(&mut out, &string);
        let written = &out[6..];
        prop_assert_eq!(serde_json::from_slice::<String>(written).ok(), Some(string.clone()));
        prop_assert_eq!(written, serde_json::to_vec(&string).unwrap());
        let body = Body::parse(written.to_vec().into()).expect("a written string is JSON");
        let read = body.root().as_str();
        prop_assert_eq!(read.as_deref(), Some(string.as_str()));
    }
}
