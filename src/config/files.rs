//! The settings files of a project on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::problem::{Problem, Problems, SourceId};

/// More than any settings file has; keeps a wrong file out of memory.
const MOST_BYTES: u64 = 1 << 20;

/// A settings file that was added to the problems' sources.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingsText {
    pub(crate) source: SourceId,
    /// False if its text could not be had, which was reported.
    pub(crate) readable: bool,
}

/// Reads `onedoor.toml` and `upstreams/*.toml`; what cannot be read is a problem. Each may be
/// missing, since every setting of `onedoor.toml` has a default, but not both.
pub(crate) fn read(root: &Path, problems: &mut Problems) -> Vec<SettingsText> {
    let mut paths = Vec::new();
    let gateway = root.join("onedoor.toml");
    if gateway.exists() {
        paths.push((gateway, "onedoor.toml".to_owned()));
    }
    match upstreams(&root.join("upstreams")) {
        Ok(found) => paths.extend(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound && paths.is_empty() => {
            problems.push(
                Problem::without_file("this is not a project: it has no `onedoor.toml`").with_help(
                    "run the command in the directory that holds `onedoor.toml` and `upstreams`",
                ),
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => problems
            .push(Problem::without_file(format!("`upstreams` cannot be read: {}", reason(&error)))),
    }
    paths.iter().map(|(path, name)| read_one(path, name, problems)).collect()
}

/// What went wrong with a file, in words that are the same on every system.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::FileTooLarge => "it is too long".to_owned(),
        _ => error.to_string(),
    }
}

/// The `.toml` files of a directory, by name. Hidden files are editors' leftovers.
fn upstreams(directory: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") && !name.starts_with('.') {
            found.push((entry.path(), format!("upstreams/{name}")));
        }
    }
    found.sort();
    Ok(found)
}

fn read_one(path: &Path, name: &str, problems: &mut Problems) -> SettingsText {
    let read = fs::metadata(path).and_then(|metadata| {
        if metadata.len() > MOST_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        fs::read(path)
    });
    match read.map(String::from_utf8) {
        Ok(Ok(text)) => SettingsText { source: problems.sources.add(name, text), readable: true },
        Ok(Err(error)) => {
            let good = error.utf8_error().valid_up_to();
            let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let source = problems.sources.add(name, lossy);
            problems.push(
                Problem::error(source, good..good, "this is not UTF-8, which TOML must be")
                    .with_help("save the file as UTF-8; nothing else of it was checked"),
            );
            SettingsText { source, readable: false }
        }
        Err(error) => {
            let source = problems.sources.add(name, "");
            let message = format!("this file cannot be read: {}", reason(&error));
            problems.push(Problem::error(source, 0..0, message));
            SettingsText { source, readable: false }
        }
    }
}
