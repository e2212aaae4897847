import { MemoryRegion, RegisterSpace } from '@ring3/core';
import { mapRegisters } from './map-registers.ts';
import { MappedAccess } from './mapped-access.ts';
import { bringTo, type Tier } from './test-engine-tier.ts';

// A process of allocation.test.ts: how many bytes of the heap one register access takes, in one tier of V8.
//   node --allow-natives-syntax --max-semi-space-size=128 --min-semi-space-size=128 FLAGS test-allocation.ts TIER VALUE
// The young generation holds all that could be allocated: nothing is collected while it is measured.

const TIMES = 4_000;
const sector = new Uint8Array(512);

const CASES: Readonly<Record<string, (region: MemoryRegion) => unknown>> = {
  read8: (region) => {
    let seen = 0;
    for (let i = 0; i < TIMES; i++) seen ^= region.read8(4);
    return seen;
  },
  read16: (region) => {
    let seen = 0;
    for (let i = 0; i < TIMES; i++) seen ^= region.read16(4);
    return seen;
  },
  read32: (region) => {
    let seen = 0;
    for (let i = 0; i < TIMES; i++) seen ^= region.read32(4);
    return seen;
  },
  write8: (region) => {
    for (let i = 0; i < TIMES; i++) region.write8(8, i & 0xff);
  },
  write16: (region) => {
    for (let i = 0; i < TIMES; i++) region.write16(8, i & 0xffff);
  },
  write32: (region) => {
    for (let i = 0; i < TIMES; i++) region.write32(8, i);
  },
  readFifo16: (region) => {
    for (let i = 0; i < TIMES; i++) region.readFifo16(8, sector);
  },
  writeFifo16: (region) => {
    for (let i = 0; i < TIMES; i++) region.writeFifo16(8, sector);
  },
  readBlock: (region) => {
    for (let i = 0; i < TIMES; i++) region.readBlock(8, sector);
  },
  writeBlock: (region) => {
    for (let i = 0; i < TIMES; i++) region.writeBlock(8, sector);
  },
  barrier: (region) => {
    for (let i = 0; i < TIMES; i++) region.barrier();
  },
  /** Nothing at all: what measuring takes. */
  nothing: (region) => region,
};

const [tier, value] = process.argv.slice(2) as [Tier, string];
const { access } = mapRegisters({ path: '/dev/zero', fileOffset: 0n, leadBytes: 0, sizeBytes: 4096 });
const region = new MemoryRegion({ name: 'registers', sizeBytes: 4096, memoryType: 'emulated' }, access);
region.write32(4, Number(value));

function bytesEach(work: (region: MemoryRegion) => unknown): number {
  bringTo(tier, work, [region], [MemoryRegion, RegisterSpace, MappedAccess]);
  work(region);
  const before = process.memoryUsage().heapUsed;
  work(region);
  return (process.memoryUsage().heapUsed - before) / TIMES;
}

const results = Object.entries(CASES).map(([name, work]) => [name, bytesEach(work)]);
process.stdout.write(JSON.stringify(Object.fromEntries(results)));
