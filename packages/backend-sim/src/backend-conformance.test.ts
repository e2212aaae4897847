import { SILENT } from '@ring3/core';
import {
  type BackendFixture,
  type BackendHarness,
  backendConformance,
  type LevelInterrupt,
  type Spaces,
} from '@ring3/core/testing';
import { SimBackend, type SimSelector } from './backend.ts';
import type { Pace } from './clock/sim-clock.ts';
import * as scratch from './testing/index.ts';

const REGISTERS = 0;
const PORTS = 1;
const CAUSE = 0x08;
const TRIGGER = 0x10;
const ACCESSES = 0x14;
const FIFO_LEVEL = 0x18;
const FIFO = 0x1c;

function registers(spaces: Spaces) {
  const [found] = spaces;
  if (found === undefined) throw new Error('the scratch device has no registers');
  return found;
}

const LEVEL: LevelInterrupt = {
  index: 0,
  raise: (spaces) => registers(spaces).write32(TRIGGER, 1),
  clear: (spaces) => registers(spaces).write32(CAUSE, 0xffff_ffff),
};

function drained(spaces: Spaces): Uint8Array {
  const bytes = new Uint8Array(registers(spaces).read32(FIFO_LEVEL));
  registers(spaces).readFifo8(FIFO, bytes);
  return bytes;
}

function offered(spaces: Spaces): Uint8Array {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);
  registers(spaces).writeFifo32(FIFO, bytes);
  return bytes;
}

async function loadModule(specifier: string): Promise<unknown> {
  if (specifier === 'scratch') return scratch;
  throw new Error(`Cannot find package '${specifier}'`);
}

function start(pace: Pace): BackendFixture {
  const backend = new SimBackend({ log: SILENT, resolvePath: (path) => path, loadModule });
  const clock = () => backend.machine?.clock;
  const device: SimSelector = { model: 'scratch', pace };
  const elsewhere = { memoryStart: 0xd000_0000n, portStart: 0xd000n, lines: ['IRQ 10', 'IRQ 7', 'MSI 1'] };
  const settle = <T>(promise: Promise<T>): Promise<T> => clock()?.run(promise) ?? promise;
  return {
    backend,
    selector: device,
    absent: { model: 'nothing' },
    settle,
    quiet: () => settle(new Promise((resolve) => void clock()?.after(100, () => resolve()))),
    scratch: [
      { space: REGISTERS, offset: 4, width: 32 },
      { space: PORTS, offset: 0x20, width: 16 },
      { space: REGISTERS, offset: 0x24, width: 8 },
    ],
    counter: {
      place: { space: PORTS, offset: 0, width: 32 },
      accesses: (spaces) => registers(spaces).read32(ACCESSES),
    },
    fifoRead: { place: { space: PORTS, offset: FIFO, width: 16 }, offer: offered },
    fifoWrite: { place: { space: REGISTERS, offset: FIFO, width: 32 }, lengthBytes: 512, taken: drained },
    level: LEVEL,
    edge: {
      index: 1,
      raise: (spaces) => {
        registers(spaces).write8(FIFO, 1);
        registers(spaces).write32(TRIGGER, 2);
      },
      take: (spaces) => registers(spaces).read32(FIFO_LEVEL) > 0 && registers(spaces).read8(FIFO) === 1,
    },
    message: { index: 2, send: (spaces) => registers(spaces).write32(TRIGGER, 4) },
    neighbour: { selector: { ...device, options: elsewhere }, level: LEVEL },
    remove: () => backend.machine?.devices[0]?.remove('pulled out'),
    stop: () => backend.close(),
  };
}

function harness(pace: Pace): BackendHarness {
  return {
    name: `sim, ${pace}`,
    cannot: {
      'count-mappings': 'a simulated space is not mapped',
    },
    start: async () => start(pace),
  };
}

for (const pace of ['instant', 'manual', 'paced'] as const) backendConformance(harness(pace));
