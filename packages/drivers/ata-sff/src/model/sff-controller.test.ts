import { describe, expect, it } from 'vitest';
import model, { optionsSchema } from './index.ts';
import { createBench } from './test-bench.ts';
import { Host, pattern } from './test-host.ts';

const describeModel = (options: object) => model.describe(optionsSchema.parse(options));

describe('the PCI function', () => {
  it('has the fixed ports and interrupts of the AT in compatibility mode', () => {
    const { identity, spaces, interrupts } = describeModel({});
    expect(identity.pci).toMatchObject({ vendorId: 0x1234, classCode: 0x010180 });
    expect(spaces.map(({ name, bar, start, sizeBytes }) => [name, bar, start, sizeBytes])).toEqual([
      ['command0', 0, 0x1f0n, 8],
      ['control0', 1, 0x3f6n, 1],
      ['command1', 2, 0x170n, 8],
      ['control1', 3, 0x376n, 1],
      ['busMaster', 4, 0xc020n, 16],
    ]);
    expect(interrupts.map(({ line, trigger }) => [line, trigger])).toEqual([
      ['IRQ 14', 'edge'],
      ['IRQ 15', 'edge'],
    ]);
  });

  it('has five base address registers and one interrupt in native mode', () => {
    const { identity, spaces, interrupts } = describeModel({
      mode: 'native',
      bars: [0x100, 0x200, 0x300, 0x400],
      busMasterPorts: 0x500,
    });
    expect(identity.pci?.classCode).toBe(0x010185);
    expect(spaces.map(({ start, sizeBytes }) => [start, sizeBytes])).toEqual([
      [0x100n, 8],
      [0x200n, 4],
      [0x300n, 8],
      [0x400n, 4],
      [0x500n, 16],
    ]);
    expect(interrupts).toMatchObject([{ index: 0, trigger: 'level', line: 'INTA' }]);
  });

  it('leaves the control block out where the controller has none', () => {
    expect(describeModel({ controlBlock: false }).spaces.map(({ name }) => name)).toEqual([
      'command0',
      'command1',
      'busMaster',
    ]);
  });

  it('has no fifth one without a bus master', () => {
    const { identity, spaces, busMaster } = describeModel({ busMaster: false });
    expect(identity.pci?.classCode).toBe(0x010100);
    expect(spaces).toHaveLength(4);
    expect(busMaster).toBeUndefined();
  });
});

describe('native mode', () => {
  it('has the control register at offset 2 of its block', async () => {
    const { controller } = await createBench({ mode: 'native', sectors: 1000 });
    expect([0, 1, 2, 3].map((offset) => controller.read('control0', offset, 8))).toEqual([0x7f, 0x7f, 0x50, 0x7f]);
    controller.write('control0', 2, 8, 0x04);
    expect(controller.read('control0', 2, 8) & 0x80).toBe(0x80);
  });

  it('keeps the one line asserted until both channels are served', async () => {
    const { bench, controller, host } = await createBench({
      mode: 'native',
      disks: [
        { channel: 0, sectors: 1000 },
        { channel: 1, sectors: 1000 },
      ],
    });
    const host1 = new Host(bench, controller, 1);
    host.issue({ command: 0xe7 });
    host1.issue({ command: 0xe7 });
    await bench.settle();
    expect(bench.levels[0]).toBe(true);
    expect(host.status).toBe(0x50);
    expect(bench.levels[0]).toBe(true);
    expect(host1.status).toBe(0x50);
    expect(bench.levels[0]).toBe(false);
  });
});

describe('an empty channel', () => {
  it.each([0x7f, 0xff] as const)('floats at %i, whatever is written', async (floatingBus) => {
    const { host } = await createBench({ floatingBus, disks: [] });
    host.issue({ command: 0xec, lba: 0x55, count: 0xaa });
    expect([1, 2, 3, 4, 5, 6, 7].map((offset) => host.in8(offset))).toEqual(Array(7).fill(floatingBus));
    expect(host.alternateStatus).toBe(floatingBus);
  });

  it('floats too where only device 1 is there and device 0 is selected', async () => {
    const { host } = await createBench({ disks: [{ position: 'slave', sectors: 1000 }] });
    expect(host.status).toBe(0x7f);
    host.out8(6, 0x10);
    expect(host.status).toBe(0x50);
  });
});

