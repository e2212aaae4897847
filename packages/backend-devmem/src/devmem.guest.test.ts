import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Backend, isDeviceError, SILENT, SystemClock, sleep } from '@ring3/core';
import { type BackendFixture, backendConformance, dmaConformance, type Spaces } from '@ring3/core/testing';
import { errnoOf, type KernelResource, mapRegisters, readKernelResources } from '@ring3/linux';
import { describe, expect, test } from 'vitest';
import { eduDma } from '../../backend-uio/src/testing/edu-dma.ts';
import { DevmemBackend } from './backend.ts';
import { holdersOf } from './holders.ts';
import { readMachine } from './machine.ts';
import { heldBeside, heldInside } from './obstacles.ts';
import { planSpaces } from './planned-space.ts';
import type { DevmemSelector } from './selector.ts';
import { barOf, pciFunctions, unbind, wake } from './test-guest.ts';

// Runs in the virtual machine, on Debian's kernel: STRICT_DEVMEM and IO_STRICT_DEVMEM are on.

const [EDU = ''] = pciFunctions('0x1234', '0x11e8');
const [SERIAL = '', OTHER_SERIAL = ''] = pciFunctions('0x1b36', '0x0002');
const PAGE = 4096;

/** Registers of QEMU's edu device. Source: QEMU, docs/specs/edu.rst. */
const EDU_REGISTER = { id: 0x00, interrupt: 0x24, raise: 0x60, acknowledge: 0x64, dmaSource: 0x80, dmaTarget: 0x88 };
/** The scratch register of a 16550. */
const SCRATCH = 7;

const real = { settle: <T>(promise: Promise<T>) => promise, quiet: () => sleep(new SystemClock(), 50_000) };

function eduSelector(): DevmemSelector {
  const { start, sizeBytes } = barOf(EDU, 0);
  return {
    name: 'edu',
    memory: [
      {
        name: 'registers',
        address: start,
        size: sizeBytes,
        widths: [32],
        flush: { offset: EDU_REGISTER.id, width: 32 },
      },
    ],
    polledInterrupt: { space: 'registers', offset: EDU_REGISTER.interrupt, width: 32 },
  };
}

function startEdu(): BackendFixture {
  wake(EDU);
  const backend = new DevmemBackend({ log: SILENT });
  return {
    ...real,
    backend: backend satisfies Backend<DevmemSelector> as Backend,
    selector: eduSelector(),
    scratch: [
      { space: 0, offset: EDU_REGISTER.dmaSource, width: 32 },
      { space: 0, offset: EDU_REGISTER.dmaTarget, width: 32 },
    ],
    absent: { memory: [{ name: 'registers', resource: 'nowhere' }] },
    mappings: () =>
      readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .filter((line) => line.endsWith(' /dev/mem')).length,
    level: {
      index: 0,
      raise: ([registers]: Spaces) => registers?.write32(EDU_REGISTER.raise, 1),
      clear: ([registers]: Spaces) => registers?.write32(EDU_REGISTER.acknowledge, 1),
    },
    stop: () => backend.close(),
  };
}

backendConformance({
  name: 'devmem on edu',
  cannot: {
    'count-accesses': 'counted by the trace of QEMU, from outside',
    'fifo-read': 'edu has no FIFO',
    'fifo-write': 'edu has no FIFO',
    edge: 'polling sees levels only',
    message: 'polling sees levels only',
    'shared-line': 'nobody shares a register that is polled',
    remove: 'nobody tells when such a device goes',
  },
  start: async () => startEdu(),
});

dmaConformance(
  eduDma('huge pages behind /dev/mem', () => {
    writeFileSync('/proc/sys/vm/nr_hugepages', '4');
    wake(EDU);
    return {
      backend: new DevmemBackend({ log: SILENT }) satisfies Backend<DevmemSelector> as Backend,
      selector: { ...eduSelector(), polledInterrupt: undefined, dma: { memory: 'huge-pages', sizeMiB: 4 } },
    };
  }),
);

describe.each(['ioperm', 'dev-port'] as const)('by %s', (through) => {
  function startSerial(): BackendFixture {
    unbind(SERIAL);
    wake(SERIAL);
    const { start, sizeBytes } = barOf(SERIAL, 0);
    const backend = new DevmemBackend({ log: SILENT });
    return {
      ...real,
      backend: backend satisfies Backend<DevmemSelector> as Backend,
      selector: { ports: [{ name: 'uart', start, size: sizeBytes, widths: [8], through }] },
      scratch: [{ space: 0, offset: SCRATCH, width: 8 }],
      fifoRead: {
        place: { space: 0, offset: SCRATCH, width: 8 },
        offer: ([uart]) => {
          uart?.write8(SCRATCH, 0x5a);
          return new Uint8Array(64).fill(0x5a);
        },
      },
      stop: () => backend.close(),
    };
  }

  backendConformance({
    name: 'devmem on pci-serial',
    cannot: {
      absent: 'ports have no names',
      'count-accesses': 'counted by the trace of QEMU, from outside',
      'count-mappings': 'ports are not mapped',
      'fifo-write': 'a scratch register keeps the last byte only',
      level: 'tried on edu',
      edge: 'polling sees levels only',
      message: 'polling sees levels only',
      'shared-line': 'nobody shares a register that is polled',
      remove: 'nobody tells when such a device goes',
    },
    start: async () => startSerial(),
  });
});

