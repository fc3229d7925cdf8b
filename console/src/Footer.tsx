// Below the response: what it took to make it.

import { useEffect } from 'react';
import { formatShortcutForOS, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { counted, milliseconds } from './words';
import { lookAt, useRecord } from './records';

export function Footer() {
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id ?? '');
  const { setVisiblePlugin } = useGraphiQLActions();
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  useEffect(() => lookAt(tab), [tab]);
  // A `×` in an answer is data, and nothing to be warned of.
  useEffect(() => {
    responseEditor?.updateOptions({ unicodeHighlight: { ambiguousCharacters: false } });
  }, [responseEditor]);
  const record = useRecord();
  if (!record) return <div className="onedoor-footer">{formatShortcutForOS('Ctrl-Enter')} runs the query</div>;
  const { plan, trace, status, roundTripMs } = record;
  const made = trace?.calls.filter(({ result }) => result === 'called' || result === 'failed');
  return (
    <div className="onedoor-footer">
      <span>status {status}</span>
      {plan && (
        <button type="button" onClick={() => setVisiblePlugin('Plan')}>
          {counted(plan.fetches.length, 'fetch', 'fetches')}
        </button>
      )}
      {trace && made && (
        <button type="button" onClick={() => setVisiblePlugin('Trace')}>
          {counted(made.length, 'call')} in {milliseconds(trace.durationMs)}
        </button>
      )}
      {roundTripMs !== undefined && <span>{milliseconds(roundTripMs)} round trip</span>}
    </div>
  );
}
