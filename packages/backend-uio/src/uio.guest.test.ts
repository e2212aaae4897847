import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Backend, type InterruptSource, interruptAfter, type RegisterSpace } from '@ring3/core';
import { type BackendFixture, backendConformance, dmaConformance, type Spaces } from '@ring3/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { UioBackend } from './backend.ts';
import { planBinding } from './binding/plan-binding.ts';
import { openUioEvents } from './interrupts/uio-events.ts';
import { PciConfigSpace } from './pci-config-space.ts';
import type { UioSelector } from './selector.ts';
import {
  ACKNOWLEDGE,
  attribute,
  bind,
  DMA_SOURCE,
  DMA_TARGET,
  EDU,
  edus,
  IDENTITY,
  inMachine,
  milliseconds,
  newBackend,
  OTHER,
  PCI,
  RAISE,
  selectorOf,
  unbind,
} from './testing/edu.ts';
import { eduDma, openEduDma, reservePages } from './testing/edu-dma.ts';

// QEMU's edu (docs/specs/edu.rst) under a real kernel, in the virtual machine only.

function first(spaces: Spaces): RegisterSpace {
  return spaces[0] ?? expect.fail('no space was opened');
}

const level = {
  index: 0,
  raise: (spaces: Spaces) => first(spaces).write32(RAISE, 1),
  clear: (spaces: Spaces) => first(spaces).write32(ACKNOWLEDGE, 0xffff_ffff),
};

/** How often a file of the device is mapped in this process, as the kernel says. */
function mappings(): number {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return lines.filter((line) => /\/dev\/uio\d+$|\/resource\d$/.test(line)).length;
}

function fixture(backend: UioBackend, rest: Partial<BackendFixture>): BackendFixture {
  return {
    backend: backend satisfies Backend<UioSelector> as Backend,
    selector: selectorOf(EDU),
    settle: (promise) => promise,
    quiet: () => milliseconds(30),
    scratch: [
      { space: 0, offset: DMA_SOURCE, width: 32 },
      { space: 0, offset: DMA_TARGET, width: 32 },
    ],
    absent: { select: { pci: '0000:00:1f.7' } } satisfies UioSelector,
    mappings,
    stop: () => backend.close(),
    ...rest,
  };
}

const cannot = {
  'count-accesses': 'edu counts no accesses; a trace of QEMU does',
  'fifo-read': 'edu has no FIFO',
  'fifo-write': 'edu has no FIFO',
  edge: 'INTx is a level',
  message: 'uio_pci_generic offers no messages',
} as const;

