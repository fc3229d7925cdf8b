// The project's example queries, each opened in a tab.

import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import type { Example } from './session';

export function Examples({ examples }: { examples: Example[] }) {
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL((state) => state);
  const open = ({ query, variables }: Example) => {
    const there = tabs.findIndex((tab) => tab.query?.trim() === query.trim());
    if (there >= 0) {
      changeTab(there);
      return;
    }
    addTab();
    queryEditor?.setValue(query.trim());
    variableEditor?.setValue(variables?.trim() ?? '');
  };
  return (
    <section className="onedoor-panel" aria-label="Examples">
      <div className="onedoor-title">Examples</div>
      <p>
        From <code>examples/queries</code> of the project: <code>NAME.graphql</code>, and variables in{' '}
        <code>NAME.json</code>.
      </p>
      <ul className="onedoor-examples">
        {examples.map((example) => (
          <li key={example.name}>
            <button type="button" onClick={() => open(example)}>
              <strong>{example.name}</strong>
              <span>{about(example.query)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The comment that the document begins with, else what sort of operation it is. */
function about(query: string): string {
  const lines = query.trim().split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const comment = lines.slice(0, Math.max(end, 0)).map((line) => line.replace(/^#\s*/, ''));
  if (comment.length > 0) return comment.join(' ');
  return /^(query|mutation|subscription)\b/.exec(query.trim())?.[0] ?? 'query';
}
