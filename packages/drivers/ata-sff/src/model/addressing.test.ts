import { describe, expect, it } from 'vitest';
import { createBench } from './test-bench.ts';
import { HostError, pattern } from './test-host.ts';

const LARGE = 0x1000_0010; // A little more than 28-bit addresses reach.

describe('registers that are two deep', () => {
  it('show the previous content with HOB, until the command block is written', async () => {
    const { host } = await createBench({ sectors: 1000 });
    for (const offset of [2, 3, 4, 5]) {
      host.out8(offset, 0x10 + offset);
      host.out8(offset, 0x20 + offset);
    }
    host.control(0x80);
    expect([2, 3, 4, 5].map((offset) => host.in8(offset))).toEqual([0x12, 0x13, 0x14, 0x15]);
    host.control(0x00);
    expect([2, 3, 4, 5].map((offset) => host.in8(offset))).toEqual([0x22, 0x23, 0x24, 0x25]);
    host.control(0x80);
    host.out8(2, 0x30);
    expect([2, 3].map((offset) => host.in8(offset))).toEqual([0x30, 0x23]);
  });
});

describe('48-bit commands', () => {
  it('reach sectors beyond 28 bits, and are not confused by the low bits of Device', async () => {
    const { host } = await createBench({ sectors: LARGE });
    await host.write({ command: 0x34, lba: LARGE - 2, count: 2, wide: true }, pattern(2, 3));
    expect(await host.read({ command: 0x24, lba: LARGE - 2, count: 2, wide: true }, 1024)).toEqual(pattern(2, 3));
    host.out8(6, 0x4f);
    const low = await host.read({ command: 0x24, lba: LARGE - 2 - 0x1000_0000, count: 2, wide: true }, 1024);
    expect(low).toEqual(new Uint8Array(1024));
  });

  it('take a count of 0 for 65536 sectors', async () => {
    const { bench, host } = await createBench({ disks: [{ sectors: 70_000, multiple: 128 }] });
    await host.run({ command: 0xc6, count: 128 });
    const before = host.interrupts;
    const bytes = await host.read({ command: 0x29, lba: 0, count: 0, wide: true }, 65_536 * 512, 65_536);
    expect(bytes).toHaveLength(2 ** 25);
    expect(host.status).toBe(0x50);
    expect(host.interrupts - before).toBe(512);
    expect(bench.idle).toBe(true);
  });

  it('need the LBA bit and a disk that knows them', async () => {
    const { host } = await createBench({ sectors: 1000 });
    host.out8(6, 0x00);
    host.out8(2, 1);
    host.out8(7, 0x24);
    expect(await host.run({ command: 0x24, lba: 0, count: 1, chs: { cylinder: 0, head: 0, sector: 1 } })).toBe(0x51);
    const old = await createBench({ disks: [{ sectors: 1000, lba48: false }] });
    expect(await old.host.run({ command: 0x24, lba: 0, count: 1, wide: true })).toBe(0x51);
    expect(old.host.error).toBe(0x04);
  });

  it('name the failing sector in 48 bits', async () => {
    const { host } = await createBench({ disks: [{ sectors: LARGE, defects: { unreadable: [LARGE - 1] } }] });
    const read = host.read({ command: 0x24, lba: LARGE - 2, count: 2, wide: true }, 1024);
    await expect(read).rejects.toMatchObject({ status: 0x51, error: 0x40, atBytes: 512 });
    expect(host.address(true)).toBe(LARGE - 1);
  });
});

