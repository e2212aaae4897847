import { describe, expect, it } from 'vitest';
import type { ControllerOptionsInput } from './options.ts';
import { createBench } from './test-bench.ts';
import type { Host } from './test-host.ts';

async function wordsOf(host: Host): Promise<number[]> {
  const bytes = await host.read({ command: 0xec }, 512);
  return [...new Uint16Array(bytes.buffer)];
}

async function identify(options: ControllerOptionsInput): Promise<number[]> {
  const { host } = await createBench(options);
  return wordsOf(host);
}

const text = (words: readonly number[], first: number, end: number) =>
  words
    .slice(first, end)
    .map((word) => String.fromCharCode(word >>> 8, word & 0xff))
    .join('');
const sumOfBytes = (words: readonly number[]) =>
  words.reduce((sum, word) => sum + (word >>> 8) + (word & 0xff), 0) & 0xff;

describe('IDENTIFY DEVICE', () => {
  it('describes a disk completely', async () => {
    const words = await identify({
      disks: [{ sectors: 0x1234_5678, model: 'MODEL', serial: 'SERIAL', firmware: 'F1' }],
    });
    expect(words.slice(0, 7)).toEqual([0x0040, 16383, 0xc837, 16, 0, 0, 63]);
    expect(text(words, 10, 20)).toBe('SERIAL'.padEnd(20));
    expect(text(words, 23, 27)).toBe('F1'.padEnd(8));
    expect(text(words, 27, 47)).toBe('MODEL'.padEnd(40));
    expect(words[47]).toBe(0x8010);
    expect((words[49] ?? 0) & 0x0300).toBe(0x0300); // LBA, DMA.
    expect(words[53]).toBe(0x0007);
    expect(words.slice(54, 57)).toEqual([16383, 16, 63]);
    expect((words[57] ?? 0) + (words[58] ?? 0) * 65536).toBe(16383 * 16 * 63);
    expect(words[59]).toBe(0);
    expect(words.slice(60, 62)).toEqual([0xffff, 0x0fff]);
    expect(words.slice(62, 69)).toEqual([0, 0x0007, 0x0003, 120, 120, 120, 120]);
    expect(words[88]).toBe(0x207f); // Ultra DMA 5 is selected.
    expect(words.slice(82, 88)).toEqual([0x4468, 0x7400, 0x4040, 0x4468, 0x3400, 0x4040]);
    expect(words[93]).toBe(0x604b);
    expect(words.slice(100, 104)).toEqual([0x5678, 0x1234, 0, 0]);
    expect(words[106]).toBe(0x4000);
    expect((words[255] ?? 0) & 0xff).toBe(0xa5);
    expect(sumOfBytes(words)).toBe(0);
  });

  it('describes a small disk without 48-bit commands and without a cache', async () => {
    const words = await identify({ disks: [{ sectors: 1008, lba48: false, multiple: 0, writeCache: false }] });
    expect([words[1], words[54]]).toEqual([1, 1]);
    expect(words[47]).toBe(0x8000);
    expect(words.slice(60, 62)).toEqual([1008, 0]);
    expect(words.slice(82, 88)).toEqual([0x4468, 0x5000, 0x4000, 0x4448, 0x1000, 0x4000]);
    expect(words.slice(100, 104)).toEqual([0, 0, 0, 0]);
  });

  it('follows the settings', async () => {
    const { host } = await createBench({ sectors: 1000 });
    await host.run({ command: 0xc6, count: 4 });
    await host.run({ command: 0xef, features: 0x82 });
    await host.run({ command: 0xef, features: 0x55 });
    await host.run({ command: 0x91, count: 32, chs: { cylinder: 0, head: 3, sector: 0 } });
    const words = await wordsOf(host);
    expect(words[59]).toBe(0x0104);
    expect(words[85]).toBe(0x4408);
    expect(words.slice(54, 57)).toEqual([7, 4, 32]);
  });

  it('tells large physical sectors', async () => {
    expect((await identify({ disks: [{ sectors: 1000, physicalSectorBytes: 4096 }] }))[106]).toBe(0x6003);
  });

  it('tells what device 0 saw of device 1', async () => {
    const { host } = await createBench({ disks: [{ sectors: 1000 }, { position: 'slave', sectors: 1000 }] });
    expect((await wordsOf(host))[93]).toBe(0x603b);
  });

  it('does not count the host protected area', async () => {
    const words = await identify({ disks: [{ sectors: 1000, hiddenSectors: 10 }] });
    expect([words[60], words[100]]).toEqual([990, 990]);
  });
});

describe('IDENTIFY DEVICE of a disk with an oddity', () => {
  const odd = (kind: 'swapped-strings' | 'bad-checksum' | 'compact-flash' | 'all-ones' | 'all-zeros' | 'no-capacity') =>
    identify({ disks: [{ sectors: 1000, model: 'MODEL', defects: { identify: kind } }] });

  it('has its strings swapped', async () => {
    const words = await odd('swapped-strings');
    expect(text(words, 27, 30)).toBe('OMED L');
    expect(sumOfBytes(words)).toBe(0);
  });

  it('has a checksum that is wrong', async () => {
    const words = await odd('bad-checksum');
    expect((words[255] ?? 0) & 0xff).toBe(0xa5);
    expect(sumOfBytes(words)).not.toBe(0);
  });

  it('is a CompactFlash card', async () => {
    expect((await odd('compact-flash'))[0]).toBe(0x848a);
  });

  it('is nothing but ones, or zeros', async () => {
    expect(new Set(await odd('all-ones'))).toEqual(new Set([0xffff]));
    expect(new Set(await odd('all-zeros'))).toEqual(new Set([0]));
  });

  it('has no capacity', async () => {
    const words = await odd('no-capacity');
    expect([60, 61, 100, 101, 102, 103].map((index) => words[index])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(sumOfBytes(words)).toBe(0);
  });
});
