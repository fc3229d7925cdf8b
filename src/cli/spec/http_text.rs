//! HTTP messages as documents write them, in the manner of `.http` files: a request, the headers it
//! must have, its body; then an answer from the line `HTTP 200` on.

use std::iter::Peekable;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::problem::DocumentProblem;

/// What a call must look like to be this exchange's.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// The method.
    pub(super) method: Method,
    /// Path and query, as they are sent.
    pub(super) target: String,
    /// Headers that must be there with these values; others may be.
    pub(super) headers: HeaderMap,
    /// The body; `None`: any.
    pub(super) body: Option<String>,
}

/// How an upstream answers.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// With a message.
    Message {
        /// Its status.
        status: StatusCode,
        /// Its headers.
        headers: HeaderMap,
        /// Its body, empty perhaps.
        body: Bytes,
    },
    /// `HTTP refused`: there is no connection.
    Refused,
    /// `HTTP timeout`: nothing comes in time.
    Timeout,
    /// `HTTP broken`: the connection breaks.
    Broken,
}

/// The lines of a block with their numbers in the document.
type Lines<'t> = Peekable<Box<dyn Iterator<Item = (usize, &'t str)> + 't>>;

/// Reads an exchange. `line` is that of the text's first line.
///
/// # Errors
/// All mistakes.
pub(super) fn exchange(text: &str, line: usize) -> Result<(Pattern, Answer), Vec<DocumentProblem>> {
    let mut problems = Vec::new();
    let mut lines = numbered(text, line);
    let first = lines.peek().map_or(line, |(at, _)| *at);
    let request = request_line(&mut lines, line, &mut problems);
    let headers = headers(&mut lines, &mut problems);
    let body = request_body(&mut lines);
    let answer = answer(&mut lines, first, &mut problems);
    match (request, answer) {
        (Some((method, target)), Some(answer)) if problems.is_empty() => {
            Ok((Pattern { method, target, headers, body }, answer))
        }
        _ => Err(problems),
    }
}

/// Reads headers alone.
///
/// # Errors
/// All mistakes.
pub(super) fn client_headers(text: &str, line: usize) -> Result<HeaderMap, Vec<DocumentProblem>> {
    let mut problems = Vec::new();
    let mut lines = numbered(text, line);
    let found = headers(&mut lines, &mut problems);
    for (at, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        problems.push(DocumentProblem::new(at, format!("`{text}` is no header")));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// Without empty lines at the start.
fn numbered(text: &str, line: usize) -> Lines<'_> {
    let lines = text.lines().enumerate().map(move |(at, text)| (line + at, text));
    let lines = lines.skip_while(|(_, text)| text.trim().is_empty());
    (Box::new(lines) as Box<dyn Iterator<Item = _>>).peekable()
}

/// `GET /orders?userId=1`; lines below that are indented go on with the target.
fn request_line(
    lines: &mut Lines<'_>,
    line: usize,
    problems: &mut Vec<DocumentProblem>,
) -> Option<(Method, String)> {
    let help = "an exchange begins with a request, as in `GET /orders?userId=1`";
    let Some((at, first)) = lines.next_if(|(_, text)| answer_word(text).is_none()) else {
        problems.push(DocumentProblem::new(line, "this exchange has no request").help(help));
        return None;
    };
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut target = target.to_owned();
    while let Some((_, more)) = lines.next_if(|(_, text)| goes_on(text)) {
        target.push_str(more.trim());
    }
    let rest = words.find(|word| !word.starts_with("HTTP/"));
    let upper = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = Method::from_bytes(method.as_bytes()).ok().filter(|_| upper);
    let Some(method) = method.filter(|_| rest.is_none()) else {
        let message = format!("`{first}` is no request");
        problems.push(DocumentProblem::new(at, message).help(help));
        return None;
    };
    if target.starts_with('/') {
        return Some((method, target));
    }
    let message = format!("the target `{target}` does not begin with `/`");
    let help = "write path and query only; where the upstream is, its settings say";
    problems.push(DocumentProblem::new(at, message).help(help));
    None
}

fn goes_on(text: &str) -> bool {
    text.starts_with([' ', '\t']) && text.trim_start().starts_with(['/', '?', '&'])
}

/// Headers up to an empty line, an answer, or the end. The empty line is taken.
fn headers(lines: &mut Lines<'_>, problems: &mut Vec<DocumentProblem>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while let Some((at, text)) = lines.next_if(|(_, text)| answer_word(text).is_none()) {
        if text.trim().is_empty() {
            break;
        }
        match header(text) {
            Some((name, value)) => {
                headers.append(name, value);
            }
            None => {
                let message = format!("`{text}` is no header");
                let help = "write `name: value`; before a body stands an empty line";
                problems.push(DocumentProblem::new(at, message).help(help));
            }
        }
    }
    headers
}

