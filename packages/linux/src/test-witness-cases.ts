import type { MemoryRegion } from '@ring3/core';

/** How often the device is asked: each step of a case is done so often. */
export const TIMES = 20_000;
const WARM_TIMES = 4000;

/** Accesses as the device sees them: how many of each width, in bits. */
export type Counts = Readonly<Record<string, number>>;

/** Work on the registers of one device, and what the device has to see of it. */
export interface WitnessCase<On> {
  readonly device: 'sdhci' | 'edu';
  /** Without `times` it is a short run, for V8 to learn from. */
  work(on: On, times?: number): unknown;
  readonly expected: Counts;
}

// SD Host Controller Simplified Specification 3.00, 2.1: registers that are free to read and write.
const ARGUMENT = 0x08;
const CAPABILITIES = 0x40;
// QEMU, docs/specs/edu.rst: liveness check and DMA source address.
const LIVENESS = 0x04;
const DMA_SOURCE = 0x80;

const bytes = new Uint8Array(2000);
const halves = new Uint8Array(4000);
const words = new Uint8Array(8000);
const block = new Uint8Array(16);

const pair = (bits: number, kind: 'read' | 'write') => ({ [`${kind} ${bits}`]: 2 * TIMES });
const once = (bits: number, kind: 'read' | 'write') => ({ [`${kind} ${bits}`]: TIMES });

const SDHCI_READS: Readonly<Record<string, WitnessCase<MemoryRegion>>> = {
  'sdhci read8, value not used': {
    device: 'sdhci',
    expected: once(8, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) sdhci.read8(CAPABILITIES);
    },
  },
  'sdhci read16, value not used': {
    device: 'sdhci',
    expected: once(16, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) sdhci.read16(CAPABILITIES);
    },
  },
  'sdhci read32, value not used': {
    device: 'sdhci',
    expected: once(32, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) sdhci.read32(CAPABILITIES);
    },
  },
  'sdhci read32, value cancelled': {
    device: 'sdhci',
    expected: once(32, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      let bits = 0;
      for (let time = 0; time < times; time++) {
        const value = sdhci.read32(CAPABILITIES);
        bits |= value ^ value;
      }
      return bits;
    },
  },
  'sdhci read8, twice': {
    device: 'sdhci',
    expected: pair(8, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      let different = 0;
      for (let time = 0; time < times; time++) different |= sdhci.read8(CAPABILITIES) ^ sdhci.read8(CAPABILITIES);
      return different;
    },
  },
  'sdhci read16, twice': {
    device: 'sdhci',
    expected: pair(16, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      let different = 0;
      for (let time = 0; time < times; time++) different |= sdhci.read16(CAPABILITIES) ^ sdhci.read16(CAPABILITIES);
      return different;
    },
  },
  'sdhci read32, twice': {
    device: 'sdhci',
    expected: pair(32, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      let different = 0;
      for (let time = 0; time < times; time++) different |= sdhci.read32(CAPABILITIES) ^ sdhci.read32(CAPABILITIES);
      return different;
    },
  },
  'sdhci readFifo8': {
    device: 'sdhci',
    expected: once(8, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 2000) sdhci.readFifo8(CAPABILITIES, bytes);
    },
  },
  'sdhci readFifo16': {
    device: 'sdhci',
    expected: once(16, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 2000) sdhci.readFifo16(CAPABILITIES, halves);
    },
  },
  'sdhci readFifo32': {
    device: 'sdhci',
    expected: once(32, 'read'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 2000) sdhci.readFifo32(CAPABILITIES, words);
    },
  },
};

