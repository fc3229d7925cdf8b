//! What the upstreams know: users, orders, products and payments, of which some are not what they
//! should be; and which endpoints have broken down.
//!
//! What is wrong is wrong with the data, so that it is the same however many keys a request asks
//! for; a broken answer is broken for all keys.

use crate::random::Random;
use crate::tree::{Dirt, NULL, Style, Tree, list, number, object, raw, string};

/// Ids of users; the last is hard to write into a URL.
pub(crate) const USERS: [&str; 6] = ["1", "2", "3", "4", "55", "é/6&=?%"];
pub(crate) const ORDERS: [&str; 7] = ["11", "12", "13", "14", "15", "16", "a b/c"];
pub(crate) const PRODUCTS: [&str; 4] = ["p1", "p2", "p3", "p\"4"];
pub(crate) const SHELVES: [&str; 3] = ["s1", "s2", "s3"];

/// Every endpoint, by the name that logs use.
pub(crate) const ENDPOINTS: [&str; 17] = [
    "users", "people", "labels", "settings", "avatar", "bio", "spouse", "touch", "orders", "order",
    "recent", "place", "products", "things", "search", "status", "payments",
];

/// One state of all upstreams.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) style: Style,
    pub(crate) users: Vec<Tree>,
    pub(crate) orders: Vec<Tree>,
    pub(crate) products: Vec<Tree>,
    pub(crate) shelves: Vec<Tree>,
    pub(crate) payments: Vec<Tree>,
    pub(crate) labels: Vec<Tree>,
    pub(crate) settings: Vec<Tree>,
    pub(crate) status: Tree,
    pub(crate) faults: Vec<(&'static str, Fault)>,
}

/// How an endpoint has broken down.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It answers with this status and body.
    Status(u16, Vec<u8>),
    /// No answer comes.
    Broken(Broken),
    /// What it writes is damaged, in this way.
    Damage(usize),
    /// It answers something else.
    Other(Tree),
    /// It answers 200 and says that it failed.
    Reports(Tree),
}

/// Why no answer comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Broken {
    Unreachable,
    Reset,
    Timeout,
    TooLarge,
}

impl World {
    /// The world of a seed.
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let chance = match random.below(10) {
            0..=2 => 0,
            3..=6 => 150,
            7..=8 => 500,
            _ => 1500,
        };
        let faulty = *random.pick(&[0, 0, 300, 300, 1500]);
        let style = Style { spaced: random.percent(20), escaped: random.percent(10) };
        let mut dirt = Dirt { random: &mut random, chance };
        let mut rows = |ids: &[&'static str], make: fn(&mut Dirt<'_>, &str) -> Tree| {
            let made: Vec<Tree> = ids.iter().map(|id| make(&mut dirt, id)).collect();
            let mut rows = dirt.rows(made, |dirt, index| make(dirt, ids[index]));
            dirt.random.shuffle(&mut rows);
            rows
        };
        let users = rows(&USERS, user);
        let orders = rows(&ORDERS, order);
        let products = rows(&PRODUCTS, product);
        let shelves = rows(&SHELVES, shelf);
        let payments = rows(&["21", "22", "23", "24", "25", "26"], payment);
        let labels = rows(&["l1", "l2", "l3", "l4"], label);
        let settings = rows(&USERS, setting);
        let status = status(&mut dirt);
        let mut world = Self {
            seed,
            style,
            users,
            orders,
            products,
            shelves,
            payments,
            labels,
            settings,
            status,
            faults: Vec::new(),
        };
        for endpoint in ENDPOINTS {
            if random.often(faulty) {
                world.faults.push((endpoint, fault(&mut random)));
            }
        }
        world
    }
}

