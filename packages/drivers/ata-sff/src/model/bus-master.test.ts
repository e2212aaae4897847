import { describe, expect, it } from 'vitest';
import type { ControllerOptionsInput } from './options.ts';
import { createBench, RAM_BASE } from './test-bench.ts';
import { DmaHost, type Region } from './test-dma.ts';
import { Host, pattern } from './test-host.ts';

const BUFFER = 0x2_0000;

async function createDmaBench(options: ControllerOptionsInput = { sectors: 4096 }) {
  const made = await createBench(options);
  return { ...made, dma: new DmaHost(made.bench, made.controller, made.host) };
}

const buffer = (sectors: number): Region[] => [{ at: BUFFER, lengthBytes: sectors * 512 }];

describe('READ DMA', () => {
  it('brings sectors to memory, with one interrupt at the end', async () => {
    const { bench, controller, host, dma } = await createDmaBench();
    controller.disk()?.medium.write(5, pattern(40, 1));
    dma.regions(buffer(40));
    expect(await dma.run({ command: 0xc8, lba: 5, count: 40 }, 'in')).toEqual({ busMaster: 0x24, disk: 0x50 });
    expect(bench.ram.subarray(BUFFER, BUFFER + 40 * 512)).toEqual(pattern(40, 1));
    expect(host.interrupts).toBe(1);
    expect(host.address(false)).toBe(44);
    expect(host.violations).toEqual([]);
  });

  it.each([0xc9, 0x25])('has other codes: %i', async (command) => {
    const { bench, controller, dma } = await createDmaBench();
    controller.disk()?.medium.write(5, pattern(2, 1));
    dma.regions(buffer(2));
    expect((await dma.run({ command, lba: 5, count: 2, wide: command === 0x25 }, 'in')).disk).toBe(0x50);
    expect(bench.ram.subarray(BUFFER, BUFFER + 1024)).toEqual(pattern(2, 1));
  });

  it('scatters over regions of any even length', async () => {
    const { bench, controller, dma } = await createDmaBench();
    const bytes = pattern(300, 2);
    controller.disk()?.medium.write(0, bytes);
    const lengths = [2, 510, 1022, 65536, 4096, 65536, 300 * 512 - 136702];
    let at = BUFFER;
    const regions = lengths.map((lengthBytes) => {
      if ((at & 0xffff) + lengthBytes > 0x1_0000) at = (at | 0xffff) + 1;
      const region = { at, lengthBytes };
      at += lengthBytes + 6;
      return region;
    });
    dma.regions(regions);
    const read = await dma.run({ command: 0x25, lba: 0, count: 300, wide: true }, 'in');
    expect(read).toEqual({ busMaster: 0x24, disk: 0x50 });
    const seen = Buffer.concat(regions.map((region) => bench.ram.subarray(region.at, region.at + region.lengthBytes)));
    expect(Buffer.compare(seen, bytes)).toBe(0);
  });
});

describe('WRITE DMA', () => {
  it.each([0xca, 0xcb, 0x35, 0x3d])('gathers sectors from memory (%i)', async (command) => {
    const { bench, controller, host, dma } = await createDmaBench();
    bench.ram.set(pattern(40, 3), BUFFER);
    dma.regions([
      { at: BUFFER, lengthBytes: 1000 },
      { at: BUFFER + 1000, lengthBytes: 40 * 512 - 1000 },
    ]);
    const wide = command < 0x80;
    const written = await dma.run({ command, lba: 7, count: 40, wide }, 'out');
    expect(written).toEqual({ busMaster: 0x24, disk: 0x50 });
    const stored = new Uint8Array(40 * 512);
    controller.disk()?.medium.read(7, stored);
    expect(stored).toEqual(pattern(40, 3));
    expect(host.interrupts).toBe(1);
    expect(controller.disk()?.medium.dirtySectors).toBe(command === 0x3d ? 0 : 40);
  });

  it('is refused by a disk that is write protected', async () => {
    const { host, dma } = await createDmaBench({ disks: [{ sectors: 1000, readOnly: true }] });
    dma.regions(buffer(1));
    expect(await dma.run({ command: 0xca, count: 1 }, 'out')).toEqual({ busMaster: 0x24, disk: 0x51 });
    expect(host.error).toBe(0x44);
  });
});

