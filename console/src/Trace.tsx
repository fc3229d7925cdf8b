// The upstream calls of the tab's last request, on a line of time.

import type { Call, Trace } from './extension';
import { Panel, type ToldTo } from './Panel';
import { useRecord } from './records';
import { Service, colour } from './Service';
import { counted, milliseconds, size, span } from './words';

export function TracePanel({ toldTo }: ToldTo) {
  const record = useRecord();
  return (
    <Panel title="Trace" toldTo={toldTo} empty={!record?.trace}>
      {record?.trace && <Shown trace={record.trace} roundTripMs={record.roundTripMs} />}
    </Panel>
  );
}

function Shown({ trace, roundTripMs }: { trace: Trace; roundTripMs?: number }) {
  const { calls, durationMs, preparedMs } = trace;
  const count = (of: Call['result']) => calls.filter(({ result }) => result === of).length;
  const made = count('called') + count('failed');
  const parts = [counted(made, 'call')];
  if (count('failed') > 0) parts.push(`${count('failed')} failed`);
  if (count('kept') > 0) parts.push(`${count('kept')} kept`);
  if (count('coalesced') > 0) parts.push(`${count('coalesced')} shared with other requests`);
  return (
    <>
      <p className="onedoor-headline">
        <strong>{milliseconds(durationMs)}</strong> in the gateway
        <br />
        {parts.join(', ')}
        {roundTripMs !== undefined && `; ${milliseconds(roundTripMs)} to this browser and back`}
      </p>
      <Scale total={durationMs} />
      <div className="onedoor-row">
        <div className="onedoor-what">
          <span className="onedoor-path">parse, check, plan</span>
        </div>
        <Bar start={0} duration={preparedMs} total={durationMs} kind="own" />
      </div>
      {calls.map((call, index) => (
        <Row key={index} call={call} total={durationMs} />
      ))}
    </>
  );
}

function Scale({ total }: { total: number }) {
  return (
    <div className="onedoor-scale" aria-hidden="true">
      <span>0</span>
      <span>{milliseconds(total / 2)}</span>
      <span>{milliseconds(total)}</span>
    </div>
  );
}

function Row({ call, total }: { call: Call; total: number }) {
  const { upstream, request, startMs, durationMs, result, fetches } = call;
  return (
    <div className="onedoor-row" style={colour(upstream)} data-result={result}>
      <div className="onedoor-what">
        {fetches.map((number) => (
          <span key={number} className="onedoor-number">
            {number}
          </span>
        ))}
        <Service name={upstream} />
        <code title={request}>{request}</code>
      </div>
      <Bar start={startMs} duration={durationMs} total={total} kind={result} />
      <div className="onedoor-facts">{facts(call).join(' · ')}</div>
    </div>
  );
}

function Bar(props: { start: number; duration: number; total: number; kind: string }) {
  const { start, duration, total, kind } = props;
  const percent = (ms: number) => (total > 0 ? Math.min(100, (ms / total) * 100) : 0);
  const [left, width] = [percent(start), percent(duration)];
  // The label stands where there is room for it.
  const inside = left + width > 78;
  const label = inside ? { right: `${100 - left}%` } : { left: `${left + width}%` };
  return (
    <div className="onedoor-track">
      <div className={`onedoor-bar ${kind}`} style={{ left: `${left}%`, width: `${width}%` }} />
      <span className="onedoor-time" style={label}>
        {milliseconds(duration)}
      </span>
    </div>
  );
}

function facts({ keys, result, status, code, bytes, kept, startMs }: Call): string[] {
  const told = [`at ${milliseconds(startMs)}`];
  if (keys !== undefined) told.push(counted(keys, 'key'));
  if (result === 'called') told.push(`status ${status}`);
  if (result === 'failed') told.push(code ?? 'failed');
  if (result === 'kept') told.push('kept from before, no call');
  if (result === 'coalesced') told.push('the answer to another request, no call');
  if (bytes !== undefined) told.push(size(bytes));
  if (kept && 'freshForMs' in kept) {
    told.push(`kept ${span(kept.freshForMs)} ${kept.scope === 'all' ? 'for all' : 'for its caller'}`);
  } else if (kept) {
    told.push(`not kept: ${kept.reason}`);
  }
  return told;
}
