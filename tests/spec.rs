//! Every numbered `tests/spec/*.md` is a test, and so are the example in its README and the
//! repository's README itself. With `UPDATE_SPEC=1`
//! documents are rewritten to say what came out.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use onedoor::cli::spec::{Document, project_root};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = Path::new("tests/spec");
    let mut documents: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    documents.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == "README.md" || name.starts_with(|first: char| first.is_ascii_digit())
    });
    documents.sort();
    documents.push(PathBuf::from("README.md"));
    let tests = documents.into_iter().map(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match (name == "README", path.parent() == Some(folder)) {
            (true, true) => Trial::test("the_example_in_their_readme", move || example(&path)),
            _ => Trial::test(name, move || document(&path)),
        }
    });
    let arguments = Arguments::from_args();
    Ok(libtest_mimic::run(&arguments, tests.collect()).exit_code())
}

fn document(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let rewritten = run(path, &text)?;
    if let Some(rewritten) = rewritten {
        fs::write(path, rewritten)?;
    }
    Ok(())
}

/// The README shows a whole document in a fence of its own.
fn example(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let (before, rest) = text.split_once("````markdown\n").ok_or("the README has no example")?;
    let (example, after) = rest.split_once("````\n").ok_or("the example has no end")?;
    if let Some(rewritten) = run(path, example)? {
        fs::write(path, format!("{before}````markdown\n{rewritten}````\n{after}"))?;
    }
    Ok(())
}

/// Runs a document; gives its new text if it was to be updated and anything changed.
fn run(path: &Path, text: &str) -> Result<Option<String>, Failed> {
    let document = Document::parse(path, text).map_err(|problems| {
        let problems = problems.iter().map(|problem| format!("{}:{problem}\n", path.display()));
        Failed::from(problems.collect::<String>())
    })?;
    let report = document.run(project_root(path).as_deref());
    let update = std::env::var_os("UPDATE_SPEC").is_some();
    let rewritten = update.then(|| report.rewritten(text)).flatten();
    let report = if rewritten.is_some() { report.after_rewriting() } else { report };
    match report.passed() {
        true => Ok(rewritten),
        false => Err(report.render(false).into()),
    }
}
