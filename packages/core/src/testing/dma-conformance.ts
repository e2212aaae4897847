import { expect } from 'vitest';
import { isDeviceError } from '../device-error.ts';
import type { DmaAllocator, DmaBuffer } from '../dma.ts';
import { type ConformanceCase, type ConformanceHarness, registerConformance, required } from './conformance.ts';
import { expectSameBytes, serialPattern } from './serial-traffic.ts';

/** What not every memory for DMA, or not the device beside it, can do. */
export type DmaAbility = 'device' | 'close';

/** Memory for DMA, and a device that reaches it, for one test. */
export interface DmaFixture {
  readonly dma: DmaAllocator;
  /** The device reads or writes memory by itself. Ability `device`; at most 4096 bytes, a multiple of 4. */
  readonly device?: {
    read(busAddress: bigint, lengthBytes: number): Promise<Uint8Array>;
    write(busAddress: bigint, from: Uint8Array): Promise<void>;
    /** Bits of the bus addresses that it can drive. Default 64. */
    readonly addressBits?: number;
  };
  /** Closes the device. Ability `close`. */
  readonly close?: () => Promise<void>;
  /** Gives everything back, whatever the test did. */
  readonly stop: () => Promise<void>;
}

/** What {@link dmaConformance} runs on. */
export type DmaHarness = ConformanceHarness<DmaFixture, DmaAbility>;

/** One law of the suite. */
export type DmaCase = ConformanceCase<DmaFixture, DmaAbility>;

const PAGE = 4096;

/** The laws of memory for DMA by themselves: broken allocators can be tried on them. */
export const DMA_CASES: readonly DmaCase[] = [
  {
    title: 'says what kind of memory it is',
    run: async ({ dma }) => expect(dma.memory).toMatch(/\S/),
  },
  {
    title: 'gives zeroed memory, also where it was used before',
    run: async ({ dma }) => {
      for (let round = 0; round < 2; round++) {
        const buffer = dma.allocate(PAGE);
        expect(buffer.bytes.length).toBe(PAGE);
        expect(buffer.bytes.every((byte) => byte === 0)).toBe(true);
        buffer.bytes.fill(0xa5);
        buffer.syncForDevice();
        buffer.release();
      }
    },
  },
  {
    title: 'obeys alignment, boundary and address bits',
    run: async ({ dma }) => {
      for (const [size, alignment, boundary] of [
        [8, 4, 0x1_0000],
        [100, 64, 128],
        [PAGE, PAGE, 0x1_0000],
        [0xfffc, 4, 0x1_0000],
        [12, 0x1_0000, 0x1_0000],
      ] as const) {
        const { busAddress } = dma.allocate(size, { alignment, boundary });
        const last = busAddress + BigInt(size - 1);
        expect(busAddress % BigInt(alignment)).toBe(0n);
        expect(busAddress / BigInt(boundary)).toBe(last / BigInt(boundary));
      }
      expect(refusal(() => dma.allocate(4, { addressBits: 1 }))).toBe('unsupported');
    },
  },
  {
    title: 'gives no byte to two buffers',
    run: async ({ dma }) => {
      const buffers = Array.from({ length: 16 }, (_, index) => dma.allocate(4 * (index + 1)));
      for (const [index, { bytes }] of buffers.entries()) bytes.fill(index + 1);
      for (const [index, { bytes }] of buffers.entries()) expect(bytes.every((byte) => byte === index + 1)).toBe(true);
      const ranges = buffers.map(rangeOf).sort((one, other) => Number(one.start - other.start));
      for (const [index, { start }] of ranges.entries())
        expect(start).toBeGreaterThanOrEqual(ranges[index - 1]?.end ?? 0n);
    },
  },
  {
    title: 'takes released memory back, all of it, and a second release for nothing',
    run: async ({ dma }) => {
      for (let round = 0; round < 200; round++) {
        const buffer = dma.allocate(0x4_0000);
        buffer.release();
        buffer.release();
      }
    },
  },
  {
    title: 'refuses sizes, constraints and ranges that are none',
    run: async ({ dma }) => {
      expect(() => dma.allocate(0)).toThrow(RangeError);
      expect(() => dma.allocate(4, { alignment: 3 })).toThrow(RangeError);
      expect(() => dma.allocate(8192, { boundary: 4096 })).toThrow(RangeError);
      const buffer = dma.allocate(16);
      expect(() => buffer.syncForCpu(12, 8)).toThrow(RangeError);
      expect(() => buffer.syncForDevice(-4, 4)).toThrow(RangeError);
      expect(refusal(() => dma.allocate(2 ** 45))).toBe('unsupported');
    },
  },
  {
    title: 'shows the device what the processor wrote, after syncForDevice',
    needs: ['device'],
    run: async (fixture) => {
      const { buffer, device } = shared(fixture);
      const data = serialPattern(PAGE, 1);
      buffer.bytes.set(data);
      buffer.syncForDevice();
      expectSameBytes(await device.read(buffer.busAddress, PAGE), data, 'read by the device');
    },
  },
  {
    title: 'shows the processor what the device wrote, after syncForCpu, and nothing beside it',
    needs: ['device'],
    run: async (fixture) => {
      const { buffer, device } = shared(fixture);
      buffer.bytes.fill(0x11);
      buffer.syncForDevice();
      const data = serialPattern(512, 2);
      await device.write(buffer.busAddress + 1024n, data);
      buffer.syncForCpu();
      expectSameBytes(buffer.bytes.subarray(1024, 1536), data, 'written by the device');
      const beside = [...buffer.bytes.subarray(0, 1024), ...buffer.bytes.subarray(1536)];
      expect(beside.every((byte) => byte === 0x11)).toBe(true);
    },
  },
  {
    title: 'gives nothing more once the device is closed',
    needs: ['close'],
    run: async ({ dma, close }) => {
      dma.allocate(64);
      await required(close, 'close')();
      expect(refusal(() => dma.allocate(64))).toBe('closed');
    },
  },
];

/** Registers the tests of what memory for DMA owes, with vitest. */
export function dmaConformance(harness: DmaHarness): void {
  registerConformance(`memory for DMA: ${harness.name}`, harness, DMA_CASES);
}

function shared(fixture: DmaFixture) {
  const device = required(fixture.device, 'device');
  const { addressBits = 64 } = device;
  return { device, buffer: fixture.dma.allocate(PAGE, { alignment: PAGE, addressBits }) };
}

function rangeOf({ busAddress, bytes }: DmaBuffer) {
  return { start: busAddress, end: busAddress + BigInt(bytes.length) };
}

function refusal(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return isDeviceError(error) ? error.code : String(error);
  }
}
