import { defineConfig } from 'vitest/config';
import { machinePool } from './tools/vm/src/pool.ts';

// Workspace packages resolve each other's TypeScript source: no build, no stale dist.
const conditions = ['ring3-source', 'module', 'node', 'import', 'default'];
const clientTests = '**/*.clients.test.ts';
const qemuTests = '**/*.qemu.test.ts';
const machineTests = '**/*.vm.test.ts';
const guestTests = '**/*.guest.test.ts';
// .toolchain holds copies of the tree while virtual machines run.
const ignored = ['**/node_modules/**', '**/dist/**', '**/.toolchain/**'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    environment: 'node',
    maxWorkers: 2, // Also on two processors: some tests wait for processes that they start.
    execArgv: ['--conditions=ring3-source'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,bench,packages,tests,tools}/**/*.test.ts'],
          exclude: [...ignored, clientTests, qemuTests, machineTests, guestTests],
          isolate: false, // Tests share no state, so files may share a process: half the time.
          testTimeout: 20_000, // Time is simulated and a stuck simulation says so: this is for slow machines.
        },
      },
      {
        extends: true,
        test: {
          name: 'clients', // Tests that need system tools: nbdcopy, qemu-io, fio.
          include: [clientTests],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'qemu', // Tests on QEMU's device models, without a guest: packages/backend-qemu/README.md.
          include: [qemuTests],
          exclude: ignored,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'vm', // Tests that boot a virtual machine: tools/vm/README.md.
          include: [machineTests],
          exclude: ignored,
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'guest', // Tests that run inside of one, on an emulated processor: everything is slow.
          include: [guestTests],
          exclude: ignored,
          pool: machinePool(),
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
