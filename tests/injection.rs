//! What callers write stays what it is: a value, one segment of a path, one header. Nothing of it
//! becomes another path, another parameter, another header, another request, or another caller.
//!
//! Each row is sent over a socket as it stands, and says what arrives at the service, which notes
//! every byte; or that it is refused, and then the service has heard nothing.

mod route_rig;

use route_rig::{Message, Served, Upstream};
use serde_json::json;

/// The service lives at `/base`: whatever climbs out of it shows.
const SCHEMA: &str = r#"
type Query {
  inPath(value: ID!): Found @rest(upstream: "orders", path: "/orders/{args.value}/lines")
  withinSegment(value: ID!): Found @rest(upstream: "orders", path: "/orders/{args.value}.json")
  inQuery(value: ID!): Found @rest(upstream: "orders", path: "/search?q={args.value}&limit=10")
  inHeader(value: ID!): Found
    @rest(upstream: "orders", path: "/titled", headers: [{name: "x-title", value: "{args.value}"}])
  inBody(value: ID!): Found
    @rest(
      upstream: "orders"
      method: POST
      path: "/notes"
      body: """{"note": "{args.value}", "by": "gateway"}"""
    )
  asKey(value: ID!): Row @ref(key: "args.value")
  asClaim: Found @rest(upstream: "orders", path: "/of/{claims.sub}")
  fromClient: Found
    @rest(upstream: "orders", path: "/device?q={headers.x-device}&user={headers.x-user-id}")
}
type Found { id: ID }
type Row @rest(upstream: "orders", path: "/rows?id={keys}&limit=10", batch: {by: "id"}) { id: ID }
"#;

const ORDERS: &str = r#"
[identity]
headers = { x-user-id = "{claims.sub}", x-role = "{claims.role}" }
[[route]]
path = "/api/orders"
to = "/orders"
auth = "optional"
[[route]]
path = "/api/orders/admin"
to = "/admin"
"#;

struct Doors {
    upstream: Upstream,
    gateway: Served,
}

impl Doors {
    async fn open() -> Self {
        let upstream = Upstream::saying("{}").await;
        let base = format!("{}/base", upstream.address);
        let gateway = Served::of_schema(SCHEMA, "", base, ORDERS).await;
        Self { upstream, gateway }
    }

    /// A field with a value, by the caller of these header lines.
    async fn ask(&self, field: &str, value: Option<&str>, headers: &str) -> Message {
        let query = match value {
            Some(_) => format!("query($value: ID!) {{ {field}(value: $value) {{ id }} }}"),
            None => format!("{{ {field} {{ id }} }}"),
        };
        let body = json!({"query": query, "variables": {"value": value}}).to_string();
        self.gateway.send(post_graphql(headers, &body)).await
    }

    /// The one request that arrived, which is for this service and has no header that `told` does
    /// not show.
    fn arrived(&self) -> Message {
        let request = self.upstream.request();
        assert_eq!(request.header("host"), self.upstream.address.to_string(), "{request:?}");
        for once in ["x-request-id", "traceparent"] {
            assert_ne!(request.header(once), "", "{request:?}");
        }
        request
    }

    fn nothing_arrived(&self, row: &str) {
        assert_eq!(self.upstream.requests(), [], "{row:?}");
    }
}

