//! A schema that has one of everything, and short ways to plan against it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use onedoor::config::Sources;
use onedoor::json::Body;
use onedoor::plan::{Document, Limits, Plan, RequestError, Variables, build};
use onedoor::schema::{self, Catalog, Defaults};

/// The specification's pets, with sources.
pub(crate) const PETS: &str = r#"
type Query {
  dog: Dog @rest(upstream: "pets", path: "/dog")
  cat: Cat @rest(upstream: "pets", path: "/cat")
  pet(named: String): Pet @rest(upstream: "pets", path: "/pet?named={args.named}")
  catOrDog: CatOrDog @rest(upstream: "pets", path: "/catordog")
  dogs(ids: [Int!], where: Where, grid: [[Int]]): [Dog!]!
    @rest(upstream: "pets", path: "/dogs", method: POST, body: "{args}")
  find(by: FindBy!): Dog @rest(upstream: "pets", path: "/find", method: POST, body: "{args}")
  anything(json: JSON, list: [JSON!]): JSON
    @rest(upstream: "pets", path: "/anything", method: POST, body: "{args}")
  arguments(
    int: Int
    float: Float
    bool: Boolean
    string: String
    id: ID
    needed: Int! = 5
    command: Command = SIT
  ): Arguments @rest(upstream: "pets", path: "/arguments", method: POST, body: "{args}")
}

type Mutation { rename(name: String!): Dog @rest(upstream: "pets", path: "/dog", method: PUT, body: "{args}") }

type Arguments { int(int: Int!): Int  bool(bool: Boolean!): Boolean }

interface Being { name: String }

interface Pet implements Being @discriminator(property: "kind") { name: String }

type Dog implements Pet & Being {
  name: String
  nickname: String @json(name: "nick")
  barkVolume: Int
  doesKnowCommand(command: Command!): Boolean
    @rest(upstream: "pets", path: "/dogs/{this.id}/knows/{args.command}")
  isHouseTrained(atOtherHomes: Boolean): Boolean!
  owner: Human @ref(key: "this.ownerId")
  mate: Dog
}

type Cat implements Pet & Being {
  name: String
  nickname: String
  meowVolume: Int!
  owner: Human @ref(key: "this.ownerId")
}

union CatOrDog @discriminator(property: "kind") = Cat | Dog

type Human implements Being @rest(upstream: "people", path: "/people?id={keys}", batch: {by: "id"}) {
  name: String
  pets: [Pet!] @json(name: "animals")
}

enum Command { SIT  DOWN @json(name: "lie-down")  HEEL @json(name: "heel") }

scalar JSON

input Where {
  name: String @json(name: "called")
  age: Int = 3
  commands: [Command!]
  not: Where
  required: Boolean! = false
}

input FindBy @oneOf { id: ID  name: String  where: Where }
"#;

pub(crate) const LIMITS: Limits = Limits { tokens: 5_000, nesting: 40, fields: 2_000 };

pub(crate) fn load(sdl: &str) -> Catalog {
    let mut sources = Sources::default();
    sources.add("schema.graphql", sdl);
    let upstreams = ["pets", "people"]
        .into_iter()
        .map(|name| (name.parse().expect("a service's name"), Defaults::default()));
    let (catalog, problems) = schema::load(sources, &BTreeMap::from_iter(upstreams), &|_| None);
    match catalog {
        Some(catalog) => catalog,
        None => panic!("{}", problems.render(false)),
    }
}

pub(crate) fn pets() -> &'static Catalog {
    static PETS_LOADED: LazyLock<Catalog> = LazyLock::new(|| load(PETS));
    &PETS_LOADED
}

pub(crate) fn parse(catalog: &Catalog, text: &str) -> Result<Document, Vec<RequestError>> {
    Document::parse(catalog, text, &LIMITS, false)
}

/// The errors of a document, as text.
pub(crate) fn errors(catalog: &Catalog, text: &str) -> String {
    match parse(catalog, text) {
        Ok(_) => String::new(),
        Err(errors) => told(&errors),
    }
}

pub(crate) fn told(errors: &[RequestError]) -> String {
    let errors: Vec<_> =
        errors.iter().map(|error| format!("{} {error}", error.failure.code)).collect();
    errors.join("\n")
}

/// The coerced variables of a document's one operation.
pub(crate) fn coerced(
    catalog: &Catalog,
    document: &Document,
    raw: &str,
) -> Result<Variables, String> {
    let operation = document.operation(None).map_err(|error| error.to_string())?;
    let raw = Body::parse(raw.to_owned().into()).map_err(|error| error.to_string())?;
    Variables::coerce(catalog, &operation, Some(raw.root())).map_err(|errors| told(&errors))
}

/// The plan of a document's one operation.
pub(crate) fn planned(
    catalog: &Catalog,
    text: &str,
    raw: &str,
) -> Result<(Plan, Variables), String> {
    let document = parse(catalog, text).map_err(|errors| told(&errors))?;
    let variables = coerced(catalog, &document, raw)?;
    let operation = document.operation(None).map_err(|error| error.to_string())?;
    let plan = build(catalog, &operation, &operation.mask(&variables));
    plan.map(|plan| (plan, variables)).map_err(|error| told(&[error]))
}

/// The arguments of a plan's first fetch.
pub(crate) fn first_args(catalog: &Catalog, text: &str, raw: &str) -> String {
    let (plan, variables) = match planned(catalog, text, raw) {
        Ok(planned) => planned,
        Err(error) => return error,
    };
    let args = &plan.args[plan.fetches[0].args.0 as usize];
    match args.render(&variables) {
        Ok(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
        Err(failure) => format!("{} {}", failure.code, failure.message),
    }
}
