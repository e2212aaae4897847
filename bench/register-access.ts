import { simulate } from '@ring3/backend-sim';
import type { RegisterSpace } from '@ring3/core';
import ataModel from '@ring3/driver-ata-sff/model';
import { mappedRegisters } from './mapped-registers.ts';
import { median, type Row } from './row.ts';

const ACCESSES = 2_000_000;
const RUNS = 7;

/** The cost of a register access: simulated, through the full model of the ATA controller, and mapped. */
export async function registerAccess(): Promise<Row[]> {
  const parsed = await ataModel.options['~standard'].validate({ sizeMiB: 1 });
  if (parsed.issues !== undefined) throw new Error('the bench model refuses its options');
  const simulation = await simulate(ataModel, parsed.value, { pace: 'manual' });
  const command = simulation.space('command0');
  const control = simulation.space('control0');
  const rows = [
    row(
      'simulated 8-bit read (alternate status), full model',
      nsPerAccess(() => readMany(control, 0)),
    ),
    row(
      'simulated 8-bit write (sector count), full model',
      nsPerAccess(() => writeMany(command, 2)),
    ),
  ];
  await simulation.close();
  return [...rows, ...mappedRegisters()];
}

function readMany(space: RegisterSpace, offset: number): number {
  let seen = 0;
  for (let i = 0; i < ACCESSES; i++) seen ^= space.read8(offset);
  return seen;
}

function writeMany(space: RegisterSpace, offset: number): void {
  for (let i = 0; i < ACCESSES; i++) space.write8(offset, i & 0xff);
}

function nsPerAccess(work: () => unknown): number {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    work();
    times.push(((performance.now() - start) * 1e6) / ACCESSES);
  }
  return median(times);
}

function row(what: string, ns: number): Row {
  return { what, ring3: `${ns.toFixed(1)} ns`, target: 'below 200 ns', met: ns < 200 };
}