it.each([0xc8, 0x25, 0xca, 0x35])('command %i is aborted where the disk has no DMA', async (command) => {
  const { host, dma } = await createDmaBench({ disks: [{ sectors: 1000, dma: false }] });
  dma.regions(buffer(1));
  const ended = await dma.run({ command, count: 1, wide: command < 0x80 }, command === 0xc8 ? 'in' : 'out');
  expect(ended.disk).toBe(0x51);
  expect(host.error).toBe(0x04);
});

describe('the status of the bus master', () => {
  it('is 1 while the transfer goes on', async () => {
    const { bench, dma } = await createDmaBench();
    dma.regions(buffer(100));
    dma.start({ command: 0xc8, count: 100 }, 'in');
    bench.advance(50);
    expect(dma.status).toBe(0x21);
  });

  it('is 4 when table and transfer end together', async () => {
    const { bench, dma } = await createDmaBench();
    dma.regions(buffer(1));
    dma.start({ command: 0xc8, count: 1 }, 'in');
    await bench.settle();
    expect(dma.status).toBe(0x24);
  });

  it('is 5 when the table is longer than the transfer', async () => {
    const { bench, host, dma } = await createDmaBench();
    dma.regions(buffer(2));
    dma.start({ command: 0xc8, count: 1 }, 'in');
    await bench.settle();
    expect(dma.status).toBe(0x25);
    dma.command = 0x08;
    expect(dma.status).toBe(0x24);
    expect(host.status).toBe(0x50);
  });

  it('is 0 when the table is shorter: the device waits until a reset', async () => {
    const { bench, host, dma } = await createDmaBench();
    dma.regions(buffer(1));
    dma.start({ command: 0xc8, count: 3 }, 'in');
    await bench.settle();
    expect(dma.status).toBe(0x20);
    expect(host.alternateStatus).toBe(0x58);
    expect(host.interrupts).toBe(0);
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    expect(host.status).toBe(0x50);
  });

  it('has the Error bit and no interrupt when memory does not answer', async () => {
    const { bench, host, dma } = await createDmaBench();
    dma.regions([{ at: -0x1_0000, lengthBytes: 512 }]);
    dma.start({ command: 0xc8, count: 1 }, 'in');
    await bench.settle();
    expect(dma.status).toBe(0x22);
    expect(host.interrupts).toBe(0);
    dma.status = 0x22;
    expect(dma.status).toBe(0x20);
  });

  it('has the Error bit when the table itself cannot be read', async () => {
    const { bench, dma } = await createDmaBench();
    dma.table = 0xf000_0000;
    dma.start({ command: 0xca, count: 1 }, 'out');
    await bench.settle();
    expect(dma.status).toBe(0x22);
  });

  it('has the Interrupt bit for every interrupt of the channel, cleared by a one', async () => {
    const { host, dma } = await createDmaBench();
    await host.run({ command: 0xe7 });
    expect(dma.status).toBe(0x24);
    dma.status = 0x20;
    expect(dma.status).toBe(0x24);
    dma.status = 0x24;
    expect(dma.status).toBe(0x20);
  });

  it('says which disks firmware prepared, and keeps what the host says of them', async () => {
    const disks = [{}, { position: 'slave' as const, dma: false }, { channel: 1 as const }].map((disk) => ({
      ...disk,
      sectors: 1000,
    }));
    const { bench, controller, host, dma } = await createDmaBench({ disks, simplex: true });
    expect(dma.status).toBe(0xa0);
    expect(new DmaHost(bench, controller, host, 1).status).toBe(0xa0);
    dma.status = 0x41;
    expect(dma.status).toBe(0xc0);
    expect((await createDmaBench({ disks, dmaModes: 'none' })).dma.status).toBe(0x00);
  });
});

describe('the registers of the bus master', () => {
  it('can be read and written as bytes, words and double words', async () => {
    const { controller } = await createDmaBench();
    const read = (offset: number, width: 8 | 16 | 32) => controller.read('busMaster', offset, width);
    controller.write('busMaster', 4, 32, 0x1234_5677);
    controller.write('busMaster', 14, 16, 0x4321);
    expect([read(4, 32), read(6, 16), read(5, 8)]).toEqual([0x1234_5674, 0x1234, 0x56]);
    expect([read(12, 32), read(15, 8)]).toEqual([0x4321_0000, 0x43]);
    controller.write('busMaster', 0, 32, 0xff60_fff8);
    expect(read(0, 32)).toBe(0x0060_0008);
    expect(read(8, 32)).toBe(0);
  });
});

