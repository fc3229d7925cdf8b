//! SDL and directives -> [`Catalog`]: types, and for each field where its value comes from.
//! Knows no document and makes no request.

mod catalog;

pub use catalog::{
    AbstractType, Batch, By, Catalog, Endpoint, EndpointId, EnumType, ErrorRule, FieldType, Lookup,
    NotFound, ObjectType, Scalar, Source, Then,
};
