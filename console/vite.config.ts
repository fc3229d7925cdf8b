// How the page is built: everything it needs comes along, its editor's workers too, so that it asks
// nobody but the gateway for anything.

import { defineConfig } from 'vite';
import { compressed } from './compressed';
import { notices } from './notices';

const packages = new Set<string>();

export default defineConfig({
  base: '/graphiql/',
  build: {
    // Browsers of the last three years.
    target: 'es2022',
    sourcemap: false,
    // Its editor alone is larger than what Vite calls large.
    chunkSizeWarningLimit: 8_000,
  },
  worker: { format: 'es', plugins: () => [notices(packages)] },
  plugins: [notices(packages, 'THIRD-PARTY.txt'), compressed()],
  server: {
    // `npm run dev`, with the gateway of `onedoor dev` behind it.
    proxy: {
      '/graphql': 'http://127.0.0.1:4000',
      '/graphiql/session.json': 'http://127.0.0.1:4000',
    },
  },
});
