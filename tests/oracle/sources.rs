//! Where each field's value comes from, by hand: what the schema's directives say, read by a
//! person, not by the gateway.

use serde_json::{Map, Value, json};

use crate::asking::{Ask, By, Rule, encoded, get, post};
use crate::json;
use crate::naive::{Fail, Got, Naive, Object};

type Args = Map<String, Value>;

/// Why there is no request.
enum Stop {
    Null,
    Fail(Fail),
}

impl From<Fail> for Stop {
    fn from(fail: Fail) -> Self {
        Self::Fail(fail)
    }
}

fn stopped(got: Result<Got, Stop>) -> Result<Got, Fail> {
    match got {
        Ok(got) => Ok(got),
        Err(Stop::Null) => Ok(Got::Null),
        Err(Stop::Fail(fail)) => Err(fail),
    }
}

/// Who is to blame for a key that cannot be sent.
#[derive(Clone, Copy)]
enum Blame {
    Client,
    Upstream,
}

impl Blame {
    fn unsendable(self) -> Fail {
        match self {
            Self::Client => Fail::new("BAD_USER_INPUT"),
            Self::Upstream => Fail::bad(),
        }
    }
}

const ERROR: Rule =
    Rule { when: Some("error"), message: Some("error.message"), code: Some("error.code") };
const FAULT: Rule =
    Rule { when: Some("fault"), message: Some("fault.why"), code: Some("fault.kind") };
const PRODUCT: Rule = Rule { code: None, ..ERROR };
const TOLD: Rule = Rule { when: None, message: Some("message"), code: None };
/// What `upstreams/pay.toml` says for all endpoints of that service.
const PAY: Rule = Rule { when: Some("error"), message: Some("error.text"), code: None };

impl Naive<'_> {
    /// Looks a type up by a key.
    fn lookup(&self, of: &str, key: Option<&Value>, from: Blame) -> Result<Got, Fail> {
        let Some(key) = key.filter(|key| !key.is_null()) else { return Ok(Got::Null) };
        let text = json::text(key).ok_or_else(Fail::bad)?;
        match of {
            "User" => {
                let target = format!("/users?view=full&id={}", encoded(&text));
                let ask = get("users", &target).with(FAULT);
                Ok(self.rows(&ask, ".", By::Path("id"), &text)?.one("."))
            }
            "Order" => {
                if matches!(text.as_str(), "" | "." | "..") {
                    return Err(from.unsendable());
                }
                let target = format!("/order/{}", encoded(&text));
                self.value(&get("orders", &target).with(ERROR), ".")
            }
            "Product" => {
                let ask = post("shop", "/products", &json!({"ids": [key]})).with(PRODUCT);
                Ok(self.rows(&ask, "products", By::Name, &text)?.one("."))
            }
            "Thing" => {
                if text.contains(',') {
                    return Err(from.unsendable());
                }
                let target = format!("/things?id={}", encoded(&text));
                Ok(self.rows(&get("shop", &target), ".", By::Path("id"), &text)?.one("."))
            }
            of => panic!("`{of}` has no lookup"),
        }
    }

    /// One value a key, in order.
    fn lookups(&self, of: &str, keys: &[&Value], from: Blame) -> Result<Got, Fail> {
        Ok(Got::Each(keys.iter().map(|key| self.lookup(of, Some(key), from)).collect()))
    }

    fn listed(&self, of: &str, keys: Option<&Value>, from: Blame) -> Result<Got, Fail> {
        match keys {
            None | Some(Value::Null) => Ok(Got::Null),
            Some(Value::Array(keys)) => self.lookups(of, &keys.iter().collect::<Vec<_>>(), from),
            Some(_) => Err(Fail::bad()),
        }
    }

    fn each(&self, of: &str, value: &Value, keys: &str) -> Result<Got, Fail> {
        match json::each(value, keys) {
            json::Each::Nothing => Ok(Got::Null),
            json::Each::Wrong => Err(Fail::bad()),
            json::Each::Items(keys) => self.lookups(of, &keys, Blame::Upstream),
        }
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.and_then(|claims| claims.get(name))
    }
}

