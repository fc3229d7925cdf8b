//! The planner without a network: documents are refused or planned, variables coerced, plans told.

#[path = "plans/coercion.rs"]
mod coercion;
#[path = "plans/introspection.rs"]
mod introspection;
#[path = "plans/limits.rs"]
mod limits;
#[path = "plans/pets.rs"]
mod pets;
#[path = "plans/planning.rs"]
mod planning;
#[path = "plans/property.rs"]
mod property;
#[path = "plans/snapshots.rs"]
mod snapshots;
#[path = "plans/validation.rs"]
mod validation;