describe("the kernel's rules", () => {
  const machine = readMachine({});

  async function refusal(selector: DevmemSelector): Promise<string> {
    const backend = new DevmemBackend({ log: SILENT });
    try {
      const device = await backend.open(selector);
      for (const space of device.description.spaces) await device.openSpace(space);
      return 'opened';
    } catch (error) {
      return isDeviceError(error) ? `${error.code}: ${error.message}` : String(error);
    } finally {
      await backend.close();
    }
  }

  /** What the kernel says of a page. */
  function mapped(start: bigint): string {
    try {
      const options = { fileOffset: start - (start % BigInt(PAGE)), leadBytes: 0, sizeBytes: PAGE };
      mapRegisters({ ...options, path: '/dev/mem', syncOpen: true }).close();
      return 'given';
    } catch (error) {
      const errno = errnoOf(error) ?? String(error);
      // Another memory type is no matter of who holds it.
      return errno === 'EAGAIN' ? 'given' : errno;
    }
  }

  test('the id of edu is read at its address', async () => {
    wake(EDU);
    const backend = new DevmemBackend({ log: SILENT });
    const device = await backend.open({ memory: [{ name: 'registers', resource: EDU, widths: [32] }] });
    const [resource] = device.description.spaces;
    if (resource === undefined) throw new Error('no space');
    const space = await device.openSpace(resource);
    expect(space.read32(EDU_REGISTER.id)).toBe(0x0100_00ed);
    expect(space.description.memoryType).toBe('uncached');
    await backend.close();
  });

  test('RAM is refused, by the kernel with EPERM and here before it is asked', async () => {
    const [ram] = readKernelResources().memory.filter(
      ({ name, start }) => name === 'System RAM' && (start ?? 0n) >= 0x10_0000n,
    );
    expect(mapped((ram?.start ?? 0n) + 0x100_0000n)).toBe('EPERM');
    const selector = { memory: [{ name: 'regs', address: 0x200_0000, size: PAGE }] };
    expect(await refusal(selector)).toMatch(/^config: .* is RAM, not registers: .*"System RAM"/);
  });

  test('a busy neighbour in the same page closes it, and is named', async () => {
    const selector = { memory: [{ name: 'regs', address: 0xfec0_0800, size: 0x100 }] };
    expect(await refusal(selector)).toMatch(
      /^permission: .*mmap \/dev\/mem: EPERM; regs: in the same page .*"IOAPIC 0".*iomem=relaxed$/,
    );
  });

  test('a busy range is busy here, and EPERM of the kernel when that is ignored', async () => {
    const memory = [{ name: 'regs', address: 0xfec0_0000, size: 0x40 }];
    expect(await refusal({ memory })).toMatch(/^busy: .*the kernel holds .*"IOAPIC 0"/);
    expect(await refusal({ memory, ignoreKernelClaims: true })).toMatch(
      /^permission: .*the kernel holds .*"IOAPIC 0".*IO_STRICT_DEVMEM/,
    );
  });

  test('ports of a driver of the kernel are busy', async () => {
    const { start } = barOf(OTHER_SERIAL, 0);
    expect(await refusal({ ports: [{ name: 'uart', start, size: 8 }] })).toMatch(
      /^busy: .*"serial" \(\/proc\/ioports\)/,
    );
  });

  test('what /proc/iomem lets expect is what the kernel does, range by range', () => {
    // The kernel runs the HPET and does not say that it is busy: taken for held, which is the safe side.
    const ranges = flat(machine.resources.memory).filter(
      ({ name, start = 0n }) => start >= 0x10_0000n && !/^HPET|^PNP0103/.test(name),
    );
    expect(ranges.length).toBeGreaterThan(10);
    const expected = ranges.map(({ name, start = 0n }) => [name, start, isClosed(start) ? 'EPERM' : 'given']);
    expect(ranges.map(({ name, start = 0n }) => [name, start, mapped(start)])).toEqual(expected);
  });

  function isClosed(address: bigint): boolean {
    const wanted = {
      memory: [{ name: 'page', address: `0x${(address - (address % BigInt(PAGE))).toString(16)}`, size: PAGE }],
    };
    const [space] = planSpaces(wanted, machine.resources);
    if (space === undefined) throw new Error('no space');
    const holders = holdersOf(space.resource, machine, PAGE);
    return (
      holders.ram.length > 0 ||
      heldInside(space, holders) !== undefined ||
      heldBeside(space, holders, machine) !== undefined
    );
  }

  // The last test of this machine: nothing takes lockdown back.
  test('lockdown is told as such, though this process has every capability', async () => {
    execFileSync('mount', ['-t', 'securityfs', 'none', '/sys/kernel/security']);
    writeFileSync('/sys/kernel/security/lockdown', 'integrity');
    expect(await refusal(eduSelector())).toMatch(/^permission: .*EPERM.*; the kernel is locked down/);
    const { start } = barOf(SERIAL, 0);
    unbind(SERIAL);
    expect(await refusal({ ports: [{ name: 'uart', start, size: 8 }] })).toMatch(/^permission: .*ioperm: EPERM/);
    expect(machine.lockdown).toBeUndefined();
    const described = await new DevmemBackend({ log: SILENT }).describe(eduSelector());
    expect(described.obstacles?.join()).toContain('the kernel is locked down (Secure Boot)');
  });
});

function flat(tree: readonly KernelResource[]): KernelResource[] {
  return tree.flatMap((range) => [range, ...flat(range.children)]);
}