describe('Stop', () => {
  it('ends a transfer in the middle; the device waits', async () => {
    const { bench, host, dma } = await createDmaBench();
    dma.regions(buffer(100));
    dma.start({ command: 0xc8, count: 100 }, 'in');
    bench.advance(50);
    dma.command = 0x08;
    expect(dma.status).toBe(0x20);
    await bench.settle();
    expect(host.alternateStatus).toBe(0x58);
    expect(host.interrupts).toBe(0);
  });
});

it('a reset ends a transfer in the middle, and what was moved before stays', async () => {
  const { bench, controller, host, dma } = await createDmaBench();
  controller.disk()?.medium.write(0, pattern(100, 4));
  dma.regions(buffer(100));
  dma.start({ command: 0xc8, count: 100 }, 'in');
  bench.advance(50);
  host.control(0x04);
  const moved = bench.ram.slice(BUFFER, BUFFER + 100 * 512);
  host.control(0x00);
  await bench.settle();
  expect(bench.ram.subarray(BUFFER, BUFFER + 100 * 512)).toEqual(moved);
  expect(moved.subarray(0, 16 * 512)).toEqual(pattern(100, 4).subarray(0, 16 * 512));
  expect(moved.subarray(-512)).toEqual(new Uint8Array(512));
  expect(dma.status).toBe(0x21);
});

describe('the rules for tables', () => {
  it('a region that crosses 64 KiB starts over', async () => {
    const { bench, controller, host, dma } = await createDmaBench();
    controller.disk()?.medium.write(0, pattern(2, 5));
    dma.regions([{ at: 0x2_fe00, lengthBytes: 1024 }]);
    await dma.run({ command: 0xc8, count: 2 }, 'in');
    expect(bench.ram.subarray(0x2_fe00, 0x3_0000)).toEqual(pattern(2, 5).subarray(0, 512));
    expect(bench.ram.subarray(0x2_0000, 0x2_0200)).toEqual(pattern(2, 5).subarray(512));
    expect(host.violations).toEqual(['a region at 0x1002fe00 crosses a boundary of 64 KiB']);
  });

  it('so does a table', async () => {
    const { bench, host, dma } = await createDmaBench();
    dma.regions([{ at: BUFFER, lengthBytes: 512 }], 0x1_0000);
    dma.regions([{ at: BUFFER + 512, lengthBytes: 512 }], 0x1_fff8);
    bench.ram[0x1_ffff] = 0;
    expect((await dma.run({ command: 0xc8, count: 2 }, 'in')).busMaster).toBe(0x24);
    expect(host.violations).toEqual(['the table of regions crosses a boundary of 64 KiB']);
  });

  it('addresses and counts are even', async () => {
    const { host, dma } = await createDmaBench();
    dma.regions([{ at: BUFFER + 1, lengthBytes: 513 }]);
    expect((await dma.run({ command: 0xc8, count: 1 }, 'in')).disk).toBe(0x50);
    expect(host.violations).toHaveLength(2);
  });

  it('the direction is the one of the command', async () => {
    const { bench, host, dma } = await createDmaBench();
    dma.regions(buffer(1));
    dma.start({ command: 0xc8, count: 1 }, 'out');
    await bench.settle();
    expect(dma.status).toBe(0x21);
    expect(host.violations).toEqual(['the bus master goes from memory, the device the other way']);
  });

  it('a simplex controller transfers on one channel at a time', async () => {
    const disks = [{ sectors: 1000 }, { channel: 1 as const, sectors: 1000 }];
    const { bench, controller, host, dma } = await createDmaBench({ simplex: true, disks });
    const host1 = new Host(bench, controller, 1);
    const dma1 = new DmaHost(bench, controller, host1, 1);
    dma.regions(buffer(100));
    dma1.regions(buffer(1), 0x1_1000);
    dma.start({ command: 0xc8, count: 100 }, 'in');
    dma1.start({ command: 0xc8, count: 1 }, 'in');
    await bench.settle();
    expect([dma.status, dma1.status]).toEqual([0xa4, 0xa0]);
    expect(host.violations).toEqual(['both channels of a simplex controller transfer at once']);
  });
});

