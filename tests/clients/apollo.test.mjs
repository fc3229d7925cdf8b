// Apollo Client over HTTP and a WebSocket.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
  NetworkStatus,
  disableFragmentWarnings,
  gql,
} from '@apollo/client';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import * as shop from './documents.mjs';
import { Emissions } from './emissions.mjs';
import { start, test } from './gateway.mjs';

// One name in two documents is two fragments to a test.
disableFragmentWarnings();

let gateway;
const open = [];

before(async () => {
  gateway = await start();
});
afterEach(async () => {
  gateway.payments.release();
  await Promise.all(open.splice(0).map((close) => close()));
});
after(() => gateway?.stop());

/** As an app makes it; without a token it is nobody's. */
function apollo({ token = gateway.token, incrementalHandler, retryAttempts } = {}) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const http = new HttpLink({ uri: gateway.http, fetch: gateway.fetch, headers });
  const socket = createClient({
    url: gateway.ws,
    connectionParams: token ? { Authorization: `Bearer ${token}` } : undefined,
    retryAttempts,
  });
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(socket),
      http,
    ),
    incrementalHandler,
  });
  open.push(() => socket.dispose(), () => client.stop());
  return client;
}

/** What a subscription or a watched query emits. */
function emitted(observable) {
  const emissions = new Emissions();
  const subscription = observable.subscribe({
    next: emissions.push,
    error: (error) => emissions.push({ thrown: error }),
    complete: () => emissions.push('complete'),
  });
  open.push(() => subscription.unsubscribe());
  return emissions;
}

const plain = (data) => JSON.parse(JSON.stringify(data, (key, value) => (key === '__typename' ? undefined : value)));
const ids = ({ data }) => data.user.orders.map(({ id }) => id);
const sentLast = (name) => gateway.sent.at(-1).get(name);

test('a query has its variables and its data', async () => {
  const { data, error } = await apollo().query({
    query: gql(shop.receipt),
    variables: { order: '1571' },
  });
  assert.equal(error, undefined);
  assert.deepEqual(plain(data), { order: { ...shop.order, payment: shop.paid } });
  assert.equal(data.order.__typename, 'Order');
  assert.equal(sentLast('accept'), 'application/graphql-response+json,application/json;q=0.9');
});

test('a query by GET is no matter of another site', async () => {
  const client = apollo();
  client.setLink(new HttpLink({ uri: gateway.http, useGETForQueries: true }));
  const { data } = await client.query({ query: gql(shop.receipt), variables: { order: '1571' } });
  assert.deepEqual(plain(data), { order: { ...shop.order, payment: shop.paid } });
});

test('a mutation changes what the cache shows', async () => {
  const client = apollo();
  const shown = emitted(client.watchQuery({ query: gql(shop.phone) }));
  const first = await shown.until(({ loading }) => !loading);
  assert.equal(first.data.me.id, '1');
  const { data, error } = await client.mutate({
    mutation: gql(shop.updateUser),
    variables: { input: { phone: '+47 1 🔔\n"\u2028' } },
  });
  assert.equal(error, undefined);
  assert.deepEqual(plain(data), { updateUser: { id: '1', phone: '+47 1 🔔\n"\u2028' } });
  assert.equal((await shown.take()).data.me.phone, '+47 1 🔔\n"\u2028');
});

test('a request that is not valid is an error of GraphQL, whatever its status', async () => {
  const asked = apollo().query({ query: gql(shop.invalid) });
  await assert.rejects(asked, (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), `${error}`);
    assert.equal(error.data, undefined);
    assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    assert.match(error.message, /totl/);
    return true;
  });
});

test('a field that fails leaves the rest', async () => {
  const { data, error } = await apollo().query({
    query: gql(shop.receipt),
    variables: shop.voucher,
    errorPolicy: 'all',
  });
  assert.deepEqual(plain(data), { order: { id: '1042', displayTotal: '11.50 USD', payment: null } });
  assert.ok(CombinedGraphQLErrors.is(error));
  assert.deepEqual(error.errors.map(({ path }) => path), [['order', 'payment']]);
  assert.equal(error.errors[0].extensions.code, 'UPSTREAM_BAD_ANSWER');
});

test('without a token, what needs one is an error at its place; a token that is none is refused', async () => {
  const asked = await apollo({ token: null }).query({ query: gql(shop.phone), errorPolicy: 'all' });
  assert.deepEqual(asked.data, { me: null });
  assert.equal(asked.error.errors[0].extensions.code, 'UNAUTHENTICATED');
  const refused = await apollo({ token: 'none' }).query({ query: gql(shop.phone), errorPolicy: 'all' });
  assert.ok(CombinedGraphQLErrors.is(refused.error), `${refused.error}`);
  assert.match(refused.error.message, /The token is not valid/);
});

