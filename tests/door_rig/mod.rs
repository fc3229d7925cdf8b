//! The door as the service it is, without sockets, over an engine that does what a document says.

#![allow(dead_code, reason = "each test file uses its part of the rig")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::{Config, FixedEnv};
use onedoor::door::{
    Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, router,
};
use onedoor::failure::Code;
use onedoor::identity::{Authenticator, Identity, ReadClaims, mint};
use serde_json::{Map, Value, json};

pub(crate) const GRAPHQL: &str = "application/graphql-response+json";
pub(crate) const JSON: &str = "application/json";

/// Answers by the document: what it says is what happens. Notes what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    asked: Mutex<Vec<(GraphqlRequest, Identity, RequestContext)>>,
}

#[async_trait]
impl Engine for Script {
    async fn execute(
        &self,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> GraphqlResponse {
        let document = request.document.clone();
        let queries_only = request.queries_only;
        self.asked.lock().expect("no panic").push((request, identity, context));
        let long = document.strip_prefix("long ").and_then(|length| length.parse().ok());
        if let Some(length) = long {
            return executed(response_of(length));
        }
        let (body, outcome) = match document.as_str() {
            "panic" => panic!("as the document says"),
            "mutation" if queries_only => (r#"{"errors":[{}]}"#, Outcome::MutationByGet),
            "null" => (r#"{"errors":[{}],"data":null}"#, Outcome::Executed),
            "partial" => (r#"{"errors":[{}],"data":{"a":null}}"#, Outcome::Executed),
            name => match Code::ALL.iter().find(|code| code.as_str() == name) {
                Some(code) => (r#"{"errors":[{}]}"#, Outcome::RequestError(*code)),
                None => (r#"{"data":{"a":1}}"#, Outcome::Executed),
            },
        };
        let errors = usize::from(body.contains("errors"));
        let body = Bytes::from_static(body.as_bytes());
        GraphqlResponse { body, outcome, operation: None, errors, headers: HeaderMap::new() }
    }
}

/// A response of so many bytes: what the document `long 1024` is answered with.
pub(crate) fn response_of(length: usize) -> String {
    let numbers: String = (0..).take(length).map(|number: usize| number.to_string()).collect();
    let (begin, end) = (r#"{"data":{"a":""#, r#""}}"#);
    format!("{begin}{}{end}", &numbers[..length - begin.len() - end.len()])
}

fn executed(body: String) -> GraphqlResponse {
    let (outcome, headers) = (Outcome::Executed, HeaderMap::new());
    GraphqlResponse { body: body.into(), outcome, operation: None, errors: 0, headers }
}

pub(crate) struct Gateway {
    script: Arc<Script>,
    router: TowerToHyperService<axum::Router>,
    config: Config,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The code of the only error, in GraphQL's form.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let errors = body["errors"].as_array().expect("errors");
        assert_eq!((errors.len(), body.get("data")), (1, None), "{body}");
        assert!(
            errors[0]["message"].as_str().is_some_and(|message| message.ends_with('.')),
            "{body}"
        );
        errors[0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }
}

impl Gateway {
    pub(crate) fn new(settings: &str) -> Self {
        let secret = "[[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"\n";
        let text = format!("{settings}\n{secret}");
        let loaded = Config::from_texts([("onedoor.toml", text)], &FixedEnv::new());
        let config = loaded.draft;
        assert_eq!(config.auth.jwt.len(), 1);
        let script = Arc::new(Script::default());
        let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
        let engine: Arc<dyn Engine> = Arc::clone(&script) as _;
        let door = Door::new(&config, authenticator, Vec::new(), engine);
        let router = TowerToHyperService::new(router(Arc::new(door)));
        Self { script, router, config }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.call(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn post(&self, accept: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post("/graphql").header(CONTENT_TYPE, JSON).header(ACCEPT, accept);
        self.send(request.body(body.into()).expect("a request")).await
    }

    pub(crate) async fn get(&self, path_and_query: &str) -> Answer {
        let request = Request::get(path_and_query).header(ACCEPT, GRAPHQL);
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub(crate) fn asked(&self) -> Option<(GraphqlRequest, Identity, RequestContext)> {
        self.script.asked.lock().expect("no panic").pop()
    }

    pub(crate) fn token(&self) -> String {
        let claims = Map::from_iter([("sub".to_owned(), json!("ada"))]);
        let lifetime = std::time::Duration::from_secs(60);
        let token = mint(&self.config.auth.jwt[0], claims, lifetime).expect("signed");
        format!("Bearer {token}")
    }
}

pub(crate) fn document(text: &str) -> String {
    json!({ "query": text }).to_string()
}
