// graphql-sse, a connection an operation ("distinct connections mode").

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { NetworkError, createClient } from 'graphql-sse';
import * as shop from './documents.mjs';
import { start, test } from './gateway.mjs';

let gateway;
const open = [];

before(async () => {
  gateway = await start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});
after(() => gateway?.stop());

function connect({ authorization = gateway.authorization, ...options } = {}) {
  const client = createClient({
    url: gateway.http,
    fetchFn: gateway.fetch,
    headers: authorization ? { authorization } : {},
    retryAttempts: 0,
    ...options,
  });
  open.push(() => client.dispose());
  return client;
}

/** What an operation came to, as its iterator gives it. */
async function all(client, operation) {
  const results = [];
  for await (const result of client.iterate(operation)) results.push(result);
  return results;
}

test('a query has its variables and its data', async () => {
  const operation = { query: shop.receipt, variables: { order: '1571' } };
  const expected = { data: { order: { ...shop.order, payment: shop.paid } } };
  assert.deepEqual(await all(connect(), operation), [expected]);
  assert.equal(gateway.sent.at(-1).get('accept'), 'text/event-stream');
});

test('a mutation is carried out', async () => {
  const client = connect();
  const variables = { input: { phone: '+47 4 🔔\n"\u2028' } };
  const changed = await all(client, { query: shop.updateUser, variables });
  assert.deepEqual(changed, [{ data: { updateUser: { id: '1', phone: '+47 4 🔔\n"\u2028' } } }]);
  assert.deepEqual(await all(client, { query: shop.phone }), [{ data: { me: { id: '1', phone: '+47 4 🔔\n"\u2028' } } }]);
});

test('a request that is not valid is a result with errors, and the end', async () => {
  const results = await all(connect(), { query: shop.invalid });
  assert.equal(results.length, 1);
  assert.equal(results[0].data, undefined);
  assert.equal(results[0].errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
});

test('a field that fails leaves the rest', async () => {
  const [{ data, errors }] = await all(connect(), { query: shop.receipt, variables: shop.voucher });
  assert.deepEqual(data, { order: { id: '1042', displayTotal: '11.50 USD', payment: null } });
  assert.deepEqual(errors.map(({ path }) => path), [['order', 'payment']]);
});

test('what is deferred comes whole, since the protocol has no parts', async () => {
  const operation = { query: shop.deferred, variables: { order: '1571' } };
  const expected = { data: { order: { ...shop.order, payment: shop.paid } } };
  assert.deepEqual(await all(connect(), operation), [expected]);
});

test('a subscription tells its events, joined, in order, until it is left', async () => {
  const events = connect().iterate({ query: shop.notifications });
  for (const event of shop.told) {
    const { value } = await events.next();
    assert.deepEqual(value, { data: { notifications: event } });
  }
  assert.deepEqual(await events.return(), { done: true, value: undefined });
});

test('without a token a subscription that needs one is a result with the error, and the end', async () => {
  const results = await all(connect({ authorization: null }), { query: shop.notifications });
  assert.equal(results.length, 1);
  assert.equal(results[0].errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.deepEqual(results[0].errors[0].path, ['notifications']);
});

test('a token that is none is refused, with a status and a reason', async () => {
  const asked = all(connect({ authorization: 'Bearer none' }), { query: shop.notifications });
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof NetworkError, `${error}`);
    assert.equal(error.response.status, 401);
    assert.match(error.response.headers.get('www-authenticate'), /^Bearer .*invalid_token/);
    return true;
  });
});

test('a stream whose token ends tells so, and ends', async () => {
  const results = await all(connect({ authorization: gateway.brief() }), {
    query: shop.notifications,
  });
  assert.deepEqual(results[0], { data: { notifications: shop.told[0] } });
  assert.equal(results.at(-1).errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.equal(results.at(-1).errors[0].message, 'The token has expired.');
});

test('the "single connection mode" is refused, and told what there is', async () => {
  const asked = all(connect({ singleConnection: true }), { query: shop.phone });
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof NetworkError, `${error}`);
    assert.equal(error.response.status, 405);
    assert.match(error.response.headers.get('allow'), /POST/);
    return true;
  });
});

test('a gateway that stops ends no stream as if that were all: a client comes again', async () => {
  const stopping = await start();
  open.push(stopping.stop);
  const events = connect({ url: stopping.http, headers: { authorization: stopping.authorization } })
    .iterate({ query: shop.notifications });
  assert.deepEqual((await events.next()).value.data.notifications, shop.told[0]);
  const [end] = await Promise.all([untilThrown(events), stopping.stop()]);
  assert.ok(end instanceof NetworkError, `${end}`);
});

/** Why the iterator ended; nothing if it was told that this was all. */
async function untilThrown(events) {
  try {
    for await (const _ of events);
  } catch (error) {
    return error;
  }
}
