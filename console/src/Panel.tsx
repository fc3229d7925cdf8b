// What the gateway's panels have in common.

import type { ReactNode } from 'react';
import { useRecord } from './records';
import type { Session } from './session';

export interface ToldTo {
  toldTo: Session['trace'];
}

export function Panel(props: ToldTo & { title: string; empty: boolean; children: ReactNode }) {
  const { title, toldTo, empty, children } = props;
  return (
    <section className="onedoor-panel" aria-label={title}>
      <div className="onedoor-title">{title}</div>
      {empty ? <Nothing toldTo={toldTo} /> : children}
    </section>
  );
}

/** Why there is nothing to be shown. */
function Nothing({ toldTo }: ToldTo) {
  const record = useRecord();
  const asked = record !== undefined && !record.plan && !record.trace;
  if (toldTo === 'off') {
    return (
      <p>
        This gateway does not tell how it answers. <code>[graphql] trace</code> in onedoor.toml says
        who may ask; <code>onedoor dev</code> tells everybody by itself.
      </p>
    );
  }
  if (toldTo === 'some' && asked) {
    return (
      <p>
        This gateway tells how it answers only to callers whom <code>[graphql] trace</code> in
        onedoor.toml allows, and told nothing of this tab's last request. A token goes along as the
        tab's <code>authorization</code> header.
      </p>
    );
  }
  return <p>Run a query in this tab, and it will be shown here.</p>;
}
