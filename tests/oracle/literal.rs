//! Random arguments: literals and variables of every input type, and the variables' values.

use apollo_compiler::ast::Type;
use serde_json::{Value, json};

use crate::random::Random;
use crate::world::{ORDERS, PRODUCTS, SHELVES, USERS};

/// A variable of an operation.
pub(crate) struct Variable {
    pub(crate) name: String,
    ty: String,
    default: Option<String>,
    /// What the request says; `None`: nothing.
    pub(crate) given: Option<Value>,
}

/// What arguments of one operation say.
pub(crate) struct Literals {
    pub(crate) variables: Vec<Variable>,
    /// Whether there are variables at all.
    varied: bool,
}

impl Variable {
    pub(crate) fn declared(&self) -> String {
        match &self.default {
            Some(default) => format!("${}: {} = {default}", self.name, self.ty),
            None => format!("${}: {}", self.name, self.ty),
        }
    }
}

/// A value, as a literal and as JSON.
struct Both {
    literal: String,
    json: Value,
}

impl Literals {
    pub(crate) fn new(varied: bool) -> Self {
        Self { variables: Vec::new(), varied }
    }

    /// A value for a position of this type, or a variable.
    pub(crate) fn value(&mut self, random: &mut Random, ty: &Type, has_default: bool) -> String {
        if self.varied && random.percent(40) {
            return self.variable(random, ty, has_default);
        }
        self.literal(random, ty, 0)
    }

    /// What decides a `@skip` or `@include`.
    pub(crate) fn condition(&mut self, random: &mut Random, include: bool) -> String {
        if !self.varied || random.percent(30) {
            return (random.percent(70) == include).to_string();
        }
        let known: Vec<&Variable> =
            self.variables.iter().filter(|it| it.ty.starts_with("Boolean")).collect();
        let decides = |it: &&&Variable| !matches!(it.given, Some(Value::Null));
        let known: Vec<_> = known.iter().filter(decides).filter(|it| it.ty == "Boolean!").collect();
        if !known.is_empty() && random.percent(60) {
            return format!("${}", random.pick(&known).name);
        }
        let value = random.percent(60);
        let default = random.percent(40).then(|| (!value).to_string());
        let given = (default.is_none() || random.percent(50)).then_some(Value::Bool(value));
        self.declare("Boolean!".to_owned(), default, given)
    }

    fn declare(&mut self, ty: String, default: Option<String>, given: Option<Value>) -> String {
        let name = format!("v{}", self.variables.len());
        self.variables.push(Variable { name: name.clone(), ty, default, given });
        format!("${name}")
    }

    /// A variable that may stand at a position of this type.
    fn variable(&mut self, random: &mut Random, ty: &Type, has_default: bool) -> String {
        let wanted = ty.to_string();
        let fitting = |it: &&Variable| it.ty == wanted || it.ty == format!("{wanted}!");
        let known: Vec<&Variable> = self.variables.iter().filter(fitting).collect();
        if !known.is_empty() && random.percent(50) {
            return format!("${}", random.pick(&known).name);
        }
        let nullable = wanted.trim_end_matches('!').to_owned();
        let strict = format!("{nullable}!");
        let present = Type::parse(strict.as_str(), "type.graphql").expect("a type");
        let value = both(random, &present, 0, false);
        let other = both(random, &present, 0, false);
        if ty.is_non_null() {
            return match random.below(6) {
                // A default that is not null lets a nullable variable stand where null may not;
                // then a null that is sent is the field's failure.
                0 => {
                    let given = match random.below(3) {
                        0 => None,
                        1 => Some(Value::Null),
                        _ => Some(value.json),
                    };
                    self.declare(nullable, Some(other.literal), given)
                }
                1 if has_default => {
                    let given = if random.percent(50) { None } else { Some(value.json) };
                    self.declare(nullable, None, given)
                }
                2 => {
                    let given = if random.percent(50) { None } else { Some(value.json) };
                    self.declare(strict, Some(other.literal), given)
                }
                _ => self.declare(strict, None, Some(value.json)),
            };
        }
        match random.below(6) {
            0 => self.declare(nullable, None, None),
            1 => self.declare(nullable, None, Some(Value::Null)),
            2 => self.declare(nullable, Some(other.literal), None),
            3 => self.declare(nullable, Some("null".to_owned()), None),
            4 => self.declare(strict, None, Some(value.json)),
            _ => self.declare(nullable, None, Some(value.json)),
        }
    }

    /// A literal, perhaps with variables in it.
    fn literal(&mut self, random: &mut Random, ty: &Type, depth: usize) -> String {
        if !self.varied || depth > 2 {
            return both(random, ty, depth, true).literal;
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) if random.percent(30) => {
                let count = random.below(3);
                let items = (0..count).map(|_| match random.percent(50) {
                    true => self.variable(random, item, false),
                    false => self.literal(random, item, depth + 1),
                });
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
            Type::Named(name) | Type::NonNullNamed(name) if random.percent(60) => {
                let Some(fields) = input_fields(name) else {
                    return both(random, ty, depth, true).literal;
                };
                let mut members = Vec::new();
                for (name, ty, required) in fields {
                    if !required && random.percent(50) {
                        continue;
                    }
                    let ty = Type::parse(*ty, "type.graphql").expect("a type");
                    let value = match random.percent(40) {
                        true => self.variable(random, &ty, !required && ty.is_non_null()),
                        false => self.literal(random, &ty, depth + 1),
                    };
                    members.push(format!("{name}: {value}"));
                }
                random.shuffle(&mut members);
                format!("{{{}}}", members.join(", "))
            }
            _ => both(random, ty, depth, true).literal,
        }
    }
}

