//! One upstream's answer, whatever its bytes, within a random query over a healthy world. The first
//! bytes choose query, world, who asks and which endpoint; the rest is its status and body.

use std::sync::Arc;

use crate::bench::Bench;
use crate::query::Query;
use crate::types::Types;
use crate::world::{ENDPOINTS, Fault, World};

/// Statuses that mean different things to the gateway.
const STATUSES: [u16; 8] = [200, 200, 200, 200, 201, 204, 404, 500];

/// The case that the bytes stand for; `None`: they are too few.
pub(crate) fn check(
    bench: &mut Bench<'_>,
    types: &Types,
    input: &[u8],
) -> Option<Result<(), String>> {
    let ([query, more, seed, choice, endpoint, status], body) = input.split_first_chunk()?;
    let query = Query::random(types, u64::from(*query) | u64::from(*more) << 8);
    let mut world = World::random(u64::from(*seed));
    let endpoint = ENDPOINTS[usize::from(*endpoint) % ENDPOINTS.len()];
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    world.fickle = choice & 2 != 0;
    world.faults = vec![(endpoint, Fault::Status(status, body.to_vec()))];
    let known = choice & 1 != 0;
    Some(bench.compare(&query, &Arc::new(world), known).map(|_| ()))
}
