import { existsSync } from 'node:fs';
import { type MachineSpec, machineKey } from './machine-spec.ts';
import { type MachineOptions, QemuMachine } from './qemu-machine.ts';

/** A machine that this process uses. */
export interface SharedMachine {
  readonly key: string;
  readonly machine: QemuMachine;
  /** The last user who lets go ends a QEMU that this process has started. */
  release(): Promise<void>;
}

interface Entry {
  readonly machine: Promise<QemuMachine>;
  users: number;
}

/** Where a process tells its children of a machine that it has started. */
const VARIABLE = 'RING3_QEMU_';
const entries = new Map<string, Entry>();

/**
 * The one QEMU of this specification: that of this process, else that of the process that has started this one, else a new
 * one. QEMU belongs to who began it: a supervisor's outlives the drivers, and a restarted driver meets the device as it is.
 */
export async function shareMachine(spec: MachineSpec, options: MachineOptions = {}): Promise<SharedMachine> {
  const key = machineKey(spec);
  const entry = entries.get(key) ?? { machine: provide(key, spec, options), users: 0 };
  entries.set(key, entry);
  entry.users++;
  let released = false;
  const release = async () => {
    if (released) return;
    released = true;
    if (--entry.users > 0) return;
    if (entries.get(key) === entry) entries.delete(key);
    await entry.machine.then(end, () => {});
  };
  try {
    return { key, machine: await entry.machine, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function provide(key: string, spec: MachineSpec, options: MachineOptions): Promise<QemuMachine> {
  const variable = VARIABLE + key;
  const [, pid = '', folder = ''] = /^(\d+):(.*)$/.exec(process.env[variable] ?? '') ?? [];
  if (folder !== '' && existsSync(`/proc/${pid}`)) {
    try {
      return QemuMachine.join(spec, folder, Number(pid), options);
    } catch {
      // It has just ended.
    }
  }
  const machine = await QemuMachine.start(spec, options);
  process.env[variable] = `${machine.pid}:${machine.places.folder}`;
  void machine.ended.then(() => {
    // Who asks again gets a new one.
    if (process.env[variable] === `${machine.pid}:${machine.places.folder}`) delete process.env[variable];
    entries.delete(key);
  });
  return machine;
}

async function end(machine: QemuMachine): Promise<void> {
  await machine.close();
}
