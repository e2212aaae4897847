import { describe, expect, it } from 'vitest';
import { type CommandDefect, commandDefect } from './defects.ts';
import type { ControllerOptionsInput } from './options.ts';
import { createBench } from './test-bench.ts';
import { pattern } from './test-host.ts';

type DefectsInput = NonNullable<NonNullable<ControllerOptionsInput['disks']>[number]['defects']>;

const benchWith = (defects: DefectsInput) => createBench({ disks: [{ sectors: 1000, defects }] });

async function benchHitBy(defect: Parameters<typeof commandDefect>[0]) {
  const made = await createBench({ sectors: 1000 });
  made.controller.disk()?.defects.commands.push(commandDefect(defect));
  return made;
}

describe('a sector that cannot be read', () => {
  it('ends READ SECTORS with UNC and its address, without data', async () => {
    const { host } = await benchWith({ unreadable: [12] });
    await expect(host.read({ command: 0x20, lba: 10, count: 5 }, 2560)).rejects.toMatchObject({
      status: 0x51,
      error: 0x40,
      atBytes: 1024,
    });
    expect(host.address(false)).toBe(12);
  });

  it('is posted by READ MULTIPLE at the beginning of its block, which ends the command', async () => {
    const { bench, controller, host } = await benchWith({});
    controller.disk()?.medium.write(8, pattern(8, 3));
    controller.disk()?.defects.unreadable.push(13);
    await host.run({ command: 0xc6, count: 4 });
    host.issue({ command: 0xc4, lba: 8, count: 12 });
    await bench.settle();
    expect(host.status).toBe(0x58);
    host.readFifo(new Uint8Array(2048));
    await bench.settle();
    const before = host.interrupts;
    expect(host.status).toBe(0x59);
    expect([host.error, host.address(false)]).toEqual([0x40, 13]);
    const block = new Uint8Array(2048);
    host.readFifo(block);
    expect(block.subarray(0, 512)).toEqual(pattern(8, 3).subarray(2048, 2560));
    expect(host.status).toBe(0x51);
    await bench.settle();
    expect(host.status).toBe(0x51);
    expect(host.interrupts).toBe(before);
  });

  it('is junk in the block that shows the error, and the sectors before it are not', async () => {
    const { bench, controller, host } = await benchWith({});
    controller.disk()?.medium.write(8, pattern(4, 3));
    controller.disk()?.defects.unreadable.push(9);
    await host.run({ command: 0xc6, count: 4 });
    host.issue({ command: 0xc4, lba: 8, count: 4 });
    await bench.settle();
    expect(host.status).toBe(0x59);
    const block = new Uint8Array(2048);
    host.readFifo(block);
    expect(block.subarray(0, 512)).toEqual(pattern(4, 3).subarray(0, 512));
    expect(block.subarray(512)).toEqual(new Uint8Array(1536).fill(0xbd));
  });

  it('is found by READ VERIFY SECTORS', async () => {
    const { host } = await benchWith({ unreadable: [12] });
    expect(await host.run({ command: 0x40, lba: 0, count: 100 })).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x40, 12]);
    expect(await host.run({ command: 0x42, lba: 13, count: 100, wide: true })).toBe(0x50);
  });

  it('can be read from the cache when it was written, and for good when that reached the medium', async () => {
    const { bench, controller, host } = await benchWith({ unreadable: [12] });
    const powerCycle = async () => {
      controller.cutPower();
      controller.powerOn();
      await bench.settle();
    };
    const write = () => host.write({ command: 0x30, lba: 12, count: 1 }, pattern(1, 1));
    const read = () => host.read({ command: 0x20, lba: 12, count: 1 }, 512);
    await write();
    expect(await read()).toEqual(pattern(1, 1));
    await powerCycle();
    await expect(read()).rejects.toMatchObject({ error: 0x40 });
    await write();
    await host.run({ command: 0xe7 });
    await powerCycle();
    expect(await read()).toEqual(pattern(1, 1));
  });

  it('leaves its neighbours alone', async () => {
    const { host } = await benchWith({ unreadable: [12] });
    expect(await host.read({ command: 0x20, lba: 11, count: 1 }, 512)).toHaveLength(512);
    expect(await host.read({ command: 0x20, lba: 13, count: 1 }, 512)).toHaveLength(512);
  });
});

