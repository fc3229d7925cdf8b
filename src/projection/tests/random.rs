//! Random plans over random answers, held against the reference: equal data, equal errors.

use proptest::prelude::*;

use super::reference::{Bring, Got, World, Wrong};
use super::*;

const FETCHES: u32 = 3;
const SLOTS: usize = 4;

/// Decisions, taken from bytes that proptest shrinks; when they run out each is the first.
struct Choices<'b>(std::slice::Iter<'b, u8>);

impl Choices<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |byte| *byte as usize % n)
    }

    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

fn shape(choices: &mut Choices<'_>, depth: usize, fetch: u32) -> Shape {
    let nullable = choices.below(5) != 1;
    Shape { nullable, kind: kind(choices, depth, fetch) }
}

fn kind(choices: &mut Choices<'_>, depth: usize, fetch: u32) -> Kind {
    match choices.below(if depth == 0 { 7 } else { 16 }) {
        0 => INT,
        1 => STRING,
        2 => ID,
        3 => FLOAT,
        4 => BOOLEAN,
        5 => colour(),
        6 => ANY,
        7 | 8 => list(shape(choices, depth - 1, fetch)),
        9 => {
            let cases = ["x", "1"]
                .map(|name| (name.into(), Arc::new(some_object(choices, depth - 1, fetch))));
            let discriminator = path(choices.of(&["t", "c.t"]));
            Kind::Abstract(Arc::new(Cases {
                type_name: "A".into(),
                discriminator,
                cases: cases.into(),
            }))
        }
        _ => Kind::Object(Arc::new(some_object(choices, depth - 1, fetch))),
    }
}

/// An object type whose holes lead to fetches after this one.
fn some_object(choices: &mut Choices<'_>, depth: usize, fetch: u32) -> Selection {
    let count = 1 + choices.below(5);
    let fields = (0..count).map(|n| {
        let key = format!("{}{n}", choices.of(&["k", "l", "m"]));
        let guarded = choices.once_in(20);
        let field = if fetch < FETCHES && choices.below(3) == 1 {
            some_hole(choices, &key, fetch)
        } else if choices.once_in(12) {
            super::field(&key, FieldValue::Typename, false)
        } else {
            some_property(choices, &key, depth, fetch)
        };
        Field { authenticated: guarded, ..field }
    });
    let fields: Vec<Field> = fields.collect();
    selection("T", fields, &[choices.of(&["i", "i", "c.i", "l[-1]"])])
}

/// Mostly an object or a list of them, as answers are.
fn some_answer(choices: &mut Choices<'_>, fetch: u32) -> Shape {
    match choices.below(6) {
        0 => shape(choices, 3, fetch),
        1 | 2 => opt(list(shape(choices, 3, fetch))),
        _ => opt(Kind::Object(Arc::new(some_object(choices, 3, fetch)))),
    }
}

fn some_root(choices: &mut Choices<'_>) -> Selection {
    let fields = (0..1 + choices.below(4)).map(|n| match choices.below(12) {
        10 => prop(&format!("p{n}"), shape(choices, 0, 0)),
        _ => {
            let hole = some_hole(choices, &format!("h{n}"), 0);
            // What lies below is worth more than a root that has failed.
            if choices.below(4) == 3 { hole } else { lenient(hole) }
        }
    });
    let fields: Vec<Field> = fields.collect();
    selection("Query", fields, &["i"])
}

fn lenient(field: Field) -> Field {
    match field.value {
        FieldValue::Hole(hole) => {
            let value = FieldValue::Hole(Hole { nullable: true, ..hole });
            Field { value, nullable: true, ..field }
        }
        value => Field { value, ..field },
    }
}

fn some_hole(choices: &mut Choices<'_>, key: &str, fetch: u32) -> Field {
    let target = fetch + choices.below((FETCHES - fetch) as usize) as u32;
    let nullable = choices.below(2) == 0;
    let list = choices.once_in(3).then(|| ItemNullable(choices.below(2) == 0));
    field(key, FieldValue::Hole(hole(target, nullable, list)), nullable)
}

fn some_property(choices: &mut Choices<'_>, key: &str, depth: usize, fetch: u32) -> Field {
    let shape = shape(choices, depth, fetch);
    let at = match choices.below(8) {
        5 => choices.of(&["c.a", "c.b.c", "l[0]", "l[-1].a", "l[-2]"]),
        6 if matches!(shape.kind, Kind::List(_)) => {
            choices.of(&["l[*]", "l[*].a", "c.l[*]", "l[*][*]"])
        }
        7 if matches!(shape.kind, Kind::Object(_)) => ".",
        _ => choices.of(&["a", "b", "c", "l"]),
    };
    prop_at(key, at, shape)
}

