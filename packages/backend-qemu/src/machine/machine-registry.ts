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
/** Until they are over their images are locked. */
const endings = new Map<string, Promise<void>>();

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
    forget(key, entry);
    await end(key, entry);
  };
  try {
    const machine = await entry.machine;
    if (machine.alive) return { key, machine, release };
  } catch (error) {
    await release();
    throw error;
  }
  // Nobody tells of the end of a QEMU that another process has started.
  forget(key, entry);
  await release();
  return shareMachine(spec, options);
}

async function provide(key: string, spec: MachineSpec, options: MachineOptions): Promise<QemuMachine> {
  await endings.get(key);
  const variable = VARIABLE + key;
  const [, pid = '', folder = ''] = /^(\d+):(.*)$/.exec(process.env[variable] ?? '') ?? [];
  if (folder !== '') {
    try {
      return QemuMachine.join(spec, folder, Number(pid), options);
    } catch {
      // It has ended.
    }
  }
  const machine = await QemuMachine.start(spec, options);
  process.env[variable] = `${machine.pid}:${machine.places.folder}`;
  void machine.ended.then(() => {
    if (process.env[variable] === `${machine.pid}:${machine.places.folder}`) delete process.env[variable];
  });
  return machine;
}

/** Who asks again gets a new one. */
function forget(key: string, entry: Entry): void {
  if (entries.get(key) === entry) entries.delete(key);
}

async function end(key: string, { machine }: Entry): Promise<void> {
  const ended = machine.then((running) => running.close());
  const settled = ended.catch(() => {});
  endings.set(key, settled);
  await settled;
  if (endings.get(key) === settled) endings.delete(key);
}
