import { resolve } from 'node:path';
import {
  type Backend,
  type BackendEnvironment,
  type DeviceClaim,
  type DeviceDescription,
  DeviceError,
  defineBackend,
  type Logger,
  SILENT,
} from '@ring3/core';
import { type LocatedDevice, locate, locateAll } from './describe.ts';
import { type SharedMachine, shareMachine } from './machine/machine-registry.ts';
import type { DeviceSpec, MachineSpec } from './machine/machine-spec.ts';
import type { QemuMachine } from './machine/qemu-machine.ts';
import { QemuDevice } from './qemu-device.ts';
import { QEMU_SELECTOR, type QemuSelector } from './selector.ts';

/** What a {@link QemuBackend} works with. */
export interface QemuBackendOptions {
  readonly log?: Logger;
  /** Resolves paths of drives. Default: from the working directory of this process. */
  readonly resolvePath?: (path: string) => string;
  /** A QEMU that does not answer as long is given up: its devices are gone. Default 5000. */
  readonly answerTimeoutMs?: number;
}

/** Device models of QEMU, without a guest. */
export class QemuBackend implements Backend<QemuSelector> {
  readonly #options: QemuBackendOptions;
  readonly #log: Logger;
  readonly #machines = new Map<string, SharedMachine>();
  readonly #open = new Map<string, QemuDevice | undefined>();

  constructor(options: QemuBackendOptions = {}) {
    this.#options = options;
    this.#log = options.log ?? SILENT;
  }

  /** The devices of the machines that configurations have named. */
  async list(): Promise<DeviceDescription[]> {
    return [...this.#machines.values()].flatMap((shared) =>
      locateAll(surroundings(shared)).map(({ description }) => description),
    );
  }

  async describe(selector: QemuSelector): Promise<DeviceDescription> {
    return (await this.#locate(selector)).located.description;
  }

  async open(selector: QemuSelector): Promise<QemuDevice> {
    const { shared, located } = await this.#locate(selector);
    const { id } = located.description;
    const name = `${shared.key} ${id}`;
    if (this.#open.has(name)) throw new DeviceError('busy', `${id} is open in this process already: close it first`);
    this.#open.set(name, undefined);
    try {
      const connection = shared.machine.connect();
      const release = () => {
        this.#open.delete(name);
        shared.machine.disconnect(connection);
      };
      const device = new QemuDevice({ located, connection, log: this.#log, release });
      this.#open.set(name, device);
      return device;
    } catch (error) {
      this.#open.delete(name);
      throw error;
    }
  }

  /** Keeps the machine running between the lives of a driver. Another configuration has another QEMU: nobody is refused. */
  async claim(selector: QemuSelector): Promise<DeviceClaim> {
    const { release } = await shareMachine(this.#specOf(selector), this.#settings());
    return { release };
  }

  /** The machine of a device, as long as the backend is open: for tests that look at it from beside the driver. */
  async machineOf(selector: QemuSelector): Promise<QemuMachine> {
    return (await this.#machine(this.#specOf(selector))).machine;
  }

  async close(): Promise<void> {
    for (const device of [...this.#open.values()].reverse()) await device?.close();
    for (const shared of this.#machines.values()) await shared.release();
    this.#machines.clear();
  }

  /** Equal sections of configurations give equal specifications. */
  #specOf({ machine, devices, drives, terminals }: QemuSelector): MachineSpec {
    const { resolvePath = (path: string) => resolve(path) } = this.#options;
    return {
      machine,
      devices: devices.map((device) => ({ ...device }) as DeviceSpec),
      drives: drives.map((drive) => ({ ...drive, file: resolvePath(drive.file) })),
      ...(terminals === undefined ? {} : { terminals }),
    };
  }

  async #locate(selector: QemuSelector): Promise<{ shared: SharedMachine; located: LocatedDevice }> {
    const shared = await this.#machine(this.#specOf(selector));
    return { shared, located: locate(selector.select, surroundings(shared)) };
  }

  /** A machine that has ended is replaced by a new one, as a device that is plugged in again. */
  async #machine(spec: MachineSpec): Promise<SharedMachine> {
    const shared = await shareMachine(spec, this.#settings());
    const mine = this.#machines.get(shared.key);
    if (mine?.machine === shared.machine) {
      await shared.release();
      return mine;
    }
    await mine?.release();
    this.#machines.set(shared.key, shared);
    return shared;
  }

  #settings() {
    const { answerTimeoutMs } = this.#options;
    return { log: this.#log, ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }) };
  }
}

function surroundings({ key, machine }: SharedMachine) {
  return { board: machine.board, inventory: machine.inventory, domain: `qemu ${machine.board.name} ${key}` };
}

/** `type: qemu` of the configuration. */
export const qemuBackend = defineBackend<QemuSelector>({
  type: 'qemu',
  selector: QEMU_SELECTOR,
  create: ({ log, resolvePath }: BackendEnvironment) => new QemuBackend({ log, resolvePath }),
});
