//! The mistakes of a whole project, of settings, upstreams and schema at once, as `onedoor check`
//! shows them. `UPDATE_EXPECT=1` rewrites the expected text.

use std::fs;
use std::path::Path;
use std::process::Command;

use onedoor::config::FixedEnv;
use onedoor::gateway::Project;

#[test]
fn every_mistake_of_every_file_is_told_in_one_run() {
    let root = Path::new("tests/fixtures/project/mistakes_everywhere");
    let mut check = Command::new(env!("CARGO_BIN_EXE_onedoor"));
    let output = check.arg("check").arg("--root").arg(root).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = root.join("expected.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, fs::read_to_string(&expected).unwrap());
    assert!(told.trim_end().ends_with("14 errors"));
}

/// What `trace` is written as, and what is told of it.
const TRACES: [(&str, &str); 9] = [
    (
        "\"claim.team == 'platform'\"",
        "2:10: error: nothing is called `claim` in an expression (help: did you mean `claims`?)",
    ),
    (
        "\"team == 'platform'\"",
        "2:10: error: nothing is called `team` in an expression (help: `claims.team` is a claim of \
         the caller's token)",
    ),
    (
        "'claims.team == \"x\" && args.x'",
        "2:32: error: `args` is not known here (help: this expression reads `claims` only)",
    ),
    (
        "\"claims.team = 'platform'\"",
        "2:22: error: this is no CEL: `=` cannot stand here (help: `==` tells whether two are equal)",
    ),
    ("\"claims.team ==\"", "2:24: error: this is no CEL: it ends before it is whole"),
    (
        "\"claims.team.startWith('x')\"",
        "2:31: error: there is no function `startWith` here (help: did you mean `startsWith`?)",
    ),
    (
        "\"1 == 1\"",
        "2:10: error: this is the same for every caller (help: name a claim, as in `claims.team == \
         'platform'`)",
    ),
    (
        "\"onn\"",
        "2:9: error: expected \"on\", \"off\", \"auto\" or a CEL expression over `claims` (help: an \
         expression says of whom it holds: \"claims.team == 'platform'\")",
    ),
    (
        "false",
        "2:9: error: expected \"on\", \"off\", \"auto\" or a CEL expression over `claims`, found true \
         or false",
    ),
];

#[test]
fn what_is_wrong_with_who_may_ask_for_the_trace_is_told_where_it_stands() {
    let issuer = "[[auth.jwt]]\nsecret = \"${SECRET}\"\n";
    let env = FixedEnv::new().with_variable("SECRET", "one secret of thirty-two bytes or more");
    let check = |trace: &str| {
        let settings = format!("[graphql]\ntrace = {trace}\n{issuer}");
        let upstream = "url = \"http://127.0.0.1:1\"";
        let schema = "type Query { a: Int @rest(upstream: \"a\", path: \"/\") }";
        let settings = [("onedoor.toml", settings.as_str()), ("upstreams/a.toml", upstream)];
        let settings = settings.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let schema = [("schema/a.graphql".to_owned(), schema.to_owned())];
        let (project, problems) = Project::from_texts(settings, schema, &env);
        assert_eq!(project.is_none(), problems.has_errors(), "{trace}");
        problems.lines()
    };
    for (trace, told) in TRACES {
        assert_eq!(check(trace), format!("onedoor.toml:{told}\n"), "{trace}");
    }
    for right in ["\"on\"", "\"off\"", "\"auto\"", "\"'a' in claims.groups || has(claims.admin)\""]
    {
        assert_eq!(check(right), "", "{right}");
    }
}
