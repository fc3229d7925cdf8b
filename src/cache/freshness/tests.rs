//! Which answers are kept, for how long and for whom.

use super::*;

const NOW: &str = "Thu, 01 Jan 2026 12:00:00 GMT";

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let parsed = lines.iter().map(|(name, value)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    });
    let mut headers = HeaderMap::new();
    parsed.for_each(|(name, value)| {
        headers.append(name, value);
    });
    headers
}

/// An answer to a GET, a second under way.
fn judged<'a>(headers: &'a HeaderMap, of_caller: bool) -> Judged<'a> {
    Judged {
        method: &Method::GET,
        status: StatusCode::OK,
        headers,
        of_caller,
        delay: Duration::from_secs(1),
        date: httpdate::parse_http_date(NOW).unwrap(),
        declared: None,
    }
}

fn varying(name: &HeaderName) -> Varying {
    match name.as_str() {
        "x-user-id" => Varying::Caller,
        "traceparent" => Varying::Call,
        _ => Varying::Same,
    }
}

fn of(lines: &[(&str, &str)], of_caller: bool) -> Result<(u64, Scope), NotKept> {
    let headers = headers(lines);
    judge(judged(&headers, of_caller), varying).map(|keep| (keep.fresh_for.as_secs(), keep.scope))
}

fn control(text: &str) -> Result<(u64, Scope), NotKept> {
    of(&[("cache-control", text)], false)
}

#[test]
fn an_answer_is_fresh_for_as_long_as_it_says_less_its_time_under_way() {
    assert_eq!(control("max-age=60"), Ok((59, Scope::Shared)));
    assert_eq!(control("MAX-AGE=\"60\" , x=1"), Ok((59, Scope::Shared)));
    assert_eq!(control("max-age=60, s-maxage=30"), Ok((29, Scope::Shared)));
    assert_eq!(control("s-maxage=90, max-age=60"), Ok((89, Scope::Shared)));
    assert_eq!(
        of(&[("cache-control", "max-age=60"), ("age", "20")], false),
        Ok((39, Scope::Shared))
    );
    let aged = [("cache-control", "max-age=60"), ("date", "Thu, 01 Jan 2026 11:59:30 GMT")];
    assert_eq!(of(&aged, false), Ok((30, Scope::Shared)));
    assert_eq!(control("max-age=99999999999999999999"), Ok((24 * 60 * 60 - 1, Scope::Shared)));
}

#[test]
fn expires_counts_where_there_is_no_max_age() {
    let later = ("expires", "Thu, 01 Jan 2026 12:01:00 GMT");
    assert_eq!(of(&[later], false), Ok((59, Scope::Shared)));
    assert_eq!(of(&[later, ("cache-control", "max-age=10")], false), Ok((9, Scope::Shared)));
    assert_eq!(
        of(&[later, ("date", "Thu, 01 Jan 2026 12:00:30 GMT")], false),
        Ok((29, Scope::Shared))
    );
    assert_eq!(of(&[("expires", "0")], false), Err(NotKept::Stale));
    assert_eq!(of(&[("expires", "Thu, 01 Jan 2026 11:00:00 GMT")], false), Err(NotKept::Stale));
}

#[test]
fn without_a_lifetime_or_with_one_that_is_over_nothing_is_kept() {
    assert_eq!(of(&[], false), Err(NotKept::NoLifetime));
    assert_eq!(control("public"), Err(NotKept::NoLifetime));
    for text in
        ["max-age=0", "max-age=1", "max-age=-5", "max-age=", "max-age", "max-age=1.5", "max-age=x"]
    {
        assert_eq!(control(text), Err(NotKept::Stale), "{text}");
    }
    assert_eq!(control("max-age=60, max-age=1"), Err(NotKept::Stale), "the shorter one counts");
    let old = [("cache-control", "max-age=60"), ("age", "60")];
    assert_eq!(of(&old, false), Err(NotKept::Stale));
    let odd = [("cache-control", "max-age=60"), ("age", "old")];
    assert_eq!(of(&odd, false), Err(NotKept::Stale));
}

