//! `examples/services.rs`: the shop's services by themselves, with a gateway in front of them.

#[allow(dead_code, reason = "the example's `main` is not called")]
#[path = "../examples/services.rs"]
mod services;

use std::path::Path;
use std::time::Duration;

use clap::Parser as _;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Explain, Request};
use onedoor::gateway::{Gateway, Mode, Project};
use serde_json::{Value, json};
use services::{Args, Service, open};

async fn opened(args: &[&str]) -> Vec<Service> {
    let args = [&["services", "--any-port"], args].concat();
    open(&Args::try_parse_from(args).unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_shop_runs_over_them_and_one_that_fails_costs_its_own_fields() {
    let mut env = FixedEnv::new();
    for service in opened(&["--fail", "payments=1"]).await {
        let url = format!("http://{}", service.address);
        env = env.with_variable(format!("{}_URL", service.name.to_uppercase()), url);
        tokio::spawn(service.serve());
    }
    let (project, problems) = Project::load(Path::new(env!("CARGO_MANIFEST_DIR")), &env);
    let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
    let engine = Gateway::new(project, Mode::Serve).unwrap().engine;
    let query = "{ user(id: 7) { id orders(first: 1) { buyer { id } payment { id } } } }";
    let request = Request {
        query,
        operation_name: None,
        variables: None,
        only_queries: true,
        incremental: None,
        explain: Explain::default(),
    };
    let answer = engine.execute(request, &Context::anonymous(engine.deadline())).await;
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let orders = json!([{"buyer": {"id": "7"}, "payment": null}]);
    assert_eq!(answer["data"], json!({"user": {"id": "7", "orders": orders}}));
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{answer}");
    assert_eq!(errors[0]["path"], json!(["user", "orders", 0, "payment"]));
    let upstream = json!({"service": "payments", "status": 503});
    assert_eq!(errors[0]["extensions"]["upstream"], upstream);
}

#[tokio::test]
async fn what_is_said_of_one_service_is_its_own_and_the_last_word_counts() {
    let args =
        ["--latency", "20ms", "--latency", "orders=2s", "--fail", "users=1", "--fail", "0.5"];
    let options: Vec<_> = opened(&args)
        .await
        .into_iter()
        .map(|service| (service.name, service.options.latency, service.options.failure_rate))
        .collect();
    let ms = Duration::from_millis;
    let expected = [("notifications", 20), ("orders", 2000), ("payments", 20), ("users", 20)];
    assert_eq!(options, expected.map(|(name, time)| (name.to_owned(), ms(time), 0.5)));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    for (args, said) in [
        (["--latency", "200"], "unit"),
        (["--latency", "orders=fast"], "fast"),
        (["--fail", "1.5"], "from 0 to 1"),
        (["--fail", "orders=NaN"], "from 0 to 1"),
    ] {
        let error = Args::try_parse_from([&["services"], &args[..]].concat()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let args = Args::try_parse_from(["services", "--fail", "order=1"]).unwrap();
    let error = open(&args).await.err().unwrap().to_string();
    assert_eq!(error, "no mock is named `order`; there are notifications, orders, payments, users");
}
