import { execFileSync } from 'node:child_process';
import { MemoryRegion } from '@ring3/core';
import { mapRegisters } from '@ring3/linux';

// ring3's side of the reads of a register in bench/vm.ts, in the virtual machine: vm-registers-side PEER ROUNDS. The register
// is that of the factorial of `edu`; what counts is the fastest tenth of many slices, as in native/register-peer.c.

const FILE = '/sys/bus/pci/devices/0000:00:04.0/resource0';
const SIZE = 0x1_0000;
const SLICES = 400;
const ACCESSES = 1000;

const [peer = '', rounds = '3'] = process.argv.slice(2);
const { access } = mapRegisters({ path: FILE, fileOffset: 0n, leadBytes: 0, sizeBytes: SIZE });
const region = new MemoryRegion({ name: 'edu', sizeBytes: SIZE, memoryType: 'uncached' }, access);

function slice(): number {
  let seen = 0;
  for (let count = 0; count < ACCESSES; count++) seen ^= region.read32(8);
  return seen;
}

function tenthNs(): number {
  const times: number[] = [];
  for (let count = 0; count < SLICES; count++) {
    const start = performance.now();
    slice();
    times.push(((performance.now() - start) * 1e6) / ACCESSES);
  }
  return times.sort((a, b) => a - b)[SLICES / 10] as number;
}

const figures = { ring3: [] as number[], c: [] as number[] };
for (let round = 0; round < Number(rounds); round++) {
  figures.c.push(JSON.parse(execFileSync(peer, [FILE, 'read'], { encoding: 'utf8' })).read);
  figures.ring3.push(tenthNs());
}
process.stdout.write(JSON.stringify(figures));
