//! What the parser takes for GraphQL although it is not: a name whose `:` and value are missing, which
//! it then leaves out in silence (`Argument`, `ObjectField` and `RootOperationTypeDefinition` of
//! specification sections 2.6, 2.9.8 and 3.3). Of schemas and of documents.

use std::ops::Range;

use apollo_parser::{Parser, SyntaxKind, SyntaxNode, SyntaxToken};

/// A name without a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Incomplete {
    /// The name.
    pub(crate) name: Box<str>,
    /// Its bytes.
    pub(crate) place: Range<usize>,
    /// Where the value is missing: at the next token, or at the text's end.
    pub(crate) next: usize,
}

/// Every name without a value in a text that has been parsed without an error.
pub(crate) fn incomplete(text: &str) -> Vec<Incomplete> {
    let tree = Parser::new(text).parse();
    let root = tree.document();
    let nodes = apollo_parser::cst::CstNode::syntax(&root).descendants();
    nodes.filter(lacks_value).filter_map(|node| found(&node, text.len())).collect()
}

fn lacks_value(node: &SyntaxNode) -> bool {
    let has_value = matches!(
        node.kind(),
        SyntaxKind::ARGUMENT
            | SyntaxKind::OBJECT_FIELD
            | SyntaxKind::ROOT_OPERATION_TYPE_DEFINITION
    );
    // The name and the value; the `:` between them is a token.
    has_value && node.children().count() < 2
}

fn found(node: &SyntaxNode, end: usize) -> Option<Incomplete> {
    let own = node.descendants_with_tokens().filter_map(|it| it.into_token()).filter(matters);
    let own: Vec<SyntaxToken> = own.collect();
    let (name, last) = (own.first()?, own.last()?);
    let next = std::iter::successors(last.next_token(), SyntaxToken::next_token).find(matters);
    let next = next.map_or(end, |next| usize::from(next.text_range().start()));
    let place = usize::from(name.text_range().start())..usize::from(name.text_range().end());
    Some(Incomplete { name: name.text().into(), place, next })
}

/// Whether a token is none of those that specification section 2.1 ignores.
fn matters(token: &SyntaxToken) -> bool {
    !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT | SyntaxKind::COMMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_value_are_found_wherever_one_must_be() {
        for (text, expected) in [
            ("{ a(x: 1, y: {z: [$v]}) @skip(if: true) }", vec![]),
            ("query ($v: Int = 1 @d(a: {b: 1})) { x: a(v: $v) }", vec![]),
            ("schema { query: Q } type Q { a(b: Int = 1): Int @rest(path: \"/\") }", vec![]),
            ("{ a(x) }", vec![("x", 4, 5)]),
            ("{ a(x, # why\n y: 1) }", vec![("x", 4, 14)]),
            (
                "{ a(x: {b, c: [{d}]}) @skip(if) }",
                vec![("b", 8, 11), ("d", 16, 17), ("if", 28, 30)],
            ),
            ("query ($v: In = {b}) { a }", vec![("b", 17, 18)]),
            ("schema { query: Query mutation: }", vec![("mutation", 22, 32)]),
            ("type Q { a: Int @rest(path: \"/\", method) }", vec![("method", 33, 39)]),
        ] {
            let found = incomplete(text);
            let found: Vec<_> =
                found.iter().map(|it| (&*it.name, it.place.start, it.next)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
