//! Fragments put together: what a hole's failure does, whose paths errors have, and the limit.

use super::*;

/// The response, its errors each on a line.
fn assembled(root: &Slot<'_>, tables: Vec<Vec<Slot<'_>>>) -> String {
    let assembled = assemble(root, &Tables(tables), &[], 100_000).expect("within the limit");
    let data = assembled.data.map_or("none".into(), |data| String::from_utf8(data).expect("text"));
    assembled.errors.iter().fold(data, |text, error| text + "\n" + &said(error))
}

fn slot<'p>(fragment: Fragment<'p>, targets: impl Into<Vec<Target>>) -> Slot<'p> {
    Slot { fragment, targets: targets.into() }
}

fn missing() -> Fragment<'static> {
    bare(Outcome::Missing)
}

fn bare(outcome: Outcome<'static>) -> Fragment<'static> {
    Fragment { outcome, ..Fragment::failed(down()) }
}

fn down() -> Arc<Failure> {
    Arc::new(Failure::new(Code::UpstreamUnavailable, "down").of(&service(), None))
}

/// What most slots are.
static NUMBER: Shape = Shape { nullable: false, kind: INT };

const NOT_FOUND: &str = "NOT_FOUND: the upstream has no such thing, and null may not stand here";
const NO_KEY: &str =
    "UPSTREAM_BAD_ANSWER: what it is asked for by is null, and null may not stand here";
const DOWN: &str = "UPSTREAM_UNAVAILABLE: down";

#[test]
fn a_response_is_the_root_with_its_holes_filled() {
    let root = selection("Query", [opt_hole("a", 0), opt_hole("b", 1), opt_hole("c", 0)], &[]);
    let shape = req(INT);
    let root = slot(project_root(&root, &INPUTS), [Target::Slot(1), Target::Null, Target::Slot(0)]);
    let tables = vec![vec![slot(of(&shape, "1"), []), slot(of(&shape, "2"), [])], vec![]];
    assert_eq!(assembled(&root, tables), r#"{"a":2,"b":null,"c":1}"#);
}

#[test]
fn a_shared_entity_is_written_for_each_parent_with_errors_at_each_place() {
    let post = selection("Post", [opt_hole("by", 1)], &["userId"]);
    let posts = req(list(req(Kind::Object(Arc::new(post)))));
    let user = req(object("User", [prop("name", opt(STRING)), prop("age", opt(INT))]));
    let root = selection("Query", [req_hole("posts", 0)], &[]);
    let root = slot(project_root(&root, &INPUTS), [Target::Slot(0)]);
    let posts = of(&posts, r#"[{"userId":1},{"userId":2},{"userId":1}]"#);
    let posts = slot(posts, [Target::Slot(0), Target::Slot(1), Target::Slot(0)]);
    let tables = vec![
        vec![posts],
        vec![
            slot(of(&user, r#"{"name":"Ada","age":"x"}"#), []),
            slot(of(&user, r#"{"name":"Bob"}"#), []),
        ],
    ];
    let ada = r#"{"by":{"name":"Ada","age":null}}"#;
    let wrong = "UPSTREAM_BAD_ANSWER: User.age: the upstream gave a string where Int is declared";
    let expected = format!(
        "{{\"posts\":[{ada},{{\"by\":{{\"name\":\"Bob\",\"age\":null}}}},{ada}]}}\n\
        posts.0.by.age: {wrong}\nposts.2.by.age: {wrong}"
    );
    assert_eq!(assembled(&root, tables), expected);
}

#[test]
fn a_nullable_hole_takes_every_failure_upon_itself() {
    let fields = ["a", "b", "c", "d", "e", "f"].map(|key| opt_hole(key, 0));
    let root = selection("Query", fields, &[]);
    let strict = req(object("T", [prop("x", req(INT))]));
    let targets = [
        Target::Slot(0),
        Target::Slot(1),
        Target::Slot(2),
        Target::Slot(3),
        Target::Null,
        Target::Failed(down()),
    ];
    let root = slot(project_root(&root, &INPUTS), targets);
    let table = vec![
        slot(missing(), []),
        slot(bare(Outcome::Null), []),
        slot(Fragment::failed(down()), []),
        slot(of(&strict, r#"{"x":null}"#), []),
    ];
    let expected = format!(
        "{{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null}}\n\
        c: {DOWN}\n\
        d.x: UPSTREAM_BAD_ANSWER: T.x: the upstream gave null where Int! is declared\n\
        f: {DOWN}"
    );
    assert_eq!(assembled(&root, vec![table]), expected);
}

#[test]
fn a_hole_that_may_not_be_null_nulls_the_nearest_value_that_may() {
    let item = selection("I", [prop("n", opt(INT)), req_hole("h", 1), prop("m", opt(INT))], &[]);
    let shape = req(object("T", [prop("l", opt(list(opt(Kind::Object(Arc::new(item))))))]));
    let root = selection("Query", [opt_hole("t", 0), prop("z", opt(INT))], &[]);
    let root = slot(project_root(&root, &INPUTS), [Target::Slot(0)]);
    let text = r#"{"l": [{"n":1}, {"n":"x"}, {"n":3,"m":"x"}, {"n":4}]}"#;
    let list = slot(
        of(&shape, text),
        [Target::Slot(0), Target::Slot(1), Target::Null, Target::Failed(down())],
    );
    let tables = vec![vec![list], vec![slot(of(&NUMBER, "5"), []), slot(missing(), [])]];
    let expected = format!(
        "{{\"t\":{{\"l\":[{{\"n\":1,\"h\":5,\"m\":null}},null,null,null]}},\"z\":null}}\n\
        t.l.1.h: {NOT_FOUND}\nt.l.2.h: {NO_KEY}\nt.l.3.h: {DOWN}"
    );
    assert_eq!(assembled(&root, tables), expected);
}

#[test]
fn a_later_failure_further_out_takes_the_place_of_what_lies_within() {
    let inner = selection("I", [req_hole("h", 1)], &[]);
    let outer =
        [prop("i", opt(Kind::Object(Arc::new(inner)))), prop("w", opt(INT)), req_hole("k", 1)];
    let outer = selection("O", outer, &[]);
    let shape = req(object("T", [prop("o", opt(Kind::Object(Arc::new(outer))))]));
    let root = selection("Query", [opt_hole("t", 0)], &[]);
    let response = |targets: [Target; 2]| {
        let root = slot(project_root(&root, &INPUTS), [Target::Slot(0)]);
        let outer = slot(of(&shape, r#"{"o": {"i": {}, "w": "x"}}"#), targets);
        assembled(&root, vec![vec![outer], vec![slot(of(&NUMBER, "1"), [])]])
    };
    let wrong = "t.o.w: UPSTREAM_BAD_ANSWER: O.w: the upstream gave a string where Int is declared";
    let failed = || Target::Failed(down());
    assert_eq!(response([failed(), failed()]), format!("{{\"t\":{{\"o\":null}}}}\nt.o.k: {DOWN}"));
    assert_eq!(
        response([Target::Slot(0), failed()]),
        format!("{{\"t\":{{\"o\":null}}}}\nt.o.k: {DOWN}")
    );
    assert_eq!(
        response([failed(), Target::Slot(0)]),
        format!("{{\"t\":{{\"o\":{{\"i\":null,\"w\":null,\"k\":1}}}}}}\nt.o.i.h: {DOWN}\n{wrong}")
    );
}

#[test]
fn without_a_nullable_value_around_the_whole_slot_has_failed_and_so_on_up() {
    let order = selection("Order", [prop("id", req(INT)), req_hole("buyer", 1)], &["id"]);
    let order = req(Kind::Object(Arc::new(order)));
    let user = selection("User", [req_hole("city", 2)], &[]);
    let user = req(Kind::Object(Arc::new(user)));
    let city = req(object("City", [prop("name", req(STRING))]));
    let tables = || {
        vec![
            vec![slot(of(&order, r#"{"id":1}"#), [Target::Slot(0)])],
            vec![slot(of(&user, "{}"), [Target::Slot(0)])],
            vec![slot(of(&city, r#"{"name":1}"#), [])],
        ]
    };
    let wrong = "order.buyer.city.name: UPSTREAM_BAD_ANSWER: City.name: \
        the upstream gave a number where String is declared";
    let root = selection("Query", [opt_hole("order", 0)], &[]);
    let root = slot(project_root(&root, &INPUTS), [Target::Slot(0)]);
    assert_eq!(assembled(&root, tables()), format!("{{\"order\":null}}\n{wrong}"));
    let root = selection("Query", [opt_hole("a", 0), req_hole("order", 0)], &[]);
    let root = slot(project_root(&root, &INPUTS), [Target::Null, Target::Slot(0)]);
    assert_eq!(assembled(&root, tables()), format!("none\n{wrong}"));
    let root = selection("Query", [guarded(req_hole("order", 0))], &[]);
    let anonymous = Inputs { authenticated: false, ..INPUTS };
    let root = slot(project_root(&root, &anonymous), []);
    let said = "none\norder: UNAUTHENTICATED: Query.order: sign in to read this field";
    assert_eq!(assembled(&root, tables()), said);
}

#[test]
fn a_list_of_entities_has_one_value_a_key() {
    let shape = req(INT);
    let table = || {
        let (one, bad) = (of(&shape, "1"), of(&shape, "\"x\""));
        vec![vec![slot(one, []), slot(missing(), []), slot(bad, [])]]
    };
    let response = |nullable: bool, item: bool, targets: Target| {
        let hole = hole(0, nullable, Some(ItemNullable(item)));
        let root = selection("Query", [field("l", FieldValue::Hole(hole), nullable)], &[]);
        assembled(&slot(project_root(&root, &INPUTS), [targets]), table())
    };
    let items = |items: &[Option<u32>]| Target::List(items.to_vec());
    let wrong = "UPSTREAM_BAD_ANSWER: the upstream gave a string where Int is declared";
    assert_eq!(response(false, false, items(&[])), r#"{"l":[]}"#);
    assert_eq!(response(false, false, items(&[Some(0), Some(0)])), r#"{"l":[1,1]}"#);
    assert_eq!(
        response(false, true, items(&[Some(0), Some(1), None, Some(2), Some(0)])),
        format!("{{\"l\":[1,null,null,null,1]}}\nl.3: {wrong}")
    );
    assert_eq!(
        response(true, false, items(&[Some(0), Some(1), Some(2)])),
        format!("{{\"l\":null}}\nl.1: {NOT_FOUND}")
    );
    assert_eq!(response(false, false, items(&[Some(0), None])), format!("none\nl.1: {NO_KEY}"));
    assert_eq!(response(false, false, items(&[Some(2)])), format!("none\nl.0: {wrong}"));
    assert_eq!(response(true, true, Target::Null), r#"{"l":null}"#);
    assert_eq!(response(true, true, Target::Failed(down())), format!("{{\"l\":null}}\nl: {DOWN}"));
}

#[test]
fn errors_without_a_location_are_located_as_the_hole_they_lie_in() {
    let shape = req(list(opt(INT)));
    let root = selection("Query", [opt_hole("l", 0), opt_hole("m", 0)], &[]);
    let root = slot(project_root(&root, &INPUTS), [Target::Slot(0), Target::Slot(1)]);
    let table = vec![slot(of(&shape, "[\"x\"]"), []), slot(of(&shape, "{}"), [])];
    let assembled = assemble(&root, &Tables(vec![table]), &[], 1000).expect("within the limit");
    let lines: Vec<_> = assembled.errors.iter().map(|error| error.locations[0].line).collect();
    assert_eq!(lines, [u32::from(b'l'), u32::from(b'm')]);
}

#[test]
fn what_a_through_answer_leads_to_stands_in_its_place() {
    let through = Through { captures: vec![path("id")], hole: hole(1, true, None) };
    let through = req(Kind::Through(Arc::new(through)));
    let root = selection("Query", [opt_hole("a", 0), opt_hole("b", 0), req_hole("c", 0)], &[]);
    let root =
        slot(project_root(&root, &INPUTS), [Target::Slot(0), Target::Slot(1), Target::Slot(0)]);
    let table = vec![
        slot(of(&through, r#"{"id":1}"#), [Target::Slot(0)]),
        slot(of(&through, r#"{"id":2}"#), [Target::Failed(down())]),
    ];
    let tables = vec![table, vec![slot(of(&NUMBER, "7"), [])]];
    assert_eq!(assembled(&root, tables), format!("{{\"a\":7,\"b\":null,\"c\":7}}\nb: {DOWN}"));
}

#[test]
fn a_response_over_the_limit_is_refused_while_it_grows() {
    let shape = req(STRING);
    let hole = hole(0, true, Some(ItemNullable(true)));
    let root = selection("Query", [field("l", FieldValue::Hole(hole), true)], &[]);
    let table =
        || Tables(vec![vec![slot(of(&shape, "\"abcdefgh\""), []), slot(of(&shape, "1"), [])]]);
    let size = |slot_number: u32, items: usize, max: usize| {
        let targets = [Target::List(vec![Some(slot_number); items])];
        let root = slot(project_root(&root, &INPUTS), targets);
        assemble(&root, &table(), &[], max)
            .map(|assembled| assembled.data.map_or(0, |data| data.len()))
    };
    assert_eq!(size(0, 10, 117), Ok(117));
    assert_eq!(size(0, 10, 116), Err(TooLarge));
    assert_eq!(size(1, 100, 1000), Err(TooLarge));
    assert!(size(1, 100, 30_000).is_ok());
}

#[test]
fn a_hole_that_points_at_no_later_fetch_is_a_fault_not_a_loop() {
    let own = selection("T", [opt_hole("again", 0)], &[]);
    let shape = req(Kind::Object(Arc::new(own)));
    let root = selection("Query", [opt_hole("t", 0), opt_hole("u", 3)], &[]);
    let root = slot(project_root(&root, &INPUTS), [Target::Slot(0), Target::Slot(0)]);
    let tables = vec![vec![slot(of(&shape, "{}"), [Target::Slot(0)])]];
    let lost = "INTERNAL_ERROR: the gateway lost a value";
    let expected = format!("{{\"t\":{{\"again\":null}},\"u\":null}}\nt.again: {lost}\nu: {lost}");
    assert_eq!(assembled(&root, tables), expected);
}
