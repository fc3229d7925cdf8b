// Writes each file of the page a second time, compressed: what the gateway embeds.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

export function compressed(): Plugin {
  let folder = 'dist';
  return {
    name: 'onedoor-compressed',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    writeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || entry.name.endsWith('.gz')) continue;
        const file = join(entry.parentPath, entry.name);
        const level = constants.Z_BEST_COMPRESSION;
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level }));
      }
    },
  };
}