const SDHCI_WRITES: Readonly<Record<string, WitnessCase<MemoryRegion>>> = {
  'sdhci write8': {
    device: 'sdhci',
    expected: once(8, 'write'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) sdhci.write8(ARGUMENT, time & 0xff);
    },
  },
  'sdhci write16': {
    device: 'sdhci',
    expected: once(16, 'write'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) sdhci.write16(ARGUMENT, time);
    },
  },
  'sdhci write32, twice': {
    device: 'sdhci',
    expected: pair(32, 'write'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) {
        sdhci.write32(ARGUMENT, time);
        sdhci.write32(ARGUMENT, time);
      }
    },
  },
  'sdhci writeFifo8': {
    device: 'sdhci',
    expected: once(8, 'write'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 2000) sdhci.writeFifo8(ARGUMENT, bytes);
    },
  },
  'sdhci writeFifo16': {
    device: 'sdhci',
    expected: once(16, 'write'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 2000) sdhci.writeFifo16(ARGUMENT, halves);
    },
  },
  'sdhci writeFifo32': {
    device: 'sdhci',
    expected: once(32, 'write'),
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 2000) sdhci.writeFifo32(ARGUMENT, words);
    },
  },
  'sdhci sequence': {
    device: 'sdhci',
    expected: { ...once(32, 'write'), ...once(16, 'read'), ...once(8, 'read') },
    work: (sdhci, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) {
        sdhci.sequence([
          { kind: 'write', offset: ARGUMENT, width: 32, value: time },
          { kind: 'read', offset: CAPABILITIES, width: 16 },
          { kind: 'read', offset: CAPABILITIES, width: 8 },
        ]);
      }
    },
  },
};

const EDU: Readonly<Record<string, WitnessCase<MemoryRegion>>> = {
  'edu read32, value not used': {
    device: 'edu',
    expected: once(32, 'read'),
    work: (edu, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) edu.read32(LIVENESS);
    },
  },
  'edu write32 and read32 back': {
    device: 'edu',
    expected: { ...once(32, 'write'), ...once(32, 'read') },
    work: (edu, times = WARM_TIMES) => {
      let bits = 0;
      for (let time = 0; time < times; time++) {
        edu.write32(DMA_SOURCE, time);
        bits |= edu.read32(DMA_SOURCE) ^ time;
      }
      return bits;
    },
  },
  'edu readOrdered32 and writeOrdered32': {
    device: 'edu',
    expected: { ...once(32, 'write'), ...once(32, 'read') },
    work: (edu, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) {
        edu.writeOrdered32(DMA_SOURCE, time);
        edu.readOrdered32(DMA_SOURCE);
      }
    },
  },
  'edu read64, value not used': {
    device: 'edu',
    expected: once(64, 'read'),
    work: (edu, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) edu.read64(DMA_SOURCE);
    },
  },
  'edu read64, twice': {
    device: 'edu',
    expected: pair(64, 'read'),
    work: (edu, times = WARM_TIMES) => {
      let different = 0n;
      for (let time = 0; time < times; time++) different |= edu.read64(DMA_SOURCE) ^ edu.read64(DMA_SOURCE);
      return different;
    },
  },
  'edu write64': {
    device: 'edu',
    expected: once(64, 'write'),
    work: (edu, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) edu.write64(DMA_SOURCE, 0x1_0000_0001n);
    },
  },
  'edu readBlock': {
    device: 'edu',
    expected: once(32, 'read'),
    work: (edu, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 4) edu.readBlock(DMA_SOURCE, block);
    },
  },
  'edu writeBlock': {
    device: 'edu',
    expected: once(32, 'write'),
    work: (edu, times = WARM_TIMES) => {
      for (let time = 0; time < times; time += 4) edu.writeBlock(DMA_SOURCE, block);
    },
  },
};

/** Registers through the public API: exact, or it is a bug. */
export const EXACT: Readonly<Record<string, WitnessCase<MemoryRegion>>> = { ...SDHCI_READS, ...SDHCI_WRITES, ...EDU };

/** The control: plain reads of a typed array over the same registers, of which an optimizing compiler leaves some out. */
export const PLAIN: Readonly<Record<string, WitnessCase<Uint32Array>>> = {
  'plain read, value not used': {
    device: 'sdhci',
    expected: once(32, 'read'),
    work: (view, times = WARM_TIMES) => {
      for (let time = 0; time < times; time++) view[CAPABILITIES / 4];
    },
  },
  'plain read, value cancelled': {
    device: 'sdhci',
    expected: once(32, 'read'),
    work: (view, times = WARM_TIMES) => {
      let bits = 0;
      for (let time = 0; time < times; time++) {
        const value = view[CAPABILITIES / 4] as number;
        bits |= value ^ value;
      }
      return bits;
    },
  },
  'plain read, twice': {
    device: 'sdhci',
    expected: pair(32, 'read'),
    work: (view, times = WARM_TIMES) => {
      let different = 0;
      for (let time = 0; time < times; time++) {
        different |= (view[CAPABILITIES / 4] as number) ^ (view[CAPABILITIES / 4] as number);
      }
      return different;
    },
  },
};
