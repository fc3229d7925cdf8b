//! `@events` and `@poll`: what sets off the events of each field of the subscription root. No other
//! field has them.

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, FieldDefinition, OperationType};
use apollo_compiler::schema::ExtendedType;
use http::Method;
use indexmap::IndexMap;

use super::catalog::SourceStream;
use super::check::{Check, Refused};
use super::directives::{self, Named, Rest};

/// The directives that set off events.
const STREAMS: [&str; 2] = ["events", "poll"];

/// How close together the fetches of a `@poll` may be, in milliseconds.
const LEAST: u64 = 100;
/// How far apart they may be, in milliseconds.
const MOST: u64 = 86_400_000;

impl<'s> Check<'s> {
    /// What sets off each field of the subscription root.
    pub(super) fn streams(&mut self) -> IndexMap<Name, SourceStream> {
        let root = self.schema.root_operation(OperationType::Subscription);
        let mut streams = IndexMap::new();
        for (name, of) in &self.schema.types {
            let fields = match of {
                ExtendedType::Object(object) => &object.fields,
                ExtendedType::Interface(interface) => &interface.fields,
                _ => continue,
            };
            for (field, definition) in fields {
                if Some(name) != root {
                    self.refuse_stream(&definition.directives, root);
                } else if let Ok(stream) = self.stream(definition) {
                    streams.insert(field.clone(), stream);
                }
            }
        }
        streams
    }

    fn refuse_stream(&mut self, directives: &DirectiveList, root: Option<&Name>) {
        for directive in STREAMS.iter().filter_map(|name| directives.get(name)) {
            if let Some(place) = directives::place(directive, self.files) {
                let message =
                    format!("`@{}` stands on fields of the subscription root only", directive.name);
                let help = match root {
                    Some(root) => format!("that is `type {root}`"),
                    None => "there is none: write `type Subscription { .. }`".to_owned(),
                };
                self.refuse_with(&place, message, help);
            }
        }
    }

    fn stream(&mut self, field: &'s FieldDefinition) -> Result<SourceStream, Refused> {
        let given = &field.directives;
        match (given.get("events"), given.get("poll")) {
            (Some(events), None) => {
                let place = directives::place(events, self.files).ok_or(Refused)?;
                if !given.has("rest") {
                    let message = "`@events` stands beside the `@rest` whose answer is the stream";
                    let help = "a `@ref` gives one value: `@poll` repeats it";
                    return Err(self.refuse_with(&place, message, help));
                }
                self.check_opens(given)?;
                self.event_type(given)
            }
            (None, Some(poll)) => {
                let place = directives::place(poll, self.files).ok_or(Refused)?;
                if !given.has("rest") && !given.has("ref") {
                    let message = "`@poll` stands beside the `@rest` or `@ref` that it repeats";
                    return Err(self.refuse(Some(&place), message));
                }
                self.check_repeats(given)?;
                self.every(given)
            }
            (Some(_), Some(second)) => {
                let place = directives::place(second, self.files).ok_or(Refused)?;
                let message = "a field has `@events` or `@poll`, not both";
                Err(self.refuse(Some(&place), message))
            }
            (None, None) => {
                let message = format!("nothing sets off the subscription `{}`", field.name);
                let help = "add `@events` to its `@rest` if the answer is a stream of Server-Sent \
                    Events, or else `@poll`";
                Err(match self.files.place(field.name.location()) {
                    Some(place) => self.refuse_with(&place, message, help),
                    None => self.refuse(None, message),
                })
            }
        }
    }

    /// A request that opens a stream: it only reads, and stands for itself.
    fn check_opens(&mut self, given: &DirectiveList) -> Result<(), Refused> {
        let Some(rest) = Rest::read(given, self.files) else { return Err(Refused) };
        let place = given.get("rest").and_then(|rest| directives::place(rest, self.files));
        let mut checked = Ok(());
        if !matches!(rest.method, Method::GET | Method::POST) {
            let message = format!("a stream is opened by GET or POST, not by {}", rest.method);
            checked = Err(self.refuse(place.as_ref(), message));
        }
        if let Some(batch) = &rest.batch {
            let message = "a stream of events is one subscription's: it has no batch";
            checked = Err(self.refuse(Some(&batch.place), message));
        }
        if let Some(cache) = &rest.cache {
            checked = Err(self.refuse(Some(&cache.place), "what a stream brings is never kept"));
        }
        checked
    }

    /// A request that is repeated: repeating it changes nothing.
    fn check_repeats(&mut self, given: &DirectiveList) -> Result<(), Refused> {
        let Some(rest) = Rest::read(given, self.files) else { return Ok(()) };
        if rest.method == Method::GET {
            return Ok(());
        }
        let place = given.get("rest").and_then(|rest| directives::place(rest, self.files));
        let message = format!("`@poll` repeats a GET, not a {}", rest.method);
        Err(self.refuse(place.as_ref(), message))
    }

    fn event_type(&mut self, given: &DirectiveList) -> Result<SourceStream, Refused> {
        let Some(of) = Named::read(given, "events", "type", self.files) else {
            return Ok(SourceStream::Events("message".into()));
        };
        let text = of.text.as_str();
        if text.is_empty() || text.contains(['\n', '\r']) {
            let message = "an event's type is one line and not empty";
            return Err(self.refuse(Some(of.text.place()), message));
        }
        Ok(SourceStream::Events(text.into()))
    }

    fn every(&mut self, given: &DirectiveList) -> Result<SourceStream, Refused> {
        let every = Named::read(given, "poll", "every", self.files).ok_or(Refused)?;
        self.duration::<LEAST, MOST>(&every.text).map(SourceStream::Poll)
    }
}
