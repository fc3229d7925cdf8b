// Writes the licences of all packages that have gone into the page.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Gathers the folders of the packages that are bundled, and writes their licences to `file`. */
export function notices(packages: Set<string>, file?: string): Plugin {
  return {
    name: 'onedoor-notices',
    apply: 'build',
    generateBundle() {
      for (const id of this.getModuleIds()) {
        const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
        if (found?.[1] && existsSync(join(found[1], 'package.json'))) packages.add(found[1]);
      }
      if (file) this.emitFile({ type: 'asset', fileName: file, source: text(packages) });
    },
  };
}

function text(packages: Set<string>): string {
  const sections = [...packages].map(section).sort();
  const head = [
    'GraphiQL as Onedoor embeds it is made of these packages, each under its own licence.',
    'Within their style sheets are the fonts Roboto (Apache License 2.0), Fira Code (SIL Open Font',
    'License 1.1) and Codicons (CC BY 4.0).',
  ].join('\n');
  return [head, ...new Set(sections)].join(`\n\n${'='.repeat(80)}\n\n`) + '\n';
}

function section(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const files = readdirSync(folder).filter((name) =>
    /^(licen[cs]e|copying|notice|thirdpartynotices)([.-].*)?$/i.test(name),
  );
  const texts = files.sort().map((name) => readFileSync(join(folder, name), 'utf8').trim());
  const licence = about.license ?? 'see below';
  return [`${about.name} ${about.version} (${licence})`, ...texts].join('\n\n');
}
