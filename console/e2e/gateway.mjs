// The shop's gateway as `onedoor dev` runs it, on ports that are free.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');
export const program = resolve(process.env.ONEDOOR_BIN ?? join(repository, 'target/debug/onedoor'));

/** `settings` may change what a file of settings says, given its path in the project and its text. */
export async function startGateway({ settings = (_path, text) => text } = {}) {
  const project = mkdtempSync(join(tmpdir(), 'onedoor-e2e-'));
  for (const part of ['onedoor.toml', 'schema', 'upstreams', 'mock', 'examples/queries']) {
    cpSync(join(repository, part), join(project, part), { recursive: true });
  }
  const upstreams = readdirSync(join(project, 'upstreams')).map((name) => `upstreams/${name}`);
  for (const path of ['onedoor.toml', ...upstreams]) {
    const file = join(project, path);
    // Mocks without a port of their own take any.
    const text = readFileSync(file, 'utf8').replaceAll(/^port = .*$/gm, '');
    writeFileSync(file, settings(path, text));
  }
  const child = spawn(program, ['dev', '--root', project, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [url, token] = await new Promise((found, failed) => {
    let text = '';
    const read = (chunk) => {
      text += chunk;
      const hello = /GraphiQL +(http:\S+)[^]*^A token.*\n\n +(\S+)\n/m.exec(text);
      if (hello) found(hello.slice(1));
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`onedoor ended with ${code}:\n${text}`)));
  });
  const stop = async () => {
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
    rmSync(project, { recursive: true, force: true });
  };
  return { url, token, project, stop };
}
