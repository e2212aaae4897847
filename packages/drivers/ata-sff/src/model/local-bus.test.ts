import { simulate } from '@ring3/backend-sim';
import type { Width } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import model, { type ControllerOptionsInput, optionsSchema } from './index.ts';
import { createBench } from './test-bench.ts';
import { type Bus, Host, pattern } from './test-host.ts';

type BusInput = Extract<NonNullable<ControllerOptionsInput['bus']>, { kind: 'memory' }>;

const START = 0x1a000;

const optionsOf = (bus: Partial<BusInput> = {}, disk = {}): ControllerOptionsInput => ({
  bus: { kind: 'memory', start: START, ...bus },
  disks: [{ sectors: 1000, compactFlash: true, ...disk }],
});

/** A card behind a local bus, and a host that knows where its registers are. */
async function createCard(bus: Partial<BusInput> = {}, disk = {}) {
  const { bench, controller } = await createBench(optionsOf(bus, disk));
  const { stride = 1, controlStart, controlOffset = 0 } = bus;
  const place = (space: string, offset: number): [string, number] => {
    if (space === 'command0') return [space, offset * stride];
    return controlStart === undefined ? ['command0', controlOffset] : ['control0', controlOffset];
  };
  const wiring: Bus = {
    violations: controller.violations,
    read: (space: string, offset: number, width: Width) => controller.read(...place(space, offset), width),
    write: (space: string, offset: number, width: Width, value: number) =>
      controller.write(...place(space, offset), width, value),
    readFifo: (space: string, offset: number, width: Width, into: Uint8Array) =>
      controller.readFifo(...place(space, offset), width, into),
    writeFifo: (space: string, offset: number, width: Width, from: Uint8Array) =>
      controller.writeFifo(...place(space, offset), width, from),
  };
  return { bench, controller, host: new Host(bench, wiring) };
}

describe('a channel on a local bus', () => {
  it('is no PCI function, and is called what the device tree calls it', () => {
    const described = model.describe(optionsSchema.parse(optionsOf({ stride: 4, controlStart: 0x1a100 })));
    expect(described).toEqual({
      identity: { name: 'ata', compatible: ['ata-generic'] },
      spaces: [
        { name: 'command0', kind: 'memory', start: 0x1a000n, sizeBytes: 32 },
        { name: 'control0', kind: 'memory', start: 0x1a100n, sizeBytes: 4 },
      ],
      interrupts: [{ index: 0, name: 'intrq', trigger: 'level', line: 'IRQ 9' }],
    });
  });

  it('has its control register in the same region, or nowhere, and may be without interrupt', () => {
    const spaces = (bus: Partial<BusInput>) => {
      const { spaces, interrupts } = model.describe(optionsSchema.parse(optionsOf({ ...bus, interrupt: false })));
      return [spaces.map(({ name, sizeBytes }) => `${name} ${sizeBytes}`), interrupts];
    };
    expect(spaces({ stride: 2, controlOffset: 28 })).toEqual([['command0 30'], []]);
    expect(spaces({})).toEqual([['command0 8'], []]);
  });

  it.each([
    { stride: 1, controlStart: 0x2000 },
    { stride: 1, controlOffset: 14 },
    { stride: 2, controlOffset: 28 },
    { stride: 4, controlStart: 0x2000, controlOffset: 24 },
    { stride: 4096, controlStart: 0x2_0000 },
  ])('reads and writes by 16 bits (%j)', async (bus) => {
    const { host } = await createCard(bus);
    expect(host.alternateStatus).toBe(0x50);
    expect(await host.write({ command: 0x30, lba: 3, count: 3 }, pattern(3, 1))).toBe(0x50);
    expect(await host.read({ command: 0x20, lba: 3, count: 3 }, 3 * 512)).toEqual(pattern(3, 1));
    expect(host.address(false)).toBe(5);
    host.control(0x04);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    expect(host.violations).toEqual([]);
  });

  it('gives a byte of a register on the lower lanes only', async () => {
    const { controller, host } = await createCard({ stride: 4, controlStart: 0x2000 });
    host.out8(3, 0x5a);
    expect([12, 13, 14].map((offset) => controller.read('command0', offset, 8))).toEqual([0x5a, 0xff, 0x5a]);
    expect(controller.read('command0', 12, 16)).toBe(0xff5a);
    expect(controller.read('command0', 12, 32)).toBe(0xff5a_ff5a);
    controller.write('command0', 16, 16, 0x1234);
    expect(host.in8(4)).toBe(0x34);
    expect(controller.read('control0', 0, 16)).toBe(0xff50);
  });

  it('moves two words by a 32-bit access, where the stride leaves room for them', async () => {
    const { bench, controller, host } = await createCard({ stride: 4 });
    controller.disk()?.medium.write(1, pattern(1, 2));
    host.issue({ command: 0x20, lba: 1, count: 1 });
    await bench.settle();
    expect(controller.read('command0', 0, 32)).toBe(new DataView(pattern(1, 2).buffer).getUint32(0, true));
  });

  it('has no interrupt where none is connected', async () => {
    const { bench, host } = await createCard({ interrupt: false });
    expect(await host.run({ command: 0xe7 })).toBe(0x50);
    expect([bench.pulses, bench.levels]).toEqual([[], []]);
    const { host: connected } = await createCard();
    await connected.run({ command: 0xe7 });
    expect(connected.interrupts).toBe(1);
  });

  it('has no bus master: a DMA command waits until a reset', async () => {
    const { bench, controller, host } = await createCard({ controlOffset: 14 });
    host.issue({ command: 0xc8, count: 1 });
    await bench.settle();
    expect(host.alternateStatus).toBe(0x58);
    expect(controller.read('busMaster', 0, 8)).toBe(0xff);
  });
});

