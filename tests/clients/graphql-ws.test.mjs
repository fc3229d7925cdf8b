// graphql-ws, the reference client of the protocol `graphql-transport-ws`.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { createClient } from 'graphql-ws';
import * as shop from './documents.mjs';
import { Emissions } from './emissions.mjs';
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
    url: gateway.ws,
    connectionParams: authorization ? { Authorization: authorization } : undefined,
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
});

test('of several operations in a document the named one runs', async () => {
  const query = `${shop.phone} query Name { user(id: "1") { name } }`;
  const results = await all(connect(), { query, operationName: 'Name' });
  assert.deepEqual(results, [{ data: { user: { name: "Saoirse O'Sullivan" } } }]);
});

test('a mutation is carried out', async () => {
  const client = connect();
  const variables = { input: { phone: '+47 3 🔔\n"\u2028' } };
  const changed = await all(client, { query: shop.updateUser, variables });
  assert.deepEqual(changed, [{ data: { updateUser: { id: '1', phone: '+47 3 🔔\n"\u2028' } } }]);
  assert.deepEqual(await all(client, { query: shop.phone }), [{ data: { me: { id: '1', phone: '+47 3 🔔\n"\u2028' } } }]);
});

test('a request that is not valid ends its operation only', async () => {
  const client = connect();
  await assert.rejects(all(client, { query: shop.invalid }), (errors) => {
    assert.equal(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    assert.match(errors[0].message, /totl/);
    return true;
  });
  assert.equal((await all(client, { query: shop.phone }))[0].data.me.id, '1');
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

test('operations share a socket, and answers are told apart', async () => {
  const connected = new Emissions();
  const client = connect({ lazy: false, on: { connected: () => connected.push('connected') } });
  await connected.take();
  const events = client.iterate({ query: shop.notifications });
  const orders = ['1571', '1533', '1600'];
  const answers = await Promise.all(
    orders.map((order) => all(client, { query: shop.receipt, variables: { order } })),
  );
  assert.deepEqual(answers.map(([{ data }]) => data.order.id), orders);
  assert.deepEqual((await events.next()).value.data.notifications, shop.told[0]);
  await events.return();
  assert.equal(connected.count, 0);
});

test('the gateway answers pings', async () => {
  const pongs = new Emissions();
  connect({
    lazy: false,
    keepAlive: 10,
    on: { pong: (received) => received && pongs.push('pong') },
  });
  assert.equal(await pongs.take(), 'pong');
  assert.equal(await pongs.take(), 'pong');
});

test('without a token a subscription that needs one ends with the error', async () => {
  const events = all(connect({ authorization: null }), { query: shop.notifications });
  await assert.rejects(events, (errors) => {
    assert.equal(errors[0].extensions.code, 'UNAUTHENTICATED');
    assert.deepEqual(errors[0].path, ['notifications']);
    return true;
  });
});

test('a token may be said under `headers` too', async () => {
  const connectionParams = { headers: { authorization: gateway.authorization } };
  const [{ data }] = await all(connect({ connectionParams }), { query: shop.phone });
  assert.equal(data.me.id, '1');
});

test('a token that is none is refused, with a code and a reason', async () => {
  const asked = all(connect({ authorization: 'Bearer none' }), { query: shop.phone });
  await assert.rejects(asked, (close) => {
    assert.equal(close.code, 4403);
    assert.equal(close.reason, 'The token is not valid.');
    return true;
  });
});

test('a client that is refused comes again with a better token', async () => {
  let asked = 0;
  const client = connect({
    connectionParams: () => ({ Authorization: asked++ ? gateway.authorization : 'Bearer none' }),
    retryAttempts: 1,
    retryWait: async () => {},
  });
  assert.equal((await all(client, { query: shop.phone }))[0].data.me.id, '1');
  assert.equal(asked, 2);
});

test('a client whose token ends comes again with a new one, and goes on', async () => {
  const tokens = [gateway.brief(), gateway.authorization];
  const closed = new Emissions();
  const events = connect({
    connectionParams: () => ({ Authorization: tokens.shift() }),
    retryAttempts: 1,
    retryWait: async () => {},
    on: { closed: closed.push },
  }).iterate({ query: shop.notifications });
  let left = false;
  const close = closed.take().finally(() => (left = true));
  while (!left) assert.equal((await events.next()).done, false);
  assert.equal((await close).code, 4403);
  assert.equal((await close).reason, 'The token has expired.');
  assert.ok((await events.next()).value.data.notifications.id);
  assert.deepEqual(tokens, []);
});

test('a gateway that stops says that it goes away: a client comes again', async () => {
  const stopping = await start();
  open.push(stopping.stop);
  const connectionParams = { Authorization: stopping.authorization };
  const events = connect({ url: stopping.ws, connectionParams }).iterate({
    query: shop.notifications,
  });
  assert.deepEqual((await events.next()).value.data.notifications, shop.told[0]);
  const ended = assert.rejects(untilThrown(events), { code: 1001 });
  await Promise.all([ended, stopping.stop()]);
});

async function untilThrown(events) {
  for await (const _ of events);
}
