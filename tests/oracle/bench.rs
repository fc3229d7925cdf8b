//! One case: the gateway and the oracle side by side.

use std::cell::Cell;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use serde_json::Value;

use crate::compare;
use crate::coverage::Coverage;
use crate::gateway::{Ours, claims};
use crate::naive::Naive;
use crate::query::Query;
use crate::random::Random;
use crate::server::Call;
use crate::strict::Response;
use crate::types::Types;
use crate::world::World;

/// What one thread runs its cases with.
pub(crate) struct Bench<'t> {
    types: &'t Types,
    ours: Ours,
    claims: Value,
    pub(crate) coverage: Coverage,
}

impl<'t> Bench<'t> {
    pub(crate) fn new(types: &'t Types) -> Self {
        Self { types, ours: Ours::new(), claims: claims(), coverage: Coverage::default() }
    }

    /// The case of a seed: a query, and now and then the same once more, where its plan is known,
    /// in another world and with other conditions.
    pub(crate) fn case(&mut self, seed: u64) -> Result<(), String> {
        let mut random = Random::new(seed);
        let mut query = Query::random(self.types, random.next());
        let again = random.percent(15);
        for turn in 0..1 + u8::from(again) {
            if turn > 0 {
                for value in query.variables.values_mut() {
                    if let Value::Bool(yes) = value {
                        *yes ^= random.percent(50);
                    }
                }
            }
            let world = Arc::new(World::random(random.next()));
            let known = random.percent(60);
            self.compare(&query, &world, known)?;
        }
        Ok(())
    }

    /// Executes a query on both sides, for a known caller or anybody. The response, if they agree.
    pub(crate) fn compare(
        &mut self,
        query: &Query,
        world: &Arc<World>,
        known: bool,
    ) -> Result<String, String> {
        let claims = known.then_some(&self.claims);
        let (types, variables) = (self.types, variables(query));
        let execute = |naive: Naive<'_>| {
            let document = parse(&naive, &query.text)?;
            let refused = || format!("the oracle refuses the variables of {}", query.text);
            naive.execute(&document, &variables).ok_or_else(refused)
        };
        let oracle = execute(Naive::new(world, types, claims))?;
        let (body, state) = self.ours.ask(world, query, known);
        let times = Cell::new(0);
        let relaxed = || {
            let relaxed = execute(Naive::new(world, types, claims).relaxed());
            relaxed.expect("what is valid stays so where more is nullable")
        };
        let mut failures = || {
            times.set(times.get() + 1);
            relaxed().failures
        };
        let compared = Response::parse(&body, &query.text).and_then(|ours| {
            compare::responses(&ours, &oracle, &mut failures)?;
            compare::calls(&state, &oracle, query.mutates, &mut || relaxed())?;
            self.coverage.note(query, &ours, &state, &oracle, times.get());
            Ok(())
        });
        let body = String::from_utf8_lossy(&body).into_owned();
        match compared {
            Ok(()) => Ok(body),
            Err(told) => Err(format!(
                "{told}\nquery: {}\nvariables: {}\nidentity: {known}\nresponse: {body}\n\
                 faults: {:?}\nour calls:{}\nthe oracle's calls:{}",
                query.text,
                Value::Object(query.variables.clone()),
                world.faults,
                lines(&state.calls),
                lines(&oracle.state.calls),
            )),
        }
    }
}

fn parse(naive: &Naive<'_>, query: &str) -> Result<Valid<ExecutableDocument>, String> {
    let document = ExecutableDocument::parse_and_validate(naive.schema(), query, "query.graphql");
    document.map_err(|invalid| format!("not valid: {query}\n{}", invalid.errors))
}

fn lines(calls: &[Call]) -> String {
    calls.iter().map(|call| format!("\n  {}", call.line)).collect()
}

/// Variables as apollo's types.
fn variables(query: &Query) -> JsonMap {
    let member =
        |(name, value): (&String, &Value)| (name.as_str().into(), JsonValue::from(value.clone()));
    query.variables.iter().map(member).collect()
}