describe('a sector that cannot be written', () => {
  it('is found by FLUSH CACHE, which gives it up and goes on behind it the next time', async () => {
    const { controller, host } = await benchWith({ unwritable: [21] });
    await host.write({ command: 0x30, lba: 20, count: 3 }, pattern(3, 1));
    expect(await host.run({ command: 0xe7 })).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x04, 21]);
    expect(controller.disk()?.medium.dirtySectors).toBe(1);
    expect(await host.run({ command: 0xe7 })).toBe(0x50);
    expect(controller.disk()?.medium.dirtySectors).toBe(0);
  });

  it('fails the write itself where there is no cache', async () => {
    const { host } = await createBench({
      disks: [{ sectors: 1000, writeCache: false, defects: { unwritable: [21] } }],
    });
    expect(await host.write({ command: 0x30, lba: 20, count: 3 }, pattern(3, 1))).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x10, 21]);
  });
});

describe('a command that hangs', () => {
  it('keeps BSY for as long as it says, then goes on', async () => {
    const { bench, host } = await benchHitBy({ on: [0xec], hangUs: 10_000_000 });
    host.issue({ command: 0xec });
    bench.advance(9_999_999);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    await bench.settle();
    expect(host.status).toBe(0x58);
  });

  it('keeps BSY until a reset', async () => {
    const { bench, host } = await benchHitBy({ hangUs: 'forever' });
    host.issue({ command: 0x20, count: 1 });
    await bench.settle();
    expect(bench.idle).toBe(true);
    bench.advance(1);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    expect(await host.read({ command: 0x20, count: 1 }, 512)).toHaveLength(512);
  });
});

describe('a write that hangs', () => {
  it.each([1, 2])('keeps BSY in front of block %i, with the blocks before it taken', async (atBlock) => {
    const { bench, host } = await benchHitBy({ on: [0x30], atBlock, hangUs: 'forever' });
    host.issue({ command: 0x30, lba: 0, count: 2 });
    for (let block = 0; block < atBlock; block++) {
      await bench.settle();
      expect(host.status).toBe(0x58);
      host.writeFifo(pattern(1, block));
    }
    await bench.settle();
    bench.advance(1);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    expect(await host.read({ command: 0x20, lba: 0, count: 1 }, 512)).toEqual(pattern(1, 0));
  });
});

describe('a defect of commands', () => {
  it('passes over some and hits some, of the codes that it is for', async () => {
    const { controller, host } = await benchHitBy({ on: [0xe7], skip: 1, times: 2, fail: { error: 0x04 } });
    const seen: number[] = [];
    for (const command of [0xe7, 0xe5, 0xe7, 0xe7, 0xe7]) seen.push(await host.run({ command }));
    expect(seen).toEqual([0x50, 0x50, 0x51, 0x51, 0x50]);
    expect(controller.disk()?.defects.commands).toEqual<CommandDefect[]>([]);
  });

  it('loses the interrupt of one block, and nothing else', async () => {
    const { bench, host } = await benchHitBy({ loseInterrupt: true, atBlock: 1 });
    host.issue({ command: 0x20, lba: 0, count: 2 });
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x58);
    host.readFifo(new Uint8Array(512));
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x58);
  });

  it('loses the interrupt at the end of a write', async () => {
    const { host } = await benchHitBy({ loseInterrupt: true, atBlock: 2 });
    expect(await host.write({ command: 0x30, lba: 0, count: 2 }, pattern(2, 1))).toBe(0x50);
    expect(host.interrupts).toBe(1);
  });

  it('shows neither data nor an error', async () => {
    const { bench, controller, host } = await benchHitBy({ on: [0xec], lateDrqUs: 'forever' });
    host.issue({ command: 0xec });
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x50);
    expect(controller.read('command0', 0, 16)).toBe(0xffff);
  });

  it('brings DRQ later than the interrupt', async () => {
    const { bench, host } = await benchHitBy({ lateDrqUs: 50 });
    host.issue({ command: 0x20, count: 1 });
    bench.advance(20);
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x50);
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x58);
  });
});

