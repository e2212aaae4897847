import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, SILENT } from '@ring3/core';
import { type BackendAbility, type BackendFixture, backendConformance } from '@ring3/core/testing';
import { describe } from 'vitest';
import { UioBackend } from './backend.ts';
import type { UioSelector } from './selector.ts';
import { FakeMachine } from './testing/fake-machine.ts';
import { FakeUio } from './testing/fake-uio.ts';

// The kernel-faithful tree: files of sysfs, plain files for memory, and an object for the node's count. The mappings
// are real ones.

const NO_COUNT = 'a plain file counts no accesses';
const NO_FIFO = 'a plain file is no FIFO';

/** How many parts of the machine's files this process has mapped, as the kernel sees it. */
function mappedFiles(machine: FakeMachine): number {
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return maps.filter((line) => line.includes(machine.root)).length;
}

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number) => (left === 0 ? resolve() : void setImmediate(() => next(left - 1)));
    next(count);
  });
}

interface Bench {
  readonly machine: FakeMachine;
  readonly nodes: Map<string, FakeUio>;
  readonly backend: UioBackend;
}

function bench(pageBytes: number): Bench {
  const machine = new FakeMachine();
  const nodes = new Map<string, FakeUio>();
  const openEvents = (path: string) => {
    const found = nodes.get(path);
    if (found === undefined) throw new Error(`${path} is not there`);
    return found.open();
  };
  const native = { pageBytes: () => pageBytes, openEvents, lookMs: 20 };
  return { machine, nodes, backend: new UioBackend({ log: SILENT, roots: machine.roots, native }) };
}

function fixture(bench: Bench, selector: UioSelector, rest: Partial<BackendFixture>): BackendFixture {
  const { machine, nodes, backend } = bench;
  return {
    backend: backend satisfies Backend<UioSelector> as Backend,
    selector,
    settle: (promise) => promise,
    quiet: () => turns(30),
    scratch: [
      { space: 0, offset: 0x10, width: 32 },
      { space: 0, offset: 0x1c, width: 16 },
      { space: 0, offset: 0x1f, width: 8 },
    ],
    absent: { select: { pci: '0000:00:1f.7' } } satisfies UioSelector,
    mappings: () => mappedFiles(machine),
    stop: async () => {
      await backend.close();
      for (const uio of nodes.values()) uio.close();
      machine.close();
    },
    ...rest,
  };
}

/** Takes a device off the tree as the kernel does: the node says EIO, the folders are gone. */
function unbind(machine: FakeMachine, uio: FakeUio | undefined, ...folders: string[]): void {
  for (const folder of folders) machine.remove(folder);
  uio?.unregister();
}

function pciFunction({ machine, nodes }: Bench, slot: number, node: string) {
  const address = `0000:00:0${slot}.0`;
  const start = 0xfeb0_0000 + slot * 0x10_0000;
  const folder = machine.pci({ address, bars: [{ bar: 0, start, sizeBytes: 0x1000 }] });
  machine.bindDriver(folder, 'uio_pci_generic');
  const entry = machine.uio({ node, parent: folder, maps: [{ address: start, sizeBytes: 0x1_0000 }] });
  machine.memory(join(machine.roots.dev, node), 0x1_0000);
  const uio = new FakeUio({ kind: 'generic', config: join(folder, 'config') });
  nodes.set(join(machine.roots.dev, node), uio);
  return { selector: { select: { pci: address } } satisfies UioSelector, uio, entry, level: levelOf(uio) };
}

const levelOf = (uio: FakeUio) => ({ index: 0, raise: () => uio.assert(true), clear: () => uio.assert(false) });

function startPci(pageBytes: number): BackendFixture {
  const own = bench(pageBytes);
  const { selector, uio, entry, level } = pciFunction(own, 4, 'uio0');
  const other = pciFunction(own, 5, 'uio1');
  return fixture(own, selector, {
    level,
    neighbour: { selector: other.selector, level: other.level },
    remove: () => unbind(own.machine, uio, join(own.machine.roots.sys, 'class/uio/uio0'), entry),
  });
}

