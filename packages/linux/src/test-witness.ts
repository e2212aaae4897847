import { openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryRegion, RegisterSpace } from '@ring3/core';
import { libc, MAP_FIXED, MAP_SHARED, PROT_READ_WRITE } from './libc.ts';
import { mapRegisters } from './map-registers.ts';
import { MappedAccess } from './mapped-access.ts';
import { bringTo, type Tier, tierOf } from './test-engine-tier.ts';
import { MemoryFile } from './test-memory-file.ts';
import { EXACT, PLAIN, TIMES, type WitnessCase } from './test-witness-cases.ts';
import { takeWindow } from './window.ts';

// Runs in a virtual machine whose QEMU writes down every access to a device; tools/vm/tests/exactness.vm.test.ts
// counts. Usage: node --allow-natives-syntax FLAGS test-witness.ts TIER RUN; RUN is in the marks of the trace.
// The second edu takes the marks: a number of its own before and after each case.

const PAGE = 4096;
const [tier, run] = process.argv.slice(2) as [Tier, string];

/** The resource0 of the PCI functions with this id, in the order of their addresses. */
function barsOf(vendor: string, device: string): string[] {
  const root = '/sys/bus/pci/devices';
  const has = (name: string, file: string, value: string) =>
    readFileSync(join(root, name, file), 'utf8').trim() === value;
  const found = readdirSync(root).filter((name) => has(name, 'vendor', vendor) && has(name, 'device', device));
  for (const name of found) writeFileSync(join(root, name, 'enable'), '1');
  return found.sort().map((name) => join(root, name, 'resource0'));
}

function regionOver(name: string, path: string, sizeBytes: number): MemoryRegion {
  const { access } = mapRegisters({ path, fileOffset: 0n, leadBytes: 0, sizeBytes });
  return new MemoryRegion({ name, sizeBytes, memoryType: 'uncached' }, access);
}

function viewOver(path: string): Uint32Array {
  const { memory, start } = takeWindow(PAGE);
  const target = new Uint8Array(memory.buffer, start, PAGE);
  const fd = openSync(path, 'r+');
  libc().tryCall('mmap', [target, BigInt(PAGE), PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, fd, 0n]);
  return new Uint32Array(memory.buffer, start, PAGE / 4);
}

const [eduBar = '', markBar = ''] = barsOf('0x1234', '0x11e8');
const [sdhciBar = ''] = barsOf('0x1b36', '0x0007');
const marks = regionOver('marks', markBar, PAGE);
const regions = { edu: regionOver('edu', eduBar, PAGE), sdhci: regionOver('sdhci', sdhciBar, 256) };

/** Code is warmed up on memory, so that the device sees one run of it; several regions, so that it is nothing new. */
const files = [1, 2, 3].map(() => new MemoryFile(PAGE));
const memoryRegions = files.map(({ path }) => regionOver('memory', path, PAGE));
const memoryViews = files.map(({ path }) => viewOver(path));

/** The interpreter and whatever V8 chooses see the code for the first time. */
const learns = tier !== 'cold' && tier !== 'as-it-comes';
let index = 0;
const tiers: Record<string, string> = {};

function measure<On>(name: string, { work }: WitnessCase<On>, on: On, warm: readonly On[]): void {
  const parts = [MemoryRegion, RegisterSpace, MappedAccess];
  if (learns) bringTo(tier, work, warm, parts);
  // Code that was given up has learned why: the second time it stays.
  if (tier === 'turbofan' && tierOf(work) !== tier) bringTo(tier, work, warm, parts);
  const before = tierOf(work);
  const mark = ((0x5a << 24) | (Number(run) << 16) | (index++ << 1)) >>> 0;
  marks.write32(0x04, mark);
  work(on, TIMES);
  marks.write32(0x04, mark + 1);
  const after = tierOf(work);
  tiers[name] = before === after || !learns ? after : `${before}, then ${after}`;
}

// What the cases share learns from all of them before any is compiled, or the compiled code would be given up again.
if (learns) {
  for (const { work } of Object.values(EXACT)) for (const region of memoryRegions) work(region);
}
for (const [name, one] of Object.entries(EXACT)) measure(name, one, regions[one.device], memoryRegions);
if (tier === 'maglev' || tier === 'turbofan') {
  const view = viewOver(sdhciBar);
  for (const [name, one] of Object.entries(PLAIN)) measure(name, one, view, memoryViews);
}
process.stdout.write(JSON.stringify({ v8: process.versions.v8, tiers }));
