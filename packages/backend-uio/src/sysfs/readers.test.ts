import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configBytes, FakeMachine } from '../testing/fake-machine.ts';
import { parseReg, parseStrings, readDeviceTreeNode } from './device-tree.ts';
import { readPciFunction } from './pci-function.ts';
import { parsePciHeader } from './pci-header.ts';
import { parsePciResource } from './pci-resource.ts';
import { parseNumber, readAttribute } from './text.ts';
import { readEventCount, readUioEntries } from './uio-entry.ts';

describe('numbers of the kernel', () => {
  it.each([
    ['0x10\n', 16n],
    ['17', 17n],
    ['0xffffffffffffffff', 2n ** 64n - 1n],
  ])('%j is %s', (text, value) => expect(parseNumber(text, 'x')).toBe(value));

  it.each(['', '0x', '-1', '12 apples', '(null)'])('%j is none', (text) => {
    expect(() => parseNumber(text, 'map0/addr')).toThrow(/map0\/addr/);
  });
});

describe('resource of a PCI function', () => {
  it.each([
    [
      '32-bit memory',
      '0x00000000feb00000 0x00000000febfffff 0x0000000000040200',
      { kind: 'memory', start: 0xfeb0_0000n, sizeBytes: 0x10_0000, prefetchable: false },
    ],
    [
      'ports',
      '0x000000000000c000 0x000000000000c00f 0x0000000000040101',
      { kind: 'port', start: 0xc000n, sizeBytes: 16 },
    ],
    [
      '64-bit, prefetchable',
      '0x000000c000000000 0x000000c00fffffff 0x000000000014220c',
      { kind: 'memory', start: 0xc0_0000_0000n, sizeBytes: 0x1000_0000, prefetchable: true },
    ],
    ['no room', '0x0000000000000000 0x0000000000000fff 0x0000000020040200', { sizeBytes: 4096, unassigned: true }],
  ])('%s', (_what, line, expected) => expect(parsePciResource(`${line}\n`)).toMatchObject([{ bar: 0, ...expected }]));

  it('numbers a BAR by its line, leaves out empty ones, and what comes after the sixth', () => {
    const empty = '0x0000000000000000 0x0000000000000000 0x0000000000000000';
    const memory = '0x00000000feb00000 0x00000000feb00fff 0x0000000000040200';
    const text = [empty, empty, memory, empty, empty, memory, memory, ''].join('\n');
    expect(parsePciResource(text).map(({ bar }) => bar)).toEqual([2, 5]);
  });
});

describe('configuration header', () => {
  function withCapabilities(change: (view: DataView) => void): Uint8Array {
    const bytes = configBytes(0x1234, 0x11e8, 1);
    const view = new DataView(bytes.buffer);
    view.setUint16(0x06, 0x0010, true);
    view.setUint8(0x34, 0x40);
    change(view);
    return bytes;
  }

  it('reads what decides about interrupts', () => {
    expect(parsePciHeader(configBytes(0x1234, 0x11e8, 2))).toMatchObject({
      vendorId: 0x1234,
      command: 0x0103,
      headerType: 0,
      interruptPin: 2,
      capabilities: [],
    });
  });

  it('walks the capabilities, and reads pending messages', () => {
    const bytes = withCapabilities((view) => {
      view.setUint16(0x40, 0x5001, true);
      view.setUint16(0x50, 0x0005, true);
      view.setUint16(0x52, 0x0181, true); // enabled, 64 bits, maskable
      view.setUint32(0x64, 5, true);
    });
    const header = parsePciHeader(bytes);
    expect(header?.capabilities).toEqual([
      { id: 1, offset: 0x40 },
      { id: 5, offset: 0x50 },
    ]);
    expect(header?.msi).toEqual({ enabled: true, pending: 5 });
  });

  it('says that it does not know the capabilities when only 64 bytes are shown', () => {
    const bytes = withCapabilities(() => {}).subarray(0, 64);
    expect(parsePciHeader(bytes)).toMatchObject({ interruptPin: 1, capabilities: undefined });
  });

  it('ends a list that runs in a circle', () => {
    const bytes = withCapabilities((view) => view.setUint16(0x40, 0x4001, true));
    expect(parsePciHeader(bytes)?.capabilities?.length).toBe(48);
  });

  it('takes less than a header for none', () => expect(parsePciHeader(new Uint8Array(4))).toBeUndefined());
});

