//! The specification's rules and algorithms, edition of September 2025, and the cases of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cases::{Case, File};

/// Every validation rule of section 5.
const VALIDATION: &[(&str, &str)] = &[
    ("5.1.1", "Executable Definitions"),
    ("5.2.1.1", "Operation Type Existence"),
    ("5.2.2.1", "Operation Name Uniqueness"),
    ("5.2.3.1", "Lone Anonymous Operation"),
    ("5.2.4.1", "Single Root Field"),
    ("5.3.1", "Field Selections"),
    ("5.3.2", "Field Selection Merging"),
    ("5.3.3", "Leaf Field Selections"),
    ("5.4.1", "Argument Names"),
    ("5.4.2", "Argument Uniqueness"),
    ("5.4.3", "Required Arguments"),
    ("5.5.1.1", "Fragment Name Uniqueness"),
    ("5.5.1.2", "Fragment Spread Type Existence"),
    ("5.5.1.3", "Fragments on Object, Interface or Union Types"),
    ("5.5.1.4", "Fragments Must Be Used"),
    ("5.5.2.1", "Fragment Spread Target Defined"),
    ("5.5.2.2", "Fragment Spreads Must Not Form Cycles"),
    ("5.5.2.3", "Fragment Spread Is Possible"),
    ("5.6.1", "Values of Correct Type"),
    ("5.6.2", "Input Object Field Names"),
    ("5.6.3", "Input Object Field Uniqueness"),
    ("5.6.4", "Input Object Required Fields"),
    ("5.7.1", "Directives Are Defined"),
    ("5.7.2", "Directives Are in Valid Locations"),
    ("5.7.3", "Directives Are Unique per Location"),
    ("5.8.1", "Variable Uniqueness"),
    ("5.8.2", "Variables Are Input Types"),
    ("5.8.3", "All Variable Uses Defined"),
    ("5.8.4", "All Variables Used"),
    ("5.8.5", "All Variable Usages Are Allowed"),
];

/// The validation rules that the working draft of incremental delivery adds to section 5.7.
const DELIVERY: &[(&str, &str)] = &[
    ("5.7.4", "Defer And Stream Directives Are Used On Valid Root Field"),
    ("5.7.5", "Defer And Stream Directives Are Used On Valid Operations"),
    ("5.7.6", "Defer And Stream Directive Labels Are Unique"),
    ("5.7.7", "Stream Directives Are Used On List Fields"),
];

/// Every algorithm of section 6 that a request and its response show, and what is no algorithm there
/// but can be seen all the same.
const EXECUTION: &[(&str, &str)] = &[
    ("6.1", "ExecuteRequest"),
    ("6.1", "GetOperation"),
    ("6.1.1", "Validating Requests"),
    ("6.1.2", "CoerceVariableValues"),
    ("6.2.1", "ExecuteQuery"),
    ("6.2.2", "ExecuteMutation"),
    ("6.3.1", "ExecuteRootSelectionSet"),
    ("6.3.2", "CollectFields"),
    ("6.3.2", "DoesFragmentTypeApply"),
    ("6.3.2", "CollectSubfields"),
    ("6.3.3", "ExecuteCollectedFields"),
    ("6.3.4", "Normal and Serial Execution"),
    ("6.4", "ExecuteField"),
    ("6.4.1", "CoerceArgumentValues"),
    ("6.4.2", "ResolveFieldValue"),
    ("6.4.3", "CompleteValue"),
    ("6.4.3", "CoerceResult"),
    ("6.4.3", "ResolveAbstractType"),
    ("6.4.4", "Handling Execution Errors"),
];

/// Section 4 has no algorithms; these are its parts.
const INTROSPECTION: &[(&str, &str)] = &[
    ("4.1", "Type Name Introspection"),
    ("4.2", "Schema Introspection"),
    ("4.2.1", "The __Schema Type"),
    ("4.2.2", "The __Type Type"),
    ("4.2.3", "The __Field Type"),
    ("4.2.4", "The __InputValue Type"),
    ("4.2.5", "The __EnumValue Type"),
    ("4.2.6", "The __Directive Type"),
];

/// Section 7 has no algorithms; these are its parts that say what a response holds.
const RESPONSE: &[(&str, &str)] = &[
    ("7.1.1", "Execution Result"),
    ("7.1.3", "Request Error Result"),
    ("7.1.4", "Response Position"),
    ("7.1.5", "Data"),
    ("7.1.6", "Errors"),
    ("7.2.1", "JSON Serialization"),
    ("7.2.2", "Serialized Map Ordering"),
];

