//! The schema's types as the oracle needs them: the same text without the gateway's directives, and
//! once more with every field nullable.

use apollo_compiler::ast::{Definition, DirectiveList, Document, FieldDefinition, Type};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

/// The schema, as clients see it.
pub(crate) struct Types {
    pub(crate) strict: Valid<Schema>,
    /// Every field and item may be null.
    pub(crate) relaxed: Valid<Schema>,
}

impl Types {
    /// In place of `Float` in results: apollo's executor takes no `1` for one.
    pub(crate) const FLOAT: &'static str = "OracleFloat";

    pub(crate) fn parse(sdl: &str) -> Self {
        let schema = |relax: bool| {
            let mut document = Document::parse(sdl, "schema.graphql").expect("the schema parses");
            document.definitions.iter_mut().for_each(|definition| plain(definition, relax));
            let text = format!("{document}\nscalar {}", Self::FLOAT);
            let schema = Schema::parse_and_validate(text, "schema.graphql");
            schema.unwrap_or_else(|invalid| panic!("{}", invalid.errors))
        };
        Self { strict: schema(false), relaxed: schema(true) }
    }

    pub(crate) fn is_composite(&self, name: &str) -> bool {
        let found = self.strict.types.get(name);
        matches!(
            found,
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        )
    }

    /// What tells the concrete type of an abstract one.
    pub(crate) fn discriminator(&self, name: &str) -> Option<&'static str> {
        match name {
            "Named" | "Thing" | "Payment" => Some("kind"),
            "Hit" => Some("type.name"),
            _ => None,
        }
    }

    /// The concrete type of an abstract one that is told so.
    pub(crate) fn concrete(&self, name: &str, told: &str) -> Option<String> {
        let type_name = match told {
            "user" => "User",
            "order" => "Order",
            "prod" => "Product",
            "card" => "Card",
            "bank" => "Bank",
            "Shelf" | "Sign" | "Voucher" => told,
            _ => return None,
        };
        self.possible(name).contains(&type_name).then(|| type_name.to_owned())
    }

    /// The concrete types that a type may be.
    pub(crate) fn possible(&self, name: &str) -> Vec<&str> {
        let implements = |name: &str| {
            let objects = self.strict.types.values().filter_map(ExtendedType::as_object);
            let these = objects.filter(|object| object.implements_interfaces.contains(name));
            these.map(|object| object.name.as_str()).collect()
        };
        match self.strict.types.get(name) {
            Some(ExtendedType::Object(object)) => vec![object.name.as_str()],
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(|member| member.as_str()).collect()
            }
            Some(ExtendedType::Interface(_)) => implements(name),
            _ => Vec::new(),
        }
    }
}

/// Takes the gateway's own directives away.
fn plain(definition: &mut Definition, relax: bool) {
    match definition {
        Definition::ObjectTypeDefinition(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            of.fields.iter_mut().for_each(|field| plain_field(field, relax));
        }
        Definition::InterfaceTypeDefinition(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            of.fields.iter_mut().for_each(|field| plain_field(field, relax));
        }
        Definition::UnionTypeDefinition(of) => strip(&mut of.make_mut().directives),
        Definition::EnumTypeDefinition(of) => {
            of.make_mut().values.iter_mut().for_each(|it| strip(&mut it.make_mut().directives));
        }
        Definition::InputObjectTypeDefinition(of) => {
            of.make_mut().fields.iter_mut().for_each(|it| strip(&mut it.make_mut().directives));
        }
        _ => {}
    }
}

fn plain_field(field: &mut Node<FieldDefinition>, relax: bool) {
    let field = field.make_mut();
    strip(&mut field.directives);
    field.ty = plain_type(&field.ty, relax);
}

fn plain_type(ty: &Type, relax: bool) -> Type {
    let name = |name: &Name| match name.as_str() {
        "Float" => Name::new_static_unchecked(Types::FLOAT),
        _ => name.clone(),
    };
    match ty {
        Type::Named(named) => Type::Named(name(named)),
        Type::List(item) => Type::List(Box::new(plain_type(item, relax))),
        Type::NonNullNamed(named) if relax => Type::Named(name(named)),
        Type::NonNullNamed(named) => Type::NonNullNamed(name(named)),
        Type::NonNullList(item) if relax => Type::List(Box::new(plain_type(item, relax))),
        Type::NonNullList(item) => Type::NonNullList(Box::new(plain_type(item, relax))),
    }
}

fn strip(directives: &mut DirectiveList) {
    directives.0.clear();
}
