//! Bytes of an upstream: taken for JSON exactly if serde_json takes them, and then read alike.

use onedoor::json::{Body, Kind, Value};
use serde_json::Value as Tree;

/// Whether these bytes are, and say, the same to both.
pub(crate) fn check(text: &[u8]) {
    match (Body::parse(text.to_vec().into()), serde_json::from_slice::<Tree>(text)) {
        (Ok(body), Ok(tree)) => same(body.root(), &tree),
        (Err(invalid), Err(_)) => assert!(invalid.offset <= text.len()),
        (Ok(_), Err(error)) => panic!("serde_json alone refuses: {error}"),
        (Err(invalid), Ok(_)) => panic!("serde_json alone accepts: {invalid}"),
    }
}

fn same(value: Value<'_>, tree: &Tree) {
    assert_eq!(value.body().at(value.place()).span(), value.span());
    match tree {
        Tree::Null => assert!(value.is_null()),
        Tree::Bool(flag) => assert_eq!(value.as_bool(), Some(*flag)),
        Tree::Number(number) => {
            let ours = value.as_number().map(|token| token.parse().expect("a number"));
            assert_eq!(ours.as_ref(), Some(number));
        }
        Tree::String(string) => assert_eq!(value.as_str().as_deref(), Some(string.as_str())),
        Tree::Array(items) => {
            assert_eq!(value.items().count(), items.len());
            value.items().zip(items).for_each(|(value, item)| same(value, item));
        }
        Tree::Object(members) => {
            assert_eq!(value.kind(), Kind::Object);
            for (name, _) in value.members() {
                assert!(members.contains_key(name.unescape().as_ref()));
            }
            // Of duplicates both take the last.
            for (name, member) in members {
                same(value.get(name).expect("a member"), member);
            }
        }
    }
}
