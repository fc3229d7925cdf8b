//! Subscriptions, from an upstream's events to responses: what is opened and closed, what each event
//! runs, what is shared between subscribers and what never is.

#![allow(unreachable_pub, reason = "one program of several files")]

mod rig;

use http::StatusCode;
use onedoor::upstream::{ErrorKind, Reply, TooLarge};
use rig::{Rig, With, event};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn each_event_runs_the_plan_and_joins_like_a_query() {
    let rig = Rig::new();
    let mut subscriber =
        rig.subscribe("subscription { orders { id buyers { name } buyer { name } } }");
    let (first, ()) = tokio::join!(subscriber.data(), async {
        let stream = rig.services.stream(0).await;
        assert_eq!(stream.path, "/events");
        stream.send(json!({"id": 7, "userIds": [2, 1, 2], "userId": 1})).await;
        stream.send(json!({"id": 8, "userIds": [3]})).await;
        std::mem::forget(stream);
    });
    let buyers = json!([{"name": "Bob"}, {"name": "Ada"}, {"name": "Bob"}]);
    assert_eq!(first, json!({"orders": {"id": "7", "buyers": buyers, "buyer": {"name": "Ada"}}}));
    assert_eq!(rig.services.calls(), ["GET /users?id=1&id=2"]);
    let second = subscriber.data().await;
    assert_eq!(second, json!({"orders": {"id": "8", "buyers": [{"name": "Cyd"}], "buyer": null}}));
    assert_eq!(rig.services.calls(), ["GET /users?id=3"]);
    assert_eq!(rig.services.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_are_noted_of_all_events_and_in_numbers_however_many_there_are() {
    let rig = Rig::new();
    let query = "subscription { orders { buyer { name } } }";
    let (mut subscriber, calls) = rig.subscribe_noting(query);
    assert!(subscriber.now().is_none());
    let stream = rig.services.stream(0).await;
    for user in [1, 2, 3, 1] {
        let ((), _) = tokio::join!(stream.send(json!({"userId": user})), subscriber.data());
    }
    assert_eq!(calls.to_string(), "orders=calls:1 users=calls:4");
    for _ in 0..1000 {
        let ((), _) = tokio::join!(stream.send(json!({"userId": 2})), subscriber.data());
    }
    assert_eq!(calls.to_string(), "orders=calls:1 users=calls:1004");

    let (mut other, calls) = rig.subscribe_noting(query);
    assert!(other.now().is_none());
    let ((), ..) = tokio::join!(stream.send(json!({"userId": 1})), subscriber.data(), other.data());
    assert!(calls.to_string().starts_with("orders=calls:0/coalesced:1 users="), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn only_events_of_the_type_count() {
    let rig = Rig::new();
    let mut paid = rig.subscribe("subscription { paid { id } }");
    let mut plain = rig.subscribe("subscription { orders { id } }");
    let (paid, plain, ()) = tokio::join!(paid.data(), plain.data(), async {
        let stream = rig.services.stream(0).await;
        stream.send_as("shipped", json!({"id": 1})).await;
        stream.send_as("message", json!({"id": 2})).await;
        stream.send_as("paid", json!({"id": 3})).await;
    });
    assert_eq!(paid, json!({"paid": {"id": "3"}}));
    assert_eq!(plain, json!({"orders": {"id": "2"}}));
    assert_eq!(rig.services.asked(), 1, "they are types of one stream");
}

#[tokio::test(start_paused = true)]
async fn what_an_event_leads_to_is_fetched_or_computed() {
    let rig = Rig::new();
    let mut stub = rig.subscribe("subscription { stub { id buyer { name } } }");
    let mut total = rig.subscribe("subscription { total }");
    let (stub, total, ()) = tokio::join!(stub.data(), total.data(), async {
        let stream = rig.services.stream(0).await;
        stream.send(json!({"id": 9, "net": 21})).await;
    });
    assert_eq!(stub, json!({"stub": {"id": "9", "buyer": {"name": "Ada"}}}));
    assert_eq!(total, json!({"total": 42}));
    assert_eq!(rig.services.calls(), ["GET /orders/9", "GET /users?id=1"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_an_error_and_the_stream_goes_on() {
    let rig = Rig::new();
    let mut subscriber = rig.subscribe("subscription { orders { id } }");
    let sent = async {
        let stream = rig.services.stream(0).await;
        stream.send("no JSON").await;
        stream
            .give(Ok(onedoor::upstream::Event {
                data: Err(TooLarge(9)),
                ..event("message", None, "")
            }))
            .await;
        stream.send(json!({"id": [1]})).await;
        stream.send(json!(null)).await;
        stream.send(json!({"id": 1})).await;
        stream
    };
    let received = async {
        let mut codes = Vec::new();
        for _ in 0..3 {
            let response = subscriber.next().await;
            assert_eq!(response["data"], json!({"orders": null}));
            codes.push(response["errors"][0]["extensions"]["code"].clone());
        }
        assert_eq!(subscriber.data().await, json!({"orders": null}));
        assert_eq!(subscriber.data().await, json!({"orders": {"id": "1"}}));
        codes
    };
    let (codes, _stream) = tokio::join!(received, sent);
    assert_eq!(codes, ["UPSTREAM_BAD_ANSWER", "UPSTREAM_ANSWER_TOO_LARGE", "UPSTREAM_BAD_ANSWER"]);
}

#[tokio::test(start_paused = true)]
async fn a_null_goes_up_to_the_root_and_the_stream_goes_on() {
    let rig = Rig::new();
    let mut subscriber = rig.subscribe_as(rig.caller("1"), "subscription { mine { id } }");
    let (first, second, _stream) =
        tokio::join!(subscriber.response(), std::future::ready(()), async {
            let stream = rig.services.stream(0).await;
            assert_eq!(stream.path, "/events?userId=1");
            stream.send("null").await;
            stream.send(json!({"id": 1})).await;
            stream
        });
    let () = second;
    let first: serde_json::Value = serde_json::from_slice(&first.unwrap().body).unwrap();
    assert_eq!(first["data"], json!(null));
    assert_eq!(first["errors"][0]["path"], json!(["mine"]));
    assert_eq!(subscriber.data().await, json!({"mine": {"id": "1"}}));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_opens_no_stream() {
    let rig = Rig::new();
    let errors = rig.subscribe("subscription { mine { id } }").refused().await;
    assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(errors[0]["path"], json!(["mine"]));
    assert_eq!(errors[0]["locations"], json!([{"line": 1, "column": 16}]));
    let errors = rig.subscribe("subscription { nothing }").refused().await;
    assert_eq!(errors[0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    let errors = rig.subscribe("subscription { paid { id } orders { id } }").refused().await;
    assert_eq!(errors[0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(rig.services.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn where_one_answer_only_can_be_given_a_subscription_is_refused() {
    let rig = Rig::new();
    let response = rig.execute("subscription { orders { id } }").await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert_eq!(response.get("data"), None);
    assert_eq!(rig.services.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_query_has_one_response_on_a_stream_too() {
    let rig = Rig::new();
    let mut subscriber = rig.subscribe("{ user(id: 2) { name } }");
    assert_eq!(subscriber.data().await, json!({"user": {"name": "Bob"}}));
    subscriber.ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_begin_is_one_error() {
    let says = |status| Reply::json(status, r#"{"message": "secret"}"#);
    let refusals: [(rig::Opening, &str); 4] = [
        (|_| Some(Ok(Reply::json(StatusCode::FORBIDDEN, "{}"))), "FORBIDDEN"),
        (|_| Some(Ok(Reply::json(StatusCode::BAD_GATEWAY, "{}"))), "UPSTREAM_FAILED"),
        (|_| Some(Err(ErrorKind::Unreachable)), "UPSTREAM_UNAVAILABLE"),
        (|_| Some(Ok(Reply::json(StatusCode::ACCEPTED, "{}"))), "UPSTREAM_BAD_ANSWER"),
    ];
    assert_eq!(says(StatusCode::OK).status, 200);
    for (opening, code) in refusals {
        let rig = Rig::with(With { opening, ..With::default() });
        let errors = rig.subscribe("subscription { orders { id } }").refused().await;
        assert_eq!(errors[0]["extensions"]["code"], code);
        assert_eq!(errors[0]["extensions"]["upstream"]["service"], "orders");
        assert_eq!(errors[0]["path"], json!(["orders"]));
        assert_eq!(rig.services.asked(), 1, "it is not asked again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_of_204_ends_a_subscription_without_an_error() {
    let none = |_| Some(Ok(Reply::json(StatusCode::NO_CONTENT, "null")));
    let rig = Rig::with(With { opening: none, ..With::default() });
    rig.subscribe("subscription { orders { id } }").ended().await;
    let then = |nth| (nth > 0).then(|| Ok(Reply::json(StatusCode::NO_CONTENT, "null")));
    let rig = Rig::with(With { opening: then, ..With::default() });
    let mut subscriber = rig.subscribe("subscription { orders { id } }");
    let (data, ()) = tokio::join!(subscriber.data(), async {
        rig.services.stream(0).await.send(json!({"id": 1})).await;
    });
    assert_eq!(data, json!({"orders": {"id": "1"}}));
    subscriber.ended().await;
    assert_eq!(rig.services.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_is_opened_again_after_its_last_event() {
    let opening = |nth| {
        (1..4).contains(&nth).then(|| match nth {
            1 => Err(ErrorKind::Unreachable),
            2 => Ok(Reply::json(StatusCode::SERVICE_UNAVAILABLE, "{}")),
            _ => Err(ErrorKind::Timeout),
        })
    };
    let rig = Rig::with(With { opening, ..With::default() });
    let mut subscriber = rig.subscribe("subscription { orders { id } }");
    let (data, ()) = tokio::join!(subscriber.data(), async {
        let stream = rig.services.stream(0).await;
        assert_eq!(stream.last_event_id, None);
        stream.give(Ok(event("message", Some("a1"), json!({"id": 1})))).await;
        stream.give(Err(ErrorKind::Broken)).await;
    });
    assert_eq!(data, json!({"orders": {"id": "1"}}));
    // Nobody is told of three failures to open it again.
    let (data, ()) = tokio::join!(subscriber.data(), async {
        let stream = rig.services.stream(4).await;
        assert_eq!(stream.last_event_id.as_deref(), Some("a1"));
        stream.give(Ok(event("message", None, json!({"id": 2})))).await;
    });
    assert_eq!(data, json!({"orders": {"id": "2"}}));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_may_not_be_opened_again_ends_with_its_error() {
    let gone = |nth| (nth > 0).then(|| Ok(Reply::json(StatusCode::GONE, "{}")));
    let down = |nth| (nth > 0).then_some(Err(ErrorKind::Unreachable));
    let cases: [(fn(usize) -> _, _, _); 2] =
        [(gone, "NOT_FOUND", 2), (down, "UPSTREAM_UNAVAILABLE", 12)];
    for (opening, code, asked) in cases {
        let rig = Rig::with(With { opening, ..With::default() });
        let mut subscriber = rig.subscribe("subscription { orders { id } }");
        let (last, ()) = tokio::join!(subscriber.next(), async {
            drop(rig.services.stream(0).await);
        });
        assert_eq!(last["data"], json!(null));
        assert_eq!(last["errors"][0]["extensions"]["code"], code);
        assert_eq!(last["errors"][0]["path"], json!(["orders"]));
        subscriber.ended().await;
        assert_eq!(rig.services.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn subscribers_share_a_stream_and_the_last_to_go_closes_it() {
    let rig = Rig::new();
    let mut some: Vec<_> =
        (0..3).map(|_| rig.subscribe("subscription { orders { id } }")).collect();
    some.push(rig.subscribe_as(rig.caller("1"), "subscription Other { orders { id: id } }"));
    for subscriber in &mut some {
        assert!(subscriber.now().is_none());
    }
    let stream = rig.services.stream(0).await;
    for subscriber in &mut some {
        assert!(subscriber.now().is_none());
    }
    stream.send(json!({"id": 1})).await;
    for subscriber in &mut some {
        assert_eq!(subscriber.data().await, json!({"orders": {"id": "1"}}));
    }
    assert_eq!(rig.services.asked(), 1, "nothing of the caller's is in the request");
    some.truncate(1);
    tokio::task::yield_now().await;
    assert!(stream.is_open());
    some.clear();
    stream.abandoned().await;
    // Who comes later opens another.
    let mut late = rig.subscribe("subscription { orders { id } }");
    let (data, ()) = tokio::join!(late.data(), async {
        rig.services.stream(1).await.send(json!({"id": 2})).await;
    });
    assert_eq!(data, json!({"orders": {"id": "2"}}));
}

#[tokio::test(start_paused = true)]
async fn another_request_is_another_stream() {
    let rig = Rig::new();
    let mut one = rig.subscribe("subscription { orders(userId: 1) { id } }");
    let mut two = rig.subscribe("subscription { orders(userId: 2) { id } }");
    assert!(one.now().is_none() && two.now().is_none());
    assert_eq!(rig.services.stream(0).await.path, "/events?userId=1");
    assert_eq!(rig.services.stream(1).await.path, "/events?userId=2");
}

#[tokio::test(start_paused = true)]
async fn callers_of_whom_the_upstream_is_told_have_streams_of_their_own() {
    let identity = "[identity]\nheaders = { x-user-id = \"{claims.sub}\" }";
    for (identity, headers, query, streams) in [
        // The claim is in the request.
        ("", &[][..], "subscription { mine { id } }", 2),
        // It is told in a header.
        (identity, &[][..], "subscription { orders { id } }", 2),
        // The upstream says so.
        ("", &[("cache-control", "private")][..], "subscription { orders { id } }", 2),
        ("", &[("set-cookie", "a=b")][..], "subscription { orders { id } }", 2),
        ("", &[("cache-control", "no-store")][..], "subscription { orders { id } }", 1),
    ] {
        let rig = Rig::with(With { identity, headers, ..With::default() });
        let [ada, bob] = ["1", "2"].map(|subject| rig.caller(subject));
        let callers = [ada.clone(), ada, bob.clone(), bob];
        let mut all: Vec<_> =
            callers.into_iter().map(|caller| rig.subscribe_as(caller, query)).collect();
        let mut opened = Vec::new();
        for nth in 0..streams {
            for subscriber in &mut all {
                assert!(subscriber.now().is_none());
            }
            opened.push(rig.services.stream(nth).await);
            tokio::task::yield_now().await;
        }
        for subscriber in &mut all {
            assert!(subscriber.now().is_none());
        }
        assert_eq!(rig.services.asked(), streams, "{query} {headers:?}");
        if !identity.is_empty() {
            let told = opened.iter().map(|stream| stream.headers["x-user-id"].to_str().unwrap());
            assert_eq!(told.collect::<Vec<_>>(), ["1", "2"]);
        }
        for (nth, stream) in opened.iter().enumerate() {
            stream.send(json!({"id": nth})).await;
        }
        let last = streams - 1;
        for (subscriber, nth) in all.iter_mut().zip([0, 0, last, last]) {
            let data = subscriber.data().await;
            let field = data.as_object().unwrap().values().next().unwrap();
            assert_eq!(field["id"], nth.to_string(), "{query} {headers:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_is_read_no_faster_than_its_fastest_subscriber_takes() {
    let rig = Rig::new();
    let mut subscriber = rig.subscribe("subscription { orders { id } }");
    assert!(subscriber.now().is_none());
    let stream = rig.services.stream(0).await;
    let mut sent = 0;
    for _ in 0..1_000 {
        sent += u32::from(stream.offer(json!({"id": sent})));
        tokio::task::yield_now().await;
    }
    assert_eq!(sent, 65, "64 wait for the subscriber, and one for them");
    for id in 0..65 {
        assert_eq!(subscriber.data().await, json!({"orders": {"id": id.to_string()}}));
    }
    stream.send(json!({"id": "more"})).await;
    assert_eq!(subscriber.data().await, json!({"orders": {"id": "more"}}));
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_delays_no_other_and_is_told_what_it_has_lost() {
    let rig = Rig::new();
    let mut fast = rig.subscribe("subscription { orders { id } }");
    let mut slow = rig.subscribe("subscription { orders { id } }");
    assert!(fast.now().is_none() && slow.now().is_none());
    let stream = rig.services.stream(0).await;
    assert!(slow.now().is_none());
    for id in 0..100 {
        stream.send(json!({"id": id})).await;
        assert_eq!(fast.data().await, json!({"orders": {"id": id.to_string()}}));
    }
    let last = slow.next().await;
    assert_eq!(last["errors"][0]["extensions"]["code"], "EVENTS_LOST");
    assert_eq!(
        last["errors"][0]["message"],
        "Events come faster than they are taken; 36 were lost."
    );
    slow.ended().await;
    stream.send(json!({"id": "more"})).await;
    assert_eq!(fast.data().await, json!({"orders": {"id": "more"}}));
}

#[tokio::test(start_paused = true)]
async fn a_poll_asks_again_and_again_and_sends_what_is_new() {
    let answering = |_: &str, nth: usize| json!([1, 1, 1, 2, 2][(nth - 1).min(4)]);
    let rig = Rig::with(With { answering, ..With::default() });
    let (mut subscriber, calls) = rig.subscribe_noting("subscription { count }");
    let started = tokio::time::Instant::now();
    assert_eq!(subscriber.data().await, json!({"count": 1}));
    assert_eq!(started.elapsed().as_millis(), 0);
    assert_eq!(subscriber.data().await, json!({"count": 2}));
    assert_eq!(started.elapsed().as_millis(), 3_000);
    assert_eq!(rig.services.calls(), ["GET /count"; 4]);
    assert_eq!(calls.to_string(), "orders=calls:4", "those without a response too");
    drop(subscriber);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(rig.services.calls().len(), 0, "nobody listens");
}

#[tokio::test(start_paused = true)]
async fn a_poll_repeats_a_lookup_too() {
    let answering = |path: &str, nth: usize| match nth {
        1 => json!([]),
        _ => rig::shop(path, nth),
    };
    let rig = Rig::with(With { answering, ..With::default() });
    let mut subscriber = rig.subscribe("subscription { user(id: 3) { name } }");
    assert_eq!(subscriber.data().await, json!({"user": null}));
    assert_eq!(subscriber.data().await, json!({"user": {"name": "Cyd"}}));
    assert_eq!(rig.services.calls(), ["GET /users?id=3", "GET /users?id=3"]);
}
