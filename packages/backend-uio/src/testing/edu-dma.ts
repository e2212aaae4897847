import { writeFileSync } from 'node:fs';
import { type Backend, pollUntil } from '@ring3/core';
import type { DmaHarness } from '@ring3/core/testing';
import { expect } from 'vitest';
import type { UioSelector } from '../selector.ts';
import { DMA_SOURCE, DMA_TARGET, EDU, newBackend, selectorOf } from './edu.ts';

// The DMA engine of edu: it copies between memory and 4096 bytes of its own. docs/specs/edu.rst. QEMU ends with a
// "hardware error" where the last of them is used.

const COUNT = 0x90;
const COMMAND = 0x98;
const START = 0x1;
const TO_MEMORY = 0x2;
const OWN_MEMORY = 0x4_0000;
const MOST_BYTES = 2048;
/** As the machine of the guest tests plugs it in: 28 by itself. */
const ADDRESS_BITS = 32;

/** Gives the machine huge pages. */
export const reservePages = (count: number) => writeFileSync('/proc/sys/vm/nr_hugepages', String(count));

/** How edu is reached, with memory for its transfers. */
interface EduWay {
  readonly backend: Backend;
  readonly selector: unknown;
}

const throughUio = (): EduWay => ({
  backend: newBackend() satisfies Backend<UioSelector> as Backend,
  selector: { ...selectorOf(EDU), dma: { memory: 'huge-pages', sizeMiB: 4 } } satisfies UioSelector,
});

/** An open edu with memory for its transfers. */
export async function openEduDma({ backend, selector } = throughUio()) {
  const device = await backend.open(selector);
  const [resource] = device.description.spaces;
  const registers = await device.openSpace(resource ?? expect.fail('edu has no registers'));
  const dma = (await device.openDma?.()) ?? expect.fail('there is no memory for DMA');
  const transfer = async (busAddress: bigint, count: number, direction: 0 | typeof TO_MEMORY) => {
    const [source, target] = direction === 0 ? [Number(busAddress), OWN_MEMORY] : [OWN_MEMORY, Number(busAddress)];
    registers.write32(DMA_SOURCE, source);
    registers.write32(DMA_TARGET, target);
    registers.write32(COUNT, count);
    registers.write32(COMMAND, START | direction);
    await pollUntil(device.clock, {
      what: 'the end of a transfer',
      read: () => registers.read32(COMMAND),
      until: (command) => (command & START) === 0,
      timeoutUs: 10_000_000,
    });
  };
  /** The device copies from one place of memory to another, through its own memory. */
  const copy = async (from: bigint, to: bigint, count: number) => {
    for (let done = 0; done < count; done += MOST_BYTES) {
      const length = Math.min(MOST_BYTES, count - done);
      await transfer(from + BigInt(done), length, 0);
      await transfer(to + BigInt(done), length, TO_MEMORY);
    }
  };
  return { backend, device, dma, copy };
}

/** Huge pages, and edu that reads and writes them. */
export const eduDma = (name: string, way = throughUio): DmaHarness => ({
  name,
  timeoutMs: 60_000,
  start: async () => {
    const { backend, device, dma, copy } = await openEduDma(way());
    const scratch = (length: number) => dma.allocate(length, { addressBits: ADDRESS_BITS });
    return {
      dma,
      device: {
        addressBits: ADDRESS_BITS,
        read: async (busAddress, length) => {
          const buffer = scratch(length);
          await copy(busAddress, buffer.busAddress, length);
          buffer.syncForCpu();
          const seen = buffer.bytes.slice();
          buffer.release();
          return seen;
        },
        write: async (busAddress, from) => {
          const buffer = scratch(from.length);
          buffer.bytes.set(from);
          buffer.syncForDevice();
          await copy(buffer.busAddress, busAddress, from.length);
          buffer.release();
        },
      },
      close: () => device.close(),
      stop: () => backend.close(),
    };
  },
});
