//! What a request's templates read, against the schema: the names exist, and what they stand for
//! can stand where they are written.

use super::arguments::{Argument, Sort};
use super::check::{Check, Refused};
use super::directives::Rest;
use super::endpoint::{FieldSite, Site, Surroundings, part_of};
use super::files::Place;
use super::text::Text;
use super::wire::Inputs;
use crate::config::Problem;
use crate::template::{Part, Reference, RequestTemplate, Root};

/// Where in a request a reference stands, as far as it matters to the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Path,
    /// Alone as a parameter's value.
    Parameter,
    /// Within a longer value of a parameter.
    Query,
    Header,
    Body,
}

impl<'s> Check<'s> {
    /// Checks every reference of a request, and passes its warnings on.
    pub(super) fn references(
        &mut self,
        request: &RequestTemplate,
        rest: &Rest,
        around: Surroundings<'s, '_>,
    ) -> Result<(), Refused> {
        let mut checked = Ok(());
        for (part, reference) in request.references() {
            let Some(text) = part_of(rest, part) else { continue };
            let spot = spot(request, part, reference, text);
            let found = self.reference(reference, spot, &text.at(&reference.span), around);
            checked = checked.and(found);
        }
        if checked.is_ok() {
            self.warnings(request, rest, around);
        }
        checked
    }

    fn reference(
        &mut self,
        reference: &Reference,
        spot: Spot,
        place: &Place,
        around: Surroundings<'s, '_>,
    ) -> Result<(), Refused> {
        match (&reference.root, around.site) {
            (Root::Args, Site::Lookup(of)) => Err(self.refuse_with(
                place,
                format!("the lookup of `{of}` has no arguments"),
                "a lookup knows its key only; put this `@rest` on the field that has the argument",
            )),
            (Root::This, Site::Lookup(of)) => Err(self.refuse_with(
                place,
                format!("the lookup of `{of}` has no `this`: it is what fetches the object"),
                "a lookup knows its key only: `{key}`, or `{keys}` with a batch",
            )),
            (Root::This, Site::Field(site)) if site.is_root => Err(self.no_this(place, site)),
            (Root::Args, Site::Field(site)) if !reference.path.is_root() => {
                self.argument(reference, spot, place, (site, around.inputs))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn no_this(&mut self, place: &Place, site: FieldSite<'_>) -> Refused {
        let message = format!("`{}` stands at the root and has no `this`", site.of);
        let help = "a root field reads `args`, `claims` and `headers`";
        self.refuse_with(place, message, help)
    }

    fn argument(
        &mut self,
        reference: &Reference,
        spot: Spot,
        place: &Place,
        (site, inputs): (FieldSite<'s>, &Inputs),
    ) -> Result<(), Refused> {
        let argument = match Argument::find(self.schema, inputs, site.field, &reference.path) {
            Ok(argument) => argument,
            Err(error) => {
                self.push(Problem { help: error.help, ..place.error(error.message) });
                return Err(Refused);
            }
        };
        let name = reference.as_written();
        let sort = argument.sort(self.schema);
        let joins = reference.join.is_some();
        let (message, help) = if joins && !argument.is_list() && sort != Sort::Any {
            (format!("`{name}` is no list to join"), format!("write `{{{name}}}`"))
        } else if spot == Spot::Body {
            return Ok(());
        } else if sort == Sort::Object {
            let message = format!("`{name}` is an object, which only a body can hold");
            (message, format!("name a part of it, as in `{{{name}.id}}`"))
        } else if argument.is_nested_list() {
            let message = format!("`{name}` is a list of lists, which only a body can hold");
            (message, format!("declare `{name}` as a list"))
        } else if argument.is_list() && !joins && spot != Spot::Parameter {
            let message = format!("`{name}` is a list, and here stands one value");
            (message, format!("`{{{name}:,}}` joins it"))
        } else if spot == Spot::Path && argument.is_nullable {
            let message = format!("`{name}` may be null, which no path can hold");
            (message, "declare it as non-null (`!`), or give it a default value".to_owned())
        } else {
            return Ok(());
        };
        Err(self.refuse_with(place, message, help))
    }

    fn warnings(&mut self, request: &RequestTemplate, rest: &Rest, around: Surroundings<'s, '_>) {
        for warning in request.warnings() {
            let Some(text) = part_of(rest, warning.part) else { continue };
            let holds = match (&warning.argument, around.site) {
                (None, _) => true,
                (Some(path), Site::Field(site)) => {
                    Argument::find(self.schema, around.inputs, site.field, path)
                        .is_ok_and(|argument| argument.is_free_text(self.schema))
                }
                (Some(_), Site::Lookup(_)) => false,
            };
            if holds {
                let problem = text.at(&warning.span).warning(warning.message.clone());
                self.push(problem.with_help(warning.help.clone()));
            }
        }
    }
}

fn spot(request: &RequestTemplate, part: Part, reference: &Reference, text: &Text) -> Spot {
    match part {
        Part::Path if request.is_in_path(reference) => Spot::Path,
        Part::Path => {
            let before = text.as_str().get(..reference.span.start).unwrap_or_default();
            let after = text.as_str().get(reference.span.end..).unwrap_or_default();
            let ends = after.trim_start().is_empty() || after.trim_start().starts_with('&');
            if before.trim_end().ends_with('=') && ends { Spot::Parameter } else { Spot::Query }
        }
        Part::HeaderName(_) | Part::HeaderValue(_) => Spot::Header,
        Part::Body => Spot::Body,
    }
}