fn post_graphql(headers: &str, body: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What every call of GraphQL's says of itself.
const OWN: [&str; 2] =
    ["accept: application/json", concat!("user-agent: onedoor/", env!("CARGO_PKG_VERSION"))];

/// What the code of an error is, and that the field is null with it.
fn refused(answer: &Message, row: &str) -> String {
    let answer = answer.json();
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{row:?}: {answer}"));
    assert_eq!(errors.len(), 1, "{row:?}: {answer}");
    errors[0]["extensions"]["code"].as_str().unwrap().to_owned()
}

/// Values, and their one form in a URL. A `-` before it: never in a path.
const VALUES: [(&str, &str); 37] = [
    // Other paths.
    ("../admin", "..%2Fadmin"),
    ("../../../etc/passwd", "..%2F..%2F..%2Fetc%2Fpasswd"),
    ("%2e%2e%2fadmin", "%252e%252e%252fadmin"),
    ("%252e%252e%252fadmin", "%25252e%25252e%25252fadmin"),
    ("..;/admin", "..%3B%2Fadmin"),
    ("..\\admin", "..%5Cadmin"),
    ("..%5cadmin", "..%255cadmin"),
    ("1/2", "1%2F2"),
    ("1%2f2", "1%252f2"),
    ("1%252f2", "1%25252f2"),
    ("/", "%2F"),
    ("..%c0%af", "..%25c0%25af"),
    ("%u002e", "%25u002e"),
    ("...", "..."),
    ("..", "- .."),
    (".", "- ."),
    ("", "- "),
    // Other hosts.
    ("http://evil.example/x", "http%3A%2F%2Fevil.example%2Fx"),
    ("//evil.example/x", "%2F%2Fevil.example%2Fx"),
    ("@evil.example", "%40evil.example"),
    (":80@evil.example", "%3A80%40evil.example"),
    // Other parameters.
    ("1?admin=1", "1%3Fadmin%3D1"),
    ("1&admin=1", "1%26admin%3D1"),
    ("1;admin=1", "1%3Badmin%3D1"),
    ("1#fragment", "1%23fragment"),
    ("1%26admin=1", "1%2526admin%3D1"),
    ("1+2 3", "1%2B2%203"),
    ("1,2", "1%2C2"),
    ("[]=", "%5B%5D%3D"),
    // Other lines, and other requests.
    ("1\r\nx-user-id: root", "1%0D%0Ax-user-id%3A%20root"),
    ("1 HTTP/1.1\r\n\r\nGET /inner", "1%20HTTP%2F1.1%0D%0A%0D%0AGET%20%2Finner"),
    ("1%0d%0ax-user-id: root", "1%250d%250ax-user-id%3A%20root"),
    ("1\0", "1%00"),
    ("\u{7f}\u{85}\u{2028}", "%7F%C2%85%E2%80%A8"),
    // Other templates, and other texts.
    ("{claims.sub}{keys}{env.SECRET}", "%7Bclaims.sub%7D%7Bkeys%7D%7Benv.SECRET%7D"),
    ("\", \"by\": \"root", "%22%2C%20%22by%22%3A%20%22root"),
    ("\u{e9}\u{ff0f}\u{202e}\u{1f600}", "%C3%A9%EF%BC%8F%E2%80%AE%F0%9F%98%80"),
];

#[tokio::test]
async fn an_argument_is_one_segment_one_parameter_one_key_and_one_string() {
    let doors = Doors::open().await;
    for (value, encoded) in VALUES {
        let (in_paths, encoded) = match encoded.strip_prefix("- ") {
            Some(encoded) => (false, encoded),
            None => (true, encoded),
        };
        let rows = [
            ("inPath", in_paths, format!("GET /base/orders/{encoded}/lines HTTP/1.1")),
            ("withinSegment", in_paths, format!("GET /base/orders/{encoded}.json HTTP/1.1")),
            ("inQuery", true, format!("GET /base/search?q={encoded}&limit=10 HTTP/1.1")),
            ("asKey", true, format!("GET /base/rows?id={encoded}&limit=10 HTTP/1.1")),
        ];
        for (field, arrives, line) in rows {
            let answer = doors.ask(field, Some(value), "").await;
            if arrives {
                let request = doors.arrived();
                assert_eq!(request.start, line, "{field} {value:?} {answer:?}");
                assert_eq!(request.told(), OWN, "{field} {value:?}");
                assert_eq!(request.body, "");
            } else {
                assert_eq!(refused(&answer, value), "BAD_USER_INPUT");
                doors.nothing_arrived(value);
            }
        }
        doors.ask("inBody", Some(value), "").await;
        let request = doors.arrived();
        assert_eq!(request.start, "POST /base/notes HTTP/1.1");
        assert_eq!(request.json(), json!({"note": value, "by": "gateway"}));
    }
}

#[tokio::test]
async fn an_argument_is_one_header_or_nothing_is_sent() {
    let doors = Doors::open().await;
    for (value, arrives) in [
        ("plain: text, of=all; kinds", Some("plain: text, of=all; kinds")),
        ("%0d%0ax-user-id: root", Some("%0d%0ax-user-id: root")),
        ("{claims.sub}", Some("{claims.sub}")),
        ("1\r\nx-user-id: root", None),
        ("1\nx-user-id: root", None),
        ("1\rx-user-id: root", None),
        ("1\r\n\r\nGET /inner HTTP/1.1\r\n\r\n", None),
        ("1\0", None),
        ("1\u{7f}", None),
        ("1\u{1b}[2J", None),
    ] {
        let answer = doors.ask("inHeader", Some(value), "").await;
        match arrives {
            Some(arrives) => {
                let request = doors.arrived();
                let title = format!("x-title: {arrives}");
                assert_eq!(request.start, "GET /base/titled HTTP/1.1");
                assert_eq!(request.told(), [OWN[0], OWN[1], title.as_str()], "{value:?}");
            }
            None => {
                assert_eq!(refused(&answer, value), "BAD_USER_INPUT");
                doors.nothing_arrived(value);
            }
        }
    }
}

#[tokio::test]
async fn a_claim_is_one_segment_and_one_header_or_nothing_is_sent() {
    let doors = Doors::open().await;
    for (subject, arrives) in [
        ("ada", Some("ada")),
        ("../admin", Some("..%2Fadmin")),
        ("1?admin=1#x", Some("1%3Fadmin%3D1%23x")),
        ("..", None),
        ("ada\r\nx-role: admin", None),
        ("ada\nx-role: admin", None),
        ("ada\0", None),
    ] {
        let token = format!("{}\r\n", doors.gateway.token_of(subject));
        let answer = doors.ask("asClaim", None, &token).await;
        match arrives {
            Some(segment) => {
                let request = doors.arrived();
                assert_eq!(request.start, format!("GET /base/of/{segment} HTTP/1.1"));
                let user = format!("x-user-id: {subject}");
                assert_eq!(request.told(), [OWN[0], OWN[1], user.as_str()]);
            }
            None => {
                assert_eq!(refused(&answer, subject), "UNAUTHENTICATED");
                doors.nothing_arrived(subject);
            }
        }
        let path = "GET /api/orders/1 HTTP/1.1\r\nhost: shop\r\n";
        let answer = doors.gateway.send(format!("{path}{token}\r\n")).await;
        if subject.contains(char::is_control) {
            assert_eq!((answer.status(), answer.problem().as_str()), (401, "UNAUTHENTICATED"));
            doors.nothing_arrived(subject);
        } else {
            assert_eq!(doors.arrived().header("x-user-id"), subject);
        }
    }
}

/// Text that is no text of Unicode is no argument.
#[tokio::test]
async fn half_a_character_is_refused() {
    let doors = Doors::open().await;
    for value in [r"\ud800", r"1\udc00", r"\u12"] {
        let body = format!(
            r#"{{"query": "query($v: ID!) {{ inQuery(value: $v) {{ id }} }}", "variables": {{"v": "{value}"}}}}"#
        );
        let answer = doors.gateway.send(post_graphql("", &body)).await;
        assert_eq!(answer.status(), 400, "{answer:?}");
        doors.nothing_arrived(value);
    }
}

/// What arrives of a plain path beside the identity.
const PASSED: [&str; 5] = [
    "accept: */*",
    "via: 1.1 onedoor",
    "x-forwarded-for: 127.0.0.1",
    "x-forwarded-host: shop",
    "x-forwarded-proto: http",
];

/// Who is asking is what the token says, whatever else a client sends: by each door, of somebody and
/// of nobody. The token has no role, so that nobody has one.
#[tokio::test]
async fn nobody_is_another_by_a_header() {
    let doors = Doors::open().await;
    let ada = format!("{}\r\n", doors.gateway.token());
    for spoof in [
        "",
        // By any spelling, once or twice.
        "x-user-id: root\r\n",
        "X-USER-ID: root\r\n",
        "X-User-Id: root\r\nx-user-id: root\r\n",
        "x-user-id: ada\r\nx-user-id: root\r\n",
        "x_user_id: root\r\n",
        "X_USER_ID: root\r\nx-user_id: root\r\nx_user-id: root\r\n",
        "x.user.id: root\r\nx-user.id: root\r\n",
        "x~user!id: root\r\nX|User^Id: root\r\n",
        "x-user-id:\r\n",
        "x-user-id: \u{e9}\r\n",
        "x-user-id: ada, root\r\n",
        "x-role: admin\r\nX_Role: admin\r\nx-role: admin\r\n",
        // As the connection's own, to have the gateway's removed.
        "connection: x-user-id, x-role, x-request-id, traceparent, authorization\r\n",
        "connection: close, X-User-Id\r\nx-user-id: root\r\n",
        "connection: x_user_id\r\nx_user_id: root\r\n",
        "te: trailers\r\ntrailer: x-user-id\r\n",
        // By how the request came in.
        "x-forwarded-for: 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\n",
        "X_Forwarded_For: 10.0.0.1\r\nx-forwarded.for: 10.0.0.1\r\n",
        "x-forwarded-host: evil.example\r\nx-forwarded-proto: https\r\nx-forwarded-port: 1\r\n",
        "x-forwarded-prefix: /admin\r\nx-forwarded-user: root\r\nx-forwarded-email: root@x\r\n",
        "forwarded: for=10.0.0.1;host=evil.example\r\nx-real-ip: 10.0.0.1\r\n",
        "x-original-url: /admin\r\nx-rewrite-url: /admin\r\nx_original_url: /admin\r\n",
        // As somebody's credentials.
        "cookie: session=root\r\nproxy-authorization: Basic cm9vdA==\r\n",
        "x_request_id: 1\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
    ] {
        for (token, user) in [(ada.as_str(), Some("x-user-id: ada")), ("", None)] {
            let headers = format!("{token}{spoof}");
            let expected = |own: &[&'static str]| {
                let mut expected = [own, &Vec::from_iter(user)].concat();
                expected.sort_unstable();
                expected
            };
            let answer = doors.ask("fromClient", None, &headers).await;
            assert_eq!(answer.status(), 200, "{headers}");
            let request = doors.arrived();
            assert_eq!(request.start, "GET /base/device HTTP/1.1", "{headers}");
            assert_eq!(request.told(), expected(&OWN), "{headers}");

            let path = "GET /api/orders/1 HTTP/1.1\r\nhost: shop\r\n";
            let answer = doors.gateway.send(format!("{path}{headers}\r\n")).await;
            assert_eq!(answer.status(), 200, "{headers}");
            let request = doors.arrived();
            assert_eq!(request.start, "GET /base/orders/1 HTTP/1.1", "{headers}");
            assert_eq!(request.told(), expected(&PASSED), "{headers}");
        }
    }
}

/// Lines that one reader takes for another header than the next one: 400 by each door.
#[tokio::test]
async fn a_header_that_is_none_is_refused() {
    let doors = Doors::open().await;
    let token = format!("{}\r\n", doors.gateway.token());
    for line in [
        "x-user-id : root\r\n",
        "x-user-id\t: root\r\n",
        " x-user-id: root\r\n",
        "x-own: 1\r\n x-user-id: root\r\n",
        "x-own: 1\rx-user-id: root\r\n",
        "x-own: 1\0x-user-id: root\r\n",
        "x-user\0-id: root\r\n",
        "x user id: root\r\n",
        "x-user-id\r\n",
        ": root\r\n",
        "host: evil.example\r\n",
    ] {
        let by_graphql =
            post_graphql(&format!("{token}{line}"), r#"{"query": "{ asClaim { id } }"}"#);
        let path = format!("GET /api/orders/1 HTTP/1.1\r\nhost: shop\r\n{token}{line}\r\n");
        for request in [by_graphql, path] {
            let answer = doors.gateway.send(&request).await;
            assert_eq!(answer.status(), 400, "{request:?} {answer:?}");
            doors.nothing_arrived(line);
        }
    }
}

/// `/api/orders` is for everybody, `/api/orders/admin` below it for callers with a token, who is not
/// there in any of these.
#[tokio::test]
async fn a_plain_path_arrives_below_its_route_or_not_at_all() {
    let doors = Doors::open().await;
    for (target, arrives) in [
        ("/api/orders/1", Ok("/orders/1")),
        ("/api/orders/1/", Ok("/orders/1/")),
        ("/api/orders/%41%2d1", Ok("/orders/A-1")),
        ("/api/orders/a%20b%3Fx%23y", Ok("/orders/a%20b%3Fx%23y")),
        ("/api/orders/a&admin=1;v=2", Ok("/orders/a&admin=1;v=2")),
        ("/api/orders/http:@evil.example:80", Ok("/orders/http:@evil.example:80")),
        ("/api/orders/%E2%80%AE", Ok("/orders/%E2%80%AE")),
        // A query is the service's own matter, but stays one line of one request.
        (
            "/api/orders?next=//evil.example/../..&a=1&a=2#x",
            Ok("/orders?next=//evil.example/../..&a=1&a=2"),
        ),
        ("/api/orders?x=%0d%0ax-user-id:%20root%00", Ok("/orders?x=%0d%0ax-user-id:%20root%00")),
        ("/api/orders/1#/../admin", Ok("/orders/1")),
        // A whole URL says for which host it is meant; the service stays the one of the settings.
        ("http://evil.example/api/orders/1", Ok("/orders/1")),
        ("http://evil.example:99/api/orders/1", Ok("/orders/1")),
        ("http://root@evil.example/api/orders/1", Ok("/orders/1")),
        // What leads out of the route, or would to some reader.
        ("/api/orders/..", Err(400)),
        ("/api/orders/../admin", Err(400)),
        ("/api/orders/../../base/orders", Err(400)),
        ("/api/orders/./1", Err(400)),
        ("/api/orders/%2e%2e/admin", Err(400)),
        ("/api/orders/%2e%2e%2fadmin", Err(400)),
        ("/api/orders/%252e%252e/admin", Err(400)),
        ("/api/orders/%252e%252e%252fadmin", Err(400)),
        ("/api/orders/%25252e%25252e%25252fadmin", Err(400)),
        ("/api/orders/..;/admin", Err(400)),
        ("/api/orders/..;x=1/admin", Err(400)),
        ("/api/orders/..%3b/admin", Err(400)),
        ("/api/orders/..\\admin", Err(400)),
        ("/api/orders/..%5cadmin", Err(400)),
        ("/api/orders/..%255cadmin", Err(400)),
        ("/api/orders/1%2f2", Err(400)),
        ("/api/orders/%2f%2fevil.example", Err(400)),
        ("/api/orders//evil.example/x", Err(400)),
        ("//evil.example/api/orders", Err(400)),
        ("/api/orders/%c0%ae%c0%ae/admin", Err(400)),
        ("/api/orders/%u002e%u002e/admin", Err(400)),
        ("/api/orders/1%0d%0ax-user-id:%20root", Err(400)),
        ("/api/orders/1%0ax", Err(400)),
        ("/api/orders/1%00", Err(400)),
        ("/api/orders/1%7f", Err(400)),
        ("/api/orders/%", Err(400)),
        ("/api/orders/%zz", Err(400)),
        // What some reader takes for the route with the stricter rule.
        ("/api/orders/admin", Err(401)),
        ("/api/orders/%61dmin/x", Err(401)),
        ("http://evil.example/api/orders/admin", Err(401)),
        ("/api/orders/ADMIN", Err(400)),
        ("/api/orders/admin;x", Err(400)),
        ("/api/orders/%2561dmin", Err(400)),
        ("/api/orders/admin%2f", Err(400)),
        // What is nobody's.
        ("/api/orders../admin", Err(404)),
        ("/base/orders/1", Err(404)),
        ("http://evil.example", Err(404)),
        ("/", Err(404)),
        ("*", Err(400)),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: shop\r\n\r\n");
        let answer = doors.gateway.send(request).await;
        match arrives {
            Ok(path) => {
                assert_eq!(answer.status(), 200, "{target}: {answer:?}");
                assert_eq!(doors.arrived().start, format!("GET /base{path} HTTP/1.1"), "{target}");
            }
            Err(status) => {
                assert_eq!(answer.status(), status, "{target}: {answer:?}");
                doors.nothing_arrived(target);
            }
        }
    }
}

/// The service is the one of the settings, whatever host a request is for.
#[tokio::test]
async fn a_host_of_another_leads_nowhere() {
    let doors = Doors::open().await;
    for host in ["evil.example", "127.0.0.1:1", "orders", "shop\r\nx-host: evil.example"] {
        let own = host.lines().next().unwrap();
        let path = format!("GET /api/orders/1 HTTP/1.1\r\nhost: {host}\r\n\r\n");
        assert_eq!(doors.gateway.send(path).await.status(), 200, "{host}");
        let request = doors.arrived();
        assert_eq!(request.start, "GET /base/orders/1 HTTP/1.1");
        assert_eq!(request.header("x-forwarded-host"), own);

        let body = r#"{"query": "{ fromClient { id } }"}"#;
        let request = post_graphql("", body).replace("host: shop", &format!("host: {host}"));
        assert_eq!(doors.gateway.send(request).await.status(), 200, "{host}");
        assert_eq!(doors.arrived().told(), OWN, "{host}");
    }
}

/// One request of two readings: what arrives is one, in one reading. What was meant to be smuggled in
/// behind it is the client's next request, with nobody's token.
#[tokio::test]
async fn no_second_request_comes_out_of_a_body() {
    let doors = Doors::open().await;
    let token = format!("{}\r\n", doors.gateway.token());
    let inner = "GET /api/orders/admin HTTP/1.1\r\nhost: shop\r\n\r\n";
    let query = r#"{"query": "{ asClaim { id } }"}"#;
    let chunk = format!("{:x}\r\n{query}\r\n0\r\n\r\n", query.len());
    let (short, long) =
        ("content-length: 4\r\n", format!("content-length: {}\r\n", chunk.len() + inner.len()));
    let chunked = "transfer-encoding: chunked\r\n";
    for (headers, arrives) in [
        (format!("{short}{chunked}"), true),
        (format!("{chunked}{long}"), true),
        (format!("{short}Transfer-Encoding: CHUNKED\r\n"), true),
        (format!("{short}transfer-encoding: xchunked\r\n"), false),
        (format!("{short}transfer-encoding: chunked, identity\r\n"), false),
        (format!("{short}transfer-encoding : chunked\r\n"), false),
        (format!("{short}transfer-encoding:\x0bchunked\r\n"), false),
        (format!("{chunked}{chunked}"), false),
        (format!("{short}content-length: 5\r\n"), false),
        ("content-length: 4, 5\r\n".to_owned(), false),
        ("content-length: +4\r\n".to_owned(), false),
    ] {
        for (line, arriving) in [
            ("POST /api/orders/1", "POST /base/orders/1 HTTP/1.1"),
            ("POST /graphql", "GET /base/of/ada HTTP/1.1"),
        ] {
            let request = format!(
                "{line} HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n\
                 {token}{headers}\r\n{chunk}{inner}"
            );
            let answer = doors.gateway.send(request).await;
            let requests = doors.upstream.requests();
            let lines: Vec<&str> = requests.iter().map(|request| request.start.as_str()).collect();
            if arrives {
                assert_eq!(answer.status(), 200, "{line} {headers} {answer:?}");
                assert_eq!(lines, [arriving], "{headers}");
                let lengths = requests[0].all("content-length").len();
                assert!(lengths + requests[0].all("transfer-encoding").len() <= 1, "{requests:?}");
            } else {
                assert!([400, 501].contains(&answer.status()), "{line} {headers} {answer:?}");
                assert_eq!(lines, [""; 0], "{line} {headers}");
            }
        }
    }
}
