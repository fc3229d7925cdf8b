//! The commands that run until they are told to stop, as a user runs them: `serve` and `dev`.
//!
//! Nothing is waited for but lines that are printed, and connections that are answered.

#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in tests, not in what they call")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything here takes, however busy the machine is: a failure, not a pace.
const TOO_LONG: Duration = Duration::from_secs(60);

const JSON: &str = "content-type: application/json";

const SETTINGS: &str = r#"
[[auth.jwt]]
issuer = "https://login.example"
secret = "of-this-test-alone-and-long-enough"
[dev.token]
claims = { sub = "2" }
"#;
const SCHEMA: &str = r#"
type Query {
  me: User @ref(key: "claims.sub") @authenticated
  users: [User!]! @rest(upstream: "users", path: "/users")
}
type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id"}) {
  id: ID!
  name: String
}
"#;
/// Nothing is at this URL: whatever comes from there came from a mock.
const UPSTREAM: &str = "url = \"http://127.0.0.1:1/api\"\n[mock]\ndata = \"data/users.json\"\n";
const DATA: &str = r#"{"users": [
  {"id": 1, "name": "Ada", "city": "London"},
  {"id": 2, "name": "Bob"}
]}"#;

struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("onedoor.toml", SETTINGS);
        project.write("schema/shop.graphql", SCHEMA);
        project.write("upstreams/users.toml", UPSTREAM);
        project.write("data/users.json", DATA);
        project
    }

    /// As a careful editor does it: whole or not at all.
    fn write(&self, name: &str, text: &str) {
        let file = self.0.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let beside = file.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, file).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onedoor"));
        command.args(args).arg("--root").arg(self.0.path()).env_remove("RUST_LOG");
        command
    }

    fn ends(&self, args: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        assert_eq!(stdout, b"", "standard output");
        (status.code().unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn token(&self) -> String {
        let output = self.command(&["token"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// `serve`, once it listens.
    fn serve(&self) -> Running {
        let mut running = Running::start(self.command(&["serve", "--listen", "127.0.0.1:0"]));
        let line: Value = serde_json::from_str(&running.err.until("listening")).unwrap();
        running.address = line["address"].as_str().unwrap().to_owned();
        running
    }

    /// `dev`, once it has said where it is.
    fn dev(&self, more: &[&str]) -> Running {
        let args = [&["dev", "--listen", "127.0.0.1:0"], more].concat();
        let mut running = Running::start(self.command(&args));
        let line = running.out.until("GraphQL");
        let address = line.split("http://").nth(1).unwrap().strip_suffix("/graphql").unwrap();
        running.address = address.to_owned();
        running
    }
}

/// A running command. Killed when dropped.
struct Running {
    child: Child,
    out: Lines,
    err: Lines,
    address: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Lines::of(child.stdout.take().unwrap());
        let err = Lines::of(child.stderr.take().unwrap());
        Self { child, out, err, address: String::new() }
    }

    fn ask(&self, query: &str, token: Option<&str>) -> Value {
        let token = token.map(|token| format!("authorization: Bearer {token}"));
        let headers: Vec<_> = token.iter().map(String::as_str).chain([JSON]).collect();
        let body = json!({"query": query}).to_string();
        let answer = exchange(&self.address, "POST /graphql", &headers, &body);
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// Asks it to end; the shell has a `kill` of its own.
    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn status(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they are printed. They are read all the time, so that no pipe runs full.
struct Lines(Receiver<String>);

impl Lines {
    fn of(read: impl Read + Send + 'static) -> Self {
        let (line, lines) = channel();
        thread::spawn(move || {
            BufReader::new(read).lines().map_while(Result::ok).try_for_each(|of| line.send(of))
        });
        Self(lines)
    }

    /// The next line that holds this text.
    fn until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.0.recv_timeout(TOO_LONG) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no `{text}` in:\n{}", seen.join("\n")),
            }
        }
    }

    /// All that is left once it has ended.
    fn rest(&mut self) -> Vec<String> {
        self.0.iter().collect()
    }
}

/// The body of one answer over HTTP/1.1.
fn exchange(address: &str, target: &str, headers: &[&str], body: &str) -> String {
    let mut stream = send(address, target, headers, body);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn send(address: &str, target: &str, headers: &[&str], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TOO_LONG)).unwrap();
    let (headers, length) = (headers.join("\r\n"), body.len());
    let headers = if headers.is_empty() { headers } else { headers + "\r\n" };
    write!(
        stream,
        "{target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\
         content-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

/// The next connection; if none comes, that is told instead of waited for.
fn accept(listener: TcpListener) -> TcpStream {
    let (stream, accepted) = channel();
    thread::spawn(move || stream.send(listener.accept().unwrap().0));
    let stream = accepted.recv_timeout(TOO_LONG).unwrap();
    stream.set_read_timeout(Some(TOO_LONG)).unwrap();
    stream
}

/// The words of a shell's line, of which only single quotes are known.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            '\\' if !quoted => words.last_mut().unwrap().extend(characters.next()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn serve_takes_the_tokens_that_token_prints_and_ends_well_when_told() {
    let project = Project::new();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("url = \"http://{}\"\n", upstream.local_addr().unwrap());
    project.write("upstreams/users.toml", &url);
    let mut serve = project.serve();
    assert_eq!(exchange(&serve.address, "GET /health/live", &[], ""), r#"{"status":"live"}"#);
    assert_eq!(exchange(&serve.address, "GET /health/ready", &[], ""), r#"{"status":"ready"}"#);
    let anonymous = serve.ask("{ me { name } }", None);
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let introspection = serve.ask("{ __schema { queryType { name } } }", None);
    assert_eq!(introspection["errors"][0]["extensions"]["code"], "INTROSPECTION_DISABLED");

    // Told to stop while it waits for its upstream, it answers what it was asked before.
    let token = format!("authorization: Bearer {}", project.token());
    let body = json!({"query": "{ me { name } }"}).to_string();
    let mut asked = send(&serve.address, "POST /graphql", &[&token, JSON], &body);
    let mut call = accept(upstream);
    let mut head = [0; 16];
    call.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"GET /users?id=2 ");
    serve.signal("TERM");
    serve.err.until("stopping");
    let rows = r#"[{"id": 2, "name": "Bob"}]"#;
    write!(call, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{rows}", rows.len()).unwrap();
    let mut answer = String::new();
    asked.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(r#"{"data":{"me":{"name":"Bob"}}}"#), "{answer}");
    assert_eq!(serve.status(), Some(0));
    assert_eq!(serve.out.rest(), Vec::<String>::new(), "its log is on standard error");
    assert!(TcpStream::connect(&serve.address).is_err(), "the port is free again");
}

#[test]
fn serve_logs_warnings_and_ends_well_on_ctrl_c() {
    let project = Project::new();
    let mut serve = Running::start(project.command(&["serve", "--listen", "127.0.0.1:0"]));
    let line = serve.err.until("the secret stands in the file");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["level"], &line["place"]), (&json!("WARN"), &json!("onedoor.toml:4:10")));
    serve.err.until("listening");
    serve.signal("INT");
    assert_eq!(serve.status(), Some(0));
}

#[test]
fn serve_starts_nothing_if_the_project_has_mistakes() {
    let project = Project::new();
    project.write("onedoor.toml", "lissten = \"\"\n");
    project.write("schema/more.graphql", "type {");
    let (status, err) = project.ends(&["serve"]);
    assert_eq!(status, 1);
    assert!(err.contains("`lissten`") && err.contains("schema/more.graphql:1:6"), "{err}");
    assert!(err.ends_with("errors\n") || err.ends_with("error\n"), "{err}");
}

#[test]
fn serve_says_which_address_is_taken_and_what_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, err) = Project::new().ends(&["serve", "--listen", &address]);
    assert_eq!(status, 2);
    assert!(err.contains(&format!("cannot listen at {address}: another program")), "{err}");
    assert!(err.contains("`--listen`"), "{err}");
}

#[test]
fn dev_prints_a_line_that_answers_when_it_is_pasted() {
    let project = Project::new();
    project.write("examples/queries/me.graphql", "# Who am I?\nquery Me {\n  me { name }\n}\n");
    let mut dev = project.dev(&[]);
    let mock = dev.out.until("data/users.json");
    dev.out.until("Try examples/queries/me.graphql:");
    let curl = words(dev.out.until("curl").trim());
    let after = |option: &str| {
        let place = |(at, word): (usize, &String)| (word == option).then_some(at + 1);
        let places = curl.iter().enumerate().filter_map(place);
        places.map(|at| curl[at].as_str()).collect::<Vec<_>>()
    };
    assert_eq!(curl[2], format!("http://{}/graphql", dev.address));
    let answer = exchange(&dev.address, "POST /graphql", &after("-H"), after("-d")[0]);
    assert_eq!(answer, r#"{"data":{"me":{"name":"Bob"}}}"#);

    let address = mock.split("http://").nth(1).unwrap().split(' ').next().unwrap();
    assert!(exchange(address, "GET /users/1", &[], "").contains("Ada"), "the mock is there itself");
    let introspection = dev.ask("{ __schema { queryType { name } } }", None);
    assert_eq!(introspection["data"]["__schema"]["queryType"]["name"], "Query");
    dev.signal("TERM");
    assert_eq!(dev.status(), Some(0));
    assert!(TcpStream::connect(address).is_err(), "the mock has ended with it");
}

#[test]
fn dev_invents_a_query_where_the_project_has_no_example() {
    let mut dev = Project::new().dev(&[]);
    dev.out.until("Try a query:");
    let curl = dev.out.until("curl");
    assert!(curl.contains(r#"{"query":"{ users { id name } }"}"#), "{curl}");
}

#[test]
fn dev_takes_on_a_change_of_the_schema_and_keeps_running_on_a_mistake() {
    let project = Project::new();
    let mut dev = project.dev(&[]);
    let city = "{ users { city } }";
    assert_eq!(dev.ask(city, None)["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    project.write("schema/city.graphql", "extend type User { city: String }\n");
    let reloaded = dev.out.until("reloaded");
    assert!(reloaded.starts_with("reloaded schema/city.graphql: 1 upstream, "), "{reloaded}");
    let cities = json!({"data": {"users": [{"city": "London"}, {"city": null}]}});
    assert_eq!(dev.ask(city, None), cities);

    project.write("schema/city.graphql", "extend type User { city: Strin }\n");
    dev.err.until("schema/city.graphql:1:26");
    dev.err.until("not reloaded");
    assert_eq!(dev.ask(city, None), cities, "the gateway goes on as before");
    let renamed = "extend type User { town: String @json(name: \"city\") }\n";
    project.write("schema/city.graphql", renamed);
    dev.out.until("reloaded");
    assert_eq!(dev.ask("{ users { town } }", None)["data"]["users"][0]["town"], "London");
}

#[test]
fn dev_takes_on_new_data_and_new_settings_while_its_addresses_stay() {
    let project = Project::new();
    let mut dev = project.dev(&[]);
    let mock = dev.out.until("data/users.json");
    let mock = mock.split("http://").nth(1).unwrap().split(' ').next().unwrap();
    let names = |dev: &Running| dev.ask("{ users { name } }", None)["data"]["users"].to_string();
    exchange(mock, "POST /users", &[JSON], r#"{"name": "Cyd"}"#);
    assert_eq!(names(&dev), r#"[{"name":"Ada"},{"name":"Bob"},{"name":"Cyd"}]"#);

    project.write("schema/city.graphql", "extend type User { city: String }\n");
    dev.out.until("reloaded schema/city.graphql");
    assert!(names(&dev).contains("Cyd"), "what was written stays while the data is the same");
    project.write("data/users.json", r#"{"users": [{"id": 7, "name": "Dot"}]}"#);
    dev.out.until("reloaded data/users.json");
    assert_eq!(names(&dev), r#"[{"name":"Dot"}]"#);

    let settings = "listen = \"127.0.0.1:4444\"\n[graphql]\nauth = \"required\"\n";
    project.write("onedoor.toml", &format!("{settings}{SETTINGS}"));
    dev.out.until("reloaded onedoor.toml");
    dev.out.until("`listen` has changed too: that takes effect at the next start");
    let refused = dev.ask("{ users { name } }", None);
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert!(exchange(mock, "GET /users/7", &[], "").contains("Dot"), "the mock's port is the same");
}

#[test]
fn dev_passes_plain_paths_to_its_mocks_and_takes_on_new_ones() {
    let project = Project::new();
    let mut dev = project.dev(&[]);
    dev.out.until("Ctrl-C");
    let token = format!("authorization: Bearer {}", project.token());
    let get = |dev: &Running, headers: &[&str]| -> Value {
        let answer = exchange(&dev.address, "GET /api/users/2?_fields=name", headers, "");
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
    };
    assert_eq!(get(&dev, &[&token])["code"], "NOT_FOUND");
    let route = "[[route]]\npath = \"/api/users\"\nto = \"/users\"\n";
    project.write("upstreams/users.toml", &format!("{UPSTREAM}{route}"));
    dev.out.until("reloaded upstreams/users.toml");
    assert_eq!(get(&dev, &[&token])["name"], "Bob");
    assert_eq!(get(&dev, &[])["code"], "UNAUTHENTICATED");
}

#[test]
fn dev_serves_the_streams_of_its_mocks_until_it_ends() {
    let project = Project::new();
    let stream =
        "[[mock.stream]]\npath = \"/news\"\nrows = \"users\"\ntype = \"user\"\nevery = \"1h\"\n";
    project.write("upstreams/users.toml", &format!("{UPSTREAM}{stream}"));
    let mut dev = project.dev(&[]);
    let mock = dev.out.until("data/users.json");
    let mock = mock.split("http://").nth(1).unwrap().split(' ').next().unwrap();
    let mut lines = BufReader::new(send(mock, "GET /news?name=Bob", &[], "")).lines();
    for expected in ["event: user", "id: 1", r#"data: {"id":2,"name":"Bob"}"#] {
        let line = lines.by_ref().map(Result::unwrap).find(|line| line == expected);
        assert_eq!(line.as_deref(), Some(expected));
    }
    dev.signal("TERM");
    assert_eq!(dev.status(), Some(0));
    assert_eq!(lines.filter(|line| matches!(line, Ok(line) if line.contains("event"))).count(), 0);
}

#[test]
fn dev_says_which_port_is_taken_and_what_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let project = Project::new();
    project.write("upstreams/users.toml", &format!("{UPSTREAM}port = {port}\n"));
    let (status, err) = project.ends(&["dev", "--listen", "127.0.0.1:0"]);
    assert_eq!(status, 2);
    assert!(err.contains(&format!("error: cannot listen at 127.0.0.1:{port}")), "{err}");
    assert!(err.contains("`[mock] port` in upstreams/users.toml"), "{err}");
}

#[test]
fn dev_calls_an_upstream_itself_where_it_is_told_to() {
    let project = Project::new();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", upstream.local_addr().unwrap());
    project.write("upstreams/users.toml", &UPSTREAM.replace("http://127.0.0.1:1/api", &url));
    let dev = project.dev(&["--real", "users"]);
    let body = json!({"query": "{ users { id } }"}).to_string();
    let mut asked = send(&dev.address, "POST /graphql", &[JSON], &body);
    let mut call = accept(upstream);
    let mut head = [0; 15];
    call.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"GET /api/users ");
    write!(call, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]").unwrap();
    let mut answer = String::new();
    asked.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(r#"{"data":{"users":[]}}"#), "{answer}");

    let (status, err) = project.ends(&["dev", "--real", "user"]);
    assert_eq!(status, 2);
    assert!(err.contains("no upstream is named `user`"), "{err}");
    assert!(err.contains("did you mean `users`?"), "{err}");
}
