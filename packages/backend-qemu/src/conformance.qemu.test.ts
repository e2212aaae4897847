import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegisterSpace } from '@ring3/core';
import { type BackendFixture, backendConformance, type Spaces } from '@ring3/core/testing';
import { beforeEach } from 'vitest';
import { QemuBackend } from './backend.ts';
import type { QemuMachine } from './machine/qemu-machine.ts';
import { needsQemu, selector, turns } from './test-machine.ts';

beforeEach(needsQemu);

const NO_MAPPING = 'nothing is mapped: each access is a message to QEMU';
const NO_MESSAGE = 'QEMU tells lines of an interrupt controller, not messages (MSI)';

/** What QEMU itself counts: one line of its trace for each access to a region. */
async function accessCounter(machine: QemuMachine, folder: string, region: RegExp) {
  const path = join(folder, 'trace.log');
  await machine.qmp('human-monitor-command', { 'command-line': `logfile ${path}` });
  for (const name of ['memory_region_ops_read', 'memory_region_ops_write']) {
    await machine.qmp('trace-event-set-state', { name, enable: true });
  }
  let seen = 0;
  return () => {
    const lines = readFileSync(path, 'latin1')
      .split('\n')
      .filter((line) => region.test(line));
    const fresh = lines.length - seen;
    seen = lines.length;
    return fresh;
  };
}

async function startEdu(): Promise<BackendFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-edu-'));
  const backend = new QemuBackend();
  const devices = ['edu,id=one,addr=4', 'edu,id=two,addr=8'];
  const one = selector({ machine: 'pc', devices, select: 'one' });
  const two = selector({ machine: 'pc', devices, select: 'two' });
  const machine = await backend.machineOf(one);
  const { spaces } = await backend.describe(one);
  const at = (spaces[0]?.start ?? 0n).toString(16).slice(0, -5);
  const accesses = await accessCounter(machine, folder, new RegExp(`addr 0x${at}[0-9a-f]{5} .* name 'edu-mmio'`));
  const level = {
    index: 0,
    raise: ([registers]: Spaces) => registers?.write32(0x60, 1),
    clear: ([registers]: Spaces) => registers?.write32(0x64, 1),
  };
  return {
    backend,
    selector: one,
    settle: (promise) => promise,
    quiet: () => turns(20),
    scratch: [
      { space: 0, offset: 0x80, width: 32 },
      { space: 0, offset: 0x88, width: 32 },
    ],
    repetitions: 200,
    absent: selector({ machine: 'pc', devices, select: { pci: '0000:00:1f.7' } }),
    counter: { place: { space: 0, offset: 0x04, width: 32 }, accesses },
    level,
    neighbour: { selector: two, level },
    remove: () => machine.kill(),
    stop: async () => {
      await backend.close();
      rmSync(folder, { recursive: true });
    },
  };
}

backendConformance({
  name: 'edu on pc, two on one line',
  cannot: {
    'count-mappings': NO_MAPPING,
    message: NO_MESSAGE,
    edge: 'the line of this device is a level',
    'fifo-read': 'edu has no FIFO',
    'fifo-write': 'edu has no FIFO',
  },
  start: startEdu,
});

const IDE = { data: 0, count: 2, low: 3, middle: 4, high: 5, device: 6, status: 7, command: 7 };
const CHECK_POWER_MODE = 0xe5;
const READ_SECTORS = 0x20;
const WRITE_SECTORS = 0x30;

/** Sends a command for one sector to device 0. */
function sendCommand(registers: Pick<RegisterSpace, 'write8' | 'read8'>, command: number, sector: number): void {
  registers.write8(IDE.device, 0xe0);
  registers.write8(IDE.count, 1);
  registers.write8(IDE.low, sector);
  registers.write8(IDE.middle, 0);
  registers.write8(IDE.high, 0);
  registers.write8(IDE.command, command);
  while ((registers.read8(IDE.status) & 0x88) !== 0x08); // Not busy, and there are data to transfer.
}

