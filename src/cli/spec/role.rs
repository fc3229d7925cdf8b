//! What a block is for, by its info string: a language, a role, and what the role takes.

use http::StatusCode;

use crate::config::ServiceName;
use crate::config::suggest::{listed, nearest};

use super::problem::DocumentProblem;

/// What a block is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// A file of the schema, with a name perhaps.
    Schema(Option<String>),
    /// A settings file.
    Settings(String),
    /// Variables of the environment.
    Env,
    /// An exchange with this upstream.
    Exchange(ServiceName),
    /// A request of a client.
    Request {
        /// Its name, where it is not the heading's.
        name: Option<String>,
        /// Which operation of the document runs.
        operation: Option<String>,
    },
    /// The request's variables.
    Variables,
    /// The claims of the request's token.
    Claims,
    /// The request's headers.
    Headers,
    /// What the client gets.
    Response(Head),
    /// Headers of the upstreams' answers that the client gets.
    Returned,
    /// Which upstream calls are made.
    Calls,
    /// The request's plan.
    Plan,
    /// What `onedoor check` says.
    Check,
}

/// The head of a response, as far as a document shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The status.
    pub(super) status: StatusCode,
    /// The media type without parameters.
    pub(super) media: String,
}

/// The media type that a request asks for and a response has, unless a document says otherwise.
pub(super) const MEDIA: &str = "application/graphql-response+json";

/// The media type of a stream of responses.
pub(super) const EVENTS: &str = "text/event-stream";

/// The media type of a response in parts.
pub(super) const PARTS: &str = "multipart/mixed";

/// The roles by language. `http` has upstreams beside these, `toml` has file names.
const ROLES: [(&str, &str); 13] = [
    ("graphql", "schema"),
    ("graphql", "request"),
    ("toml", "onedoor.toml"),
    ("toml", "upstreams/NAME.toml"),
    ("http", "headers"),
    ("json", "variables"),
    ("json", "claims"),
    ("json", "response"),
    ("text", "returned"),
    ("text", "calls"),
    ("text", "plan"),
    ("text", "check"),
    ("text", "env"),
];

impl Head {
    /// The head of a block that says nothing of it.
    pub(super) fn usual() -> Self {
        Self { status: StatusCode::OK, media: MEDIA.to_owned() }
    }

    /// Whether such an answer holds any number of responses.
    pub(super) fn is_streamed(&self) -> bool {
        matches!(&*self.media, EVENTS | PARTS)
    }

    /// The info string of a response with this head.
    pub(super) fn info(&self) -> String {
        let mut info = "json response".to_owned();
        if self.status != StatusCode::OK || self.media != MEDIA {
            info.push(' ');
            info.push_str(self.status.as_str());
        }
        if self.media != MEDIA {
            info.push(' ');
            info.push_str(&self.media);
        }
        info
    }
}

impl Role {
    /// Reads an info string; `None`: the block is part of the prose.
    ///
    /// # Errors
    /// If it is meant for the document, and is not right.
    pub(super) fn parse(info: &str, line: usize) -> Option<Result<Self, DocumentProblem>> {
        let words = words(info);
        let [language, role, rest @ ..] = &words[..] else { return None };
        let takes = |allowed: usize, role: Self| match rest.get(allowed) {
            Some(word) => Err(DocumentProblem::new(line, format!("`{word}` is one word too many"))),
            None => Ok(role),
        };
        Some(match (language.as_str(), role.as_str()) {
            ("graphql", "schema") => takes(1, Self::Schema(rest.first().cloned())),
            ("graphql", "request") => request(rest, line),
            ("toml", file) => settings(file, line).and_then(|role| takes(0, role)),
            ("http", "headers") => takes(0, Self::Headers),
            ("http", upstream) => exchange(upstream, line).and_then(|role| takes(0, role)),
            ("json", "variables") => takes(0, Self::Variables),
            ("json", "claims") => takes(0, Self::Claims),
            ("json", "response") => {
                head(rest, line).and_then(|head| takes(2, Self::Response(head)))
            }
            ("text", "returned") => takes(0, Self::Returned),
            ("text", "calls") => takes(0, Self::Calls),
            ("text", "plan") => takes(0, Self::Plan),
            ("text", "check") => takes(0, Self::Check),
            ("text", "env") => takes(0, Self::Env),
            (language, role) => return unknown(language, role, line).map(Err),
        })
    }
}

