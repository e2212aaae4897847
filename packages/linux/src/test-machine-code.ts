import { setFlagsFromString } from 'node:v8';
import { MemoryRegion, RegisterSpace } from '@ring3/core';
import { mapRegisters } from './map-registers.ts';
import { MappedAccess } from './mapped-access.ts';
import { bringTo, type Tier } from './test-engine-tier.ts';

// A process of machine-code.test.ts: V8 prints the code of the accessor and of functions that use registers.
//   node --allow-natives-syntax FLAGS test-machine-code.ts TIER --liftoff-only|--no-liftoff

function probeDiscarded(region: MemoryRegion): number {
  region.read32(8);
  return 7;
}

function probeTwo(region: MemoryRegion): number {
  return region.read32(8) ^ region.read32(8);
}

/** As from a FIFO: the low word first. */
function probePacked(region: MemoryRegion): number {
  return region.read16(8) | (region.read16(8) << 16);
}

function probeStores(region: MemoryRegion): void {
  region.write32(8, 0x51);
  region.write32(8, 0x52);
  region.write16(12, 0x53);
  region.write8(14, 0x54);
}

function probeStoreThenLoad(region: MemoryRegion): number {
  region.write32(8, 0x55);
  return region.read32(8);
}

const [tier, wasm] = process.argv.slice(2) as [Tier, string];
setFlagsFromString('--no-wasm-lazy-compilation');
setFlagsFromString(wasm);
setFlagsFromString('--print-wasm-code');
const { access } = mapRegisters({ path: '/dev/zero', fileOffset: 0n, leadBytes: 0, sizeBytes: 4096 });
setFlagsFromString('--no-print-wasm-code');
setFlagsFromString('--print-opt-code');
setFlagsFromString('--print-maglev-code');
const region = new MemoryRegion({ name: 'registers', sizeBytes: 4096, memoryType: 'emulated' }, access);
for (const probe of [probeDiscarded, probeTwo, probePacked, probeStores, probeStoreThenLoad]) {
  bringTo(tier, probe, [region], [MemoryRegion, RegisterSpace, MappedAccess]);
}
