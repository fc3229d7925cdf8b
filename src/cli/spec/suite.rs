//! `onedoor test`: finds documents, runs them, and tells what came of it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::document::Document;
use super::project::project_root;
use super::reader;
use super::report::{Check, Report};

/// How `onedoor test` runs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether documents are rewritten to say what came out.
    pub update: bool,
    /// Only documents whose path holds this text, and of others the requests whose name does.
    pub filter: Option<String>,
    /// Whether the output is coloured.
    pub colour: bool,
}

/// What a run of several documents came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything is as the documents say.
    Passed,
    /// Something is not.
    Failed,
    /// A document cannot be read.
    Unreadable,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(match verdict {
            Verdict::Passed => 0,
            Verdict::Failed => 1,
            Verdict::Unreadable => 2,
        })
    }
}

/// Runs documents, and those below directories, and writes a line for each and what failed.
///
/// # Errors
/// If `out` cannot be written.
pub fn run_all(paths: &[PathBuf], options: &Options, out: &mut dyn Write) -> io::Result<Verdict> {
    let mut suite =
        Suite { options, out, passed: 0, failed: 0, rewritable: false, verdict: Verdict::Passed };
    for path in paths {
        match find(path) {
            Ok(found) => {
                for (path, named) in found {
                    suite.document(&path, named)?;
                }
            }
            Err(error) => suite.unreadable(path, &[reason(&error)])?,
        }
    }
    suite.summary()
}

struct Suite<'a> {
    options: &'a Options,
    out: &'a mut dyn Write,
    passed: usize,
    failed: usize,
    /// Whether a rewritten document would pass where it failed.
    rewritable: bool,
    verdict: Verdict,
}

impl Suite<'_> {
    /// `named`: the document was asked for by its path, not found in a directory.
    fn document(&mut self, path: &Path, named: bool) -> io::Result<()> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.unreadable(path, &[reason(&error)]),
        };
        // Other Markdown may lie beside documents.
        if !named && !reader::asks(&text) {
            return Ok(());
        }
        let document = match Document::parse(path, &text) {
            Ok(document) => document,
            Err(problems) => {
                let problems: Vec<_> =
                    problems.iter().map(|of| format!("{}:{of}", path.display())).collect();
                return self.unreadable(path, &problems);
            }
        };
        let report = match self.selected(&document) {
            Selected::None => return Ok(()),
            Selected::All => document.run(project_root(path).as_deref()),
            Selected::Requests(name) => document.run(project_root(path).as_deref()).only(&name),
        };
        if self.options.update
            && let Some(rewritten) = report.rewritten(&text)
        {
            fs::write(path, rewritten)?;
            return self.updated(report);
        }
        self.report(&report)
    }

    fn selected(&self, document: &Document) -> Selected {
        match &self.options.filter {
            None => Selected::All,
            Some(filter) if document.path().to_string_lossy().contains(filter) => Selected::All,
            Some(filter) if document.requests().any(|name| name.contains(filter)) => {
                Selected::Requests(filter.clone())
            }
            Some(_) => Selected::None,
        }
    }

    fn report(&mut self, report: &Report) -> io::Result<()> {
        let mark = self.mark(report.passed());
        writeln!(self.out, "{mark} {}", report.path.display())?;
        if report.passed() {
            self.passed += 1;
            return Ok(());
        }
        self.failed += 1;
        self.rewritable |= report.failures().any(Check::can_be_rewritten);
        self.verdict = self.verdict.max(Verdict::Failed);
        self.indented(&report.render(self.options.colour))
    }

    fn updated(&mut self, report: Report) -> io::Result<()> {
        let changes: Vec<_> = report
            .checks
            .iter()
            .filter_map(|check| Some(format!("  {}: {}", check.line, check.change()?)))
            .collect();
        self.report(&report.after_rewriting())?;
        writeln!(self.out, "  updated:")?;
        for change in changes {
            writeln!(self.out, "  {change}")?;
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &Path, problems: &[String]) -> io::Result<()> {
        self.failed += 1;
        self.verdict = Verdict::Unreadable;
        let mark = self.mark(false);
        writeln!(self.out, "{mark} {}", path.display())?;
        self.indented(&problems.join("\n"))
    }

    fn indented(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        for line in text.lines() {
            let indent = if line.is_empty() { "" } else { "  " };
            writeln!(self.out, "{indent}{line}")?;
        }
        writeln!(self.out)
    }

    fn mark(&self, passed: bool) -> &'static str {
        match (passed, self.options.colour) {
            (true, false) => "✓",
            (false, false) => "✗",
            (true, true) => "\x1b[32m✓\x1b[0m",
            (false, true) => "\x1b[31m✗\x1b[0m",
        }
    }

    fn summary(self) -> io::Result<Verdict> {
        let Self { options, out, passed, failed, rewritable, mut verdict } = self;
        if passed + failed == 0 {
            verdict = verdict.max(Verdict::Unreadable);
            match &options.filter {
                Some(filter) => writeln!(out, "no document or request has `{filter}` in its name")?,
                None => writeln!(out, "there is no document here")?,
            }
            return Ok(verdict);
        }
        if failed == 0 {
            writeln!(out, "{passed} passed")?;
        } else {
            writeln!(out, "{passed} passed, {failed} failed")?;
        }
        if rewritable {
            writeln!(out, "where the gateway is right, `--update` makes the documents say so")?;
        }
        Ok(verdict)
    }
}

enum Selected {
    All,
    Requests(String),
    None,
}

/// Why a file cannot be read, in words that are the same on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// A document, or those of a directory and the ones below it, by name.
fn find(path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![(path.to_owned(), true)]);
    }
    let mut found = Vec::new();
    collect(path, 0, &mut found)?;
    found.sort();
    Ok(found.into_iter().map(|path| (path, false)).collect())
}

/// How deep directories are searched.
const DEPTH: usize = 16;

fn collect(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            let other = name.starts_with('.') || matches!(&*name, "target" | "node_modules");
            if depth < DEPTH && !other {
                collect(&path, depth + 1, found)?;
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    Ok(())
}
