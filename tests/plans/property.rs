//! Random documents: planned in the order of `CollectFields`, or refused, and never a panic.

use apollo_compiler::Name;
use apollo_compiler::executable::{self, ExecutableDocument, SelectionSet};
use onedoor::plan::{FieldValue, Kind, Plan, Selection};
use proptest::prelude::*;

use crate::pets::{pets, planned};

/// Selections of a dog, a cat or a pet, as text.
#[derive(Debug, Clone, Copy)]
enum On {
    Query,
    Dog,
    Pet,
}

fn selections(on: On, depth: u32) -> BoxedStrategy<String> {
    let leaves: Vec<&'static str> = match on {
        On::Query => vec!["__typename", "x: __typename"],
        On::Dog => vec![
            "name",
            "n: nickname",
            "barkVolume",
            "__typename",
            "...OnDog",
            "y: name @skip(if: $a)",
        ],
        On::Pet => vec![
            "name",
            "__typename",
            "...OnPet",
            "n: name @include(if: $b)",
            "...OnPet @skip(if: $b)",
        ],
    };
    let leaf = prop::sample::select(leaves).prop_map(str::to_owned).boxed();
    let one = if depth == 0 {
        leaf
    } else {
        let below = |text: &'static str, on: On| {
            selections(on, depth - 1).prop_map(move |inner| text.replace('*', &inner)).boxed()
        };
        let nested = match on {
            On::Query => vec![
                below("dog { * }", On::Dog),
                below("pet(named: \"a\") { * }", On::Pet),
                below("p: pet { * }", On::Pet),
                below("... on Query @include(if: $a) { * }", On::Query),
                below("dogs(ids: [1]) { * }", On::Dog),
            ],
            On::Dog => vec![
                below("mate { * }", On::Dog),
                below("owner { pets { * } }", On::Pet),
                below("o: owner { pets { * } }", On::Pet),
                below("... on Pet { * }", On::Pet),
                below("... @skip(if: $b) { * }", On::Dog),
            ],
            On::Pet => vec![below("... on Dog { * }", On::Dog), below("... on Pet { * }", On::Pet)],
        };
        prop_oneof![2 => leaf, 3 => prop::strategy::Union::new(nested)].boxed()
    };
    prop::collection::vec(one, 1..5).prop_map(|all| all.join(" ")).boxed()
}

/// `CollectFields` once more, written straight from the specification.
fn collected<'d>(
    document: &'d ExecutableDocument,
    object: &str,
    set: &'d SelectionSet,
    values: [bool; 2],
    visited: &mut Vec<&'d Name>,
    found: &mut Vec<(String, Vec<&'d executable::Field>)>,
) {
    for selection in &set.selections {
        let decided = |directive: &str| {
            let value = selection.directives().get(directive)?.specified_argument_by_name("if")?;
            Some(values[usize::from(value.as_variable()?.as_str() == "b")])
        };
        if decided("skip") == Some(true) || decided("include") == Some(false) {
            continue;
        }
        let applies = |condition: &str| {
            condition == object || (condition == "Pet" && (object == "Dog" || object == "Cat"))
        };
        match selection {
            executable::Selection::Field(field) => {
                let key = field.response_name().to_string();
                match found.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, fields)) => fields.push(field),
                    None => found.push((key, vec![field])),
                }
            }
            executable::Selection::FragmentSpread(spread) => {
                if visited.contains(&&spread.fragment_name) {
                    continue;
                }
                visited.push(&spread.fragment_name);
                let fragment = &document.fragments[&spread.fragment_name];
                if applies(fragment.type_condition()) {
                    collected(document, object, &fragment.selection_set, values, visited, found);
                }
            }
            executable::Selection::InlineFragment(inline) => {
                if inline.type_condition.as_ref().is_none_or(|condition| applies(condition)) {
                    collected(document, object, &inline.selection_set, values, visited, found);
                }
            }
        }
    }
}

/// Compares a selection with what `CollectFields` gives, and so on below.
fn compare(
    plan: &Plan,
    document: &ExecutableDocument,
    selection: &Selection,
    sets: &[&SelectionSet],
    values: [bool; 2],
) {
    let mut expected = Vec::new();
    // Fragments are visited anew for each of the merged fields.
    for set in sets {
        collected(document, &selection.type_name, set, values, &mut Vec::new(), &mut expected);
    }
    let keys: Vec<_> = selection.fields.iter().map(|field| field.key.to_string()).collect();
    let expected_keys: Vec<_> = expected.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, expected_keys);
    for (field, (_, nodes)) in selection.fields.iter().zip(&expected) {
        let below: Vec<_> = nodes.iter().filter_map(|node| node.selection_set.as_ref()).collect();
        let shape = match &field.value {
            FieldValue::Property(_, shape) | FieldValue::Computed(_, shape) => shape,
            FieldValue::Hole(hole) | FieldValue::Streamed(hole, _) => &plan.fetch(hole.fetch).shape,
            FieldValue::Typename | FieldValue::Introspection => continue,
        };
        let mut kind = &shape.kind;
        while let Kind::List(item) = kind {
            kind = &item.kind;
        }
        match kind {
            Kind::Object(selection) => compare(plan, document, selection, &below, values),
            Kind::Abstract(cases) => {
                for (_, selection) in &cases.cases {
                    compare(plan, document, selection, &below, values);
                }
            }
            _ => assert!(below.is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn response_keys_come_in_the_order_of_collect_fields(
        root in selections(On::Query, 4),
        on_dog in selections(On::Dog, 1),
        on_pet in selections(On::Pet, 1),
        a: bool,
        b: bool,
    ) {
        let catalog = pets();
        let fragment_free = |text: String| text.replace("...OnDog", "name").replace("...OnPet", "name");
        let text = format!(
            "query ($a: Boolean!, $b: Boolean!) {{ {root} used: dog {{ ...OnDog ...OnPet u: name @skip(if: $a) v: name @skip(if: $b) }} }}
             fragment OnDog on Dog {{ {} }} fragment OnPet on Pet {{ {} }}",
            fragment_free(on_dog),
            fragment_free(on_pet),
        );
        match planned(catalog, &text, &format!("{{\"a\": {a}, \"b\": {b}}}")) {
            Ok((plan, _)) => {
                let parsed = ExecutableDocument::parse_and_validate(&catalog.public, &text, "document");
                let parsed = parsed.unwrap();
                let root = &parsed.operations.get(None).unwrap().selection_set;
                compare(&plan, &parsed, &plan.steps[0].selection, &[root], [a, b]);
            }
            // Some of them do not merge, or are too large; they must be refused, not planned.
            Err(error) => prop_assert!(
                error.starts_with("GRAPHQL_VALIDATION_FAILED") || error.starts_with("QUERY_TOO_COMPLEX"),
                "{}", error
            ),
        }
    }

    #[test]
    fn no_text_makes_the_planner_panic(text in "[ \\{\\}\\(\\)\\[\\]a-c$@:!=\\.\"0-9#\\\\\n]{0,60}") {
        let catalog = pets();
        let _ = planned(catalog, &text, "{}");
        let _ = planned(catalog, &format!("{{ dog {{ name {text} }} }}"), "{}");
    }
}
