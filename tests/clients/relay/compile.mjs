// Relay's compiler, given the schema that the gateway tells its clients.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import compiler from 'relay-compiler';
import { program } from '../../../console/e2e/gateway.mjs';

/** What was compiled of `shop.js`, by name; the files lie in the project's folder. */
export async function compile(project) {
  const folder = join(project, 'relay');
  const made = join(folder, 'made');
  mkdirSync(made, { recursive: true });
  cpSync(join(import.meta.dirname, 'shop.js'), join(folder, 'shop.js'));
  const settings = {
    src: '.',
    schema: './schema.graphql',
    artifactDirectory: './made',
    language: 'javascript',
    eagerEsModules: true,
  };
  const files = {
    'schema.graphql': execFileSync(program, ['schema', '--root', project]),
    'relay.config.json': JSON.stringify(settings),
    'package.json': '{ "type": "module" }',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  execFileSync(compiler, ['relay.config.json'], { cwd: folder, stdio: 'pipe' });
  const artefacts = {};
  for (const name of readdirSync(made)) {
    const { default: artefact } = await import(pathToFileURL(join(made, name)).href);
    artefacts[name.replace('.graphql.js', '')] = artefact;
  }
  return artefacts;
}
