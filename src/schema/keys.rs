//! Keys: where `@ref` and `batch` read them, and how a batch hands out its rows.

use super::arguments::{Argument, Sort, list_depth, on_wire};
use super::catalog::{Batch, By};
use super::check::{Check, Refused};
use super::directives::{self, Rest};
use super::endpoint::{FieldSite, Site, Surroundings};
use super::text::Text;
use super::wire::Inputs;
use crate::config::Problem;
use crate::json::Path;
use crate::template::{KeyPath, Root};

/// How many keys a request carries at most where `max` is not written.
const DEFAULT_MAX: usize = 100;

/// What a key path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// `@ref(key:)` on a field of one value.
    One,
    /// `@ref(key:)` on a list field.
    Many,
    /// `batch: {key}`.
    Batch,
}

impl<'s> Check<'s> {
    /// Reads `batch: {..}`.
    pub(super) fn batch(
        &mut self,
        batch: &directives::Batch,
        rest: &Rest,
        around: Surroundings<'s, '_>,
    ) -> Result<Batch, Refused> {
        let key = self.batch_key(batch, around);
        let by = self.by(batch, rest);
        let value = match &batch.value {
            None => Ok(Path::root()),
            Some(text) => self
                .path(text)
                .ok_or(Refused)
                .and_then(|path| self.check_each(&path, text, around.site).map(|()| path)),
        };
        let first = batch.first.as_ref().map(|text| self.first(text, around)).transpose();
        let max = match &batch.max {
            None => Ok(DEFAULT_MAX),
            Some((place, max)) => match usize::try_from(*max) {
                Ok(max) if max > 0 => Ok(max),
                _ => Err(self.refuse(Some(place), "a request carries one key at least")),
            },
        };
        Ok(Batch { key: key?, by: by?, value: value?, first: first?, max: max? })
    }

    fn batch_key(
        &mut self,
        batch: &directives::Batch,
        around: Surroundings<'s, '_>,
    ) -> Result<Option<KeyPath>, Refused> {
        match (&batch.key, around.site) {
            (Some(text), Site::Field(site)) => {
                self.key(text, Use::Batch, site, around.inputs).map(Some)
            }
            (None, Site::Lookup(_)) => Ok(None),
            (Some(text), Site::Lookup(of)) => Err(self.refuse_with(
                text.place(),
                format!("the lookup of `{of}` gets its key from `@ref`"),
                "leave `key` out",
            )),
            (None, Site::Field(_)) => Err(self.refuse_with(
                &batch.place,
                "the batch does not say which key a parent has",
                "add `key: \"this.id\"`",
            )),
        }
    }

    fn by(&mut self, batch: &directives::Batch, rest: &Rest) -> Result<By, Refused> {
        // Required by its type, so its absence has been reported.
        let Some(text) = &batch.by else { return Err(Refused) };
        if text.as_str() != "@key" {
            return self.path(text).map(By::Property).ok_or(Refused);
        }
        let at = rest.at.as_ref().filter(|at| at.as_str().contains("[*]"));
        match at {
            None => Ok(By::Name),
            Some(at) => Err(self.refuse_with(
                at.place(),
                "`[*]` gives a list, but `by: \"@key\"` reads an object keyed by key",
                "name the property that holds the object",
            )),
        }
    }

    fn first(&mut self, text: &Text, around: Surroundings<'s, '_>) -> Result<Path, Refused> {
        let Site::Field(site) = around.site else {
            let message = "a lookup gives one object a key, so there is no `first` of them";
            return Err(self.refuse_with(text.place(), message, "leave `first` out"));
        };
        if site.answer_is_value && !site.field.ty.is_list() {
            let message =
                format!("`{}.{}` is no list to keep some rows of", site.of, site.field.name);
            return Err(self.refuse_with(text.place(), message, "leave `first` out"));
        }
        let key = self.key_path(text)?;
        let argument = match key.root {
            Root::Args => Argument::find(self.schema, around.inputs, site.field, &key.path),
            _ => {
                let help = "name an argument of the field, as in `args.first`";
                return Err(self.refuse_with(text.place(), "`first` is an argument", help));
            }
        };
        match argument {
            Ok(argument) if argument.is_int() => Ok(argument.wire),
            Ok(_) => {
                let message = format!("`{}` is no `Int`", text.as_str());
                Err(self.refuse(Some(text.place()), message))
            }
            Err(error) => {
                self.push(Problem { help: error.help, ..text.place().error(error.message) });
                Err(Refused)
            }
        }
    }