describe('device tree', () => {
  it('splits strings at NULs', () => {
    const bytes = new TextEncoder().encode('acme,x-2\0acme,x\0');
    expect(parseStrings(bytes)).toEqual(['acme,x-2', 'acme,x']);
    expect(parseStrings(new Uint8Array(0))).toEqual([]);
  });

  it.each([
    ['one cell each', [0x43c0_0080, 0x40], 1, 1, [[0x43c0_0080n, 0x40]]],
    ['two cells each', [0, 0x43c0_0080, 0, 0x40], 2, 2, [[0x43c0_0080n, 0x40]]],
    [
      'two pairs',
      [1, 2, 3, 4],
      1,
      1,
      [
        [1n, 2],
        [3n, 4],
      ],
    ],
    ['a broken end', [1, 2, 3], 1, 1, [[1n, 2]]],
    ['no cells', [1], 0, 0, []],
  ] as [string, number[], number, number, [bigint, number][]][])('reg with %s', (_what, words, a, s, expected) => {
    const view = new DataView(new ArrayBuffer(4 * words.length));
    for (const [index, word] of words.entries()) view.setUint32(4 * index, word);
    const entries = parseReg(new Uint8Array(view.buffer), a, s);
    expect(entries.map(({ address, sizeBytes }) => [address, sizeBytes])).toEqual(expected);
  });
});

describe.skipIf(process.platform !== 'linux')('a tree like that of the kernel', () => {
  let machine: FakeMachine;
  beforeEach(() => {
    machine = new FakeMachine();
  });
  afterEach(() => machine.close());

  it('gives UIO devices in the order of their numbers, with maps and ports', () => {
    const parent = machine.platform('43c00000.fpga');
    machine.uio({ node: 'uio10', parent, name: 'late' });
    machine.uio({
      node: 'uio2',
      parent,
      name: 'fpga',
      version: 'devicetree',
      maps: [{ name: 'regs', address: 0x43c0_0000, sizeBytes: 0x1000, offset: 0x80 }],
      ports: [{ name: 'timer', start: 0x40, sizeBytes: 4 }],
    });
    const entries = readUioEntries(machine.roots.sys);
    expect(entries.map(({ node }) => node)).toEqual(['uio2', 'uio10']);
    expect(entries[0]).toMatchObject({
      name: 'fpga',
      version: 'devicetree',
      deviceFolder: parent,
      maps: [{ index: 0, name: 'regs', address: 0x43c0_0000n, sizeBytes: 0x1000, offset: 0x80 }],
      ports: [{ index: 0, name: 'timer', start: 0x40n, sizeBytes: 4, type: 'port_x86' }],
    });
  });

  it('takes empty names, missing maps and a large count as they are', () => {
    const parent = machine.platform('x');
    const folder = machine.uio({
      node: 'uio0',
      parent,
      name: '',
      version: '',
      maps: [{ address: 0, sizeBytes: 0x1000 }],
    });
    machine.remove(join(folder, 'portio'));
    machine.write(join(folder, 'event'), '4294967295\n');
    const [entry] = readUioEntries(machine.roots.sys);
    expect(entry).toMatchObject({ name: '', version: '', maps: [{ name: '' }], ports: [] });
    if (entry !== undefined) expect(readEventCount(entry)).toBe(0xffff_ffff);
    machine.remove(join(folder, 'maps'));
    expect(readUioEntries(machine.roots.sys)[0]?.maps).toEqual([]);
    machine.remove(join(folder, 'name'));
    expect(readUioEntries(machine.roots.sys), 'while it is unregistered').toEqual([]);
  });

  it('gives nothing where UIO is not loaded', () => {
    machine.remove(machine.roots.sys);
    expect(readUioEntries(machine.roots.sys)).toEqual([]);
  });

  it('reads a PCI function', () => {
    machine.pci({ bars: [{ bar: 0, start: 0xfeb0_0000, sizeBytes: 0x10_0000 }], driver: 'vfio-pci' });
    expect(readPciFunction(machine.roots.sys, '0000:00:04.0')).toMatchObject({
      identity: { vendorId: 0x1234, deviceId: 0x11e8, classCode: 0xff00, revision: 0x10, subsystemId: 0x1100 },
      bars: [{ bar: 0 }],
      irq: 11,
      driver: 'vfio-pci',
      driverOverride: undefined,
      enabled: 1,
      header: { interruptPin: 1 },
    });
    expect(readPciFunction(machine.roots.sys, '0000:00:1f.0')).toBeUndefined();
  });

  it('reads a node of the device tree', () => {
    const folder = machine.platform('fpga', { compatible: 'acme,x-2\0acme,x\0', reg: [0x43c0_0080, 0x40] });
    expect(readDeviceTreeNode(folder)).toEqual({
      compatible: ['acme,x-2', 'acme,x'],
      reg: [{ address: 0x43c0_0080n, sizeBytes: 0x40 }],
      hasInterrupts: true,
    });
    expect(readDeviceTreeNode(machine.platform('plain'))).toBeUndefined();
  });

  it.skipIf(process.getuid?.() === 0)('says permission for what is there and closed', async () => {
    const { chmodSync } = await import('node:fs');
    const path = machine.write('sys/closed', '1');
    chmodSync(path, 0);
    expect(() => readAttribute(path)).toThrow(expect.objectContaining({ code: 'permission' }));
  });
});
