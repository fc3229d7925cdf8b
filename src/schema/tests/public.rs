//! The schema that clients see.

use super::language::SHOP;
use super::*;

/// What clients see, but for the directives of incremental delivery, which every schema has.
fn seen(catalog: &Catalog) -> String {
    let least = super::catalog(&["type Query { a: Int @rest(upstream: \"users\", path: \"/a\") }"]);
    let least = least.public_sdl();
    let delivery = least.strip_suffix("type Query {\n  a: Int\n}\n").expect("it ends so");
    catalog.public_sdl().replacen(delivery, "", 1)
}

#[test]
fn clients_are_told_how_they_may_defer_and_stream() {
    let sdl = catalog(&[SHOP]).public_sdl();
    let printed = [
        ") on FRAGMENT_SPREAD | INLINE_FRAGMENT",
        "directive @defer(",
        "directive @stream(",
        "initialCount: Int! = 0",
        "if: Boolean! = true",
    ];
    assert!(printed.iter().all(|part| sdl.contains(part)), "{sdl}");
    assert_eq!(sdl.matches("directive @").count(), 2);
}

#[test]
fn nothing_of_the_mapping_is_seen() {
    let sdl = seen(&catalog(&[SHOP]));
    for hidden in ["@rest", "@ref", "@json", "@discriminator", "@authenticated", "directive"] {
        assert!(!sdl.contains(hidden), "{hidden}: {sdl}");
    }
    assert!(!sdl.contains("Onedoor"), "{sdl}");
    assert!(sdl.contains("enum OrderStatus"), "{sdl}");
    assert!(sdl.contains("\"The type's lookup: how users are fetched by key.\""), "{sdl}");
}

#[test]
fn what_introspection_tells_stays() {
    let catalog = catalog(&[r#"
        "The door."
        schema { query: Root }
        type Root {
          "A field."
          a("An argument." x: By, y: E = OLD, t: Time): Int
            @rest(upstream: "users", path: "/a") @deprecated(reason: "b is better") @mine
          b: Int @rest(upstream: "users", path: "/b")
        }
        input By @oneOf { id: ID  name: String @json(name: "n") @deprecated }
        enum E { OLD @deprecated @json(name: "old")  NEW }
        scalar Time @specifiedBy(url: "https://example.com/time")
        directive @mine on FIELD_DEFINITION
        directive @client("How." x: Int) on FIELD | FIELD_DEFINITION
    "#]);
    assert_eq!(
        seen(&catalog),
        r#""""The door."""
schema {
  query: Root
}

directive @client(
  """How."""
  x: Int,
) on FIELD | FIELD_DEFINITION

type Root {
  """A field."""
  a(
    """An argument."""
    x: By,
    y: E = OLD,
    t: Time,
  ): Int @deprecated(reason: "b is better")
  b: Int
}

input By @oneOf {
  id: ID
  name: String @deprecated
}

enum E {
  OLD @deprecated
  NEW
}

scalar Time @specifiedBy(url: "https://example.com/time")
"#
    );
}

#[test]
fn extensions_are_printed_within_their_types() {
    let catalog = catalog(&[
        "type Query { a: E @rest(upstream: \"users\", path: \"/a\") }",
        "extend type Query { b: Int @rest(upstream: \"users\", path: \"/b\") }
         enum E { A }
         extend enum E { B }",
    ]);
    assert_eq!(seen(&catalog), "type Query {\n  a: E\n  b: Int\n}\n\nenum E {\n  A\n  B\n}\n");
}

#[test]
fn scalars_that_only_the_mapping_used_are_gone() {
    let catalog = catalog(&["type Query { a: Float @rest(upstream: \"users\", path: \"/a\") }"]);
    assert!(catalog.public.types.contains_key("Float"));
    assert!(!catalog.public.types.contains_key("ID"));
}

#[test]
fn the_definitions_are_a_valid_schema_of_their_own() {
    let with_query = format!("{}\ntype Query {{ a: Int }}", directives_sdl());
    if let Err(errors) = apollo_compiler::Schema::parse_and_validate(with_query, "") {
        panic!("{errors}");
    }
    for name in [
        "rest",
        "ref",
        "json",
        "discriminator",
        "computed",
        "authenticated",
        "cacheControl",
        "invalidates",
        "requiresScopes",
        "allow",
        "cost",
        "listSize",
        "events",
        "poll",
    ] {
        assert!(definitions::is_own_directive(name), "@{name}");
    }
    assert!(definitions::NOT_YET.iter().all(|name| definitions::is_own_directive(name)));
}

#[test]
fn definitions_of_graphql_itself_may_be_repeated() {
    let catalog = catalog(&[r#"
        directive @deprecated(reason: String = "No longer supported") on FIELD_DEFINITION | ENUM_VALUE
        directive @specifiedBy(url: String!) on SCALAR
        directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
        type Query { a: Time @rest(upstream: "users", path: "/a") @deprecated }
        scalar Time @specifiedBy(url: "https://example.com/time")
    "#]);
    assert!(!seen(&catalog).contains("directive"), "{}", seen(&catalog));
    assert!(catalog.public.directive_definitions["include"].is_built_in());
}
