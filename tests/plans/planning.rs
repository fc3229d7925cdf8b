//! What a plan holds: fields, fetches, captures, arguments, and its words.

use onedoor::plan::{
    Fetch, Field, FieldValue, Kind, Mask, Plan, Selection, Variables, build, explain,
};

use crate::pets::{coerced, load, parse, pets, planned};

fn keys(selection: &Selection) -> Vec<&str> {
    selection.fields.iter().map(|field| &*field.key).collect()
}

fn plan(text: &str, raw: &str) -> Plan {
    match planned(pets(), text, raw) {
        Ok((plan, _)) => plan,
        Err(error) => panic!("{error}"),
    }
}

fn object(fetch: &Fetch) -> &Selection {
    match &fetch.shape.kind {
        Kind::Object(selection) => selection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn response_keys_stand_where_they_are_first_asked_for() {
    let plan = plan(
        "{ dog { ...A name b: barkVolume ... on Being { name } ...A nickname } }
         fragment A on Dog { nickname ... on Pet { __typename } }",
        "{}",
    );
    let selection = object(&plan.fetches[0]);
    assert_eq!(keys(selection), ["nickname", "__typename", "name", "b"]);
    assert_eq!(&*selection.fields[3].key_json, b"\"b\":");
}

#[test]
fn a_merged_field_names_every_place_once() {
    let plan = plan(
        "{ dog { name }\n dog { ...A ...A }\n ...B } fragment A on Dog { name }\nfragment B on Query { dog { name } }",
        "{}",
    );
    let places = |field: &Field| -> Vec<(u32, u32)> {
        field.locations.iter().map(|at| (at.line, at.column)).collect()
    };
    assert_eq!(places(&plan.steps[0].selection.fields[0]), [(1, 3), (2, 2), (4, 23)]);
    let name = &object(&plan.fetches[0]).fields[0];
    assert_eq!(places(name), [(1, 9), (3, 29), (4, 29)]);
}

#[test]
fn fragments_apply_by_the_concrete_type() {
    let plan = plan(
        "{ pet { ... on Being { name } ... on Dog { barkVolume } ...C ... on CatOrDog { __typename } } }
         fragment C on Cat { meowVolume ... on Pet { ... on Dog { nickname } } }",
        "{}",
    );
    let Kind::Abstract(cases) = &plan.fetches[0].shape.kind else { panic!("abstract") };
    let found: Vec<_> = cases.cases.iter().map(|(value, case)| (&**value, keys(case))).collect();
    assert_eq!(
        found,
        [
            ("Dog", vec!["name", "barkVolume", "__typename"]),
            ("Cat", vec!["name", "meowVolume", "__typename"])
        ]
    );
}

#[test]
fn conditions_are_decided_before_planning() {
    let text = "query ($a: Boolean!, $b: Boolean! = true) {
        dog { ...A @include(if: $a) ... @skip(if: $b) { nickname } name @skip(if: $a) @include(if: $b) }
    } fragment A on Dog { barkVolume owner @skip(if: $b) { name } }";
    for (raw, found) in [
        (r#"{"a": true}"#, vec!["barkVolume"]),
        (r#"{"a": false}"#, vec!["name"]),
        (r#"{"a": true, "b": false}"#, vec!["barkVolume", "owner", "nickname"]),
        (r#"{"a": false, "b": false}"#, vec!["nickname"]),
    ] {
        let plan = plan(text, raw);
        assert_eq!(keys(object(&plan.fetches[0])), found, "{raw}");
    }
}

#[test]
fn what_is_left_out_leaves_nothing_behind() {
    let plan = plan("query ($a: Boolean!) { dog @include(if: $a) { name } }", r#"{"a": false}"#);
    assert!(plan.fetches.is_empty() && plan.steps[0].selection.fields.is_empty());
}

#[test]
fn a_mask_holds_only_what_conditions_read_and_many_conditions_are_not_cached() {
    let catalog = pets();
    let text = "query ($x: Int, $b: Boolean!, $a: Boolean!) {
        arguments(int: $x) { __typename @skip(if: $a) ...A } }
        fragment A on Arguments { bool(bool: true) @include(if: $b) @skip(if: $a) }";
    let document = parse(catalog, text).unwrap();
    let operation = document.operation(None).unwrap();
    assert_eq!(operation.condition_variables(), [1, 2]);
    assert!(operation.cacheable());
    let mask = |raw: &str| operation.mask(&coerced(catalog, &document, raw).unwrap());
    assert_eq!(mask(r#"{"b": true, "a": false}"#), Mask::of([true, false]));
    assert_eq!(mask(r#"{"b": true, "a": false, "x": 3}"#), Mask::of([true, false]));
    let declared: String = (0..9).map(|n| format!("$c{n}: Boolean! ")).collect();
    let fields: String = (0..9).map(|n| format!("a{n}: name @skip(if: $c{n}) ")).collect();
    let many = parse(catalog, &format!("query ({declared}) {{ dog {{ {fields} }} }}")).unwrap();
    assert!(!many.operation(None).unwrap().cacheable());
}

#[test]
fn captures_are_taken_once_and_slots_point_at_them() {
    let plan = plan(
        "{ dog { owner { name } o: owner { name } doesKnowCommand(command: SIT) d: doesKnowCommand(command: DOWN) } }",
        "{}",
    );
    let selection = object(&plan.fetches[0]);
    let captures: Vec<_> = selection.captures.iter().map(ToString::to_string).collect();
    assert_eq!(captures, ["ownerId", "id"]);
    let slots: Vec<_> = selection
        .fields
        .iter()
        .map(|field| match &field.value {
            FieldValue::Hole(hole) => hole.slots.to_vec(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(slots, [vec![0], vec![0], vec![1], vec![1]]);
}

#[test]
fn equal_arguments_are_one_set() {
    let plan = plan(
        "query ($c: Command!) { dog { a: doesKnowCommand(command: SIT) b: doesKnowCommand(command: SIT) c: doesKnowCommand(command: $c) d: doesKnowCommand(command: $c) } }",
        r#"{"c": "DOWN"}"#,
    );
    let args: Vec<_> = plan.fetches.iter().map(|fetch| fetch.args.0).collect();
    assert_eq!(args, [0, 1, 1, 2, 2]);
}

#[test]
fn fetches_come_after_the_fetch_that_leads_to_them() {
    let plan = plan(
        "{ pet { ... on Dog { owner { pets { ... on Cat { owner { name } } } } mate { owner { name } } } } cat { owner { name } } }",
        "{}",
    );
    for (index, fetch) in plan.fetches.iter().enumerate() {
        assert!(fetch.parent.is_none_or(|parent| (parent.0 as usize) < index), "{fetch:?}");
    }
    let paths: Vec<_> = plan.fetches.iter().map(|fetch| &*fetch.path).collect();
    assert_eq!(
        paths,
        ["pet", "pet.owner", "pet.owner.pets.owner", "pet.mate.owner", "cat", "cat.owner"]
    );
}

#[test]
fn the_concrete_types_own_definition_counts() {
    let catalog = load(
        "type Query { node: Node @rest(upstream: \"pets\", path: \"/node\") }\n\
         interface Node @discriminator(property: \"kind\") { size(unit: String = \"m\"): Float }\n\
         type A implements Node { size(unit: String = \"ft\", round: Boolean = true): Float! @rest(upstream: \"pets\", path: \"/a\", method: POST, body: \"{args}\") }",
    );
    let (plan, variables) = planned(&catalog, "{ node { size } }", "{}").unwrap();
    let Kind::Abstract(cases) = &plan.fetches[0].shape.kind else { panic!("abstract") };
    assert!(!cases.cases[0].1.fields[0].nullable);
    let args = plan.args[plan.fetches[1].args.0 as usize].render(&variables).unwrap();
    assert_eq!(args.bytes(), r#"{"unit":"ft","round":true}"#);
}

#[test]
fn a_plan_and_its_explanation_say_the_same() {
    let catalog = pets();
    let text = "query Both($n: String) { pet(named: $n) { ... on Dog { owner { name } } } }";
    let document = parse(catalog, text).unwrap();
    let operation = document.operation(None).unwrap();
    let mask = operation.mask(&Variables::default());
    let plan = build(catalog, &operation, &mask).unwrap();
    let explanation = explain(&plan, &operation, &mask);
    let json = serde_json::to_value(&explanation);
    let json = json.unwrap();
    assert_eq!(json["operation"], "query Both");
    assert_eq!(json["fetches"][0]["args"]["named"], "$n");
    assert_eq!(json["fetches"][1]["after"], 1);
    assert_eq!(json["calls"]["calls"], 2);
    assert_eq!(
        explanation.to_string(),
        "query Both: 2 fetches in 2 stages, 2 calls\n\n\
         stage 1\n  1. GET /pet?named={args.named}  pets    pet        1 call, with named: $n\n\n\
         stage 2\n  2. GET /people?id={keys}        people  pet.owner  1 call, key this.ownerId, after 1\n"
    );
}
