// Relay: its compiler with the gateway's schema, and its runtime over HTTP, in parts, and a WebSocket.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { createClient } from 'graphql-ws';
import { meros } from 'meros/browser';
import * as relay from 'relay-runtime';
import * as shop from './documents.mjs';
import { Emissions } from './emissions.mjs';
import { start, test } from './gateway.mjs';
import { compile } from './relay/compile.mjs';

let gateway;
let artefacts;
const open = [];

before(async () => {
  gateway = await start();
  artefacts = await compile(gateway.project);
});
afterEach(async () => {
  gateway.payments.release();
  await Promise.all(open.splice(0).map((close) => close()));
});
after(() => gateway?.stop());

/** As an app makes it; without a token it is nobody's. */
function environment({ token = gateway.token } = {}) {
  const authorization = token ? `Bearer ${token}` : undefined;
  const socket = createClient({
    url: gateway.ws,
    connectionParams: authorization && { Authorization: authorization },
    retryAttempts: 0,
  });
  open.push(() => socket.dispose());
  return new relay.Environment({
    network: relay.Network.create(fetchBy(authorization), subscribeBy(socket)),
    store: new relay.Store(new relay.RecordSource()),
  });
}

/** Relay leaves HTTP to the app. What it reads of parts is what was proposed on 2022-08-24. */
function fetchBy(authorization) {
  const accept =
    'multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json;q=0.9';
  return ({ name, text }, variables) =>
    relay.Observable.create((sink) => {
      const left = new AbortController();
      const ask = async () => {
        const response = await gateway.fetch(gateway.http, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept, ...(authorization && { authorization }) },
          body: JSON.stringify({ query: text, operationName: name, variables }),
          signal: left.signal,
        });
        const answered = await meros(response);
        const parts = answered instanceof Response ? [{ body: await answered.json() }] : answered;
        for await (const { body } of parts) {
          for (const payload of payloads(body)) sink.next(payload);
        }
      };
      ask().then(
        () => sink.complete(),
        (error) => left.signal.aborted || sink.error(error),
      );
      return () => left.abort();
    });
}

/** Relay's own form of parts: an item is one, and the paths of errors begin where the part does. */
function payloads({ incremental, hasNext, ...whole }) {
  const parts = incremental?.flatMap(single) ?? [whole];
  return parts.map((part, nth) => ({
    ...part,
    ...(incremental && part.errors && { errors: part.errors.map((error) => below(part.path, error)) }),
    extensions: { is_final: !hasNext && nth === parts.length - 1 },
  }));
}

const single = ({ items, path, ...part }) =>
  items?.map((data, nth) => ({ ...part, data, path: [...path.slice(0, -1), path.at(-1) + nth] })) ?? {
    ...part,
    path,
  };

const below = (path, error) => ({ ...error, path: error.path.slice(path.length) });

function subscribeBy(socket) {
  return ({ name, text }, variables) =>
    relay.Observable.create((sink) =>
      socket.subscribe({ operationName: name, query: text, variables }, sink),
    );
}

function fetched(environment, query, variables) {
  return relay.fetchQuery(environment, artefacts[query], variables).toPromise();
}

/** What the observable of a query emits, as `see` sees it then. */
function emitted(environment, query, variables, see = (data) => data) {
  const emissions = new Emissions();
  const subscription = relay.fetchQuery(environment, artefacts[query], variables).subscribe({
    next: (data) => emissions.push(see(data)),
    error: (error) => emissions.push({ thrown: error }),
    complete: () => emissions.push('complete'),
  });
  open.push(() => subscription.unsubscribe());
  return emissions;
}

/** What a component that uses the fragment would be given, and whether it would wait. */
function read(environment, fragment, reference) {
  const selector = relay.getSingularSelector(artefacts[fragment], reference);
  const { data, isMissingData } = environment.lookup(selector);
  return { data, isMissingData };
}

/** An app sees of a caught error its extensions only. */
const codes = (errors) => errors.map(({ extensions }) => extensions.code);

test('the compiler takes the schema', () => {
  assert.deepEqual(Object.keys(artefacts).sort(), [
    'shopDeferredInVainQuery',
    'shopDeferredOftenQuery',
    'shopDeferredQuery',
    'shopLostQuery',
    'shopNotificationsSubscription',
    'shopPhoneQuery',
    'shopReceiptQuery',
    'shopStreamedQuery',
    'shopUpdateUserMutation',
    'shop_head',
    'shop_money',
    'shop_more',
    'shop_orders',
    'shop_told',
  ]);
});

test('a query has its variables and its data', async () => {
  const data = await fetched(environment(), 'shopReceiptQuery', { order: '1571' });
  assert.deepEqual(data, { order: { ...shop.order, payment: { ok: true, value: shop.paid } } });
});

test('a mutation changes what the store shows', async () => {
  const shown = environment();
  const { me } = await fetched(shown, 'shopPhoneQuery', {});
  assert.equal(me.value.id, '1');
  const operation = relay.createOperationDescriptor(artefacts.shopPhoneQuery, {});
  const updates = new Emissions();
  const watched = shown.subscribe(shown.lookup(operation.fragment), updates.push);
  open.push(() => watched.dispose());
  const [response, errors] = await new Promise((onCompleted, onError) => {
    relay.commitMutation(shown, {
      mutation: artefacts.shopUpdateUserMutation,
      variables: { input: { phone: '+47 5 🔔\n"\u2028' } },
      onCompleted: (...completed) => onCompleted(completed),
      onError,
    });
  });
  assert.equal(errors, null);
  assert.deepEqual(response, { updateUser: { id: '1', phone: '+47 5 🔔\n"\u2028' } });
  assert.equal((await updates.take()).data.me.value.phone, '+47 5 🔔\n"\u2028');
});