/// Words, of which those in double quotes may hold spaces and are kept as `"..`.
fn words(info: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = info.trim();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (word, after) = match quoted {
            Some((name, after)) => (format!("\"{name}"), after),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (
                    rest.get(..end).unwrap_or_default().to_owned(),
                    rest.get(end..).unwrap_or_default(),
                )
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn request(rest: &[String], line: usize) -> Result<Role, DocumentProblem> {
    let (mut name, mut operation) = (None, None);
    for word in rest {
        if let Some(quoted) = word.strip_prefix('"') {
            name = Some(quoted.to_owned());
        } else if let Some(of_document) = word.strip_prefix("operation=") {
            operation = Some(of_document.to_owned());
        } else {
            let message = format!("a request takes a name and an operation, not `{word}`");
            let help = "write `graphql request \"name\"` or `graphql request operation=Name`";
            return Err(DocumentProblem::new(line, message).help(help));
        }
    }
    Ok(Role::Request { name, operation })
}

fn settings(file: &str, line: usize) -> Result<Role, DocumentProblem> {
    let upstream = file.strip_prefix("upstreams/").and_then(|file| file.strip_suffix(".toml"));
    if file == "onedoor.toml" {
        return Ok(Role::Settings(file.to_owned()));
    }
    let message = format!("there is no settings file `{file}`");
    let problem = DocumentProblem::new(line, message);
    match upstream {
        Some(name) => match name.parse::<ServiceName>() {
            Ok(_) => Ok(Role::Settings(file.to_owned())),
            Err(error) => Err(problem.help(error.to_string())),
        },
        None => Err(problem.help("settings are `onedoor.toml` and `upstreams/NAME.toml`")),
    }
}

fn exchange(upstream: &str, line: usize) -> Result<Role, DocumentProblem> {
    upstream.parse().map(Role::Exchange).map_err(|error| {
        let message = format!("`{upstream}` is neither `headers` nor an upstream's name");
        let problem = DocumentProblem::new(line, message);
        match nearest(upstream, ["headers"]) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("{error}")),
        }
    })
}

fn head(rest: &[String], line: usize) -> Result<Head, DocumentProblem> {
    let mut head = Head::usual();
    if let Some(status) = rest.first() {
        head.status = status.parse().map_err(|_| {
            let message = format!("`{status}` is not a status");
            DocumentProblem::new(line, message).help("write `json response 400`")
        })?;
    }
    if let Some(media) = rest.get(1) {
        head.media.clone_from(media);
    }
    Ok(head)
}

/// A block that is meant for the document and has no role; `None` if it is prose.
fn unknown(language: &str, role: &str, line: usize) -> Option<DocumentProblem> {
    if let Some((right, _)) = ROLES.iter().find(|(_, known)| *known == role) {
        let message = format!("`{role}` is a role of `{right}`, not of `{language}`");
        return Some(DocumentProblem::new(line, message).help(format!("write ```{right} {role}")));
    }
    let known: Vec<&str> =
        ROLES.iter().filter(|(of, _)| *of == language).map(|(_, role)| *role).collect();
    if known.is_empty() {
        return None;
    }
    let problem = DocumentProblem::new(line, format!("`{role}` is no role of `{language}`"));
    Some(match nearest(role, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("there are {}", listed(known))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(info: &str) -> Role {
        Role::parse(info, 1).unwrap().unwrap()
    }

    fn problem(info: &str) -> String {
        Role::parse(info, 7).unwrap().unwrap_err().to_string()
    }

    #[test]
    fn an_info_string_is_a_language_and_a_role() {
        assert_eq!(role("graphql schema"), Role::Schema(None));
        assert_eq!(
            role("graphql schema schema/a.graphql"),
            Role::Schema(Some("schema/a.graphql".into()))
        );
        assert_eq!(
            role("toml upstreams/orders.toml"),
            Role::Settings("upstreams/orders.toml".into())
        );
        assert_eq!(role("http orders"), Role::Exchange("orders".parse().unwrap()));
        assert_eq!(role("http headers"), Role::Headers);
        assert_eq!(
            role("graphql request \"Two  words\" operation=B"),
            Role::Request { name: Some("Two  words".into()), operation: Some("B".into()) }
        );
        assert_eq!(role("text calls"), Role::Calls);
    }

    #[test]
    fn a_response_shows_its_head_only_where_it_is_unusual() {
        for info in [
            "json response",
            "json response 400",
            "json response 200 application/json",
            "json response 400 application/json",
        ] {
            let Role::Response(head) = role(info) else { panic!("a response") };
            assert_eq!(head.info(), info);
        }
    }

    #[test]
    fn blocks_without_a_role_are_prose() {
        for info in ["", "json", "graphql", "sh", "rust ignore", "js title=\"a\""] {
            assert_eq!(Role::parse(info, 1), None, "{info}");
        }
    }

    #[test]
    fn what_is_nearly_a_role_is_a_mistake() {
        assert_eq!(
            problem("json reponse"),
            "7: `reponse` is no role of `json` (did you mean `response`?)"
        );
        assert_eq!(
            problem("json calls"),
            "7: `calls` is a role of `text`, not of `json` (write ```text calls)"
        );
        assert_eq!(
            problem("gql schema"),
            "7: `schema` is a role of `graphql`, not of `gql` (write ```graphql schema)"
        );
        assert_eq!(
            problem("text whatever"),
            "7: `whatever` is no role of `text` (there are `returned`, `calls`, `plan`, `check` and `env`)"
        );
        assert_eq!(
            problem("toml onedor.toml"),
            "7: there is no settings file `onedor.toml` \
             (settings are `onedoor.toml` and `upstreams/NAME.toml`)"
        );
        assert_eq!(problem("text calls now"), "7: `now` is one word too many");
        assert_eq!(
            problem("json response ok"),
            "7: `ok` is not a status (write `json response 400`)"
        );
        assert_eq!(
            problem("graphql request Name"),
            "7: a request takes a name and an operation, not `Name` \
             (write `graphql request \"name\"` or `graphql request operation=Name`)"
        );
    }
}
