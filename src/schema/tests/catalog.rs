//! What the catalog says of sources, endpoints, names on the wire and guards.

use std::sync::Arc;

use apollo_compiler::Name;

use super::language::SHOP;
use super::*;
use crate::json::Body;
use crate::template::{ComputedValues, Root};

fn paths(paths: &[crate::json::Path]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_that_a_request_reads_of_its_parent_several_times_has_one_slot() {
    let catalog = catalog(&[r#"
        type Query { user: User @rest(upstream: "users", path: "/me") }
        type User {
          rows: [Int]
            @rest(upstream: "users", method: POST, path: "/t/{this.tenant.id}/rows?x={this.id}",
                  headers: [{name: "x-tenant", value: "{this.tenant.id}"}],
                  body: "{\"ids\": \"{keys}\", \"of\": \"{this.kind}\"}",
                  batch: {key: "this.id", by: "id"})
        }
    "#]);
    let Source::Fetch(rows, Then::Value) = source(&catalog, "User", "rows") else { panic!() };
    assert_eq!(paths(&rows.this), ["tenant.id", "id", "kind"]);
}

#[test]
fn arguments_are_read_by_their_names_on_the_wire_below_their_own() {
    let catalog = catalog(&[r#"
        type Query {
          a(in: In!): Int
            @rest(upstream: "users", path: "/a/{args.in.userName}?t={args.in.tags[0].theLabel}")
          b(in: In!): User @ref(key: "args.in.userName")
        }
        type User @rest(upstream: "users", path: "/users/{key}") { id: ID }
        input In { userName: String! @json(name: "user_name")  tags: [Tag!] @json(name: "['t-s']") }
        input Tag { theLabel: String @json(name: "label") }
    "#]);
    let Source::Fetch(a, _) = source(&catalog, "Query", "a") else { panic!() };
    let read = a.request.references().map(|(_, reference)| reference.path.to_string());
    assert_eq!(read.collect::<Vec<_>>(), ["in.user_name", "in.t-s[0].label"]);
    let Source::Lookup(b) = source(&catalog, "Query", "b") else { panic!() };
    assert_eq!(b.key.path.to_string(), "in.user_name");
    assert_eq!(catalog.inputs["In"]["tags"].as_ref(), "t-s");
}

#[test]
fn endpoints_have_ids_of_their_own_and_a_types_lookup_is_one_endpoint() {
    let catalog = catalog(&[SHOP]);
    let lookup = |object, field| match source(&catalog, object, field) {
        Source::Lookup(lookup) => Arc::clone(&lookup.endpoint),
        other => panic!("{other:?}"),
    };
    assert!(Arc::ptr_eq(&lookup("Query", "me"), &lookup("Order", "buyer")));
    let fetched = [("Query", "order"), ("User", "orders"), ("Order", "payment")];
    let mut ids: Vec<EndpointId> = fetched
        .into_iter()
        .map(|(object, field)| match source(&catalog, object, field) {
            Source::Fetch(endpoint, _) => endpoint.id,
            other => panic!("{other:?}"),
        })
        .chain([lookup("Query", "me").id])
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn ids_and_labels_are_the_same_at_each_reading() {
    let described = || format!("{:?}", catalog(&[SHOP]).objects);
    assert_eq!(described(), described());
}

#[test]
fn a_label_has_the_path_on_one_line() {
    let catalog = catalog(&[r#"
        type Query {
          a(x: Int): Int @rest(upstream: "users", path: """
            /a
              ?x={args.x}
              &y=1
          """)
        }
    "#]);
    let Source::Fetch(a, _) = source(&catalog, "Query", "a") else { panic!() };
    assert_eq!(a.label.as_ref(), "GET /a?x={args.x}&y=1");
}

#[test]
fn a_field_without_directives_is_the_property_of_its_name() {
    let catalog = catalog(&[SHOP]);
    let Source::Property(path) = source(&catalog, "User", "name") else { panic!() };
    assert_eq!(path.to_string(), "name");
    let Source::Property(path) = source(&catalog, "User", "city") else { panic!() };
    assert_eq!(path.to_string(), "address.city");
}

#[test]
fn a_request_may_lead_to_a_key_or_to_a_computed_value() {
    let catalog = catalog(&[r#"
        type Query {
          recent: [User] @rest(upstream: "users", path: "/recent") @ref(key: "answer[*].id")
          count: Int @rest(upstream: "users", path: "/users") @computed(cel: "size(answer.items)")
          sum(a: Int!, b: Int!): Int @computed(cel: "args.a + args.b")
        }
        type User @rest(upstream: "users", path: "/users/{key}") { id: ID }
    "#]);
    let Source::Fetch(_, Then::Lookup(recent)) = source(&catalog, "Query", "recent") else {
        panic!()
    };
    assert_eq!((&recent.key.root, recent.key.path.to_string()), (&Root::Answer, "[*].id".into()));
    assert!(matches!(source(&catalog, "Query", "count"), Source::Fetch(_, Then::Computed(_))));
    assert!(matches!(source(&catalog, "Query", "sum"), Source::Computed(_)));
}

#[test]
fn an_expression_reads_each_value_of_its_object_from_a_slot_of_its_own() {
    let catalog = catalog(&[r#"
        type Query { user: User @rest(upstream: "users", path: "/me") }
        type User { label: String @computed(cel: "this.last + ', ' + this.first + ' ' + this.last") }
    "#]);
    let Source::Computed(label) = source(&catalog, "User", "label") else { panic!() };
    let read = label.references().iter().map(|reference| reference.path.to_string());
    assert_eq!(read.collect::<Vec<_>>(), ["last", "first"]);
    let body = |text: &'static str| Body::parse(text.into()).expect("JSON");
    let (args, last, first) = (body("{}"), body("\"Lovelace\""), body("\"Ada\""));
    let values = ComputedValues {
        args: args.root(),
        this: &[Some(last.root()), Some(first.root())],
        claims: None,
        answer: None,
    };
    assert_eq!(label.evaluate(&values).expect("a value"), b"\"Lovelace, Ada Lovelace\"");
}

#[test]
fn a_list_of_keys_is_read_within_one_value_of_the_parent() {
    let catalog = catalog(&[r#"
        type Query { user: User @rest(upstream: "users", path: "/me") }
        type User @rest(upstream: "users", path: "/users/{key}") {
          friends: [User]! @ref(key: "this.friends[*].id")
        }
    "#]);
    let Source::Lookup(friends) = source(&catalog, "User", "friends") else { panic!() };
    let friend_list = Body::parse(r#"[{"id": 1}, {"id": 2}]"#.into()).expect("JSON");
    let (list, below) = friends.key.split();
    assert_eq!(list.to_string(), "friends");
    let keys = below.iter().flat_map(|below| below.eval_all(friend_list.root()));
    assert_eq!(keys.map(|key| key.raw()).collect::<Vec<_>>(), [b"1", b"2"]);
}

#[test]
fn interfaces_and_unions_have_lookups_too() {
    let catalog = catalog(&[r#"
        type Query { a(id: ID!): Node @ref(key: "args.id")  b(ids: [ID!]!): [Hit]! @ref(key: "args.ids") }
        interface Node @discriminator(property: "meta.kind") @rest(upstream: "users", path: "/nodes/{key}") { id: ID! }
        union Hit @discriminator(property: "kind")
          @rest(upstream: "users", path: "/hits?id={keys:,}", batch: {by: "@key"}) = A | B
        type A implements Node @json(name: "a") { id: ID! }
        type B implements Node { id: ID! }
    "#]);
    let Source::Lookup(b) = source(&catalog, "Query", "b") else { panic!() };
    assert!(matches!(b.endpoint.batch.as_ref().map(|batch| &batch.by), Some(By::Name)));
    let said: Vec<(&str, &str)> = catalog.abstracts["Hit"]
        .members
        .iter()
        .map(|(said, name)| (said.as_ref(), name.as_str()))
        .collect();
    assert_eq!(said, [("a", "A"), ("B", "B")]);
    let possible = |name| catalog.possible_types(name).map(Name::as_str).collect::<Vec<_>>();
    assert_eq!(possible("Node"), ["A", "B"]);
    assert_eq!(possible("Hit"), ["A", "B"]);
    assert_eq!(possible("A"), ["A"]);
    assert!(possible("ID").is_empty());
}

#[test]
fn a_root_field_may_group_others() {
    let catalog = catalog(&[r#"
        type Query { shop: Shop! @json(name: ".") }
        type Shop { open: Boolean @rest(upstream: "orders", path: "/open") }
    "#]);
    let Source::Property(path) = source(&catalog, "Query", "shop") else { panic!() };
    assert!(path.is_root());
}

#[test]
fn a_guard_holds_through_types_interfaces_and_their_fields() {
    let catalog = catalog(&[r#"
        type Query {
          open: Open @rest(upstream: "users", path: "/a")
          own: Int @rest(upstream: "users", path: "/a") @authenticated
          guarded: Guarded @rest(upstream: "users", path: "/a")
          guardedList: [Guarded!]! @rest(upstream: "users", path: "/a")
          implementing: Implementing @rest(upstream: "users", path: "/a")
          interface: Private @rest(upstream: "users", path: "/a")
          any: Any @rest(upstream: "users", path: "/a")
        }
        type Open implements Public { name: String  secret: String }
        type Guarded @authenticated { name: String }
        interface Public @discriminator(property: "k") { name: String  secret: String @authenticated }
        interface Private @discriminator(property: "k") @authenticated { name: String }
        type Implementing implements Private { name: String }
        union Any @discriminator(property: "k") = Open | Guarded
    "#]);
    let guarded = |object, field| catalog.field(object, field).expect("a field").authenticated;
    assert!(!guarded("Query", "open"));
    assert!(guarded("Query", "own"));
    assert!(guarded("Query", "guarded"));
    assert!(guarded("Query", "guardedList"));
    assert!(guarded("Query", "implementing"));
    assert!(guarded("Query", "interface"));
    assert!(!guarded("Query", "any"), "only one of its types is guarded");
    assert!(guarded("Guarded", "name"), "also where a union led to it");
    assert!(guarded("Implementing", "name"));
    assert!(guarded("Open", "secret"));
    assert!(!guarded("Open", "name"));
    assert!(catalog.object("Implementing").expect("an object").authenticated);
    assert!(!catalog.object("Open").expect("an object").authenticated);
}

#[test]
fn the_rest_of_an_endpoint_is_as_written() {
    let catalog = catalog(&[r#"
        type Query {
          a: [Int]
            @rest(upstream: "users", path: "/a", at: "data.items", timeout: "500ms", notFound: ERROR,
                  error: {if: "ok", message: "error.message", code: "error.code"})
          b: Int @rest(upstream: "users", path: "/b")
        }
    "#]);
    let Source::Fetch(a, _) = source(&catalog, "Query", "a") else { panic!() };
    assert_eq!(a.at.to_string(), "data.items");
    assert_eq!(a.timeout, Some(std::time::Duration::from_millis(500)));
    assert_eq!(a.not_found, NotFound::Error);
    let path = |path: &Option<crate::json::Path>| path.as_ref().map(ToString::to_string);
    assert_eq!(path(&a.error.when).as_deref(), Some("ok"));
    assert_eq!(path(&a.error.message).as_deref(), Some("error.message"));
    assert_eq!(path(&a.error.code).as_deref(), Some("error.code"));
    let Source::Fetch(b, _) = source(&catalog, "Query", "b") else { panic!() };
    assert_eq!((b.timeout, b.not_found, b.at.is_root()), (None, NotFound::Null, true));
}

#[test]
fn several_files_and_extensions_are_one_schema() {
    let catalog = catalog(&[
        "extend type Query { b: Int @rest(upstream: \"users\", path: \"/b\") }",
        "type Query { a: User @ref(key: \"claims.sub\") }",
        "extend type User @rest(upstream: \"users\", path: \"/users/{key}\") { name: String }",
        "type User { id: ID }",
    ]);
    assert!(catalog.field("Query", "b").is_some());
    assert!(catalog.field("User", "name").is_some());
}
