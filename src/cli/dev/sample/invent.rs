//! A query out of a schema alone, without knowing the data.
//!
//! Types are read as GraphQL writes them (`[ID!]!`).

use crate::schema::Catalog;

/// How many plain fields of an object are asked for.
const LEAVES: usize = 4;

/// How deep input objects are filled in.
const DEEPEST_INPUT: usize = 4;

/// A query for one field of the root: if possible one that needs no arguments, is open to anyone,
/// and has fields of its own. `None`: no field can be asked for.
pub(super) fn query(catalog: &Catalog) -> Option<String> {
    let root = catalog.public.schema_definition.query.as_ref()?.as_str();
    let mut fields = fields(catalog, root);
    fields.sort_by_key(|field| {
        (field.guarded, !field.required.is_empty(), is_leaf(catalog, &field.ty))
    });
    fields.iter().find_map(|field| Some(format!("{{ {} }}", asked(catalog, field, true)?)))
}

/// What is known of a field.
struct Field {
    name: String,
    /// The type's name, without list and non-null.
    ty: String,
    /// Name and type of each argument that must be given.
    required: Vec<(String, String)>,
    /// Whether it needs a token.
    guarded: bool,
}

/// The fields of an object or interface, in the schema's order.
fn fields(catalog: &Catalog, of: &str) -> Vec<Field> {
    let public = &catalog.public;
    let object = public.get_object(of).map(|object| &object.fields);
    let fields = object.or_else(|| public.get_interface(of).map(|interface| &interface.fields));
    let field = |name: String, ty: String, required| {
        let guarded = catalog.field(of, &name).is_some_and(|field| field.authenticated);
        Field { name, ty, required, guarded }
    };
    let fields = fields.into_iter().flatten().map(|(name, definition)| {
        let arguments = definition.arguments.iter().filter(|argument| argument.is_required());
        let required = arguments.map(|of| (of.name.to_string(), of.ty.to_string())).collect();
        field(name.to_string(), definition.ty.inner_named_type().to_string(), required)
    });
    fields.collect()
}

/// A field with its arguments and, unless it is a leaf, a selection set.
fn asked(catalog: &Catalog, field: &Field, nested: bool) -> Option<String> {
    let arguments =
        field.required.iter().map(|(name, ty)| Some(format!("{name}: {}", value(catalog, ty, 0)?)));
    let arguments: Vec<_> = arguments.collect::<Option<_>>()?;
    let arguments = match arguments.as_slice() {
        [] => String::new(),
        some => format!("({})", some.join(", ")),
    };
    let selection = match is_leaf(catalog, &field.ty) {
        true => String::new(),
        false => format!(" {{ {} }}", selection(catalog, &field.ty, nested)),
    };
    Some(format!("{}{arguments}{selection}", field.name))
}

/// Some leaves and, with `nested`, one field that has fields of its own.
fn selection(catalog: &Catalog, of: &str, nested: bool) -> String {
    let fields = fields(catalog, of);
    let open = fields.iter().filter(|field| !field.guarded && field.required.is_empty());
    let (leaves, objects): (Vec<_>, Vec<_>) = open.partition(|field| is_leaf(catalog, &field.ty));
    let abstract_type = catalog.public.get_object(of).is_none();
    let mut parts: Vec<_> = abstract_type.then(|| "__typename".to_owned()).into_iter().collect();
    parts.extend(leaves.iter().take(LEAVES).map(|field| field.name.clone()));
    if nested {
        parts.extend(objects.first().and_then(|field| asked(catalog, field, false)));
    }
    match parts.as_slice() {
        [] => "__typename".to_owned(),
        some => some.join(" "),
    }
}

fn is_leaf(catalog: &Catalog, ty: &str) -> bool {
    let public = &catalog.public;
    public.get_object(ty).is_none()
        && public.get_interface(ty).is_none()
        && public.get_union(ty).is_none()
}

/// A value that a type accepts; `None`: only its user knows one.
fn value(catalog: &Catalog, ty: &str, depth: usize) -> Option<String> {
    let ty = ty.strip_suffix('!').unwrap_or(ty);
    if let Some(item) = ty.strip_prefix('[').and_then(|ty| ty.strip_suffix(']')) {
        return Some(format!("[{}]", value(catalog, item, depth)?));
    }
    let built_in = match ty {
        "Int" => "1",
        "Float" => "1.0",
        "Boolean" => "true",
        "ID" | "String" => "\"1\"",
        _ => "",
    };
    if !built_in.is_empty() {
        return Some(built_in.to_owned());
    }
    if let Some(of) = catalog.public.get_enum(ty) {
        return of.values.keys().next().map(ToString::to_string);
    }
    let input = catalog.public.get_input_object(ty).filter(|_| depth < DEEPEST_INPUT)?;
    // Of a `@oneOf` no field is required, and exactly one must be given.
    let (only_required, at_most) = if input.is_one_of() { (false, 1) } else { (true, usize::MAX) };
    let fields = input.fields.values().filter(|field| !only_required || field.is_required());
    let fields = fields.take(at_most).map(|field| {
        Some(format!("{}: {}", field.name, value(catalog, &field.ty.to_string(), depth + 1)?))
    });
    let fields: Vec<_> = fields.collect::<Option<_>>()?;
    Some(format!("{{{}}}", fields.join(", ")))
}