/** Interrupts without a transfer: each CHECK POWER MODE brings one, which reading the status takes away. */
function interruptsOf([command]: Spaces) {
  return {
    bring: () => command?.write8(IDE.command, CHECK_POWER_MODE),
    take: () => void command?.read8(IDE.status),
  };
}

async function startIde(board: 'pc' | 'clipper'): Promise<BackendFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-ide-'));
  const file = join(folder, 'disk.img');
  const content = Uint8Array.from({ length: 64 * 512 }, (_, at) => (at >>> 9) * 31 + at * 7);
  writeFileSync(file, content);
  const backend = new QemuBackend();
  const rest = { machine: board, devices: ['ide-hd,drive=d0,bus=ide.0'], drives: [{ id: 'd0', file }] };
  const ide = selector({ ...rest, select: 'ide' });
  const machine = await backend.machineOf(ide);
  const start = (await backend.describe(ide)).spaces[0]?.start ?? 0n;
  let pieces = 0;
  const level = {
    index: 0,
    raise: (spaces: Spaces) => interruptsOf(spaces).bring(),
    clear: (spaces: Spaces) => interruptsOf(spaces).take(),
  };
  const edge = {
    index: 0,
    raise: (spaces: Spaces) => {
      pieces++;
      interruptsOf(spaces).bring();
    },
    take: (spaces: Spaces) => {
      interruptsOf(spaces).take();
      return pieces > 0 && pieces-- > 0;
    },
  };
  return {
    backend,
    selector: ide,
    settle: (promise) => promise,
    quiet: () => turns(30),
    scratch: [
      { space: 0, offset: IDE.low, width: 8 },
      { space: 0, offset: IDE.high, width: 8 },
    ],
    absent: selector({ ...rest, select: { pci: '0000:00:1f.7' } }),
    fifoRead: {
      place: { space: 0, offset: IDE.data, width: 16 },
      offer: ([command]) => {
        sendCommand(command as RegisterSpace, READ_SECTORS, 9);
        return content.subarray(9 * 512, 10 * 512);
      },
    },
    /** Asked for by the test that writes: the write begins before the device is opened. */
    get fifoWrite() {
      prepareWrite(machine, start);
      const place = { space: 0, offset: IDE.data, width: 16 as const };
      const taken = ([command]: Spaces) => {
        while (((command?.read8(IDE.status) ?? 0) & 0x80) !== 0);
        return readFileSync(file).subarray(5 * 512, 6 * 512);
      };
      return { place, lengthBytes: 512, taken };
    },
    ...(board === 'pc' ? { edge } : { level }),
    remove: () => machine.kill(),
    stop: async () => {
      await backend.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A write to sector 5 waits for its data, from before the device is opened. */
function prepareWrite(machine: QemuMachine, start: bigint): void {
  const connection = machine.connect();
  const base = machine.board.pci?.ports.cpuBase ?? 0n;
  const access = machine.access(machine.board.pci?.ports.cpuBus ?? 'port', base + start);
  const registers = {
    read8: (offset: number) => access.read(offset, 8),
    write8: (offset: number, value: number) => access.write(offset, 8, value),
  };
  sendCommand(registers, WRITE_SECTORS, 5);
  machine.disconnect(connection);
}

const IDE_CANNOT = {
  'count-mappings': NO_MAPPING,
  'count-accesses': 'counted on edu',
  message: NO_MESSAGE,
  'shared-line': 'the controller is alone on its line',
};

backendConformance({
  name: 'piix3-ide on pc, channel 0 in compatibility mode',
  cannot: { ...IDE_CANNOT, level: 'IRQ 14 of the AT is an edge' },
  start: () => startIde('pc'),
});

backendConformance({
  name: 'cmd646-ide on clipper, native mode',
  cannot: { ...IDE_CANNOT, edge: 'the line of this device is a level' },
  start: () => startIde('clipper'),
});
