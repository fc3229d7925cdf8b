//! Builds the console (`console/`, a page made of npm packages) and hands it to `src/door/console`
//! for embedding.
//!
//! It is built in `OUT_DIR`, once for each content of `console/`; nothing is written beside the
//! sources. Where it cannot be built the gateway is built all the same, with a small page in its
//! place. `ONEDOOR_CONSOLE` says what is wanted: `auto` (the default), `off` (do not try), or
//! `required` (fail if it cannot be built).

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What of `console/` takes no part in the page.
const APART: [&str; 4] = ["node_modules", "dist", "e2e", ".gitignore"];

/// Lines of a failed command that are shown.
const SHOWN: usize = 12;

/// A slow or missing network fails in a minute or two instead of npm's ten.
const INSTALL: [&str; 9] = [
    "ci",
    "--omit=dev",
    "--ignore-scripts",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-timeout=60000",
];

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=ONEDOOR_CONSOLE");
    println!("cargo::rerun-if-changed=build.rs");
    let place = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(format!("no {name}"));
    let (root, out) = (place("CARGO_MANIFEST_DIR")?.join("console"), place("OUT_DIR")?);
    let built = out.join("console-dist");
    let outcome = match env::var("ONEDOOR_CONSOLE").as_deref() {
        Ok("off") => Ok(false),
        Ok("required") => Ok(build(&root, &out, &built)).and_then(|built| built.map(|()| true)),
        Ok("auto" | "") | Err(_) => match build(&root, &out, &built) {
            Ok(()) => Ok(true),
            Err(why) => {
                warn(&why);
                Ok(false)
            }
        },
        Ok(other) => Err(format!("ONEDOOR_CONSOLE is auto, off or required, not `{other}`")),
    };
    let files = if outcome? { files(&built).map_err(|error| error.to_string())? } else { vec![] };
    let table = table(&built, &files);
    fs::write(out.join("console.rs"), table).map_err(|error| error.to_string())
}

fn warn(why: &str) {
    let intro = "the GraphiQL page is not built in; a small page stands in its place";
    let help = "`touch build.rs` tries again, ONEDOOR_CONSOLE=off does without";
    for line in [intro].into_iter().chain(why.lines()).chain([help]) {
        println!("cargo::warning={line}");
    }
}

/// Builds the page into `built`, unless it is there already for these very sources.
fn build(root: &Path, out: &Path, built: &Path) -> Result<(), String> {
    // docs.rs has no network, and its documentation no use for the page.
    if env::var_os("DOCS_RS").is_some() {
        return Err("not for documentation".to_owned());
    }
    let told = |error: io::Error| format!("console/ cannot be read: {error}");
    let sources = sources(root).map_err(told)?;
    let mut hasher = DefaultHasher::new();
    include_bytes!("build.rs").hash(&mut hasher);
    for source in &sources {
        (source, fs::read(root.join(source)).map_err(told)?).hash(&mut hasher);
    }
    let key = format!("{:016x}", hasher.finish());
    let key_file = out.join("console-key");
    if fs::read_to_string(&key_file).is_ok_and(|of| of == key) && built.is_dir() {
        return Ok(());
    }
    let work = out.join("console-work");
    let made = make(root, &sources, &work).and_then(|()| {
        remove(built)?;
        fs::rename(work.join("dist"), built).map_err(|error| error.to_string())?;
        fs::write(&key_file, key).map_err(|error| error.to_string())
    });
    // Hundreds of megabytes that nothing needs any more.
    remove(&work)?;
    made
}

/// A copy of the sources, the packages they name, and the page that comes of both.
fn make(root: &Path, sources: &[PathBuf], work: &Path) -> Result<(), String> {
    remove(work)?;
    for source in sources {
        let to = work.join(source);
        let copied = match to.parent() {
            Some(folder) => fs::create_dir_all(folder),
            None => Ok(()),
        };
        let copied = copied.and_then(|()| fs::copy(root.join(source), &to));
        copied.map_err(|error| format!("console/ cannot be copied: {error}"))?;
    }
    npm(work, &INSTALL)?;
    npm(work, &["run", "--silent", "build"])
}

fn npm(work: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(work)
        .env("NO_COLOR", "1")
        .env("FORCE_COLOR", "0")
        .stdin(Stdio::null())
        .output();
    let output = match ran {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err("npm is not installed; it comes with Node.js 20.19 or newer".to_owned());
        }
        Err(error) => return Err(format!("npm cannot be run: {error}")),
    };
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let shown: Vec<&str> = lines.take(SHOWN).collect();
    let (command, status) = (arguments.join(" "), output.status);
    Err(format!("`npm {command}` failed ({status}):\n{}", shown.join("\n")))
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Every file that the page is made of, below `console/`. Cargo is told to look at them again.
fn sources(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if APART.iter().any(|apart| entry.file_name() == *apart) {
            continue;
        }
        println!("cargo::rerun-if-changed={}", entry.path().display());
        collect(&entry.path(), &mut found)?;
    }
    let below = |path: PathBuf| path.strip_prefix(root).map(Path::to_path_buf).unwrap_or(path);
    let mut found: Vec<PathBuf> = found.into_iter().map(below).collect();
    found.sort();
    Ok(found)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), found)?;
    }
    Ok(())
}

/// The files of the page, compressed, in the order of their names.
fn files(built: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(built, &mut found)?;
    found.retain(|file| file.extension().is_some_and(|extension| extension == "gz"));
    found.sort();
    Ok(found)
}

/// A Rust expression: each file's path below the page's and its bytes.
fn table(built: &Path, files: &[PathBuf]) -> String {
    let mut table = "&[\n".to_owned();
    for file in files {
        let name = file.strip_prefix(built).unwrap_or(file).with_extension("");
        let name = name.to_string_lossy().replace('\\', "/");
        // Writing to a string cannot fail.
        let _ = writeln!(table, "    ({name:?}, include_bytes!({file:?}).as_slice()),");
    }
    table + "]\n"
}
