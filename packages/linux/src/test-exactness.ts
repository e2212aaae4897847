import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MemoryRegion, RegisterSpace } from '@ring3/core';
import { mapRegisters } from './map-registers.ts';
import { MappedAccess } from './mapped-access.ts';
import { bringTo, type Tier, tierOf } from './test-engine-tier.ts';
import { MemoryFile } from './test-memory-file.ts';
import { mapPlainly, PlainAccess } from './test-plain-access.ts';

// A process of exactness.test.ts: reads registers in one tier of V8 and says how many reads really happened.
//   node --allow-natives-syntax FLAGS test-exactness.ts mapped|plain TIER
// Reads whose value nobody wants: a hole of a file in memory gets a page when it is read, and only then.
// Two reads of one register: with a second thread that counts in it, some pairs differ, unless two reads are one.

const PAGE = 4096;
const PAGES = 256;
const PAIRS = 10_000;
const BATCHES = 60;
/** A busy machine does not always let both threads run at once. */
const PATIENCE_MS = 30_000;

const into = new Uint8Array(16);
const words = new Uint32Array(256);
const bytesOfWords = new Uint8Array(words.buffer);

const DISCARDED = {
  read8: (region: MemoryRegion) => {
    for (let page = 0; page < PAGES; page++) region.read8(page * PAGE);
  },
  read16: (region: MemoryRegion) => {
    for (let page = 0; page < PAGES; page++) region.read16(page * PAGE);
  },
  read32: (region: MemoryRegion) => {
    for (let page = 0; page < PAGES; page++) region.read32(page * PAGE);
  },
  cancelled: (region: MemoryRegion) => {
    let bits = 0;
    for (let page = 0; page < PAGES; page++) {
      const value = region.read32(page * PAGE);
      bits |= value ^ value;
    }
    return bits;
  },
};

/** What the control does not have. */
const DISCARDED_BY_WASM = {
  read64: (region: MemoryRegion) => {
    for (let page = 0; page < PAGES; page++) region.read64(page * PAGE);
  },
  readFifo16: (region: MemoryRegion) => {
    for (let page = 0; page < PAGES; page++) region.readFifo16(page * PAGE, into);
  },
  readBlock: (region: MemoryRegion) => {
    for (let page = 0; page < PAGES; page++) region.readBlock(page * PAGE, into);
  },
};

/** Each returns a number that is not 0 when some pairs differ; nothing that V8 has not seen when they do not. */
const PAIRED = {
  read32: (region: MemoryRegion) => {
    let different = 0;
    for (let pair = 0; pair < PAIRS; pair++) different |= region.read32(0) ^ region.read32(0);
    return different;
  },
  read16: (region: MemoryRegion) => {
    let different = 0;
    for (let pair = 0; pair < PAIRS; pair++) different |= region.read16(0) ^ region.read16(0);
    return different;
  },
};

const PAIRED_BY_WASM = {
  readFifo32: (region: MemoryRegion) => {
    let different = 0;
    for (let round = 0; round < PAIRS; round += words.length) {
      region.readFifo32(0, bytesOfWords);
      for (let index = 1; index < words.length; index++)
        different |= (words[index] as number) ^ (words[index - 1] as number);
    }
    return different;
  },
};

const [kind, tier] = process.argv.slice(2) as [string, Tier];

const closers: (() => void)[] = [];

function regionOver(file: MemoryFile): MemoryRegion {
  const sizeBytes = PAGE * PAGES;
  const description = { name: 'holes', sizeBytes, memoryType: 'emulated' } as const;
  if (kind === 'plain') return new MemoryRegion(description, mapPlainly(file, sizeBytes));
  const registers = mapRegisters({ path: file.path, fileOffset: 0n, leadBytes: 0, sizeBytes });
  closers.push(() => registers.close());
  return new MemoryRegion(description, registers.access);
}

/** With several regions, so that the measured one is nothing new to V8. */
function prepared<Result>(work: (region: MemoryRegion) => Result): typeof work {
  const regions = Array.from({ length: 3 }, () => regionOver(new MemoryFile(PAGE * PAGES)));
  bringTo(tier, work, regions, [MemoryRegion, RegisterSpace, MappedAccess, PlainAccess]);
  for (const close of closers.splice(0)) close();
  return work;
}

function discarded(read: (region: MemoryRegion) => unknown) {
  const work = prepared(read);
  const holes = new MemoryFile(PAGE * PAGES);
  const region = regionOver(holes);
  const before = holes.touchedBytes;
  work(region);
  const happened = (holes.touchedBytes - before) / PAGE;
  return { missed: PAGES - happened, tier: tierOf(work) };
}

/** A register in which another thread counts, until it is told to stop. */
async function countedRegister() {
  const file = new MemoryFile(PAGE * PAGES);
  const region = regionOver(file);
  closers.length = 0; // This one stays.
  const counter = new Worker(join(import.meta.dirname, 'test-counting-worker.ts'), { workerData: { path: file.path } });
  await new Promise((resolve) => counter.once('online', resolve));
  return { region, stop: () => counter.terminate() };
}

function paired(read: (region: MemoryRegion) => number, region: MemoryRegion) {
  const work = prepared(read);
  let different = 0;
  let last = 0;
  // A batch counts when the other thread has run since the last one.
  const deadline = performance.now() + (kind === 'plain' ? 0 : PATIENCE_MS);
  for (let batches = 0; different === 0 && (batches < BATCHES || performance.now() < deadline); ) {
    different |= work(region);
    if (region.read32(0) !== last) batches++;
    last = region.read32(0);
  }
  return { differ: different !== 0, tier: tierOf(work) };
}

const results: Record<string, unknown> = {};
const discardedCases = kind === 'plain' ? DISCARDED : { ...DISCARDED, ...DISCARDED_BY_WASM };
for (const [name, read] of Object.entries(discardedCases)) results[`discarded ${name}`] = discarded(read);
const pairedCases = kind === 'plain' ? PAIRED : { ...PAIRED, ...PAIRED_BY_WASM };
const { region, stop } = await countedRegister();
for (const [name, read] of Object.entries(pairedCases)) results[`paired ${name}`] = paired(read, region);
await stop();
process.stdout.write(JSON.stringify({ v8: process.versions.v8, results }));
