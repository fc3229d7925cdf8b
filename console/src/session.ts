// What the gateway gives the page to begin with.

export interface Example {
  name: string;
  query: string;
  variables?: string;
}

export interface Session {
  version: string;
  /** The path of GraphQL. */
  endpoint: string;
  /** Who is told the plan and the trace of a request: nobody, everybody, or some callers. */
  trace: 'off' | 'on' | 'some';
  /** What the project is called. */
  project?: string;
  examples: Example[];
  /** A token that the gateway takes; in `dev`, for browsers on its machine. */
  token?: string;
}

export async function readSession(): Promise<Session> {
  const response = await fetch('/graphiql/session.json');
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()) as Session;
}

/** Who a token says one is; `undefined`: it cannot be read. */
export function claims(token: string): Record<string, unknown> | undefined {
  try {
    const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
