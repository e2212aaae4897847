import { closeSync, readSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mapMemory, mappedBytes } from './map-registers.ts';
import { createMemoryFile } from './memory-file.ts';

describe.skipIf(process.platform !== 'linux')('mapMemory', () => {
  it('shares bytes with whoever else has the file, from the offset on', () => {
    const fd = createMemoryFile('ring3-test', 0x4000);
    const memory = mapMemory({
      path: `/proc/self/fd/${fd}`,
      fileOffset: 0x1000n,
      leadBytes: 0,
      sizeBytes: 0x2000,
    });
    expect(memory.bytes.length).toBe(0x2000);
    memory.bytes.set([1, 2, 3], 5);
    const seen = Buffer.alloc(3);
    readSync(fd, seen, 0, 3, 0x1005);
    expect([...seen]).toEqual([1, 2, 3]);
    writeSync(fd, Buffer.from([9]), 0, 1, 0x1000);
    expect(memory.bytes[0]).toBe(9);
    memory.close();
    memory.close();
    expect(mappedBytes()).toBe(0);
    closeSync(fd);
  });
});
