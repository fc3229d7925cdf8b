//! What `onedoor test` prints, and what it writes. Each `tests/fixtures/spec/NAME.md` is run, and
//! `NAME.txt` is the whole output; `UPDATE_SPEC=1` writes it.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in tests, not in what they call")]

use std::fs;
use std::path::{Path, PathBuf};

use onedoor::cli::spec::{Document, Options, Verdict, run_all};

fn output(paths: &[&Path], options: &Options) -> (String, Verdict) {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let mut out = Vec::new();
    let verdict = run_all(&paths, options, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), verdict)
}

fn expect(name: &str, verdict: Verdict) {
    let folder = Path::new("tests/fixtures/spec");
    let (document, expected) = (format!("{name}.md"), folder.join(format!("{name}.txt")));
    let (found, was) = output(&[&folder.join(document)], &Options::default());
    if std::env::var_os("UPDATE_SPEC").is_some() {
        fs::write(&expected, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&expected).unwrap_or_default());
    assert_eq!(was, verdict);
}

#[test]
fn a_document_that_is_right_is_one_line() {
    expect("passes", Verdict::Passed);
}

#[test]
fn what_differs_is_shown_as_a_difference() {
    expect("differs", Verdict::Failed);
}

#[test]
fn a_call_that_no_exchange_answers_is_shown_with_the_nearest_and_what_to_add() {
    expect("undeclared_call", Verdict::Failed);
}

#[test]
fn exchanges_are_used_in_turn_and_those_of_the_nearest_heading_first() {
    expect("exchanges", Verdict::Passed);
}

#[test]
fn an_exchange_that_wants_another_header_says_which() {
    expect("another_header", Verdict::Failed);
}

#[test]
fn an_exchange_that_is_never_used_fails_the_document() {
    expect("unused_exchange", Verdict::Failed);
}

#[test]
fn mistakes_of_form_are_reported_all_at_once() {
    expect("mistakes", Verdict::Unreadable);
}

#[test]
fn mistakes_of_schema_and_settings_have_their_line_in_the_document() {
    expect("no_gateway", Verdict::Failed);
}

#[test]
fn a_document_that_asks_nothing_is_a_mistake() {
    expect("asks_nothing", Verdict::Unreadable);
}

/// The same document before and after `--update`.
const BEFORE: &str = r#"# Users   
<!-- kept -->
~~~graphql schema
type Query { user(id: ID!): User @rest(upstream: "users", path: "/users/{args.id}") }
type User { id: ID!  name: String }
~~~
```http users
GET /users/7

HTTP 200
{"id": 7, "name": "Ada"}
```
## First	
````graphql   request
{ user(id: 7) { id name } }
````
~~~json   response 400
{"data": null}
~~~
Prose between the blocks.
```text calls
```
## Second
```graphql request
query Q($id: ID!) { user(id: $id) { name } }
```

```json variables
{"id": 7}
```
Prose at the end, without a line end."#;

const AFTER: &str = r#"# Users   
<!-- kept -->
~~~graphql schema
type Query { user(id: ID!): User @rest(upstream: "users", path: "/users/{args.id}") }
type User { id: ID!  name: String }
~~~
```http users
GET /users/7

HTTP 200
{"id": 7, "name": "Ada"}
```
## First	
````graphql   request
{ user(id: 7) { id name } }
````
~~~json response
{
  "data": {
    "user": {"id": "7", "name": "Ada"}
  }
}
~~~
Prose between the blocks.
```text calls
users GET /users/7
```
## Second
```graphql request
query Q($id: ID!) { user(id: $id) { name } }
```

```json variables
{"id": 7}
```

```json response
{
  "data": {
    "user": {"name": "Ada"}
  }
}
```

```text calls
users GET /users/7
```
Prose at the end, without a line end."#;

fn update() -> Options {
    Options { update: true, ..Options::default() }
}

/// The output, with the folder's path left out.
fn in_folder(folder: &Path, paths: &[&str], options: &Options) -> (String, Verdict) {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (text, verdict) = output(&paths, options);
    let folder = format!("{}/", folder.display());
    (text.replace(&folder, ""), verdict)
}