describe('the data register', () => {
  const ready = async (options = {}) => {
    const made = await createBench({ sectors: 1000, ...options });
    await made.host.write({ command: 0x30, lba: 1, count: 1 }, pattern(1, 7));
    made.host.issue({ command: 0x20, lba: 1, count: 1 });
    await made.bench.settle();
    return { ...made, data: new DataView(pattern(1, 7).buffer) };
  };

  it('gives words, the low byte first, by single accesses and by runs', async () => {
    const { controller, host, data } = await ready();
    expect(controller.read('command0', 0, 16)).toBe(data.getUint16(0, true));
    expect(controller.read('command0', 0, 32)).toBe(data.getUint32(2, true));
    const rest = new Uint8Array(506);
    host.readFifo(rest);
    expect(rest).toEqual(pattern(1, 7).subarray(6));
    expect(host.status).toBe(0x50);
  });

  it('takes words of 16 and 32 bits and runs of any length', async () => {
    const { bench, controller, host, data } = await ready();
    host.readFifo(new Uint8Array(512));
    host.issue({ command: 0x30, lba: 2, count: 1 });
    await bench.settle();
    controller.write('command0', 0, 16, data.getUint16(0, true));
    controller.write('command0', 0, 32, data.getUint32(2, true));
    host.writeFifo(pattern(1, 7).subarray(6));
    await bench.settle();
    expect(await host.read({ command: 0x20, lba: 2, count: 1 }, 512)).toEqual(pattern(1, 7));
  });

  it('reads ones and reports a violation where there are no data', async () => {
    const { controller, host } = await createBench({ sectors: 1000 });
    expect(controller.read('command0', 0, 16)).toBe(0xffff);
    expect(controller.readFifo('command0', 0, 16, new Uint8Array(512))).toBe(false);
    expect(host.violations).toEqual(['data read, but disk at channel 0 master offers none']);
  });

  it('ends a run at the end of the block', async () => {
    const { controller } = await ready();
    const long = new Uint8Array(520);
    expect(controller.readFifo('command0', 0, 16, long)).toBe(true);
    expect(long.subarray(0, 512)).toEqual(pattern(1, 7));
    expect(long.subarray(512)).toEqual(new Uint8Array(8).fill(0xff));
  });

  it('moves one word by a 32-bit access where the controller cannot do more', async () => {
    const { controller, host, data } = await ready({ data32: false });
    expect(controller.read('command0', 0, 32) & 0xffff).toBe(data.getUint16(0, true));
    expect(controller.read('command0', 0, 16)).toBe(data.getUint16(2, true));
    expect(controller.readFifo('command0', 0, 32, new Uint8Array(4))).toBe(false);
    expect(host.violations).toEqual([]);
  });

  it('loses the upper half of a word to an 8-bit access, unless SET FEATURES 01h was accepted', async () => {
    const { controller, data } = await ready();
    expect(controller.read('command0', 0, 8)).toBe(data.getUint8(0));
    expect(controller.read('command0', 0, 8)).toBe(data.getUint8(2));

    const card = await createBench({ disks: [{ sectors: 1000, eightBit: true }] });
    expect(await card.host.run({ command: 0xef, features: 0x01 })).toBe(0x50);
    const bytes = pattern(1, 7);
    card.host.issue({ command: 0x30, lba: 1, count: 1 });
    await card.bench.settle();
    expect(card.controller.writeFifo('command0', 0, 8, bytes)).toBe(true);
    await card.bench.settle();
    card.host.issue({ command: 0x20, lba: 1, count: 1 });
    await card.bench.settle();
    expect([0, 1, 2].map(() => card.controller.read('command0', 0, 8))).toEqual([...bytes.subarray(0, 3)]);
  });

  it('aborts SET FEATURES 01h on a disk that is no CompactFlash card', async () => {
    const { host } = await createBench({ sectors: 1000 });
    expect(await host.run({ command: 0xef, features: 0x01 })).toBe(0x51);
  });
});

describe('switching off', () => {
  it('answers with ones when the power is gone', async () => {
    const { controller, host } = await createBench({ sectors: 1000 });
    controller.cutPower();
    expect(host.status).toBe(0xff);
    expect(controller.read('command0', 0, 16)).toBe(0xffff);
    host.out8(7, 0xec);
    expect(host.status).toBe(0xff);
  });
});
