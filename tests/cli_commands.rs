//! The commands that print and end, run as a user runs them: what they print, where, and the status
//! they end with.

#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in tests, not in what they call")]

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SETTINGS: &str = r#"
[[auth.jwt]]
issuer = "https://login.example"
audience = "shop"
secret = "${TEST_SECRET:-a-default-that-everybody-can-read}"
[dev.token]
claims = { sub = "1", scope = "read" }
"#;
const SCHEMA: &str = r#"
type Query {
  user(id: ID!): User @ref(key: "args.id")
  users: [User!]! @rest(upstream: "users", path: "/users")
}
type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id"}) {
  id: ID!
  name: String @json(name: "full_name")
  friend: User @ref(key: "this.friendId")
}
"#;
const UPSTREAM: &str = "url = \"http://127.0.0.1:1\"\n[mock]\ndata = \"mock/users.json\"\n";
const DATA: &str = r#"{"users": [{"id": 1, "full_name": "Ada", "friendId": 2}]}"#;

/// A project without mistakes, but for one warning: the secret is the written default.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "onedoor.toml", SETTINGS);
    write(&folder, "schema/shop.graphql", SCHEMA);
    write(&folder, "upstreams/users.toml", UPSTREAM);
    write(&folder, "mock/users.json", DATA);
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    let file = folder.path().join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onedoor"));
    command.current_dir(folder).args(args).env_remove("TEST_SECRET").env_remove("RUST_LOG");
    command
}

fn run(folder: &TempDir, args: &[&str]) -> Run {
    Run::from(command(folder.path(), args).output().unwrap())
}