/// JSON text that mostly suits a kind.
fn json(choices: &mut Choices<'_>, kind: &Kind, depth: usize, out: &mut String) {
    if choices.once_in(12) || depth == 0 {
        out.push_str(choices.of(&[
            "null",
            "7",
            "\"s\"",
            "{}",
            "[]",
            "1.5",
            "true",
            "{\"a\":1}",
            "[[1]]",
        ]));
        return;
    }
    match kind {
        Kind::Leaf(Leaf::Int) => *out += choices.of(&["1", "-7", "2.0", "-0", "3000000000", "1e3"]),
        Kind::Leaf(Leaf::Float) => *out += choices.of(&["1", "1.50", "-0.0", "1e3", "1e999"]),
        Kind::Leaf(Leaf::Boolean) => *out += choices.of(&["true", "false"]),
        Kind::Leaf(Leaf::Id) => *out += choices.of(&["\"id\"", "12", "1.0", "\"\\u0041\"", "1.5"]),
        Kind::Leaf(Leaf::Enum(_)) => *out += choices.of(&["\"red\"", "\"r\\u0065d\"", "\"blue\""]),
        Kind::Leaf(Leaf::String | Leaf::Custom(_)) => {
            *out += choices.of(&["\"s\"", "\"\\n\\\"é\"", "\"\""])
        }
        Kind::List(item) => {
            *out += choices.of(&["[", "[ ", "[\n  "]);
            for index in 0..choices.below(4) {
                *out += if index > 0 { " , " } else { "" };
                json(choices, &item.kind, depth - 1, out);
            }
            out.push(']');
        }
        Kind::Object(selection) => members(choices, selection, depth, out),
        Kind::Abstract(cases) => {
            let case = choices.below(cases.cases.len());
            members(choices, &cases.cases[case].1, depth, out);
        }
        Kind::Through(_) | Kind::Computed(..) => out.push_str("{}"),
    }
}

/// What stands at names that no field asks for; paths dig into it.
const UNASKED: [&str; 6] = [
    "{\"a\":1,\"b\":{\"c\":\"s\"},\"i\":3,\"l\":[{\"a\":2},null,{}],\"t\":\"x\"}",
    "[{\"a\":1},{\"a\":\"s\"},{\"b\":0}]",
    "[[1,2],[],[3]]",
    "{\"b\":{\"c\":null},\"l\":5,\"a\":[]}",
    "[1, 2]",
    "null",
];

/// An object's properties: in any order, some missing, some twice, names escaped here and there.
fn members(choices: &mut Choices<'_>, selection: &Selection, depth: usize, out: &mut String) {
    let wanted = |name: &str| {
        selection.fields.iter().find_map(|field| match &field.value {
            FieldValue::Property(at, shape) if *at == path(name) => Some(&shape.kind),
            _ => None,
        })
    };
    let mut names = ["i", "a", "b", "c", "l", "t", "z"];
    names.rotate_left(choices.below(7));
    out.push('{');
    let mut first = true;
    for (index, name) in names.into_iter().chain(names).enumerate() {
        let there = if index < names.len() { !choices.once_in(6) } else { choices.once_in(6) };
        if !there {
            continue;
        }
        *out += if first { "" } else { "," };
        first = false;
        let escaped = format!("\\u{:04x}", name.as_bytes()[0]);
        let name_text = if choices.once_in(9) { &escaped } else { name };
        *out += &format!("\"{name_text}\"{}", choices.of(&[":", ": ", " :\n"]));
        match (name, wanted(name)) {
            ("i", _) => *out += choices.of(&["0", "1", "2", "3", "\"x\"", "null"]),
            ("t", _) => *out += choices.of(&["\"x\"", "1", "\"1\"", "null", "\"y\""]),
            (_, Some(kind)) => json(choices, kind, depth - 1, out),
            (_, None) => *out += choices.of(&UNASKED),
        }
    }
    out.push('}');
}

/// What each fetch's holes bring, by what their object says.
struct Brings(Vec<u8>);

impl Brings {
    fn bring(&self, fetch: u32, key: Option<&str>, is_list: bool) -> Bring {
        let key = key.map_or(5, |key| key.bytes().map(usize::from).sum());
        let mut choices = Choices(self.0.iter());
        for _ in 0..(fetch as usize * 7 + key) % self.0.len().max(1) {
            choices.below(1);
        }
        let choice = choices.below(8);
        let mut slot = || choices.below(SLOTS);
        match choice {
            6 => Bring::Null,
            7 => Bring::Failed,
            _ if is_list => {
                let item = |n| (n != 4).then(&mut slot);
                Bring::List((0..choice).map(item).collect())
            }
            _ => Bring::Slot(slot()),
        }
    }
}

