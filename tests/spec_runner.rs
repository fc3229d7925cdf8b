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
fn each_event_and_each_part_is_compared_in_its_place() {
    expect("streamed", Verdict::Failed);
}

#[test]
fn an_update_makes_a_document_show_the_events_and_parts_that_come() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.md");
    fs::copy("tests/fixtures/spec/streamed.md", &path).unwrap();
    in_folder(folder.path(), &["a.md"], &update());
    let (text, verdict) = in_folder(folder.path(), &["a.md"], &Options::default());
    assert_eq!((&*text, verdict), ("✓ a.md\n1 passed\n", Verdict::Passed));
    let rewritten = fs::read_to_string(&path).unwrap();
    for (media, each, requests) in [("text/event-stream", 2, 5), ("multipart/mixed", 2, 4)] {
        let blocks = rewritten.matches(&format!("json response 200 {media}")).count();
        assert_eq!(blocks, each * requests, "{media}: {rewritten}");
    }
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

/// A project on disk whose secret and one of whose URLs come from elsewhere.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("onedoor.toml", "[[auth.jwt]]\nissuer = \"shop\"\nsecret_file = \"/run/secrets/jwt\"\n"),
        (
            "upstreams/users.toml",
            "url = \"${USERS_URL}\"\n[identity]\nheaders = { x-user = \"{claims.sub}\" }\n",
        ),
        (
            "schema/user.graphql",
            "type Query { me: User @rest(upstream: \"users\", path: \"/me\") }\n\
             type User { name: String }\n",
        ),
    ];
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir(folder.path().join("spec")).unwrap();
    folder
}

/// Runs a document of a project, with the environment that the project needs.
fn of_project(project: &Path, document: &str) -> (String, Verdict) {
    let env = "```text env\nUSERS_URL=http://users.test\n```\n\n";
    fs::write(project.join("spec/me.md"), format!("# Me\n\n{env}{document}")).unwrap();
    in_folder(project, &["spec/me.md"], &Options::default())
}

const ME: &str = "```http users\nGET /me\nx-user: 7\n\nHTTP 200\n{\"name\": \"Ada\"}\n```\n\n\
    ```graphql request\n{ me { name } }\n```\n\n```json claims\n{\"sub\": \"7\"}\n```\n\n\
    ```json response\n{\"data\": {\"me\": {\"name\": \"Ada\"}}}\n```\n\n\
    ```text calls\nusers GET /me\n  x-user: 7\n```\n";

#[test]
fn a_document_without_a_schema_is_about_the_project_it_lies_in() {
    let project = project();
    let passed = ("✓ spec/me.md\n1 passed\n".to_owned(), Verdict::Passed);
    assert_eq!(of_project(project.path(), ME), passed);
}

#[test]
fn settings_of_a_document_go_before_those_of_its_project() {
    let project = project();
    let settings = "```toml upstreams/users.toml\nurl = \"http://users.test\"\n```\n\n";
    let (text, verdict) = of_project(project.path(), &format!("{settings}{ME}"));
    assert!(text.contains("it wants the header `x-user: 7`, and the call has none"), "{text}");
    assert_eq!(verdict, Verdict::Failed);
}

#[test]
fn an_upstream_that_the_project_does_not_have_is_a_mistake_with_the_nearest() {
    let project = project();
    let (text, verdict) = of_project(project.path(), &ME.replace("http users", "http user"));
    assert!(
        text.contains(
            "spec/me.md:7: the project has no upstream `user`\n      did you mean `users`?"
        ),
        "{text}"
    );
    assert_eq!(verdict, Verdict::Failed);
}

#[test]
fn a_mistake_in_a_file_of_the_project_has_its_place_there() {
    let project = project();
    fs::write(project.path().join("upstreams/users.toml"), "\nur = \"\"\n").unwrap();
    let (text, _) = of_project(project.path(), ME);
    assert!(text.contains("spec/me.md:1: upstreams/users.toml:2:1: unknown key `ur`"), "{text}");
}

#[test]
fn a_document_without_a_schema_outside_a_project_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("me.md"), ME).unwrap();
    let (text, verdict) = in_folder(folder.path(), &["me.md"], &Options::default());
    assert!(text.contains("me.md:1: the document has no schema"), "{text}");
    assert_eq!(verdict, Verdict::Failed);
}

#[test]
fn claims_of_a_document_about_a_project_without_issuers_are_refused() {
    let project = project();
    fs::write(project.path().join("onedoor.toml"), "").unwrap();
    let (text, _) = of_project(project.path(), ME);
    assert!(text.contains("claims need an issuer of tokens"), "{text}");
}

#[test]
fn a_documents_mode_decides_whether_introspection_is_on() {
    let request = "```graphql request\n{ __typename __schema { queryType { name } } }\n```\n";
    let document = AFTER.split("## First").next().unwrap();
    let answer = |front: &str| {
        let text = format!("{front}{document}\n{request}");
        let document = Document::parse(Path::new("a.md"), &text).unwrap();
        document.run(None).render(false)
    };
    assert!(answer("").contains("INTROSPECTION_DISABLED"));
    assert!(
        answer("---\ntitle: Users\nmode: dev\n---\n")
            .contains("\"queryType\": {\"name\": \"Query\"}")
    );
}
