//! Problems as text for people, as one line each, and as JSON for editors and CI.
//!
//! The source line is shown through `mask`, so no written secret and no control character of a
//! file reaches a terminal or a log.

use std::fmt::Write as _;
use std::ops::Range;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};
use serde_json::{Value, json};

use super::mask;
use super::problem::{Problem, Problems, Severity, SourceFile, floor_char_boundary};

impl Problems {
    /// Every problem with its source line and a marker, then a summary (`3 errors, 1 warning`).
    /// Empty if there is none.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        for problem in self.iter() {
            text.push_str(&self.report(problem, colour));
            text.push('\n');
        }
        text.push_str(&self.summary());
        text.push('\n');
        text
    }

    /// One line a problem: `onedoor.toml:3:1: error: message (help: what to do)`.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for problem in self.iter() {
            if let Some(file) = problem.source.and_then(|id| self.sources.get(id)) {
                let _ = write!(text, "{}:{}: ", file.name, file.position(problem.span.start));
            }
            let _ = write!(text, "{}: {}", problem.severity, one_line(&problem.message));
            if let Some(help) = &problem.help {
                let _ = write!(text, " (help: {})", one_line(help));
            }
            text.push('\n');
        }
        text
    }

    /// `{"errors": n, "warnings": n, "problems": [{severity, message, help, file, line, column,
    /// end_line, end_column}]}`. The places are left out where no file is at fault, `help` where
    /// there is none; lines and columns begin at 1, the end is exclusive.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "errors": self.error_count(),
            "warnings": self.warning_count(),
            "problems": self.iter().map(|problem| self.problem_json(problem)).collect::<Vec<_>>(),
        })
    }

    /// How many errors and warnings, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        match (self.error_count(), self.warning_count()) {
            (0, 0) => "no problems".to_owned(),
            (errors, 0) => counted(errors, "error"),
            (0, warnings) => counted(warnings, "warning"),
            (errors, warnings) => {
                format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))
            }
        }
    }

    fn problem_json(&self, problem: &Problem) -> Value {
        let mut object = json!({
            "severity": problem.severity.to_string(),
            "message": problem.message,
        });
        if let Some(help) = &problem.help {
            object["help"] = json!(help);
        }
        if let Some(file) = problem.source.and_then(|id| self.sources.get(id)) {
            let (start, end) = (file.position(problem.span.start), file.position(problem.span.end));
            object["file"] = json!(file.name);
            object["line"] = json!(start.line);
            object["column"] = json!(start.column);
            object["end_line"] = json!(end.line);
            object["end_column"] = json!(end.column);
        }
        object
    }

    fn report(&self, problem: &Problem, colour: bool) -> String {
        let message = mask::plain(&problem.message);
        let help = problem.help.as_deref().map(mask::plain);
        let Some(file) = problem.source.and_then(|id| self.sources.get(id)) else {
            let mut text = format!("{}: {message}\n", title(problem.severity));
            if let Some(help) = help {
                let _ = writeln!(text, "Help: {help}");
            }
            return text;
        };
        let (kind, label_colour) = match problem.severity {
            Severity::Error => (ReportKind::Error, Color::Red),
            Severity::Warning => (ReportKind::Warning, Color::Yellow),
        };
        let shown = mask::displayable(&file.text);
        let span = marked(&shown, &problem.span);
        let config = Config::new().with_color(colour).with_index_type(IndexType::Byte);
        let place = (file.name.as_str(), span);
        let mut label = Label::new(place.clone()).with_color(label_colour);
        // An empty line has nothing to point at.
        if !place.1.is_empty() {
            label = label.with_message("here");
        }
        let mut report = Report::build(kind, place.clone())
            .with_config(config)
            .with_message(message)
            .with_label(label);
        report.with_helps(help);
        let mut bytes = Vec::new();
        match report.finish().write((file.name.as_str(), Source::from(&*shown)), &mut bytes) {
            Ok(()) => without_trailing_spaces(&String::from_utf8_lossy(&bytes)),
            // Writing to memory does not fail; the short form says the same.
            Err(_) => fallback(file, problem),
        }
    }
}

/// The part of a span that can be underlined: on character boundaries, within its first line, and
/// at least one character wide where the line has one.
fn marked(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor_char_boundary(text, span.start);
    let rest = text.get(start..).unwrap_or_default();
    let line_end = start + rest.find(['\n', '\r']).unwrap_or(rest.len());
    let end = floor_char_boundary(text, span.end).min(line_end);
    if end > start {
        return start..end;
    }
    match text.get(start..line_end).and_then(|line| line.chars().next()) {
        Some(next) => start..start + next.len_utf8(),
        // At the end of a line: its last character.
        None => match text.get(..start).and_then(|before| before.chars().next_back()) {
            Some(last) if last != '\n' => start - last.len_utf8()..start,
            _ => start..start,
        },
    }
}

fn title(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    }
}

fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn one_line(text: &str) -> String {
    mask::plain(text).replace('\n', " ")
}

fn without_trailing_spaces(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

fn fallback(file: &SourceFile, problem: &Problem) -> String {
    let at = file.position(problem.span.start);
    format!("{}: {} ({}:{at})\n", title(problem.severity), problem.message, file.name)
}