fn header(text: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = text.split_once(':')?;
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(value.trim()).ok()?))
}

fn request_body(lines: &mut Lines<'_>) -> Option<String> {
    let mut body = String::new();
    while let Some((_, text)) = lines.next_if(|(_, text)| answer_word(text).is_none()) {
        body.push_str(text);
        body.push('\n');
    }
    let body = body.trim_matches('\n');
    (!body.is_empty()).then(|| body.to_owned())
}

/// What follows `HTTP` on a line that begins an answer.
fn answer_word(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("HTTP")?;
    // As other tools print it: `HTTP/1.1 200 OK`.
    let rest = match rest.strip_prefix('/') {
        Some(version) => version.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'),
        None => rest,
    };
    rest.strip_prefix([' ', '\t']).and_then(|rest| rest.split_whitespace().next())
}

fn answer(
    lines: &mut Lines<'_>,
    first: usize,
    problems: &mut Vec<DocumentProblem>,
) -> Option<Answer> {
    let help = "write `HTTP 200`, or `HTTP refused`, `HTTP timeout` or `HTTP broken`";
    let Some((at, text)) = lines.next() else {
        problems.push(DocumentProblem::new(first, "this exchange has no answer").help(help));
        return None;
    };
    let word = answer_word(text).unwrap_or_default();
    let failure = match word {
        "refused" => Some(Answer::Refused),
        "timeout" => Some(Answer::Timeout),
        "broken" => Some(Answer::Broken),
        _ => None,
    };
    if let Some(failure) = failure {
        if let Some((at, _)) = lines.find(|(_, text)| !text.trim().is_empty()) {
            let message = format!("nothing can follow `HTTP {word}`");
            problems.push(DocumentProblem::new(at, message));
        }
        return Some(failure);
    }
    let Some(status) = word.parse().ok().filter(|status| *status >= StatusCode::OK) else {
        problems.push(DocumentProblem::new(at, format!("`{text}` is no answer")).help(help));
        return None;
    };
    // Without headers the empty line before the body may be left out.
    let has_headers = lines.peek().is_some_and(|(_, text)| header(text).is_some());
    let headers = if has_headers { headers(lines, problems) } else { HeaderMap::new() };
    let body: Vec<&str> = lines.map(|(_, text)| text).collect();
    let body = body.join("\n").trim_matches('\n').to_owned().into();
    Some(Answer::Message { status, headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        let problems = exchange(text, 10).unwrap_err();
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    fn message(answer: &Answer) -> (u16, Vec<(&str, &str)>, &str) {
        let Answer::Message { status, headers, body } = answer else { panic!("a message") };
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        (status.as_u16(), headers.collect(), std::str::from_utf8(body).unwrap())
    }

    #[test]
    fn an_exchange_is_a_request_and_an_answer() {
        let text = "POST /orders\nx-user-id: 7\n\n{\"a\": 1}\n\nHTTP 201\ncontent-type: text/plain\n\nb\n\nc\n";
        let (pattern, answer) = exchange(text, 1).unwrap();
        assert_eq!((pattern.method, &*pattern.target), (Method::POST, "/orders"));
        assert_eq!(pattern.headers["x-user-id"], "7");
        assert_eq!(pattern.body.as_deref(), Some("{\"a\": 1}"));
        assert_eq!(message(&answer), (201, vec![("content-type", "text/plain")], "b\n\nc"));
    }

    #[test]
    fn whatever_is_not_there_may_be_left_out() {
        let (pattern, answer) = exchange("GET /a\n\nHTTP 204\n", 1).unwrap();
        assert_eq!((pattern.headers.len(), pattern.body), (0, None));
        assert_eq!(message(&answer), (204, vec![], ""));
        let (_, answer) = exchange("GET /a\nHTTP 200\n{\"a:b\": 1}", 1).unwrap();
        assert_eq!(message(&answer), (200, vec![], "{\"a:b\": 1}"));
    }

    #[test]
    fn what_other_tools_print_can_be_pasted() {
        let text = "GET /a HTTP/1.1\n\nHTTP/1.1 404 Not Found\ncontent-length: 2\n\n{}";
        let (pattern, answer) = exchange(text, 1).unwrap();
        assert_eq!(pattern.target, "/a");
        assert_eq!(message(&answer).0, 404);
    }

    #[test]
    fn a_long_target_goes_on_in_indented_lines() {
        let (pattern, _) = exchange("GET /a\n  ?b=1\n  &c=2\nx: 1\n\nHTTP 200\n", 1).unwrap();
        assert_eq!(pattern.target, "/a?b=1&c=2");
        assert_eq!(pattern.headers["x"], "1");
    }

    #[test]
    fn an_upstream_may_fail_to_answer() {
        for (word, is) in [("refused", 0), ("timeout", 1), ("broken", 2)] {
            let (_, answer) = exchange(&format!("GET /a\n\nHTTP {word}\n"), 1).unwrap();
            let found = match answer {
                Answer::Refused => 0,
                Answer::Timeout => 1,
                Answer::Broken => 2,
                Answer::Message { .. } => 3,
            };
            assert_eq!(found, is);
        }
    }

    #[test]
    fn mistakes_say_where_they_are_and_what_was_meant() {
        assert_eq!(
            problems("\nget /a\n\nHTTP 200"),
            "11: `get /a` is no request \
             (an exchange begins with a request, as in `GET /orders?userId=1`)\n"
        );
        assert_eq!(
            problems("GET http://a.test/b\n\nHTTP 200"),
            "10: the target `http://a.test/b` does not begin with `/` \
             (write path and query only; where the upstream is, its settings say)\n"
        );
        assert_eq!(
            problems("GET /a\nx user: 7\n"),
            "11: `x user: 7` is no header \
             (write `name: value`; before a body stands an empty line)\n\
             10: this exchange has no answer \
             (write `HTTP 200`, or `HTTP refused`, `HTTP timeout` or `HTTP broken`)\n"
        );
        assert_eq!(
            problems("GET /a\n\nHTTP late\n"),
            "12: `HTTP late` is no answer \
             (write `HTTP 200`, or `HTTP refused`, `HTTP timeout` or `HTTP broken`)\n"
        );
        assert_eq!(
            problems("GET /a\n\nHTTP refused\n\n{}\n"),
            "14: nothing can follow `HTTP refused`\n"
        );
        assert_eq!(
            problems("HTTP 200\n{}"),
            "10: this exchange has no request \
             (an exchange begins with a request, as in `GET /orders?userId=1`)\n"
        );
        assert!(problems("").starts_with("10: this exchange has no request"));
    }

    #[test]
    fn headers_alone_are_a_block_too() {
        let headers = client_headers("accept: application/json\nx-a: 1\nx-a: 2\n", 1).unwrap();
        assert_eq!(headers.get_all("x-a").iter().count(), 2);
        let problems = client_headers("x-a: 1\n\nnothing\n", 5).unwrap_err();
        assert_eq!(problems[0].to_string(), "7: `nothing` is no header");
    }
}