fn fault(random: &mut Random) -> Fault {
    const STATUSES: [u16; 19] = [
        400, 401, 402, 403, 404, 404, 404, 405, 409, 410, 410, 412, 418, 422, 429, 500, 503, 302,
        304,
    ];
    const BODIES: [&str; 8] = [
        "",
        "no such thing",
        "{}",
        r#"{"message": "m\u00e9", "error": {"message": "told", "code": 7}}"#,
        r#"{"message": 5, "error": {"message": "tell \ud83d\ude00", "code": "GONE"}}"#,
        r#"{"error": {"message": "", "code": ""}, "message": ""}"#,
        r#"{"error": {"message": "cut"}"#,
        r#"{"fault": {"why": "users are ill", "kind": "ILL"}, "error": {"text": "pay ill"}}"#,
    ];
    match random.below(16) {
        0..=5 => Fault::Status(*random.pick(&STATUSES), random.pick(&BODIES).as_bytes().to_vec()),
        6 => Fault::Broken(*random.pick(&[
            Broken::Unreachable,
            Broken::Reset,
            Broken::Timeout,
            Broken::TooLarge,
        ])),
        7..=11 => Fault::Damage(random.below(10_000)),
        12 => {
            let (error, fault) = (failure(random), failure(random));
            Fault::Reports(object([("error", error), ("fault", fault)]))
        }
        _ => {
            let mut dirt = Dirt { random, chance: 0 };
            let other = dirt.odd();
            let named = ["data", "rows", "byUser", "products", "hits", "hints"];
            Fault::Other(match dirt.random.below(3) {
                0 => other,
                _ => Tree::Object(named.iter().map(|name| ((*name).into(), dirt.odd())).collect()),
            })
        }
    }
}

/// What a row or an answer says of its failure; now and then nothing that counts.
fn failure(random: &mut Random) -> Tree {
    match random.below(8) {
        0 => NULL,
        1 => raw("false"),
        2 => raw("\"\""),
        3 => list([]),
        4 => raw("0"),
        5 => raw("\"gone\""),
        6 => {
            object([("message", string("of the row")), ("code", number(4)), ("why", string("so"))])
        }
        _ => object([
            ("message", raw("\"r\\u00f6w\"")),
            ("code", string("ROW")),
            ("kind", string("K")),
            ("text", string("of the payment")),
        ]),
    }
}

fn maybe_failure(dirt: &mut Dirt<'_>) -> Tree {
    if dirt.chance > 0 && dirt.random.percent(8) { failure(dirt.random) } else { NULL }
}

/// An id as a number or a string, as upstreams please.
fn id(random: &mut Random, id: &str) -> Tree {
    if id.bytes().all(|byte| byte.is_ascii_digit()) && random.percent(50) {
        number(id)
    } else {
        string(id)
    }
}

/// The id of one of these, of nobody, or null.
fn reference(random: &mut Random, of: &[&str]) -> Tree {
    match random.below(16) {
        0 => NULL,
        1 => string("999"),
        _ => {
            let known = *random.pick(of);
            id(random, known)
        }
    }
}

fn references(random: &mut Random, of: &[&str], most: usize) -> Tree {
    let count = random.below(most + 1);
    list((0..count).map(|_| reference(random, of)).collect::<Vec<_>>())
}

