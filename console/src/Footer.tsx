// Below the response: what it took to make it.

import { useEffect } from 'react';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { counted, milliseconds } from './words';
import { lookAt, useRecord } from './records';

export function Footer() {
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id ?? '');
  const { setVisiblePlugin } = useGraphiQLActions();
  useEffect(() => lookAt(tab), [tab]);
  const record = useRecord();
  if (!record) return null;
  const { plan, trace, status, roundTripMs } = record;
  const made = trace?.calls.filter(({ result }) => result === 'called' || result === 'failed');
  return (
    <div className="onedoor-footer">
      <span>status {status}</span>
      {trace && made && (
        <>
          <button type="button" onClick={() => setVisiblePlugin('Trace')}>
            {counted(made.length, 'call')}
          </button>
          <span>{milliseconds(trace.durationMs)} in the gateway</span>
        </>
      )}
      {plan && (
        <button type="button" onClick={() => setVisiblePlugin('Plan')}>
          {counted(plan.fetches.length, 'fetch', 'fetches')} in {counted(plan.stages, 'stage')}
        </button>
      )}
      <span>{milliseconds(roundTripMs)} here</span>
    </div>
  );
}
