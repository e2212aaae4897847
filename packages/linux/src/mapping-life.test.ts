import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { mappedBytes, mapRegisters } from './map-registers.ts';
import { MemoryFile } from './test-memory-file.ts';

const conditions = '--conditions=ring3-source';

describe.skipIf(process.platform !== 'linux')('a mapping', () => {
  it('in a worker outlives the garbage collector, and goes with its thread', async () => {
    const file = new MemoryFile(0x1000);
    mapRegisters({ path: file.path, fileOffset: 0n, leadBytes: 0, sizeBytes: 4 }).close();
    const worker = new Worker(join(import.meta.dirname, 'test-mapping-worker.ts'), {
      workerData: { path: file.path },
      execArgv: [conditions],
    });
    const exited = once(worker, 'exit');
    const [seen] = await once(worker, 'message');
    await exited;
    expect(seen).toEqual({ mappedBytes: 0x1000, isMapped: true });
    expect(readFileSync('/proc/self/maps', 'utf8')).not.toContain('ring3-registers');
    expect(mappedBytes()).toBe(0);
    const word = Buffer.alloc(4);
    readSync(file.fd, word, 0, 4, 0);
    expect(word.readUInt32LE()).toBe(0xbeef);
    file.close();
  });

  /** Maps so much that each mapping needs a WebAssembly memory of its own. */
  const map = `
    const { mapRegisters } = await import(${JSON.stringify(join(import.meta.dirname, 'map-registers.ts'))});
    for (let count = 0; count < 4; count++) {
      mapRegisters({ path: '/dev/zero', fileOffset: 0n, leadBytes: 0, sizeBytes: 0x2000000 });
    }
    console.log('mapped');
  `;

  function nodeWith30Gb(...flags: readonly string[]) {
    const shell = ['-c', 'ulimit -v 30000000; exec "$@"', 'sh', process.execPath, conditions, ...flags];
    return spawnSync('sh', [...shell, '--input-type=module', '-e', map], { encoding: 'utf8' });
  }

  it('says what to do when there is no address space for it', () => {
    const { status, stderr } = nodeWith30Gb();
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/ulimit -v unlimited, LimitAS=infinity.*--disable-wasm-trap-handler/);
  });

  it('needs little address space without the trap handler of WebAssembly', () => {
    expect(nodeWith30Gb('--disable-wasm-trap-handler').stdout).toBe('mapped\n');
  });
});
