//! Blocks that show what came out: written anew, written for the first time, and compared.

use crate::config::{Problem, Problems, Severity};

use super::document::{Document, Snapshot};
use super::markdown::closes;
use super::report::Edit;

/// A text without spaces at the end of lines and without empty lines at its end.
pub(super) fn lines(text: &str) -> String {
    let mut lines: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    lines.truncate(lines.trim_end().len());
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

/// The block with another text in it.
pub(super) fn replaced(snapshot: &Snapshot, info: &str, text: &str) -> Edit {
    Edit { span: snapshot.span.clone(), text: block(&snapshot.fence, info, text) }
}

/// A block below what ends there.
pub(super) fn inserted(at: usize, info: &str, text: &str) -> Edit {
    Edit { span: at..at, text: format!("\n\n{}", block("```", info, text)) }
}

/// The fence grows where the text would close it.
fn block(fence: &str, info: &str, text: &str) -> String {
    let mut fence = fence.to_owned();
    while let Some(mark) = fence.chars().next()
        && text.lines().any(|line| closes(line, &fence))
    {
        fence.push(mark);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{info}\n{text}{end}{fence}")
}

/// Why there is no gateway: each error with its line in the document. One in a file of the project
/// has its place there.
pub(super) fn errors(document: &Document, problems: &Problems) -> Vec<(usize, String)> {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let mut errors: Vec<_> = errors
        .map(|problem| {
            let (line, place) = place(document, problems, problem);
            let help = problem.help.as_ref().map_or(String::new(), |help| format!("\n{help}"));
            (line, format!("{place}{}{help}", problem.message))
        })
        .collect();
    errors.sort_by_key(|(line, _)| *line);
    errors
}

fn place(document: &Document, problems: &Problems, problem: &Problem) -> (usize, String) {
    let Some(file) = problem.source.and_then(|source| problems.sources.get(source)) else {
        return (1, String::new());
    };
    let at = file.position(problem.span.start);
    let mut blocks = document.schema.iter().chain(&document.settings);
    match blocks.find(|block| block.name == file.name) {
        Some(block) => (block.line + at.line - 1, String::new()),
        None => (1, format!("{}:{at}: ", file.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_any_in_its_text() {
        assert_eq!(block("```", "text calls", "a\n"), "```text calls\na\n```");
        assert_eq!(block("```", "text calls", "  ````\n"), "`````text calls\n  ````\n`````");
        assert_eq!(block("~~~", "text calls", "```\n"), "~~~text calls\n```\n~~~");
        assert_eq!(block("```", "text calls", ""), "```text calls\n```");
    }

    #[test]
    fn white_space_at_ends_does_not_count() {
        assert_eq!(lines("a  \n  b\r\n\n\n"), "a\n  b\n");
        assert_eq!(lines("\n"), "");
    }
}