    /// Reads a key path and checks it against the field it stands on.
    pub(super) fn key(
        &mut self,
        text: &Text,
        used: Use,
        site: FieldSite<'s>,
        inputs: &Inputs,
    ) -> Result<KeyPath, Refused> {
        let mut key = self.key_path(text)?;
        match key.root {
            Root::This if site.is_root => return Err(self.no_this(text.place(), site)),
            Root::This if site.has_answer && used != Use::Batch => {
                let message = "a key of `this` beside a `@rest` does not work yet";
                let help = "beside a `@rest` the key is in `answer`, `args` or `claims`";
                return Err(self.refuse_with(text.place(), message, help));
            }
            Root::Answer if used == Use::Batch => {
                let message = "the keys of a batch are known before its answer";
                let help = "a parent's key is in `this`: `this.id`";
                return Err(self.refuse_with(text.place(), message, help));
            }
            Root::Answer if !site.has_answer => {
                let message = "there is no `answer` without a `@rest` beside";
                let help = "a property of the parent is `this.name`";
                return Err(self.refuse_with(text.place(), message, help));
            }
            Root::Args => {
                let argument = self.key_argument(text, &key, used, (site, inputs))?;
                let schema = self.schema;
                key.rename_args(&mut |path| on_wire(schema, inputs, site.field, path));
                debug_assert_eq!(key.path, argument.wire);
            }
            _ => {}
        }
        if used != Use::Many && !key.path.is_single() {
            let one = match used {
                Use::Batch => "a parent has one key".to_owned(),
                _ => format!("`{}.{}` is no list", site.of, site.field.name),
            };
            let message = format!("`[*]` gives many keys, but {one}");
            return Err(self.refuse(Some(text.place()), message));
        }
        Ok(key)
    }

    fn key_argument(
        &mut self,
        text: &Text,
        key: &KeyPath,
        used: Use,
        (site, inputs): (FieldSite<'s>, &Inputs),
    ) -> Result<Argument<'s>, Refused> {
        let argument = match Argument::find(self.schema, inputs, site.field, &key.path) {
            Ok(argument) => argument,
            Err(error) => {
                self.push(Problem { help: error.help, ..text.place().error(error.message) });
                return Err(Refused);
            }
        };
        let name = text.as_str();
        let sort = argument.sort(self.schema);
        let message = if sort == Sort::Object {
            format!("`{name}` is an object, and a key is one value")
        } else if sort == Sort::Any {
            return Ok(argument);
        } else if used == Use::Many && !argument.is_list() {
            let field = &site.field.name;
            format!("`{name}` is one key, but `{}.{field}` is a list", site.of)
        } else if used == Use::Many && argument.is_nested_list() {
            format!("`{name}` is a list of lists, and the keys are one list")
        } else if used != Use::Many && argument.is_list() && !argument.is_each {
            format!("`{name}` is a list, and here stands one key")
        } else {
            return Ok(argument);
        };
        Err(self.refuse(Some(text.place()), message))
    }

    fn key_path(&mut self, text: &Text) -> Result<KeyPath, Refused> {
        if text.as_str().trim_start().starts_with('{') && text.as_str().contains(':') {
            let message = "keys of several parts do not work yet";
            return Err(self.refuse_with(text.place(), message, "a key is one path: `this.id`"));
        }
        KeyPath::parse(text.as_str()).map_err(|error| {
            let problem = text.at(&error.span).error(error.message);
            self.push(Problem { help: error.help, ..problem });
            Refused
        })
    }

    /// How a `@ref` on this field uses its key; lists of lists are refused.
    pub(super) fn ref_use(&mut self, text: &Text, site: FieldSite<'_>) -> Result<Use, Refused> {
        match list_depth(&site.field.ty) {
            0 => Ok(Use::One),
            1 => Ok(Use::Many),
            _ => {
                let message = "`@ref` gives one value a key, which makes no list of lists";
                Err(self.refuse(Some(text.place()), message))
            }
        }
    }
}
