import { expect, it } from 'vitest';
import type { Board, PciBoard } from '../boards/board.ts';
import { BOARDS } from '../boards/index.ts';
import type { AssignedBar } from './assign.ts';
import { identityOf, interruptsOf, type PciFunction, spacesOf } from './pci-function.ts';

function board(name: string): Board {
  return BOARDS.get(name) ?? expect.fail(`no board ${name}`);
}

const pci = (name: string) => board(name).pci as PciBoard;
const port = (bar: number, start: bigint, sizeBytes: number): AssignedBar => ({
  bar,
  kind: 'port',
  start,
  sizeBytes,
  is64: false,
});

function ide(programmingInterface: number, bars: readonly AssignedBar[], pin: number): PciFunction {
  const ids = { vendorId: 0x8086, deviceId: 0x7010, revision: 0, subsystemVendorId: 0, subsystemId: 0 };
  return { device: 1, function: 1, ...ids, classCode: 0x01_0100 | programmingInterface, bars, pin };
}

it('puts the channels of a controller in compatibility mode at the ports and IRQs of the AT', () => {
  const fn = ide(0x80, [port(4, 0xc000n, 16)], 0);
  expect(spacesOf(fn).map(({ name, bar, start, sizeBytes }) => [name, bar, start, sizeBytes])).toEqual([
    ['command0', 0, 0x1f0n, 8],
    ['control0', 1, 0x3f6n, 1],
    ['command1', 2, 0x170n, 8],
    ['control1', 3, 0x376n, 1],
    ['busMaster', 4, 0xc000n, 16],
  ]);
  expect(interruptsOf(fn, pci('pc'))).toEqual([
    { resource: { index: 0, name: 'channel0', trigger: 'edge', line: 'IRQ 14' }, line: 14 },
    { resource: { index: 1, name: 'channel1', trigger: 'edge', line: 'IRQ 15' }, line: 15 },
  ]);
});

it('takes the registers of native mode from the base address registers, and its pin', () => {
  const bars = [
    port(0, 0x9000n, 8),
    port(1, 0x9008n, 4),
    port(2, 0x9010n, 8),
    port(3, 0x9018n, 4),
    port(4, 0x9020n, 16),
  ];
  const fn = ide(0x8f, bars, 1);
  expect(spacesOf(fn).map(({ name, start }) => [name, start])).toEqual([
    ['command0', 0x9000n],
    ['control0', 0x9008n],
    ['command1', 0x9010n],
    ['control1', 0x9018n],
    ['busMaster', 0x9020n],
  ]);
  expect(interruptsOf(fn, pci('clipper'))).toEqual([
    { resource: { index: 0, name: 'both-channels', trigger: 'level', line: 'DRIR bit 8' }, line: 8 },
  ]);
});

it('names other registers by their number, and says who it is', () => {
  const memory: AssignedBar = { bar: 0, kind: 'memory', start: 0xe000_0000n, sizeBytes: 0x1000, is64: false };
  const fn = { ...ide(0, [memory], 1), classCode: 0x00ff00, device: 4, function: 0 };
  expect(spacesOf(fn)).toEqual([{ kind: 'memory', bar: 0, name: 'bar0', start: 0xe000_0000n, sizeBytes: 0x1000 }]);
  expect(identityOf(fn).pci).toMatchObject({ vendorId: 0x8086, deviceId: 0x7010, classCode: 0x00ff00 });
  expect(identityOf(fn).pci?.address, 'of the bus of this machine').toBeUndefined();
  expect(interruptsOf({ ...fn, pin: 0 }, pci('pc'))).toEqual([]);
});

it.each([
  ['pc', 1, 1, 10],
  ['pc', 1, 4, 7],
  ['pc', 4, 1, 7],
  ['pc', 5, 1, 10],
  ['pc', 8, 1, 7],
  ['virt', 1, 1, 4],
  ['virt', 4, 1, 3],
  ['clipper', 5, 1, 24],
])('on %s device %i has pin %i on line %i', (name, device, pin, line) => {
  expect(pci(name).intxLine(device, pin)).toBe(line);
});
