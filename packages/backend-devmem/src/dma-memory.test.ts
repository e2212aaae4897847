import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { DmaPool, type Logger, SILENT } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DevmemSelector } from './selector.ts';
import { type FakeMachine, fakeMachine } from './test-machine.ts';

const IDE = 'sys/bus/pci/devices/0000:00:01.1';
const PAGES = 'sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';
const DMA = { memory: 'huge-pages', sizeMiB: 2 } as const;
/** The first channel of an IDE function in compatibility mode, whose ports stand under PCI as well. */
const CHANNEL: DevmemSelector = { name: 'ata', ports: [{ name: 'command0', start: 0x1f0, size: 8 }], dma: DMA };
const FPGA: DevmemSelector = { name: 'fpga', memory: [{ name: 'regs', address: 0x43c0_0000, size: 64 }], dma: DMA };
const RESOURCE = `0x00000000000001f0 0x00000000000001f7 0x0000000000000110
0x00000000000003f6 0x00000000000003f6 0x0000000000000110
0x0000000000000000 0x0000000000000000 0x0000000000000000
`;

describe.skipIf(process.arch !== 'x64')('memory for DMA', () => {
  let machine: FakeMachine;
  let events: string[];
  beforeEach(() => {
    events = [];
    const say = (what: string) => (message: string) => void events.push(`${what}: ${message}`);
    const log: Logger = { ...SILENT, warn: say('warn'), error: say('error') };
    const hugePages = (sizeBytes: number) => {
      const pool = new DmaPool('huge pages', [{ busAddress: 0x20_0000n, bytes: new Uint8Array(sizeBytes) }]);
      return { pool, close: () => void events.push(`pages given back, command ${command()}`) };
    };
    machine = fakeMachine({ log, hugePages });
    machine.write(PAGES, '1\n');
    machine.write(`${IDE}/resource`, RESOURCE);
    machine.write(`${IDE}/config`, '\x01\x02\x03\x04\x01\x00');
  });
  afterEach(async () => {
    await machine.backend.close();
    machine.remove();
  });

  const command = () => readFileSync(machine.path(`${IDE}/config`))[4];

  test('makes the PCI function whose ports these are a bus master, until it is silenced', async () => {
    const device = await machine.backend.open(CHANNEL);
    expect(device.description.dma?.sizeBytes).toBe(2 * 2 ** 20);
    expect(command(), 'before the driver asks').toBe(0x01);
    const dma = await device.openDma?.();
    expect(command()).toBe(0x05);
    expect(events).toEqual([expect.stringMatching(/^warn: ata@1f0: .* lab use \(bus master: 0000:00:01.1\)/)]);
    device.silence?.();
    expect(command()).toBe(0x01);
    await device.close();
    expect(events.at(-1)).toBe('pages given back, command 1');
    expect(() => dma?.allocate(4)).toThrow(expect.objectContaining({ code: 'closed' }));
  });

  test('is given back after the bus was taken away, whoever forgot to silence the device', async () => {
    const device = await machine.backend.open(CHANNEL);
    await device.openDma?.();
    await device.close();
    expect(events.at(-1)).toBe('pages given back, command 1');
  });

  test('of a driver that is dead is used no more once its device is silenced', async () => {
    machine.write(`${IDE}/config`, '\x01\x02\x03\x04\x05\x00');
    const device = await machine.backend.open(CHANNEL); // Nobody asks for memory: this is the supervisor.
    device.silence?.();
    expect(command()).toBe(0x01);
  });

  test('leaves the bridge alone that the device is behind', async () => {
    const none = '0x0000000000000000 0x0000000000000000 0x0000000000000000\n';
    const window = '0x0000000000000000 0x0000000000000fff 0x0000000000000101\n';
    machine.write('sys/bus/pci/devices/0000:00:1c.0/resource', `${none.repeat(7)}${window}`);
    machine.write('sys/bus/pci/devices/0000:00:1c.0/config', '\x01\x02\x03\x04\x07\x00');
    const device = await machine.backend.open(CHANNEL);
    await device.openDma?.();
    device.silence?.();
    expect(readFileSync(machine.path('sys/bus/pci/devices/0000:00:1c.0/config'))[4]).toBe(0x07);
  });

  test('of two functions is given to both or to none', async () => {
    const OTHER = 'sys/bus/pci/devices/0000:00:01.2';
    machine.write(`${OTHER}/resource`, RESOURCE);
    mkdirSync(machine.path(`${OTHER}/config`)); // It cannot be opened: EISDIR.
    const device = await machine.backend.open(CHANNEL);
    expect(() => device.openDma?.()).toThrow(/bus mastering of 0000:00:01.2/);
    expect(command()).toBe(0x01);
    expect(events).toEqual(['pages given back, command 1']);
  });

  test('is kept where the bus cannot be taken away', async () => {
    const device = await machine.backend.open(CHANNEL);
    await device.openDma?.();
    machine.write(`${IDE}/config`, undefined);
    mkdirSync(machine.path(`${IDE}/config`)); // What is opened is no file any more: EISDIR.
    await device.close();
    expect(events.at(-1)).toMatch(/^error: ata@1f0: bus mastering could not be ended, so its memory is kept/);
  });

  test('is lent to a device that is on no PCI bus, and the log says that nobody can stop it', async () => {
    const device = await machine.backend.open(FPGA);
    await device.openDma?.();
    expect(events).toEqual([expect.stringMatching(/nobody but its driver can stop them/)]);
    expect(command()).toBe(0x01);
  });

  test('is refused behind an IOMMU, and that is told beforehand', async () => {
    machine.write('sys/kernel/iommu_groups/3/type', 'DMA\n');
    symlinkSync(machine.path('sys/kernel/iommu_groups/3'), machine.path(`${IDE}/iommu_group`));
    const { obstacles } = await machine.backend.describe(CHANNEL);
    expect(obstacles).toContainEqual(expect.stringMatching(/0000:00:01.1: an IOMMU translates.*VFIO/));
    const device = await machine.backend.open(CHANNEL);
    expect(() => device.openDma?.()).toThrow(/an IOMMU translates/);
    expect(command()).toBe(0x01);
  });

  test('is there only where the configuration gives some', async () => {
    const device = await machine.backend.open({ ...FPGA, dma: undefined });
    expect(device.description.dma).toBeUndefined();
    expect(() => device.openDma?.()).toThrow(/dma: \{ memory: huge-pages/);
  });
});
