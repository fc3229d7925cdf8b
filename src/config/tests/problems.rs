//! Problems: their order, their forms, and what they never show.

use serde_json::json;

use super::{KEY, config, load, told};
use crate::config::{Problem, Problems};

fn two_files() -> Problems {
    let mut problems = Problems::new();
    let first = problems.sources.add("a.toml", "x = 1\ny = \"é\" # z\n");
    let second = problems.sources.add("b.graphql", "type Query { a: Int }\n");
    problems.push(Problem::warning(second, 5..10, "a doubt"));
    problems.push(Problem::error(first, 15..16, "late").with_help("mend\nit"));
    problems.push(Problem::error(first, 0..1, "early"));
    problems.push(Problem::without_file("no file"));
    problems.sort();
    problems
}

#[test]
fn problems_are_sorted_by_file_and_then_by_position() {
    let messages: Vec<String> = two_files().iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(messages, ["no file", "early", "late", "a doubt"]);
}

#[test]
fn a_line_names_file_line_column_and_help() {
    assert_eq!(
        two_files().lines(),
        "error: no file\n\
         a.toml:1:1: error: early\n\
         a.toml:2:9: error: late (help: mend it)\n\
         b.graphql:1:6: warning: a doubt\n"
    );
}

#[test]
fn json_has_places_where_there_are_any() {
    let json = two_files().to_json();
    assert_eq!(json["errors"], 3);
    assert_eq!(json["warnings"], 1);
    assert_eq!(json["problems"][0], json!({"severity": "error", "message": "no file"}));
    assert_eq!(
        json["problems"][2],
        json!({
            "severity": "error", "message": "late", "help": "mend\nit", "file": "a.toml",
            "line": 2, "column": 9, "end_line": 2, "end_column": 10,
        })
    );
}

#[test]
fn the_report_ends_with_a_count() {
    let problems = two_files();
    assert!(problems.render(false).ends_with("\n3 errors, 1 warning\n"));
    assert!(Problems::new().render(false).is_empty());
    assert_eq!(Problems::new().summary(), "no problems");
    assert!(!problems.render(false).contains('\u{1b}'));
}

#[test]
fn merged_problems_keep_pointing_into_their_own_files() {
    let mut all = two_files();
    all.merge(two_files());
    assert_eq!(all.error_count(), 6);
    let names: Vec<_> = all
        .iter()
        .filter_map(|problem| all.sources.get(problem.source?))
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(names, ["a.toml", "a.toml", "b.graphql", "a.toml", "a.toml", "b.graphql"]);
    assert_eq!(all.sources.iter().len(), 4);
}

#[test]
fn a_position_past_the_end_or_inside_a_character_is_no_panic() {
    let problems = two_files();
    let (first, _) = problems.sources.iter().next().unwrap();
    assert_eq!(problems.sources.position(first, 999).to_string(), "3:1");
    // Byte 11 is the first of `é`, 12 its second.
    assert_eq!(problems.sources.position(first, 12).to_string(), "2:6");
    let mut odd = Problems::new();
    let source = odd.sources.add("odd.toml", "é\r\n\t\u{2028}é");
    for start in 0..12 {
        for end in 0..12 {
            odd.push(Problem::error(source, start..end, "odd"));
        }
    }
    assert_eq!(odd.render(false).matches("odd.toml:").count(), 144);
}

#[test]
fn a_secret_is_in_no_form_of_what_is_printed() {
    let written = "written-secret-of-more-than-32-bytes-in-all";
    let text = format!(
        "[[auth.jwt]]\nissuer = \"a\"\nsecret = \"${{JWT_SECRET}}\"\n\
         [[auth.jwt]]\nissuer = \"b\"\nsecret = \"{written}\"\nlewway = \"1s\"\n"
    );
    let loaded = load(&[("onedoor.toml", &text)]);
    let shown = format!(
        "{:?}{:#?}{}{}{}{}",
        loaded,
        loaded.draft,
        loaded.problems.render(false),
        loaded.problems.lines(),
        loaded.problems.to_json(),
        loaded.draft.auth.jwt[0].secret().unwrap(),
    );
    assert_eq!(loaded.draft.auth.jwt[0].secret().unwrap().expose(), KEY.as_bytes());
    assert_eq!(loaded.draft.auth.jwt[1].secret().unwrap().expose(), written.as_bytes());
    assert!(shown.contains("***"));
    assert!(!shown.contains(KEY) && !shown.contains("written-secret"), "{shown}");
}

#[test]
fn a_value_from_the_environment_is_in_no_message() {
    let names = ["listen", "graphql.auth", "limits.deadline", "log.level", "limits.query_tokens"];
    for name in names {
        let lines = told(&[("onedoor.toml", &format!("{name} = \"${{JWT_SECRET}}\""))]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(!lines[0].contains(KEY), "{lines:?}");
    }
    let text = "url = \"http://a\"\nidentity.headers = { authorization = \"Basic ${JWT_SECRET}\" }";
    let shown = format!("{:?}", config(&[("upstreams/a.toml", text)]));
    assert!(shown.contains("***") && !shown.contains(KEY), "{shown}");
}