/** Two maps of a device on the board: the first in the middle of a page, its size known from the device tree only. */
function startPlatform(pageBytes: number, kind: 'masking' | 'counting', type: 'level' | 'edge'): BackendFixture {
  const own = bench(pageBytes);
  const { machine, nodes } = own;
  const base = 0x43c0_0000;
  const reg = [base + 0x80, 0x40, base + pageBytes, 0x100];
  const parent = machine.platform('43c00080.fpga', { compatible: 'acme,fpga\0', reg });
  const name = 'fpga';
  const maps = [
    { name: 'control', address: base, sizeBytes: pageBytes, offset: 0x80 },
    { name: 'samples', address: base + pageBytes, sizeBytes: pageBytes },
  ];
  const entry = machine.uio({ node: 'uio3', parent, name, version: '1.4', maps });
  machine.memory(join(machine.roots.dev, 'uio3'), 2 * pageBytes);
  machine.line(29, kind === 'masking' ? name : 'other', type);
  const uio = new FakeUio({ kind });
  nodes.set(join(machine.roots.dev, 'uio3'), uio);
  let pieces = 0;
  return fixture(
    own,
    { select: { name, version: '>=1.2 <2' } },
    {
      scratch: [
        { space: 0, offset: 0x3c, width: 32 },
        { space: 1, offset: 0, width: 16 },
        { space: 1, offset: 0xff, width: 8 },
      ],
      absent: { select: { name, version: '>=2' } } satisfies UioSelector,
      level: levelOf(uio),
      edge: {
        index: 0,
        raise: () => {
          pieces++;
          uio.pulse();
        },
        take: () => pieces > 0 && pieces-- > 0,
      },
      message: { index: 0, send: () => uio.pulse() },
      remove: () => unbind(machine, uio, join(machine.roots.sys, 'class/uio/uio3'), entry),
    },
  );
}

/** A PCI function that no kernel driver has. */
function startSysfs(): BackendFixture {
  const own = bench(4096);
  const { machine } = own;
  const folder = machine.pci({ enable: '0', bars: [{ bar: 2, start: 0xfebf_1000, sizeBytes: 0x100 }] });
  machine.memory(join(folder, 'resource2'), 0x100);
  return fixture(
    own,
    { select: { vendor: 0x1234, device: 0x11e8 } },
    {
      remove: () => machine.remove(join(machine.roots.sys, 'bus/pci/devices/0000:00:04.0')),
    },
  );
}

function cannot(kinds: Partial<Record<BackendAbility, string>>): Partial<Record<BackendAbility, string>> {
  return { 'count-accesses': NO_COUNT, 'fifo-read': NO_FIFO, 'fifo-write': NO_FIFO, ...kinds };
}

const LINE = 'the line of this device is';
const NOT_SHARED = 'uio_pdrv_genirq shares no lines';

describe.skipIf(process.platform !== 'linux')('on a tree like that of the kernel', () => {
  for (const pageBytes of [4096, 8192, 16384, 65536]) {
    const pages = `${pageBytes / 1024} KiB pages`;
    backendConformance({
      name: `uio_pdrv_genirq, level, ${pages}`,
      cannot: cannot({ edge: `${LINE} a level`, message: `${LINE} a level`, 'shared-line': NOT_SHARED }),
      start: async () => startPlatform(pageBytes, 'masking', 'level'),
    });
  }
  backendConformance({
    name: 'uio_pci_generic',
    cannot: cannot({ edge: `${LINE} a level`, message: `${LINE} a level` }),
    start: async () => startPci(4096),
  });
  backendConformance({
    name: 'uio_pdrv_genirq, edge',
    cannot: cannot({ level: `${LINE} an edge`, message: `${LINE} an edge`, 'shared-line': NOT_SHARED }),
    start: async () => startPlatform(4096, 'masking', 'edge'),
  });
  backendConformance({
    name: 'a kernel driver that counts and does not mask',
    cannot: cannot({ level: 'there is no line', edge: 'there is no line', 'shared-line': 'there is no line' }),
    start: async () => startPlatform(4096, 'counting', 'edge'),
  });
  const NO_LINE = 'without a UIO driver there is no interrupt';
  backendConformance({
    name: 'PCI through sysfs alone',
    cannot: cannot({ level: NO_LINE, edge: NO_LINE, message: NO_LINE, 'shared-line': NO_LINE }),
    start: async () => startSysfs(),
  });
});