describe('a data port of 8 bits', () => {
  it('moves sectors byte by byte, after SET FEATURES 01h', async () => {
    const { bench, controller, host } = await createCard({ dataWidth: 8, stride: 2 });
    expect(await host.run({ command: 0xef, features: 0x01 })).toBe(0x50);
    const bytes = pattern(1, 3);
    host.issue({ command: 0x30, lba: 1, count: 1 });
    await bench.settle();
    for (const byte of bytes) controller.write('command0', 0, 8, byte);
    await bench.settle();
    host.issue({ command: 0x20, lba: 1, count: 1 });
    await bench.settle();
    const into = new Uint8Array(512);
    expect(controller.readFifo('command0', 0, 16, into)).toBe(false);
    expect(controller.readFifo('command0', 0, 8, into)).toBe(true);
    expect(into).toEqual(bytes);
    expect(host.status).toBe(0x50);
  });

  it('splits wider accesses, and loses every other byte before', async () => {
    const { bench, controller, host } = await createCard({ dataWidth: 8, stride: 2 });
    controller.disk()?.medium.write(1, pattern(1, 4));
    const [a, , c] = pattern(1, 4);
    host.issue({ command: 0x20, lba: 1, count: 1 });
    await bench.settle();
    expect(controller.read('command0', 0, 16)).toBe((a ?? 0) | ((c ?? 0) << 8));
    host.control(0x04);
  });
});

describe('a CompactFlash card', () => {
  it('says that it is one, with its size in words 7 and 8', async () => {
    const { host } = await createCard({}, { sectors: 0x2_0001 });
    const words = new Uint16Array((await host.read({ command: 0xec }, 512)).buffer);
    expect([words[0], words[7], words[8]]).toEqual([0x848a, 2, 1]);
    expect([words[83], words[86]].map((word = 0) => word & 0x0004)).toEqual([4, 4]);
    expect([words[63], words[88]]).toEqual([0x0007, 0x007f]); // No firmware has selected a mode.
  });

  it('takes the commands of the CFA feature set', async () => {
    const { host } = await createCard();
    expect(await host.run({ command: 0xc0, lba: 5, count: 3 })).toBe(0x50);
    expect(await host.write({ command: 0x38, lba: 5, count: 1 }, pattern(1, 5))).toBe(0x50);
    expect(await host.read({ command: 0x20, lba: 5, count: 1 }, 512)).toEqual(pattern(1, 5));
    await host.run({ command: 0xc6, count: 2 });
    expect(await host.write({ command: 0xcd, lba: 6, count: 2 }, pattern(2, 6), 1024)).toBe(0x50);
    expect(await host.run({ command: 0x03 })).toBe(0x50);
    expect(host.error).toBe(0);
    const translated = await host.read({ command: 0x87, lba: 64 }, 512);
    expect([...translated.subarray(0, 7)]).toEqual([0, 0, 1, 2, 0, 0, 64]);
    expect(await host.run({ command: 0xc0, lba: 999, count: 2 })).toBe(0x51);
    expect([host.error, host.address(false)]).toEqual([0x10, 1000]);
  });

  it.each([0x03, 0x38, 0x87, 0xc0, 0xcd])('has commands that disks abort: %i', async (command) => {
    const { host } = await createCard({}, { compactFlash: false });
    expect(await host.run({ command, count: 1 })).toBe(0x51);
    expect(host.error).toBe(0x04);
  });
});

it('a card works on a simulated machine', async () => {
  const simulation = await simulate(model, optionsSchema.parse(optionsOf({ stride: 4 })));
  expect(simulation.device.description.id).toBe('ata@1a000');
  await simulation.run(new Promise<void>((resolve) => void simulation.clock.after(1000, resolve)));
  expect(simulation.memory('command0').read8(28)).toBe(0x50);
  await simulation.close();
});
