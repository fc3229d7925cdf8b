//! Each document in `tests/plans` says in fenced blocks what is planned
//! (`graphql query`, with `graphql schema` where it is not `shop.graphql`, and `json variables`) and
//! what comes of it: the plan in words (`text explanation`) and its structure (`text plan`).
//! `UPDATE_EXPECT=1 cargo test --test plan snapshots` writes the last two anew.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use onedoor::config::Sources;
use onedoor::json::Body;
use onedoor::plan::{
    self, Document, Field, FieldValue, Hole, Kind, Leaf, Limits, Plan, RequestError, Selection,
    Shape, Variables,
};
use onedoor::schema::{self, Catalog, Defaults};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[test]
fn every_query_is_planned_as_its_document_says() -> Outcome<()> {
    let mut differences = String::new();
    let documents = files(&root().join("tests/plans"), "md")?;
    assert!(!documents.is_empty(), "there are documents");
    for file in documents {
        let text = fs::read_to_string(&file)?;
        let found = replanned(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &found)?;
        } else if found != text {
            let diff = similar::TextDiff::from_lines(&text, &found);
            let name = file.display().to_string();
            differences += &diff.unified_diff().header(&name, "found").to_string();
        }
    }
    assert!(differences.is_empty(), "{differences}");
    Ok(())
}

#[test]
fn the_shops_own_queries_are_planned_in_few_calls() -> Outcome<()> {
    let catalog = shop()?;
    let mut calls = BTreeMap::new();
    for file in files(&root().join("examples/queries"), "graphql")? {
        let text = fs::read_to_string(&file)?;
        let document = Document::parse(&catalog, &text, &LIMITS, true).map_err(all)?;
        let operation = document.operation(None)?;
        let mask = operation.mask(&Variables::default());
        let plan = plan::build(&catalog, &operation, &mask)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        calls.insert(name, plan::explain(&plan, &operation, &mask).calls.calls);
    }
    assert_eq!(calls["dashboard"], 3);
    assert_eq!(calls["orders"], 3, "one for the list, one for its buyers, one for its payments");
    Ok(())
}

const LIMITS: Limits = Limits { tokens: 10_000, nesting: 64, fields: 10_000 };

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path, extension: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn shop() -> Outcome<Catalog> {
    let mut sources = Sources::default();
    for file in files(&root().join("schema"), "graphql")? {
        sources.add(
            file.file_name().unwrap_or_default().to_string_lossy(),
            fs::read_to_string(&file)?,
        );
    }
    load(sources)
}

fn load(sources: Sources) -> Outcome<Catalog> {
    let mut upstreams = BTreeMap::new();
    for name in ["users", "orders", "payments", "notifications"] {
        upstreams.insert(name.parse()?, Defaults::default());
    }
    let (catalog, problems) = schema::load(sources, &upstreams, &|_| None);
    catalog.ok_or_else(|| problems.render(false).into())
}

fn all(errors: Vec<RequestError>) -> Box<dyn Error> {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("\n").into()
}

/// The document with what its query comes to.
fn replanned(text: &str) -> Outcome<String> {
    let block = |info: &str| blocks(text).find(|(found, _)| *found == info).map(|(_, body)| body);
    let catalog = match block("graphql schema") {
        Some(sdl) => {
            let mut sources = Sources::default();
            sources.add("schema.graphql", sdl);
            load(sources)?
        }
        None => {
            let mut sources = Sources::default();
            let file = root().join("tests/plans/shop.graphql");
            sources.add("shop.graphql", fs::read_to_string(file)?);
            load(sources)?
        }
    };
    let query = block("graphql query").ok_or("no `graphql query`")?;
    let (explanation, structure) = match planned(&catalog, query, block("json variables")) {
        Ok((explanation, structure)) => (explanation, structure),
        Err(error) => (format!("{error}\n"), String::new()),
    };
    let mut out = String::new();
    let mut replaced = None;
    for line in text.lines() {
        match (line, replaced) {
            ("```text explanation", _) => replaced = Some(&explanation),
            ("```text plan", _) => replaced = Some(&structure),
            ("```", Some(found)) => {
                out.push_str(found);
                replaced = None;
            }
            (_, Some(_)) => continue,
            (_, None) => {}
        }
        out.push_str(line);
        out.push('\n');
    }
    Ok(out)
}

/// The fenced blocks: what stands after the fence, and what within.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let fenced = text.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n'))
}

fn planned(catalog: &Catalog, query: &str, variables: Option<&str>) -> Outcome<(String, String)> {
    let document = Document::parse(catalog, query, &LIMITS, true).map_err(all)?;
    let operation = document.operation(None)?;
    let raw = variables.map(|text| Body::parse(text.to_owned().into())).transpose()?;
    let raw = raw.as_ref().map(Body::root);
    let variables = Variables::coerce(catalog, &operation, raw).map_err(all)?;
    let mask = operation.mask(&variables);
    let plan = plan::build(catalog, &operation, &mask)?;
    let explanation = plan::explain(&plan, &operation, &mask).to_string();
    Ok((explanation, structure(&plan, &variables)?))
}