fn target(bring: Bring, down: &Arc<Failure>) -> Target {
    match bring {
        Bring::Slot(slot) => Target::Slot(slot as u32),
        Bring::Null => Target::Null,
        Bring::Failed => Target::Failed(Arc::clone(down)),
        Bring::List(items) => {
            Target::List(items.into_iter().map(|item| item.map(|slot| slot as u32)).collect())
        }
    }
}

fn got(choices: &mut Choices<'_>, shape: &Shape) -> Got {
    match choices.below(12) {
        10 => Got::Missing,
        11 => Got::Failed,
        _ => {
            let mut text = String::new();
            json(choices, &shape.kind, 6, &mut text);
            Got::Text(text)
        }
    }
}

fn check(plan: &[u8], answers: &[u8], brings: Vec<u8>) -> Result<(), TestCaseError> {
    let mut choices = Choices(plan.iter());
    let root = some_root(&mut choices);
    let shapes: Vec<Shape> = (1..=FETCHES).map(|fetch| some_answer(&mut choices, fetch)).collect();
    let mut choices = Choices(answers.iter());
    let mut slots_of = |shape| (0..SLOTS).map(|_| got(&mut choices, shape)).collect();
    let slots: Vec<Vec<Got>> = shapes.iter().map(&mut slots_of).collect();
    let authenticated = plan.first().is_none_or(|byte| byte % 2 == 0);
    let brings = Brings(brings);
    let by = |fetch, key: Option<&str>, is_list| brings.bring(fetch, key, is_list);

    let world = World { shapes: &shapes, slots: &slots, brings: &by, authenticated };
    let (data, errors) = world.respond(&root);

    let down = Arc::new(Failure::new(Code::UpstreamUnavailable, "down"));
    let inputs = Inputs { authenticated, ..INPUTS };
    let filled = |fragment| {
        let targets = targets(&fragment, &by, &down);
        Slot { fragment, targets }
    };
    let slot = |got: &Got, shape| {
        filled(match got {
            Got::Missing => {
                project(&Answer::Missing, shape, &inputs, &service(), &mut Layouts::default())
            }
            Got::Failed => Fragment::failed(Arc::clone(&down)),
            Got::Text(text) => {
                project(&answer(text), shape, &inputs, &service(), &mut Layouts::default())
            }
        })
    };
    let table = |(slots, shape): (&Vec<Got>, _)| slots.iter().map(|got| slot(got, shape)).collect();
    let tables = Tables(slots.iter().zip(&shapes).map(table).collect());
    let assembled = assemble(&filled(project_root(&root, &inputs)), &tables, &[], 1 << 20);
    let Ok(assembled) = assembled else { return Ok(()) };

    let ours = assembled
        .data
        .map(|data| serde_json::from_slice::<serde_json::Value>(&data).expect("JSON").to_string());
    prop_assert_eq!(ours, data.map(|data| data.to_string()));
    let ours: Vec<Wrong> = assembled.errors.iter().map(wrong).collect();
    prop_assert_eq!(ours, errors);
    Ok(())
}

fn targets(
    fragment: &Fragment<'_>,
    by: &dyn Fn(u32, Option<&str>, bool) -> Bring,
    down: &Arc<Failure>,
) -> Vec<Target> {
    let bring = |hole: &HoleAt<'_>| {
        let key = fragment.capture(hole.instance, hole.hole.slots[0]);
        let key = key.map(|key| {
            serde_json::from_slice::<serde_json::Value>(key.raw()).expect("JSON").to_string()
        });
        target(by(hole.hole.fetch.0, key.as_deref(), hole.hole.list.is_some()), down)
    };
    fragment.holes.iter().map(bring).collect()
}

fn wrong(failed: &Failed<'_>) -> Wrong {
    let step = |step: &PathStep<'_>| match step {
        PathStep::Key(key) => (*key).to_owned(),
        PathStep::Index(index) => index.to_string(),
    };
    Wrong {
        path: failed.path.iter().map(step).collect(),
        code: failed.failure.code,
        line: failed.locations.first().map_or(0, |location| location.line),
    }
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..max)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_plans_over_random_answers_respond_as_the_reference(
        plan in bytes(160),
        answers in bytes(600),
        brings in bytes(60),
    ) {
        check(&plan, &answers, brings)?;
    }
}