/// Algorithms and parts that need a source of events, and the tests of `tests/subscriptions` that
/// hold them.
const STREAMS: &[(&str, &str, &[&str])] = &[
    ("6.2.3", "Subscribe", &["each_event_runs_the_plan_and_joins_like_a_query"]),
    (
        "6.2.3.1",
        "CreateSourceEventStream",
        &["what_is_refused_opens_no_stream", "a_stream_that_does_not_begin_is_one_error"],
    ),
    (
        "6.2.3.1",
        "ResolveFieldEventStream",
        &["only_events_of_the_type_count", "a_poll_asks_again_and_again_and_sends_what_is_new"],
    ),
    (
        "6.2.3.2",
        "MapSourceToResponseEvent",
        &[
            "an_event_that_cannot_be_read_is_an_error_and_the_stream_goes_on",
            "a_status_of_204_ends_a_subscription_without_an_error",
            "a_stream_that_may_not_be_opened_again_ends_with_its_error",
        ],
    ),
    (
        "6.2.3.2",
        "ExecuteSubscriptionEvent",
        &[
            "what_an_event_leads_to_is_fetched_or_computed",
            "a_null_goes_up_to_the_root_and_the_stream_goes_on",
        ],
    ),
    ("6.2.3.3", "Unsubscribe", &["subscribers_share_a_stream_and_the_last_to_go_closes_it"]),
    ("7.1.2", "Response Stream", &["a_query_has_one_response_on_a_stream_too"]),
];

/// What is held for every case.
const EVERYWHERE: &str = "That a response has no entries but those of sections 7.1.1, 7.1.3, 7.1.6, \
     7.1.7 and 7.1.8 is held for every case that is executed.";

fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = [INTROSPECTION, VALIDATION, DELIVERY, EXECUTION, RESPONSE];
    all.into_iter().flatten().copied()
}

fn cases(files: &[File]) -> impl Iterator<Item = (&File, &Case)> {
    files.iter().flat_map(|file| file.cases.iter().map(move |case| (file, case)))
}

/// `TABLE.md`.
pub(crate) fn table(files: &[File], differences: &BTreeMap<String, String>) -> String {
    let mut table = "# Rules and algorithms, and their cases\n\n\
        Written by `UPDATE_EXPECT=1 cargo test --test conformance`. A star marks a case in which\n\
        Onedoor differs from graphql-js; `DIFFERENCES.md` says why.\n\n"
        .to_owned();
    for (title, rules) in [
        ("Section 4: introspection", INTROSPECTION),
        ("Section 5: validation", VALIDATION),
        ("Section 5.7 of the working draft of incremental delivery", DELIVERY),
        ("Section 6: execution", EXECUTION),
        ("Section 7: response", RESPONSE),
    ] {
        let mut total = 0;
        let mut rows = String::new();
        for rule in rules {
            let of = cases(files).filter(|(_, case)| case.rule() == *rule);
            let shown = of.map(|(file, case)| {
                let name = format!("{}: {}", file.name, case.title);
                format!(
                    "{}{}",
                    case.shows(),
                    if differences.contains_key(&name) { " \\*" } else { "" }
                )
            });
            let shown: Vec<_> = shown.collect();
            total += shown.len();
            let (number, name) = rule;
            let _ =
                writeln!(rows, "| {number} | {name} | {} | {} |", shown.len(), shown.join("; "));
        }
        let _ = write!(
            table,
            "## {title} ({total} cases)\n\n| | rule | cases | |\n| --- | --- | --- | --- |\n{rows}\n"
        );
    }
    table.push_str(
        "## Streams: held by `tests/subscriptions`\n\n| | algorithm | tests |\n| --- | --- | --- |\n",
    );
    for (number, name, tests) in STREAMS {
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(table, "| {number} | {name} | {} |", tests.join(", "));
    }
    let _ = write!(table, "\n{EVERYWHERE}\n");
    table
}

/// Rules without a case, cases of no rule, titles that stand twice, and tests of streams that are
/// not among `subscriptions`, the text of those.
pub(crate) fn faults(files: &[File], subscriptions: &str) -> Vec<String> {
    let without = rules().filter(|rule| cases(files).all(|(_, case)| case.rule() != *rule));
    let mut faults: Vec<_> =
        without.map(|(number, name)| format!("{number} {name}: no case")).collect();
    for (number, name, tests) in STREAMS {
        let gone = |test: &&&str| !subscriptions.contains(&format!("async fn {test}("));
        let gone = tests.iter().filter(gone);
        faults.extend(gone.map(|test| format!("{number} {name}: there is no test {test}")));
    }
    for (file, case) in cases(files) {
        if rules().all(|rule| rule != case.rule()) {
            faults.push(format!("{}: {}: of no rule", file.name, case.title));
        }
        if file.cases.iter().filter(|other| other.title == case.title).count() > 1 {
            faults.push(format!("{}: {}: stands twice", file.name, case.title));
        }
    }
    faults
}