impl Object<'_> {
    /// The value of a field that has a request of its own; `None`: it has none.
    pub(crate) fn fetched(&self, field: &str, args: &Args) -> Option<Result<Got, Fail>> {
        match self.type_name.as_str() {
            "Query" => self.of_query(field, args),
            "Mutation" => Some(stopped(self.of_mutation(field, args))),
            "User" => self.of_user(field, args),
            "Order" => self.of_order(field, args),
            _ => self.of_others(field, args),
        }
    }

    /// The value of a computed field; `None`: it is none.
    pub(crate) fn computed(&self, field: &str, args: &Args) -> Option<Result<Value, Fail>> {
        let this = |path| json::at(&self.value, path);
        let joined =
            |first: Option<&Value>, between: &str, last: Option<&Value>| match (first, last) {
                (Some(Value::String(first)), Some(Value::String(last))) => {
                    Ok(Value::from(format!("{first}{between}{last}")))
                }
                _ => Err(Fail::bad()),
            };
        Some(match (self.type_name.as_str(), field) {
            ("User", "title") => joined(this("name"), " of ", this("address.city")),
            ("User", "greeting") => joined(args.get("hello"), " ", this("name")),
            ("User", "rich") => more_than_ten(this("score")),
            ("Voucher", "note") => joined(args.get("lang"), "/", this("memo")),
            _ => return None,
        })
    }

    fn of_query(&self, field: &str, args: &Args) -> Option<Result<Got, Fail>> {
        let naive = self.naive;
        let arg = |name: &str| args.get(name);
        let status = |at| naive.value(&get("shop", "/status"), at);
        Some(match field {
            "me" | "viewer" | "whoever" => naive.lookup("User", naive.claim("sub"), Blame::Client),
            "user" | "mustUser" => naive.lookup("User", arg("id"), Blame::Client),
            "order" => naive.lookup("Order", arg("id"), Blame::Client),
            "product" => naive.lookup("Product", arg("id"), Blame::Client),
            "thing" => naive.lookup("Thing", arg("id"), Blame::Client),
            "users" | "mustUsers" => naive.listed("User", arg("ids"), Blame::Client),
            "things" => naive.listed("Thing", arg("ids"), Blame::Client),
            "people" => stopped(self.people(args)),
            "peers" => match naive.claims {
                Some(claims) => naive.each("User", claims, "groups[*].id"),
                None => Ok(Got::Null),
            },
            "groups" if naive.claims.is_none() => Err(Fail::new("UNAUTHENTICATED")),
            "groups" => {
                naive.value(&get("users", "/echo?g=1,%C3%A9%2F6%26%3D%3F%25&r=x&r=1"), "text")
            }
            "cities" => naive.value(&get("users", "/people?n=4"), "data.items[*].address.city"),
            "rawOrder" => stopped(id_segment(args).and_then(|id| {
                let target = format!("/order/{id}");
                Ok(naive.value(&get("orders", &target).with(ERROR), ".")?)
            })),
            "sureOrder" => stopped(id_segment(args).and_then(|id| {
                let target = format!("/order/{id}");
                Ok(naive.strict_value(&get("orders", &target).with(TOLD), ".")?)
            })),
            "payment" => stopped(id_segment(args).and_then(|id| {
                let target = format!("/payment/{id}");
                Ok(naive.value(&get("pay", &target).with(PAY), ".")?)
            })),
            "recent" => {
                let n = arg("n").and_then(json::text).unwrap_or_default();
                let got = naive.value(&get("orders", &format!("/recent?n={n}")), ".");
                then(got, |answer| naive.each("Order", answer, "[*].id"))
            }
            "latest" => {
                let got = naive.value(&get("orders", "/recent?n=1"), ".");
                then(got, |answer| {
                    naive.lookup("Order", json::at(answer, "[0].id"), Blame::Upstream)
                })
            }
            "search" => self.search(args),
            "hit" => {
                let body = Value::Object(args.clone());
                naive.value(&post("shop", "/search", &body), "hits[-1]")
            }
            "version" => status("version"),
            "level" => status("level"),
            "numbers" => status("numbers"),
            "anything" => status("any"),
            // An answer that is null, or not there, reads as null, and so does what lies below.
            "busy" => match status(".") {
                Ok(Got::Value(Value::Object(answer))) => {
                    more_than_ten(answer.get("load")).map(Got::Value)
                }
                Ok(Got::Missing) => Ok(Got::Missing),
                Ok(_) => Err(Fail::bad()),
                Err(fail) => Err(fail),
            },
            _ => return None,
        })
    }

    fn search(&self, args: &Args) -> Result<Got, Fail> {
        let mut body = Map::new();
        body.insert("filter".to_owned(), args.get("filter").cloned().unwrap_or_default());
        if let Some(limit) = args.get("limit") {
            let why = json::text(limit).map_or(Value::Null, |it| format!("because {it}").into());
            body.insert("limit".to_owned(), limit.clone());
            body.insert("why".to_owned(), why);
        }
        self.naive.value(&post("shop", "/search", &Value::Object(body)), "hits")
    }

    fn people(&self, args: &Args) -> Result<Got, Stop> {
        let mut params = Vec::new();
        for (name, before, arg) in [
            ("city", "", "city"),
            ("tag", "", "tags"),
            ("role", "r-", "role"),
            ("n", "", "n"),
            ("vip", "", "vip"),
        ] {
            for text in client_texts(args.get(arg))? {
                params.push(format!("{name}={before}{}", encoded(&text)));
            }
        }
        params.push("x=1".to_owned());
        let target = format!("/people?{}", params.join("&"));
        Ok(self.naive.value(&get("users", &target), "data.items")?)
    }

    fn of_mutation(&self, field: &str, args: &Args) -> Result<Got, Stop> {
        let naive = self.naive;
        match field {
            "touch" | "secretly" => {
                let (target, key) = match field {
                    "touch" => (format!("/touch/{}", id_segment(args)?), args.get("id")),
                    _ => ("/touch/2".to_owned(), naive.claim("sub")),
                };
                let ask = Ask { method: "PUT", ..get("users", &target) };
                match naive.value(&ask, ".")? {
                    Got::Missing => Ok(Got::Missing),
                    _ => Ok(naive.lookup("User", key, Blame::Client)?),
                }
            }
            "gone" => {
                let target = format!("/touch/{}", id_segment(args)?);
                match naive.value(&Ask { method: "PUT", ..get("users", &target) }, ".")? {
                    Got::Missing => Ok(Got::Missing),
                    _ => {
                        let id = args.get("id").and_then(json::text).unwrap_or_default();
                        Ok(Got::Value(format!("gone {id}").into()))
                    }
                }
            }
            "place" => {
                let body = args.get("input").cloned().unwrap_or_default();
                Ok(naive.value(&post("orders", "/orders", &body).with(ERROR), ".")?)
            }
            "note" => {
                let target = format!("/order/{}", id_segment(args)?);
                let mut body = Map::new();
                if let Some(note) = args.get("note") {
                    body.insert("note".to_owned(), note.clone());
                }
                let by = naive.claim("sub").ok_or_else(|| Fail::new("UNAUTHENTICATED"))?;
                body.insert("by".to_owned(), by.clone());
                let body = Value::Object(body);
                let ask = Ask { method: "PATCH", ..post("orders", &target, &body) };
                Ok(naive.value(&ask, ".")?)
            }
            "group" => Ok(naive.value(&Ask { method: "DELETE", ..get("shop", "/status") }, ".")?),
            field => panic!("no mutation `{field}`"),
        }
    }

    fn of_user(&self, field: &str, args: &Args) -> Option<Result<Got, Fail>> {
        let naive = self.naive;
        let this = |path| json::at(&self.value, path);
        Some(match field {
            "friends" => naive.listed("User", this("friendIds"), Blame::Upstream),
            "allies" => naive.each("User", &self.value, "contacts[*].userId"),
            "boss" => naive.lookup("User", this("bossId"), Blame::Upstream),
            "mentor" => naive.lookup("User", this("mentorId"), Blame::Upstream),
            "favourite" => naive.lookup("Thing", this("thingId"), Blame::Upstream),
            "spouse" => stopped(self.parameter("of", "id").and_then(|of| {
                let got = naive.value(&get("users", &format!("/spouse?{of}")), ".");
                Ok(then(got, |answer| {
                    naive.lookup("User", json::at(answer, "spouseId"), Blame::Upstream)
                })?)
            })),
            "circle" => stopped(self.parameter("n", "id").and_then(|n| {
                let friends = self.joined("contacts[*].userId", ',')?;
                let target = format!("/echo?{n}&u={}", encoded(&friends));
                Ok(naive.value(&get("users", &target), "text")?)
            })),
            "tagged" => stopped(self.tagged(args)),
            "orders" | "lastOrder" | "anOrder" | "totals" | "bought" | "labels" | "label"
            | "settings" | "needed" | "hints" => stopped(self.batched(field, args)),
            "avatar" => stopped(self.segment("id").and_then(|id| {
                let size = args.get("size").and_then(json::text).unwrap_or_default();
                let lang = self.parameter("lang", "lang")?;
                let target = format!("/avatar/{id}/{size}.png?{lang}");
                Ok(naive.value(&get("users", &target), ".")?)
            })),
            "bio" => stopped(self.segment("id").and_then(|id| {
                Ok(naive.value(&get("users", &format!("/bio/{id}")).with(ERROR), "text")?)
            })),
            "runs" => match naive.value(&get("shop", "/status"), ".") {
                Ok(Got::Missing) => Ok(Got::Missing),
                Ok(Got::Value(answer)) => {
                    let version = json::at(&answer, "version");
                    match (this("name"), args.get("on"), version) {
                        (
                            Some(Value::String(name)),
                            Some(Value::String(on)),
                            Some(Value::String(version)),
                        ) => Ok(Got::Value(format!("{name}{on}{version}").into())),
                        _ => Err(Fail::bad()),
                    }
                }
                Ok(_) => Err(Fail::bad()),
                Err(fail) => Err(fail),
            },
            "strictBio" => stopped(self.segment("id").and_then(|id| {
                Ok(naive.strict_value(&get("users", &format!("/bio/{id}")), "text")?)
            })),
            _ => return None,
        })
    }

    fn tagged(&self, args: &Args) -> Result<Got, Stop> {
        let (_, key) = self.key("id")?;
        let mut headers = vec![("x-lang", header(self.joined("lang", '|')?, Blame::Upstream)?)];
        for tag in client_texts(args.get("tag"))? {
            headers.push(("x-tag", header(format!("t-{tag}"), Blame::Client)?));
        }
        let target = format!("/orders?userId={}&for=tag", encoded(&key));
        let ask = Ask { headers, ..get("orders", &target) };
        let rows = self.naive.rows(&ask, ".", By::Path("userId"), &key)?;
        Ok(Got::Value(rows.many(".", None)))
    }

    fn batched(&self, field: &str, args: &Args) -> Result<Got, Stop> {
        let naive = self.naive;
        let (key, text) = self.key("id")?;
        let rows = |ask: Ask<'_>, at: &str, by: By| naive.rows(&ask, at, by, &text);
        let encoded_key = encoded(&text);
        let of = || format!("/orders?userId={encoded_key}");
        match field {
            "orders" => {
                let mut target = of();
                for status in client_texts(args.get("status"))? {
                    target += &format!("&status={}", encoded(&status));
                }
                let rows = rows(get("orders", &target), ".", By::Path("userId"))?;
                Ok(Got::Value(rows.many(".", args.get("first"))))
            }
            "lastOrder" | "anOrder" => {
                let sort = if field == "anOrder" { "id" } else { "-id" };
                let target = format!("{}&sort={sort}", of());
                Ok(rows(get("orders", &target), ".", By::Path("userId"))?.one("."))
            }
            "totals" => {
                let target = format!("{}&for=totals", of());
                let rows = rows(get("orders", &target), ".", By::Path("userId"))?;
                Ok(Got::Value(rows.many("total", args.get("first"))))
            }
            "bought" => {
                let target = format!("{}&for=goods", of());
                let rows = rows(get("orders", &target), ".", By::Path("userId"))?.many(".", None);
                Ok(naive.each("Product", &rows, "[*].productId")?)
            }
            "labels" | "label" => {
                let lang = self.parameter("lang", "lang")?;
                let mut target = format!("/labels?user={encoded_key}&{lang}");
                if field == "label" {
                    let target = format!("/labels?one=1&user={encoded_key}&{lang}");
                    sendable(&text, ',', Blame::Upstream)?;
                    let rows = rows(get("users", &target), "rows", By::Path("users"))?;
                    return Ok(rows.one("labels[0]"));
                }
                let wanted = client_texts(args.get("in"))?;
                if let Some(split) = wanted.iter().find(|text| text.contains('|')) {
                    sendable(split, '|', Blame::Client)?;
                }
                if !wanted.is_empty() {
                    target += &format!("&in={}", encoded(&wanted.join("|")));
                }
                sendable(&text, ',', Blame::Upstream)?;
                let rows = rows(get("users", &target), "rows", By::Path("users[*]"))?;
                Ok(Got::Value(rows.many("labels", args.get("first"))))
            }
            "settings" | "needed" | "hints" => {
                let mut body = Map::new();
                body.insert("who".to_owned(), json!([key]));
                if let Some(flag) = args.get("flag") {
                    body.insert("flag".to_owned(), flag.clone());
                }
                match field {
                    "needed" => body.insert("needed".to_owned(), true.into()),
                    "hints" => body.insert("hints".to_owned(), json!([])),
                    _ => None,
                };
                let ask = post("users", "/settings", &Value::Object(body));
                if field == "hints" {
                    return Ok(Got::Value(rows(ask, "hints", By::Name)?.many(".", None)));
                }
                Ok(rows(ask, "byUser", By::Name)?.one("."))
            }
            field => panic!("`{field}` is no batch"),
        }
    }

    fn of_order(&self, field: &str, args: &Args) -> Option<Result<Got, Fail>> {
        let naive = self.naive;
        let this = |path| json::at(&self.value, path);
        Some(match field {
            "buyer" | "owner" => naive.lookup("User", this("userId"), Blame::Upstream),
            "goods" => naive.each("Product", &self.value, "items[*].productId"),
            "related" | "kin" => naive.listed("Order", this("relatedIds"), Blame::Upstream),
            "payment" => stopped(self.key("id").and_then(|(_, key)| {
                let shop = self.parameter("shop", "shop")?;
                let target = format!("/payments?orderId={}&{shop}", encoded(&key));
                let ask = get("pay", &target).with(PAY);
                Ok(naive.rows(&ask, "data", By::Path("orderId"), &key)?.one("."))
            })),
            "mustPay" | "payments" => stopped(self.key("id").and_then(|(_, key)| {
                let (at, all) =
                    if field == "payments" { ("data[*]", "&all=yes") } else { ("data", "") };
                let target = format!("/payments?orderId={}{all}", encoded(&key));
                let ask = get("pay", &target).with(PAY);
                let rows = naive.rows(&ask, at, By::Path("orderId"), &key)?;
                Ok(match field {
                    "payments" => Got::Value(rows.many(".", args.get("first"))),
                    _ => rows.one("."),
                })
            })),
            _ => return None,
        })
    }

    fn of_others(&self, field: &str, args: &Args) -> Option<Result<Got, Fail>> {
        let naive = self.naive;
        let this = |path| json::at(&self.value, path);
        let user = |path| naive.lookup("User", this(path), Blame::Upstream);
        Some(match (self.type_name.as_str(), field) {
            ("Shop", "owner") => naive.lookup("User", args.get("id"), Blame::Client),
            ("Shop", "newest") => naive.value(&get("orders", "/recent?n=2"), "."),
            ("Shop", "level") => naive.value(&get("shop", "/status"), "level"),
            ("UserCard", "boss") => user("bossId"),
            ("Vault", "owner") => user("ownerId"),
            ("Geo", "near") => user("nearId"),
            ("Contact" | "Avatar", "user") | ("Settings", "owner") => user("userId"),
            ("Product", "owner" | "seller") => user("sellerId"),
            ("Item", "product" | "good") => {
                naive.lookup("Product", this("productId"), Blame::Upstream)
            }
            ("Shelf", "next") => naive.lookup("Thing", this("nextId"), Blame::Upstream),
            ("Card" | "Bank" | "Voucher", "order") => {
                naive.lookup("Order", this("orderId"), Blame::Upstream)
            }
            ("Card", "note") => stopped(self.parameter("p", "id").and_then(|p| {
                let mut target = format!("/note?{p}");
                for lang in client_texts(args.get("lang"))? {
                    target += &format!("&lang={}", encoded(&lang));
                }
                Ok(naive.value(&get("pay", &target).with(PAY), "text")?)
            })),
            _ => return None,
        })
    }

    /// The key of a batch.
    fn key(&self, path: &str) -> Result<(Value, String), Stop> {
        let key = json::at(&self.value, path).filter(|key| !key.is_null()).ok_or(Stop::Null)?;
        let text = json::text(key).ok_or_else(Fail::bad)?;
        Ok((key.clone(), text))
    }

    /// What a template reads of the parent, as texts: of a list each item.
    fn texts(&self, path: &str) -> Result<Vec<String>, Stop> {
        let items = if path.contains("[*]") {
            match json::each(&self.value, path) {
                json::Each::Nothing => return Err(Stop::Null),
                json::Each::Wrong => return Err(Fail::bad().into()),
                json::Each::Items(items) => items,
            }
        } else {
            match json::at(&self.value, path).unwrap_or(&Value::Null) {
                Value::Null => return Err(Stop::Null),
                Value::Array(items) => items.iter().collect(),
                one => vec![one],
            }
        };
        let text = |item: &Value| match item {
            Value::Null => Err(Stop::Null),
            item => json::text(item).ok_or_else(|| Fail::bad().into()),
        };
        let texts: Vec<String> = items.into_iter().map(text).collect::<Result<_, _>>()?;
        if texts.is_empty() { Err(Stop::Null) } else { Ok(texts) }
    }

    /// A list as one text.
    fn joined(&self, path: &str, separator: char) -> Result<String, Stop> {
        let texts = self.texts(path)?;
        for text in &texts {
            sendable(text, separator, Blame::Upstream)?;
        }
        Ok(texts.join(separator.encode_utf8(&mut [0; 4])))
    }

    fn segment(&self, path: &str) -> Result<String, Stop> {
        let is_list = json::at(&self.value, path).is_some_and(Value::is_array);
        match self.texts(path)?.as_slice() {
            [text] if !is_list && !matches!(text.as_str(), "" | "." | "..") => Ok(encoded(text)),
            _ => Err(Fail::bad().into()),
        }
    }

    fn parameter(&self, name: &str, path: &str) -> Result<String, Stop> {
        let texts = self.texts(path)?;
        let params: Vec<_> = texts.iter().map(|text| format!("{name}={}", encoded(text))).collect();
        Ok(params.join("&"))
    }
}