/// A plan's structure, one line a field.
fn structure(plan: &Plan, variables: &Variables) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for (index, step) in plan.steps.iter().enumerate() {
        writeln!(out, "step {index}")?;
        selection(&mut out, &step.selection, 1)?;
    }
    for (index, fetch) in plan.fetches.iter().enumerate() {
        let parent = fetch.parent.map(|parent| format!(" below {}", parent.0)).unwrap_or_default();
        let endpoint = &fetch.endpoint;
        writeln!(out, "fetch {index}{parent}: {} at {}", fetch.coordinate, fetch.path)?;
        writeln!(out, "  {} {}, args {}", endpoint.upstream, endpoint.label, fetch.args.0)?;
        shape(&mut out, &fetch.shape, 1)?;
    }
    for (index, args) in plan.args.iter().enumerate() {
        match args.render(variables) {
            Ok(body) => writeln!(out, "args {index}: {}", String::from_utf8_lossy(body.bytes()))?,
            Err(failure) => writeln!(out, "args {index}: {}", failure.message)?,
        }
    }
    Ok(out)
}

fn selection(out: &mut String, selection: &Selection, depth: usize) -> std::fmt::Result {
    let indent = "  ".repeat(depth);
    let captures: Vec<_> = selection.captures.iter().map(ToString::to_string).collect();
    let captures = match captures.as_slice() {
        [] => String::new(),
        captures => format!(" captures {}", captures.join(", ")),
    };
    writeln!(out, "{indent}{}{captures}", selection.type_name)?;
    selection.fields.iter().try_for_each(|wanted| field(out, wanted, depth + 1))
}

fn field(out: &mut String, field: &Field, depth: usize) -> std::fmt::Result {
    let indent = "  ".repeat(depth);
    let locations: Vec<_> =
        field.locations.iter().map(|at| format!("{}:{}", at.line, at.column)).collect();
    let guarded = if field.authenticated { " authenticated" } else { "" };
    let nullable = if field.nullable { "?" } else { "" };
    write!(out, "{indent}{}{nullable} ({}){guarded} = ", field.key, locations.join(" "))?;
    match &field.value {
        FieldValue::Typename => writeln!(out, "typename"),
        FieldValue::Introspection => writeln!(out, "introspection"),
        FieldValue::Streamed(hole, part) => {
            writeln!(out, "first of part {} of {}", part.0, hole_text(hole))
        }
        FieldValue::Property(path, wanted) => {
            writeln!(out, "{path}")?;
            shape(out, wanted, depth + 1)
        }
        FieldValue::Computed(computed, wanted) => {
            writeln!(out, "computed of slots {:?}, args {}", computed.slots, computed.args.0)?;
            shape(out, wanted, depth + 1)
        }
        FieldValue::Hole(hole) => writeln!(out, "{}", hole_text(hole)),
    }
}

fn hole_text(hole: &Hole) -> String {
    let nullable = if hole.nullable { "?" } else { "" };
    let list = match hole.list {
        None => "",
        Some(item) if item.0 => ", list of nullable",
        Some(_) => ", list",
    };
    format!("fetch {}{nullable} of slots {:?}{list}", hole.fetch.0, hole.slots)
}

fn shape(out: &mut String, wanted: &Shape, depth: usize) -> std::fmt::Result {
    let indent = "  ".repeat(depth);
    let nullable = if wanted.nullable { "?" } else { "" };
    match &wanted.kind {
        Kind::Leaf(leaf) => {
            let name = match leaf {
                Leaf::Enum(values) => {
                    let value = |(wire, name): &(Box<str>, Box<str>)| format!("{wire} -> {name}");
                    let values: Vec<_> = values.iter().map(value).collect();
                    format!("Enum({})", values.join(", "))
                }
                Leaf::Custom(scalar) => format!("{scalar:?}"),
                other => format!("{other:?}"),
            };
            writeln!(out, "{indent}{name}{nullable}")
        }
        Kind::List(item) => {
            writeln!(out, "{indent}List{nullable}")?;
            shape(out, item, depth + 1)
        }
        Kind::Object(wanted) => {
            writeln!(out, "{indent}Object{nullable}")?;
            selection(out, wanted, depth + 1)
        }
        Kind::Abstract(cases) => {
            writeln!(out, "{indent}{}{nullable} by {}", cases.type_name, cases.discriminator)?;
            cases.cases.iter().try_for_each(|(value, wanted)| {
                writeln!(out, "{indent}  {value}")?;
                selection(out, wanted, depth + 2)
            })
        }
        Kind::Through(through) => {
            let captures: Vec<_> = through.captures.iter().map(ToString::to_string).collect();
            writeln!(out, "{indent}Through captures {}", captures.join(", "))?;
            writeln!(out, "{indent}  {}", hole_text(&through.hole))
        }
        Kind::Computed(computed, wanted) => {
            let args = computed.args.0;
            writeln!(out, "{indent}computed of slots {:?}, args {args}", computed.slots)?;
            shape(out, wanted, depth + 1)
        }
    }
}
