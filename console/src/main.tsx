// Opens the page: asks the gateway what to begin with, then shows GraphiQL.

import './workers';
import 'graphiql/style.css';
import './style.css';

import { createRoot } from 'react-dom/client';
import { Console } from './Console';
import { readSession } from './session';

const root = document.getElementById('root');
if (root) {
  readSession().then(
    (session) => {
      if (session.project) document.title = `${session.project} · GraphiQL · Onedoor`;
      createRoot(root).render(<Console session={session} />);
    },
    (error: unknown) => {
      const told = document.createElement('p');
      told.className = 'onedoor-loading';
      told.textContent = `The gateway does not answer: ${String(error)}. Reload to try again.`;
      root.replaceChildren(told);
    },
  );
}
