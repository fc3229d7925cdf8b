// The plan of the tab's last request: its fetches, stage by stage.

import type { Fetch, Plan } from './extension';
import { Panel, type ToldTo } from './Panel';
import { useRecord } from './records';
import { Service, colour } from './Service';
import { counted, span } from './words';

export function PlanPanel({ toldTo }: ToldTo) {
  const plan = useRecord()?.plan;
  return (
    <Panel title="Plan" toldTo={toldTo} empty={!plan}>
      {plan && <Shown plan={plan} />}
    </Panel>
  );
}

function Shown({ plan }: { plan: Plan }) {
  const steps = new Set(plan.fetches.map(({ step }) => step)).size;
  const stages = new Map<string, Fetch[]>();
  for (const fetch of plan.fetches) {
    const name = steps > 1 ? `Step ${fetch.step}, stage ${fetch.stage}` : `Stage ${fetch.stage}`;
    stages.set(name, [...(stages.get(name) ?? []), fetch]);
  }
  return (
    <>
      <p className="onedoor-headline">
        <strong>{plan.operation}</strong>
        <br />
        {total(plan)}
      </p>
      {plan.conditions && <Conditions conditions={plan.conditions} />}
      {[...stages].map(([name, fetches]) => (
        <div key={name} className="onedoor-stage">
          <h3>{name}</h3>
          {fetches.map((fetch) => (
            <Card key={fetch.number} fetch={fetch} />
          ))}
        </div>
      ))}
      {plan.introspection && <p>Introspection is answered from the schema, without a call.</p>}
    </>
  );
}

function Conditions({ conditions }: { conditions: Record<string, boolean> }) {
  const shown = Object.entries(conditions).map(([name, value]) => `${name} = ${value}`);
  return (
    <p>
      For <code>{shown.join(', ')}</code>.
    </p>
  );
}

function Card({ fetch }: { fetch: Fetch }) {
  const { number, upstream, request, path, batch, key, args, after, cache } = fetch;
  return (
    <article className="onedoor-card" style={colour(upstream)}>
      <header>
        <span className="onedoor-number">{number}</span>
        <Service name={upstream} />
        <span className="onedoor-path">{path}</span>
      </header>
      <code className="onedoor-request">{request}</code>
      <ul>
        <li>{calls(fetch)}</li>
        {key && (
          <li>
            {batch ? 'keys' : 'key'} <code>{key}</code>
            {batch && batch.by !== '@key' && (
              <>
                , rows by <code>{batch.by}</code>
              </>
            )}
            {batch?.alike && (
              <>
                , apart by <code>{batch.alike.join(', ')}</code>
              </>
            )}
          </li>
        )}
        {args && (
          <li>
            with{' '}
            <code>
              {Object.entries(args)
                .map(([name, value]) => `${name}: ${value}`)
                .join(', ')}
            </code>
          </li>
        )}
        {after !== undefined && <li>after {after}</li>}
        <li>{kept(cache, request)}</li>
      </ul>
    </article>
  );
}

function total({ calls, fetches, stages }: Plan): string {
  if (fetches.length === 0) return 'No upstream call.';
  const base = `${counted(fetches.length, 'fetch', 'fetches')} in ${counted(stages, 'stage')}, ${counted(calls.calls, 'call')}`;
  const batches = fetches.some((fetch) => fetch.calls === 'one_batch');
  const fit = !calls.exact && calls.calls > 0 && batches ? ' while each batch fits one request' : '';
  const each =
    calls.fetches_by_parent > 0
      ? `, and one for each parent of ${counted(calls.fetches_by_parent, 'fetch', 'fetches')}`
      : '';
  return `${base}${fit}${each}.`;
}

function calls({ calls, batch }: Fetch): string {
  if (typeof calls === 'object') return `in the call of ${calls.shared_with}`;
  if (calls === 'one_each') return 'one call for each parent';
  if (calls === 'one_batch') return `one call for up to ${batch?.max ?? 'all'} keys`;
  return 'one call';
}

function kept(cache: Fetch['cache'], request: string): string {
  if (cache) {
    const whose = cache.scope === 'PUBLIC' ? 'for all' : 'for each caller';
    return `kept ${span(cache.maxAge * 1000)} ${whose}, as the schema says`;
  }
  return request.startsWith('GET ') ? 'kept if and while its answer says so' : 'never kept';
}
