// GraphiQL with the gateway's own panels.

import { useMemo } from 'react';
import { GraphiQL } from 'graphiql';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { Examples } from './Examples';
import { fetcherOf } from './fetcher';
import { Footer } from './Footer';
import { Identity } from './Identity';
import { ExamplesIcon, PlanIcon, TraceIcon } from './icons';
import { PlanPanel } from './Plan';
import type { Example, Session } from './session';
import { storageOf } from './storage';
import { TracePanel } from './Trace';

/** More tabs than these are for the panel of examples. */
const TABS = 7;

const WELCOME = `# A query goes here. Ctrl-Space completes, Ctrl-Enter runs it.
# "Plan" and "Trace" at the left tell which requests it makes.

query {
  __typename
}
`;

export function Console({ session }: { session: Session }) {
  const { examples, trace } = session;
  const fetcher = useMemo(() => fetcherOf(session), [session]);
  const storage = useMemo(() => storageOf(session.project ?? ''), [session]);
  const plugins = useMemo(() => {
    const list = [HISTORY_PLUGIN];
    if (examples.length > 0) {
      const content = () => <Examples examples={examples} />;
      list.push({ title: 'Examples', icon: ExamplesIcon, content });
    }
    list.push({ title: 'Plan', icon: PlanIcon, content: () => <PlanPanel toldTo={trace} /> });
    list.push({ title: 'Trace', icon: TraceIcon, content: () => <TracePanel toldTo={trace} /> });
    return list;
  }, [examples, trace]);
  const tabs = useMemo(() => examples.slice(0, TABS).map(tab), [examples]);
  // GraphiQL fills the editor of variables from what it remembers, not from the first tab.
  const isFirstVisit = useMemo(() => storage.getItem('graphiql:tabState') === null, [storage]);
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      plugins={plugins}
      defaultQuery={WELCOME}
      initialVariables={isFirstVisit ? (tabs[0]?.variables ?? undefined) : undefined}
      defaultTabs={tabs.length > 0 ? tabs : undefined}
    >
      <GraphiQL.Logo>
        <Identity session={session} />
        <span className="onedoor-name">
          <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width="20" height="20" />
          Onedoor
        </span>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <Footer />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

function tab({ query, variables }: Example) {
  return { query: query.trim(), variables: variables?.trim() ?? null };
}
