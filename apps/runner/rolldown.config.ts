import { defineConfig } from 'rolldown';

// One bundle from source. What is imported with import() becomes a chunk that only its user loads.
export default defineConfig({
  input: {
    cli: 'src/cli.ts',
    'driver-ata-sff': '@ring3/driver-ata-sff',
  },
  platform: 'node',
  resolve: { conditionNames: ['ring3-source', 'node', 'import'] },
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    sourcemap: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
