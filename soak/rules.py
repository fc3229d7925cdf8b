#!/usr/bin/env python3
"""Shows that every validation rule is held by a case: takes its checks out, one at a time, and looks
for a case of that rule in tests/conformance that then fails.
  soak/rules.py [RULE ...]      such as 5.3.2; all of them without one
Works on a copy of the last commit, in which each check asks the environment whether it is to be
left out. A place that is no longer in the source is an error: then this list is out of date."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# The compiler's checks by the names of their errors; ours by module and function.
RULES = {
    "5.1.1": ["TypeSystemDefinition"],
    "5.2.1.1": ["UndefinedRootOperation"],
    "5.2.2.1": ["OperationNameCollision"],
    "5.2.3.1": ["AmbiguousAnonymousOperation"],
    "5.2.4.1": ["roots"],
    "5.3.1": ["UndefinedField"],
    "5.3.2": ["merging", "merging::streams"],
    "5.3.3": ["MissingSubselection", "SubselectionOnScalarType", "SubselectionOnEnumType"],
    "5.4.1": ["UndefinedArgument"],
    "5.4.2": ["UniqueArgument"],
    "5.4.3": ["RequiredArgument"],
    "5.5.1.1": ["FragmentNameCollision"],
    "5.5.1.2": [
        "UndefinedTypeInNamedFragmentTypeCondition",
        "UndefinedTypeInInlineFragmentTypeCondition",
    ],
    "5.5.1.3": ["InvalidFragmentTarget"],
    "5.5.1.4": ["uses::fragments"],
    "5.5.2.1": ["UndefinedFragment"],
    "5.5.2.2": ["size::cycle"],
    "5.5.2.3": ["InvalidFragmentSpread"],
    "5.6.1": [
        "UnsupportedValueType",
        "IntCoercionError",
        "UndefinedEnumValue",
        "OneOfInputObjectFieldCount",
    ],
    "5.6.2": ["literals::unknown"],
    "5.6.3": ["literals::twice"],
    "5.6.4": ["RequiredField"],
    "5.7.1": ["UndefinedDirective"],
    "5.7.2": ["UnsupportedLocation"],
    "5.7.3": ["UniqueDirective"],
    "5.7.4": ["delivery::mutation", "delivery::subscription"],
    "5.7.5": ["delivery::events"],
    "5.7.6": ["delivery::twice", "delivery::variable"],
    "5.7.7": ["delivery::lists"],
    "5.8.1": ["UniqueVariable"],
    "5.8.2": ["VariableInputType", "UndefinedDefinition"],
    "5.8.3": ["uses::undefined"],
    "5.8.4": ["uses::unused"],
    "5.8.5": ["literals::variable"],
}

# File of src/plan, what stands there once, and what is put in its place.
PLACES = [
    ("validate", "        !OURS.contains(&name)", "        !crate::plan::left_out(name) && !OURS.contains(&name)"),
    ("validate", "errors.extend(roots::", 'if !crate::plan::left_out("roots") { errors.extend(roots::check(&catalog.public, document, &fragments, source)); }\n//'),
    (
        "validate",
        "errors.extend(merging::",
        'if !crate::plan::left_out("merging") { errors.extend(merging::check(&catalog.public, understood, source)); }\n//',
    ),
    (
        "merging",
        "if one.streams() || other.streams() {",
        'if !crate::plan::left_out("merging::streams") && (one.streams() || other.streams()) {',
    ),
    (
        "delivery",
        "OperationType::Mutation => root(operation, fragments, &mut refused),",
        'OperationType::Mutation => if !crate::plan::left_out("delivery::mutation") { root(operation, fragments, &mut refused); },',
    ),
    (
        "delivery",
        "                root(operation, fragments, &mut refused);",
        '                if !crate::plan::left_out("delivery::subscription") { root(operation, fragments, &mut refused); }',
    ),
    (
        "delivery",
        "                events(operation,",
        '                if !crate::plan::left_out("delivery::events") { events(operation, fragments, &mut refused); }\n//',
    ),
    ("delivery", "if first != directive.location()", 'if !crate::plan::left_out("delivery::twice") && first != directive.location()'),
    ("delivery", "Some(Value::Variable(_)) =>", 'Some(Value::Variable(_)) if !crate::plan::left_out("delivery::variable") =>'),
    ("delivery", "&& !field.ty().is_list()", '&& !crate::plan::left_out("delivery::lists") && !field.ty().is_list()'),
    ("uses", "        undefined(operation", '        if !crate::plan::left_out("uses::undefined") { undefined(operation, &uses, source, &mut errors); }\n//'),
    ("uses", "        unused(operation", '        if !crate::plan::left_out("uses::unused") { unused(operation, &uses, source, &mut errors); }\n//'),
    ("uses", "    fragments(document, &reached", '    if !crate::plan::left_out("uses::fragments") { fragments(document, &reached, source, &mut errors); }\n//'),
    ("size", "if self.cycles.errors.len() <", 'if !crate::plan::left_out("size::cycle") && self.cycles.errors.len() <'),
    ("literals", "if first != name.location()", 'if !crate::plan::left_out("literals::twice") && first != name.location()'),
    (
        "literals",
        "if let (Some(object), None) = (object, definition)",
        'if !crate::plan::left_out("literals::unknown") && let (Some(object), None) = (object, definition)',
    ),
    ("literals", "if !allowed", 'if !crate::plan::left_out("literals::variable") && !allowed'),
]

HOOK = """
pub(crate) fn left_out(check: &str) -> bool {
    std::env::var("LEFT_OUT").is_ok_and(|it| it == check)
}
"""


def main():
    wanted = sys.argv[1:] or list(RULES)
    repository = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(prefix="onedoor-rules-") as copy:
        copy = Path(copy)
        subprocess.run(["git", "clone", "--quiet", repository, copy], check=True)
        prepare(copy / "src/plan")
        test = build(copy)
        if failed := cases(copy, test, ""):
            sys.exit(f"cases fail with every check in its place: {failed}")
        held = [check(copy, test, rule, name) for rule in wanted for name in RULES[rule]]
    print(f"{len(wanted)} rules, {len(held)} checks, {held.count(False)} not held by any case")
    sys.exit(not all(held))


def prepare(plan):
    for name, old, new in PLACES:
        file = plan / f"{name}.rs"
        text = file.read_text()
        if text.count(old) != 1:
            sys.exit(f"{file.name} should have once: {old}")
        file.write_text(text.replace(old, new))
    module = plan / "mod.rs"
    module.write_text(module.read_text() + HOOK)


def build(copy):
    command = ["cargo", "test", "--locked", "--test", "conformance", "--no-run", "--message-format=json"]
    environment = {**os.environ, "ONEDOOR_CONSOLE": "off"}
    built = subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    messages = map(json.loads, built.stdout.splitlines())
    programs = [it["executable"] for it in messages if it.get("target", {}).get("name") == "conformance"]
    return programs[-1]


def cases(copy, test, left_out):
    """The rules of the cases that fail without a check."""
    environment = {**os.environ, "LEFT_OUT": left_out}
    name = "every_case_is_answered_as_by_the_reference_implementation"
    ran = subprocess.run([test, name], cwd=copy, env=environment, capture_output=True, text=True)
    failed = re.findall(r"^\w+: (\d+(?:\.\d+)+) .*$", ran.stdout + ran.stderr, re.MULTILINE)
    return failed or (["?"] if ran.returncode else [])


def check(copy, test, rule, name):
    failed = cases(copy, test, name)
    own, others = failed.count(rule), len(failed) - failed.count(rule)
    print(f"{rule:8} without {name:42} {own:3} of its cases fail, {others} others", flush=True)
    return own > 0


main()
