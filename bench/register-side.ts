import { simulate } from '@ring3/backend-sim';
import { MemoryRegion, type RegisterAccess, type RegisterSpace } from '@ring3/core';
import ataModel from '@ring3/driver-ata-sff/model';
import { mapRegisters, portFileAccess } from '@ring3/linux';

// ring3's side of the register benchmark, a process of its own: register-side.ts FILE [three|five]
// What counts is the fastest tenth of many short slices, as in native/register-peer.c. "three" makes V8 see simulated
// registers and port files first, "five" also big-endian ones and a decorator: more than V8 inlines at one place.

const SLICES = 400;
const ACCESSES = 20_000;
const BLOCKS = 200;
const SIZE = 0x1_0000;

const block = new Uint8Array(1024);
const sector = new Uint8Array(512);

const CASES: Readonly<Record<string, readonly [(region: MemoryRegion) => unknown, number]>> = {
  read: [reads, ACCESSES],
  write: [writes, ACCESSES],
  block: [(region) => repeat(BLOCKS, () => region.readBlock(0, block)), BLOCKS],
  fifo: [(region) => repeat(BLOCKS, () => region.readFifo16(16, sector)), BLOCKS],
};

function reads(region: RegisterSpace): number {
  let seen = 0;
  for (let i = 0; i < ACCESSES; i++) seen ^= region.read32(8);
  return seen;
}

function writes(region: RegisterSpace): void {
  for (let i = 0; i < ACCESSES; i++) region.write32(8, i);
}

function repeat(times: number, work: () => void): void {
  for (let i = 0; i < times; i++) work();
}

function tenth(work: (region: MemoryRegion) => unknown, region: MemoryRegion, each: number): number {
  const times: number[] = [];
  for (let slice = 0; slice < SLICES; slice++) {
    const start = performance.now();
    work(region);
    times.push(((performance.now() - start) * 1e6) / each);
  }
  return times.sort((a, b) => a - b)[SLICES / 10] as number;
}

function regionOver(access: RegisterAccess, byteOrder: 'little' | 'big' = 'little'): MemoryRegion {
  return new MemoryRegion({ name: 'bench', sizeBytes: SIZE, memoryType: 'emulated', byteOrder }, access);
}

/** Shows V8 the other kinds of registers that one process can have. */
async function useOthers(path: string, mapped: RegisterAccess, all: boolean): Promise<void> {
  const parsed = await ataModel.options['~standard'].validate({ sizeMiB: 1 });
  if (parsed.issues !== undefined) throw new Error('the bench model refuses its options');
  const simulation = await simulate(ataModel, parsed.value, { pace: 'manual' });
  const control = simulation.space('control0');
  for (let i = 0; i < ACCESSES; i++) control.write8(0, control.read8(0) & 0x02);
  const decorated: RegisterAccess = {
    read: (offset, width) => mapped.read(offset, width),
    write: (offset, width, value) => mapped.write(offset, width, value),
  };
  const files = regionOver(portFileAccess(path, SIZE));
  const others = all ? [files, regionOver(mapped, 'big'), regionOver(decorated)] : [files];
  for (const region of others) {
    reads(region);
    writes(region);
  }
  await simulation.close();
}

const [path, kinds] = process.argv.slice(2) as [string, string | undefined];
const { access } = mapRegisters({ path, fileOffset: 0n, leadBytes: 0, sizeBytes: SIZE });
const region = regionOver(access);
reads(region);
if (kinds !== undefined) await useOthers(path, access, kinds === 'five');
const figures = Object.entries(CASES).map(([name, [work, each]]) => [name, tenth(work, region, each)]);
process.stdout.write(JSON.stringify(Object.fromEntries(figures)));