/// How a command ended.
struct Run {
    status: i32,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code().unwrap();
        Self { status, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Run {
    /// Standard output, of a command that went well and had nothing to say beside it.
    fn only_out(self) -> String {
        assert_eq!((self.status, &*self.err), (0, ""), "{}", self.out);
        self.out
    }

    /// Standard error, of a command that ended with this status and without output.
    fn only_err(self, status: i32) -> String {
        assert_eq!((self.status, &*self.out), (status, ""), "{}", self.err);
        self.err
    }
}

#[test]
fn check_counts_what_a_good_project_has() {
    let run = run(&project(), &["check"]);
    assert_eq!(run.out, "1 upstream, 2 types, 5 fields, 2 requests: no mistakes, 1 warning\n");
    assert!(run.err.contains("the secret is the default in this file"), "{}", run.err);
    assert!(run.err.contains("onedoor.toml:5:10"), "{}", run.err);
    assert!(!run.err.contains("a-default-that"), "a secret is never shown: {}", run.err);
    assert_eq!(run.status, 0);
}

#[test]
fn check_tells_the_mistakes_of_settings_schema_and_mock_data_at_once() {
    let folder = project();
    write(&folder, "onedoor.toml", "lissten = \"127.0.0.1:4000\"\n");
    write(&folder, "schema/more.graphql", "extend type User { city: Strin }\n");
    write(&folder, "mock/users.json", r#"{"users": [{"name": "Ada"}]}"#);
    let err = run(&folder, &["check", "--format", "short"]).only_err(1);
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 3, "{err}");
    assert!(lines[0].starts_with("onedoor.toml:1:1: error: "), "{err}");
    assert!(lines[0].contains("`listen`"), "{err}");
    assert!(lines[1].starts_with("upstreams/users.toml:3:8: error: in `mock/users.json`"), "{err}");
    assert!(lines[2].starts_with("schema/more.graphql:1:26: error: "), "{err}");

    let told = run(&folder, &["check"]).only_err(1);
    assert!(told.contains("extend type User { city: Strin }"), "with the line itself: {told}");
    assert!(told.ends_with("3 errors\n"), "{told}");
    assert!(!told.contains('\u{1b}'), "colours are for terminals: {told:?}");
}

#[test]
fn check_wants_mock_data_that_is_there_and_is_json() {
    let folder = project();
    write(&folder, "mock/users.json", "{\"users\": [\n}");
    let err = run(&folder, &["check", "--format", "short"]).only_err(1);
    assert!(err.contains("`mock/users.json` is not JSON: expected value at line 2"), "{err}");
    fs::remove_file(folder.path().join("mock/users.json")).unwrap();
    let err = run(&folder, &["check", "--format", "short"]).only_err(1);
    assert!(err.contains("users.toml:3:8: error: `mock/users.json` cannot be read"), "{err}");
}

#[test]
fn check_reports_in_json_on_standard_output() {
    let folder = project();
    let run_good = run(&folder, &["check", "--format", "json"]);
    let report: Value = serde_json::from_str(&run_good.out).unwrap();
    assert_eq!((run_good.status, &*run_good.err), (0, ""));
    assert_eq!((&report["errors"], &report["warnings"]), (&0.into(), &1.into()));
    write(&folder, "schema/more.graphql", "type {");
    let run_bad = run(&folder, &["check", "--format", "json"]);
    let report: Value = serde_json::from_str(&run_bad.out).unwrap();
    assert_eq!((run_bad.status, &*run_bad.err), (1, ""));
    assert_eq!(report["problems"][1]["file"], "schema/more.graphql");
}

#[test]
fn check_validates_queries_against_the_schema() {
    let folder = project();
    write(&folder, "good.graphql", "{ users { id } }");
    write(&folder, "bad.graphql", "query Q {\r\n  # é\r\n  users { nam }\r\n}\r\n");
    let good = run(&folder, &["check", "good.graphql"]);
    assert!(good.out.contains(", 1 query: no mistakes"), "{}", good.out);
    let both = ["check", "--format", "short", "good.graphql", "bad.graphql"];
    let err = run(&folder, &both).only_err(1);
    let told = err.lines().nth(1).unwrap();
    assert!(told.starts_with("bad.graphql:3:11: error: "), "{err}");
    assert!(told.contains("`name`"), "the nearest name: {err}");

    let missing = run(&folder, &["check", "none.graphql"]).only_err(2);
    assert!(missing.starts_with("error: `none.graphql` cannot be read"), "{missing}");
    write(&folder, "schema/more.graphql", "type {");
    let unchecked = run(&folder, &["check", "bad.graphql"]).only_err(1);
    assert!(unchecked.contains("the queries were not checked"), "{unchecked}");
}

#[test]
fn plan_tells_the_requests_in_their_order() {
    let folder = project();
    let query = "query Friends($id: ID!) { user(id: $id) { friend { name } } }";
    write(&folder, "query.graphql", query);
    let out = run(&folder, &["plan", "query.graphql"]).only_out();
    assert!(out.starts_with("query Friends: 2 fetches in 2 stages"), "{out}");
    assert!(out.contains("GET /users?id={keys}"), "{out}");
    assert!(out.contains("user.friend"), "{out}");

    let json = run(&folder, &["plan", "query.graphql", "--json"]).only_out();
    let plan: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(plan["operation"], "query Friends");
    assert_eq!(plan["fetches"][1]["after"], 1);
}

#[test]
fn plan_follows_the_variables_that_conditions_read() {
    let folder = project();
    let query = "query A($more: Boolean!) { users { id friend @include(if: $more) { id } } }
                 query B { users { id } }";
    write(&folder, "query.graphql", query);
    write(&folder, "more.json", r#"{"more": true}"#);
    let plan = |more: &[&str]| run(&folder, &[&["plan", "query.graphql"], more].concat());
    let with = plan(&["--operation", "A", "--variables", "more.json"]).only_out();
    assert!(with.starts_with("query A ($more = true): 2 fetches"), "{with}");
    let without = plan(&["--operation", "A", "--variables", r#"{"more": false}"#]).only_out();
    assert!(without.starts_with("query A ($more = false): 1 fetch "), "{without}");

    let unnamed = plan(&[]).only_err(1);
    assert!(unnamed.contains("`--operation NAME` chooses one"), "{unnamed}");
    let missing = plan(&["--operation", "A"]).only_err(1);
    assert!(missing.contains("$more") && missing.contains("--variables"), "{missing}");
    let no_json = plan(&["--operation", "A", "--variables", "{more: 1}"]).only_err(2);
    assert!(no_json.starts_with("error: --variables is not JSON"), "{no_json}");
}

#[test]
fn schema_prints_what_clients_see() {
    let folder = project();
    let public = run(&folder, &["schema"]).only_out();
    assert!(public.contains("user(id: ID!): User\n"), "{public}");
    assert!(!public.contains("@rest") && !public.contains("full_name"), "{public}");
    write(&folder, "schema/more.graphql", "type {");
    assert!(run(&folder, &["schema"]).only_err(1).contains("schema/more.graphql:1:6"));
}

#[test]
fn schema_prints_definitions_for_editors_without_a_project() {
    let empty = tempfile::tempdir().unwrap();
    let directives = run(&empty, &["schema", "--directives"]).only_out();
    assert!(directives.contains("directive @rest("), "{directives}");
    let settings = |args: &[&str]| -> Value {
        let out = run(&empty, &[&["schema", "--settings"], args].concat()).only_out();
        serde_json::from_str(&out).unwrap()
    };
    assert_eq!(settings(&[])["title"], "onedoor.toml");
    assert_eq!(settings(&["gateway"])["title"], "onedoor.toml");
    assert_eq!(settings(&["upstream"])["title"], "upstreams/*.toml");
}

#[test]
fn output_that_nobody_reads_to_its_end_is_no_failure() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let empty = tempfile::tempdir().unwrap();
    let run = command(empty.path(), &["schema", "--directives"]).stdout(writer).output().unwrap();
    assert_eq!(Run::from(run).only_out(), "");
}

#[test]
fn token_prints_the_token_alone_and_warns_beside_it() {
    let folder = project();
    let run = run(&folder, &["token"]);
    assert_eq!(run.status, 0);
    assert_eq!(run.out.trim_end().split('.').count(), 3, "{}", run.out);
    assert!(run.err.starts_with("onedoor.toml:5:10: warning: "), "{}", run.err);
    let secret = "from-the-environment-and-long-enough";
    let quiet = command(folder.path(), &["token"]).env("TEST_SECRET", secret).output().unwrap();
    Run::from(quiet).only_out();
}

#[test]
fn token_says_how_to_set_an_issuer_where_there_is_none() {
    let folder = project();
    write(&folder, "onedoor.toml", "");
    let err = run(&folder, &["token"]).only_err(2);
    assert!(err.starts_with("error: these settings know no issuer of tokens\nhelp: "), "{err}");
    assert!(err.contains("[[auth.jwt]]") && err.contains("secret = \"${JWT_SECRET}\""), "{err}");
}

#[test]
fn token_refuses_where_only_the_issuer_can_sign_and_takes_the_issuer_whose_secret_is_known() {
    let folder = project();
    let jwks =
        "[[auth.jwt]]\nissuer = \"https://id.example\"\njwks = \"https://id.example/keys\"\n";
    write(&folder, "onedoor.toml", jwks);
    let err = run(&folder, &["token"]).only_err(2);
    assert!(err.starts_with("error: tokens of this issuer cannot be made here"), "{err}");
    assert!(err.contains("public keys only") && err.contains("\nhelp: get one from"), "{err}");
    write(&folder, "onedoor.toml", &format!("{jwks}{SETTINGS}"));
    let token = run(&folder, &["token"]);
    assert_eq!((token.status, token.out.trim_end().split('.').count()), (0, 3));
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_is_right() {
    let folder = project();
    for (args, said) in [
        (&["chek"][..], "check"),
        (&["token", "--expires", "3 days"], "write one whole number and its unit"),
        (&["token", "--claim", "sub"], "`sub=7`"),
        (&["serve", "--listen", "4000"], "write an IP address and a port"),
        (&["schema", "--directives", "--settings"], "cannot be used with"),
        (&["check", "--root", "nowhere"], "`nowhere` is not a folder"),
    ] {
        let err = run(&folder, args).only_err(2);
        assert!(err.contains(said), "{args:?}: {err}");
    }
    assert!(run(&folder, &["--version"]).only_out().starts_with("onedoor "));
    assert!(run(&folder, &["check", "--help"]).only_out().contains("Examples:"));
}

#[test]
fn a_project_is_found_from_the_folders_below_it() {
    let folder = project();
    let below = folder.path().join("examples/queries");
    fs::create_dir_all(&below).unwrap();
    let found = Run::from(command(&below, &["check"]).output().unwrap());
    assert!(found.out.starts_with("1 upstream, "), "{}", found.err);
    let empty = tempfile::tempdir().unwrap();
    let named = folder.path().to_str().unwrap();
    assert!(run(&empty, &["check", "--root", named]).out.starts_with("1 upstream, "));
    let none = run(&empty, &["check"]).only_err(1);
    assert!(none.contains("this is not a project"), "{none}");
}

#[test]
fn test_runs_the_documents_of_a_project() {
    let folder = project();
    let document = [
        "# A user",
        "```http users\nGET /users?id=1\n\nHTTP 200\n\n[{\"id\": 1, \"full_name\": \"Ada\"}]\n```",
        "```graphql request\n{ user(id: 1) { name } }\n```",
        "```json response\n{\"data\": {\"user\": {\"name\": \"Ada\"}}}\n```",
        "```text calls\nusers GET /users?id=1\n```\n",
    ]
    .join("\n\n");
    write(&folder, "spec/user.md", &document);
    let passed = run(&folder, &["test"]).only_out();
    assert!(passed.contains("user.md") && passed.ends_with("1 passed\n"), "{passed}");

    write(&folder, "spec/user.md", &document.replace("{\"name\": \"Ada\"}", "{\"name\": \"Bob\"}"));
    let failed = run(&folder, &["test", "spec/user.md"]);
    assert_eq!((failed.status, &*failed.err), (1, ""), "{}", failed.out);
    assert!(failed.out.contains("0 passed, 1 failed"), "{}", failed.out);
    assert_eq!(run(&folder, &["test", "--filter", "nothing of that name"]).status, 2);
    assert_eq!(run(&folder, &["test", "none.md"]).status, 2);
    assert_eq!(run(&folder, &["test", "--update"]).status, 0);
    assert!(run(&folder, &["test"]).only_out().ends_with("1 passed\n"));
}
