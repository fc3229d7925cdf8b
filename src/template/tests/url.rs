//! Path and query.

use super::*;

#[track_caller]
fn gives(path: &str, with: With<'_>, expected: &str) {
    assert_eq!(url(path, with), Ok(expected.to_owned()), "{path}");
}

#[track_caller]
fn fails(path: &str, with: With<'_>, expected: RenderError) {
    assert_eq!(url(path, with), Err(expected), "{path}");
}

#[test]
fn a_url_without_templates_is_sent_as_written() {
    for path in ["/", "/users", "/users/", "/a/b//c", "/a?b", "/a?b=c&d=e=f/?", "/a%20b?c=%2F"] {
        gives(path, NOTHING, path);
    }
}

#[test]
fn an_authors_literal_keeps_what_a_url_allows_and_encodes_the_rest() {
    gives("/a b/ü", NOTHING, "/a%20b/%C3%BC");
    gives("/users('x'),;:@&=+$!*~", NOTHING, "/users('x'),;:@&=+$!*~");
    gives("/q?page[size]=1&$filter=a eq 'b'", NOTHING, "/q?page[size]=1&$filter=a%20eq%20'b'");
    gives("/a[0]?b=|<>\"^`", NOTHING, "/a%5B0%5D?b=%7C%3C%3E%22%5E%60");
    gives("/a{{b}}?c={{d}}", NOTHING, "/a%7Bb%7D?c=%7Bd%7D");
}

