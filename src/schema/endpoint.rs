//! `@rest` -> [`Endpoint`]: the request, where its answer lies and what its failure means.

use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::ast::{FieldDefinition, OperationType};
use apollo_compiler::{Name, Node};
use serde::Deserialize as _;
use serde::de::{self, value::StrDeserializer};

use super::Defaults;
use super::catalog::{CacheControl, Endpoint, ErrorRule, NotFound};
use super::check::{Check, Refused};
use super::directives::{self, Failure, Rest};
use super::nearest::{did_you_mean, one_of};
use super::text::Text;
use super::wire::Inputs;
use crate::config::{self, BodyFormat, Problem, ServiceName};
use crate::json::Path;
use crate::template::{BodyEncoding, KeyMode, Part, RequestParts, RequestTemplate};

/// Where a `@rest` stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Site<'s> {
    /// On a type: its lookup.
    Lookup(&'s Name),
    /// On a field.
    Field(FieldSite<'s>),
}

/// A field and what its directives give.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldSite<'s> {
    /// The object type.
    pub(super) of: &'s Name,
    pub(super) field: &'s Node<FieldDefinition>,
    /// The object is a root: it has no upstream object to read from.
    pub(super) is_root: bool,
    /// A `@rest` stands there, so that there is an answer.
    pub(super) has_answer: bool,
    /// The answer of the `@rest` is the field's value, and not what leads to it.
    pub(super) answer_is_value: bool,
}

/// What a `@rest` is checked against.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s, 'i> {
    pub(super) site: Site<'s>,
    pub(super) inputs: &'i Inputs,
}

impl<'s> Check<'s> {
    /// Builds the endpoint of one `@rest`.
    pub(super) fn endpoint(
        &mut self,
        rest: &Rest,
        around: Surroundings<'s, '_>,
    ) -> Result<Arc<Endpoint>, Refused> {
        let id = self.next_endpoint();
        // Every part is read before any of them ends it, so that all mistakes are told.
        let upstream = self.upstream(rest);
        let encoding = match upstream.as_ref().map(|(_, defaults)| defaults.body) {
            Ok(BodyFormat::Form) => BodyEncoding::Form,
            Ok(BodyFormat::Json) | Err(_) => BodyEncoding::Json,
        };
        let request = self.request(rest, around, encoding);
        let at = self.at(rest, around.site);
        let batch = rest.batch.as_ref().map(|batch| self.batch(batch, rest, around)).transpose();
        let error = self.error_rule(&rest.error);
        let timeout = self.timeout(rest.timeout.as_ref());
        let not_found = self.not_found(rest);
        let cache = rest.cache.as_ref().map(|cache| self.cache(cache, around.site)).transpose();
        let (mut request, batch) = (request?, batch?);
        let mut this = Vec::new();
        request.bind_this(&mut this);
        let (upstream, defaults) = upstream?;
        Ok(Arc::new(Endpoint {
            id,
            upstream,
            label: label(rest).into(),
            request,
            this,
            at: at?,
            batch: batch.map(Arc::new),
            error: error?.or(&defaults.error),
            timeout: timeout?,
            not_found: not_found?,
            cache: cache?,
        }))
    }

    fn cache(
        &mut self,
        cache: &directives::CacheControl,
        site: Site<'_>,
    ) -> Result<CacheControl, Refused> {
        let mut checked = Ok(());
        for (place, name) in &cache.later {
            let refused = self.refuse(Some(place), format!("`{name}` does not work yet"));
            checked = Err(refused);
        }
        if let Site::Field(site) = site
            && self.schema.root_operation(OperationType::Mutation) == Some(site.of)
        {
            let message = "what a mutation answers is never kept";
            return Err(self.refuse(Some(&cache.place), message));
        }
        let Some((place, seconds)) = &cache.max_age else { return Err(Refused) };
        let Ok(seconds) = u64::try_from(*seconds) else {
            return Err(self.refuse(Some(place), "a time is not negative"));
        };
        checked.map(|()| CacheControl { max_age: Duration::from_secs(seconds), scope: cache.scope })
    }

    fn upstream(&mut self, rest: &Rest) -> Result<(Arc<str>, &'s Defaults), Refused> {
        let Some(text) = &rest.upstream else { return Err(Refused) };
        if let Some((name, defaults)) = self.upstreams.get_key_value(text.as_str()) {
            return Ok((name.as_str().into(), defaults));
        }
        let known: Vec<&str> = self.upstreams.keys().map(ServiceName::as_str).collect();
        let help = match known.as_slice() {
            [] => "there is no file in `upstreams/`".to_owned(),
            known => did_you_mean(text.as_str(), known.iter().copied())
                .unwrap_or_else(|| format!("there are {}", one_of(known, "and"))),
        };
        let message = format!("there is no upstream `{}`", text.as_str());
        Err(self.refuse_with(text.place(), message, help))
    }

