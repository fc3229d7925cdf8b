// Asks the gateway, and sets aside what it tells of the request's making.

import type { Fetcher, FetcherParams, FetcherOpts } from '@graphiql/toolkit';
import { Kind, parse, type ExecutionResult } from 'graphql';
import type { Told } from './extension';
import { note, useRecords } from './records';
import type { Session } from './session';

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/** Queries and mutations go by POST. */
export function fetcherOf(session: Session): Fetcher {
  return async (params: FetcherParams, options?: FetcherOpts) => {
    const own = params.operationName === 'IntrospectionQuery';
    const asked = session.trace && !own;
    const { tab, signedIn } = useRecords.getState();
    const headers = new Headers({ accept: ACCEPT, 'content-type': 'application/json' });
    if (session.token && signedIn) headers.set('authorization', `Bearer ${session.token}`);
    // What is written in the tab goes before what the page adds.
    for (const [name, value] of Object.entries(options?.headers ?? {})) {
      headers.set(name, String(value));
    }
    const extensions = { onedoor: { plan: true, trace: true } };
    const request = { ...params, operationName: named(params) };
    const body = JSON.stringify(asked ? { ...request, extensions } : request);
    const started = performance.now();
    const response = await fetch(session.endpoint, { method: 'POST', headers, body });
    const text = await response.text();
    const roundTripMs = performance.now() - started;
    const result = read(text, response.status);
    if (!own) {
      const told = setAside(result);
      note(tab, { ...told, status: response.status, roundTripMs });
    }
    return result;
  };
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
