//! Names that may have been meant, and lists of names in prose.

use crate::config::suggest::nearest;

/// The nearest name as a question.
pub(super) fn did_you_mean<'n>(
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    // Any one-letter name is near any other.
    let near = if name.chars().count() > 1 { nearest(name, known) } else { None };
    near.map(|near| format!("did you mean `{near}`?"))
}

/// `a`, `b` or `c`: names in backticks, phrases as they are.
pub(super) fn one_of(names: &[&str], last: &str) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| if name.contains(' ') { (*name).to_owned() } else { format!("`{name}`") })
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [firsts @ .., end] => format!("{} {last} {end}", firsts.join(", ")),
    }
}