/// The fields of an input object: name, type, and whether one must be given.
fn input_fields(of: &str) -> Option<&'static [(&'static str, &'static str, bool)]> {
    Some(match of {
        "Filter" => &[
            ("text", "String", false),
            ("ids", "[ID!]", false),
            ("status", "Status", false),
            ("roles", "[Role!]", false),
            ("range", "Range", false),
            ("extra", "Json", false),
            ("strict", "Boolean!", false),
        ],
        "Range" => &[
            ("from", "Int!", false),
            ("to", "Int", false),
            ("step", "Float", false),
            ("inner", "[Range!]", false),
        ],
        "OrderInput" => &[
            ("user", "ID!", true),
            ("status", "Status!", false),
            ("total", "Int", false),
            ("note", "String", false),
            ("lines", "[LineInput!]!", false),
            ("meta", "Json", false),
        ],
        "LineInput" => {
            &[("sku", "String!", true), ("qty", "Int!", false), ("price", "Float", false)]
        }
        _ => return None,
    })
}

/// A value of a type. A literal list may be one item; of objects both have the same fields.
fn both(random: &mut Random, ty: &Type, depth: usize, literal: bool) -> Both {
    if !ty.is_non_null() && random.percent(8) {
        return Both { literal: "null".to_owned(), json: Value::Null };
    }
    match ty {
        Type::List(item) | Type::NonNullList(item) => {
            let count = random.below(4);
            let items: Vec<Both> =
                (0..count).map(|_| both(random, item, depth + 1, literal)).collect();
            if let [one] = items.as_slice()
                && random.percent(40)
                && one.json != Value::Null
            {
                return Both { literal: one.literal.clone(), json: one.json.clone() };
            }
            let literals: Vec<&str> = items.iter().map(|it| it.literal.as_str()).collect();
            Both {
                literal: format!("[{}]", literals.join(" ")),
                json: items.iter().map(|it| it.json.clone()).collect(),
            }
        }
        Type::Named(name) | Type::NonNullNamed(name) => named(random, name, depth, literal),
    }
}

fn named(random: &mut Random, name: &str, depth: usize, literal: bool) -> Both {
    let same = |literal: &str| Both {
        literal: literal.to_owned(),
        json: serde_json::from_str(literal).expect("JSON"),
    };
    let one_of = |random: &mut Random, names: &[&str]| {
        let name = *random.pick(names);
        Both { literal: name.to_owned(), json: name.into() }
    };
    match name {
        "ID" => id(random, literal),
        "Int" => same(random.text(&["0", "1", "2", "3", "-1", "2147483647"])),
        "Float" => same(random.text(&["1", "0.5", "-2.25", "1e3", "0"])),
        "Boolean" => same(random.text(&["true", "false"])),
        "String" => {
            let texts = [
                "\"\"",
                "\"Oslo\"",
                "\"a&b=c d+é\"",
                "\"..\"",
                "\"x,y\"",
                "\"p|q\"",
                "\"\\\"q\\\"\\n\\u00e9\"",
            ];
            same(random.text(&texts))
        }
        "Role" => one_of(random, &["ADMIN", "STAFF", "GUEST"]),
        "Status" => one_of(random, &["OPEN", "PAID", "SHIPPED", "LOST"]),
        "Json" => {
            let values = [
                ("{a: [1, {b: null}], c: \"x\"}", json!({"a": [1, {"b": null}], "c": "x"})),
                ("[]", json!([])),
                ("7", json!(7)),
                ("\"ADMIN\"", json!("ADMIN")),
                ("ADMIN", json!("ADMIN")),
                ("true", json!(true)),
            ];
            let (literal, json) = random.pick(&values).clone();
            Both { literal: literal.to_owned(), json }
        }
        name => input_object(random, name, depth, literal),
    }
}

fn input_object(random: &mut Random, name: &str, depth: usize, literal: bool) -> Both {
    let fields = input_fields(name).expect("an input type");
    let (mut literals, mut members) = (Vec::new(), serde_json::Map::new());
    for (name, ty, required) in fields {
        if !required && (random.percent(60) || depth > 3) {
            continue;
        }
        let ty = Type::parse(*ty, "type.graphql").expect("a type");
        let value = both(random, &ty, depth + 1, literal);
        literals.push(format!("{name}: {}", value.literal));
        members.insert((*name).to_owned(), value.json);
    }
    random.shuffle(&mut literals);
    Both { literal: format!("{{{}}}", literals.join(", ")), json: Value::Object(members) }
}

fn id(random: &mut Random, literal: bool) -> Both {
    let pool: &[&str] = match random.below(12) {
        0 => &["", ".", "..", "999", "x,y", "p|q", "a b"],
        1..=5 => &USERS,
        6..=8 => &ORDERS,
        9 => &["21", "22", "23", "24"],
        10 => &PRODUCTS,
        _ => &SHELVES,
    };
    let id = *random.pick(pool);
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && random.percent(40) {
        return Both { literal: id.to_owned(), json: serde_json::from_str(id).expect("a number") };
    }
    let text = serde_json::Value::from(id).to_string();
    debug_assert!(literal || !text.is_empty());
    Both { literal: text, json: id.into() }
}
