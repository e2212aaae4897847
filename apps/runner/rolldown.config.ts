import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown';

/** rxjs gives Node its CommonJS form, from which nothing can be left out: 320 kB for a Subject and an Observable. */
const core = createRequire(join(import.meta.dirname, '../../packages/core/package.json'));
const rxjs = join(dirname(core.resolve('rxjs/package.json')), 'dist/esm/index.js');

const common: RolldownOptions = {
  platform: 'node',
  resolve: { conditionNames: ['ring3-source', 'node', 'import'], alias: { rxjs } },
  onwarn(warning) {
    throw new Error(warning.message);
  },
};

/** @ring3/linux looks for its shared object in `native/` beside the folder of its code. */
const native = {
  name: 'native',
  writeBundle() {
    const from = join(import.meta.dirname, '../../packages/linux/native/ports-x64.so');
    cpSync(from, join(import.meta.dirname, 'native/ports-x64.so'));
  },
};

/** Modules of Node that take milliseconds to load, and that no start needs: code gets them where it uses them. */
const LATE = ['node:crypto', 'node:dns/promises', 'node:readline', 'node:readline/promises'];

/** What a file imports statically is loaded at every start, whatever is done then. */
const start: Plugin = {
  name: 'start',
  generateBundle(_options, bundle) {
    const imports = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.imports : []));
    const early = imports.filter((name) => LATE.includes(name));
    if (early.length > 0) {
      throw new Error(
        `${early.join(', ')} would be loaded at each start: use process.getBuiltinModule or import() instead`,
      );
    }
  },
};

// Two files: cli.js switches V8's compile cache on, main.js is everything else and comes out of that cache. What is
// imported with import() is in it, too, and evaluated when it is asked for.
export default defineConfig([
  {
    ...common,
    input: 'src/cli.ts',
    external: /main\.ts$/,
    output: { dir: 'dist', format: 'esm', cleanDir: true, paths: (id) => id.replace(/^.*main\.ts$/, './main.js') },
  },
  {
    ...common,
    plugins: [native, start],
    input: 'src/main.ts',
    output: { dir: 'dist', format: 'esm', codeSplitting: false, sourcemap: true, minify: true },
  },
]);
