//! The parts of a Markdown file that matter here: headings and fenced code blocks, with their
//! places in the text. Knows nothing of what a block means.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A part of a file, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The block between `---` lines at the top.
    FrontMatter(Fenced),
    /// A heading.
    Heading(Heading),
    /// A fenced code block.
    Block(Fenced),
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// From 1 to 6.
    pub(super) level: usize,
    /// Its text without markup.
    pub(super) text: String,
}

/// A fenced block and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fenced {
    /// What follows the opening fence.
    pub(super) info: String,
    /// The opening fence itself, without info.
    pub(super) fence: String,
    /// The block's bytes, fences included, without the last line's end.
    pub(super) span: Range<usize>,
    /// The lines between the fences, with `\n` ends.
    pub(super) text: String,
    /// The line of the opening fence, from 1.
    pub(super) line: usize,
    /// Whether there is a closing fence.
    pub(super) closed: bool,
    /// Whether it begins at the left margin: not in a list or a quotation.
    pub(super) at_margin: bool,
}

/// All headings and fenced blocks of a text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut heading: Option<Heading> = None;
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    for (event, span) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                heading = Some(Heading { level: level as usize, text: String::new() });
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.text.push_str(&part);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut heading {
                    heading.text.push(' ');
                }
            }
            Event::End(TagEnd::Heading(_)) => parts.extend(heading.take().map(|heading| {
                Part::Heading(Heading { text: heading.text.trim().to_owned(), ..heading })
            })),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                parts.push(Part::Block(fenced(text, span)));
            }
            Event::Start(Tag::MetadataBlock(_)) => {
                parts.push(Part::FrontMatter(fenced(text, span)));
            }
            _ => {}
        }
    }
    parts
}

/// Takes a block apart by its lines. The parser's own text would have lost where it lay.
fn fenced(text: &str, span: Range<usize>) -> Fenced {
    let before = text.get(..span.start).unwrap_or_default();
    let whole = text.get(span.clone()).unwrap_or_default().trim_end_matches(['\n', '\r']);
    let mut lines = whole.split_inclusive('\n');
    let opening = lines.next().unwrap_or_default().trim();
    let info = opening.trim_start_matches(['`', '~', '-']);
    let fence = opening.get(..opening.len() - info.len()).unwrap_or_default();
    let mut content: Vec<&str> = lines.collect();
    let closed = content.last().is_some_and(|line| closes(line, fence));
    if closed {
        content.pop();
    }
    let mut text: String = content.concat().replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Fenced {
        info: info.trim().to_owned(),
        fence: fence.to_owned(),
        span: span.start..span.start + whole.len(),
        text,
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        closed,
        at_margin: before.is_empty() || before.ends_with('\n'),
    }
}

/// Whether a line ends a block of this fence (CommonMark section 4.5).
pub(super) fn closes(line: &str, fence: &str) -> bool {
    let line = line.trim();
    line.len() >= fence.len()
        && fence.chars().next().is_some_and(|mark| line.chars().all(|c| c == mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<Fenced> {
        let parts = parts(text).into_iter();
        parts
            .filter_map(|part| if let Part::Block(block) = part { Some(block) } else { None })
            .collect()
    }

    #[test]
    fn a_block_has_its_info_its_lines_and_its_place() {
        let text = "# A `b` *c*\t\n\n```json  response 400 \n{}\n\n```\nend\n";
        let found = parts(text);
        assert_eq!(found[0], Part::Heading(Heading { level: 1, text: "A b c".to_owned() }));
        let [block] = &blocks(text)[..] else { panic!("one block") };
        assert_eq!((&*block.info, &*block.fence), ("json  response 400", "```"));
        assert_eq!((&*block.text, block.line), ("{}\n\n", 3));
        assert_eq!(&text[block.span.clone()], "```json  response 400 \n{}\n\n```");
        assert!(block.closed && block.at_margin);
    }

    #[test]
    fn an_empty_block_has_no_lines() {
        assert_eq!(blocks("```text calls\n```\n")[0].text, "");
    }

    #[test]
    fn line_ends_of_other_systems_are_read_as_line_ends() {
        let text = "# A\r\n\r\n```text calls\r\na\r\nb\r\n```\r\n";
        let [block] = &blocks(text)[..] else { panic!("one block") };
        assert_eq!((&*block.info, &*block.text, block.line), ("text calls", "a\nb\n", 3));
        assert!(block.closed);
        assert!(text[block.span.clone()].ends_with("```"));
    }

    #[test]
    fn a_block_shown_within_a_longer_fence_is_text() {
        let found = blocks("````markdown\n```json response\n{}\n```\n````\n");
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].fence, &*found[0].info), ("````", "markdown"));
    }

    #[test]
    fn a_block_that_never_ends_and_one_in_a_list_are_told_apart_from_the_others() {
        assert!(!blocks("```json response\n{}\n")[0].closed);
        assert!(!blocks("- a\n\n  ```json response\n  {}\n  ```\n")[0].at_margin);
        assert!(!blocks("> ```json response\n> {}\n> ```\n")[0].at_margin);
    }

    #[test]
    fn front_matter_is_a_part_of_its_own() {
        let found = parts("---\nmode: dev\n---\n# T\n");
        let Part::FrontMatter(front) = &found[0] else { panic!("front matter") };
        assert_eq!((&*front.text, front.line), ("mode: dev\n", 1));
    }
}
