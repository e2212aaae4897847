import { describe, expect, it } from 'vitest';
import { createBench } from './test-bench.ts';
import { pattern } from './test-host.ts';

describe('READ SECTORS', () => {
  it('shows BSY, then DRQ with an interrupt for every sector, and ends without one', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0x20, lba: 0, count: 2 });
    bench.advance(1);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    expect(host.interrupts).toBe(0);
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x58);
    host.readFifo(new Uint8Array(512));
    bench.advance(0.4);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    await bench.settle();
    expect(host.interrupts).toBe(2);
    expect(host.status).toBe(0x58);
    host.readFifo(new Uint8Array(512));
    expect(host.status).toBe(0x50);
    await bench.settle();
    expect(host.interrupts).toBe(2);
    expect(host.violations).toEqual([]);
  });

  it('may be read in pieces', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    await host.write({ command: 0x30, lba: 4, count: 1 }, pattern(1, 1));
    host.issue({ command: 0x20, lba: 4, count: 1 });
    await bench.settle();
    const bytes = new Uint8Array(512);
    for (let at = 0; at < 512; at += 128) {
      expect(host.status).toBe(0x58);
      host.readFifo(bytes.subarray(at, at + 128));
    }
    expect(bytes).toEqual(pattern(1, 1));
    expect(host.status).toBe(0x50);
  });
});

describe('the registers after a transfer', () => {
  it('say that nothing is left to do, and name the last sector', async () => {
    const { host } = await createBench({ sectors: 1000 });
    await host.read({ command: 0x20, lba: 10, count: 5 }, 2560);
    expect([host.in8(2), host.address(false)]).toEqual([0, 14]);
    await host.write({ command: 0x34, lba: 20, count: 5, wide: true }, pattern(5, 1));
    expect([host.in8(2), host.address(true)]).toEqual([0, 24]);
  });
});

describe('WRITE SECTORS', () => {
  it('asks for the first sector without an interrupt and reports every sector with one', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0x30, lba: 0, count: 2 });
    await bench.settle();
    expect(host.interrupts).toBe(0);
    expect(host.alternateStatus).toBe(0x58);
    host.writeFifo(pattern(1, 1));
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x58);
    host.writeFifo(pattern(1, 2));
    await bench.settle();
    expect(host.interrupts).toBe(2);
    expect(host.status).toBe(0x50);
  });

  it('is refused by a disk that is write protected', async () => {
    const { host } = await createBench({ disks: [{ sectors: 1000, readOnly: true }] });
    expect(await host.run({ command: 0x30, lba: 0, count: 1 })).toBe(0x51);
    expect(host.error).toBe(0x44);
  });
});

describe('READ and WRITE MULTIPLE', () => {
  it('move blocks of the size that was set, the last one shorter', async () => {
    const { host } = await createBench({ sectors: 1000 });
    expect(await host.run({ command: 0xc6, count: 8 })).toBe(0x50);
    const before = host.interrupts;
    expect(await host.write({ command: 0xc5, lba: 3, count: 20 }, pattern(20, 4), 8 * 512)).toBe(0x50);
    expect(host.interrupts - before).toBe(3);
    expect(await host.read({ command: 0xc4, lba: 3, count: 20 }, 20 * 512, 8 * 512)).toEqual(pattern(20, 4));
    expect(host.interrupts - before).toBe(6);
    expect(await host.read({ command: 0x29, lba: 3, count: 20, wide: true }, 20 * 512, 8 * 512)).toEqual(
      pattern(20, 4),
    );
    expect(host.violations).toEqual([]);
  });

  it('are refused before SET MULTIPLE MODE and after it was switched off', async () => {
    const { host } = await createBench({ sectors: 1000 });
    expect(await host.run({ command: 0xc4, count: 1 })).toBe(0x51);
    await host.run({ command: 0xc6, count: 8 });
    await host.run({ command: 0xc6, count: 0 });
    expect(await host.run({ command: 0xc5, count: 1 })).toBe(0x51);
    expect(host.error).toBe(0x04);
  });

  it.each([3, 32, 255])('refuse a block of %i sectors', async (count) => {
    const { host } = await createBench({ sectors: 1000 });
    expect(await host.run({ command: 0xc6, count })).toBe(0x51);
    expect(await host.run({ command: 0xc4, count: 1 })).toBe(0x51);
  });

  it('do not exist where the disk has no multiple mode', async () => {
    const { host } = await createBench({ disks: [{ sectors: 1000, multiple: 0 }] });
    expect(await host.run({ command: 0xc6, count: 2 })).toBe(0x51);
  });

  it('read a long command through its windows, whatever the block size', async () => {
    const { controller, host } = await createBench({ disks: [{ sectors: 3000, multiple: 64 }] });
    const bytes = pattern(2000, 6);
    controller.disk()?.medium.write(11, bytes);
    await host.run({ command: 0xc6, count: 64 });
    const read = await host.read({ command: 0x29, lba: 11, count: 2000, wide: true }, bytes.length, 64 * 512);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(
      Buffer.compare(await host.read({ command: 0x24, lba: 11, count: 2000, wide: true }, bytes.length), bytes),
    ).toBe(0);
  });
});