fn user(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let name = *dirt.random.pick(&[
        "\"Ada\"",
        "\"B\\u00f6b \\ud83d\\ude00\"",
        "\"C\\\\\\\"\\/\\t\"",
        "\"\"",
    ]);
    let nick = *dirt.random.pick(&["\"ad\"", "null", "\"\u{e9}\""]);
    let role = *dirt.random.pick(&["\"adm\"", "\"st\\/aff\"", "\"GUEST\"", "null"]);
    let score =
        *dirt.random.pick(&["1", "10", "10.5", "-3.25", "1.5e3", "1E-2", "11", "null", "0.1"]);
    let lang = *dirt.random.pick(&["\"en\"", "\"en\"", "\"d&e\"", "null"]);
    let at = dirt.random.below(7);
    let (geo, address, contacts) = (geo(dirt), at, dirt.random.below(3));
    let address = match address {
        0 => NULL,
        _ => {
            let city = *dirt.random.pick(&["\"Oslo\"", "\"Li\u{e8}ge\"", "\"M\\u00fcnchen\""]);
            let lines = dirt.random.below(3);
            let lines = list((0..lines).map(|n| string(&format!("line {n}"))));
            dirt.object([
                ("city", raw(city)),
                ("lines", lines),
                ("zip", number(at * 1000)),
                ("geo", geo),
            ])
        }
    };
    let contacts = (0..contacts).map(|_| contact(dirt)).collect::<Vec<_>>();
    let vault = {
        let owner = reference(dirt.random, &USERS);
        dirt.object([("id", string("v")), ("code", number(7)), ("ownerId", owner)])
    };
    let fault = maybe_failure(dirt);
    let random = &mut *dirt.random;
    let members = [
        ("id", id(random, own)),
        ("name", raw(name)),
        ("nick", raw(nick)),
        ("role", raw(role)),
        ("roles", list([raw(role), raw("\"GUEST\"")].into_iter().filter(|it| *it != NULL))),
        ("age", number(random.below(90))),
        ("score", raw(score)),
        ("active", raw(if at > 2 { "true" } else { "false" })),
        ("meta", meta(random)),
        ("email", string("a@b.example")),
        ("address", address),
        ("contacts", list(contacts)),
        ("grid", list([list([number(1), NULL]), NULL, list([]), list([number(2)])])),
        ("matrix", list([list([number(1), number(2)]), list([number(at)])])),
        ("friendIds", references(random, &USERS, 3)),
        ("bossId", reference(random, &USERS)),
        ("mentorId", reference(random, &USERS)),
        ("thingId", reference(random, &["p1", "p2", "s1", "s2", "p\"4"])),
        ("lang", raw(lang)),
        ("vault", vault),
        ("fault", fault),
    ];
    dirt.object(members)
}

fn meta(random: &mut Random) -> Tree {
    raw(random.text(&[
        "null",
        "{\"a\": [1.50, {\"b\": null}], \"\\u00e9\" : \"\\u0000\"}",
        "[ ]",
        "12345678901234567890.10",
        "\"m\"",
        "false",
    ]))
}

fn geo(dirt: &mut Dirt<'_>) -> Tree {
    let near = reference(dirt.random, &USERS);
    dirt.object([("lat", raw("59.9")), ("lng", raw("1e1")), ("nearId", near)])
}

fn contact(dirt: &mut Dirt<'_>) -> Tree {
    let of = reference(dirt.random, &USERS);
    let words = dirt.random.below(3);
    let words = list((0..words).map(|n| string(&format!("w{n}"))));
    let phone = *dirt.random.pick(&["\"+47 1\"", "null", "\"2\""]);
    dirt.object([("phone", raw(phone)), ("kind", string("home")), ("words", words), ("userId", of)])
}

fn order(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let status = *dirt.random.pick(&[
        "\"open\"",
        "\"paid \\\"up\\\"\"",
        "\"SHIPPED\"",
        "\"\\u00e9gar\u{e9}\"",
    ]);
    let items = dirt.random.below(4);
    let items = (0..items).map(|_| item(dirt)).collect::<Vec<_>>();
    let error = maybe_failure(dirt);
    let random = &mut *dirt.random;
    let members = [
        ("id", id(random, own)),
        ("userId", reference(random, &USERS)),
        ("total", number(random.below(5000))),
        ("status", raw(status)),
        ("note", raw(random.text(&["null", "\"n\\n\"", "\"\""]))),
        ("when", meta(random)),
        ("rate", raw(random.text(&["0.25", "3", "1e-7", "null"]))),
        ("items", list(items)),
        ("relatedIds", references(random, &ORDERS, 2)),
        ("productId", reference(random, &PRODUCTS)),
        ("shop", raw(random.text(&["\"north\"", "\"north\"", "\"s/uth\"", "7", "null"]))),
        ("error", error),
    ];
    dirt.object(members)
}

