// What the gateway's panels have in common.

import type { ReactNode } from 'react';

export function Panel(props: { title: string; on: boolean; empty: boolean; children: ReactNode }) {
  const { title, on, empty, children } = props;
  return (
    <section className="onedoor-panel" aria-label={title}>
      <div className="onedoor-title">{title}</div>
      {!on && (
        <p>
          This gateway does not tell how it answers. <code>[graphql] trace = "on"</code> in
          onedoor.toml lets everybody ask who can ask it anything; <code>onedoor dev</code> does by
          itself.
        </p>
      )}
      {on && empty && <p>Run a query in this tab, and it will be shown here.</p>}
      {on && !empty && children}
    </section>
  );
}