    fn request(
        &mut self,
        rest: &Rest,
        around: Surroundings<'s, '_>,
        encoding: BodyEncoding,
    ) -> Result<RequestTemplate, Refused> {
        let Some(path) = &rest.path else { return Err(Refused) };
        let headers: Vec<(&str, &str)> =
            rest.headers.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
        let parts = RequestParts {
            method: rest.method.clone(),
            path: path.as_str(),
            headers: &headers,
            body: rest.body.as_ref().map(Text::as_str),
            encoding,
        };
        let mode = match (&rest.batch, around.site) {
            (Some(_), _) => KeyMode::Many,
            (None, Site::Lookup(_)) => KeyMode::One,
            (None, Site::Field(_)) => KeyMode::None,
        };
        match RequestTemplate::parse(parts, mode, self.env) {
            Ok(mut request) => {
                self.references(&request, rest, around)?;
                if let Site::Field(site) = around.site {
                    let schema = self.schema;
                    request.rename_args(&mut |path| {
                        super::arguments::on_wire(schema, around.inputs, site.field, path)
                    });
                }
                Ok(request)
            }
            Err(errors) => {
                for found in errors {
                    if let Some(text) = part_of(rest, found.part) {
                        let problem = text.at(&found.error.span).error(found.error.message);
                        self.push(Problem { help: found.error.help, ..problem });
                    }
                }
                Err(Refused)
            }
        }
    }

    fn at(&mut self, rest: &Rest, site: Site<'_>) -> Result<Path, Refused> {
        let Some(text) = &rest.at else { return Ok(Path::root()) };
        let path = self.path(text).ok_or(Refused)?;
        if rest.batch.is_none() {
            self.check_each(&path, text, site)?;
        }
        Ok(path)
    }

    /// `[*]` gives a list, which only a list field can hold.
    pub(super) fn check_each(
        &mut self,
        path: &Path,
        text: &Text,
        site: Site<'_>,
    ) -> Result<(), Refused> {
        let what = match site {
            Site::Lookup(of) => format!("a lookup gives one `{of}`"),
            Site::Field(site) if site.answer_is_value && !site.field.ty.is_list() => {
                format!("`{}.{}` is no list", site.of, site.field.name)
            }
            Site::Field(_) => return Ok(()),
        };
        if path.is_single() {
            return Ok(());
        }
        let message = format!("`[*]` gives a list, but {what}");
        Err(self.refuse_with(text.place(), message, "`[0]` is the first item"))
    }

    fn error_rule(&mut self, failure: &Failure) -> Result<ErrorRule, Refused> {
        let when = self.error_path(failure.when.as_ref());
        let message = self.error_path(failure.message.as_ref());
        let code = self.error_path(failure.code.as_ref());
        Ok(ErrorRule { when: when?, message: message?, code: code? })
    }

    fn error_path(&mut self, text: Option<&Text>) -> Result<Option<Path>, Refused> {
        let Some(text) = text else { return Ok(None) };
        self.path(text).map(Some).ok_or(Refused)
    }

    fn timeout(&mut self, text: Option<&Text>) -> Result<Option<Duration>, Refused> {
        // The bounds are those of an upstream's own `timeout`.
        text.map(|text| self.duration::<1, 3_600_000>(text)).transpose()
    }

    /// Reads a time as the settings have them, within these bounds in milliseconds.
    pub(super) fn duration<const LEAST: u64, const MOST: u64>(
        &mut self,
        text: &Text,
    ) -> Result<Duration, Refused> {
        let written = StrDeserializer::<de::value::Error>::new(text.as_str());
        match config::Duration::<LEAST, MOST>::deserialize(written) {
            Ok(duration) => Ok(duration.get()),
            Err(error) => {
                let error = error.to_string();
                let (message, help) = error.split_once("\nhelp: ").unwrap_or((&error, ""));
                Err(self.refuse_with(text.place(), message, help))
            }
        }
    }

    fn not_found(&mut self, rest: &Rest) -> Result<NotFound, Refused> {
        let Some((place, meaning)) = &rest.not_found else { return Ok(NotFound::Null) };
        if rest.batch.is_some() {
            let message = "`notFound` means nothing in a batch";
            let help = "a key without a row is null; a 404 fails all keys of the batch";
            return Err(self.refuse_with(place, message, help));
        }
        Ok(*meaning)
    }
}

/// The text that a part of a request was written as.
pub(super) fn part_of(rest: &Rest, part: Part) -> Option<&Text> {
    match part {
        Part::Path => rest.path.as_ref(),
        Part::HeaderName(index) => rest.headers.get(index).map(|header| &header.name),
        Part::HeaderValue(index) => rest.headers.get(index).map(|header| &header.value),
        Part::Body => rest.body.as_ref(),
    }
}

fn label(rest: &Rest) -> String {
    let path = rest.path.as_ref().map(Text::unwrapped);
    format!("{} {}", rest.method, path.as_ref().map_or("", Text::as_str))
}