test('a request that is not valid is an error with what the gateway says', async () => {
  const stale = structuredClone(artefacts.shopPhoneQuery);
  stale.params.text = stale.params.text.replace('phone', 'fone');
  const asked = relay.fetchQuery(environment(), stale, {}).toPromise();
  await assert.rejects(asked, (error) => {
    assert.equal(error.source.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    assert.match(error.message, /No data returned for operation `shopPhoneQuery`[^]*fone/);
    return true;
  });
});

test('a field that fails is caught where it is, and leaves the rest', async () => {
  const { order } = await fetched(environment(), 'shopReceiptQuery', shop.voucher);
  assert.equal(order.displayTotal, '11.50 USD');
  assert.equal(order.payment.ok, false);
  assert.deepEqual(codes(order.payment.errors), ['UPSTREAM_BAD_ANSWER']);
});

test('without a token, what needs one is an error at its place; a token that is none is refused', async () => {
  const { me } = await fetched(environment({ token: null }), 'shopPhoneQuery', {});
  assert.equal(me.ok, false);
  assert.deepEqual(codes(me.errors), ['UNAUTHENTICATED']);
  await assert.rejects(fetched(environment({ token: 'none' }), 'shopPhoneQuery', {}), (error) => {
    assert.equal(error.source.errors[0].extensions.code, 'UNAUTHENTICATED');
    assert.match(error.message, /The token is not valid/);
    return true;
  });
});

test('what is deferred comes later', async () => {
  gateway.payments.hold();
  const shown = environment();
  const emissions = emitted(shown, 'shopDeferredQuery', { order: '1571' });
  const first = await emissions.take();
  const { id, displayTotal } = first.order;
  assert.deepEqual({ id, displayTotal }, shop.order);
  assert.ok(read(shown, 'shop_money', first.order).isMissingData);
  gateway.payments.release();
  const last = await emissions.take();
  assert.deepEqual(read(shown, 'shop_money', last.order), {
    data: { payment: { ok: true, value: shop.paid } },
    isMissingData: false,
  });
  assert.equal(await emissions.take(), 'complete');
});

test('several parts find their places', async () => {
  gateway.payments.hold();
  const shown = environment();
  const emissions = emitted(shown, 'shopDeferredOftenQuery', {});
  const { user } = await emissions.take();
  assert.equal(user.address.city, 'Dublin');
  assert.deepEqual(user.orders.map(({ id }) => id), ['1600', '1571']);
  const parts = () => [
    read(shown, 'shop_more', user),
    ...user.orders.map((order) => read(shown, 'shop_money', order)),
  ];
  assert.ok(parts().every(({ isMissingData }) => isMissingData));
  gateway.payments.release();
  await emissions.until((emission) => emission === 'complete');
  const { address, shipped } = shop.oftenLast.user;
  assert.deepEqual(parts(), [
    { data: { address: { country: address.country }, shipped }, isMissingData: false },
    { data: { payment: { ok: true, value: null } }, isMissingData: false },
    { data: { payment: { ok: true, value: shop.paid } }, isMissingData: false },
  ]);
});

test('what need not be waited for is there at once', async () => {
  const shown = environment();
  const { order } = await fetched(shown, 'shopDeferredInVainQuery', { order: '1571' });
  assert.deepEqual(read(shown, 'shop_head', order), { data: shop.order, isMissingData: false });
});

test('what is deferred fails alone', async () => {
  const shown = environment();
  const emissions = emitted(shown, 'shopDeferredQuery', shop.voucher);
  const { order } = await emissions.take();
  assert.equal(order.displayTotal, '11.50 USD');
  await emissions.until((emission) => emission === 'complete');
  const { data, isMissingData } = read(shown, 'shop_money', order);
  assert.equal(isMissingData, false);
  assert.equal(data.payment.ok, false);
  assert.deepEqual(codes(data.payment.errors), ['UPSTREAM_BAD_ANSWER']);
});

test('a list comes bit by bit', async () => {
  const shown = environment();
  const ids = ({ user }) => read(shown, 'shop_orders', user).data.orders.map(({ id }) => id);
  const emissions = emitted(shown, 'shopStreamedQuery', {}, ids);
  assert.deepEqual(await emissions.take(), ['1600']);
  assert.deepEqual(await emissions.take(), ['1600', '1571']);
  assert.deepEqual(await emissions.take(), ['1600', '1571', '1533']);
  assert.equal(await emissions.take(), 'complete');
});

test('a part that is lost is an error after the rest', async () => {
  const emissions = emitted(environment({ token: null }), 'shopLostQuery', {});
  assert.equal((await emissions.take()).user.id, '1');
  const { thrown } = await emissions.take();
  assert.deepEqual(codes(thrown.source.errors), ['UNAUTHENTICATED']);
});

/** What a subscription emits. */
function told(environment) {
  const emissions = new Emissions();
  const subscription = relay.requestSubscription(environment, {
    subscription: artefacts.shopNotificationsSubscription,
    variables: {},
    onNext: emissions.push,
    onError: (error) => emissions.push({ thrown: error }),
  });
  open.push(() => subscription.dispose());
  return emissions;
}

test('a subscription tells its events, joined, in order', async () => {
  const events = told(environment());
  for (const event of shop.told) assert.deepEqual(await events.take(), { notifications: event });
});

test('a subscription that needs a token has the error', async () => {
  const { thrown } = await told(environment({ token: null })).take();
  assert.equal(thrown[0].extensions.code, 'UNAUTHENTICATED');
});

test('a socket that is refused is told with its code', async () => {
  const { thrown } = await told(environment({ token: 'none' })).take();
  assert.equal(thrown.code, 4403);
  assert.equal(thrown.reason, 'The token is not valid.');
});