describe('28-bit commands', () => {
  it('take a count of 0 for 256 sectors', async () => {
    const { host } = await createBench({ sectors: 1000 });
    const bytes = pattern(256, 5);
    expect(await host.write({ command: 0x30, lba: 10, count: 0 }, bytes)).toBe(0x50);
    expect(await host.read({ command: 0x20, lba: 10, count: 0 }, bytes.length)).toEqual(bytes);
  });

  it('reach LBA 0FFFFFFEh and no further', async () => {
    const { host } = await createBench({ sectors: LARGE });
    await host.write({ command: 0x30, lba: 0x0fff_fffe, count: 1 }, pattern(1, 9));
    expect(await host.read({ command: 0x24, lba: 0x0fff_fffe, count: 1, wide: true }, 512)).toEqual(pattern(1, 9));
    const beyond = host.read({ command: 0x20, lba: 0x0fff_fffe, count: 2 }, 1024);
    await expect(beyond).rejects.toMatchObject({ error: 0x10, atBytes: 512 });
    expect(host.address(false)).toBe(0x0fff_ffff);
  });

  it('find sectors by cylinder, head and sector in the translation that the host asks for', async () => {
    const { host } = await createBench({ sectors: 100_000 });
    const place = { cylinder: 2, head: 3, sector: 5 };
    await host.write({ command: 0x30, count: 1, chs: place }, pattern(1, 1));
    const lba = (2 * 16 + 3) * 63 + 4;
    expect(await host.read({ command: 0x20, lba, count: 1 }, 512)).toEqual(pattern(1, 1));
    expect(await host.run({ command: 0x91, count: 32, chs: { cylinder: 0, head: 7, sector: 0 } })).toBe(0x50);
    const otherwise = (2 * 8 + 3) * 32 + 4;
    await host.write({ command: 0x30, lba: otherwise, count: 1 }, pattern(1, 2));
    expect(await host.read({ command: 0x20, count: 1, chs: place }, 512)).toEqual(pattern(1, 2));
  });

  it('answer IDNF for a sector that the translation does not have', async () => {
    const { host } = await createBench({ sectors: 100_000 });
    expect(await host.run({ command: 0x20, count: 1, chs: { cylinder: 0, head: 0, sector: 64 } })).toBe(0x51);
    expect(host.error).toBe(0x10);
    expect(await host.run({ command: 0x20, count: 1, chs: { cylinder: 0, head: 0, sector: 0 } })).toBe(0x51);
  });
});

describe('the end of the disk', () => {
  it('fails a read at the first sector behind it, and delivers what is before', async () => {
    const { host } = await createBench({ sectors: 1000 });
    const failure = await host.read({ command: 0x20, lba: 998, count: 4 }, 2048).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HostError);
    expect(failure).toMatchObject({ status: 0x51, error: 0x10, atBytes: 1024 });
    expect(host.address(false)).toBe(1000);
  });

  it('fails a whole block of READ MULTIPLE, without data, with the first address that is too high', async () => {
    const { host } = await createBench({ sectors: 1000 });
    await host.run({ command: 0xc6, count: 8 });
    expect(await host.run({ command: 0xc4, lba: 997, count: 8 })).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x10, 1000]);
  });

  it('fails a write before it asks for the sector', async () => {
    const { host } = await createBench({ sectors: 1000 });
    const write = host.write({ command: 0x30, lba: 999, count: 2 }, pattern(2, 1));
    await expect(write).rejects.toMatchObject({ status: 0x51, error: 0x10, atBytes: 512 });
    expect(host.address(false)).toBe(1000);
  });

  it('is where the host protected area begins, until SET MAX ADDRESS moves it', async () => {
    const { host } = await createBench({ disks: [{ sectors: 1000, hiddenSectors: 100 }] });
    expect(await host.run({ command: 0x40, lba: 899, count: 2 })).toBe(0x51);
    expect(host.address(false)).toBe(900);
    expect(await host.run({ command: 0xf9, lba: 999 })).toBe(0x51); // Not without the command before.
    expect(await host.run({ command: 0xf8 })).toBe(0x50);
    expect(host.address(false)).toBe(999);
    expect(await host.run({ command: 0xf9, lba: 999 })).toBe(0x50);
    expect(await host.run({ command: 0x40, lba: 899, count: 2 })).toBe(0x50);
  });

  it('is told by READ NATIVE MAX ADDRESS EXT in 48 bits and capped in 28', async () => {
    const { host } = await createBench({ sectors: LARGE });
    await host.run({ command: 0x27, wide: true });
    expect(host.address(true)).toBe(LARGE - 1);
    await host.run({ command: 0xf8 });
    expect(host.address(false)).toBe(0x0fff_fffe);
    expect(await host.run({ command: 0xf8, chs: { cylinder: 0, head: 0, sector: 1 } })).toBe(0x51);
  });
});
