import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DmaPool, type Logger, SILENT } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UioBackend } from './backend.ts';
import { UIO_SELECTOR, type UioSelector } from './selector.ts';
import { FakeMachine } from './testing/fake-machine.ts';

const PAGES = 'sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';
const EDU = {
  select: { pci: '0000:00:04.0' },
  dma: { memory: 'huge-pages', sizeMiB: 4 },
} satisfies UioSelector;

describe.skipIf(process.arch !== 'x64')('memory for DMA', () => {
  let machine: FakeMachine;
  let folder: string;
  let backend: UioBackend;
  let events: string[];
  beforeEach(() => {
    machine = new FakeMachine();
    machine.write(PAGES, '4\n');
    folder = machine.pci({ bars: [{ bar: 0, start: 0xfeb0_0000, sizeBytes: 0x1000 }] });
    events = [];
    const say = (what: string) => (message: string) => void events.push(`${what}: ${message}`);
    const log: Logger = { ...SILENT, warn: say('warn'), error: say('error') };
    const hugePages = (sizeBytes: number) => {
      const pool = new DmaPool('huge pages', [{ busAddress: 0x20_0000n, bytes: new Uint8Array(sizeBytes) }]);
      return { pool, close: () => void events.push(`pages given back, command ${command().toString(16)}`) };
    };
    backend = new UioBackend({ log, roots: machine.roots, native: { pageBytes: () => 4096, hugePages } });
  });
  afterEach(async () => {
    await backend.close();
    machine.close();
  });

  const command = () => readFileSync(join(folder, 'config')).readUInt16LE(4);
  const isBusMaster = () => (command() & 0x4) !== 0;

  it('is what the configuration gives, and it is said aloud that nothing checks its addresses', async () => {
    const device = await backend.open(EDU);
    expect(device.description.dma).toEqual({ memory: 'huge pages, physical addresses', sizeBytes: 4 * 2 ** 20 });
    expect(isBusMaster(), 'before the driver asks').toBe(false);
    const dma = device.openDma();
    expect(isBusMaster()).toBe(true);
    expect(device.openDma(), 'there is one').toBe(dma);
    expect(dma.allocate(4096).busAddress).toBe(0x20_0000n);
    expect(events).toEqual([
      expect.stringMatching(/^warn: 0000:00:04.0: transfers to physical addresses, for lab use/),
    ]);
  });

  it('is given back after the device is off the bus, whoever forgot to silence it', async () => {
    const device = await backend.open(EDU);
    const dma = device.openDma();
    await device.close();
    expect(events.at(-1)).toBe('pages given back, command 503');
    expect(() => dma.allocate(64)).toThrow(expect.objectContaining({ code: 'closed' }));
  });

  it('is given back when the device was pulled out', async () => {
    const device = await backend.open(EDU);
    device.openDma();
    rmSync(join(machine.roots.sys, 'bus/pci/devices/0000:00:04.0'));
    await device.close();
    expect(events.at(-1)).toMatch(/^pages given back/);
  });

  it('is not there unless the configuration gives some', async () => {
    const device = await backend.open({ select: EDU.select });
    expect(device.description.dma).toBeUndefined();
    expect(() => device.openDma()).toThrow(/dma: \{ memory: huge-pages, sizeMiB: 4 \}/);
  });

  it.each([
    ['an IOMMU translates', /an IOMMU translates its transfers .*VFIO/, () => translate('DMA-FQ')],
    ['pages are missing', /2 of 2 MiB are needed, 0 of 1 are free/, () => machine.write(PAGES, '1\n')],
  ] as const)('is refused where %s, and told beforehand', async (_what, words, spoil) => {
    spoil();
    expect((await backend.describe(EDU)).obstacles).toContainEqual(expect.stringMatching(words));
    const device = await backend.open(EDU);
    expect(() => device.openDma()).toThrow(words);
    expect(isBusMaster()).toBe(false);
  });

  it('is given where the IOMMU passes addresses on', async () => {
    translate('identity');
    const device = await backend.open(EDU);
    expect(device.openDma().allocate(64).bytes.length).toBe(64);
  });

  it.skipIf(process.getuid?.() === 0)('is refused where the bus cannot be mastered', async () => {
    chmodSync(join(folder, 'config'), 0o444);
    const device = await backend.open(EDU);
    expect(() => device.openDma()).toThrow(expect.objectContaining({ code: 'permission' }));
  });

  it.each([0, 3, 2.5, 4096])('has no size of %s MiB', (sizeMiB) => {
    expect(() => UIO_SELECTOR.parse({ ...EDU, dma: { memory: 'huge-pages', sizeMiB } })).toThrow(/sizeMiB/);
  });

  function translate(type: string): void {
    mkdirSync(join(machine.roots.sys, 'kernel/iommu_groups/3'), { recursive: true });
    machine.write('sys/kernel/iommu_groups/3/type', `${type}\n`);
    symlinkSync(join(machine.roots.sys, 'kernel/iommu_groups/3'), join(folder, 'iommu_group'));
  }
});
