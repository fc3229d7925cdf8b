//! What an upstream answers. Both sides ask here: the gateway with as many keys as it likes, the
//! oracle with one.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use crate::damage;
use crate::random::Random;
use crate::tree::{NULL, Tree, list, number, object, raw, string};
use crate::world::{Broken, Fault, World};

/// A request to an upstream.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) body: Option<&'a [u8]>,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Came { status: u16, body: Vec<u8> },
    Broken(Broken),
}

/// What one side's writes have changed, and what it has asked.
#[derive(Default)]
pub(crate) struct State {
    visits: HashMap<String, usize>,
    notes: HashMap<String, Tree>,
    pub(crate) calls: Vec<Call>,
}

/// A call, as the upstream's log has it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: &'static str,
    /// Everything the request says but its keys.
    pub(crate) rest: String,
    pub(crate) keys: Vec<String>,
    /// Whether it takes many keys.
    pub(crate) batch: bool,
    /// Whether it changes nothing.
    pub(crate) reads: bool,
    /// Method, target and body.
    pub(crate) line: String,
}

/// A request, taken apart.
struct Request<'a> {
    method: &'a str,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Value,
}

impl Request<'_> {
    fn parse(asked: Asked<'_>) -> Request<'_> {
        let url = Url::parse(&format!("http://upstream{}", asked.target)).expect("a target");
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let path = url.path_segments().into_iter().flatten().map(decode).collect();
        let query = url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
        let body = asked.body.map(|body| serde_json::from_slice(body).expect("a JSON body"));
        let mut body: Value = body.unwrap_or_default();
        // The order of members means nothing.
        body.sort_all_objects();
        Request { method: asked.method, path, query, body }
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The keys of a parameter, and everything else.
    fn split(&self, name: &str, joined: bool) -> (Vec<String>, String) {
        let mut keys = Vec::new();
        let mut rest = String::new();
        for (known, value) in &self.query {
            if known == name {
                let parts = value.split(|char| joined && char == ',');
                keys.extend(parts.map(str::to_owned));
            } else {
                rest += &format!("{known}={value};");
            }
        }
        (keys, rest)
    }

    /// The same for a body.
    fn split_body(&self, name: &str) -> (Vec<String>, String) {
        let mut rest = self.body.clone();
        let keys = rest.as_object_mut().and_then(|body| body.shift_remove(name));
        let text = |key: &Value| match key {
            Value::String(key) => key.clone(),
            key => key.to_string(),
        };
        let keys = keys.as_ref().and_then(Value::as_array).expect("a list of keys");
        (keys.iter().map(text).collect(), rest.to_string())
    }
}

/// What an endpoint says: the status and the value.
type Said = (u16, Tree);

/// What was asked of which endpoint, and its answer if nothing is wrong.
struct Served {
    endpoint: &'static str,
    rest: String,
    keys: Vec<String>,
    batch: bool,
    said: Said,
}

impl World {
    /// Answers a request.
    pub(crate) fn answer(&self, state: &mut State, asked: Asked<'_>) -> Answer {
        let request = Request::parse(asked);
        let Served { endpoint, rest, keys, batch, said: (status, tree) } =
            self.serve(state, &request);
        let mut salt = format!("{endpoint} {rest}");
        if !batch {
            salt += &keys.join(" ");
        }
        state.calls.push(Call {
            endpoint,
            rest,
            keys,
            batch,
            reads: matches!(
                (asked.method, endpoint),
                ("GET", _) | ("POST", "settings" | "products" | "search")
            ),
            line: format!(
                "{} {} {}",
                asked.method,
                asked.target,
                String::from_utf8_lossy(asked.body.unwrap_or_default()),
            ),
        });
        let fault = self.faults.iter().find(|(of, _)| *of == endpoint).map(|(_, fault)| fault);
        let fault = fault.filter(|_| Random::of(self.seed, &salt).below(4) > 0);
        let body = |tree: &Tree| match status {
            204 => Vec::new(),
            _ => tree.bytes(self.style),
        };
        match fault {
            Some(Fault::Status(status, body)) => {
                Answer::Came { status: *status, body: body.clone() }
            }
            Some(Fault::Broken(broken)) => Answer::Broken(*broken),
            Some(Fault::Damage(way)) => {
                Answer::Came { status, body: damage::damaged(&tree, self.style, *way) }
            }
            Some(Fault::Other(tree)) => Answer::Came { status, body: body(tree) },
            Some(Fault::Reports(report)) => {
                let Tree::Object(members) = report else { return Answer::Broken(Broken::Reset) };
                let mut tree = tree;
                if let Tree::Object(known) = &mut tree {
                    known.extend(members.iter().cloned());
                }
                Answer::Came { status, body: body(&tree) }
            }
            None => Answer::Came { status, body: body(&tree) },
        }
    }

    fn serve(&self, state: &mut State, request: &Request<'_>) -> Served {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match (request.method, path.as_slice()) {
            ("GET", ["users"]) => {
                let (keys, rest) = request.split("id", false);
                let visits = |row: &Tree| {
                    let count = row.get("id").and_then(Tree::key);
                    count.and_then(|id| state.visits.get(&*id)).copied().unwrap_or_default()
                };
                let rows = self.rows(&self.users, "id", &keys, &rest, |row| {
                    row.clone().with("visits", number(visits(row))).with("via", string(&rest))
                });
                batch("users", keys, rest, list(rows))
            }
            ("GET", ["people"]) => {
                let rest = request.split("", false).1;
                let rows = self.some(&self.users, request.query("n"), &rest);
                let rows = rows.map(|row| row.clone().with("via", string(&rest)));
                single(
                    "people",
                    rest.clone(),
                    "",
                    (200, object([("data", object([("items", list(rows))]))])),
                )
            }
            ("GET", ["labels"]) => self.labels(request),
            ("POST", ["settings"]) => self.settings(request),
            ("GET", ["avatar", id, size]) => self.avatar(id, size, request),
            ("GET", ["bio", id]) => single("bio", String::new(), id, self.bio(id)),
            ("GET", ["spouse"]) => {
                let of = request.query("of").unwrap_or_default();
                let said = match find(&self.users, "id", of) {
                    Some(row) => {
                        (200, object([("spouseId", row.get("bossId").cloned().unwrap_or(NULL))]))
                    }
                    None => (404, object([])),
                };
                single("spouse", String::new(), of, said)
            }
            ("PUT", ["touch", id]) => {
                *state.visits.entry((*id).to_owned()).or_default() += 1;
                let status = if find(&self.users, "id", id).is_some() { 204 } else { 404 };
                single("touch", String::new(), id, (status, object([])))
            }
            (_, ["orders" | "order" | "recent", ..]) => self.serve_orders(state, request, &path),
            _ => self.serve_shop(request, &path),
        }
    }

    fn serve_orders(&self, state: &mut State, request: &Request<'_>, path: &[&str]) -> Served {
        match (request.method, path) {
            ("GET", ["orders"]) => {
                let (keys, rest) = request.split("userId", false);
                let status = request.query("status");
                let rows = self.rows(&self.orders, "userId", &keys, &rest, |row| {
                    row.clone().with("via", string(&rest))
                });
                let wanted = |row: &Tree| {
                    status.is_none_or(|status| {
                        row.get("status").and_then(Tree::key).is_some_and(|it| it == status)
                    })
                };
                batch("orders", keys, rest, list(rows.into_iter().filter(wanted)))
            }
            ("GET", ["order", id]) => {
                let said = match find(&self.orders, "id", id) {
                    Some(row) => match state.notes.get(*id) {
                        Some(note) => (200, row.clone().with("note", note.clone())),
                        None => (200, row.clone()),
                    },
                    None => (404, object([("error", object([("message", string("no order"))]))])),
                };
                single("order", String::new(), id, said)
            }
            ("PATCH", ["order", id]) => {
                let note = request.body.get("note").map_or_else(|| string("absent"), tree);
                state.notes.insert((*id).to_owned(), note.clone());
                let said = match find(&self.orders, "id", id) {
                    Some(row) => {
                        (200, row.clone().with("note", note).with("echo", tree(&request.body)))
                    }
                    None => (404, object([])),
                };
                single("place", String::new(), id, said)
            }
            ("POST", ["orders"]) => {
                let of = request.body.get("userId").map_or(NULL, tree);
                let row = self.orders.iter().find(|row| row.get("items").is_some()).cloned();
                let row = row.unwrap_or_else(|| object([]));
                let row = row.with("userId", of).with("echo", tree(&request.body));
                single("place", request.body.to_string(), "", (201, row))
            }
            ("GET", ["recent"]) => {
                let rest = request.split("", false).1;
                let stub = |row: &Tree| match row {
                    Tree::Object(_) => object([("id", row.get("id").cloned().unwrap_or(NULL))]),
                    odd => odd.clone(),
                };
                let rows = list(self.some(&self.orders, request.query("n"), &rest).map(stub));
                single("recent", rest, "", (200, rows))
            }
            (method, path) => panic!("no upstream serves {method} {path:?}"),
        }
    }

    fn serve_shop(&self, request: &Request<'_>, path: &[&str]) -> Served {
        match (request.method, path) {
            ("POST", ["products"]) => {
                let (keys, rest) = request.split_body("ids");
                let rows = self.rows(&self.products, "id", &keys, &rest, Tree::clone);
                batch(
                    "products",
                    keys,
                    rest,
                    object([("products", keyed(&rows, "id", |row| row.clone()))]),
                )
            }
            ("GET", ["things"]) => {
                let (keys, rest) = request.split("id", true);
                let all: Vec<Tree> = self.products.iter().chain(&self.shelves).cloned().collect();
                let rows = self.rows(&all, "id", &keys, &rest, Tree::clone);
                batch("things", keys, rest, list(rows))
            }
            ("POST", ["search"]) => {
                let rest = request.body.to_string();
                let limit = request.body.get("limit").map(Value::to_string);
                let of = |rows, name| {
                    let found = self.some(rows, limit.as_deref(), &rest);
                    found.map(move |row: &Tree| {
                        row.clone().with("type", object([("name", string(name))]))
                    })
                };
                let sign = object([
                    ("name", string(&rest)),
                    ("big", raw("true")),
                    ("type", object([("name", string("Sign"))])),
                ]);
                let mut hits: Vec<Tree> = of(&self.users, "user")
                    .chain(of(&self.orders, "order"))
                    .chain(of(&self.products, "prod"))
                    .chain([sign])
                    .collect();
                Random::of(self.seed, &rest).shuffle(&mut hits);
                single("search", rest, "", (200, object([("hits", list(hits))])))
            }
            ("GET", ["status"]) => single("status", String::new(), "", (200, self.status.clone())),
            ("DELETE", ["status"]) => single("place", String::new(), "", (200, object([]))),
            ("GET", ["payments"]) => {
                let (keys, rest) = request.split("orderId", false);
                let rows = self.rows(&self.payments, "orderId", &keys, &rest, Tree::clone);
                batch("payments", keys, rest, object([("data", list(rows))]))
            }
            ("GET", ["payment", id]) => {
                let said = match find(&self.payments, "id", id) {
                    Some(row) => (200, row.clone()),
                    None => (404, object([("error", object([("text", string("no payment"))]))])),
                };
                single("payment", String::new(), id, said)
            }
            ("GET", ["note"]) => {
                let rest = request.split("", false).1;
                single("note", rest.clone(), "", (200, object([("text", string(&rest))])))
            }
            (method, path) => panic!("no upstream serves {method} {path:?}"),
        }
    }

    fn labels(&self, request: &Request<'_>) -> Served {
        let (keys, rest) = request.split("user", true);
        let wanted = request.query("in");
        let row = |row: &Tree| match (row.get("labels"), wanted) {
            (Some(Tree::List(labels)), Some(wanted)) => {
                let labels = labels.iter().cloned().chain([string(wanted)]);
                row.clone().with("labels", list(labels))
            }
            _ => row.clone(),
        };
        let rows = self.rows(&self.labels, "users", &keys, &rest, row);
        batch("labels", keys, rest, object([("rows", list(rows))]))
    }

    fn settings(&self, request: &Request<'_>) -> Served {
        let (keys, rest) = request.split_body("who");
        let theme = request.body.get("flag").map(|flag| string(&flag.to_string()));
        let rows = self.rows(&self.settings, "owner", &keys, &rest, |row| match &theme {
            Some(theme) => row.clone().with("theme", theme.clone()),
            None => row.clone(),
        });
        let hints = keyed(&rows, "owner", |row| row.get("hints").cloned().unwrap_or(NULL));
        let by_user = keyed(&rows, "owner", Tree::clone);
        batch("settings", keys, rest, object([("byUser", by_user), ("hints", hints)]))
    }

    fn avatar(&self, id: &str, size: &str, request: &Request<'_>) -> Served {
        let rest = format!("{size};{}", request.split("", false).1);
        let mut random = Random::of(self.seed, &format!("avatar {id} {size}"));
        let width = size.trim_end_matches(".png").to_owned();
        let said = match random.below(8) {
            0 => (404, object([])),
            1 => (410, object([])),
            2 => (200, NULL),
            3 => (200, list([])),
            _ => (
                200,
                object([("url", string(&rest)), ("width", number(width)), ("userId", string(id))]),
            ),
        };
        single("avatar", rest, id, said)
    }

    fn bio(&self, id: &str) -> Said {
        let error = object([("message", string("no\nbio")), ("code", string("NO_BIO"))]);
        match Random::of(self.seed, &format!("bio {id}")).below(8) {
            0 => (404, object([("error", error)])),
            1 => (409, object([("error", error)])),
            2 => (200, object([("error", error)])),
            3 => (200, object([("error", NULL), ("text", NULL)])),
            4 => (200, object([])),
            5 => (200, object([("error", raw("false")), ("text", list([]))])),
            _ => (200, object([("text", string(id))])),
        }
    }

    /// The rows of some keys, and now and then some that nobody asked for. Rows of one key keep
    /// their order, for it has a meaning; else they come in any order.
    fn rows(
        &self,
        rows: &[Tree],
        by: &str,
        keys: &[String],
        rest: &str,
        give: impl Fn(&Tree) -> Tree,
    ) -> Vec<Tree> {
        let mut random = Random::of(self.seed, &format!("{by} {rest} {}", keys.join("&")));
        let unasked = random.below(3) * 20;
        let mut found: Vec<(Cow<'_, str>, &Tree)> = Vec::new();
        let mut ordered = true;
        for row in rows {
            let of = row.keys(by);
            let asked = of.iter().any(|key| keys.iter().any(|asked| asked == key));
            if asked || random.percent(unasked) {
                ordered &= of.len() < 2;
                found.push((of.into_iter().next().unwrap_or_default(), row));
            }
        }
        // A row of several keys keeps its place among the rows of each of them.
        if !ordered {
            return found.into_iter().map(|(_, row)| give(row)).collect();
        }
        let mut turns: Vec<Cow<'_, str>> = found.iter().map(|(key, _)| key.clone()).collect();
        random.shuffle(&mut turns);
        let mut out = Vec::with_capacity(found.len());
        for turn in turns {
            if let Some(at) = found.iter().position(|(key, _)| *key == turn) {
                out.push(give(found.remove(at).1));
            }
        }
        out
    }

    /// A few rows, always the same for the same request.
    fn some<'r>(
        &self,
        rows: &'r [Tree],
        count: Option<&str>,
        rest: &str,
    ) -> impl Iterator<Item = &'r Tree> + use<'r> {
        let count = count.and_then(|count| count.parse().ok()).unwrap_or(2_i64).clamp(0, 3);
        let from = Random::of(self.seed, rest).below(rows.len());
        rows.iter().cycle().skip(from).take(rows.len().min(count as usize))
    }
}

fn find<'r>(rows: &'r [Tree], by: &str, key: &str) -> Option<&'r Tree> {
    rows.iter().find(|row| row.get(by).and_then(Tree::key).is_some_and(|known| known == key))
}

/// An object of rows by key.
fn keyed(rows: &[Tree], by: &str, give: impl Fn(&Tree) -> Tree) -> Tree {
    let key = |row: &Tree| row.get(by).and_then(Tree::key).map(Cow::into_owned);
    Tree::Object(rows.iter().filter_map(|row| Some((key(row)?.into(), give(row)))).collect())
}

/// A parsed value as text again.
fn tree(value: &Value) -> Tree {
    Tree::Raw(value.to_string().into())
}

fn batch(endpoint: &'static str, keys: Vec<String>, rest: String, answer: Tree) -> Served {
    Served { endpoint, rest, keys, batch: true, said: (200, answer) }
}

fn single(endpoint: &'static str, rest: String, key: &str, said: Said) -> Served {
    Served { endpoint, rest, keys: vec![key.to_owned()], batch: false, said }
}
