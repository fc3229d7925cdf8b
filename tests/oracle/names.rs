//! Names on both sides, guards and the paths of properties, by hand.

use serde_json::Value;

/// Whether only callers with an identity may ask for a field.
pub(crate) fn is_guarded(of: &str, field: &str) -> bool {
    matches!(
        (of, field),
        ("Query", "me" | "viewer")
            | ("Mutation", "secretly")
            | ("User", "email" | "vault")
            | ("Card" | "Bank" | "Voucher", "secret")
    )
}

/// The path of a field that is a property.
pub(crate) fn property<'n>(of: &str, field: &'n str) -> &'n str {
    match (of, field) {
        ("Query", "shop") | ("Shop", "deep") | ("User", "card") => ".",
        ("User", "city") => "address.city",
        ("User", "odd") => "['odd.na[m]e'].x",
        ("User", "street") => "address.lines[0]",
        ("User", "lastLine") => "address.lines[-1]",
        ("User", "home") => "address",
        ("User", "phones") => "contacts[*].phone",
        ("User", "words") => "contacts[*].words[*]",
        ("User", "tight") => "matrix",
        ("Order", "first") => "items[0]",
        ("Order", "last") => "items[-1]",
        ("Order", "skus") => "items[*].sku",
        ("Order", "total2") => "total",
        ("Shelf", "name") => "label",
        ("Shelf", "owner") => "keeper",
        ("Shelf", "front") => "slots[0]",
        ("Bank", "amount") => "cents",
        ("Bank", "note") => "memo",
        ("Bank", "secret") => "pin",
        _ => field,
    }
}

/// An enum's value of what the wire says.
pub(crate) fn schema_name(of: &str, said: &str) -> Option<&'static str> {
    let names = match of {
        "Role" => &[("ADMIN", "adm"), ("STAFF", "st/aff"), ("GUEST", "GUEST")][..],
        _ => {
            &[("OPEN", "open"), ("PAID", "paid \"up\""), ("SHIPPED", "SHIPPED"), ("LOST", "égaré")]
        }
    };
    names.iter().find(|(_, wire)| *wire == said).map(|(name, _)| *name)
}

/// An argument as upstreams get it.
pub(crate) fn wire(of: &str, value: Value) -> Value {
    let wire_name = |name: &str| match name {
        "ADMIN" => "adm".to_owned(),
        "STAFF" => "st/aff".to_owned(),
        "OPEN" => "open".to_owned(),
        "PAID" => "paid \"up\"".to_owned(),
        "LOST" => "égaré".to_owned(),
        name => name.to_owned(),
    };
    match (of, value) {
        (of, Value::Array(items)) if of != "Json" => {
            items.into_iter().map(|item| wire(of, item)).collect()
        }
        ("ID", Value::Number(id)) => Value::String(id.to_string()),
        ("Role" | "Status", Value::String(name)) => Value::String(wire_name(&name)),
        ("Filter" | "Range" | "OrderInput" | "LineInput", Value::Object(members)) => {
            let member = |(name, value): (String, Value)| {
                let (wire_name, of) = match (of, name.as_str()) {
                    ("Filter", "ids") => ("idList", "ID"),
                    ("Filter", "status") | ("OrderInput", "status") => ("status", "Status"),
                    ("Filter", "roles") => ("roles", "Role"),
                    ("Filter", "range") => ("bounds", "Range"),
                    ("Range", "to") => ("upTo", "Int"),
                    ("Range", "inner") => ("inner", "Range"),
                    ("OrderInput", "user") => ("userId", "ID"),
                    ("OrderInput", "lines") => ("lines", "LineInput"),
                    ("LineInput", "qty") => ("quantity", "Int"),
                    (_, name) => (name, "Json"),
                };
                (wire_name.to_owned(), wire(of, value))
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        (_, value) => value,
    }
}
