//! What `check` warns of: templates that are allowed, but seldom mean what they do.

use std::ops::Range;

use super::Root;
use super::request::{KeyMode, Part};
use super::url::{Param, Part as UrlPart};
use crate::json::Path;

/// Something that is allowed, but seldom meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Which text the span is in.
    pub part: Part,
    /// The bytes meant.
    pub span: Range<usize>,
    /// What may go wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// The warning holds only if this argument, by the names as written, is a String or an ID.
    pub argument: Option<Path>,
}

/// Parameters that by custom say which page of a list is wanted.
const PAGING: [&str; 18] = [
    "limit",
    "offset",
    "page",
    "per_page",
    "perpage",
    "per-page",
    "page_size",
    "pagesize",
    "page-size",
    "page_number",
    "pagenumber",
    "first",
    "last",
    "top",
    "skip",
    "take",
    "cursor",
    "starting_after",
];

/// Warnings of a query's parameters.
pub(super) fn of_query(query: &[Param], mode: KeyMode) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for param in query {
        if mode == KeyMode::Many && is_paging(&param.name) {
            warnings.push(Warning {
                part: Part::Path,
                span: param.span.clone(),
                message: format!("`{}` counts over all keys of a batch, not for each", param.name),
                help: "`first` in `batch` keeps so many rows of each key".to_owned(),
                argument: None,
            });
        }
        let longer = param.value.iter().any(|part| matches!(part, UrlPart::Literal(_)));
        for reference in param.value.iter().filter_map(UrlPart::reference).filter(|_| longer) {
            if reference.root == Root::Args {
                warnings.push(Warning {
                    part: Part::Path,
                    span: reference.span.clone(),
                    message: format!(
                        "`{{{}}}` is a part of what `{}` means to the upstream: encoding does not \
                         protect a language of its own",
                        reference.as_written(),
                        param.name
                    ),
                    help: "give the argument an enum, an Int, or a parameter of its own".to_owned(),
                    argument: Some(reference.path.clone()),
                });
            }
        }
    }
    warnings
}

fn is_paging(name: &str) -> bool {
    let name = name.trim_start_matches(['_', '$', '@']).to_ascii_lowercase();
    name.starts_with("page[") || PAGING.contains(&name.as_str())
}