for (const [name, Handler, accept] of [
  ['2022-08-24', Defer20220824Handler, 'multipart/mixed;deferSpec=20220824'],
  ['the working draft', GraphQL17Alpha9Handler, 'multipart/mixed;incrementalSpec=v0.2'],
]) {
  const client = (of) => apollo({ incrementalHandler: new Handler(), ...of });
  const watched = (query, { token, ...options } = {}) =>
    emitted(client({ token }).watchQuery({ query: gql(query), ...options }));

  test(`what is deferred comes later, in the format of ${name}`, async () => {
    gateway.payments.hold();
    const shown = watched(shop.deferred, { variables: { order: '1571' } });
    assert.equal((await shown.take()).networkStatus, NetworkStatus.loading);
    const first = await shown.take();
    assert.deepEqual(plain(first.data), { order: shop.order });
    assert.equal(first.networkStatus, NetworkStatus.streaming);
    assert.equal(first.dataState, 'streaming');
    gateway.payments.release();
    const last = await shown.take();
    assert.deepEqual(plain(last.data), { order: { ...shop.order, payment: shop.paid } });
    assert.equal(last.networkStatus, NetworkStatus.ready);
    assert.equal(last.dataState, 'complete');
    assert.ok(sentLast('accept').startsWith(`${accept},`), sentLast('accept'));
  });

  test(`several parts find their places, in the format of ${name}`, async () => {
    gateway.payments.hold();
    const shown = watched(shop.deferredOften);
    const first = await shown.until(({ data }) => data);
    assert.deepEqual(plain(first.data), shop.oftenFirst);
    gateway.payments.release();
    const last = await shown.until(({ dataState }) => dataState === 'complete');
    assert.deepEqual(plain(last.data), shop.oftenLast);
    assert.equal(last.error, undefined);
  });

  test(`what need not be waited for is there at once, in the format of ${name}`, async () => {
    const shown = watched(shop.deferredInVain, { variables: { order: '1571' } });
    const only = await shown.until(({ data }) => data);
    assert.deepEqual(plain(only.data), { order: shop.order });
    assert.equal(only.networkStatus, NetworkStatus.ready);
    assert.equal(only.dataState, 'complete');
  });

  test(`what is deferred fails alone, in the format of ${name}`, async () => {
    const shown = watched(shop.deferred, { variables: shop.voucher, errorPolicy: 'all' });
    const last = await shown.until(({ networkStatus }) => networkStatus === NetworkStatus.error);
    assert.deepEqual(plain(last.data), {
      order: { id: '1042', displayTotal: '11.50 USD', payment: null },
    });
    assert.deepEqual(last.error.errors.map(({ path }) => path), [['order', 'payment']]);
  });

  test(`a part that is lost is an error beside the rest, in the format of ${name}`, async () => {
    const shown = watched(shop.lost, { token: null, errorPolicy: 'all' });
    const last = await shown.until(({ networkStatus }) => networkStatus === NetworkStatus.error);
    assert.deepEqual(plain(last.data), { user: { id: '1' } });
    assert.deepEqual(last.error.errors.map(({ path }) => path), [['notifications']]);
  });

  test(`a list comes bit by bit, in the format of ${name}`, async () => {
    const shown = watched(shop.streamed);
    const first = await shown.until(({ data }) => data);
    assert.deepEqual(ids(first), ['1600']);
    assert.equal(first.networkStatus, NetworkStatus.streaming);
    const last = await shown.until(({ dataState }) => dataState === 'complete');
    assert.deepEqual(ids(last), ['1600', '1571', '1533']);
  });

  test(`a request that is not valid is answered whole to who takes the format of ${name}`, async () => {
    const query = shop.deferred.replace('amount', 'amuont');
    await assert.rejects(client().query({ query: gql(query), variables: { order: '1' } }), (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), `${error}`);
      assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
      return true;
    });
  });
}

test('a subscription tells its events, joined, in order', async () => {
  const events = emitted(apollo().subscribe({ query: gql(shop.notifications) }));
  for (const event of shop.told) {
    assert.deepEqual(plain((await events.take()).data), { notifications: event });
  }
});

test('a subscription that needs a token ends with the error', async () => {
  const events = emitted(apollo({ token: null }).subscribe({ query: gql(shop.notifications) }));
  const { error } = await events.take();
  assert.ok(CombinedGraphQLErrors.is(error), `${error}`);
  assert.equal(error.errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.equal(await events.take(), 'complete');
});

test('a socket that is refused is told with its code', async () => {
  const events = emitted(
    apollo({ token: 'none', retryAttempts: 0 }).subscribe({ query: gql(shop.notifications) }),
  );
  const { error } = await events.take();
  assert.match(error.message, /4403.*The token is not valid/);
});

test('a subscription over HTTP in parts is refused, and told what there is', async () => {
  const client = apollo();
  client.setLink(new HttpLink({ uri: gateway.http, fetch: gateway.fetch }));
  const events = emitted(client.subscribe({ query: gql(shop.notifications) }));
  const { error } = await events.take();
  assert.ok(CombinedGraphQLErrors.is(error), `${error}`);
  assert.match(error.message, /WebSocket.*text\/event-stream/);
  assert.match(sentLast('accept'), /^multipart\/mixed;boundary=graphql;subscriptionSpec=1.0,/);
});
