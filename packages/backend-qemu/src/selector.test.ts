import { expect, it } from 'vitest';
import { QEMU_SELECTOR } from './selector.ts';

it('fills in what is left out, and takes devices as text or as QEMU has them', () => {
  const section = {
    machine: 'pc',
    devices: ['edu', 'edu,id=two,addr=4,multifunction=on', { driver: 'ide-hd', drive: 'd0', bus: 'ide.0' }],
    drives: [{ id: 'd0', file: 'disk.img', faults: [{ event: 'read_aio', sector: 3 }] }],
    select: 'ide',
  };
  expect(QEMU_SELECTOR.parse(section)).toEqual({
    machine: 'pc',
    devices: [
      { driver: 'edu' },
      { driver: 'edu', id: 'two', addr: '4', multifunction: true },
      { driver: 'ide-hd', drive: 'd0', bus: 'ide.0' },
    ],
    drives: [
      { id: 'd0', file: 'disk.img', format: 'raw', readOnly: false, faults: [{ event: 'read_aio', sector: 3 }] },
    ],
    select: 'ide',
  });
});

/** What is wrong with a section: path and message. */
function problemsOf(section: unknown): string[] {
  const { error } = QEMU_SELECTOR.safeParse(section);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

it('says all at once what is wrong with names', () => {
  const section = {
    machine: 'pc',
    devices: ['edu,id=one', 'edu,id=one', { driver: 'ide-hd', drive: 'd1' }, 'pci-serial,chardev=line0'],
    drives: [
      { id: 'd0', file: 'a.img' },
      { id: 'd0', file: 'b.img' },
    ],
    select: 'three',
  };
  expect(problemsOf(section)).toEqual([
    'devices.1: the id "one" is taken',
    'drives.1.id: "d0" is taken',
    'devices.2.drive: no drive "d1": there are d0, d0',
    'devices.3.chardev: there is no terminal "line0" in terminals',
    'select: the machine has no device "three": there are ide, one, one, device2, device3',
  ]);
});

it.each([
  ['a board that is not there', { machine: 'atari', devices: ['edu'] }, /^machine: /],
  ['no device at all', { machine: 'xilinx-zynq-a9' }, /^select: say which device is meant \(spi0, spi1, qspi/],
  ['a place that is none', { machine: 'pc', devices: ['edu'], select: { pci: 'slot 4' } }, /^select/],
  ['another bus', { machine: 'pc', devices: ['edu'], select: { pci: '0000:01:04.0' } }, /^select/],
  ['a misspelt key', { machine: 'pc', devices: ['edu'], drive: [] }, /Unrecognized key.*"drive"/],
  ['a device that is a command line', { machine: 'pc', devices: ['-device edu'] }, /^devices/],
  [
    'an errno that is none',
    { machine: 'pc', devices: ['edu'], drives: [{ id: 'd', file: 'f', faults: [{ event: 'read_aio', errno: -5 }] }] },
    /^drives\.0\.faults\.0\.errno/,
  ],
])('refuses %s', (_what, section, expected) => {
  expect(problemsOf(section).join('\n')).toMatch(expected);
});
