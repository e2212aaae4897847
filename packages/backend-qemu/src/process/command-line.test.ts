import { expect, it } from 'vitest';
import { BOARDS } from '../boards/index.ts';
import type { MachineSpec } from '../machine/machine-spec.ts';
import { blockNode, commandLine } from './command-line.ts';

const PC = BOARDS.get('pc') ?? expect.fail('no board pc');
const drive = { id: 'd0', file: '/images/disk.img', format: 'raw', readOnly: false, faults: [] };

function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((argument, index) => (argument === option ? [args[index + 1] ?? ''] : []));
}

it('starts nothing but what was asked for, with no screen and on sockets that it inherits', () => {
  const args = commandLine(PC, { machine: 'pc', devices: [], drives: [] }, '/folder/rom.bin');
  expect(args).toContain('-nodefaults');
  expect(valuesOf(args, '-display')).toEqual(['none']);
  expect(valuesOf(args, '-bios')).toEqual(['/folder/rom.bin']);
  expect(valuesOf(args, '-chardev')).toEqual([
    'socket,id=qtest,fd=3,server=on,wait=off',
    'socket,id=qmp,fd=4,server=on,wait=off',
  ]);
  expect(valuesOf(args, '-device')).toEqual([]);
});

it('gives devices an id, lets disks report errors instead of stopping the machine, and writes values as QEMU reads them', () => {
  const disk = { driver: 'ide-hd', id: 'disk', drive: 'd0', bus: 'ide.0', serial: 'a,b', rerror: 'stop' };
  const devices = [{ driver: 'edu', addr: 4, multifunction: true }, disk];
  const spec: MachineSpec = { machine: 'pc', devices, drives: [drive] };
  expect(valuesOf(commandLine(PC, spec, ''), '-device')).toEqual([
    'edu,addr=4,multifunction=on,id=device0',
    'ide-hd,werror=report,rerror=stop,id=disk,drive=d0,bus=ide.0,serial=a,,b',
  ]);
});

it('opens an image as it is, also when its name looks like options', () => {
  expect(blockNode({ ...drive, file: '/images/a,b=c.img', readOnly: true })).toEqual({
    driver: 'raw',
    'node-name': 'd0',
    file: { driver: 'file', filename: '/images/a,b=c.img', 'read-only': true, discard: 'unmap' },
    'read-only': true,
    discard: 'unmap',
  });
});

it('puts faults between the format and the file', () => {
  const faults = [
    { event: 'read_aio', sector: 3 },
    { event: 'flush_to_disk', errno: 28, once: true },
  ];
  expect(blockNode({ ...drive, format: 'qcow2', faults })).toMatchObject({
    driver: 'qcow2',
    file: {
      driver: 'blkdebug',
      image: { driver: 'file', filename: '/images/disk.img' },
      'inject-error': [
        { event: 'read_aio', sector: 3, errno: 5, once: false },
        { event: 'flush_to_disk', errno: 28, once: true },
      ],
    },
  });
});