describe('errors under DMA', () => {
  it('a sector that cannot be read ends the command there, with its address', async () => {
    const { bench, controller, host, dma } = await createDmaBench({
      disks: [{ sectors: 1000, defects: { unreadable: [23] } }],
    });
    controller.disk()?.medium.store.write(0, pattern(40, 6));
    dma.regions(buffer(40));
    dma.start({ command: 0xc8, count: 40 }, 'in');
    await bench.settle();
    expect(dma.status).toBe(0x25);
    expect(host.status).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x40, 23]);
    expect(bench.ram.subarray(BUFFER, BUFFER + 23 * 512)).toEqual(pattern(40, 6).subarray(0, 23 * 512));
  });

  it.each(['in', 'out'] as const)('sectors behind the end are not found (%s)', async (direction) => {
    const { host, dma } = await createDmaBench({ sectors: 100 });
    dma.regions(buffer(8));
    const command = { command: direction === 'in' ? 0xc8 : 0xca, lba: 96, count: 8 };
    expect((await dma.run(command, direction)).disk).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x10, 100]);
  });

  const struck = (defect: object) =>
    createDmaBench({ disks: [{ sectors: 1000, defects: { commands: [{ on: [0xc8, 0xca], ...defect }] } }] });

  it('an error of the cable comes in front of the sector that it names', async () => {
    const { bench, host, dma } = await struck({ atBlock: 5, fail: { error: 0x84 } });
    bench.ram.fill(0xee, BUFFER, BUFFER + 8 * 512);
    dma.regions(buffer(8));
    expect((await dma.run({ command: 0xc8, count: 8 }, 'in')).disk).toBe(0x51);
    expect(host.error).toBe(0x84);
    expect(bench.ram[BUFFER + 5 * 512 - 1]).toBe(0);
    expect(bench.ram[BUFFER + 5 * 512]).toBe(0xee);
  });

  it('a device hangs in mid-transfer', async () => {
    const { bench, host, dma } = await struck({ atBlock: 5, hangUs: 'forever' });
    bench.ram.fill(0xee, BUFFER, BUFFER + 8 * 512);
    dma.regions(buffer(8));
    dma.start({ command: 0xc8, count: 8 }, 'in');
    await bench.settle();
    expect(dma.status).toBe(0x21);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    expect([bench.ram[BUFFER + 5 * 512 - 1], bench.ram[BUFFER + 5 * 512]]).toEqual([0, 0xee]);
  });

  it('a device hangs or fails after the last sector of a write', async () => {
    const { host, dma } = await struck({ atBlock: 8, fail: { error: 0x84 } });
    dma.regions(buffer(8));
    expect(await dma.run({ command: 0xca, count: 8 }, 'out')).toEqual({ busMaster: 0x24, disk: 0x51 });
    expect(host.error).toBe(0x84);
  });

  it('the interrupt gets lost, wherever it comes from', async () => {
    const { bench, host, dma } = await struck({ loseInterrupt: true });
    dma.regions(buffer(8));
    dma.start({ command: 0xc8, count: 8 }, 'in');
    await bench.settle();
    expect([host.interrupts, dma.status, host.status]).toEqual([0, 0x20, 0x50]);
  });

  it('Active gets stuck until Stop, and the Interrupt bit never comes', async () => {
    const { bench, host, dma } = await createDmaBench({
      sectors: 1000,
      busMasterDefects: { activeStuck: true, interruptBitLost: true },
    });
    dma.regions(buffer(1));
    dma.start({ command: 0xc8, count: 1 }, 'in');
    await bench.settle();
    expect([host.interrupts, dma.status]).toEqual([1, 0x21]);
    dma.command = 0;
    expect(dma.status).toBe(0x20);
  });
});

it('Start may come before the command', async () => {
  const { bench, dma, host } = await createDmaBench();
  dma.regions(buffer(1));
  dma.command = 0x09;
  await bench.settle();
  expect(dma.status).toBe(0x21);
  expect(await host.run({ command: 0xc8, count: 1 })).toBe(0x50);
  expect(dma.status).toBe(0x24);
});

it('a transfer of 1 MiB makes few transfers to memory', async () => {
  const { bench, dma } = await createDmaBench();
  dma.regions(Array.from({ length: 16 }, (_, index) => ({ at: BUFFER + index * 0x1_0000, lengthBytes: 0 })));
  expect((await dma.run({ command: 0x25, count: 2048, wide: true }, 'in')).busMaster).toBe(0x24);
  expect(bench.transfers).toBe(16 + 2048 / 16);
  expect(RAM_BASE % 4).toBe(0);
});
