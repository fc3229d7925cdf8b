//! The examples of the language's own description.

use super::*;

pub(super) const SHOP: &str = r#"
type Query {
  me: User @ref(key: "claims.sub") @authenticated
  user(id: ID!): User @ref(key: "args.id")
  order(id: ID!): Order @rest(upstream: "orders", path: "/orders/{args.id}")
}

"The type's lookup: how users are fetched by key."
type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id", max: 100}) {
  id: ID!
  name: String!
  city: String @json(name: "address.city")
  orders(status: OrderStatus, first: Int = 10): [Order!]!
    @rest(upstream: "orders", path: "/orders?userId={keys}&status={args.status}",
          batch: {key: "this.id", by: "userId", first: "args.first"})     # a flat list, grouped by userId
}

type Order {
  id: ID!
  total: Int!
  status: OrderStatus!
  buyer: User @ref(key: "this.userId")                                    # userId need not be in the schema
  payment: Payment
    @rest(upstream: "payments", path: "/payments?orderId={keys}", batch: {key: "this.id", by: "orderId"})
}

interface Payment @discriminator(property: "kind") { id: ID!  amount: Int! }
type CardPayment implements Payment @json(name: "card") { id: ID!  amount: Int!  last4: String! }
enum OrderStatus { PAID @json(name: "paid")  SHIPPED @json(name: "shipped") }

input PlaceOrder { sku: String! quantity: Int = 1 }

type Mutation {
  placeOrder(input: PlaceOrder!): Order!
    @rest(upstream: "orders", method: POST, path: "/orders", body: "{args.input}",
          error: {message: "error.message", code: "error.code"})
}
"#;

#[test]
fn the_shop_loads() {
    let catalog = catalog(&[SHOP]);
    let Source::Lookup(me) = source(&catalog, "Query", "me") else { panic!("a lookup") };
    assert_eq!(me.endpoint.label.as_ref(), "GET /users?id={keys}");
    let Source::Fetch(orders, Then::Value) = source(&catalog, "User", "orders") else {
        panic!("a fetch")
    };
    assert_eq!(orders.label.as_ref(), "GET /orders?userId={keys}&status={args.status}");
    assert_eq!(orders.upstream.as_ref(), "orders");
    let batch = orders.batch.as_ref().expect("a batch");
    assert_eq!(batch.max, 100);
    assert_eq!(batch.first.as_ref().map(ToString::to_string).as_deref(), Some("first"));
    assert_eq!(orders.this, []);
    assert_eq!(batch.key.as_ref().map(|key| key.path.to_string()).as_deref(), Some("id"));
    let payment = &catalog.abstracts["Payment"];
    assert_eq!(payment.discriminator.to_string(), "kind");
    assert_eq!(payment.members.len(), 1);
    assert_eq!(payment.members[0].0.as_ref(), "card");
}

#[test]
fn an_envelope_needs_no_request_of_its_own() {
    let catalog = catalog(&[
        SHOP,
        r#"
        extend type Query {
          orders(after: ID): OrderConnection!
            @rest(upstream: "orders", path: "/orders?starting_after={args.after}")
        }
        type OrderConnection { edges: [OrderEdge!]! @json(name: "data")  pageInfo: PageInfo! @json(name: ".") }
        type OrderEdge { node: Order! @json(name: ".")  cursor: ID! @json(name: "id") }
        type PageInfo { hasNextPage: Boolean! @json(name: "has_more")  endCursor: ID @json(name: "data[-1].id") }
        "#,
    ]);
    let path = |object, field| match source(&catalog, object, field) {
        Source::Property(path) => path.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(path("OrderConnection", "pageInfo"), ".");
    assert_eq!(path("OrderEdge", "node"), ".");
    assert_eq!(path("PageInfo", "endCursor"), "data[-1].id");
}

#[test]
fn a_write_may_be_read_back_and_stubs_become_entities() {
    let catalog = catalog(&[
        SHOP,
        r#"
        extend type Order @rest(upstream: "orders", path: "/orders/{key}") { note: String }
        extend type Mutation {
          note(id: ID!, note: String): Order
            @rest(upstream: "orders", method: PUT, path: "/orders/{args.id}", body: "{args}")
            @ref(key: "args.id")
        }
        extend type Query {
          recent: [Order]! @rest(upstream: "orders", path: "/recent") @ref(key: "answer[*].id")
        }
        "#,
    ]);
    for (object, field) in [("Mutation", "note"), ("Query", "recent")] {
        let found = source(&catalog, object, field);
        assert!(matches!(found, Source::Fetch(_, Then::Lookup(_))), "{found:?}");
    }
}
