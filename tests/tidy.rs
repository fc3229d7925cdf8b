//! The rules of the code that no compiler checks. ARCHITECTURE.md says them, this holds the sources
//! to them: which module may import which, where outside crates may be used, module docs, sizes.

#![expect(clippy::unwrap_used, reason = "a rule that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// No file is longer; tests that sit in files of their own count too.
const FILE_LINES: usize = 600;
/// No function is longer.
const FUNCTION_LINES: usize = 80;

struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

impl Source {
    /// Whether it only holds unit tests.
    fn is_test(&self) -> bool {
        let below = self.path.components().map(|part| part.as_os_str().to_string_lossy());
        below.skip_while(|part| part != "src").any(|part| part == "tests" || part == "tests.rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let source = |path: PathBuf| {
        let below = path.strip_prefix(&root).unwrap();
        let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        Source { path, module, text }
    };
    files.into_iter().map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The rows of the table whose head begins with this cell, as cells without backticks.
fn table(document: &str, head: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let start = format!("| {head} |");
    let rows: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| !line.starts_with(&start))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "{document} has no table that begins with `{head}`");
    rows
}

/// A cell that lists names, separated by commas.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Text without comments, so that prose about a module is no import of it.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that stand after this prefix anywhere in the code.
fn mentioned(code: &str, prefix: &str) -> BTreeSet<String> {
    let part = |at: usize| {
        let rest = &code[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    code.match_indices(prefix).map(|(at, _)| part(at)).filter(|name| !name.is_empty()).collect()
}

#[test]
fn modules_import_only_what_the_table_in_the_architecture_lists() {
    let rows = table("ARCHITECTURE.md", "module");
    let allowed: BTreeMap<String, BTreeSet<String>> =
        rows.iter().map(|row| (row[0].clone(), names(&row[2]))).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        if ["lib", "main"].contains(&source.module.as_str()) {
            continue;
        }
        let Some(allowed) = allowed.get(&source.module) else {
            wrong.push(format!("module `{}` is not in the table", source.module));
            continue;
        };
        let mut used = mentioned(&code(&source.text), "crate::");
        used.remove(&source.module);
        for module in used.iter().filter(|module| rows.iter().any(|row| row[0] == **module)) {
            if !allowed.contains(module) {
                wrong.push(format!("{} imports `{module}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "the table of ARCHITECTURE.md forbids:\n{}", wrong.join("\n"));
}

#[test]
fn modules_of_the_table_come_after_all_they_import() {
    let mut above = BTreeSet::new();
    for row in table("ARCHITECTURE.md", "module") {
        let unknown: Vec<_> =
            names(&row[2]).into_iter().filter(|name| !above.contains(name)).collect();
        assert!(unknown.is_empty(), "`{}` imports {unknown:?}, which stand below it", row[0]);
        above.insert(row[0].clone());
    }
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    let gone: Vec<_> = above.difference(&modules).collect();
    assert!(gone.is_empty(), "the table lists modules that are not there: {gone:?}");
}

#[test]
fn outside_crates_stay_in_the_modules_that_are_about_them() {
    let mut wrong = Vec::new();
    let files = sources();
    for row in table("ARCHITECTURE.md", "crate") {
        let allowed = names(&row[1]);
        let prefix = format!("{}::", row[0]);
        let uses = |source: &&Source| {
            let code = code(&source.text);
            let mut places = code.match_indices(&prefix);
            places.any(|(at, _)| {
                !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            })
        };
        let users: Vec<&Source> = files.iter().filter(uses).collect();
        assert!(!users.is_empty(), "nothing uses `{}`; the row can go", row[0]);
        for source in users.iter().filter(|source| !allowed.contains(&source.module)) {
            wrong.push(format!("{} uses `{}`", source.path.display(), row[0]));
        }
    }
    assert!(wrong.is_empty(), "the table of ARCHITECTURE.md forbids:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let silent = |source: &Source| !source.text.starts_with("//! ");
    let silent: Vec<_> = sources().into_iter().filter(silent).map(|source| source.path).collect();
    assert!(silent.is_empty(), "these files have no `//!` in their first line: {silent:?}");
}

#[test]
fn no_module_is_named_for_holding_anything() {
    let vague = ["utils", "util", "helpers", "helper", "common", "misc", "shared"];
    for source in sources() {
        let stem = source.path.file_stem().unwrap().to_str().unwrap();
        let parent = source.path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        assert!(!vague.contains(&stem) && !vague.contains(&parent), "{}", source.path.display());
    }
}

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE_LINES {
            long.push(format!("{}: {} lines", source.path.display(), lines.len()));
        }
        // A table of cases is as long as it is.
        if source.is_test() {
            continue;
        }
        for (start, end) in functions(&lines) {
            if end - start + 1 > FUNCTION_LINES {
                let (path, lines) = (source.path.display(), end - start + 1);
                long.push(format!("{path}:{}: a function of {lines} lines", start + 1));
            }
        }
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

/// First and last line of each function, by rustfmt's indentation.
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let starts = ["fn ", "pub fn ", "async fn ", "pub async fn ", "const fn ", "pub const fn "];
        let scoped = bare.starts_with("pub(") && bare.contains(" fn ");
        if !starts.iter().any(|start| bare.starts_with(start)) && !scoped {
            continue;
        }
        let indent = &line[..line.len() - bare.len()];
        let close = format!("{indent}}}");
        // A trait's function may end without a body.
        let bare_end = |line: &str| {
            let below = line.strip_prefix(indent).unwrap_or_default();
            below.ends_with(';') && !below.starts_with(' ')
        };
        let end = lines[start..].iter().position(|line| *line == close || bare_end(line));
        if let Some(length) = end.filter(|length| lines[start + length] == close) {
            found.push((start, start + length));
        }
    }
    found
}

/// What people wrote of the console, and what builds it.
fn console() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("build.rs")];
    let console = root.join("console");
    for folder in [console.clone(), console.join("src"), console.join("e2e")] {
        files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    let written = ["rs", "ts", "tsx", "mjs", "css"];
    let is_written = |file: &PathBuf| {
        file.extension().is_some_and(|of| written.iter().any(|written| of == *written))
    };
    let text = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        (file, text)
    };
    files.into_iter().filter(is_written).map(text).collect()
}

#[test]
fn the_consoles_files_are_short_and_say_what_they_are_for() {
    let files = console();
    assert!(files.len() > 10, "the console was not found");
    for (file, text) in files {
        let begins = ["//! ", "// ", "/* "].iter().any(|begin| text.starts_with(begin));
        assert!(begins, "{} does not begin with a comment", file.display());
        assert!(text.lines().count() <= FILE_LINES, "{} is too long", file.display());
    }
}

#[test]
fn the_consoles_page_and_its_lock_name_no_place_to_load_from() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("console");
    let lock = fs::read_to_string(root.join("package-lock.json")).unwrap();
    assert!(lock.contains("\"integrity\": \"sha512-"), "packages are held by their hashes");
    assert!(!lock.contains("\"resolved\""), "omit-lockfile-registry-resolved is in .npmrc");
    for name in ["index.html", "src/style.css"] {
        let text = fs::read_to_string(root.join(name)).unwrap();
        let elsewhere =
            text.contains("http:") || text.contains("https:") || text.contains("url(//");
        assert!(!elsewhere, "{name} loads from elsewhere");
    }
}

#[test]
fn every_error_code_is_in_the_table_of_failures() {
    let rows = table("ARCHITECTURE.md", "code");
    let told: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    let codes: Vec<String> =
        onedoor::failure::Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    assert_eq!(told, codes, "ARCHITECTURE.md lists the codes in the order of `Code::ALL`");
}

#[test]
fn the_readmes_settings_are_right_and_what_it_calls_defaults_are() {
    use onedoor::config::{Config, FixedEnv};
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks: Vec<(&str, &str)> = readme
        .split("```toml\n# ")
        .skip(1)
        .filter_map(|rest| rest.split("```").next()?.split_once('\n'))
        .collect();
    assert_eq!(blocks.len(), 7, "{blocks:?}");
    let text = |name: &str, text: &str| match name {
        "onedoor.toml" => format!("{text}[[auth.jwt]]\nsecret = \"{}\"\n", "x".repeat(32)),
        _ => format!("url = \"http://x\"\n{text}"),
    };
    let loaded = |(name, block): &(&str, &str)| {
        let issuer = text("onedoor.toml", "");
        let mut files = vec![((*name).to_owned(), text(name, block))];
        if *name != "onedoor.toml" {
            files.push(("onedoor.toml".to_owned(), issuer));
        }
        let loaded = Config::from_texts(files, &FixedEnv::new());
        assert!(!loaded.problems.has_errors(), "{}", loaded.problems.render(false));
        loaded.draft
    };
    let of = |table: &str| blocks.iter().find(|(_, block)| block.starts_with(table)).unwrap();
    let (cors, cache, graphql) = (of("[cors]"), of("[cache]"), of("[graphql]"));
    let (cors_block, told) = (cors.1, loaded(cors).cors);
    let origins = cors_block.lines().find(|line| line.starts_with("origins")).unwrap();
    let used = loaded(&("onedoor.toml", &format!("[cors]\n{origins}\n"))).cors;
    assert_eq!(format!("{told:?}"), format!("{used:?}"));
    assert_eq!(loaded(cache).cache, loaded(&("onedoor.toml", "")).cache);
    let default = loaded(&("onedoor.toml", "")).graphql;
    assert_eq!(format!("{:?}", loaded(graphql).graphql), format!("{default:?}"));
    let every = |block: &str| {
        let told = loaded(&("upstreams/notifications.toml", block));
        told.upstreams["notifications"].mock.as_ref().unwrap().streams[0].every
    };
    let (_, mock) = of("[mock]");
    let without = mock.lines().filter(|line| !line.starts_with("every"));
    assert_eq!(every(mock), every(&without.collect::<Vec<_>>().join("\n")));
    assert!(blocks.iter().map(loaded).count() == 7);
}

#[test]
fn the_readme_names_commands_that_are_there_and_the_limits_that_hold() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_onedoor")).arg("--help").output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let known: BTreeSet<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let told: BTreeSet<String> = mentioned(&readme, "`onedoor ")
        .into_iter()
        .chain(mentioned(&readme, "\nonedoor "))
        .chain(mentioned(&readme, "$(onedoor "))
        .collect();
    let unknown: Vec<_> = told.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "the README names {unknown:?}, `--help` does not");
    let untold: Vec<_> =
        known.iter().filter(|name| **name != "help" && !told.contains(**name)).collect();
    assert!(untold.is_empty(), "the README does not name {untold:?}");

    let limits = onedoor::config::Limits::default();
    let told = readme.split("## Limits").nth(1).unwrap();
    for limit in [
        format!("body {} MiB", limits.request_body.bytes() >> 20),
        format!("{},000 tokens", limits.query_tokens.get() / 1000),
        format!("nesting {}", limits.query_nesting.get()),
        format!("{},000 planned fields", limits.plan_fields.get() / 1000),
        format!("{} upstream calls", limits.upstream_calls.get()),
        format!("{} MiB an answer", limits.upstream_answer.bytes() >> 20),
        format!("{} MiB the response", limits.response.bytes() >> 20),
        format!("{} s in all", limits.deadline.get().as_secs()),
    ] {
        assert!(told.contains(&limit), "the README does not say `{limit}`");
    }
}
