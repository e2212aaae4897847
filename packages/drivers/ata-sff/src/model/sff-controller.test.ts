import { describe, expect, it } from 'vitest';
import { createBench } from './test-bench.ts';
import { pattern } from './test-host.ts';

describe('a simulated controller with one disk', () => {
  it('shows the signature of an ATA disk after power-on', async () => {
    const { host } = await createBench({ sectors: 1000 });
    expect(host.status).toBe(0x50);
    expect([1, 2, 3, 4, 5, 6].map((offset) => host.in8(offset))).toEqual([1, 1, 1, 0, 0, 0]);
  });

  it('gives IDENTIFY data with its model and capacity', async () => {
    const { host } = await createBench({ sectors: 1000 });
    const bytes = await host.read({ command: 0xec }, 512);
    const words = new Uint16Array(bytes.buffer);
    expect(words[60]).toBe(1000);
    expect(host.status).toBe(0x50);
    expect(host.interrupts).toBe(1);
  });

  it('reads back what was written', async () => {
    const { host } = await createBench({ sectors: 1000 });
    const data = pattern(5, 1);
    expect(await host.write({ command: 0x30, lba: 7, count: 5 }, data)).toBe(0x50);
    expect(await host.read({ command: 0x20, lba: 7, count: 5 }, data.length)).toEqual(data);
    expect(await host.run({ command: 0xe7 })).toBe(0x50);
  });

  it('comes back from a software reset with its signature', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0x20, lba: 3, count: 1 });
    host.control(0x04);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    bench.advance(10);
    host.control(0);
    await bench.settle();
    expect(host.status).toBe(0x50);
    expect(host.in8(2)).toBe(1);
  });
});