#[test]
fn a_url_may_be_broken_over_lines() {
    gives("/orders?\n  a=1\n  &b={args.b}\r\n\t&c=3\n", args(r#"{"b": 2}"#), "/orders?a=1&b=2&c=3");
    gives("/orders\n/{args.b}\n  ?x=1 2", args(r#"{"b": 2}"#), "/orders/2?x=1%202");
}

#[test]
fn empty_parameters_of_the_author_are_dropped() {
    gives("/a?", NOTHING, "/a");
    gives("/a?&b=1&&c=&", NOTHING, "/a?b=1&c=");
}

#[test]
fn each_kind_of_scalar_is_written_as_it_is() {
    let with = args(
        r#"{"s": "a\u00fc\n", "n": -1.50e+3, "big": 12345678901234567890123,
            "b": true, "f": false}"#,
    );
    gives("/x/{args.s}", with, "/x/a%C3%BC%0A");
    gives("/x?n={args.n}&big={args.big}", with, "/x?n=-1.50e%2B3&big=12345678901234567890123");
    gives("/x?b={args.b}&f={args.f}", with, "/x?b=true&f=false");
    gives("/x?s=", with, "/x?s=");
}

#[test]
fn roots_are_read_from_where_they_say() {
    let with = With {
        args: r#"{"id": "a", "input": {"where": {"odd.name": 1}}}"#,
        this: r#"{"id": 7, "owner": {"ids": [5, 6]}}"#,
        claims: r#"{"sub": "me", "realm_access": {"tenant": "t"}}"#,
        headers: &[("accept-language", "de"), ("accept-language", "en")],
        ..NOTHING
    };
    gives("/{args.id}", with, "/a");
    gives("/{args.input.where['odd.name']}", with, "/1");
    gives("/{this.id}/{this.owner.ids[1]}/{this.owner.ids[-2]}", with, "/7/6/5");
    gives("/{claims.sub}/{claims.realm_access.tenant}", with, "/me/t");
    gives("/x?lang={headers.accept-language}", with, "/x?lang=de%2C%20en");
    gives("/x?token={env.TOKEN}", with, "/x?token=s3cr3t%2F%3D");
    gives("/{key}/x", With { key: "\"k/1\"", ..with }, "/k%2F1/x");
}

#[test]
fn a_list_repeats_its_parameter() {
    let with = args(r#"{"s": ["a", "b&c", 3, true], "one": ["x"], "none": []}"#);
    gives("/x?s={args.s}&z=1", with, "/x?s=a&s=b%26c&s=3&s=true&z=1");
    gives("/x?a=1&s={args.one}", with, "/x?a=1&s=x");
    gives("/x?s[]=eq.{args.s}!", with, "/x?s[]=eq.a!&s[]=eq.b%26c!&s[]=eq.3!&s[]=eq.true!");
    gives("/x?s={args.none}&z=1", with, "/x?z=1");
}

#[test]
fn a_joined_list_is_one_value_with_each_part_encoded() {
    let with = args(r#"{"s": ["a b", "c&d"], "none": [], "one": "x", "held": ["a,b"]}"#);
    gives("/x?s={args.s:,}", with, "/x?s=a%20b,c%26d");
    gives("/x?s={args.s:|}", with, "/x?s=a%20b%7Cc%26d");
    fails("/x?s={args.s: }", with, refused("argument `s` holds the separator of its list"));
    gives("/x?id=in.({args.s:,})", with, "/x?id=in.(a%20b,c%26d)");
    gives("/x?s={args.one:,}", with, "/x?s=x");
    gives("/x?id=in.({args.none:,})&z=1", with, "/x?z=1");
    gives("/x?s={args.held:;}", with, "/x?s=a%2Cb");
    fails("/x?s={args.held:,}", with, refused("argument `held` holds the separator of its list"));
    fails(
        "/x?s={args.one:,}",
        args(r#"{"one": "a,b"}"#),
        refused("argument `one` holds the separator of its list"),
    );
    gives("/x/{args.s:,}", with, "/x/a%20b,c%26d");
}

#[test]
fn a_path_over_many_is_a_list() {
    let with = With {
        args: r#"{"items": [{"id": 1}, {"id": 2}, {}]}"#,
        this: r#"{"items": [{"id": 3}, {}, {"id": 4}], "empty": []}"#,
        ..NOTHING
    };
    gives("/x?id={args.items[*].id}", with, "/x?id=1&id=2");
    gives("/x?id={this.items[*].id:,}", with, "/x?id=3,4");
    fails("/x?id={this.empty[*].id:,}", with, RenderError::Null);
}

#[test]
fn null_arguments_and_headers_leave_their_whole_parameter_out() {
    let with = args(r#"{"null": null}"#);
    gives("/x?a={args.null}", with, "/x");
    gives("/x?a={args.absent}&b=1", with, "/x?b=1");
    gives("/x?a=1&b=eq.{args.null}.x&c=2", with, "/x?a=1&c=2");
    gives("/x?a={args.null.deep}&b={headers.x-none}", with, "/x");
    gives("/x?a={args.null}{args.absent}", with, "/x");
}

#[test]
fn a_null_of_the_parent_or_the_key_makes_no_request() {
    for path in ["/x/{this.a}", "/x?a={this.a}", "/x?a=eq.{this.a}", "/x?b={this.a.b}&c=1"] {
        fails(path, this("{}"), RenderError::Null);
        fails(path, this(r#"{"a": null}"#), RenderError::Null);
    }
    fails("/x?a={this.a}", this(r#"{"a": []}"#), RenderError::Null);
    fails("/x?a={this.a}", this(r#"{"a": [1, null]}"#), RenderError::Null);
    fails("/x/{key}", NOTHING, RenderError::Null);
    fails("/x?id={keys}", keys("[]"), RenderError::Null);
}

#[test]
fn a_missing_claim_is_unauthenticated() {
    for with in [NOTHING, claims("{}"), claims(r#"{"sub": null}"#), claims(r#"{"sub": []}"#)] {
        fails("/x/{claims.sub}", with, unauthenticated("sub"));
        fails("/x?a={claims.sub}", with, unauthenticated("sub"));
    }
    fails("/x?a={claims.sub}", claims(r#"{"sub": {"x": 1}}"#), unauthenticated("sub"));
}

#[test]
fn a_null_argument_never_takes_a_claim_a_key_or_the_parents_value_with_it() {
    let with = With { claims: r#"{"sub": "me"}"#, this: r#"{"id": 1}"#, keys: "[1]", ..NOTHING };
    let error = refused("argument `q` is null, but stands beside values that must be sent");
    fails("/x?q=owner:{claims.sub} {args.q}", with, error.clone());
    fails("/x?q=owner:{this.id} {args.q}", with, error.clone());
    fails("/x?q={keys:,} {args.q}", with, error.clone());
    fails("/x?q={args.q} {keys:,}", with, error);
    gives("/x?owner={claims.sub}&q={args.q}", with, "/x?owner=me");
}

#[test]
fn a_path_needs_a_single_value_that_is_there() {
    let with = args(r#"{"null": null, "list": [1, 2], "empty": "", "dot": ".", "dots": ".."}"#);
    let fails = |path, message: &str| fails(path, with, refused(message));
    fails("/x/{args.null}", "argument `null` is null, but part of a path");
    fails("/x/{args.absent}/y", "argument `absent` is null, but part of a path");
    fails("/x/{headers.x-id}", "header `x-id` is null, but part of a path");
    fails("/x/{args.list}", "argument `list` is a list, but part of a path");
    fails("/x/{args.empty}", "argument `empty` is empty, but part of a path");
    fails("/x/{args.dot}", "argument `dot` is a dot, but part of a path");
    fails("/x/{args.dots}/y", "argument `dots` is a dot, but part of a path");
    gives("/x/v{args.dots2}.json", args(r#"{"dots2": "..."}"#), "/x/v....json");
}

#[test]
fn several_values_in_one_segment_are_looked_at_together() {
    let with = args(r#"{"a": "a", "b": "b.", "list": ["", ""], "half": "2e"}"#);
    gives("/x/{args.a}{args.b}", with, "/x/ab.");
    gives("/x/%25{args.half}", with, "/x/%252e");
    fails("/x/{args.list:.}", with, refused("argument `list` is empty, but part of a path"));
}

#[test]
fn objects_never_become_text() {
    let args_with = args(r#"{"o": {"a": 1}, "l": [{"a": 1}], "ll": [[1]]}"#);
    for name in ["o", "l", "ll"] {
        let error = refused(&format!("argument `{name}` is no single value"));
        fails(&format!("/x?a={{args.{name}}}"), args_with, error.clone());
        fails(&format!("/x/{{args.{name}:,}}"), args_with, error);
    }
    let with = this(r#"{"o": {"a": 1}}"#);
    fails("/x?a={this.o}", with, bad_answer("`this.o` is no single value"));
    fails("/x/{this.o}", with, bad_answer("`this.o` is no single value"));
}

#[test]
fn a_null_in_a_list_is_refused() {
    let with = args(r#"{"l": [1, null]}"#);
    fails("/x?a={args.l}", with, refused("argument `l` holds a null"));
}

#[test]
fn two_lists_in_one_parameter_are_refused() {
    let with = With { args: r#"{"a": [1, 2], "b": [3]}"#, keys: "[1]", ..NOTHING };
    fails("/x?a={args.a}{args.b}", with, refused("argument `b` is the second list of a parameter"));
    fails("/x?a={args.a}{keys}", with, refused("argument `a` is the second list of a parameter"));
    gives("/x?a={args.a:,}-{args.b}", with, "/x?a=1,2-3");
}

#[test]
fn a_query_value_may_be_empty() {
    gives("/x?a={args.a}", args(r#"{"a": ""}"#), "/x?a=");
}
