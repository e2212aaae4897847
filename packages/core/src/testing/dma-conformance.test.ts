import { describe, expect, it } from 'vitest';
import type { DmaAllocator, DmaBuffer, DmaConstraints } from '../dma.ts';
import { DmaPool } from '../dma-pool.ts';
import { runCase } from './conformance.ts';
import { DMA_CASES, type DmaHarness, dmaConformance } from './dma-conformance.ts';

const BASE = 0x1000_0000n;

type Wrap = (loan: DmaAllocator) => DmaAllocator;

/** Memory in which a device, made of two functions, reads and writes. */
function harnessOf(wrap: Wrap = (loan) => loan): DmaHarness {
  return {
    name: 'a pool in memory',
    start: async () => {
      const bytes = new Uint8Array(2 ** 20);
      const loan = new DmaPool('test memory', [{ busAddress: BASE, bytes }]).lend();
      const at = (busAddress: bigint) => Number(busAddress - BASE);
      return {
        dma: wrap(loan),
        device: {
          read: async (busAddress, length) => bytes.slice(at(busAddress), at(busAddress) + length),
          write: async (busAddress, from) => bytes.set(from, at(busAddress)),
        },
        close: async () => loan.close(),
        stop: async () => {},
      };
    },
  };
}

dmaConformance(harnessOf());

/** An allocator whose buffers are changed on their way out. */
const changing =
  (change: (buffer: DmaBuffer, constraints?: DmaConstraints) => DmaBuffer): Wrap =>
  (loan) => ({
    memory: loan.memory,
    allocate: (size, constraints) => change(loan.allocate(size, constraints), constraints),
  });

function like(buffer: DmaBuffer, part: Partial<DmaBuffer>): DmaBuffer {
  return {
    bytes: buffer.bytes,
    busAddress: buffer.busAddress,
    syncForCpu: (offset, length) => buffer.syncForCpu(offset, length),
    syncForDevice: (offset, length) => buffer.syncForDevice(offset, length),
    release: () => buffer.release(),
    ...part,
  };
}

describe('the suite of DMA memory finds', () => {
  const broken: [string, Wrap, string][] = [
    ['memory that is not zeroed', changing((buffer) => like(buffer, { bytes: buffer.bytes.fill(1) })), 'gives zeroed'],
    [
      'alignment that is ignored',
      (loan) => ({ memory: 'odd', allocate: (size) => loan.allocate(size) }),
      'obeys alignment',
    ],
    [
      'one piece for everybody',
      (loan) => {
        const one = loan.allocate(4096);
        return { memory: 'one', allocate: (size) => like(one, { bytes: one.bytes.subarray(0, size) }) };
      },
      'gives no byte to two',
    ],
    ['a leak', changing((buffer) => like(buffer, { release: () => {} })), 'takes released memory back'],
    ['syncs without a check', changing((buffer) => like(buffer, { syncForCpu: () => {} })), 'refuses sizes'],
    [
      'a bus address of somebody else',
      changing((buffer) => like(buffer, { busAddress: buffer.busAddress + 4096n })),
      'shows the device',
    ],
    [
      'memory that the processor does not share',
      changing((buffer) => like(buffer, { bytes: new Uint8Array(buffer.bytes.length).fill(0x11) })),
      'shows the processor',
    ],
    [
      'an allocator that outlives the device',
      (loan) => ({
        memory: 'for ever',
        allocate: (size) => like({ bytes: new Uint8Array(size) } as DmaBuffer, { busAddress: BASE, ...loan }),
      }),
      'gives nothing more',
    ],
  ];
  it.each(broken)('%s', async (_what, wrap, title) => {
    const found = DMA_CASES.find((one) => one.title.startsWith(title));
    if (found === undefined) expect.fail(`there is no case ${title}`);
    await expect(runCase(harnessOf(wrap), found)).rejects.toThrow();
  });
});