describe.skipIf(!inMachine)('edu under uio_pci_generic', () => {
  beforeAll(async () => {
    for (const address of edus) await bind(address);
    reservePages(8);
  });
  afterAll(async () => {
    for (const address of edus) await unbind(address);
  });

  backendConformance({
    name: 'uio_pci_generic',
    cannot,
    timeoutMs: 60_000,
    start: async () => {
      const backend = newBackend();
      return fixture(backend, {
        level,
        neighbour: { selector: selectorOf(OTHER), level },
        remove: async () => void (await unbind()),
        stop: async () => {
          await backend.close();
          await bind();
        },
      });
    },
  });

  /** The device with its registers and its interrupt, whose owner acknowledges what the device says. */
  async function open(settings: Partial<UioSelector> = {}) {
    const backend = newBackend();
    onTestFinished(() => backend.close());
    const device = await backend.open({ ...selectorOf(EDU), ...settings });
    const [space] = device.description.spaces;
    const [interrupt] = device.description.interrupts;
    if (space === undefined || interrupt === undefined) expect.fail('edu is described without registers or interrupt');
    const registers = device.openSpace(space);
    const source = device.openInterrupt(interrupt);
    return { backend, device, registers, source };
  }

  function own(source: InterruptSource, registers: RegisterSpace): void {
    source.attach(() => {
      registers.write32(ACKNOWLEDGE, 0xffff_ffff);
      return 'handled';
    });
    source.enable();
  }

  it('is the device that it says it is', async () => {
    const { device, registers } = await open();
    expect(registers.read32(IDENTITY) & 0xff).toBe(0xed);
    expect(device.description).toMatchObject({
      id: EDU,
      spaces: [{ kind: 'memory', bar: 0, sizeBytes: 0x10_0000 }],
      interrupts: [{ trigger: 'level', line: `IRQ ${attribute(EDU, 'irq')}` }],
    });
  });

  it('gives 200 interrupts, each once, and the kernel counts the same', async () => {
    const { device, registers, source } = await open();
    const [entry = ''] = readdirSync(`${PCI}/${EDU}/uio`);
    const counted = () => Number(attribute(EDU, `uio/${entry}/event`));
    own(source, registers);
    const before = counted();
    for (let round = 0; round < 200; round++) {
      await interruptAfter(source, device.clock, 5_000_000, () => registers.write32(RAISE, 1));
    }
    await milliseconds(30);
    expect(source.statistics).toEqual({ events: 200, handled: 200, notMine: 0, storms: 0 });
    expect(counted() - before).toBe(200);
  });

  it('survives a storm: the line is masked, the loop goes on, and the line works again', async () => {
    const { device, registers, source } = await open();
    let mine = false;
    source.attach(() => {
      if (!mine) return 'not-mine';
      registers.write32(ACKNOWLEDGE, 0xffff_ffff);
      return 'handled';
    });
    source.enable();
    registers.write32(RAISE, 1);
    while (source.statistics.storms === 0) await milliseconds(5);
    await stat('/proc');
    const handled = source.next().interrupt;
    mine = true;
    await handled;
    await interruptAfter(source, device.clock, 5_000_000, () => registers.write32(RAISE, 1));
    expect(source.statistics.storms).toBeGreaterThanOrEqual(1);
  });

  it('masks the interrupt and ends bus mastering when it is silenced', async () => {
    const { device, registers, source } = await open({ busMaster: true });
    const config = new PciConfigSpace(`${PCI}/${EDU}/config`);
    onTestFinished(() => config.close());
    own(source, registers);
    expect(config.read16(4) & 0x0404).toBe(0x0004);
    device.silence();
    expect(config.read16(4) & 0x0404).toBe(0x0400);
    registers.write32(RAISE, 1);
    await milliseconds(30);
    expect(source.statistics.events).toBe(0);
    registers.write32(ACKNOWLEDGE, 0xffff_ffff);
  });

  dmaConformance(eduDma('huge pages under uio_pci_generic'));

  it('transfers to memory until it is silenced, and no longer', async () => {
    const { backend, device, dma, copy } = await openEduDma();
    onTestFinished(() => backend.close());
    const [from, to] = [dma.allocate(64, { addressBits: 32 }), dma.allocate(64, { addressBits: 32 })];
    from.bytes.fill(0x5a);
    await copy(from.busAddress, to.busAddress, 64);
    expect(to.bytes).toEqual(from.bytes);
    await device.silence?.();
    to.bytes.fill(0);
    await copy(from.busAddress, to.busAddress, 64);
    expect(to.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('takes over a line that a killed process left masked', async () => {
    const config = new PciConfigSpace(`${PCI}/${EDU}/config`);
    onTestFinished(() => config.close());
    config.write8(5, config.read8(5) | 0x04);
    const { device, registers, source } = await open();
    registers.write32(RAISE, 1);
    source.attach(() => {
      registers.write32(ACKNOWLEDGE, 0xffff_ffff);
      return 'handled';
    });
    await interruptAfter(source, device.clock, 5_000_000, () => source.enable());
  });

  describe('eight waits at once', () => {
    const node = () => `/dev/${readdirSync(`${PCI}/${EDU}/uio`)[0]}`;

    it('all see an interrupt; files and names are served meanwhile; closing ends them at once', async () => {
      const { registers, source } = await open();
      own(source, registers);
      const seen = new Set<number>();
      const waits = Array.from({ length: 8 }, (_, index) => {
        const events = openUioEvents(node());
        const watch = events.watch(() => {
          if (events.read() !== undefined) seen.add(index);
        });
        return { events, watch };
      });
      await Promise.all([...Array.from({ length: 16 }, () => stat('/proc')), lookup('127.0.0.1')]);
      registers.write32(RAISE, 1);
      while (seen.size < 8) await milliseconds(5);
      for (const { watch, events } of waits) {
        watch.close();
        events.close();
      }
      seen.clear();
      registers.write32(RAISE, 1);
      await milliseconds(30);
      expect(seen.size).toBe(0);
    });

    it.each([
      ['exit', 7],
      ['close', 0],
    ] as const)('end with the process: %s', { timeout: 180_000 }, async (how, status) => {
      const script = fileURLToPath(new URL('./testing/eight-waits.ts', import.meta.url));
      const child = spawn(process.execPath, ['--conditions=ring3-source', script, node(), how], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [code] = await once(child, 'exit');
      expect(code).toBe(status);
    });
  });
});

describe.skipIf(!inMachine)('edu through sysfs alone', () => {
  beforeAll(() => reservePages(8));
  beforeEach(async () => void (await unbind()));

  dmaConformance(eduDma('huge pages, through sysfs alone'));

  const why = 'without a UIO driver there is no interrupt';
  backendConformance({
    name: 'sysfs',
    cannot: {
      ...cannot,
      level: why,
      edge: why,
      message: why,
      'shared-line': why,
      remove: 'the kernel has no driver to unbind',
    },
    timeoutMs: 60_000,
    start: async () => fixture(newBackend(), {}),
  });

  it('says that it gives registers only', async () => {
    const description = await newBackend().describe(selectorOf(EDU));
    expect(description.interrupts).toEqual([]);
    expect(description.obstacles).toEqual([expect.stringContaining(`ring3 bind ${EDU}`)]);
  });
});

describe.skipIf(!inMachine)('the machine', () => {
  it('does not give away the root file system', () => {
    const share = readdirSync(PCI).filter((address) => attribute(address, 'vendor') === '0x1af4');
    const refused = share.filter((address) => {
      try {
        planBinding({}, 'bind', address);
        return false;
      } catch (error) {
        return String(error).includes('the shared folder host is mounted');
      }
    });
    expect(refused.length).toBeGreaterThan(0);
  });
});
