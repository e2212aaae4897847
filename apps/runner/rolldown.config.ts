import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig } from 'rolldown';

/** rxjs gives Node its CommonJS form, from which nothing can be left out: 320 kB for a Subject and an Observable. */
const core = createRequire(join(import.meta.dirname, '../../packages/core/package.json'));
const rxjs = join(dirname(core.resolve('rxjs/package.json')), 'dist/esm/index.js');

// One bundle from source. What is imported with import() becomes a chunk that only its user loads.
export default defineConfig({
  input: { cli: 'src/cli.ts' },
  platform: 'node',
  resolve: { conditionNames: ['ring3-source', 'node', 'import'], alias: { rxjs } },
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    sourcemap: true,
    minify: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