#[test]
fn an_update_writes_what_came_out_and_keeps_every_other_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.md");
    fs::write(&path, BEFORE).unwrap();
    let (text, verdict) = in_folder(folder.path(), &["a.md"], &update());
    assert_eq!(fs::read_to_string(&path).unwrap(), AFTER);
    assert_eq!(
        text,
        "✓ a.md\n  updated:\n    17: \"First\": response\n    21: \"First\": upstream calls\n    \
         24: \"Second\": response, for the first time\n    \
         24: \"Second\": upstream calls, for the first time\n1 passed\n"
    );
    assert_eq!(verdict, Verdict::Passed);
}

#[test]
fn an_update_of_a_document_that_is_right_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.md");
    fs::write(&path, AFTER).unwrap();
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    let (text, _) = in_folder(folder.path(), &["a.md"], &update());
    assert_eq!(text, "✓ a.md\n1 passed\n");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
}

#[test]
fn an_update_writes_the_line_ends_of_the_document() {
    let document = Document::parse(Path::new("a.md"), &BEFORE.replace('\n', "\r\n")).unwrap();
    let rewritten = document.run(None).rewritten(document.text()).unwrap();
    assert_eq!(rewritten, AFTER.replace('\n', "\r\n"));
}

#[test]
fn an_update_never_writes_down_what_came_of_a_call_that_nothing_answered() {
    let folder = tempfile::tempdir().unwrap();
    let without = BEFORE.replace("GET /users/7\n", "GET /users/8\n");
    fs::write(folder.path().join("a.md"), &without).unwrap();
    let (text, verdict) = in_folder(folder.path(), &["a.md"], &update());
    assert!(text.contains("no exchange answers the call `users GET /users/7`"), "{text}");
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(fs::read_to_string(folder.path().join("a.md")).unwrap(), without);
}

#[test]
fn a_folder_is_searched_for_documents_and_other_markdown_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("b/.hidden")).unwrap();
    fs::create_dir_all(folder.path().join("b/node_modules")).unwrap();
    for path in ["z.md", "b/a.md"] {
        fs::write(folder.path().join(path), AFTER).unwrap();
    }
    for path in ["README.md", "b/.hidden/a.md", "b/node_modules/a.md"] {
        fs::write(folder.path().join(path), "# Not one\n\n```json response\n{}\n```\n").unwrap();
    }
    let (text, verdict) = in_folder(folder.path(), &["."], &Options::default());
    assert_eq!(text.replace("./", ""), "✓ b/a.md\n✓ z.md\n2 passed\n");
    assert_eq!(verdict, Verdict::Passed);
}

#[test]
fn a_filter_picks_documents_by_path_and_requests_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wrong.md"), BEFORE).unwrap();
    fs::write(folder.path().join("right.md"), AFTER).unwrap();
    let filtered = |filter: &str| {
        let options = Options { filter: Some(filter.to_owned()), ..Options::default() };
        in_folder(folder.path(), &["."], &options)
    };
    let (text, verdict) = filtered("right.md");
    assert_eq!(
        (text.replace("./", ""), verdict),
        ("✓ right.md\n1 passed\n".into(), Verdict::Passed)
    );
    let (text, verdict) = filtered("Second");
    assert!(
        text.contains("\"Second\": the document shows no response yet")
            && !text.contains("\"First\""),
        "{text}"
    );
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(
        filtered("Third"),
        ("no document or request has `Third` in its name\n".to_owned(), Verdict::Unreadable)
    );
}

#[test]
fn what_cannot_be_read_is_told_from_what_fails() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("right.md"), AFTER).unwrap();
    let (text, verdict) = in_folder(folder.path(), &["none.md", "right.md"], &Options::default());
    assert_eq!(text, "✗ none.md\n\n  there is no such file\n\n✓ right.md\n1 passed, 1 failed\n");
    assert_eq!(verdict, Verdict::Unreadable);
}

#[test]
fn a_difference_is_coloured_where_colour_is_wanted() {
    let options = Options { colour: true, ..Options::default() };
    let (text, _) = output(&[Path::new("tests/fixtures/spec/differs.md")], &options);
    assert!(text.starts_with("\x1b[31m✗\x1b[0m tests/fixtures/spec/differs.md\n"), "{text}");
    assert!(text.contains("    \x1b[31m- users GET /users/8\x1b[0m\n"), "{text}");
    assert!(text.contains("    \x1b[32m+ users GET /users/7\x1b[0m\n"), "{text}");
}
