// What the gateway tells of a request's making: `extensions.onedoor` of its response.

export interface Plan {
  operation: string;
  conditions?: Record<string, boolean>;
  stages: number;
  calls: { calls: number; exact: boolean; fetches_by_parent: number };
  fetches: Fetch[];
  introspection: boolean;
}

export interface Fetch {
  number: number;
  step: number;
  stage: number;
  after?: number;
  coordinate: string;
  path: string;
  upstream: string;
  request: string;
  args?: Record<string, string>;
  key?: string;
  batch?: { by: string; max: number; alike?: string[] };
  calls: 'one' | 'one_batch' | 'one_each' | { shared_with: number };
  cache?: { maxAge: number; scope: 'PUBLIC' | 'PRIVATE' };
}

export interface Trace {
  durationMs: number;
  preparedMs: number;
  calls: Call[];
}

export interface Call {
  fetches: number[];
  upstream: string;
  request: string;
  keys?: number;
  startMs: number;
  durationMs: number;
  result: 'called' | 'failed' | 'kept' | 'coalesced';
  status?: number;
  code?: string;
  bytes?: number;
  kept?: { freshForMs: number; scope: 'all' | 'caller' } | { reason: string };
}

export interface Told {
  plan?: Plan;
  trace?: Trace;
}
