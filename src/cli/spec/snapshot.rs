//! Blocks that show what came out: written anew, written for the first time, and compared.

use std::fmt::Write as _;

use crate::config::{Problem, Problems};

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

/// Problems by line; those of blocks with their place in the document.
pub(super) fn places(document: &Document, problems: &Problems) -> String {
    let mut text = String::new();
    for problem in problems.iter() {
        let _ = writeln!(
            text,
            "{}{}: {}",
            place(document, problems, problem),
            problem.severity,
            problem.message
        );
        if let Some(help) = &problem.help {
            let _ = writeln!(text, "    {help}");
        }
    }
    text
}

fn place(document: &Document, problems: &Problems, problem: &Problem) -> String {
    let Some(file) = problem.source.and_then(|source| problems.sources.get(source)) else {
        return String::new();
    };
    let at = file.position(problem.span.start);
    let mut blocks = document.schema.iter().chain(&document.settings);
    match blocks.find(|block| block.name == file.name) {
        Some(block) => {
            format!("{}:{}:{}: ", document.path.display(), block.line + at.line - 1, at.column)
        }
        None => format!("{}:{at}: ", file.name),
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
