//! How large an answer to introspection would be, judged before it is made: a few characters of a
//! query can ask for the whole schema a thousand times.

use apollo_compiler::executable::{FragmentMap, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;

use crate::schema::Catalog;

/// Lists of types go this deep within each other (`fields { type { fields { .. } } }`); each
/// further one multiplies the answer by the size of the schema.
const DEEPEST: usize = 2;

/// An answer of more values than this is refused; that of the usual query, asked of a schema of a
/// thousand types, has a third of it.
const MOST: u64 = 2_000_000;

/// The answer would be far larger than the schema.
#[derive(Debug)]
pub(super) struct TooLarge;

/// Judges the `__schema` and `__type` fields among these; other fields pass.
pub(super) fn check(
    catalog: &Catalog,
    fragments: &FragmentMap,
    root: &SelectionSet,
) -> Result<(), TooLarge> {
    let mut volume = Volume { sizes: Sizes::of(catalog), fragments, values: 0 };
    volume.root(root)
}

/// How long a kind of list is: over all types together, and at most.
#[derive(Default)]
struct Length {
    total: u64,
    most: u64,
}

impl Length {
    fn add(&mut self, length: usize) {
        let length = length as u64;
        self.total += length;
        self.most = self.most.max(length);
    }
}

#[derive(Default)]
struct Sizes {
    types: u64,
    directives: u64,
    fields: Length,
    args: Length,
    input_fields: Length,
    enum_values: Length,
    interfaces: Length,
    possible_types: Length,
}

impl Sizes {
    fn of(catalog: &Catalog) -> Self {
        let schema = &catalog.public;
        let mut sizes = Self {
            types: schema.types.len() as u64,
            directives: schema.directive_definitions.len() as u64,
            ..Self::default()
        };
        for directive in schema.directive_definitions.values() {
            sizes.args.most = sizes.args.most.max(directive.arguments.len() as u64);
        }
        for ty in schema.types.values() {
            let (fields, interfaces) = match ty {
                ExtendedType::Object(ty) => (&ty.fields, &ty.implements_interfaces),
                ExtendedType::Interface(ty) => (&ty.fields, &ty.implements_interfaces),
                ExtendedType::Union(ty) => {
                    sizes.possible_types.add(ty.members.len());
                    continue;
                }
                ExtendedType::Enum(ty) => {
                    sizes.enum_values.add(ty.values.len());
                    continue;
                }
                ExtendedType::InputObject(ty) => {
                    sizes.input_fields.add(ty.fields.len());
                    continue;
                }
                ExtendedType::Scalar(_) => continue,
            };
            sizes.fields.add(fields.len());
            sizes.interfaces.add(interfaces.len());
            fields.values().for_each(|field| sizes.args.add(field.arguments.len()));
        }
        for implementers in catalog.implementers.values() {
            sizes.possible_types.add(implementers.objects.len());
        }
        sizes
    }
}

/// What a selection set is asked of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// One value.
    One,
    /// Every type of the schema.
    Types,
    /// Every field of every type.
    Fields,
}

struct Volume<'a> {
    sizes: Sizes,
    fragments: &'a FragmentMap,
    values: u64,
}

impl<'a> Volume<'a> {
    fn root(&mut self, set: &'a SelectionSet) -> Result<(), TooLarge> {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if matches!(field.name.as_str(), "__schema" | "__type") => {
                    self.below(field.selection_set.as_ref(), Of::One, 1, 0)?;
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(inline) => self.root(&inline.selection_set)?,
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.fragment_name) {
                        self.root(&fragment.selection_set)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts the values that a selection set gives when asked so many times.
    fn below(
        &mut self,
        set: Option<&'a SelectionSet>,
        of: Of,
        times: u64,
        depth: usize,
    ) -> Result<(), TooLarge> {
        for selection in set.into_iter().flat_map(|set| &set.selections) {
            match selection {
                Selection::Field(field) => {
                    let each = times.saturating_mul(match of {
                        Of::One => 1,
                        Of::Types => self.sizes.types,
                        Of::Fields => self.sizes.fields.total,
                    });
                    self.values = self.values.saturating_add(each);
                    let name = field.name.as_str();
                    let is_list_of_types =
                        matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
                    let depth = depth + usize::from(is_list_of_types);
                    if self.values > MOST || depth > DEEPEST {
                        return Err(TooLarge);
                    }
                    let (of, times) = self.step(name, of, times, each);
                    self.below(field.selection_set.as_ref(), of, times, depth)?;
                }
                Selection::InlineFragment(inline) => {
                    self.below(Some(&inline.selection_set), of, times, depth)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.fragment_name);
                    let set = fragment.map(|fragment| &fragment.selection_set);
                    self.below(set, of, times, depth)?;
                }
            }
        }
        Ok(())
    }

    /// What a field's own selection set is asked of, and how many times. A list is counted at its
    /// longest, unless it is asked of every type (or field) there is.
    fn step(&self, name: &str, of: Of, times: u64, each: u64) -> (Of, u64) {
        let sizes = &self.sizes;
        let length = match (name, of) {
            ("types", _) => return (Of::Types, each),
            ("fields", Of::Types) => return (Of::Fields, times),
            ("directives", _) => return (Of::One, each.saturating_mul(sizes.directives)),
            ("fields", _) => &sizes.fields,
            ("args", _) => &sizes.args,
            ("inputFields", _) => &sizes.input_fields,
            ("enumValues", _) => &sizes.enum_values,
            ("interfaces", _) => &sizes.interfaces,
            ("possibleTypes", _) => &sizes.possible_types,
            _ => return (Of::One, each),
        };
        let of_all = if name == "args" { of == Of::Fields } else { of == Of::Types };
        let times = if of_all {
            times.saturating_mul(length.total)
        } else {
            each.saturating_mul(length.most)
        };
        (Of::One, times)
    }
}
