import {
  type DeviceDescription,
  defineDriver,
  interrupt,
  memory,
  optional,
  readOnly,
  registers,
  writeOnly,
} from '@ring3/core';
import { describe, expect, it } from 'vitest';
import { findPlace, namedSpaces } from './find-register.ts';

const description: DeviceDescription = {
  id: 'card',
  domain: 'test',
  identity: {},
  spaces: [
    { kind: 'memory', bar: 0, name: 'csr', start: 0x1000n, sizeBytes: 0x100 },
    { kind: 'memory', bar: 2, start: 0x2000n, sizeBytes: 8 },
    { kind: 'memory', bar: 3, start: 0x3000n, sizeBytes: 16 },
  ],
  interrupts: [],
  simulated: true,
};

const driver = defineDriver({
  name: 'card',
  match: [],
  needs: { control: registers({ bar: 0 }), data: optional(memory({ bar: 2 })), irq: interrupt() },
  provides: [],
  layouts: ({ data = 0 }) => ({
    control: { status: readOnly(0x0, 32), command: writeOnly(0x4, 32) },
    data: { status: readOnly(data - 4, 32) },
  }),
  attach() {},
});
const spaces = namedSpaces(description, driver);
const find = (...path: string[]) => findPlace('card0', spaces, path);

describe('a place is named', () => {
  it('by a register that only one space has', () => {
    expect(find('command')).toMatchObject({
      space: { names: ['control', 'csr', 'bar0'] },
      register: { definition: { offset: 4 } },
    });
  });

  it('by a space in each of its names, and a register in it', () => {
    for (const name of ['control', 'csr', 'bar0']) expect(find(name).space.resource.bar).toBe(0);
    expect(find('data', 'status').register?.definition.offset).toBe(4);
    expect(find('bar0', 'status').register?.definition.offset).toBe(0);
  });

  it('by a BAR that the driver does not use', () => {
    expect(find('bar3')).toMatchObject({ space: { names: ['bar3'], layout: {} }, register: undefined });
  });

  it('without a driver too, by space', () => {
    expect(findPlace('x', namedSpaces(description), ['bar2']).space.resource.sizeBytes).toBe(8);
  });
});

it.each([
  [['status'], 'card0.status is in several spaces: card0.control.status, card0.data.status'],
  [['comand'], 'card0 has no register or space "comand"; did you mean "command"?'],
  [['bar0', 'x'], 'card0.bar0 has no register or space "x"; there is: status, command, control, csr, bar0'],
  [['contrl', 'status'], 'card0 has no space "contrl"; did you mean "control"?'],
  [[], 'card0: name a register or a space: control or csr or bar0 (0x100 bytes: status, command)'],
  [['a', 'b', 'c'], 'card0: name a register or a space'],
])('%j is refused with what there is', (path, message) => {
  expect(() => find(...path)).toThrow(message);
});