#[test]
fn what_an_upstream_forbids_is_not_kept() {
    assert_eq!(control("no-store, max-age=60"), Err(NotKept::NoStore));
    assert_eq!(control("max-age=60, No-Store"), Err(NotKept::NoStore));
    assert_eq!(control("no-cache, max-age=60"), Err(NotKept::NoCache));
    assert_eq!(control("no-cache=\"x-a, x-b\", max-age=60"), Err(NotKept::NoCache));
    let cookie = [("cache-control", "public, max-age=60"), ("set-cookie", "a=b")];
    assert_eq!(of(&cookie, false), Err(NotKept::SetsCookie));
    let lines = [("cache-control", "max-age=60"), ("cache-control", "no-store")];
    assert_eq!(of(&lines, false), Err(NotKept::NoStore));
}

#[test]
fn only_what_says_so_or_was_asked_by_nobody_in_particular_is_shared() {
    for (text, of_caller, scope) in [
        ("max-age=60", false, Scope::Shared),
        ("max-age=60", true, Scope::Private),
        ("public, max-age=60", true, Scope::Shared),
        ("s-maxage=60", true, Scope::Shared),
        ("must-revalidate, max-age=60", true, Scope::Shared),
        ("private, max-age=60", false, Scope::Private),
        ("private, public, s-maxage=60", true, Scope::Private),
        ("private=\"x-a\", max-age=60", false, Scope::Private),
    ] {
        assert_eq!(
            of(&[("cache-control", text)], of_caller),
            Ok((59, scope)),
            "{text}, {of_caller}"
        );
    }
}

#[test]
fn what_an_answer_varies_with_says_who_may_share_it() {
    let vary = |names: &str| of(&[("cache-control", "public, max-age=60"), ("vary", names)], true);
    assert_eq!(vary("Accept-Language, accept"), Ok((59, Scope::Shared)));
    assert_eq!(vary("accept, X-User-Id"), Ok((59, Scope::Private)));
    assert_eq!(vary("x-user-id, TraceParent"), Err(NotKept::Varies));
    assert_eq!(vary("*"), Err(NotKept::Varies));
    assert_eq!(vary("accept, *"), Err(NotKept::Varies));
    assert_eq!(vary("no name"), Err(NotKept::Varies));
    let lines =
        [("cache-control", "public, max-age=60"), ("vary", "accept"), ("vary", "x-user-id")];
    assert_eq!(of(&lines, true), Ok((59, Scope::Private)));
}

#[test]
fn only_some_statuses_stand_for_the_thing_itself_and_only_gets_are_kept() {
    let headers = headers(&[("cache-control", "max-age=60")]);
    for status in 200..600 {
        let kept = [200, 203, 204, 404, 410].contains(&status);
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Judged { status, ..judged(&headers, false) };
        assert_eq!(judge(answer, varying).is_ok(), kept, "{status}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::HEAD] {
        let answer = Judged { method: &method, ..judged(&headers, false) };
        assert_eq!(judge(answer, varying), Err(NotKept::Method));
    }
}

#[test]
fn the_schema_overrides_what_the_upstream_says_but_not_cookies_and_vary() {
    let declared = Some(Declared { max_age: Duration::from_secs(30), scope: Scope::Shared });
    let judge = |lines: &[(&str, &str)]| {
        let headers = headers(lines);
        let answer = Judged { declared, ..judged(&headers, true) };
        judge(answer, varying).map(|keep| (keep.fresh_for.as_secs(), keep.scope))
    };
    assert_eq!(judge(&[]), Ok((30, Scope::Shared)));
    assert_eq!(judge(&[("cache-control", "no-store")]), Ok((30, Scope::Shared)));
    assert_eq!(judge(&[("set-cookie", "a=b")]), Err(NotKept::SetsCookie));
    assert_eq!(judge(&[("vary", "x-user-id")]), Ok((30, Scope::Private)));
    assert_eq!(judge(&[("vary", "*")]), Err(NotKept::Varies));
}
