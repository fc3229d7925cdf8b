//! How large a project is, in words.

use std::collections::BTreeSet;
use std::fmt;

use crate::gateway::Project;
use crate::schema::{EndpointId, Source, Then};

/// How many there are of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    upstreams: usize,
    types: usize,
    fields: usize,
    requests: usize,
}

impl Size {
    /// Types are those the schema defines, of any kind; fields those of object types; requests
    /// those that some field makes.
    pub(super) fn of(project: &Project) -> Self {
        let catalog = &project.catalog;
        let fields = || catalog.objects.values().flat_map(|object| object.fields.values());
        let requests: BTreeSet<_> = fields().flat_map(|field| requests(&field.source)).collect();
        Self {
            upstreams: project.config.upstreams.len(),
            types: catalog.public.types.values().filter(|of| !of.is_built_in()).count(),
            fields: fields().count(),
            requests: requests.len(),
        }
    }
}

fn requests(source: &Source) -> Vec<EndpointId> {
    match source {
        Source::Property(_) | Source::Computed(_) => Vec::new(),
        Source::Lookup(lookup) => vec![lookup.endpoint.id],
        Source::Fetch(endpoint, Then::Lookup(lookup)) => vec![endpoint.id, lookup.endpoint.id],
        Source::Fetch(endpoint, Then::Value | Then::Computed(_)) => vec![endpoint.id],
    }
}

/// `3 upstreams, 12 types, 41 fields, 9 requests`
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { upstreams, types, fields, requests } = *self;
        let parts = [
            counted(upstreams, "upstream", "upstreams"),
            counted(types, "type", "types"),
            counted(fields, "field", "fields"),
            counted(requests, "request", "requests"),
        ];
        f.write_str(&parts.join(", "))
    }
}

/// `1 query`, `2 queries`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