describe('an injected error', () => {
  it('names the sector that it is told', async () => {
    const { host } = await benchHitBy({ fail: { error: 0x10, lba: 0x123456 } });
    expect(await host.run({ command: 0x20, lba: 1, count: 1 })).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x10, 0x123456]);
  });

  it('can be a device fault', async () => {
    const { host } = await benchHitBy({ fail: { deviceFault: true } });
    expect(await host.run({ command: 0x20, lba: 1, count: 1 })).toBe(0x70);
  });

  it('can come with DRQ at the first data-out phase, and takes the block to nowhere', async () => {
    const { bench, host } = await benchHitBy({ on: [0x30], fail: { drq: 'block' } });
    host.issue({ command: 0x30, lba: 5, count: 2 });
    await bench.settle();
    expect(host.status).toBe(0x59);
    host.writeFifo(pattern(1, 1));
    await bench.settle();
    expect(host.status).toBe(0x51);
    expect(await host.read({ command: 0x20, lba: 5, count: 1 }, 512)).toEqual(new Uint8Array(512));
  });

  it('can leave DRQ stuck until so many words were read', async () => {
    const { bench, controller, host } = await benchHitBy({ fail: { drq: 'stuck', stuckWords: 1000 } });
    host.issue({ command: 0x20, lba: 5, count: 1 });
    await bench.settle();
    for (let word = 0; word < 1000; word++) {
      expect(host.alternateStatus).toBe(0x59);
      controller.read('command0', 0, 16);
    }
    expect(host.alternateStatus).toBe(0x51);
  });
});

describe('a status that is stuck', () => {
  it.each([0x7f, 0xff])('reads %i whatever happens', async (stuckStatus) => {
    const { host } = await benchWith({ stuckStatus });
    expect(await host.run({ command: 0xe7 })).toBe(stuckStatus);
    expect(host.alternateStatus).toBe(stuckStatus);
  });

  it('has meaningless bits while BSY is set', async () => {
    const { bench, host } = await benchWith({ statusBitsWhileBusy: 0x09 });
    host.issue({ command: 0xe7 });
    bench.advance(1);
    expect(host.alternateStatus).toBe(0x89);
  });
});

describe('a medium that was changed', () => {
  it('is told once by the next command that needs it', async () => {
    const { host } = await benchWith({ mediumChanged: true });
    expect(await host.run({ command: 0xe5 })).toBe(0x50);
    expect(await host.run({ command: 0x20, count: 1 })).toBe(0x51);
    expect(host.error).toBe(0x20);
    expect(await host.read({ command: 0x20, count: 1 }, 512)).toHaveLength(512);
  });
});

describe('commands that a disk does not know', () => {
  it.each([0x00, 0x06, 0x26, 0x36, 0xb0, 0xc7, 0xcc, 0xff])('%i is aborted', async (command) => {
    const { host } = await createBench({ sectors: 1000 });
    expect(await host.run({ command })).toBe(0x51);
    expect(host.error).toBe(0x04);
    expect(host.interrupts).toBe(1);
  });

  it('SET FEATURES takes PIO modes and refuses DMA modes without DMA', async () => {
    const { host } = await createBench({ disks: [{ sectors: 1000, dma: false }] });
    expect(await host.run({ command: 0xef, features: 0x03, count: 0x0c })).toBe(0x50);
    expect(await host.run({ command: 0xef, features: 0x03, count: 0x45 })).toBe(0x51);
    expect(await host.run({ command: 0xef, features: 0x99 })).toBe(0x51);
  });
});