fn item(dirt: &mut Dirt<'_>) -> Tree {
    let product = reference(dirt.random, &PRODUCTS);
    let qty = dirt.random.below(5);
    dirt.object([
        ("sku", string("sku")),
        ("qty", number(qty)),
        ("price", raw("9.90")),
        ("productId", product),
    ])
}

fn product(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let tags = dirt.random.below(3);
    let tags = list((0..tags).map(|n| string(&format!("t{n}"))));
    let seller = reference(dirt.random, &USERS);
    let error = maybe_failure(dirt);
    dirt.object([
        ("id", string(own)),
        ("kind", string("prod")),
        ("name", string(own)),
        ("tags", tags),
        ("price", raw("12.00")),
        ("sellerId", seller),
        ("error", error),
    ])
}

fn shelf(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let slots = dirt.random.below(3);
    let slots = (0..slots).map(|n| slot(dirt, n)).collect::<Vec<_>>();
    let keeper = if dirt.random.percent(60) { user(dirt, "2") } else { NULL };
    let next = reference(dirt.random, &["p1", "p2", "s1", "s2", "s3"]);
    dirt.object([
        ("id", string(own)),
        ("kind", string("Shelf")),
        ("label", string("shelf")),
        ("keeper", keeper),
        ("slots", list(slots)),
        ("nextId", next),
    ])
}

fn slot(dirt: &mut Dirt<'_>, n: usize) -> Tree {
    match dirt.random.below(4) {
        0 => NULL,
        1 if n == 0 => {
            dirt.object([("kind", string("Sign")), ("name", string("sale")), ("big", raw("true"))])
        }
        _ => {
            let own = *dirt.random.pick(&PRODUCTS);
            product(dirt, own)
        }
    }
}

fn payment(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let kind = *dirt.random.pick(&["card", "bank", "Voucher"]);
    let of = reference(dirt.random, &ORDERS);
    let error = maybe_failure(dirt);
    dirt.object([
        ("id", number(own)),
        ("orderId", of),
        ("kind", string(kind)),
        ("amount", number(100)),
        ("cents", number(10_000)),
        ("last4", string("0042")),
        ("iban", string("NO93")),
        ("memo", string("me\"mo")),
        ("code", raw("12345678901234567890")),
        ("pin", string("0000")),
        ("secret", string("psst")),
        ("error", error),
    ])
}

fn label(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let count = dirt.random.below(4);
    let users = list((0..count).map(|_| reference(dirt.random, &USERS)).collect::<Vec<_>>());
    let users = if dirt.random.percent(20) { reference(dirt.random, &USERS) } else { users };
    let labels = match dirt.random.below(4) {
        0 => NULL,
        1 => string(own),
        2 => list([string(own), NULL, string("b")]),
        _ => list([]),
    };
    dirt.object([("users", users), ("labels", labels)])
}

fn setting(dirt: &mut Dirt<'_>, own: &str) -> Tree {
    let of = id(dirt.random, own);
    let hints = match dirt.random.below(4) {
        0 => NULL,
        1 => string("hint"),
        2 => list([string("a"), string("b")]),
        _ => list([list([string("a")]), NULL]),
    };
    // The server keys rows by `owner`; the rest is what clients see.
    dirt.object([
        ("owner", of.clone()),
        ("theme", string("dark")),
        ("size", number(3)),
        ("userId", of),
        ("hints", hints),
    ])
}

fn status(dirt: &mut Dirt<'_>) -> Tree {
    let load = *dirt.random.pick(&["3", "10.0", "10.5", "99", "null"]);
    let any = meta(dirt.random);
    dirt.object([
        ("version", string("1.2")),
        ("level", string("open")),
        ("any", any),
        ("load", raw(load)),
        ("numbers", list([list([raw("1"), raw("2.50"), NULL, raw("-1E5")]), list([])])),
    ])
}