/// Goes on with an answer that is there.
fn then(
    got: Result<Got, Fail>,
    go_on: impl FnOnce(&Value) -> Result<Got, Fail>,
) -> Result<Got, Fail> {
    match got? {
        Got::Value(Value::Null) => Ok(Got::Null),
        Got::Value(answer) => go_on(&answer),
        got => Ok(got),
    }
}

fn more_than_ten(value: Option<&Value>) -> Result<Value, Fail> {
    let number = match value {
        Some(Value::Number(number)) => number.to_string().parse::<f64>().ok(),
        _ => None,
    };
    let number = number.filter(|number| number.is_finite()).ok_or_else(Fail::bad)?;
    Ok((number > 10.0).into())
}

/// `{args.id}` in a path.
fn id_segment(args: &Args) -> Result<String, Stop> {
    let id = args.get("id").and_then(json::text).unwrap_or_default();
    match id.as_str() {
        "" | "." | ".." => Err(Blame::Client.unsendable().into()),
        id => Ok(encoded(id)),
    }
}

/// What a template reads of an argument: nothing of a null, of a list each item.
fn client_texts(value: Option<&Value>) -> Result<Vec<String>, Stop> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let text = |item: &Value| json::text(item).ok_or_else(|| Blame::Client.unsendable());
            Ok(items.iter().map(text).collect::<Result<_, _>>()?)
        }
        Some(one) => Ok(json::text(one).into_iter().collect()),
    }
}

/// A header is one line.
fn header(text: String, from: Blame) -> Result<String, Stop> {
    let broken = text.chars().any(|char| char.is_ascii_control() && char != '\t');
    if broken { Err(from.unsendable().into()) } else { Ok(text) }
}

fn sendable(text: &str, separator: char, from: Blame) -> Result<(), Stop> {
    if text.contains(separator) { Err(from.unsendable().into()) } else { Ok(()) }
}
