// The console as a person uses it, in headless Chromium over the shop of `onedoor dev`, with
// everything but the gateway out of reach. Pictures go to the folder E2E_SHOTS, if it is set.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startGateway } from './gateway.mjs';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const shots = process.env.E2E_SHOTS;
/** Longer than anything here takes, however busy the machine is. */
const TOO_LONG = 60_000;

let gateway, browser, context, page, complaints;

before(async () => {
  const executablePath = process.env.CHROMIUM ?? BROWSERS.find((path) => existsSync(path));
  assert.ok(executablePath, 'Chromium is not installed; CHROMIUM says where it is');
  if (shots) mkdirSync(shots, { recursive: true });
  gateway = await startGateway();
  browser = await chromium.launch({ executablePath, args: FLAGS });
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

beforeEach(async () => {
  complaints = [];
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(TOO_LONG);
  const { origin } = new URL(gateway.url);
  await context.route('**', (route) => {
    const url = route.request().url();
    if (url.startsWith(`${origin}/`)) return route.continue();
    complaints.push(`asked for ${url}`);
    return route.abort();
  });
  page = await context.newPage();
  page.on('console', (message) => {
    const said = `${message.type()}: ${message.text()}`;
    // Monaco's own grammar tells of each directive that it colours.
    if (!said.startsWith('log: graphql: graphql: annotation token: @')) complaints.push(said);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
});

afterEach(async () => {
  await context.close();
});

async function open() {
  const introspected = page.waitForResponse((response) => response.url().endsWith('/graphql'));
  const answer = await page.goto(gateway.url);
  assert.equal(answer.status(), 200);
  await introspected;
  await editor('query').locator('.view-line').first().waitFor();
}

function editor(of) {
  return page.locator(`.graphiql-${of === 'query' ? 'query-editor' : of}`).first();
}

function variables() {
  return page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)').first();
}

async function shot(name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

async function show(panel) {
  await page.getByRole('button', { name: `Show ${panel}` }).click();
}

/** Runs the tab's query and waits for what is said below its answer. */
async function run() {
  const answered = page.waitForResponse((response) => response.url().endsWith('/graphql'));
  await page.locator('.graphiql-execute-button').click();
  const response = await answered;
  await page.locator('.onedoor-footer', { hasText: 'status' }).waitFor();
  return response.json();
}

/** What Monaco shows, with plain spaces. */
async function shown(locator) {
  return (await locator.innerText()).replaceAll('\u00a0', ' ');
}

test('the page opens with the examples in its tabs, and complains of nothing', async () => {
  await open();
  const tabs = page.locator('.graphiql-tab');
  await tabs.first().waitFor();
  assert.match(await tabs.first().innerText(), /Dashboard/);
  assert.ok((await tabs.count()) > 3);
  assert.match(await shown(editor('query')), /query Dashboard/);
  assert.match(await shown(variables()), /"user": "7"/);
  assert.match(await page.title(), /GraphiQL/);
  // Its languages are there, and find nothing wrong with the example.
  await page.locator('.graphiql-query-editor .view-line span.bracket-highlighting-0').first().waitFor();
  assert.equal(await page.locator('.squiggly-error').count(), 0);
  await shot('opened');
  assert.deepEqual(complaints, []);
});

test('a query shows its answer, its plan and its trace', async () => {
  await open();
  const response = await run();
  assert.equal(response.errors, undefined);
  const answer = page.locator('.result-window');
  await answer.locator('.view-line', { hasText: '"orders"' }).waitFor();
  assert.doesNotMatch(await shown(answer), /onedoor/, 'other clients get no such extension');

  await show('Plan');
  const plan = page.getByRole('region', { name: 'Plan' });
  await plan.locator('.onedoor-card').nth(2).waitFor();
  const cards = await plan.locator('.onedoor-card').allInnerTexts();
  assert.equal(cards.length, 3);
  assert.match(cards[2], /payments[^]*GET \/payments\?orderId=\{keys\}[^]*up to 100 keys/);
  assert.match(await plan.innerText(), /query Dashboard[^]*3 fetches in 3 stages, 3 calls/);
  await shot('plan');

  await show('Trace');
  const trace = page.getByRole('region', { name: 'Trace' });
  const rows = trace.locator('.onedoor-row[data-result="called"]');
  await rows.nth(2).waitFor();
  assert.equal(await rows.count(), 3);
  assert.match(await rows.nth(2).innerText(), /payments[^]*10 keys · status 200/);
  const left = async (row) => (await rows.nth(row).locator('.onedoor-bar').boundingBox()).x;
  assert.ok((await left(0)) < (await left(1)) && (await left(1)) < (await left(2)), 'in turn');
  await shot('trace');
  assert.deepEqual(complaints, []);
});

test('who is not told plan and trace reads why in their panels', async () => {
  // `dev` tells everybody who asks: here the page is another gateway's, and nobody asks.
  await context.route('**/session.json', async (route) => {
    const session = await (await route.fetch()).json();
    await route.fulfill({ json: { ...session, trace: 'some' } });
  });
  let asked;
  await context.route('**/graphql', (route) => {
    const { extensions, ...postData } = route.request().postDataJSON();
    asked ??= extensions;
    return route.continue({ postData });
  });
  await open();
  await show('Trace');
  const panel = (name) => page.getByRole('region', { name });
  assert.match(await panel('Trace').innerText(), /Run a query in this tab/);
  assert.equal((await run()).errors, undefined);
  assert.deepEqual(asked, { onedoor: { plan: true, trace: true } });
  for (const name of ['Trace', 'Plan']) {
    if (name === 'Plan') await show(name);
    await panel(name).getByText(/only to callers whom/).waitFor();
    assert.match(await panel(name).innerText(), /nothing of this tab's last request/);
  }
  await shot('not-told');
  assert.deepEqual(complaints, []);
});

test('what is deferred comes into the answer, and into the trace', async () => {
  await open();
  await page.locator('.graphiql-tab', { hasText: 'InParts' }).locator('button').first().click();
  await editor('query').locator('.view-line', { hasText: '@defer' }).waitFor();
  const answered = page.waitForResponse((response) => response.url().endsWith('/graphql'));
  await page.locator('.graphiql-execute-button').click();
  const response = await answered;
  assert.match(response.headers()['content-type'], /^multipart\/mixed/);
  const answer = page.locator('.result-window');
  for (const line of ['"city": "', '"orders": [', '"displayTotal": "', '"payment": {']) {
    await answer.locator('.view-line', { hasText: line }).first().waitFor();
  }
  assert.doesNotMatch(await shown(answer), /onedoor|errors|pending/);
  await show('Plan');
  const plan = page.getByRole('region', { name: 'Plan' });
  await plan.locator('.onedoor-card').nth(2).waitFor();
  await show('Trace');
  const rows = page.getByRole('region', { name: 'Trace' }).locator('.onedoor-row[data-result="called"]');
  await rows.nth(2).waitFor();
  assert.match(await rows.nth(2).innerText(), /payments/);
  await shot('in-parts');
  assert.deepEqual(complaints, []);
});

test('a subscription shows each event, its plan and its trace', async () => {
  await open();
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket));
  await page.locator('.graphiql-tab', { hasText: 'Notifications' }).locator('button').first().click();
  await page.locator('.graphiql-execute-button').click();
  const answer = page.locator('.result-window');
  await answer.locator('.view-line', { hasText: '"kind": "ORDER_' }).waitFor();
  const first = await shown(answer);
  await page.waitForFunction(
    (before) => document.querySelector('.result-window').innerText.replaceAll('\u00a0', ' ') !== before,
    first,
  );
  assert.doesNotMatch(await shown(answer), /onedoor|errors/);
  await show('Plan');
  const plan = page.getByRole('region', { name: 'Plan' });
  await plan.locator('.onedoor-card').nth(2).waitFor();
  assert.match(await plan.innerText(), /subscription Notifications[^]*3 fetches in 3 stages/);
  await show('Trace');
  const rows = page.getByRole('region', { name: 'Trace' }).locator('.onedoor-row[data-result="called"]');
  await rows.nth(1).waitFor();
  assert.match(await rows.nth(0).innerText(), /orders/);
  // For an event nothing was sent: how long one waited for it is no round trip.
  assert.doesNotMatch(await page.locator('body').innerText(), /round trip|and back/);
  await shot('subscription');
  assert.equal(sockets.length, 1);
  const closed = sockets[0].waitForEvent('close');
  await page.locator('.graphiql-execute-button').click();
  await closed;
  assert.deepEqual(complaints, []);
});

test('names are completed from the schema', async () => {
  await open();
  await page.locator('.graphiql-tab-add').click();
  await editor('query').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{ ord');
  const rows = page.locator('.suggest-widget .monaco-list-row');
  await rows.filter({ hasText: 'orders' }).first().waitFor();
  // Enter takes the one that is marked, a moment later.
  await page.locator('.suggest-widget .monaco-list-row.focused', { hasText: 'order' }).waitFor();
  await shot('completion');
  await page.keyboard.press('Enter');
  await editor('query').locator('.view-line', { hasText: /\{\sorders?\b/ }).waitFor();
  assert.deepEqual(complaints, []);
});

test("dev's token goes along until one is nobody", async () => {
  await open();
  await show('Examples');
  await page.getByRole('button', { name: /^profile/ }).click();
  await page.locator('.graphiql-tab-active, [aria-selected="true"]', { hasText: 'Profile' }).waitFor();
  assert.equal((await run()).errors, undefined);
  await page.locator('.onedoor-identity').click();
  await page.locator('.onedoor-identity', { hasText: 'no token' }).waitFor();
  const refused = await run();
  assert.equal(refused.errors[0].extensions.code, 'UNAUTHENTICATED');
  await page.reload();
  await page.locator('.onedoor-identity', { hasText: 'no token' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('documentation, history and examples are at hand', async () => {
  await open();
  await run();
  await show('Documentation Explorer');
  await page.locator('.graphiql-doc-explorer', { hasText: 'Query' }).waitFor();
  await shot('documentation');
  await show('History');
  await page.locator('.graphiql-history-item', { hasText: 'Dashboard' }).first().waitFor();
  await show('Examples');
  await page.getByRole('button', { name: /^update-user/ }).click();
  await page.locator('.graphiql-tab-active, [aria-selected="true"]', { hasText: 'UpdateUser' }).waitFor();
  assert.match(await shown(variables()), /avatar/);
  await shot('examples');
  assert.deepEqual(complaints, []);
});

test('the page is as readable in the dark and in a narrow window', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 1024, height: 700 });
  await open();
  await run();
  await show('Trace');
  await page.locator('.onedoor-row').nth(3).waitFor();
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await shot('dark');
  assert.notEqual(background, 'rgb(255, 255, 255)');
  assert.deepEqual(complaints, []);
});
