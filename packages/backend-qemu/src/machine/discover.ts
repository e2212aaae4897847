import { DeviceError, isDeviceError } from '@ring3/core';
import type { Board, InterruptView } from '../boards/board.ts';
import { enumerate } from '../pci/enumerate.ts';
import type { QemuPlaces } from '../process/qemu-process.ts';
import { Qmp } from '../process/qmp.ts';
import { writeBus } from '../qtest/bus.ts';
import { QtestConnection } from '../qtest/qtest-connection.ts';
import type { Inventory } from './inventory.ts';
import { deviceId, type MachineSpec } from './machine-spec.ts';

/** Does the work of firmware on a machine that was just started. */
export async function discover(
  board: Board,
  spec: MachineSpec,
  places: QemuPlaces,
  answerTimeoutMs: number,
): Promise<Inventory> {
  const qmp = await Qmp.connect(places.qmp);
  try {
    const interceptPath = await findController(qmp, board.interrupts);
    const slots = await findSlots(qmp, spec);
    const { qtest: socket, pid } = places;
    const qtest = new QtestConnection({ socket, pid, answerTimeoutMs, irq: () => {} });
    try {
      writeBus(qtest, board.setUp);
      const functions = board.pci === undefined ? [] : enumerate(qtest, board.pci);
      if (!qtest.alive) throw new DeviceError('gone', await qtest.gone);
      return { functions, slots, interceptPath };
    } finally {
      qtest.close();
    }
  } finally {
    qmp.close();
  }
}

/** PCI devices have their slot and function in the property `addr`, other devices have none. */
async function findSlots(qmp: Qmp, spec: MachineSpec): Promise<Inventory['slots']> {
  const slots: Record<string, { device: number; function: number }> = {};
  for (const [index, device] of spec.devices.entries()) {
    const id = deviceId(device, index);
    try {
      const addr = await qmp.execute('qom-get', { path: `/machine/peripheral/${id}`, property: 'addr' });
      if (typeof addr === 'number') slots[id] = { device: addr >>> 3, function: addr & 7 };
    } catch (error) {
      if (!isDeviceError(error, 'fault')) throw error;
    }
  }
  return slots;
}

async function findController(qmp: Qmp, view: InterruptView): Promise<string | undefined> {
  if (view.kind === 'pending-register') return undefined;
  return 'path' in view ? view.path : findObject(qmp, view.type);
}

/** The first object whose type `qom-list` gives so. @throws DeviceError `not-found`. */
export async function findObject(qmp: Qmp, type: RegExp): Promise<string> {
  const found = await findBelow(qmp, '/machine', type, 3);
  if (found !== undefined) return found;
  throw new DeviceError('not-found', `this QEMU has no object of the type ${type.source}`);
}

async function findBelow(qmp: Qmp, path: string, type: RegExp, depth: number): Promise<string | undefined> {
  const properties = (await qmp.execute('qom-list', { path })) as { name: string; type: string }[];
  const children = properties.filter((property) => property.type.startsWith('child<'));
  const match = children.find((child) => type.test(child.type));
  if (match !== undefined) return `${path}/${match.name}`;
  if (depth === 0) return undefined;
  for (const { name } of children) {
    const found = await findBelow(qmp, `${path}/${name}`, type, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