describe('interrupts', () => {
  it('end when Status is read, and not when Alternate Status is', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0xe7 });
    await bench.settle();
    expect(host.alternateStatus).toBe(0x50);
    expect(bench.levels[0]).toBe(true);
    expect(host.status).toBe(0x50);
    expect(bench.levels[0]).toBe(false);
  });

  it('end when the next command is written', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0xe7 });
    await bench.settle();
    host.issue({ command: 0xe7 });
    expect(bench.levels[0]).toBe(false);
  });

  it('do not come with nIEN, not even later', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.control(0x02);
    host.issue({ command: 0xe7 });
    await bench.settle();
    expect(host.alternateStatus).toBe(0x50);
    host.control(0x00);
    await bench.settle();
    expect(host.interrupts).toBe(0);
  });

  it('are forgotten when nIEN is set while they wait', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0xe7 });
    await bench.settle();
    host.control(0x02);
    expect(bench.levels[0]).toBe(false);
    host.control(0x00);
    await bench.settle();
    expect(bench.levels[0]).toBe(false);
  });

  it('wait while the other device is selected, and come after the access that selects theirs', async () => {
    const { bench, host } = await createBench({ disks: [{ sectors: 1000 }, { position: 'slave', sectors: 1000 }] });
    host.issue({ command: 0xe7 });
    await bench.settle();
    host.out8(6, 0x10);
    expect(bench.levels[0]).toBe(false);
    expect(host.status).toBe(0x50); // Of device 1: does not acknowledge device 0.
    host.out8(6, 0x00);
    expect(bench.levels[0]).toBe(false);
    await bench.settle();
    expect(bench.levels[0]).toBe(true);
  });

  it('never come inside a register access', async () => {
    const { bench, controller, host } = await createBench({ sectors: 1000 });
    await host.run({ command: 0xc6, count: 16 });
    const during = (access: () => void) => {
      const before = host.interrupts;
      access();
      return host.interrupts - before;
    };
    host.issue({ command: 0xc4, count: 64 });
    for (let block = 0; block < 4; block++) {
      await bench.settle();
      expect(during(() => host.status)).toBe(0);
      expect(during(() => controller.readFifo('command0', 0, 16, new Uint8Array(8192)))).toBe(0);
    }
  });
});

describe('Status shortly after a command', () => {
  it('may still be the old one: BSY needs 400 ns', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0x20, lba: 0, count: 1 });
    expect(host.alternateStatus).toBe(0x50);
    bench.advance(0.4);
    expect(host.alternateStatus & 0x80).toBe(0x80);
  });

  it('is the old one for a single read after a data block', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0x20, lba: 0, count: 2 });
    await bench.settle();
    host.readFifo(new Uint8Array(512));
    expect(host.alternateStatus).toBe(0x58);
    expect(host.alternateStatus & 0x80).toBe(0x80);
  });
});

describe('a host that breaks the rules', () => {
  it('is not heard while BSY or DRQ is set', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0x20, lba: 5, count: 1 });
    host.out8(3, 99);
    host.out8(7, 0xec);
    await bench.settle();
    host.out8(7, 0xec);
    expect(host.violations).toHaveLength(3);
    expect(host.violations[0]).toBe('write of command block register 3 while disk at channel 0 master has BSY set');
    expect(host.status).toBe(0x58);
    host.readFifo(new Uint8Array(512));
    expect(host.status).toBe(0x50);
    expect(host.address(false)).toBe(5);
  });
});
