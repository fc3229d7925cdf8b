// The shop's gateway for one client's tests, and the service of payments, whose answers wait for the
// test's word: so that what came before them came without them.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { test as nodeTest } from 'node:test';
import { WebSocket } from 'ws';
import { program, startGateway } from '../../console/e2e/gateway.mjs';

// Node.js 20 has none, and browsers do.
globalThis.WebSocket ??= WebSocket;

/** A test, which fails when a client hangs. */
export const test = (name, body) => nodeTest(name, { timeout: 30_000 }, body);

const data = resolve(import.meta.dirname, '../../mock/payments.json');

/**
 * `http` and `ws` are the addresses of GraphQL, `token` is one of the user 1, `authorization` the
 * header that carries it. `sent` has the headers of each request that went through `fetch`.
 */
export async function start() {
  const payments = await startPayments();
  const starting = startGateway({
    settings(path, text) {
      if (path === 'onedoor.toml') return text.replace(/^audience = .*$/m, '$&\nleeway = "0s"');
      if (path === 'upstreams/payments.toml') {
        return text.replace(/^\[mock\][^]*/m, '').replace(/^url = .*$/m, `url = "${payments.url}"`);
      }
      return text.replace(/^every = .*$/gm, 'every = "50ms"');
    },
  });
  const gateway = await starting.catch(async (error) => {
    await payments.stop();
    throw error;
  });
  const http = new URL('/graphql', gateway.url).href;
  const sent = [];
  let stopped;
  return {
    http,
    ws: http.replace('http:', 'ws:'),
    token: gateway.token,
    authorization: `Bearer ${gateway.token}`,
    project: gateway.project,
    payments,
    sent,
    /** Another token of the user's, which ends soon. */
    brief() {
      const options = ['token', '--expires', '3s', '--root', gateway.project];
      return `Bearer ${execFileSync(program, options, { encoding: 'utf8', stdio: 'pipe' }).trim()}`;
    },
    async fetch(url, options) {
      sent.push(new Headers(options.headers));
      return await fetch(url, options);
    },
    async stop() {
      stopped ??= Promise.all([gateway.stop(), payments.stop()]);
      await stopped;
    },
  };
}

/** Answers with the payments of the orders that are asked for; held back between `hold` and `release`. */
async function startPayments() {
  const rows = JSON.parse(readFileSync(data, 'utf8')).payments;
  let held = Promise.resolve();
  let release = () => {};
  const server = createServer(async (request, response) => {
    const orders = new URL(request.url, 'http://payments').searchParams.getAll('orderId');
    await held;
    const found = rows.filter((row) => orders.includes(String(row.orderId)));
    found.sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(found));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    hold() {
      held = new Promise((done) => {
        release = done;
      });
    },
    release: () => release(),
    async stop() {
      release();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
