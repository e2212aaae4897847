import type { Board } from '../boards/board.ts';
import {
  type DeviceSpec,
  type DriveSpec,
  deviceId,
  type MachineSpec,
  type PropertyValue,
} from '../machine/machine-spec.ts';

/** Descriptors that QEMU inherits. */
const QTEST_FD = 3;
const QMP_FD = 4;
export const RAM_FD = 5;

/** Drivers of disks that stop the whole machine when the host's disk is full, unless they are told not to. */
const STOPPING_DISKS = ['ide-hd', 'ide-cd', 'scsi-hd', 'scsi-cd', 'virtio-blk-pci', 'usb-storage'];

/**
 * What QEMU is started with: the board with nothing but what was asked for, its clock running, its memory a file that we
 * share, qtest and QMP on sockets that listen already.
 * @param romPath where the board's ROM was written.
 */
export function commandLine(board: Board, spec: MachineSpec, romPath: string): string[] {
  const socket = (id: string, fd: number) => ['-chardev', `socket,id=${id},fd=${fd},server=on,wait=off`];
  return [
    ...['-machine', `${board.machine},memory-backend=ram`, '-m', `${board.ramBytes >>> 20}M`],
    ...['-object', `memory-backend-file,id=ram,size=${board.ramBytes},mem-path=/proc/self/fd/${RAM_FD},share=on`],
    ...['-accel', 'tcg', '-display', 'none', '-nodefaults', '-no-user-config', '-qtest-log', 'none'],
    ...socket('qtest', QTEST_FD),
    ...['-qtest', 'chardev:qtest'],
    ...socket('qmp', QMP_FD),
    ...['-mon', 'chardev=qmp,mode=control'],
    ...board.arguments.map((argument) => (argument === '@rom' ? romPath : argument)),
    ...spec.drives.flatMap((drive) => ['-blockdev', JSON.stringify(blockNode(drive))]),
    ...(spec.terminals ?? []).flatMap(({ id, path }) => [
      '-chardev',
      `serial,id=${id},path=${path.replaceAll(',', ',,')}`,
    ]),
    ...spec.devices.flatMap((device, index) => ['-device', deviceText(device, index)]),
  ];
}

/** QEMU's block node of a drive: its format over the file, with the faults between the two. */
export function blockNode({ id, file, format, readOnly, faults }: DriveSpec) {
  const common = { 'read-only': readOnly, discard: 'unmap' };
  const plain = { driver: 'file', filename: file, ...common };
  const rules = faults.map(({ event, sector, errno, once }) => ({
    event,
    ...(sector === undefined ? {} : { sector }),
    errno: errno ?? 5,
    once: once ?? false,
  }));
  const below = rules.length === 0 ? plain : { driver: 'blkdebug', image: plain, 'inject-error': rules, ...common };
  return { driver: format, 'node-name': id, file: below, ...common };
}

/** As text, so that QEMU reads each value as the property wants it: `addr=4` is a slot, a serial number of digits no number. */
function deviceText(device: DeviceSpec, index: number): string {
  const report = STOPPING_DISKS.includes(device.driver) ? { werror: 'report', rerror: 'report' } : {};
  const { driver, ...properties } = { ...report, ...device, id: deviceId(device, index) };
  const entries = Object.entries(properties).map(([name, value]) => `${name}=${propertyText(value)}`);
  return [driver, ...entries].join(',');
}

/** A comma is doubled. */
function propertyText(value: PropertyValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value).replaceAll(',', ',,');
}
