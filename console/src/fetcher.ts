// Asks the gateway, and sets aside what it tells of the request's making.

import type { Fetcher, FetcherParams, FetcherOpts } from '@graphiql/toolkit';
import { Kind, OperationTypeNode, getOperationAST, parse, type ExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import { meros } from 'meros/browser';
import type { Told } from './extension';
import { note, useRecords } from './records';
import type { Session } from './session';

const WHOLE = 'application/graphql-response+json, application/json;q=0.9';
const IN_PARTS = `multipart/mixed, ${WHOLE}`;

/** Queries and mutations go by POST, subscriptions over a WebSocket. */
export function fetcherOf(session: Session): Fetcher {
  return (params: FetcherParams, options?: FetcherOpts) => {
    const own = params.operationName === 'IntrospectionQuery';
    const headers = headersOf(session, options);
    const asked = session.trace !== 'off' && !own;
    const extensions = { onedoor: { plan: true, trace: true } };
    const operationName = named(params);
    const request = asked ? { ...params, operationName, extensions } : { ...params, operationName };
    if (kindOf(request) === OperationTypeNode.SUBSCRIPTION) {
      return subscribe(session, request, headers);
    }
    return ask(session, request, headers, own);
  };
}

type Request = FetcherParams & { operationName?: string; extensions?: { [name: string]: unknown } };

function headersOf(session: Session, options?: FetcherOpts): Headers {
  const headers = new Headers();
  const { signedIn } = useRecords.getState();
  if (session.token && signedIn) headers.set('authorization', `Bearer ${session.token}`);
  // What is written in the tab goes before what the page adds.
  for (const [name, value] of Object.entries(options?.headers ?? {})) {
    headers.set(name, String(value));
  }
  return headers;
}

async function ask(session: Session, request: Request, headers: Headers, own: boolean) {
  const { tab } = useRecords.getState();
  if (!headers.has('accept')) headers.set('accept', own ? WHOLE : IN_PARTS);
  headers.set('content-type', 'application/json');
  const started = performance.now();
  const body = JSON.stringify(request);
  const response = await fetch(session.endpoint, { method: 'POST', headers, body });
  const noted = (result: ExecutionResult) => {
    if (own) return result;
    keep(tab, result, { status: response.status, roundTripMs: performance.now() - started });
    return result;
  };
  const parts = await meros<ExecutionResult>(response);
  if (!(Symbol.asyncIterator in parts)) return noted(read(await response.text(), response.status));
  return eachOf(parts, noted);
}

async function* eachOf(
  parts: AsyncIterable<{ json: boolean; body: ExecutionResult | string }>,
  noted: (result: ExecutionResult) => ExecutionResult,
) {
  for await (const { body } of parts) {
    if (typeof body === 'string') throw new Error(`A part of the answer is not JSON: ${body.slice(0, 500)}`);
    yield noted(body);
  }
}

/** Each event of a subscription, until GraphiQL stops it. A socket of its own, for its own headers. */
function subscribe(session: Session, request: Request, headers: Headers) {
  const { tab } = useRecords.getState();
  const url = new URL(session.endpoint, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const client = createClient({
    url: url.href,
    connectionParams: { headers: Object.fromEntries(headers) },
    retryAttempts: 0,
  });
  const events = client.iterate<ExecutionResult['data']>({
    query: request.query,
    operationName: request.operationName,
    variables: request.variables as { [name: string]: unknown } | undefined,
    extensions: request.extensions,
  });
  const noted = async function* () {
    try {
      for await (const event of events) {
        const result = event as ExecutionResult;
        keep(tab, result, { status: 101 });
        yield result;
      }
    } finally {
      void client.dispose();
    }
  };
  const results = noted();
  // A generator that waits for an event does not end before it: the socket does.
  const stop = results.return.bind(results);
  results.return = (value) => {
    void events.return?.();
    void client.dispose();
    return stop(value);
  };
  return results;
}

/** Sets aside what was told of the making of a result. A later part tells what the first could not. */
function keep(tab: string, result: ExecutionResult, sent: { status: number; roundTripMs?: number }) {
  const { byTab } = useRecords.getState();
  const told = setAside(result);
  const isLater = 'incremental' in result || 'completed' in result || (sent.status === 101 && !told.plan);
  note(tab, { ...(isLater && { plan: byTab[tab]?.plan }), ...told, ...sent });
}

function kindOf({ query, operationName }: Request): OperationTypeNode | undefined {
  try {
    return getOperationAST(parse(query), operationName)?.operation;
  } catch {
    // The gateway says better what is wrong with it.
    return undefined;
  }
}

/**
 * The operation that is meant; `undefined`: the only one. GraphiQL learns a moment after a tab was
 * changed which one that is, and until then says the last tab's.
 */
function named({ query, operationName }: FetcherParams): string | undefined {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length > 1 ? (operationName ?? undefined) : undefined;
  } catch {
    // The gateway says better what is wrong with it.
    return operationName ?? undefined;
  }
}

function read(text: string, status: number): ExecutionResult {
  try {
    return JSON.parse(text) as ExecutionResult;
  } catch {
    throw new Error(`The answer (status ${status}) is not JSON: ${text.slice(0, 500)}`);
  }
}

/** Takes what the panels show out of the response, which shows what other clients get. */
function setAside(result: ExecutionResult): Told {
  const { extensions } = result as { extensions?: { onedoor?: Told } };
  const told = extensions?.onedoor;
  if (!extensions || !told) return {};
  delete extensions.onedoor;
  if (Object.keys(extensions).length === 0) delete (result as { extensions?: unknown }).extensions;
  return told;
}
